package commands

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gofish/internal/api"
	"gofish/internal/handle"
	"gofish/internal/proto"
	"gofish/internal/trust"

	"golang.org/x/sys/unix"
)

// Remote control: a shell that was started with --listen keeps its handle, and
// others, started with --remote, have it do single commands. On a connection
// the client sends a zero byte with its standard output attached, then in XDR
// its version, then calls; each is answered by a number, 0 or -1. Standard input
// is attached to what follows the first byte, where guestfish does not look for it.
//
// A pipe at its end may be complete, or its writer and the client may have been ended
// together. So the server asks: it sends askComplete, and a
// client that is well answers with a zero byte.

// remoteCall is one command for a server.
type remoteCall struct {
	cmd         string
	args        []string
	exitOnError bool // a failure ends the server
}

const askComplete = 1

// What one call may hold. A command line is shorter than that.
const (
	maxRemoteString = 4 << 20
	maxRemoteArgs   = 1 << 16
)

var errRemoteSize = errors.New("a string or list of the call is too long")

func (c *remoteCall) encode(e *proto.Encoder) {
	e.String(c.cmd)
	e.Strings(c.args)
	e.Bool(c.exitOnError)
}

func readRemoteCall(r *bufio.Reader) (c remoteCall, err error) {
	if c.cmd, err = readRemoteString(r); err != nil {
		return c, err
	}
	n, err := readRemoteInt(r)
	if err == nil && n > maxRemoteArgs {
		err = errRemoteSize
	}
	total := 0
	for ; n > 0 && err == nil; n-- {
		var arg string
		arg, err = readRemoteString(r)
		if total += len(arg); err == nil && total > maxRemoteString {
			err = errRemoteSize
		}
		c.args = append(c.args, arg)
	}
	if err != nil {
		return c, err
	}
	flag, err := readRemoteInt(r)
	c.exitOnError = flag != 0
	return c, err
}

func readRemoteInt(r io.Reader) (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(r, b[:])
	return binary.BigEndian.Uint32(b[:]), err
}

func readRemoteString(r io.Reader) (string, error) {
	n, err := readRemoteInt(r)
	if err == nil && n > maxRemoteString {
		err = errRemoteSize
	}
	if err != nil {
		return "", err
	}
	b := make([]byte, (n+3)&^3)
	_, err = io.ReadFull(r, b)
	return string(b[:n]), err
}

// remoteFolder is where the sockets of this user's servers are; guestfish's are
// there too.
func (s *Shell) remoteFolder() (string, error) {
	dir, err := trust.Shared()
	if err != nil {
		return "", s.errorf("%v", err)
	}
	return dir, nil
}

func remoteSocket(dir string, pid int) string {
	return filepath.Join(dir, "socket-"+strconv.Itoa(pid))
}

// setRemote reads the argument of --remote; without one the variable that
// --listen's line sets tells the server.
func (o *options) setRemote(s *Shell, arg *string) error {
	from, text := "--remote=PID", os.Getenv("GUESTFISH_PID")
	switch {
	case arg != nil:
		text = *arg
	case text == "":
		return s.errorf("remote: $GUESTFISH_PID must be set to the PID of the remote process")
	default:
		from = "remote"
	}
	n := len(text) - len(strings.TrimLeft(text, "0123456789"))
	pid, err := strconv.ParseInt(text[:n], 10, 32)
	if err != nil || pid <= 0 {
		return s.errorf("%s: PID was not a number: %s", from, text)
	}
	o.remote = int(pid)
	return nil
}

// checkServer refuses wishes that only the server can fulfil, unless it was started with
// them.
func (s *Shell) checkServer() error {
	words := func(file string) []string {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.opts.remote, file))
		return strings.Split(string(b), "\x00")
	}
	if s.opts.json && !slices.Contains(words("cmdline"), "--json") {
		return s.errorf("--json has to be given to --listen: the server prints the results")
	}
	if on, _ := boolean(envOr("", "GOFISH_UNTRUSTED", "LIBGUESTFS_UNTRUSTED")); !s.opts.Untrusted && !on {
		return nil
	}
	has := slices.Contains(words("cmdline"), "--untrusted")
	for _, v := range words("environ") {
		name, value, _ := strings.Cut(v, "=")
		on, _ := boolean(value)
		has = has || on && (name == "GOFISH_UNTRUSTED" || name == "LIBGUESTFS_UNTRUSTED")
	}
	if !has {
		return s.errorf("--untrusted has to be given to --listen: the server opens the images")
	}
	return nil
}

// callRemote has the server do a command. Standard input and output go there with it.
func (s *Shell) callRemote(name string, args []string) error {
	stdin, args, done, err := s.remoteInput(name, args)
	if err != nil {
		return err
	}
	defer done()
	dir, err := s.remoteFolder()
	if err != nil {
		return err
	}
	socket := remoteSocket(dir, s.opts.remote)
	gone := s.errorf("remote: looks like the server is not running")
	if err := unix.Kill(s.opts.remote, 0); err == unix.ESRCH {
		return gone
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return join(fmt.Errorf("%s: %s", socket, cause(err)), gone)
	}
	defer conn.Close()
	// The server cancels the call of a client that has gone.
	defer context.AfterFunc(s.ctx, func() { conn.Close() })()
	var e proto.Encoder
	e.String(s.prog.Version)
	call := remoteCall{name, args, s.strict}
	call.encode(&e)
	s.out.Flush()
	// What fails to be written shows when no answer comes.
	conn.WriteMsgUnix([]byte{0}, unix.UnixRights(int(s.stdout.Fd())), nil)
	conn.WriteMsgUnix(e.Buf, unix.UnixRights(int(stdin.Fd())), nil)
	answer, err := readRemoteInt(conn)
	for err == nil && answer == askComplete {
		time.Sleep(handle.SignalTime)
		if s.ctx.Err() != nil {
			break
		}
		conn.Write([]byte{0})
		answer, err = readRemoteInt(conn)
	}
	switch {
	case s.ctx.Err() != nil:
		return errReported
	case err != nil:
		return s.errorf("protocol error: could not decode reply from server")
	case answer != 0:
		return errReported
	}
	return nil
}

// remoteInput finds out what the server is to read for a command: our standard input, or
// if lines of it were read ahead these too, or the text behind a -<< word, which is
// then a -.
func (s *Shell) remoteInput(name string, args []string) (stdin *os.File, words []string, done func(), err error) {
	c := converter{s: s, cmd: name}
	e := lookup(name)
	if e == nil || e.action == nil {
		return s.stdin, args, func() {}, nil
	}
	words = append([]string(nil), args...)
	stdin, done = s.stdin, func() {}
	n := 0
	for _, p := range e.action.Args {
		if p.Kind == api.KKey {
			continue
		}
		if p.Kind == api.KFileIn && n < len(words) && (words[n] == "-" || strings.HasPrefix(words[n], "-<<")) {
			if words[n] == "-" && s.in.Buffered() == 0 {
				break
			}
			file, err := c.fileIn(words[n])
			if err == nil {
				stdin, err = os.Open(file)
			}
			if err != nil {
				c.clean()
				return nil, nil, nil, err
			}
			words[n] = "-"
			return stdin, words, func() { stdin.Close(); c.clean() }, nil
		}
		n++
	}
	return stdin, words, done, nil
}
