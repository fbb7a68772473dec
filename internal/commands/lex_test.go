package commands

import (
	"reflect"
	"strings"
	"testing"

	"gofish/internal/api"
	"gofish/internal/session"
)

func TestSplitList(t *testing.T) {
	for text, want := range map[string][]string{
		"":              {},
		" \t ":          {},
		"a b\tc":        {"a", "b", "c"},
		"a\nb":          {"a\nb"},
		"'a b' c'd e'f": {"a b", "cd ef"},
		`e\'f ''`:       {"e'f", ""},
		`"a b"`:         {`"a`, `b"`},
		`a\b\\`:         {`a\b\\`},
	} {
		got, err := splitList(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("splitList(%q) = %q, %v; want %q", text, got, err, want)
		}
	}
	if _, err := splitList("a 'b"); err == nil || err.Error() != `Runaway quote in string "a 'b"` {
		t.Errorf("splitList of a runaway quote: %v", err)
	}
}

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		text   string
		want   string
		signed numberError
	}{
		{"0", "0", 0}, {"010", "8", 0}, {"0x1F", "31", 0}, {"-5", "-5", 0}, {" +7", "7", 0},
		{"1K", "1024", 0}, {"1k", "1024", 0}, {"1KB", "1000", 0}, {"1kD", "1000", 0}, {"2MiB", "2097152", 0},
		{"G", "1073741824", 0}, {"8E", "", numOverflow}, {"7E", "8070450532247928832", 0}, {"-8E", "-9223372036854775808", 0},
		{"", "", numInvalid}, {"x", "", numInvalid}, {" K", "", numInvalid}, {"-", "", numInvalid}, {"-K", "", numInvalid},
		{"1g", "", numSuffix}, {"1B", "", numSuffix}, {"1Ki", "", numSuffix}, {"0x", "", numSuffix}, {"08", "", numSuffix}, {"1 ", "", numSuffix},
		{"9999999999999999999", "", numOverflow}, {"9999999999999999999q", "", numOverflow | numSuffix}, {"9Zq", "", numOverflow | numSuffix},
	} {
		v, e := parseNumber(c.text, true)
		if e != c.signed || e == 0 && v.String() != c.want {
			t.Errorf("parseNumber(%q) = %v, %d; want %s, %d", c.text, v, e, c.want, c.signed)
		}
	}
	if _, e := parseNumber("-1", false); e != numInvalid {
		t.Errorf("parseNumber of an unsigned -1: %d", e)
	}
	if v, e := parseNumber("18446744073709551615", false); e != 0 || v.String() != "18446744073709551615" {
		t.Errorf("parseNumber of the largest: %v, %d", v, e)
	}
}

func FuzzLex(f *testing.F) {
	for _, s := range []string{"echo a 'b' \"c\\n\" | d", `x "\x`, `x "\0`, "x ~a 'b", "\t"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		l, err := lex(s, func(w string) string { return w })
		if err == nil && len(l.args) > maxArgs {
			t.Errorf("%d arguments", len(l.args))
		}
	})
}

// Every list of words can be written so that it is read as the same words.
func FuzzSplitList(f *testing.F) {
	f.Add("a 'b c' \\'d", "e")
	f.Add("", "'")
	f.Fuzz(func(t *testing.T, a, b string) {
		splitList(a)
		if strings.ContainsAny(a+b, `\`) {
			return // a backslash before a quote cannot be written
		}
		quote := func(s string) string { return "'" + strings.ReplaceAll(s, "'", `\'`) + "'" }
		got, err := splitList(quote(a) + " " + quote(b))
		if err != nil || len(got) != 2 || got[0] != a || got[1] != b {
			t.Errorf("%q %q read as %q, %v", a, b, got, err)
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, s := range []string{"1K", "0x", "08", "-9E", " +0x7fKiBx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, signed := range []bool{true, false} {
			if v, e := parseNumber(s, signed); e == 0 && v == nil {
				t.Errorf("parseNumber(%q, %v): neither number nor error", s, signed)
			}
		}
		v, err := integer("c", "p", api.Int("p"), s)
		if n, ok := v.(int); err == nil && (!ok || int(int32(n)) != n) {
			t.Errorf("integer(%q) = %v", s, v)
		}
		decodeEscapes(s)
		windowsLike(s)
	})
}

// windowsLike runs what reads a path without asking the handle.
func windowsLike(s string) {
	session.ParseDrive(s)
	session.ParseMount(s)
}
