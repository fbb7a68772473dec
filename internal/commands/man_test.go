package commands

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"gofish/internal/api"
	"gofish/internal/manual"
)

// TestManual: the manual page has every command and is drawn without a warning.
func TestManual(t *testing.T) {
	var b bytes.Buffer
	if err := (&Program{Name: "gofish", Version: "0"}).Manual().Roff(&b); err != nil {
		t.Fatal(err)
	}
	for _, n := range names() {
		if n.of == "" && !strings.Contains(b.String(), "\n.SS "+manual.Escape(n.text)+"\n") {
			t.Errorf("%s is not in the manual", n.text)
		}
	}
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip("no groff to draw the page with")
	}
	c := exec.Command("groff", "-man", "-Tutf8", "-ww")
	c.Stdin = &b
	var warnings bytes.Buffer
	c.Stderr = &warnings
	if out, err := c.Output(); err != nil || len(out) == 0 || warnings.Len() > 0 {
		t.Errorf("groff: %v, %d bytes\n%s", err, len(out), warnings.String())
	}
}

// TestHelpTexts: the help of every action says what it does, and of each amount
// what it counts.
func TestHelpTexts(t *testing.T) {
	for _, a := range api.All.Actions() {
		if a.Summary == "" || a.Help == "" {
			t.Errorf("%s: no summary or no help", a.Name)
		}
		help := about("gofish", entry{action: a}).help
		for _, p := range append(append(api.Args{}, a.Args...), a.Opts...) {
			if p.Unit != api.NoUnit && p.Unit != api.Octal && !strings.Contains(help, p.Name+" in "+p.Unit.String()) {
				t.Errorf("%s: help does not say what %s counts", a.Name, p.Name)
			}
		}
	}
}

// TestManualNames: the manual names commands as the shell does.
func TestManualNames(t *testing.T) {
	var b bytes.Buffer
	p := &Program{Name: "gofish"}
	if err := p.Manual().Plain(&b); err != nil {
		t.Fatal(err)
	}
	for _, name := range apiName.FindAllString(b.String(), -1) {
		if lookup(name) != nil {
			t.Errorf("the manual says %s", name)
		}
	}
}
