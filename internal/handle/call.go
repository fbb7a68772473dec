package handle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/api"
	"gofish/internal/proto"
	"gofish/internal/stdstate"
)

var guidSyntax = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// checkArgs finds mistakes that can be seen without the daemon.
func checkArgs(a *api.Action, args []any) error {
	if len(args) != len(a.Args) {
		return &CallError{Action: a.Name, Text: fmt.Sprintf("%d arguments given, %d expected", len(args), len(a.Args))}
	}
	for i, p := range a.Args {
		switch p.Kind {
		case api.KGUID:
			if s, _ := args[i].(string); !guidSyntax.MatchString(strings.Trim(s, "{}")) {
				return &CallError{Action: a.Name, Text: p.Name + ": parameter is not a valid GUID"}
			}
		case api.KFilename, api.KFilenameList:
			l, _ := args[i].([]string)
			if s, ok := args[i].(string); ok {
				l = []string{s}
			}
			for _, s := range l {
				if strings.Contains(s, "/") {
					return &CallError{Action: a.Name, Text: fmt.Sprintf("%s: '%s' is not a file name", p.Name, s)}
				}
			}
		case api.KBuffer:
			if b, _ := args[i].([]byte); len(b) >= proto.MaxMessage {
				return &CallError{Action: a.Name, Text: "size of input buffer too large"}
			}
		}
	}
	return nil
}

func notLaunched(a *api.Action) error {
	const text = "call launch before using this function\n(in guestfish, don't forget to use the 'run' command)"
	return &CallError{Action: a.Name, Text: text, Lines: true, Cause: types.ErrNotLaunched}
}

// remote does an action of the daemon.
func (h *Handle) remote(ctx context.Context, a *api.Action, args, opts []any) (any, error) {
	if h.State() != Ready {
		return nil, notLaunched(a)
	}
	if ctx.Err() != nil {
		return nil, errCancelledByUser
	}
	t := &transfer{h: h, action: a, link: h.link, serial: h.serial, cancelled: newFlag(), refused: newFlag()}
	h.serial++
	defer t.close()
	if err := t.open(ctx, args); err != nil {
		return nil, t.out.close(err)
	}
	msg, err := t.message(args, opts)
	if err != nil {
		return nil, t.out.close(err)
	}
	defer t.arm(ctx)()
	defer h.watch(a, t.link, t.in.rests() || t.out.rests())()
	frame, sendErr, err := t.exchange(msg)
	if err != nil {
		return nil, t.out.close(h.lost(a, err))
	}
	return t.result(frame, sendErr)
}

// open opens the file of the host that the call reads or writes, if there is one, and
// plugs it in if it is large.
func (t *transfer) open(ctx context.Context, args []any) (err error) {
	if i := t.action.FileParam(api.KFileIn); i >= 0 {
		if t.in, err = openSource(ctx, args[i]); err != nil {
			return &CallError{Errno: proto.ErrnoOf(err), Text: err.Error()}
		}
		t.bulk, err = t.h.bulkIn(ctx, t.in)
	}
	if i := t.action.FileParam(api.KFileOut); i >= 0 {
		if t.out, err = newDest(ctx, args[i]); err != nil {
			return &CallError{Text: err.Error()}
		}
		t.bulk, err = t.h.bulkOut(ctx, t.action, args, t.out)
	}
	return err
}

// close releases what open acquired. The destination has been closed with its result.
func (t *transfer) close() {
	if t.bulk {
		t.h.unplugBulk()
	}
	if t.in != nil {
		t.in.Close()
	}
}

// message is the call as it goes to the daemon.
func (t *transfer) message(args, opts []any) ([]byte, error) {
	body := proto.Encoder{Buf: make([]byte, 0, 512)}
	mask, err := t.action.EncodeArgs(&body, args, opts)
	if err != nil {
		return nil, &CallError{Text: err.Error()}
	}
	var hint uint64
	switch {
	case t.in != nil:
		hint = t.in.size
	case t.link.ours.Load():
		hint = proto.OursMark
		t.link.conn.Large(true)
	}
	msg := proto.Encoder{Buf: make([]byte, 0, proto.HeaderSize+len(body.Buf))}
	head := proto.CallHeader(t.action.Proc, t.serial, hint, mask)
	head.Encode(&msg)
	msg.Buf = append(msg.Buf, body.Buf...)
	if len(msg.Buf) > proto.MaxMessage {
		return nil, &CallError{Action: t.action.Name, Text: "dispatch failed to marshal args"}
	}
	return msg.Buf, nil
}

// exchange sends the call, with the file if one goes with it, and waits for the reply.
// sendErr is a failure on this side that ended the file early; err is one of the connection.
func (t *transfer) exchange(msg []byte) (frame []byte, sendErr, err error) {
	l := t.link
	l.writeMu.Lock()
	err = l.conn.WriteFrame(msg)
	if err == nil {
		err = l.conn.Flush()
	}
	l.writeMu.Unlock()
	switch {
	case err != nil:
		return nil, nil, err
	case t.in != nil:
		return t.send(t.in)
	case t.out != nil || l.ours.Load(): // it may work long before there is an answer
		t.listens()
	}
	frame, err = t.awaitFrame()
	return frame, nil, err
}

// result reads the reply, and receives the file that follows it.
func (t *transfer) result(frame []byte, sendErr error) (any, error) {
	if isOurs(frame) {
		t.link.ours.Store(true)
		t.link.conn.Large(true)
	}
	v, err := readReply(t.action, frame, t.serial)
	if t.late.Load() {
		broken := &LinkError{Action: t.action.Name, Text: "the daemon replied before it had read the file"}
		if err != nil {
			broken = &LinkError{Text: err.Error()}
		}
		err = broken
	}
	var broken *LinkError
	switch {
	case errors.As(err, &broken):
		return nil, t.out.close(t.h.broke(broken))
	case sendErr != nil:
		return nil, sendErr // an error of the daemon is its answer to our giving up
	case err != nil && t.cancelled.isSet() && (t.out != nil || errors.Is(err, syscall.EINTR)):
		return nil, t.out.close(errCancelledByUser)
	case err != nil:
		return nil, t.out.close(err)
	case t.out != nil:
		return nil, t.out.close(t.h.withShorter(t.receive(t.out), false))
	}
	return v, nil
}

// isOurs reports whether a reply comes from gofish's own daemon.
func isOurs(frame []byte) bool {
	var hd proto.Header
	dec := proto.NewDecoder(frame)
	hd.Decode(dec)
	return dec.Err == nil && hd.ProgressHint == proto.OursMark
}

// readReply takes the result, or the error, out of a reply. A *LinkError is a reply that
// a daemon in step with us never gives.
func readReply(a *api.Action, frame []byte, serial uint32) (any, error) {
	dec := proto.NewDecoder(frame)
	err := checkReply(a, dec, serial)
	var v any
	if err == nil {
		v, err = a.DecodeRet(dec)
		if err != nil {
			return nil, &LinkError{Action: a.Name, Text: err.Error()}
		}
	}
	if n := dec.Len(); n > 0 && !errors.As(err, new(*LinkError)) {
		return nil, &LinkError{Action: a.Name, Text: fmt.Sprintf("the reply has %d bytes too many", n)}
	}
	return v, err
}

// checkReply decodes the header of a reply and the error it may hold.
func checkReply(a *api.Action, dec *proto.Decoder, serial uint32) error {
	var hd proto.Header
	hd.Decode(dec)
	bad := func(format string, args ...any) error {
		return &LinkError{Action: a.Name, Text: fmt.Sprintf(format, args...)}
	}
	switch {
	case dec.Err != nil:
		return bad("failed to parse reply header")
	case hd.Prog != proto.Program:
		return bad("wrong program (%d/%d)", hd.Prog, uint32(proto.Program))
	case hd.Vers != proto.Version:
		return bad("wrong protocol version (%d/%d)", hd.Vers, proto.Version)
	case hd.Direction != proto.DirectionReply:
		return bad("unexpected message direction (%d/%d)", hd.Direction, proto.DirectionReply)
	}
	switch hd.Status {
	default:
		return bad("unexpected status of the reply (%d)", hd.Status)
	case proto.StatusOK:
	case proto.StatusError:
		var b proto.ErrorBody
		b.Decode(dec)
		if dec.Err != nil {
			return bad("failed to parse reply error")
		}
		// The daemon cannot know the serial of a call whose header it refused.
		return &CallError{Action: a.Name, Errno: proto.ErrnoNumber(b.Errno), Text: b.Message}
	}
	switch {
	case hd.Proc != a.Proc:
		return bad("unexpected procedure number (%d/%d)", hd.Proc, a.Proc)
	case hd.Serial != serial:
		return bad("unexpected serial (%d/%d)", hd.Serial, serial)
	}
	return nil
}

// lost handles a connection that failed in a call.
func (h *Handle) lost(a *api.Action, cause error) error {
	if l := h.link; l != nil {
		if l.killed.Load() {
			h.dropLink()
			return &LinkError{Action: a.Name, Text: "the appliance was ended by the user"}
		}
		if l.unheard.Load() {
			h.dropLink()
			return &LinkError{Action: a.Name, Text: l.unheardText()}
		}
		if limit := l.stalled.Load(); limit != nil {
			h.dropLink()
			return &LinkError{Action: a.Name, Text: stallText(*limit)}
		}
	}
	gone := cause == nil
	for _, e := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, os.ErrClosed, syscall.EPIPE, syscall.ECONNRESET} {
		gone = gone || errors.Is(cause, e)
	}
	if !gone {
		return h.broke(&LinkError{Action: a.Name, Text: "connection to the appliance failed: " + cause.Error()})
	}
	text := "appliance closed the connection unexpectedly"
	switch why := h.dropLink(); {
	case strings.HasPrefix(why, kernelCrashed):
		text = why
	case why != "":
		text += ": " + why
	}
	return &LinkError{Action: a.Name, Text: text}
}

// broke gives up a connection on which something impossible came. The other end is not
// asked for anything more.
func (h *Handle) broke(err *LinkError) error {
	if h.link != nil {
		h.link.abort()
	}
	h.dropLink()
	return err
}

// openLocal opens a host file. The names of the standard streams, and of others that are
// open and only read, mean the streams themselves: their position is shared, and they
// may be sockets.
func openLocal(ctx context.Context, name string, flags int) (*os.File, error) {
	fd, std := map[string]int{"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}[name]
	if number, ok := strings.CutPrefix(name, "/dev/fd/"); ok && flags == os.O_RDONLY {
		n, err := strconv.Atoi(number)
		fd, std = n, err == nil
	}
	if std {
		if flags == os.O_RDONLY && stdstate.Closed(fd) {
			return nil, errors.New(ClosedText)
		}
		n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, errText{proto.ErrnoOf(err)})
		}
		return os.NewFile(uintptr(n), name), nil
	}
	if fi, err := os.Stat(name); err == nil && fi.Mode()&os.ModeNamedPipe != 0 {
		return openFIFO(ctx, name, flags&unix.O_ACCMODE)
	}
	f, err := os.OpenFile(name, flags|syscall.O_NOCTTY, 0o666)
	if err != nil {
		e := proto.ErrnoOf(err)
		return nil, fmt.Errorf("%s: %w", name, errText{e})
	}
	return f, nil
}

// ClosedText is the error for a closed standard input, which must not be taken for an empty file.
const ClosedText = "standard input is closed: give it a file or a pipe (</dev/null for an empty one)"

// openFIFO waits until somebody has a FIFO open at its other end, or the call is
// cancelled. A plain open would wait in the kernel, where no signal reaches it.
func openFIFO(ctx context.Context, name string, mode int) (*os.File, error) {
	const interval = 50 * time.Millisecond
	f, err := os.OpenFile(name, mode|unix.O_NONBLOCK, 0)
	for ; proto.ErrnoOf(err) == unix.ENXIO && ctx.Err() == nil; f, err = os.OpenFile(name, mode|unix.O_NONBLOCK, 0) {
		time.Sleep(interval)
	}
	if err != nil && ctx.Err() == nil {
		return nil, fmt.Errorf("%s: %w", name, errText{proto.ErrnoOf(err)})
	}
	if err == nil && mode == os.O_RDONLY {
		// The first writer, or its end, is an event.
		Readable(f, func() bool { return ctx.Err() != nil })
	}
	if ctx.Err() == nil {
		return f, unix.SetNonblock(int(f.Fd()), false) // from here on it waits for data
	}
	if f != nil {
		f.Close()
	}
	return nil, errCancelledByUser
}

// errText is an error number with the C locale's text.
type errText struct{ syscall.Errno }

func (e errText) Error() string { return proto.Strerror(e.Errno) }
func (e errText) Unwrap() error { return e.Errno }

// SignalTime is how long we wait for a signal that has ended the writer of a pipe and is
// meant for its reader as well, such as Ctrl-C on a terminal.
const SignalTime = 20 * time.Millisecond

// Readable waits until something can be read from a file, or its end or an error. It is
// false if stop became true first.
func Readable(f *os.File, stop func() bool) bool {
	const interval = 50 * time.Millisecond
	raw, err := f.SyscallConn()
	for ready := err != nil; !ready; {
		cerr := raw.Control(func(fd uintptr) {
			fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
			n, err := unix.Poll(fds, int(interval.Milliseconds()))
			ready = n != 0 && err != unix.EINTR
		})
		if cerr != nil {
			break
		}
		if !ready && stop() {
			return false
		}
	}
	return true // the read returns the error
}
