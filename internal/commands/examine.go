package commands

import (
	"fmt"
	"os"
	"sort"
	"strings"

	"gofish/internal/api"
	"gofish/internal/inspect"
	"gofish/internal/session"
	"gofish/internal/visible"
)

// takeImages turns words that name image files into disks to look at: "gofish disk.img" is
// not a command but a request to see what is in it. Commands may follow after a colon.
func (s *Shell) takeImages() error {
	o := &s.opts
	if len(o.Disks) > 0 || o.Inspect || o.remote != 0 {
		return nil
	}
	n := 0
	for n < len(o.words) && lookup(o.words[n]) == nil && isImage(o.words[n]) {
		n++
	}
	if n == 0 || n < len(o.words) && o.words[n] != ":" {
		return nil
	}
	o.ReadOnly = !o.ReadWrite
	for _, name := range o.words[:n] {
		if err := o.AddImage(name); err != nil {
			return asShellError(s, err)
		}
	}
	o.words = o.words[min(n+1, len(o.words)):]
	o.Examine = len(o.Mounts) == 0
	return nil
}

func isImage(name string) bool {
	fi, err := os.Stat(name)
	return err == nil && (fi.Mode().IsRegular() || fi.Mode()&(os.ModeDevice|os.ModeCharDevice) == os.ModeDevice)
}

// listInstead shows the file systems of disks without a single system to mount.
func (s *Shell) listInstead(e *session.SystemError) {
	what := "no operating system was found"
	if e.Several {
		what = "there are several operating systems"
	}
	text := what + ": mount what you want to see with ‘mount-ro’."
	for _, p := range e.There {
		text += fmt.Sprintf("\n\t%s (%s)", visible.Line(p.Key), visible.Line(p.Value))
	}
	s.sayPlain(s.errorf("%s", text))
}

// systemName is the usual name of the system that was found, "" if it is not known. The
// handle's answer may be a bare version number, as guestfish's is.
func (s *Shell) systemName() string {
	if !s.prog.isGuestfish() {
		const most = 100 // lines
		for _, file := range []string{"/etc/os-release", "/usr/lib/os-release"} {
			lines, _ := s.g().HeadN(s.ctx, most, file)
			if name := inspect.ShellValues(lines)["PRETTY_NAME"]; name != "" {
				return name
			}
		}
	}
	name, err := s.g().InspectGetProductName(s.ctx, s.opts.Found.Root)
	if err != nil || name == "unknown" {
		return ""
	}
	return name
}

// printInspected shows, below the welcome of a prompt, what -i has done.
func (s *Shell) printInspected() {
	if s.opts.Found == nil {
		return
	}
	if s.opts.Found.Root != "" {
		if name := s.systemName(); name != "" {
			fmt.Fprintf(s.out, "Operating system: %s\n", visible.Line(name))
		}
	}
	byPath := append(api.Hash{}, s.opts.Found.Mounts...)
	sort.Slice(byPath, func(i, j int) bool { return byPath[i].Key < byPath[j].Key })
	for _, m := range byPath {
		fmt.Fprintf(s.out, "%s mounted on %s\n", visible.Line(m.Value), visible.Line(m.Key))
	}
	fmt.Fprintln(s.out)
}

// nearest lists up to three commands whose names are like a name that is none.
func nearest(name string) []string {
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	if len(name) < 3 {
		return nil
	}
	most := 1
	if len(name) > 7 {
		most = 2
	}
	type near struct {
		name string
		far  int
	}
	var l []near
	for _, c := range names() {
		if far := distance(name, strings.ReplaceAll(c.text, "_", "-"), most); far <= most {
			l = append(l, near{strings.ReplaceAll(c.text, "_", "-"), far})
		}
	}
	sort.SliceStable(l, func(i, j int) bool { return l[i].far < l[j].far })
	var out []string
	for _, n := range l[:min(3, len(l))] {
		out = append(out, n.name)
	}
	return out
}

// distance is how many letters must be put in, left out, changed or swapped with
// their neighbours to make b of a; more than most is returned as most+1.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}
