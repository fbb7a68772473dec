package daemon

import (
	"io/fs"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
)

func (d Actions) GlobExpand(pattern Path, opts types.GlobExpandOptions) ([]string, error) {
	mark := opts.DirectorySlash == nil || *opts.DirectorySlash
	paths := []string{}
	err := d.root.Enter(func() error {
		size := 0
		for _, p := range expandBraces(string(pattern)) {
			found := []string{}
			for _, f := range d.globPath(p) {
				if mark && !strings.HasSuffix(f.path, "/") && f.isDir() {
					f.path += "/"
				}
				if err := d.addSize(&size, 8+len(f.path)); err != nil {
					return err
				}
				found = append(found, f.path)
			}
			sort.Strings(found) // glob(3) too sorts with the slashes in place
			paths = append(paths, found...)
		}
		return nil
	})
	return paths, err
}

// maxBraces bounds how many patterns {a,b}{c,d}… may expand to.
const maxBraces = 10000

// expandBraces turns a{b,c}d into abd and acd, as glob(3) does with GLOB_BRACE.
// Braces that are not closed, and {}, are taken literally.
func expandBraces(p string) []string {
	open, parts, end := braces(p)
	if end < 0 {
		return []string{p}
	}
	var out []string
	for _, part := range parts {
		for _, x := range expandBraces(p[:open] + part + p[end+1:]) {
			if len(out) < maxBraces {
				out = append(out, x)
			}
		}
	}
	return out
}

// braces finds the first group of braces, its alternatives and its end, -1 if
// there is none.
func braces(p string) (open int, parts []string, end int) {
	for open = 0; open < len(p); open++ {
		switch {
		case p[open] == '\\':
			open++
		case p[open] == '{' && !strings.HasPrefix(p[open:], "{}"):
			depth, start := 0, open+1
			for i := open; i < len(p); i++ {
				switch p[i] {
				case '\\':
					i++
				case '{':
					depth++
				case ',':
					if depth == 1 {
						parts = append(parts, p[start:i])
						start = i + 1
					}
				case '}':
					if depth--; depth == 0 {
						return open, append(parts, p[start:i]), i
					}
				}
			}
			return 0, nil, -1
		}
	}
	return 0, nil, -1
}

// globbed is a path that was found, with the type that its folder records: a stat of
// each of many files would take longer than all the rest.
type globbed struct {
	path string
	typ  fs.FileMode
}

// unknownType: the folder was not asked, or does not know.
const unknownType = fs.ModeIrregular

func (g globbed) isDir() bool {
	if g.typ == unknownType || g.typ == fs.ModeSymlink {
		return enteredDir(g.path)
	}
	return g.typ == fs.ModeDir
}

// globPath expands an absolute pattern without braces.
func (d *Daemon) globPath(p string) []globbed {
	i := strings.LastIndexByte(p, '/')
	dir, base := p[:i], p[i+1:]
	dirs := []globbed{{unescape(dir), unknownType}}
	if hasMeta(dir) {
		dirs = d.globPath(dir)
	}
	var out []globbed
	for _, in := range dirs {
		if d.call.Err() != nil {
			return nil // and the call fails
		}
		dir := in.path
		switch {
		case base == "":
			if enteredDir(dir + "/") {
				out = append(out, globbed{dir + "/", fs.ModeDir})
			}
		case !hasMeta(base):
			var st unix.Stat_t
			if name := dir + "/" + unescape(base); unix.Lstat(name, &st) == nil {
				out = append(out, globbed{name, unknownType})
			}
		default:
			if hasMeta(p[:i]) && !in.isDir() {
				continue
			}
			match := func(name string, typ fs.FileMode) bool {
				if fnmatch(base, name) {
					out = append(out, globbed{dir + "/" + name, typ})
				}
				return false
			}
			if scanTypes(dir+"/", match) == nil {
				match(".", fs.ModeDir) // package os leaves them out, glob(3) does not
				match("..", fs.ModeDir)
			}
		}
	}
	return out
}

func hasMeta(p string) bool { return strings.ContainsAny(p, "*?[") }

func unescape(p string) string {
	if !strings.Contains(p, `\`) {
		return p
	}
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if p[i] == '\\' && i+1 < len(p) {
			i++
		}
		b.WriteByte(p[i])
	}
	return b.String()
}

// fnmatch matches a name with a pattern as fnmatch(3) does with FNM_PERIOD: a
// leading dot is matched only by a dot.
func fnmatch(p, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(p, ".") && !strings.HasPrefix(p, `\.`) {
		return false
	}
	// The usual backtracking to the last star: time is bounded by len(p)·len(name).
	pi, ni, star, mark := 0, 0, -1, 0
	for ni < len(name) {
		if pi < len(p) && p[pi] == '*' {
			star, mark = pi, ni
			pi++
			continue
		}
		if n := matchOne(p[pi:], name[ni]); n > 0 {
			pi += n
			ni++
			continue
		}
		if star < 0 {
			return false
		}
		mark++
		pi, ni = star+1, mark
	}
	return strings.Trim(p[pi:], "*") == ""
}

// matchOne matches one byte with the front of a pattern and returns how much
// of the pattern that took, 0 if it does not match.
func matchOne(p string, c byte) int {
	if p == "" {
		return 0
	}
	switch p[0] {
	case '?':
		return 1
	case '\\':
		if len(p) > 1 && p[1] == c {
			return 2
		}
		return 0
	case '[':
		if n, ok := matchSet(p, c); n > 0 {
			if ok {
				return n
			}
			return 0
		}
	}
	if p[0] == c {
		return 1
	}
	return 0
}

// matchSet matches a set like [a-z_], [!a] or [[:digit:]]. n is its length, 0
// if the bracket is not closed and is taken literally.
func matchSet(p string, c byte) (n int, ok bool) {
	i := 1
	negate := i < len(p) && (p[i] == '!' || p[i] == '^')
	if negate {
		i++
	}
	for first := true; i < len(p); first = false {
		if p[i] == ']' && !first {
			return i + 1, ok != negate
		}
		if strings.HasPrefix(p[i:], "[:") {
			if end := strings.Index(p[i:], ":]"); end > 0 {
				if f := charClass[p[i+2:i+end]]; f != nil && f(c) {
					ok = true
				}
				i += end + 2
				continue
			}
		}
		lo := p[i]
		if lo == '\\' && i+1 < len(p) {
			i++
			lo = p[i]
		}
		hi := lo
		i++
		if i+1 < len(p) && p[i] == '-' && p[i+1] != ']' {
			hi = p[i+1]
			i += 2
			if hi == '\\' && i < len(p) {
				hi = p[i]
				i++
			}
		}
		if lo <= c && c <= hi {
			ok = true
		}
	}
	return 0, false
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isGraph(c byte) bool { return 0x20 < c && c < 0x7f }
func isPrint(c byte) bool { return 0x20 <= c && c < 0x7f }
func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
func isAlnum(c byte) bool { return isLower(c) || isUpper(c) || isDigit(c) }

// charClass has the character classes of the C locale.
var charClass = map[string]func(byte) bool{
	"alnum":  isAlnum,
	"alpha":  func(c byte) bool { return isLower(c) || isUpper(c) },
	"blank":  func(c byte) bool { return c == ' ' || c == '\t' },
	"cntrl":  func(c byte) bool { return c < 0x20 || c == 0x7f },
	"digit":  isDigit,
	"graph":  isGraph,
	"lower":  isLower,
	"print":  isPrint,
	"punct":  func(c byte) bool { return isGraph(c) && !isAlnum(c) },
	"space":  isSpace,
	"upper":  isUpper,
	"xdigit": func(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' },
}
