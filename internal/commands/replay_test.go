package commands

import (
	"strings"
	"testing"
)

// FuzzQuoteWord: what is written down is read back as it was.
func FuzzQuoteWord(f *testing.F) {
	for _, s := range []string{"", "a b", "~", "|", `"\`, "x\ny", "\x01\xff", "é", "a'b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if strings.IndexByte(s, 0) >= 0 {
			return // no argument holds one
		}
		l, err := lex("cmd "+quoteWord(s), expandTilde)
		if err != nil || len(l.args) != 1 || l.args[0] != s {
			t.Errorf("%q is written as %s and read as %q, %v", s, quoteWord(s), l.args, err)
		}
		list, err := splitList(wordOf([]string{s, "b"}))
		if strings.ContainsAny(s, "\\\n\r\v\f") {
			return // a list has no way to write some of them
		}
		if err != nil || len(list) != 2 || list[0] != s {
			t.Errorf("list of %q is written as %s and read as %q, %v", s, wordOf([]string{s, "b"}), list, err)
		}
	})
}
