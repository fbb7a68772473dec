package session

import (
	"errors"
	"fmt"
	"strings"

	"gofish/guestfs/types"
	"gofish/internal/api"
)

// Mount is the argument of -m.
type Mount struct {
	Device, Dir string
	Options     *string
	FSType      *string
}

// ParseMount reads a value of -m.
func ParseMount(arg string) Mount {
	// A subvolume or a folder contains a colon itself.
	prefix, rest := "", arg
	for _, p := range []string{api.VolumePrefix, api.FolderPrefix} {
		if r, ok := strings.CutPrefix(arg, p); ok {
			prefix, rest = p, r
		}
	}
	f := strings.SplitN(rest, ":", 4)
	m := Mount{Device: prefix + f[0], Dir: "/"}
	if len(f) > 1 {
		m.Dir = f[1]
	}
	if len(f) > 2 {
		m.Options = &f[2]
	}
	if len(f) > 3 {
		m.FSType = &f[3]
	}
	return m
}

// MountError is the error of a -m.
type MountError struct {
	Mount Mount
	Cause error
	There types.Hash // the other file systems, which may have been meant; devices and types
}

func (e *MountError) Error() string {
	text := Plain(e.Cause)
	if !strings.Contains(text, e.Mount.Device) {
		text = e.Mount.Device + ": " + text
	}
	return text + listed(e.There)
}

func (e *MountError) Unwrap() error { return e.Cause }

// Plain is an error without the name of the action that met it, for users who know none.
func Plain(err error) string {
	switch e := err.(type) {
	case *types.Error:
		return e.Text
	case *types.LinkError:
		return e.Text
	case interface{ Unwrap() []error }:
		var l []string
		for _, e := range e.Unwrap() {
			l = append(l, Plain(e))
		}
		return strings.Join(l, "; ")
	}
	return err.Error()
}

// listed is the end of an error: which file systems there are instead.
func listed(filesystems types.Hash) string {
	var l []string
	for _, p := range filesystems {
		if mountable(p) {
			l = append(l, fmt.Sprintf("%s (%s)", p.Key, p.Value))
		}
	}
	if len(l) == 0 {
		return ""
	}
	return "; there are " + strings.Join(l, ", ") + ", which -m mounts"
}

// mountable reports whether a device in the list of file systems has one.
func mountable(p types.Pair) bool { return p.Value != "swap" && p.Value != "unknown" }

// mount does one -m.
func (s *Session) mount(m Mount) error {
	options := ""
	if m.Options != nil {
		options = *m.Options
	} else if s.ReadOnly {
		options = "ro"
	}
	var err error
	if m.FSType != nil {
		err = s.Guest.MountVFS(s.Ctx, options, *m.FSType, m.Device, m.Dir)
	} else {
		err = s.Guest.MountOptions(s.Ctx, options, m.Device, m.Dir)
	}
	if err == nil {
		return nil
	}
	failed := &MountError{Mount: m, Cause: err}
	filesystems, lerr := s.Guest.ListFilesystems(s.Ctx)
	if lerr != nil {
		return errors.Join(err, lerr)
	}
	tried := m.Device
	if name, err := s.Guest.CanonicalDeviceName(s.Ctx, m.Device); err == nil {
		tried = name
	}
	for _, p := range filesystems {
		if p.Key != m.Device && p.Key != tried {
			failed.There = append(failed.There, p)
		}
	}
	return failed
}
