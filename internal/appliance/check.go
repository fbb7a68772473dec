package appliance

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"gofish/internal/api"
)

// programDirs are the daemon's PATH.
var programDirs = []string{"usr/sbin", "usr/bin"}

// program returns where a program of the tree lies, empty if there is none.
func (t tree) program(name string) string {
	for _, d := range programDirs {
		if real, err := t.resolve(path.Join(d, name)); err == nil {
			return real
		}
	}
	return ""
}

// dropBroken removes programs that could not start (a library or the interpreter is
// missing) and links that lead nowhere, so that a program that is there also works.
func (t tree) dropBroken() error {
	l := newLoader(t)
	seen := map[string][]string{}
	for _, dir := range programDirs {
		entries, err := os.ReadDir(t.path(dir))
		if err != nil {
			return err
		}
		for _, e := range entries {
			name := path.Join("/"+dir, e.Name())
			if !e.Type().IsRegular() {
				continue
			}
			broken := len(l.lacking(name, seen)) > 0
			if interp, viaEnv := scriptInterpreter(t.path(name)); interp != "" {
				_, err := t.resolve(interp)
				broken = err != nil || viaEnv != "" && t.program(viaEnv) == ""
			}
			if broken {
				if err := os.Remove(t.path(name)); err != nil {
					return err
				}
			}
		}
	}
	// A link may lead to a link that goes.
	for {
		dangling, err := t.danglingLinks()
		if err != nil || len(dangling) == 0 {
			return err
		}
		for _, name := range dangling {
			if err := os.Remove(t.path(name)); err != nil {
				return err
			}
		}
	}
}

// danglingLinks lists the links that lead nowhere, save those into file systems
// that are mounted in the guest.
func (t tree) danglingLinks() ([]string, error) {
	var l []string
	err := filepath.WalkDir(t.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Type()&fs.ModeSymlink == 0 {
			return err
		}
		to, err := os.Readlink(p)
		if err != nil {
			return err
		}
		for _, mounted := range []string{"/run/", "/proc/", "/dev/", "/sys/", "/tmp/"} {
			if strings.HasPrefix(to+"/", mounted) {
				return nil
			}
		}
		rel, err := filepath.Rel(t.dir, p)
		if err != nil {
			return err
		}
		if _, err := t.resolve(rel); err != nil {
			l = append(l, rel)
		}
		return nil
	})
	return l, err
}

// check compares the finished tree with what was wanted. lacks has a text for each
// row of wants that is not met, disabled the groups that are off.
func (t tree) check(dirs []string) (lacks, disabled []string) {
	texts := map[string][]string{} // first name of a row → what is missing; empty: all
	whole := map[string]bool{}
	var order []string
	for _, w := range wants[1:] { // the kernel is known to be there
		var gone []string
		tools := strings.Fields(w.tools)
		for _, tool := range tools {
			if !t.hasTool(tool) {
				gone = append(gone, tool)
			}
		}
		none := len(gone) == len(tools)
		if len(tools) == 0 {
			none = len(t.matches(w.data, dirs)) == 0
		}
		label, _, _ := strings.Cut(w.names, "|")
		if _, ok := whole[label]; !ok {
			whole[label] = true
		}
		whole[label] = whole[label] && none
		if len(gone) == 0 && !none {
			continue
		}
		if _, ok := texts[label]; !ok {
			order = append(order, label)
		}
		texts[label] = append(texts[label], gone...)
	}
	for _, label := range order {
		switch {
		case whole[label] || len(texts[label]) == 0:
			lacks = append(lacks, label)
		default:
			lacks = append(lacks, fmt.Sprintf("%s (%s)", label, strings.Join(texts[label], ", ")))
		}
	}
	for name, g := range api.Groups {
		lack := func(tool string) bool { return !t.hasTool(tool) }
		gone := func(file string) bool { return len(t.matches(file, dirs)) == 0 }
		if slices.ContainsFunc(g.Tools, lack) || slices.ContainsFunc(g.Files, gone) {
			disabled = append(disabled, name)
		}
	}
	slices.Sort(disabled)
	return lacks, disabled
}

// hasTool reports whether a program is there, or one of several separated by |.
func (t tree) hasTool(alternatives string) bool {
	return slices.ContainsFunc(strings.Split(alternatives, "|"), func(n string) bool { return t.program(n) != "" })
}

// matches returns the files of the tree that the patterns of a want match. dirs
// are the folders of libraries.
func (t tree) matches(patterns string, dirs []string) []string {
	var l []string
	for _, p := range strings.Fields(patterns) {
		places := []string{p}
		if !path.IsAbs(p) {
			places = nil
			for _, d := range dirs {
				places = append(places, path.Join(d, p))
			}
		}
		for _, place := range places {
			files, _ := filepath.Glob(t.path(place))
			l = append(l, files...)
		}
	}
	return l
}
