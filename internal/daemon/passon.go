package daemon

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/sys/unix"
)

// passOn runs a tool and passes its output on until it complains, which ends it. A tool
// that cannot read a file writes zeros in its place, but says so first: its output is
// passed on only after its messages were checked. Harmless lines are ignored.
func passOn(ctx context.Context, args []string, to io.Writer, harmless func(line string) bool) error {
	machineID.Do(newMachineID)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	out, outEnd, err := os.Pipe()
	if err != nil {
		return err
	}
	defer out.Close()
	said, saidEnd, err := os.Pipe()
	if err != nil {
		outEnd.Close()
		return err
	}
	defer said.Close()
	c.Stdout, c.Stderr = outEnd, saidEnd
	err = start(c)
	outEnd.Close()
	saidEnd.Close()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New(args[0] + ": this program is not in the appliance")
	}
	if err != nil {
		return err
	}
	ended := func(err error, text string) error {
		stop()
		werr := wait(c)
		var exit *exec.ExitError
		if err == nil && errors.As(werr, &exit) {
			err = &ToolError{Tool: args[0], Status: exit.ExitCode(), Text: text}
		}
		if err == nil {
			err = werr
		}
		return err
	}
	complaint := &complaints{harmless: harmless}
	fds := []unix.PollFd{{Fd: int32(out.Fd()), Events: unix.POLLIN}, {Fd: int32(said.Fd()), Events: unix.POLLIN}}
	buf := make([]byte, 64<<10)
	for fds[0].Fd >= 0 || fds[1].Fd >= 0 {
		if _, err := unix.Poll(fds, -1); err != nil {
			if err == unix.EINTR {
				continue
			}
			return ended(err, "")
		}
		// Read output first, but hold it back: a complaint that was written before it has
		// then arrived too.
		n := 0
		if fds[0].Revents != 0 {
			if n, err = unix.Read(int(fds[0].Fd), buf); n <= 0 && err != unix.EINTR {
				fds[0].Fd, n = -1, 0
			}
		}
		if err := complaint.take(&fds[1]); err != nil {
			return ended(err, "")
		}
		if complaint.text != "" {
			return ended(&ToolError{Tool: args[0], Status: 1, Text: complaint.text}, "")
		}
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return ended(err, "")
			}
		}
	}
	werr := wait(c)
	var exit *exec.ExitError
	if errors.As(werr, &exit) {
		return &ToolError{Tool: args[0], Status: exit.ExitCode(), Text: strings.TrimSpace(string(complaint.line))}
	}
	return werr
}

// complaints finds the first relevant line in what a tool says.
type complaints struct {
	harmless func(string) bool
	line     []byte // the current line so far
	text     string
}

// take reads what is there, without waiting.
func (c *complaints) take(fd *unix.PollFd) error {
	for fd.Fd >= 0 && c.text == "" {
		one := []unix.PollFd{{Fd: fd.Fd, Events: unix.POLLIN}}
		if n, err := unix.Poll(one, 0); err == unix.EINTR {
			continue
		} else if err != nil {
			return err
		} else if n == 0 {
			return nil
		}
		buf := make([]byte, 4096)
		n, err := unix.Read(int(fd.Fd), buf)
		if err == unix.EINTR {
			continue
		}
		if n <= 0 {
			fd.Fd = -1
			return nil
		}
		c.line = append(c.line, buf[:n]...)
		for c.text == "" {
			line, rest, ok := bytes.Cut(c.line, []byte("\n"))
			if !ok {
				break
			}
			if text := strings.TrimSpace(string(line)); text != "" && !c.harmless(text) {
				c.text = text
			}
			c.line = rest
		}
		if len(c.line) > maxStderr {
			c.text = string(c.line)
		}
	}
	return nil
}
