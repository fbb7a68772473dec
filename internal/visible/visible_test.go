package visible

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "",
		"Grüße, 世界, ‘x’":                      "Grüße, 世界, ‘x’",
		"a\nb\r\tc":                           `a\nb\r\tc`,
		"\x1b]0;OWNED\x07\x1b[2J\x00\x7f":     `\x1b]0;OWNED\x07\x1b[2J\x00\u007f`,
		"csi \u009b2J":                        `csi \u009b2J`,
		"abc\u202etxt.exe\u2066\u200f":        `abc\u202etxt.exe\u2066\u200f`,
		"lines\u2028and\u2029more":            `lines\u2028and\u2029more`,
		"bad\xff\xfe\xc3":                     `bad\xff\xfe\xc3`,
		"overlong \xc0\x9b surr \xed\xa0\x80": `overlong \xc0\x9b surr \xed\xa0\x80`,
		"\ufffd":                              "\ufffd",
	} {
		if got := Line(text); got != want {
			t.Errorf("Line(%q) = %q, want %q", text, got, want)
		}
	}
	if got := Lines("a\n\tb\x1b\r"); got != "a\n\tb\\x1b\\r" {
		t.Errorf("Lines: %q", got)
	}
}

func TestLineIsBounded(t *testing.T) {
	for _, piece := range []string{"x", "é", "\x1b", "世", "\xff", "\u202e", "x\n"} {
		for _, n := range []int{Most / len(piece), Most/len(piece) + 1, 4 << 20} {
			got := Line(strings.Repeat(piece, n))
			if len(got) > Most || !utf8.ValidString(got) {
				t.Errorf("%d times %q: %d bytes, valid %v", n, piece, len(got), utf8.ValidString(got))
			}
			if len(piece)*n > Most && !strings.HasSuffix(got, "…") {
				t.Errorf("%d times %q: nothing says that it was cut", n, piece)
			}
		}
	}
}

func TestScreen(t *testing.T) {
	text := "tab\there\nGrüße 世界 \x1b[31m \u202e end\xe4\xb8"
	want := "tab\there\nGrüße 世界 \\x1b[31m \\u202e end\\xe4\\xb8"
	for size := 1; size <= len(text); size++ {
		var s Screen
		var got []byte
		for at := 0; at < len(text); at += size {
			end := min(at+size, len(text))
			got = append(got, s.Escape([]byte(text[at:end]), end == len(text))...)
		}
		if string(got) != want {
			t.Errorf("in pieces of %d: %q", size, got)
		}
	}
}

func TestQuote(t *testing.T) {
	for in, want := range map[string]string{"a b": `"a b"`, "x\"y\\\n\t": `"x\"y\\\n\t"`, "\x01": `"\x01"`} {
		if got := Quote(in); got != want {
			t.Errorf("Quote(%q) = %s, want %s", in, got, want)
		}
	}
}
