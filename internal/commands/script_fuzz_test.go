package commands

import (
	"strings"
	"testing"
)

// Whatever a line of a script is, the line after it runs.
func FuzzScript(f *testing.F) {
	for _, s := range []string{`a 'b`, `"\q"`, "\r", "a\x00b", strings.Repeat("x", 10000), "~\"", "'a'b", "x\nnosuch"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "|") {
			return // a program of the host would run
		}
		var script strings.Builder
		lines := strings.Split(s, "\n")
		for _, l := range lines {
			script.WriteString("-echo " + l + "\necho mark\n")
		}
		out, errs, status := runShell(t, &fake{}, script.String())
		n := 0
		for _, l := range strings.Split(out, "\n") {
			if l == "mark" {
				n++
			}
		}
		if n < len(lines) || status != 0 {
			t.Errorf("script %q: %d of %d lines ran, status %d, errors %q", script.String(), n, len(lines), status, errs)
		}
	})
}
