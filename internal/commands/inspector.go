package commands

import (
	"fmt"
	"sort"

	"gofish/internal/api"
	"gofish/internal/calls"
	"gofish/internal/inspect"
	"gofish/internal/visible"
)

// inspected is what -i has found and mounted.
type inspected struct {
	root   string
	mounts api.Hash // path, mountable; in the order of mounting
}

// noSystem is the error when there is no single system to mount, with what to do instead.
const noSystem = `%s

To see what is there, leave out ‘-i’, and use ‘run’ and then
‘list-filesystems’; ‘mount’ or ‘mount-ro’ mounts a file system.`

// inspect opens encrypted devices, finds the operating system and mounts its file systems,
// those with the shortest paths first. One that cannot be mounted is reported and left out,
// unless it is the root.
func (s *Shell) inspect() error {
	roots, tellUnused, err := s.findSystems()
	if err != nil {
		return err
	}
	defer tellUnused()
	switch {
	case len(roots) == 0:
		return s.errorf(noSystem, "no operating system was found on this disk")
	case len(roots) > 1:
		return s.errorf(noSystem, "multi-boot operating systems are not supported")
	}
	return s.mountSystem(roots[0])
}

// findSystems opens encrypted devices and lists the roots of operating systems. tellUnused
// warns about keys that matched nothing; call it when the system is mounted.
func (s *Shell) findSystems() (roots []string, tellUnused func(), err error) {
	if tellUnused, err = s.unlock(); err == nil {
		roots, err = s.g().FindSystems(s.ctx)
	}
	return roots, tellUnused, err
}

// mountSystem mounts the file systems of the system whose root is given.
func (s *Shell) mountSystem(root string) error {
	mountpoints, err := s.g().InspectGetMountpoints(s.ctx, root)
	if err != nil {
		return err
	}
	s.found = &inspected{root, calls.ShortestFirst(mountpoints)}
	left := false
	err = s.g().MountSystem(s.ctx, mountpoints, s.opts.readonly, func(err error) {
		if lib, ok := err.(libError); ok {
			err = libError{short{lib.err}}
		}
		s.sayPlain(err)
		left = true
	})
	if err != nil {
		return err
	}
	if left && s.opts.strict {
		return s.errorf("some filesystems could not be mounted")
	}
	if left {
		s.sayPlain(s.errorf("some filesystems could not be mounted (ignored)"))
	}
	return nil
}

// short is an error that fits on a screen: a guest may have very long names.
type short struct{ error }

func (e short) Error() string {
	const longest = 170
	text := []rune(e.error.Error())
	if len(text) > longest {
		return string(text[:longest/2]) + "…" + string(text[len(text)-longest/2+1:])
	}
	return string(text)
}

func (e short) Unwrap() error { return e.error }

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
	name, err := s.g().InspectGetProductName(s.ctx, s.found.root)
	if err != nil || name == "unknown" {
		return ""
	}
	return name
}

// printInspected shows, below the welcome of a prompt, what -i has done.
func (s *Shell) printInspected() {
	if s.found == nil {
		return
	}
	if s.found.root != "" {
		if name := s.systemName(); name != "" {
			fmt.Fprintf(s.out, "Operating system: %s\n", visible.Line(name))
		}
	}
	byPath := append(api.Hash{}, s.found.mounts...)
	sort.Slice(byPath, func(i, j int) bool { return byPath[i].Key < byPath[j].Key })
	for _, m := range byPath {
		fmt.Fprintf(s.out, "%s mounted on %s\n", visible.Line(m.Value), visible.Line(m.Key))
	}
	fmt.Fprintln(s.out)
}
