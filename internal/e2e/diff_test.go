package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// accepted is an accepted difference between gofish and guestfish: text that
// is changed in the output of both before they are compared.
type accepted struct {
	script  string // name of a script, or * for all
	pattern *regexp.Regexp
	with    string
	reason  string
}

// readDifferences reads testdata/diff/DIFFERENCES: records of four lines
// (script, pattern, replacement, reason) with an empty line between.
func readDifferences(t *testing.T) []accepted {
	t.Helper()
	b, err := os.ReadFile(repo + "/testdata/diff/DIFFERENCES")
	if err != nil {
		t.Fatal(err)
	}
	var l []accepted
	for _, rec := range strings.Split(strings.TrimSpace(string(b)), "\n\n") {
		f := strings.Split(rec, "\n")
		if strings.HasPrefix(rec, "#") {
			continue
		}
		if len(f) != 4 || f[3] == "" {
			t.Fatalf("DIFFERENCES: a record needs script, pattern, replacement and reason: %q", rec)
		}
		re, err := regexp.Compile("(?m)" + f[1])
		if err != nil {
			t.Fatalf("DIFFERENCES: %v", err)
		}
		l = append(l, accepted{f[0], re, f[2], f[3]})
	}
	return l
}

func normalise(out, script string, diffs []accepted) string {
	for _, d := range diffs {
		if d.script == "*" || d.script == script {
			out = d.pattern.ReplaceAllString(out, d.with)
		}
	}
	return out
}

// traced is a line of a program that runs with -x: a call with its arguments, or its
// result.
var traced = regexp.MustCompile(`(?m)^(?:[^ \n]+: )?(?:gofish|libguestfs): trace: (\w+)(.*)$`)

// outcome is a call that a script made, and whether it failed.
type outcome struct {
	name, args string
	failed     bool
}

// outcomes reads what a program that runs with -x has written. Calls that are made
// within a call are left out: how an action is done is its own affair.
func outcomes(trace string) []outcome {
	var l, open []outcome
	for _, m := range traced.FindAllStringSubmatch(trace, -1) {
		result, done := strings.CutPrefix(m[2], " = ")
		if !done {
			open = append(open, outcome{name: m[1], args: m[2]})
			continue
		}
		i := len(open) - 1
		for i >= 0 && open[i].name != m[1] {
			i--
		}
		if i == 0 {
			open[0].failed = strings.HasSuffix(result, " (error)")
			l = append(l, open[0])
		}
		open = open[:max(i, 0)]
	}
	return l
}

// outcomeLines is a line for each call. Its arguments are those that gofish traces:
// guestfish writes modes and quotes in another way.
func outcomeLines(calls, ours []outcome) string {
	var b strings.Builder
	for i, c := range calls {
		if i < len(ours) && ours[i].name == c.name {
			c.args = ours[i].args
		}
		fmt.Fprintf(&b, "%s%s: %s\n", c.name, c.args, map[bool]string{true: "fails", false: "succeeds"}[c.failed])
	}
	return b.String()
}

// TestAgainstGuestfish runs each script in an empty folder by gofish; standard output,
// exit status, and which calls fail must be the same as with guestfish. That is run when
// there is no record of what it did, or when gofish does something else: then guestfish
// has the last word, as a record may be older than the programs in both appliances, and
// guestfish's own disks sometimes come up in another order. A key is the line of the
// script that follows the command.
func TestAgainstGuestfish(t *testing.T) {
	t.Parallel()
	need(t, "guestfish")
	scripts, err := filepath.Glob(repo + "/testdata/diff/*.fish")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	diffs := readDifferences(t)
	for _, script := range scripts {
		name := strings.TrimSuffix(filepath.Base(script), ".fish")
		abs, err := filepath.Abs(script)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ours := program(t, t.TempDir(), nil, "", gofishBin, "-x", "--keys-from-stdin", "-f", abs)
			d := "there is no record of this script"
			if theirs, ok := recordedAnswer(t, name); ok {
				d = difference(name, diffs, ours, theirs)
			}
			if d != "" || *record {
				t.Logf("guestfish is run itself: %s", d)
				if theirs, same := askGuestfish(t, name, abs, diffs, ours); same && *record {
					theirs.write(t, name)
				}
			}
			if !streams[name] && !*mixed {
				return
			}
			appliance, err := ourExport()
			if err != nil {
				t.Fatal(err)
			}
			askGuestfish(t, name, abs, diffs, ours, "LIBGUESTFS_PATH="+appliance)
		})
	}
}

// askGuestfish lets guestfish run a script, and reports a failure unless it does what
// gofish did.
func askGuestfish(t *testing.T, name, script string, diffs []accepted, ours result, env ...string) (theirs answer, same bool) {
	t.Helper()
	run := program(t, t.TempDir(), env, "", "guestfish", "-x", "--keys-from-stdin", "-f", script)
	theirs = answerOf(run)
	d := difference(name, diffs, ours, theirs)
	if d != "" {
		t.Errorf("guestfish %v: %s\ngofish's errors:\n%s\nguestfish's errors:\n%s", env, d, ours.stderr, run.stderr)
	}
	return theirs, d == ""
}

var mixed = flag.Bool("mixed", false, "let guestfish run every script of testdata/diff on gofish's appliance")

// streams are the scripts that guestfish runs with gofish's appliance too: those of
// which the most is in streams that only the library takes apart.
var streams = map[string]bool{"hivex": true, "journal": true, "tsk": true, "yara": true}

// difference tells where gofish and guestfish part; nothing if they do not.
func difference(script string, diffs []accepted, ours result, theirs answer) string {
	calls := outcomes(ours.stderr)
	for _, pair := range [][2]string{
		{ours.stdout, theirs.stdout()},
		{outcomeLines(calls, calls), outcomeLines(theirs.calls(), calls)},
	} {
		a, b := normalise(pair[0], script, diffs), normalise(pair[1], script, diffs)
		if a != b || ours.status != theirs.Status {
			return fmt.Sprintf("gofish (status %d) and guestfish (status %d) differ:\n%s", ours.status, theirs.Status, firstDifference(a, b))
		}
	}
	return ""
}

// firstDifference shows where two texts part.
func firstDifference(a, b string) string {
	la, lb := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := 0; i < len(la) || i < len(lb); i++ {
		get := func(l []string) string {
			if i < len(l) {
				return l[i]
			}
			return "(end)"
		}
		if get(la) != get(lb) {
			from := max(0, i-3)
			return fmt.Sprintf("line %d, after\n  %s\nours:   %q\ntheirs: %q", i+1, strings.Join(la[from:min(i, len(la))], "\n  "), get(la), get(lb))
		}
	}
	return "(no difference)"
}
