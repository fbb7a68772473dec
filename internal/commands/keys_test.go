package commands

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeySelectors(t *testing.T) {
	for arg, want := range map[string]string{
		"foo":              "selector 'foo': missing TYPE",
		"foo:key":          "selector 'foo:key': missing KEY_STRING, or too many fields",
		"foo:key:a:b":      "selector 'foo:key:a:b': missing KEY_STRING, or too many fields",
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
	for id, want := range map[string]string{
		"/dev/sda1":            "/dev/sda1",
		"/dev/mapper/VG-LV":    "/dev/VG/LV",
		"/dev/mapper/a--b-c":   "/dev/a-b/c",
		"/dev/mapper/a-b--c":   "/dev/a/b-c",
		"/dev/mapper/a--b":     "/dev/mapper/a--b",
		"/dev/mapper/control":  "/dev/mapper/control",
		"/dev/mapper/a--b--":   "/dev/mapper/a--b--",
		"/dev/mapper/-":        "/dev/mapper/-",
		"12345678-1234-123456": "12345678-1234-123456",
	} {
		expect(t, id, keyID(id), want)
	}
	expect(t, "name", mapName("/dev/VG/L_V-1", ""), "cryptVGLV1")
}

func TestOpenEncrypted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("first\nrest"), 0o600); err != nil {
		t.Fatal(err)
	}
	const uuid = "aaaa-bbbb"
	f := &fake{answers: map[string]any{
		"list_partitions": []string{"/dev/sda1", "/dev/sda2", "/dev/sda3"},
		"lvs":             []string{"/dev/VG/LV"},
		"vfs_type": func(args []any) any {
			return map[any]any{"/dev/sda1": "ext4", "/dev/sda2": "crypto_LUKS", "/dev/sda3": errors.New("?"), "/dev/VG/LV": "BitLocker"}[args[0]]
		},
		"luks_uuid": uuid,
		"cryptsetup_open": func(args []any) any {
			if args[1] != "first\nrest" && args[1] != "volume" {
				return errors.New("wrong key")
			}
			return nil
		},
	}}
	s := &Shell{prog: &Program{Name: "gofish"}, caller: f, ctx: t.Context()}
	s.opts.keys = []keySelector{{"/dev/sda9", "key", "no"}, {"AAAA-bbbb", "key", "bad"}, {"all", "file", file}, {"/dev/VG/LV", "key", "volume"}}
	if err := s.openEncrypted(); err != nil {
		t.Fatal(err)
	}
	var opens []string
	for _, c := range f.calls {
		if strings.HasPrefix(c, "cryptsetup_open") || strings.HasPrefix(c, "lvm_scan") {
			opens = append(opens, c)
		}
	}
	expect(t, "calls", strings.Join(opens, "|"), strings.Join([]string{
		"cryptsetup_open /dev/sda2 bad luks-aaaa-bbbb",
		"cryptsetup_open /dev/sda2 first luks-aaaa-bbbb",
		"cryptsetup_open /dev/sda2 first\nrest luks-aaaa-bbbb",
		"lvm_scan true",
		"cryptsetup_open /dev/VG/LV first cryptVGLV",
		"cryptsetup_open /dev/VG/LV first\nrest cryptVGLV",
	}, "|"))
	s.opts.keys = s.opts.keys[:2]
	err := s.openDevice("/dev/sda2", uuid)
	if err == nil || !strings.Contains(err.Error(), "wrong key") || !strings.Contains(err.Error(), "--key '/dev/sda2:key:KEY'") {
		t.Errorf("no key fits: %v", err)
	}
}
