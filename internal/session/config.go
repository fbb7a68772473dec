package session

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// configFiles lists the configuration files that libguestfs's tools share; a
// later one wins.
func configFiles() []string {
	const name = "libguestfs-tools.conf"
	files := []string{"/etc/" + name}
	shared, ok := os.LookupEnv("XDG_CONFIG_DIRS")
	if !ok {
		shared = "/etc/xdg"
	}
	dirs := strings.Split(shared, ":")
	for i := len(dirs) - 1; i >= 0; i-- {
		if dirs[i] != "" {
			files = append(files, filepath.Join(dirs[i], "libguestfs", name))
		}
	}
	if home, ok := os.LookupEnv("HOME"); ok {
		files = append(files, filepath.Join(home, ".libguestfs-tools.rc"))
		dir := os.Getenv("XDG_CONFIG_HOME")
		if dir == "" {
			dir = filepath.Join(home, ".config")
		}
		files = append(files, filepath.Join(dir, "libguestfs", name))
	}
	return files
}

// ReadConfig reads the one setting that the files have: whether disks are
// opened read-only. It matters: whoever set it relies on it.
func (s *Session) ReadConfig() error {
	for _, file := range configFiles() {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		c := configParser{text: string(text), line: 1, s: s}
		if !c.settings(0) {
			return fmt.Errorf("%s: line %d: error parsing configuration file: syntax error", file, c.line)
		}
	}
	return nil
}

// configParser reads the part of libconfig's syntax whose values are scalars, lists
// or groups; only the top level's booleans are looked at.
type configParser struct {
	text string
	line int
	s    *Session
}

// token takes the next token: a punctuation mark, a string with its opening
// quote, or a word; "" at the end.
func (c *configParser) token() string {
	for {
		n := strings.IndexFunc(c.text, func(r rune) bool { return !strings.ContainsRune(" \t\r\n\f", r) })
		if n < 0 {
			n = len(c.text)
		}
		c.line += strings.Count(c.text[:n], "\n")
		c.text = c.text[n:]
		end := "\n"
		switch {
		case strings.HasPrefix(c.text, "#"), strings.HasPrefix(c.text, "//"):
		case strings.HasPrefix(c.text, "/*"):
			end = "*/"
		default:
			return c.take()
		}
		comment, rest, _ := strings.Cut(c.text, end)
		c.line += strings.Count(comment+end, "\n")
		c.text = rest
	}
}

func (c *configParser) take() string {
	n := strings.IndexAny(c.text, " \t\r\n\f=:;,{}[]()\"#")
	switch {
	case c.text == "":
		return ""
	case n < 0:
		n = len(c.text)
	case n == 0 && c.text[0] == '"':
		for n = 1; n < len(c.text) && c.text[n] != '"'; n++ {
			if c.text[n] == '\\' {
				n++
			}
		}
		n = min(n+1, len(c.text))
	case n == 0:
		n = 1
	}
	t := c.text[:n]
	c.text = c.text[n:]
	return t
}

// peek is the next token, left in place.
func (c *configParser) peek() string {
	saved := *c
	t := c.token()
	*c = saved
	return t
}

// settings reads name = value pairs up to the end or a closing brace.
func (c *configParser) settings(depth int) bool {
	for {
		switch c.peek() {
		case "":
			return depth == 0
		case "}":
			return depth > 0
		}
		name := c.token()
		if !isName(name) {
			return false
		}
		if op := c.token(); op != "=" && op != ":" {
			return false
		}
		value := c.peek()
		if !c.value(depth) {
			return false
		}
		if depth == 0 && name == "read_only" {
			switch strings.ToLower(value) {
			case "true":
				c.s.ReadOnly = true
			case "false":
				c.s.ReadOnly = false
			}
		}
		if t := c.peek(); t == ";" || t == "," {
			c.token()
		}
	}
}

func isName(s string) bool {
	return s != "" && (s[0]|0x20 >= 'a' && s[0]|0x20 <= 'z' || s[0] == '*')
}

const maxConfigDepth = 100

// value reads a scalar, a list or a group.
func (c *configParser) value(depth int) bool {
	if depth > maxConfigDepth {
		return false
	}
	switch t := c.token(); t {
	case "", "=", ":", ";", ",", "}", "]", ")":
		return false
	case "{":
		return c.settings(depth+1) && c.token() == "}"
	case "[", "(":
		end := map[string]string{"[": "]", "(": ")"}[t]
		for c.peek() != end {
			if !c.value(depth + 1) {
				return false
			}
			if c.peek() == "," {
				c.token()
			} else if c.peek() != end {
				return false
			}
		}
		c.token()
		return true
	default:
		return isScalar(t)
	}
}

// isScalar is true of a string, a number or a truth value.
func isScalar(t string) bool {
	if t[0] == '"' {
		return len(t) > 1 && strings.HasSuffix(t, `"`)
	}
	switch strings.ToLower(t) {
	case "true", "false":
		return true
	}
	var f float64
	_, err := fmt.Sscan(strings.TrimSuffix(t, "L"), &f)
	return err == nil
}
