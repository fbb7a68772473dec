package tools

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"gofish/internal/getopt"
	"gofish/internal/hostmount"
)

// Exit statuses of guestunmount.
const (
	notUnmounted = 2
	notMounted   = 3
)

// longestWait is the longest time between two tries.
const longestWait = time.Minute

// releaseLimit is how long guestunmount waits for the image.
const releaseLimit = 5 * time.Minute

// unmounting is what guestunmount's options say.
type unmounting struct {
	*Use
	fd             int // to wait for, -1 for none
	retries        int
	quiet, verbose bool
}

func newUnmount(u *Use) ([]getopt.Option, func(words []string) error) {
	m := &unmounting{Use: u, fd: -1, retries: 5}
	return []getopt.Option{
		{Long: "fd", Arg: getopt.NeedArg, Value: "number", Help: "Wait until the pipe at this file descriptor is closed, and unmount then",
			Set: func(arg *string) (err error) { m.fd, err = descriptor(*arg); return err }},
		{Long: "no-retry", Help: "Try only once",
			Set: func(*string) error { m.retries = 0; return nil }},
		{Long: "quiet", Short: 'q', Help: "Do not say why something could not be unmounted",
			Set: func(*string) error { m.quiet = true; return nil }},
		{Long: "retry", Arg: getopt.NeedArg, Value: "number", Help: "How often to try again while the mount is in use (default 5)",
			Set: func(arg *string) error {
				n, err := strconv.ParseUint(*arg, 10, 16)
				if err != nil {
					return fmt.Errorf("--retry=%s: not a number from 0 to %d", *arg, 1<<16-1)
				}
				m.retries = int(n)
				return nil
			}},
		{Long: "verbose", Short: 'v', Help: "Say what is done",
			Set: func(*string) error { m.verbose = true; return nil }},
	}, m.run
}

func (m *unmounting) run(words []string) error {
	if len(words) != 1 {
		return errors.New("you must specify a mountpoint in the host filesystem, and nothing else")
	}
	if m.fd >= 0 {
		if err := m.awaitClose(); err != nil {
			return err
		}
	}
	dir := words[0]
	at, err := hostmount.Find(dir)
	switch {
	case errors.Is(err, hostmount.ErrNone), err == nil && !at.FUSE():
		return m.failed(notMounted, fmt.Errorf("%s: nothing is mounted there that guestmount could have mounted", dir))
	case errors.Is(err, fs.ErrNotExist):
		return m.failed(notUnmounted, fmt.Errorf("%s: there is no such directory", dir))
	case err != nil:
		return m.failed(notUnmounted, err)
	}
	record := openRecord(at)
	if err := m.unmount(at); err != nil {
		return m.failed(notUnmounted, err)
	}
	if record == nil {
		m.log("no process of gofish serves it: not waiting for an image")
		return nil
	}
	defer record.Close()
	m.log("waiting until the image is released")
	ctx, cancel := context.WithTimeoutCause(m.Ctx, releaseLimit, fmt.Errorf("waited %v", releaseLimit))
	defer cancel()
	if err := awaitRelease(ctx, record); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

// failed reports an error, if that is wanted, and is the status.
func (m *unmounting) failed(status ExitStatus, err error) error {
	if !m.quiet {
		m.Say(err)
	}
	return status
}

func (m *unmounting) log(format string, args ...any) {
	if m.verbose {
		m.Say(fmt.Errorf(format, args...))
	}
}

// unmount tries until it works, waiting twice as long each time.
func (m *unmounting) unmount(at *hostmount.Mount) error {
	wait := time.Second
	for try := 0; ; try++ {
		err := hostmount.Unmount(at.Dir, false)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EBUSY):
			return fmt.Errorf("%s: %w", at.Dir, err)
		case try == m.retries:
			text := "it is in use"
			if users := hostmount.Users(at.Dir); users != "" {
				text += " by " + users
			}
			return fmt.Errorf("%s: %s", at.Dir, text)
		}
		m.log("%s is in use; the next try is in %v", at.Dir, wait)
		select {
		case <-time.After(wait):
		case <-m.Ctx.Done():
			return context.Cause(m.Ctx)
		}
		wait = min(2*wait, longestWait)
	}
}

// awaitClose waits until the other end of the pipe is closed.
func (m *unmounting) awaitClose() error {
	closed := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, os.NewFile(uintptr(m.fd), "--fd"))
		closed <- err
	}()
	select {
	case err := <-closed:
		if err != nil {
			return fmt.Errorf("--fd=%d: %w", m.fd, err)
		}
		return nil
	case <-m.Ctx.Done():
		return context.Cause(m.Ctx)
	}
}
