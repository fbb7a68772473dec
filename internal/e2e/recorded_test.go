package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

var record = flag.Bool("record", false, "let guestfish run every script of testdata/diff and record what it does")

// answer is what guestfish did with a script of testdata/diff, as it is kept in
// testdata/diff/recorded: a run of guestfish takes a minute, of which 20 s are its
// launch. Only a test with -record writes it, and only from a run of guestfish.
type answer struct {
	Guestfish string   // its version
	Script    string   // hash of the script and of our programs that it runs
	Status    int      // exit status
	Stdout    []string // lines
	Calls     []string // in their order; with a - those that failed
}

func answerFile(name string) string { return repo + "/testdata/diff/recorded/" + name + ".json" }

// recordedAnswer is what guestfish did the last time, if that was this script and
// this version of guestfish.
func recordedAnswer(t *testing.T, name string) (answer, bool) {
	t.Helper()
	var a answer
	b, err := os.ReadFile(answerFile(name))
	if os.IsNotExist(err) {
		return a, false
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &a); err != nil {
		t.Fatalf("%s: %v", answerFile(name), err)
	}
	return a, a.Guestfish == guestfishVersion() && a.Script == scriptHash(t, name)
}

func (a answer) stdout() string { return strings.Join(a.Stdout, "\n") }

func (a answer) calls() []outcome {
	var l []outcome
	for _, c := range a.Calls {
		name, failed := strings.CutPrefix(c, "-")
		l = append(l, outcome{name: name, failed: failed})
	}
	return l
}

// answerOf is what a run shows.
func answerOf(r result) answer {
	a := answer{Status: r.status, Stdout: strings.Split(r.stdout, "\n")}
	for _, c := range outcomes(r.stderr) {
		if c.failed {
			c.name = "-" + c.name
		}
		a.Calls = append(a.Calls, c.name)
	}
	return a
}

func (a answer) write(t *testing.T, name string) {
	t.Helper()
	a.Guestfish, a.Script = guestfishVersion(), scriptHash(t, name)
	if i := slices.IndexFunc(a.Stdout, func(l string) bool { return !utf8.ValidString(l) }); i >= 0 {
		t.Errorf("line %d cannot be recorded, as it is no UTF-8: %q", i+1, a.Stdout[i])
		return
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(a); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(answerFile(name), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

var guestfishVersion = sync.OnceValue(func() string {
	out, err := exec.Command("guestfish", "--version").Output()
	if err != nil {
		return fmt.Sprintf("none: %v", err)
	}
	return strings.TrimSpace(string(out))
})

// scriptHash covers a script and the programs of ours that it names, such as mkhives.
func scriptHash(t *testing.T, name string) string {
	t.Helper()
	h := sha256.New()
	add := func(file string) []byte {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(h, "%s %d\n", filepath.Base(file), len(b))
		h.Write(b)
		return b
	}
	words := strings.FieldsFunc(string(add(repo+"/testdata/diff/"+name+".fish")), func(r rune) bool {
		return strings.ContainsRune(" \n|!;\"", r)
	})
	tools, err := os.ReadDir(repo + "/internal/e2e")
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range tools {
		if !tool.IsDir() || !slices.Contains(words, tool.Name()) {
			continue
		}
		if err := filepath.WalkDir(repo+"/internal/e2e/"+tool.Name(), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				add(path)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil)[:16])
}
