package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/sys/unix"
)

// The usual ways to run a tool of the appliance: see tool.go for what a Tool is.

// run is the short form for a tool whose output does not matter.
func (d *Daemon) run(args ...string) error {
	return (&Tool{Args: args}).Run(d.call)
}

// output is the short form for a tool whose output is the result.
func (d *Daemon) output(args ...string) (string, error) {
	return (&Tool{Args: args}).Output(d.call)
}

// runAnyway is run outside of calls, and for cleaning up even after a call
// that was cancelled.
func runAnyway(args ...string) error {
	return (&Tool{Args: args}).Run(context.Background())
}

// complaints is run, and what the tool wrote to standard error, also if its status is zero.
func (d *Daemon) complaints(args ...string) (string, error) {
	err := (&Tool{Args: args, Silent: nothing}).Run(d.call)
	var te *ToolError
	if !errors.As(err, &te) {
		return "", err
	}
	if te.Status == 0 {
		err = nil
	}
	return te.Text, err
}

var nothing = regexp.MustCompile(`^\b\B`)

// onDevice runs a tool; its error names the device.
func (d *Daemon) onDevice(dev Device, args ...string) error {
	return d.deviceError(d.run(args...), dev)
}

// unreadable reports whether a tool complains that it cannot read or write a device. Then its
// status says nothing about what is there.
func unreadable(complaint string) bool {
	return strings.Contains(strings.ToLower(complaint), unix.EIO.Error())
}

// status takes the exit status of a tool as the result.
func (d *Daemon) status(err error, dev Device) (int, error) {
	var te *ToolError
	if errors.As(err, &te) && te.Status >= 0 && !unreadable(te.Text) {
		return te.Status, nil
	}
	return 0, d.deviceError(err, dev)
}

// onFile runs a tool on a file of the guest; links do not lead out of it.
func (d *Daemon) onFile(path Path, args ...string) error {
	return d.toolOnFile(path, &Tool{Args: args})
}

// toolOnFile runs a tool with the file as its last argument.
func (d *Daemon) toolOnFile(path Path, t *Tool) error {
	name, err := d.fileArg(path)
	if err != nil {
		return err
	}
	t.Args = append(t.Args, name)
	if err = t.Run(d.call); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// fileArg returns the path of the guest's file or directory to pass to a tool.
func (d *Daemon) fileArg(path Path) (string, error) {
	st, err := d.root.Stat(path)
	if err == nil {
		err = mayOpen(st)
	}
	if err != nil {
		return "", wrap(err, "%s", path)
	}
	name, err := d.root.Host(path)
	return name, wrap(err, "%s", path)
}

// repeat is an endless input that repeats one text.
func repeat(s string) io.Reader { return &repeated{s: s} }

type repeated struct {
	s   string
	off int
}

func (r *repeated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		k := copy(p[n:], r.s[r.off:])
		n += k
		r.off = (r.off + k) % len(r.s)
	}
	return n, nil
}

// lines splits a tool's output; a newline at the end does not start another line.
func lines(s string) []string {
	s = strings.TrimSuffix(s, "\n")
	if s == "" {
		return []string{}
	}
	return strings.Split(s, "\n")
}
