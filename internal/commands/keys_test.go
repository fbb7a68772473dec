package commands

import (
	"testing"
)

func TestKeySelectors(t *testing.T) {
	for arg, want := range map[string]string{
		"foo":              "selector 'foo': missing TYPE",
		":key:x":           "selector ':key:x': missing ID: name the device before the first colon, or say all",
		":clevis":          "selector ':clevis': missing ID: name the device before the first colon, or say all",
		"foo:key":          "selector 'foo:key': missing KEY_STRING, or too many fields",
		"foo:key:a:b":      "",
		"a:b:file:x:key:y": "",
		"foo:file":         "selector 'foo:file': missing FILENAME, or too many fields",
		"foo:clevis:x":     "selector 'foo:clevis:x': too many fields",
		"foo:bar:x":        "selector 'foo:bar:x': invalid TYPE",
		"/dev/sda1:key:k":  "",
		"all:file:/k":      "",
		"/dev/sda2:clevis": "",
	} {
		f := &fake{}
		_, errs, status := runShell(t, f, "", "--key", arg, "echo", "x")
		if want == "" {
			expect(t, arg, errs, "")
		} else if expect(t, arg, errs, "gofish: "+want+"\n"); status != 1 {
			t.Errorf("--key %s: status %d", arg, status)
		}
	}
}
