package appliance

import (
	"debug/elf"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// loader finds shared libraries as ld.so(8) does, with the tree as root: the
// folder of an appliance in the making, or the host.
type loader struct {
	tree tree
	dirs []string // of ld.so.conf, then the built-in ones
}

// builtinDirs are searched after those of ld.so.conf: glibc's on Debian and
// elsewhere, then musl's.
var builtinDirs = []string{
	"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib",
}

func newLoader(t tree) *loader {
	l := &loader{tree: t}
	l.conf("/etc/ld.so.conf", 0)
	for _, d := range builtinDirs {
		if !slices.Contains(l.dirs, d) {
			l.dirs = append(l.dirs, d)
		}
	}
	return l
}

// conf reads ld.so.conf(5): folders, and include lines with patterns.
func (l *loader) conf(name string, depth int) {
	real, err := l.tree.resolve(name)
	if err != nil || depth > 5 {
		return
	}
	b, err := os.ReadFile(real)
	if err != nil {
		return
	}
	for _, line := range strings.Split(string(b), "\n") {
		line, _, _ = strings.Cut(line, "#")
		line = strings.TrimSpace(line)
		if pattern, ok := strings.CutPrefix(line, "include "); ok {
			pattern = strings.TrimSpace(pattern)
			if !path.IsAbs(pattern) {
				pattern = path.Join(path.Dir(name), pattern)
			}
			files, _ := filepath.Glob(l.tree.path(pattern))
			for _, f := range files {
				rel, err := filepath.Rel(l.tree.dir, f)
				if err == nil {
					l.conf("/"+rel, depth+1)
				}
			}
		} else if path.IsAbs(line) && !slices.Contains(l.dirs, line) {
			l.dirs = append(l.dirs, line)
		}
	}
}

// program is what an ELF file requires of its loader. Paths are seen from the tree's root.
type program struct {
	interp string   // empty for libraries and static programs
	libs   []string // where its direct needs lie
	lacks  []string // direct needs that are nowhere
	rpath  []string // inherited by what it needs (DT_RPATH)
}

// errNotELF: the file is not an x86-64 ELF program or library.
var errNotELF = fmt.Errorf("not an x86-64 ELF file")

// read looks at the ELF file name, which lies at real. What loads it may have
// handed down search folders.
func (l *loader) read(name, real string, inherited []string) (*program, error) {
	f, err := os.Open(real)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	magic := make([]byte, 4)
	if _, err := f.ReadAt(magic, 0); err != nil || string(magic) != elf.ELFMAG {
		return nil, errNotELF
	}
	e, err := elf.NewFile(f)
	if err != nil || e.Machine != elf.EM_X86_64 || e.Type != elf.ET_EXEC && e.Type != elf.ET_DYN {
		return nil, errNotELF
	}
	p := &program{}
	for _, ph := range e.Progs {
		if ph.Type == elf.PT_INTERP && ph.Filesz < 4096 {
			b := make([]byte, ph.Filesz)
			if _, err := ph.ReadAt(b, 0); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			p.interp = strings.TrimRight(string(b), "\x00")
		}
	}
	needed, err := e.DynString(elf.DT_NEEDED)
	if err != nil {
		return p, nil // static
	}
	origin := path.Dir(name)
	paths := func(tag elf.DynTag) (dirs []string) {
		all, _ := e.DynString(tag)
		for _, one := range all {
			for _, d := range strings.Split(one, ":") {
				d = strings.NewReplacer("$ORIGIN", origin, "${ORIGIN}", origin, "$LIB", "lib", "${LIB}", "lib").Replace(d)
				if path.IsAbs(d) {
					dirs = append(dirs, path.Clean(d))
				}
			}
		}
		return dirs
	}
	// ld.so(8): DT_RPATH counts only where there is no DT_RUNPATH, which in turn is
	// not handed down.
	search := paths(elf.DT_RUNPATH)
	if len(search) == 0 {
		p.rpath = append(paths(elf.DT_RPATH), inherited...)
		search = p.rpath
	}
	search = append(slices.Clone(search), l.dirs...)
	for _, n := range needed {
		if lib := l.find(n, search); lib != "" {
			p.libs = append(p.libs, lib)
		} else {
			p.lacks = append(p.lacks, n)
		}
	}
	return p, nil
}

// find returns the path of a library in the first folder that has it for this
// architecture, empty if none has.
func (l *loader) find(lib string, dirs []string) string {
	if strings.Contains(lib, "/") {
		dirs, lib = []string{path.Dir(lib)}, path.Base(lib)
	}
	for _, d := range dirs {
		name := path.Join(d, lib)
		real, err := l.tree.resolve(name)
		if err != nil {
			continue
		}
		f, err := elf.Open(real)
		if err != nil {
			continue
		}
		ours := f.Machine == elf.EM_X86_64 && f.Class == elf.ELFCLASS64
		f.Close()
		if ours {
			return name
		}
	}
	return ""
}

// lacking returns the libraries and interpreters that a file, or what it needs,
// asks for in vain. seen holds the verdict on every file that was looked at.
func (l *loader) lacking(name string, seen map[string][]string) []string {
	real, err := l.tree.resolve(name)
	if err != nil {
		return []string{name}
	}
	if v, ok := seen[real]; ok {
		return v
	}
	seen[real] = nil
	p, err := l.read(l.inTree(real), real, nil)
	if err != nil {
		return nil
	}
	lacks := slices.Clone(p.lacks)
	if p.interp != "" {
		if _, err := l.tree.resolve(p.interp); err != nil {
			lacks = append(lacks, p.interp)
		}
	}
	for _, lib := range p.libs {
		lacks = append(lacks, l.lacking(lib, seen)...)
	}
	slices.Sort(lacks)
	seen[real] = slices.Compact(lacks)
	return seen[real]
}

// inTree is the path of a file as seen from the tree's root.
func (l *loader) inTree(real string) string {
	rel, err := filepath.Rel(l.tree.dir, real)
	if err != nil {
		return real
	}
	return "/" + rel
}

// scriptInterpreter returns the program named in the first line of a script, and
// the one that env(1) is to look for; both are empty for everything else.
func scriptInterpreter(file string) (interp, viaEnv string) {
	f, err := os.Open(file)
	if err != nil {
		return "", ""
	}
	defer f.Close()
	head := make([]byte, 256)
	n, _ := f.Read(head)
	line, _, _ := strings.Cut(string(head[:n]), "\n")
	words := strings.Fields(strings.TrimPrefix(line, "#!"))
	if !strings.HasPrefix(line, "#!") || len(words) == 0 {
		return "", ""
	}
	if path.Base(words[0]) == "env" {
		for _, w := range words[1:] {
			if !strings.HasPrefix(w, "-") && !strings.Contains(w, "=") {
				viaEnv = w
				break
			}
		}
	}
	return words[0], viaEnv
}
