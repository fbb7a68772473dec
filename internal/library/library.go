package library

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
	"gofish/internal/proto"
)

// files has the program libserver, libserver.bin, if make has built it: without it the
// module still builds, and the groups of actions that need it are not available.
//
//go:embed libserver.*
var files embed.FS

var errNoServer = errors.New("this gofish was built without its library server; make build makes one with it")

// server is the program libserver.
func server() ([]byte, error) {
	b, err := files.ReadFile("libserver.bin")
	if err != nil {
		return nil, errNoServer
	}
	return b, nil
}

// Error is the answer of a library server to a call that failed.
type Error struct {
	Errno   syscall.Errno // 0: none is known
	Message string
}

func (e *Error) Error() string { return e.Message }

// Unwrap returns the error number, if there is one.
func (e *Error) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// Servers are the library servers of one daemon. Calls come one at a time.
type Servers struct {
	sysroot string
	image   *os.File // the program in memory; nil before it is needed
	running map[string]*process
	checks  map[string]error // the result of Check
}

// NewServers starts nothing yet. sysroot is the root of the guest's files.
func NewServers(sysroot string) *Servers {
	return &Servers{sysroot: sysroot, running: map[string]*process{}, checks: map[string]error{}}
}

type process struct {
	name  string
	cmd   *exec.Cmd
	file  net.Conn
	conn  *proto.Conn
	ended error
}

// Check returns an error if a library cannot be used here. The answer is
// remembered; the server that gave it keeps waiting for calls.
func (s *Servers) Check(name string) error {
	err, known := s.checks[name]
	if !known {
		_, err = s.get(name)
		s.checks[name] = err
	}
	return err
}

// Call lets the action's library do a call. args and opts are as api.Action.EncodeArgs
// takes them; out gets the data of an action that writes a file, and alive, which may be
// nil, is called from time to time while it runs. If one of them returns an error, if
// ctx ends, or if the server's process does, what the library remembered is gone.
func (s *Servers) Call(ctx context.Context, a *api.Action, args, opts []any, out io.Writer, alive func() error) (any, error) {
	p, err := s.get(a.Library)
	if err != nil {
		return nil, err
	}
	unwatch := context.AfterFunc(ctx, func() { p.cmd.Process.Kill() })
	result, err := p.call(a, args, opts, out, alive)
	killed := !unwatch()
	var said *Error
	if killed || err != nil && !errors.As(err, &said) {
		s.Close(a.Library)
		switch {
		case killed:
			err = ctx.Err()
		case err == errLink:
			err = fmt.Errorf("the %s library crashed on this data (%v); what it had open is closed", a.Library, p.ended)
			var exit *exec.ExitError
			if errors.As(p.ended, &exit) && exit.ExitCode() == crashed {
				err = fmt.Errorf("the %s library crashed on this data (-v shows where); what it had open is closed", a.Library)
			}
		}
	}
	if forgetful[a.Library] {
		s.Close(a.Library)
	}
	return result, err
}

// forgetful libraries have no state between calls. Their process ends after each call:
// files that they left open would keep the guest's file systems busy.
var forgetful = map[string]bool{"RPM": true, "tsk": true}

// Close ends a library's process, if there is one.
func (s *Servers) Close(name string) {
	if p := s.running[name]; p != nil {
		delete(s.running, name)
		p.end()
	}
}

// CloseAll ends all of them.
func (s *Servers) CloseAll() {
	for name := range s.running {
		s.Close(name)
	}
}

// get returns the server of a library, and starts it if it is not running.
func (s *Servers) get(name string) (*process, error) {
	if p := s.running[name]; p != nil {
		return p, nil
	}
	if s.image == nil {
		program, err := server()
		if err != nil {
			return nil, err
		}
		fd, err := unix.MemfdCreate("libserver", unix.MFD_CLOEXEC)
		if err != nil {
			return nil, fmt.Errorf("memory for the library server: %w", err)
		}
		image := os.NewFile(uintptr(fd), "libserver")
		if _, err := image.Write(program); err != nil {
			image.Close()
			return nil, fmt.Errorf("memory for the library server: %w", err)
		}
		s.image = image
	}
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "library"), os.NewFile(uintptr(fds[1]), "library")
	defer theirs.Close()
	file, err := net.FileConn(ours)
	ours.Close()
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	p := &process{name: name, file: file, conn: proto.NewConn(file)}
	p.cmd = exec.Command(fmt.Sprintf("/proc/self/fd/%d", s.image.Fd()), name, s.sysroot)
	p.cmd.Stdin, p.cmd.Stderr = theirs, os.Stderr
	if err := p.cmd.Start(); err != nil {
		file.Close()
		return nil, fmt.Errorf("library server: %w", err)
	}
	if _, err := p.reply(nil); err != nil {
		p.end()
		if err == errLink {
			err = fmt.Errorf("the library server did not start: %v", p.ended)
		}
		return nil, err
	}
	s.running[name] = p
	return p, nil
}

func (p *process) end() {
	p.file.Close()
	p.cmd.Process.Kill()
	if p.ended = p.cmd.Wait(); p.ended == nil {
		p.ended = errors.New("it ended")
	}
}

// crashed is the status with which Go's run time ends a process after a fault in C.
const crashed = 2

// errLink says that the connection to the process is broken.
var errLink = errors.New("the connection is broken")

func (p *process) call(a *api.Action, args, opts []any, out io.Writer, alive func() error) (any, error) {
	body := &proto.Encoder{}
	mask, err := a.EncodeArgs(body, args, opts)
	if err != nil {
		return nil, &Error{Message: err.Error()}
	}
	e := &proto.Encoder{}
	h := proto.CallHeader(a.Proc, 0, 0, mask)
	h.Encode(e)
	if err := p.conn.WriteFrame(append(e.Buf, body.Buf...)); err != nil {
		return nil, errLink
	}
	if err := p.conn.Flush(); err != nil {
		return nil, errLink
	}
	for out != nil {
		ev, frame, err := p.conn.Next(&proto.Progress{})
		if err == nil && ev == proto.EventProgress {
			if alive != nil {
				if err := alive(); err != nil {
					return nil, err
				}
			}
			continue
		}
		if err != nil || ev != proto.EventFrame {
			return nil, errLink
		}
		c, err := proto.ParseChunk(frame)
		if err != nil {
			return nil, errLink
		}
		if c.End() {
			break
		}
		if _, err := out.Write(c.Data); err != nil {
			return nil, err // the rest is not needed
		}
	}
	return p.reply(a)
}

// reply reads the reply to a call of a; without one, to the start.
func (p *process) reply(a *api.Action) (any, error) {
	ev, frame, err := p.conn.Next(&proto.Progress{})
	if err != nil || ev != proto.EventFrame {
		return nil, errLink
	}
	d := proto.NewDecoder(frame)
	var h proto.Header
	h.Decode(d)
	if h.Status != proto.StatusOK {
		var b proto.ErrorBody
		b.Decode(d)
		if d.Err != nil {
			return nil, errLink
		}
		return nil, &Error{proto.ErrnoNumber(b.Errno), b.Message}
	}
	if d.Err != nil {
		return nil, errLink
	}
	if a == nil {
		return nil, nil
	}
	return a.DecodeRet(d)
}
