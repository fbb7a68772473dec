package guestfs

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"

	"gofish/internal/proto"
)

// Cmd is a program of the guest, to be used like os/exec.Cmd. It runs as root, with the
// guest's root directory as its own, in the appliance: it must suit the appliance's kernel
// and processor. Never run programs of a guest that is not trusted.
type Cmd struct {
	Args   []string  // the program and its arguments
	Env    []string  // NAME=VALUE, added to the little that it has
	Dir    string    // where it runs; the root directory if empty
	Stdin  io.Reader // nothing to read if nil
	Stdout io.Writer // dropped if nil
	Stderr io.Writer // dropped if nil

	g   *Handle
	ctx context.Context
}

// Command is the program name with the arguments; it starts with Run, Output or
// CombinedOutput. The context ends it.
func (g *Handle) Command(ctx context.Context, name string, arg ...string) *Cmd {
	return &Cmd{Args: append([]string{name}, arg...), g: g, ctx: ctx}
}

// ExitError is the error of a program that ended with a status other than 0, or by a signal.
type ExitError struct {
	Name   string         // of the program
	Status int            // exit status; -1 if a signal ended it
	Signal syscall.Signal // that ended it, or 0
	Stderr []byte         // the end of what it wrote to standard error, if Output has run it
}

func (e *ExitError) Error() string {
	if e.Signal != 0 {
		return fmt.Sprintf("%s: ended by the signal %v", e.Name, e.Signal)
	}
	return fmt.Sprintf("%s: exit status %d", e.Name, e.Status)
}

// stdinFiles counts the appliance's files for standard input.
var stdinFiles atomic.Int64

// Run runs the program and waits for its end.
func (c *Cmd) Run() error {
	stdin := ""
	if c.Stdin != nil {
		stdin = fmt.Sprintf("/tmp/gofish-stdin-%d", stdinFiles.Add(1))
		if err := c.g.calls.InternalUpload(c.ctx, c.Stdin, stdin, 0o600); err != nil {
			return err
		}
	}
	p := &pieces{c: c}
	err := c.g.calls.InternalCommand(c.ctx, c.Args, c.Env, c.Dir, stdin, p)
	switch {
	case err != nil:
		var failed *Error
		if errors.As(err, &failed) && failed.Action != "" {
			failed.Action = "command"
		}
		return err
	case p.end == nil:
		return errors.New(c.Args[0] + ": the appliance did not say how it ended")
	case p.end.Status != 0:
		return p.end
	}
	return nil
}

// Output runs the program and returns what it writes to standard output. An *ExitError
// has what it wrote to standard error, unless Stderr is set.
func (c *Cmd) Output() ([]byte, error) {
	if c.Stdout != nil {
		return nil, errors.New("guestfs: Stdout already set")
	}
	var out bytes.Buffer
	errs := &tail{}
	c.Stdout = &out
	if c.Stderr == nil {
		c.Stderr = errs
	}
	err := c.Run()
	if exit := (*ExitError)(nil); errors.As(err, &exit) {
		exit.Stderr = errs.b
	}
	return out.Bytes(), err
}

// CombinedOutput runs the program and returns all that it writes.
func (c *Cmd) CombinedOutput() ([]byte, error) {
	if c.Stdout != nil || c.Stderr != nil {
		return nil, errors.New("guestfs: Stdout or Stderr already set")
	}
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.Bytes(), err
}

// tail keeps the end of what is written.
type tail struct{ b []byte }

func (t *tail) Write(b []byte) (int, error) {
	const most = 32 << 10
	t.b = append(t.b, b...)
	if len(t.b) > most {
		t.b = append(t.b[:0], t.b[len(t.b)-most:]...)
	}
	return len(b), nil
}

// pieces takes the stream of internal_command apart.
type pieces struct {
	c    *Cmd
	head []byte // of the next piece, while it is incomplete
	kind uint32
	left int
	last []byte // the data of the end
	end  *ExitError
}

func (p *pieces) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 {
		if p.left == 0 {
			take := min(8-len(p.head), len(b))
			p.head, b = append(p.head, b[:take]...), b[take:]
			if len(p.head) < 8 {
				break
			}
			p.kind = binary.BigEndian.Uint32(p.head)
			size := binary.BigEndian.Uint32(p.head[4:])
			p.head = p.head[:0]
			if size > proto.MaxMessage || p.kind == proto.PieceEnd && size != 8 {
				return 0, fmt.Errorf("a piece of %d bytes cannot be", size)
			}
			p.left = int(size)
			continue
		}
		data := b[:min(p.left, len(b))]
		b, p.left = b[len(data):], p.left-len(data)
		var w io.Writer
		switch p.kind {
		case proto.PieceStdout:
			w = p.c.Stdout
		case proto.PieceStderr:
			w = p.c.Stderr
		case proto.PieceEnd:
			if p.last = append(p.last, data...); len(p.last) == 8 {
				p.end = &ExitError{Name: p.c.Args[0], Status: int(binary.BigEndian.Uint32(p.last)), Signal: syscall.Signal(binary.BigEndian.Uint32(p.last[4:]))}
				if p.end.Signal != 0 {
					p.end.Status = -1
				}
			}
		default:
			return 0, fmt.Errorf("a piece of the kind %d cannot be", p.kind)
		}
		if w != nil {
			if _, err := w.Write(data); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}
