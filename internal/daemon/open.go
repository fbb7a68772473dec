package daemon

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// enter runs fn on path with the guest's root as root; the error names the path.
func (d *Daemon) enter(path Path, fn func(p string) error) error {
	return wrap(d.root.Enter(func() error { return fn(string(path)) }), "%s", path)
}

// open opens a file of the guest for its content. It never blocks, whatever
// the guest has put at that path.
func (d *Daemon) open(path Path, flags int, mode uint32) (*os.File, error) {
	st, err := d.root.Stat(path)
	if err == nil {
		err = mayOpen(st)
	} else if err == syscall.ENOENT && flags&unix.O_CREAT != 0 {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	f, err := d.root.Open(path, flags|unix.O_NOCTTY|unix.O_NONBLOCK, mode)
	if err != nil {
		return nil, err
	}
	// Check again: a process that a command left running may have put something else there.
	var now unix.Stat_t
	if err = unix.Fstat(int(f.Fd()), &now); err == nil {
		err = mayOpen(&now)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	unix.SetNonblock(int(f.Fd()), false)
	return f, nil
}

// notFiles are the kinds of names in a guest that have no content of their own. A
// device node is a number that the guest has chosen: it refers to the appliance's
// devices, some of which are endless. Reading a FIFO blocks forever.
var notFiles = map[uint32]string{
	unix.S_IFCHR: "character device", unix.S_IFBLK: "block device", unix.S_IFIFO: "FIFO", unix.S_IFSOCK: "socket",
}

// mayOpen refuses what is neither a file nor a directory, and says what it is.
func mayOpen(st *unix.Stat_t) error {
	if kind, ok := notFiles[st.Mode&unix.S_IFMT]; ok {
		return fmt.Errorf("is a %s, not a regular file", kind)
	}
	return nil
}

// openContent opens a file for reading its content; a directory is an error.
func (d *Daemon) openContent(path Path) (*os.File, error) {
	f, err := d.open(path, unix.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil || st.Mode&unix.S_IFMT == unix.S_IFDIR {
		f.Close()
		if err == nil {
			err = syscall.EISDIR
		}
		return nil, err
	}
	return f, nil
}

// openDir opens a directory of the guest for reading its entries.
func (d *Daemon) openDir(path Path) (*os.File, error) {
	return d.root.Open(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
}

// openEither opens the file for a parameter that may be a device or a path.
// name is what the client calls it.
func (d *Daemon) openEither(dp DevOrPath, flags int, mode uint32) (f *os.File, name string, err error) {
	if dp.Device == "" {
		f, err = d.open(dp.Path, flags, mode)
		return f, string(dp.Path), err
	}
	f, err = os.OpenFile(string(dp.Device), flags&^(unix.O_CREAT|unix.O_TRUNC), 0)
	return f, d.devices.Reverse(string(dp.Device)), errnoOf(err)
}
