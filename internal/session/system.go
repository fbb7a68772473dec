package session

import (
	"errors"
	"fmt"
	"strings"

	"gofish/guestfs/types"
	"gofish/internal/calls"
	"gofish/internal/unlock"
)

// Found is what Inspect or Examine has found and mounted.
type Found struct {
	Root   string     // "" if there was only a file system
	Mounts types.Hash // path, mountable; in the order of mounting
}

// SystemError is the error when there is no single system to mount.
type SystemError struct {
	Several bool       // there is more than one
	There   types.Hash // the file systems that can be mounted instead; only if they were asked for
}

func (e *SystemError) Error() string {
	if e.Several {
		return "multi-boot operating systems are not supported" + listed(e.There)
	}
	return "no operating system was found on this disk" + listed(e.There)
}

// LockedError says which device no key opens.
type LockedError struct {
	Text  string // the device, and how to give a key for it
	Cause error  // why the last key did not do, if there was one
}

func (e *LockedError) Error() string {
	if e.Cause == nil {
		return e.Text
	}
	return e.Text + ": " + e.Cause.Error()
}

func (e *LockedError) Unwrap() error { return e.Cause }

// inspect opens encrypted devices, finds the operating system and mounts its file systems,
// those with the shortest paths first. One that cannot be mounted is reported and left out,
// unless it is the root.
func (s *Session) inspect() error {
	roots, tellUnused, err := s.findSystems()
	if err != nil {
		return err
	}
	defer tellUnused()
	if len(roots) != 1 {
		return &SystemError{Several: len(roots) > 1}
	}
	return s.mountSystem(roots[0])
}

// examine mounts the operating system, or the only file system. The error of a disk with
// neither lists the file systems.
func (s *Session) examine() error {
	roots, tellUnused, err := s.findSystems()
	if err != nil {
		return err
	}
	defer tellUnused()
	if len(roots) == 1 {
		return s.mountSystem(roots[0])
	}
	filesystems, err := s.Guest.ListFilesystems(s.Ctx)
	if err != nil {
		return err
	}
	var usable types.Hash
	for _, p := range filesystems {
		if mountable(p) {
			usable = append(usable, p)
		}
	}
	if len(usable) != 1 {
		return &SystemError{Several: len(roots) > 1, There: filesystems}
	}
	mount := s.Guest.Mount
	if s.ReadOnly {
		mount = s.Guest.MountRO
	}
	if err := mount(s.Ctx, usable[0].Key, "/"); err != nil {
		return err
	}
	s.Found = &Found{Mounts: types.Hash{{Key: "/", Value: usable[0].Key}}}
	return nil
}

// findSystems opens encrypted devices and lists the roots of operating systems. tellUnused
// warns about keys that matched nothing; call it when the system is mounted.
func (s *Session) findSystems() (roots []string, tellUnused func(), err error) {
	if tellUnused, err = s.unlock(); err == nil {
		roots, err = s.Guest.FindSystems(s.Ctx)
	}
	return roots, tellUnused, err
}

// mountSystem mounts the file systems of the system whose root is given.
func (s *Session) mountSystem(root string) error {
	mountpoints, err := s.Guest.InspectGetMountpoints(s.Ctx, root)
	if err != nil {
		return err
	}
	s.Found = &Found{root, calls.ShortestFirst(mountpoints)}
	left := false
	err = s.Guest.MountSystem(s.Ctx, mountpoints, s.ReadOnly, func(err error) {
		s.Say(LeftOutError{err})
		left = true
	})
	if err != nil {
		return err
	}
	if left && s.Strict {
		return errors.New("some filesystems could not be mounted")
	}
	if left {
		s.Say(errors.New("some filesystems could not be mounted (ignored)"))
	}
	return nil
}

// LeftOutError is why a file system of a system was left out. It fits on a screen: a
// guest may have very long names.
type LeftOutError struct{ Cause error }

func (e LeftOutError) Error() string {
	const longest = 170
	text := []rune(e.Cause.Error())
	if len(text) > longest {
		return string(text[:longest/2]) + "…" + string(text[len(text)-longest/2+1:])
	}
	return string(text)
}

func (e LeftOutError) Unwrap() error { return e.Cause }

// unlock opens all encrypted devices. told warns about keys that matched nothing; call it
// when the system is mounted.
func (s *Session) unlock() (told func(), err error) {
	ring := unlock.Keyring{Keys: s.Keys, Ask: s.Ask, Warn: func(format string, args ...any) {
		s.Say(fmt.Errorf("warning: "+format, args...))
	}}
	all, err := ring.Open(s.Ctx, s.Guest)
	var locked *unlock.Error
	if errors.As(err, &locked) {
		text := locked.Error()
		if locked.Tried {
			text += fmt.Sprintf(": give one with --key '%s:key:KEY' or '%[1]s:file:NAME'", locked.Device.Name)
		}
		return nil, &LockedError{text, locked.Cause}
	}
	if err != nil {
		return nil, err
	}
	return func() {
		unused := ring.Unused()
		if s.Found != nil {
			unused = ring.UnusedBy(s.Ctx, s.Guest)
		}
		if len(unused) == 0 {
			return
		}
		here := "nothing is encrypted here"
		if len(all) > 0 {
			here = "encrypted are " + fmt.Sprint(all)
		}
		s.Say(fmt.Errorf("warning: --key %s: there is no such device (%s)", strings.Join(unused, ", "), here))
	}, nil
}
