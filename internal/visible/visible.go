// Package visible makes text that comes from a guest, a daemon or an image fit for a
// person's eyes: nothing in it moves the cursor, changes the terminal or its title,
// turns the direction of writing, or is longer than can be read.
package visible

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Most is how many bytes a message may have, without the end of its line.
const Most = 64<<10 - 1

// Line makes one line of a message.
func Line(s string) string { return bounded(s, false) }

// Lines is Line for a text of the program's own that has several.
func Lines(s string) string { return bounded(s, true) }

func bounded(s string, lines bool) string {
	const more = " …"
	cut := len(s) > Most
	if cut {
		s = s[:Most]
		for i := 0; i < utf8.UTFMax && !utf8.ValidString(s[len(s)-1-i:]); i++ {
			if utf8.RuneStart(s[len(s)-1-i]) {
				s = s[:len(s)-1-i]
				break
			}
		}
	}
	if clean(s, lines) && !cut {
		return s
	}
	b := appendEscaped(nil, s, lines)
	if len(b) > Most {
		cut = true
		b = b[:Most]
		for !utf8.Valid(b[max(0, len(b)-utf8.UTFMax):]) && len(b) > Most-utf8.UTFMax {
			b = b[:len(b)-1]
		}
	}
	if cut {
		b = append(b[:min(len(b), Most-len(more))], more...)
		return strings.ToValidUTF8(string(b), "")
	}
	return string(b)
}

func clean(s string, lines bool) bool {
	for i, r := range s {
		if hidden(r) && !(lines && (r == '\n' || r == '\t')) || r == utf8.RuneError && invalidAt(s, i) {
			return false
		}
	}
	return true
}

func invalidAt(s string, i int) bool {
	_, n := utf8.DecodeRuneInString(s[i:])
	return n == 1
}

// hidden reports whether a rune does anything but show: control characters
// (C0, C1), line and paragraph separators, and what changes the direction of text.
func hidden(r rune) bool {
	switch {
	case unicode.IsControl(r):
		return true
	case r == 0x061c, r >= 0x200e && r <= 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return false
}

// appendEscaped adds s with each hidden rune and each byte that is not UTF-8 written as
// in C. The form for runes is JSON's too.
func appendEscaped(b []byte, s string, lines bool) []byte {
	for i, r := range s {
		switch {
		case r == utf8.RuneError && invalidAt(s, i):
			b = fmt.Appendf(b, `\x%02x`, s[i])
		case lines && (r == '\n' || r == '\t'):
			b = append(b, byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r < ' ':
			b = fmt.Appendf(b, `\x%02x`, r)
		case hidden(r):
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}

// Quote writes a string in double quotes, as the shell reads it back. Bytes above 127 stay
// as they are.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range []byte(s) {
		switch {
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Screen escapes what goes to a terminal piece by piece; line ends and tabs stay.
type Screen struct {
	rest []byte // the beginning of a rune that ends in the next piece
}

// Escape returns what is to be written for a piece. last says that none follows.
func (s *Screen) Escape(p []byte, last bool) []byte {
	p = append(s.rest, p...)
	s.rest = nil
	if !last {
		for i := 1; i < utf8.UTFMax && i <= len(p); i++ {
			if c := p[len(p)-i:]; utf8.RuneStart(c[0]) {
				if !utf8.FullRune(c) {
					s.rest = append(s.rest, c...)
					p = p[:len(p)-i]
				}
				break
			}
		}
	}
	return appendEscaped(nil, string(p), true)
}
