package getopt

import (
	"bytes"
	"strings"
	"testing"
)

// parse parses a command line and returns what was set, and the words.
func parse(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var got []string
	row := func(long string, short byte, arg Mode) Option {
		return Option{Long: long, Short: short, Arg: arg, Value: "v", Help: "does " + long, Set: func(arg *string) error {
			text := long
			if arg != nil {
				text += "=" + *arg
			}
			got = append(got, text)
			return nil
		}}
	}
	var out bytes.Buffer
	table := Table(&out, "prog 1", func(table []Option) { PrintHelp(&out, table) }, []Option{
		row("add", 'a', NeedArg), row("ro", 'r', NoArg), row("rw", 'w', NoArg), row("format", 0, MayArg), row("cmd", 'h', MayNext),
		row("list", 0, NoArg), row("live", 0, NoArg),
	})
	words, err := Parse(table, args)
	return strings.ReplaceAll(strings.Join(append(got, words...), ";")+out.String(), " ", ""), err
}

func TestParse(t *testing.T) {
	for args, want := range map[string]string{
		"-rw x -ay":           "ro;rw;add=y;x",
		"-ra y -- -r":         "ro;add=y;-r",
		"--ad=1 --add 2 --a=": "add=1;add=2;add=",
		"--format x":          "format;x",
		"--format=raw":        "format=raw",
		"-h x -h -r --cmd y":  "cmd=x;cmd;ro;cmd=y",
		"-hx":                 "cmd=x",
		"--li":                "list",
		"- a":                 "-;a",
		"":                    "",
	} {
		if got, err := parse(t, strings.Fields(args)...); got != want || err != nil {
			t.Errorf("%s: %q, %v", args, got, err)
		}
	}
	for args, want := range map[string]string{
		"-r -V":           "roprog1\n",
		"--short-options": "-a\n-h\n-r\n-V\n-w\n",
		"--long-options":  "--add\n--cmd\n--format\n--help\n--list\n--live\n--ro\n--rw\n--version\n",
	} {
		if got, err := parse(t, strings.Fields(args)...); got != want || err != ErrDone {
			t.Errorf("%s: %q, %v", args, got, err)
		}
	}
	for args, want := range map[string]string{
		"--r":     "option '--r' is ambiguous; possibilities: '--ro' '--rw'",
		"--ro=x":  "option '--ro' doesn't allow an argument",
		"--no":    "unrecognized option '--no'",
		"-x":      "invalid option -- 'x'",
		"--add":   "option '--add' requires an argument",
		"-r -a":   "option requires an argument -- 'a'",
		"--x --y": "unrecognized option '--x'",
	} {
		if _, err := parse(t, strings.Fields(args)...); err == nil || err.Error() != want {
			t.Errorf("%s: %v", args, err)
		}
	}
	t.Setenv("POSIXLY_CORRECT", "1")
	if got, err := parse(t, "-r", "x", "-w"); got != "ro;x;-w" || err != nil {
		t.Errorf("%q %v", got, err)
	}
}

func TestTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two options of one name are taken")
		}
	}()
	Table(nil, "", nil, []Option{{Long: "x"}, {Long: "x"}})
}
