package daemon

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"syscall"

	"gofish/internal/proto"
)

// pieces writes what a program says to its two outputs into one stream, see
// internal_command in the catalogue.
type pieces struct {
	mu sync.Mutex
	w  io.Writer
}

func (p *pieces) put(kind uint32, data []byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	head := binary.BigEndian.AppendUint32(nil, kind)
	if _, err := p.w.Write(binary.BigEndian.AppendUint32(head, uint32(len(data)))); err != nil {
		return err
	}
	if _, err := p.w.Write(data); err != nil {
		return err
	}
	if f, ok := p.w.(interface{ Flush() error }); ok {
		return f.Flush()
	}
	return nil
}

// outputPiece is one of the outputs.
type outputPiece struct {
	*pieces
	kind uint32
}

func (o outputPiece) Write(b []byte) (int, error) {
	if err := o.put(o.kind, b); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (d Actions) InternalCommand(c *Call, arguments, environment []string, directory, stdin string, output io.Writer) error {
	var in *os.File
	if stdin != "" {
		f, err := os.Open(stdin)
		if err != nil {
			return wrap(err, "%s", stdin)
		}
		defer f.Close()
		os.Remove(stdin)
		in = f
	}
	return d.inGuest(arguments, func(program string) error {
		p := &pieces{w: output}
		cmd := d.guestProgram(c, program, arguments)
		cmd.Env = append(slices.Clone(guestEnv), environment...)
		if in != nil {
			cmd.Stdin = in
		}
		if directory != "" {
			cmd.Dir = directory
		}
		out, errs := &gate{w: outputPiece{p, proto.PieceStdout}}, &gate{w: outputPiece{p, proto.PieceStderr}}
		cmd.Stdout, cmd.Stderr = out, errs
		err := cmd.Run()
		out.close()
		errs.close()
		var exit *exec.ExitError
		if err != nil && !errors.Is(err, exec.ErrWaitDelay) && !errors.As(err, &exit) {
			return wrap(err, "%s", arguments[0])
		}
		if c.Err() != nil {
			return c.Err()
		}
		var status, signal uint32
		if exit != nil {
			if ws := exit.Sys().(syscall.WaitStatus); ws.Signaled() {
				signal = uint32(ws.Signal())
			} else {
				status = uint32(ws.ExitStatus())
			}
		}
		return p.put(proto.PieceEnd, binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, status), signal))
	})
}
