package commands

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"
)

// line is a command line taken apart.
type line struct {
	name string
	args []string
	pipe *string // the command that gets the output, nil if there is no |
}

// maxArgs is the number of arguments a line may have. Words may be more.
const maxArgs = 63

// isBlank is true of what separates arguments.
func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// skipSpace removes white space from the front of a line.
func skipSpace(s string) string { return strings.TrimLeft(s, " \t\r\n\v\f") }

// lex takes apart a line that begins with a command name. tilde replaces a bare
// word that begins with ~.
func lex(s string, tilde func(string) string) (line, error) {
	if strings.IndexByte(s, 0) >= 0 {
		return line{}, fmt.Errorf("a command line cannot hold a NUL byte")
	}
	n := strings.IndexAny(s, " \t")
	if n < 0 {
		return line{name: s}, nil
	}
	l := line{name: s[:n]}
	for s = strings.TrimLeft(s[n:], " \t"); s != ""; s = strings.TrimLeft(s, " \t") {
		if s[0] == '|' {
			cmd := s[1:]
			l.pipe = &cmd
			break
		}
		if len(l.args) == maxArgs {
			return line{}, fmt.Errorf("too many arguments")
		}
		var arg string
		var err error
		switch s[0] {
		case '"':
			arg, s, err = lexDouble(s[1:])
		case '\'':
			n := strings.IndexByte(s[1:], '\'')
			if n < 0 {
				return line{}, fmt.Errorf("unterminated single quote")
			}
			arg, s = s[1:1+n], s[n+2:]
		default:
			n := strings.IndexAny(s, " \t")
			if n < 0 {
				n = len(s)
			}
			arg, s = s[:n], s[n:]
			if arg[0] == '~' {
				arg = tilde(arg)
			}
		}
		if err != nil {
			return line{}, err
		}
		if s != "" && !isBlank(s[0]) {
			return line{}, fmt.Errorf("command arguments not separated by whitespace")
		}
		l.args = append(l.args, arg)
	}
	return l, nil
}

var escapes = map[byte]byte{
	'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v',
	'\\': '\\', '"': '"', '\'': '\'', '?': '?',
}

// lexDouble reads a double-quoted argument after its opening quote and returns
// its text and what follows the closing quote.
func lexDouble(s string) (text, rest string, err error) {
	var b []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"':
			return string(b), s[i+1:], nil
		case '\\':
			v, n := unescape(s[i+1:])
			if n == 0 {
				return "", "", fmt.Errorf("invalid escape sequence in string (starting at offset %d)", len(b))
			}
			b = append(b, v)
			i += n
		default:
			b = append(b, c)
		}
	}
	return "", "", fmt.Errorf("unterminated double quote")
}

// unescape reads the text after a backslash and returns the byte it encodes and its
// length, 0 if it is not an escape.
func unescape(s string) (byte, int) {
	if s == "" {
		return 0, 0
	}
	if c, ok := escapes[s[0]]; ok {
		return c, 1
	}
	// ParseUint takes signs and underscores, which the base keeps out here.
	digits, base := "", 0
	switch {
	case s[0] == 'x' && len(s) >= 3:
		digits, base = s[1:3], 16
	case len(s) >= 3:
		digits, base = s[:3], 8
	}
	v, err := strconv.ParseUint(digits, max(base, 2), 8)
	if err != nil || v == 0 {
		return 0, 0
	}
	return byte(v), 3
}

// expandTilde replaces ~, ~/x, ~user and ~user/x by a home directory of the host,
// if there is one.
func expandTilde(word string) string {
	name, rest, slash := strings.Cut(word[1:], "/")
	if slash {
		rest = "/" + rest
	}
	if name == "" {
		if home, ok := os.LookupEnv("HOME"); ok {
			return home + rest
		}
		if u, err := user.LookupId(strconv.Itoa(os.Geteuid())); err == nil {
			return u.HomeDir + rest
		}
		return word
	}
	if u, err := user.Lookup(name); err == nil {
		return u.HomeDir + rest
	}
	return word
}

// splitList splits a list argument at blanks and tabs. Quotes '…' hold a word or
// part of one together, and \' is a quote itself.
func splitList(s string) ([]string, error) {
	list := []string{}
	for i := 0; ; {
		for i < len(s) && isBlank(s[i]) {
			i++
		}
		if i == len(s) {
			return list, nil
		}
		var b []byte
		quoted := false
		for ; i < len(s) && (quoted || !isBlank(s[i])); i++ {
			switch {
			case s[i] == '\'':
				quoted = !quoted
			case s[i] == '\\' && i+1 < len(s) && s[i+1] == '\'':
				i++
				b = append(b, '\'')
			default:
				b = append(b, s[i])
			}
		}
		if quoted {
			//lint:ignore ST1005 guestfish says it so
			return nil, fmt.Errorf("Runaway quote in string \"%s\"", s)
		}
		list = append(list, string(b))
	}
}
