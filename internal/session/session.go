// Package session opens the disks that a command line names: it adds images and domains,
// launches the appliance, opens what is encrypted, finds operating systems, and mounts. The
// options that say which disks these are, and how they are opened, are rows here, once for
// the shell and for all tools.
//
// # Environment
//
//	XDG_CONFIG_HOME, XDG_CONFIG_DIRS, HOME
//	    folders with libguestfs-tools.conf, which may make read-only the default
package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"gofish/guestfs/types"
	"gofish/internal/api"
	"gofish/internal/calls"
	"gofish/internal/proto"
	"gofish/internal/unlock"

	"golang.org/x/sys/unix"
)

// Session is what the options say about disks, and what Start has found on them.
type Session struct {
	Guest calls.Client
	Ctx   context.Context
	// Say reports what is odd but does not end the session, as one message.
	Say func(error)
	// Ask asks for the key of an encrypted device.
	Ask func(device string) (string, error)

	Disks         []Disk
	Mounts        []Mount
	ReadOnly      bool
	ReadWrite     bool
	Inspect       bool // mount the operating system
	Examine       bool // mount the operating system or the only file system
	Strict        bool // a file system that cannot be mounted is an error
	Untrusted     bool
	EchoKeys      bool
	KeysFromStdin bool
	LibvirtURI    string
	Keys          []*unlock.Key

	// Given by --format and --blocksize for the disks that follow; pending until
	// one does.
	format           string
	formatPending    bool
	blocksize        int
	blocksizePending bool

	Found *Found // nil if no operating system was looked for
}

// Disk is a disk to add: an image, a new one, or all disks of a libvirt domain.
type Disk struct {
	Drive     Drive
	Format    string
	BlockSize int
	Domain    string
	// Fill makes what a new disk holds, once the appliance runs; nil if the disk is not new.
	Fill func(device string) error
}

// AddImage adds a disk image, or a disk of a server by its URI.
func (s *Session) AddImage(name string) error {
	drive, err := ParseDrive(name)
	if err != nil {
		return fmt.Errorf("--add: %v", err)
	}
	if !drive.Remote() {
		if err := unix.Access(drive.Path, unix.R_OK); err != nil {
			return fmt.Errorf("access: %s: %s", drive.Path, reason(err))
		}
	}
	s.Disks = append(s.Disks, Disk{Drive: drive, Format: s.format, BlockSize: s.blocksize})
	s.formatPending, s.blocksizePending = false, false
	return nil
}

// Check finds options that name no disk but must come before one.
func (s *Session) Check() error {
	if s.formatPending {
		return errors.New("--format parameter must appear before -a parameter")
	}
	if s.blocksizePending {
		return errors.New("--blocksize parameter must appear before -a parameter")
	}
	return nil
}

// Start adds the disks, launches if that is called for, fills new disks, and mounts.
func (s *Session) Start() error {
	launch := len(s.Mounts) > 0 || s.Inspect || s.Examine
	first := make([]int, len(s.Disks)) // the number of each disk's first drive
	drives := 0
	for i, d := range s.Disks {
		first[i] = drives
		n, err := s.add(d)
		if err != nil {
			return err
		}
		drives += n
		launch = launch || d.Fill != nil
	}
	if !launch {
		return nil
	}
	if err := s.Guest.Launch(s.Ctx); err != nil {
		return err
	}
	if s.Examine {
		if err := s.examine(); err != nil {
			return err
		}
	}
	if s.Inspect {
		if err := s.inspect(); err != nil {
			return err
		}
	}
	for i, d := range s.Disks {
		if d.Fill != nil {
			if err := d.Fill("/dev/sd" + api.DriveLetters(first[i])); err != nil {
				return err
			}
		}
	}
	for _, m := range s.Mounts {
		if err := s.mount(m); err != nil {
			return err
		}
	}
	return nil
}

// add adds a disk, or all disks of a domain, and returns how many that are.
func (s *Session) add(d Disk) (int, error) {
	if d.Domain != "" {
		opts := types.AddDomainOptions{AllowUUID: new(true), ReadOnlyDisk: new("read")}
		if s.LibvirtURI != "" {
			opts.LibvirtURI = &s.LibvirtURI
		}
		if s.ReadOnly {
			opts.ReadOnly = new(true)
		}
		return s.Guest.AddDomain(s.Ctx, d.Domain, opts)
	}
	opts := d.Drive.options()
	if d.Fill == nil && s.ReadOnly {
		opts.ReadOnly = new(true)
	}
	if d.Format != "" {
		opts.Format = &d.Format
	}
	if d.BlockSize != 0 {
		opts.BlockSize = &d.BlockSize
	}
	return 1, s.Guest.AddDrive(s.Ctx, d.Drive.Path, opts)
}

// reason is why a file of the host cannot be used, in the C library's words.
func reason(err error) string {
	var e unix.Errno
	if errors.As(err, &e) {
		return proto.Strerror(e)
	}
	return err.Error()
}

// AddWord adds what a word means that is no option's: see OldStyleDisk. Options that apply to
// the disks that follow apply to it.
func (s *Session) AddWord(word string) error {
	d, err := OldStyleDisk(word)
	d.Format, d.BlockSize = s.format, s.blocksize
	s.formatPending, s.blocksizePending = false, false
	s.Disks = append(s.Disks, d)
	return err
}

// OldStyleDisk is a word after -i: an image if it looks like a file's name, a
// domain otherwise.
func OldStyleDisk(word string) (Disk, error) {
	if _, err := os.Stat(word); err != nil && !strings.Contains(word, "/") {
		return Disk{Domain: word}, nil
	}
	drive, err := ParseDrive(word)
	return Disk{Drive: drive}, err
}
