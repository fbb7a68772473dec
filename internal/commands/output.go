package commands

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"gofish/internal/visible"
)

// output collects what a command prints. Handlers of events that the appliance's console
// causes flush it too.
type output struct {
	mu     sync.Mutex
	f      *os.File
	buf    []byte
	err    error
	screen visible.Screen // for a terminal, which what a guest holds must not control
}

const (
	outputSize  = 4096
	outputPiece = 64 << 10
)

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	total := len(p)
	for len(p) > 0 { // a piece at a time: a whole file may be in memory already
		n := min(len(p), outputPiece)
		o.buf = append(o.buf, p[:n]...)
		p = p[n:]
		if len(o.buf) >= outputSize {
			o.drain(false)
		}
	}
	return total, nil
}

func (o *output) drain(last bool) {
	if isTerminal(o.f) {
		o.buf = o.screen.Escape(o.buf, last)
	}
	if o.err == nil && len(o.buf) > 0 {
		_, o.err = o.f.Write(o.buf)
	}
	o.buf = o.buf[:0]
}

// Flush writes what has been collected.
func (o *output) Flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drain(true)
}

// redirect makes f what later output goes to.
func (o *output) redirect(f *os.File) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drain(true)
	o.f = f
}

// control writes text of the user to a terminal as it is.
func (o *output) control(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drain(true)
	if o.err == nil {
		_, o.err = io.WriteString(o.f, text)
	}
}

// screenWriter is a terminal that only gets visible text.
type screenWriter struct {
	f      *os.File
	screen visible.Screen
}

func (w *screenWriter) Write(p []byte) (int, error) {
	if _, err := w.f.Write(w.screen.Escape(p, false)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// reset returns the error since the last reset.
func (o *output) reset() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drain(true)
	err := o.err
	o.err = nil
	return err
}

// flush ends a command's output.
func (s *Shell) flush() error {
	err := s.out.reset()
	switch {
	case err == nil:
		return nil
	case s.pipe && errors.Is(err, syscall.EPIPE):
		if s.opts.pipeError {
			return s.errorf("write error on pipe")
		}
		return nil
	}
	return unwritten(err)
}

// unwritten says that standard output could not be written.
func unwritten(err error) error {
	return fmt.Errorf("failed to flush standard output: %w", reason{err})
}

// reason is an error of package os with the C library's words.
type reason struct{ err error }

func (r reason) Error() string { return cause(r.err) }
func (r reason) Unwrap() error { return r.err }

// join is errors.Join, except that a single error stays what it is.
func join(errs ...error) error {
	var found []error
	for _, e := range errs {
		if e != nil {
			found = append(found, e)
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return errors.Join(found...)
}

// stdoutName is a file name that opens the present standard output.
func (s *Shell) stdoutName() string {
	if s.stdout.Fd() == 1 {
		return "/dev/stdout"
	}
	return fmt.Sprintf("/dev/fd/%d", s.stdout.Fd())
}

// divert makes w standard output, for the handle and for child processes too,
// until the returned function is called.
func (s *Shell) divert(w *os.File) (func(), error) {
	s.out.Flush()
	if s.stdout.Fd() != 1 {
		old := s.stdout
		set := func(f *os.File) {
			s.out.redirect(f)
			s.streams.Lock()
			s.stdout = f
			s.streams.Unlock()
		}
		set(w)
		return func() { set(old) }, nil
	}
	saved, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err == nil {
		err = unix.Dup3(int(w.Fd()), 1, 0)
	}
	if err != nil {
		return nil, err
	}
	return func() {
		unix.Dup3(saved, 1, 0)
		unix.Close(saved)
	}, nil
}

// piped runs f with its output going to a host command, whose own status does
// not matter. A host command that stops reading does no harm either, unless
// --pipe-error asked to hear of it.
func (s *Shell) piped(host string, f func() error) error {
	r, w, err := os.Pipe()
	if err != nil {
		return s.errorf("%s: %v", host, cause(err))
	}
	c := s.hostCommand(strings.TrimLeft(host, " \t"))
	c.Stdin = r
	s.out.Flush()
	err = c.Start()
	r.Close()
	if err != nil {
		w.Close()
		return s.errorf("/bin/sh: %v", cause(err))
	}
	restore, err := s.divert(w)
	if err != nil {
		w.Close()
		c.Wait()
		return s.errorf("%s: %v", host, cause(err))
	}
	earlier := s.pipe
	s.pipe = true
	err = f()
	s.pipe = earlier
	restore()
	w.Close()
	if werr := c.Wait(); werr != nil && err == nil && s.opts.Strict {
		err = s.errorf("| %s: %s", strings.TrimSpace(host), status(werr))
	}
	return err
}

// relay returns the name of a file that leads to the current standard output. A pipe is
// opened by its own name. A regular file must not be, since that would empty it; a socket
// cannot be. Text for a terminal is made safe for it.
func (s *Shell) relay() (name string, finish func() error, err error) {
	s.out.Flush()
	fi, err := s.stdout.Stat()
	if err != nil {
		return "", nil, err
	}
	terminal := isTerminal(s.stdout)
	if !fi.Mode().IsRegular() && fi.Mode()&os.ModeSocket == 0 && !terminal {
		return s.stdoutName(), func() error { return nil }, nil
	}
	target, err := dupFile(s.stdout)
	if err != nil {
		return "", nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		target.Close()
		return "", nil, err
	}
	restore, err := s.divert(w)
	if err != nil {
		target.Close()
		return "", nil, err
	}
	copied := make(chan error, 1)
	go func() {
		var to io.Writer = target
		if terminal {
			to = &screenWriter{f: target}
		}
		_, err := io.Copy(to, r)
		r.Close()
		copied <- err
	}()
	return s.stdoutName(), func() error {
		restore()
		w.Close()
		err := <-copied
		target.Close()
		if err != nil {
			return unwritten(err)
		}
		return nil
	}, nil
}

func dupFile(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// status describes how a host program ended.
func status(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		if w := exit.Sys().(syscall.WaitStatus); w.Signaled() {
			return "killed by signal " + fmt.Sprint(int(w.Signal()))
		}
		return exit.String()
	}
	return cause(err)
}
