package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/hostmount"
	"gofish/internal/trust"
)

// A record tells guestunmount about the process that serves a mount. It is a file that is
// locked until the image is released. Its first line is the number of the process, the second
// one what whoever waits must be told then; as long as the process lives, that is what its
// sudden end means.

// recordName is the name of a mount's record in the folder of the user who mounted it.
func recordName(m *hostmount.Mount) string { return "mount-" + m.Device }

// record is a record, as the process that serves the mount has it.
type record struct {
	f    *os.File
	name string
}

// keepRecord makes the record of a mount. lost is what a sudden end means.
func keepRecord(m *hostmount.Mount, lost string) (*record, error) {
	dir, err := trust.Shared()
	if err != nil {
		return nil, err
	}
	r := &record{name: filepath.Join(dir, recordName(m))}
	os.Remove(r.name) // of a process that was killed; the number of its mount is in use again
	if r.f, err = os.OpenFile(r.name, os.O_RDWR|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600); err != nil {
		return nil, err
	}
	if err = unix.Flock(int(r.f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
		err = r.write(lost)
	}
	if err != nil {
		r.f.Close()
		os.Remove(r.name)
		return nil, fmt.Errorf("%s: %w", r.name, err)
	}
	return r, nil
}

func (r *record) write(text string) error {
	b := []byte(strconv.Itoa(os.Getpid()) + "\n" + text)
	if err := r.f.Truncate(0); err != nil {
		return err
	}
	_, err := r.f.WriteAt(b, 0)
	return err
}

// release says that the image is released, or how that has failed.
func (r *record) release(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	r.write(text)
	os.Remove(r.name)
	r.f.Close()
}

// openRecord opens the record of a mount as another process has it; nil if there is none, or
// none that can be trusted.
func openRecord(m *hostmount.Mount) *os.File {
	dir, err := unix.Open(trust.SharedName(m.UserID), unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(dir)
	var st unix.Stat_t
	if unix.Fstat(dir, &st) != nil || int(st.Uid) != m.UserID {
		return nil
	}
	fd, err := unix.Openat(dir, recordName(m), unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	if unix.Fstat(fd, &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || int(st.Uid) != m.UserID {
		unix.Close(fd)
		return nil
	}
	return os.NewFile(uintptr(fd), recordName(m))
}

// awaitRelease waits until the process of a record has released the image. The error is what
// that process has left to be told, or says that it did not end in time.
func awaitRelease(ctx context.Context, r *os.File) error {
	released := make(chan error, 1)
	go func() {
		for {
			if err := unix.Flock(int(r.Fd()), unix.LOCK_SH); err != unix.EINTR {
				released <- err
				return
			}
		}
	}()
	var err error
	select {
	case err = <-released:
	case <-ctx.Done():
		err = ctx.Err()
	}
	const most = 4 << 10
	b, _ := io.ReadAll(io.NewSectionReader(r, 0, most))
	pid, text, _ := strings.Cut(string(b), "\n")
	switch {
	case err != nil:
		return fmt.Errorf("it is unmounted, but process %s has not released the image: %w", pid, err)
	case text != "":
		return errors.New(text)
	}
	return nil
}
