package commands

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"gofish/internal/background"
	"gofish/internal/getopt"
	"gofish/internal/handle"
	"gofish/internal/proto"

	"golang.org/x/sys/unix"
)

// wantsListen looks for --listen without doing what options do.
func (p *Program) wantsListen() bool {
	listen := false
	getopt.Walk(optionTable(&Shell{prog: p}), p.Args, func(o *getopt.Option, arg *string) error {
		listen = listen || o.Long == "listen"
		return nil
	})
	return listen
}

// A read deadline that has passed, and none.
var (
	pastTime = time.Unix(1, 0)
	noTime   time.Time
)

// startServer runs the program again as a process that stays, waits until that
// one listens, and prints the line for the user's shell. It returns
// the status to exit with.
func (p *Program) startServer() int {
	fail := func(err error) int {
		fmt.Fprintf(p.Stderr, "%s: --listen: %v\n", p.Name, err)
		return 1
	}
	server, err := background.Start(append([]string{p.Name}, p.Args...), p.Stdin, p.Stdout, p.Stderr)
	if err != nil {
		return fail(err)
	}
	if server.Said == "" {
		return server.Status
	}
	if _, err := io.WriteString(p.Stdout, server.Said); err != nil {
		// Nobody would know of the server.
		server.Process.Signal(unix.SIGTERM)
		return fail(err)
	}
	return 0
}

// server is a shell that listens.
type server struct {
	*Shell
	socket   string
	listener *net.UnixListener
}

// checkListen says what goes with --listen and what does not.
func (s *Shell) checkListen() error {
	o := &s.opts
	switch {
	case !o.listen:
		return nil
	case o.remote != 0:
		return s.errorf("cannot use --listen and --remote options at the same time")
	case len(o.words) > 0:
		return s.errorf("extra parameters on the command line with --listen flag")
	case o.file != "":
		return s.errorf("cannot use --listen and --file options at the same time")
	}
	return nil
}

// listen makes the socket and does what clients ask for until one of them ends
// it or a signal comes.
func (s *Shell) listen() error {
	dir, err := s.remoteFolder()
	if err != nil {
		return err
	}
	removeDeadSockets(dir)
	srv := &server{Shell: s, socket: remoteSocket(dir, os.Getpid())}
	os.Remove(srv.socket) // an earlier process of that number is gone
	srv.listener, err = net.ListenUnix("unix", &net.UnixAddr{Name: srv.socket, Net: "unix"})
	if err != nil {
		return s.errorf("%s: %s", srv.socket, cause(err))
	}
	defer srv.stop()
	if err := srv.announce(); err != nil {
		return err
	}
	defer context.AfterFunc(s.ctx, func() { srv.listener.Close() })()
	for !s.quit && !s.failed {
		conn, err := srv.listener.AcceptUnix()
		if err != nil {
			if s.ctx.Err() == nil {
				return s.errorf("%s: %s", srv.socket, cause(err))
			}
			break
		}
		srv.serve(conn)
		conn.Close()
	}
	s.stopIfSignalled()
	return nil
}

// stop closes the socket and removes it.
func (s *server) stop() { s.listener.Close() }

// announce lets go of standard output, which the first process's caller waits
// for, and says how clients find the server.
func (s *server) announce() error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err == nil {
		err = unix.Dup3(int(null.Fd()), int(s.stdout.Fd()), 0)
	}
	if err != nil {
		return s.errorf("--listen: %s", cause(err))
	}
	null.Close()
	format := "GUESTFISH_PID=%d; export GUESTFISH_PID\n"
	if s.opts.csh {
		format = "setenv GUESTFISH_PID %d\n"
	}
	if err := s.prog.server.Say(fmt.Sprintf(format, os.Getpid())); err != nil {
		return s.errorf("--listen: %s", cause(err))
	}
	return nil
}

// serve does the calls of one client.
func (s *server) serve(conn *net.UnixConn) {
	defer context.AfterFunc(s.ctx, func() { conn.CloseRead() })()
	stdout, err := receiveFile(conn)
	if err != nil {
		s.say(s.errorf("remote: no standard output came from the client: %v", err))
		return
	}
	defer stdout.Close()
	rights := &rightsReader{conn: conn}
	defer rights.close()
	r := bufio.NewReader(rights)
	version, err := readRemoteString(r)
	if err != nil {
		s.say(s.errorf("remote: the client's version: %v", err))
		return
	}
	if version != s.prog.Version {
		s.say(s.errorf("remote: the client has version %q, the server %q; start both from one program", version, s.prog.Version))
		return
	}
	for !s.quit && !s.failed {
		call, err := readRemoteCall(r)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				s.say(s.errorf("remote: read the client's call: %v", err))
			}
			return
		}
		var answer proto.Encoder
		if s.remoteCommand(call, stdout, rights, r) {
			answer.Int32(0)
		} else {
			answer.Int32(-1)
		}
		switch {
		case s.failed:
			s.stop()
		case s.quit:
			// Whoever waits for the answer may count on the disks being flushed.
			s.finish()
			s.stop()
		}
		conn.Write(answer.Buf)
	}
}

// receiveFile takes the file that comes with a client's first byte.
func receiveFile(conn *net.UnixConn) (*os.File, error) {
	b, oob := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	n, oobn, _, _, err := conn.ReadMsgUnix(b, oob)
	if err == nil && n == 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if f := fileOf(oob[:oobn], "client's standard output"); f != nil {
		return f, nil
	}
	return nil, errors.New("no file came with the first byte")
}

// fileOf takes the first file out of a control message; nil if there is none.
func fileOf(oob []byte, name string) (f *os.File) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		fds, _ := unix.ParseUnixRights(&m)
		for _, fd := range fds {
			unix.CloseOnExec(fd)
			if f != nil {
				unix.Close(fd)
				continue
			}
			f = os.NewFile(uintptr(fd), name)
		}
	}
	return f
}

// rightsReader reads what a client sends, and keeps the file that comes with it, the
// client's standard input. guestfish sends none.
type rightsReader struct {
	conn  *net.UnixConn
	stdin *os.File
}

func (r *rightsReader) Read(p []byte) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4*4))
	n, oobn, _, _, err := r.conn.ReadMsgUnix(p, oob)
	n, oobn = max(n, 0), max(oobn, 0) // -1 with an error
	if f := fileOf(oob[:oobn], "client's standard input"); f != nil {
		r.close()
		r.stdin = f
	}
	if err == nil && n == 0 && len(p) > 0 {
		err = io.EOF
	}
	return n, err
}

func (r *rightsReader) close() {
	if r.stdin != nil {
		r.stdin.Close()
	}
}

// useStdin makes f what commands take for standard input.
func (s *Shell) useStdin(f *os.File) {
	s.streams.Lock()
	defer s.streams.Unlock()
	s.stdin, s.in = f, bufio.NewReader(f)
}

// remoteCommand runs one command with the client's standard streams. A client
// that disconnects cancels the call that is running. It reports whether the command succeeded.
func (s *server) remoteCommand(call remoteCall, stdout *os.File, rights *rightsReader, r *bufio.Reader) bool {
	if s.caller.Verbose() {
		fmt.Fprintf(s.prog.Stderr, "%s(%d): %s\n", s.prog.Name, os.Getpid(), strings.Join(append([]string{call.cmd}, call.args...), " "))
	}
	restore, err := s.divert(stdout)
	if err != nil {
		s.say(s.errorf("remote: %s", cause(err)))
		return false
	}
	own := s.stdin
	if rights.stdin != nil {
		s.useStdin(rights.stdin)
	}
	s.noStdin = rights.stdin == nil
	look := s.lookOut(rights.conn, r)
	if fi, err := s.stdin.Stat(); !s.noStdin && err == nil && !fi.Mode().IsRegular() {
		s.complete = look.complete
	}
	err = s.issue(call.cmd, call.args, nil)
	restore()
	s.useStdin(own)
	s.complete = nil
	left := look.end()
	if err != nil {
		s.say(err)
		// It is not a failure if the client ends, or whoever reads its output.
		s.failed = call.exitOnError && !left && !errors.Is(err, unix.EPIPE)
	}
	s.stopIfSignalled()
	return err == nil
}

// lookOut watches a client while its command runs.
type lookOut struct {
	s     *server
	conn  *net.UnixConn
	asked atomic.Bool   // whether its input is complete
	yes   chan struct{} // it is
	gone  chan struct{} // closed when the client has closed its connection
	ended chan struct{} // closed when the command has ended
	done  chan struct{} // closed when the connection is no longer read
}

func (s *server) lookOut(conn *net.UnixConn, r *bufio.Reader) *lookOut {
	l := &lookOut{s: s, conn: conn, yes: make(chan struct{}, 1)}
	l.gone, l.ended, l.done = make(chan struct{}), make(chan struct{}), make(chan struct{})
	go l.run(r)
	return l
}

func (l *lookOut) run(r *bufio.Reader) {
	defer close(l.done)
	_, err := r.Peek(1)
	for ; err == nil && l.asked.Swap(false); _, err = r.Peek(1) {
		r.Discard(1)
		l.yes <- struct{}{}
	}
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return // its next call, or this one has ended
	}
	close(l.gone)
	// A command is made of calls, and between them nothing can be cancelled.
	for {
		if c := l.s.running.Load(); c != nil {
			c.cancel()
		}
		select {
		case <-l.ended:
			return
		case <-time.After(handle.SignalTime):
		}
	}
}

// complete asks the client whether its input has really ended.
func (l *lookOut) complete() bool {
	l.asked.Store(true)
	var e proto.Encoder
	e.Int32(askComplete)
	l.conn.Write(e.Buf) // if that fails it has gone
	select {
	case <-l.yes:
		return true
	case <-l.done: // another call came; our clients send none before the answer
		return true
	case <-l.gone:
		return false
	}
}

// end ends the look-out. It reports whether the client has gone.
func (l *lookOut) end() bool {
	close(l.ended)
	// It ends with the reading side's time, not with the connection.
	l.conn.SetReadDeadline(pastTime)
	<-l.done
	l.conn.SetReadDeadline(noTime)
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

// removeDeadSockets removes sockets whose servers were killed.
func removeDeadSockets(dir string) {
	list, _ := filepath.Glob(filepath.Join(dir, "socket-*"))
	for _, name := range list {
		pid, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(name), "socket-"))
		if err == nil && pid > 0 && unix.Kill(pid, 0) == unix.ESRCH {
			os.Remove(name)
		}
	}
}
