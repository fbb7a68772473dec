package api

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/coverage.md anew")

const coverageFile = "../../docs/coverage.md"

// TestCoverageTable keeps docs/coverage.md true: which actions of libguestfs there
// are, and which tests call them. After a change: go test ./internal/api -update.
func TestCoverageTable(t *testing.T) {
	want := coverageTable(t)
	if *update {
		if err := os.WriteFile(coverageFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(coverageFile)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/coverage.md is stale: run go test ./internal/api -run Coverage -update")
	}
}

// cOnly are actions that only make sense inside a program in C that libguestfs is linked
// to; guestfish has no commands for them either.
var cOnly = map[string]string{
	"add_libvirt_dom":             "takes a pointer of libvirt's C library; add_domain does the same by name",
	"internal_get_console_socket": "gives libguestfs's own tests a file descriptor, and is never on the wire",
}

func coverageTable(t *testing.T) string {
	callers := callersOf(t)
	var b strings.Builder
	var here, tested, all int
	var missing, left []string
	rows := ""
	for _, f := range readFacts[factAction](t, "actions.jsonl") {
		all++
		done := "no"
		if All.Lookup(f.Name) != nil {
			done = "yes"
			here++
		} else if why := cOnly[f.Name]; why != "" {
			done = "only in C"
			left = append(left, f.Name+" "+why)
		} else {
			missing = append(missing, f.Name)
		}
		tests := callers[f.Name]
		if len(tests) > 0 {
			tested++
		}
		shown := strings.Join(tests[:min(4, len(tests))], ", ")
		if len(tests) > 4 {
			shown += fmt.Sprintf(" and %d more", len(tests)-4)
		}
		rows += fmt.Sprintf("| %s | %s | %s | %s |\n", f.Name, f.Group, done, shown)
	}
	fmt.Fprintf(&b, `# The actions of libguestfs

Made by a test from the table of facts and the tests' own texts; do not edit (`+"`go test ./internal/api -update`"+`).
Of %d actions %d are implemented, and %d are named in a test. Scripts are those of testdata/diff, which guestfish runs
as well, and of testdata/script.

Not implemented: %s.
Not for a program of this kind: %s.

| action | group | implemented | tests |
|---|---|---|---|
%s`, all, here, tested, orNone(strings.Join(missing, ", ")), strings.Join(left, "; "), rows)
	return b.String()
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// callersOf finds, for each action, the tests that name it in a place where
// commands stand: the first word of a line of a script, a word behind a colon, or
// text in quotes in a Go test.
func callersOf(t *testing.T) map[string][]string {
	t.Helper()
	byWord := map[string]string{}
	for _, a := range All.Actions() {
		byWord[a.Name], byWord[a.Dashed()] = a.Name, a.Name
		for _, alias := range a.Aliases {
			byWord[alias], byWord[strings.ReplaceAll(alias, "_", "-")] = a.Name, a.Name
		}
	}
	found := map[string]map[string]bool{}
	var files []string
	for _, pattern := range []string{"../../testdata/diff/*.fish", "../../testdata/script/*.txtar", "../../testdata/wire/*", "../*/*_test.go"} {
		l, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, l...)
	}
	for _, name := range files {
		if filepath.Base(name) == "coverage_test.go" {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range commandWords(string(text), strings.HasSuffix(name, ".go")) {
			if a := byWord[w]; a != "" {
				if found[a] == nil {
					found[a] = map[string]bool{}
				}
				found[a][filepath.Base(name)] = true
			}
		}
	}
	// A test of a public action is one of the internal actions by which it is done.
	for internal, publics := range doneBy(t) {
		for _, public := range publics {
			for file := range found[public] {
				if found[internal] == nil {
					found[internal] = map[string]bool{}
				}
				found[internal][file] = true
			}
		}
	}
	out := map[string][]string{}
	for a, m := range found {
		for f := range m {
			out[a] = append(out[a], f)
		}
		sort.Strings(out[a])
	}
	return out
}

// doneBy finds, for each internal action, the public ones whose method in package
// handle calls it.
func doneBy(t *testing.T) map[string][]string {
	t.Helper()
	methods := map[string]string{}
	for _, a := range All.Actions() {
		methods[a.Camel()] = a.Name
	}
	files, err := filepath.Glob("../handle/*.go")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || methods[fn.Name.Name] == "" {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
					s, _ := strconv.Unquote(lit.Value)
					if a := All.Lookup(s); a != nil && (a.Visibility == Internal || a.Visibility == NoFish) {
						out[s] = append(out[s], methods[fn.Name.Name])
					}
				}
				return true
			})
		}
	}
	return out
}

var (
	scriptWords = regexp.MustCompile(`(?m)(?:^[ \t]*-?|(?:^| ): -?|exec gofish .*?(?: run : | ))([a-z][A-Za-z0-9_-]+)`)
	quotedWords = regexp.MustCompile(`["` + "`" + `\n]-?([a-z][A-Za-z0-9_-]+)`)
)

func commandWords(text string, isGo bool) []string {
	pattern := scriptWords
	if isGo {
		pattern = quotedWords
	}
	var l []string
	for _, m := range pattern.FindAllStringSubmatchIndex(text, -1) {
		// What ends one word may begin the next: it is no part of the match.
		if end := m[3]; !isGo || end < len(text) && strings.ContainsRune("\"`\\ \n", rune(text[end])) {
			l = append(l, text[m[2]:end])
		}
	}
	return l
}
