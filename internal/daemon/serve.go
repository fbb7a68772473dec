package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"gofish/internal/api"
	"gofish/internal/proto"
)

// Channel is the control connection. Pending reports, without waiting, whether
// something can be read.
type Channel interface {
	io.ReadWriter
	Pending() bool
}

// session serves one connection. It belongs to one goroutine.
type session struct {
	d    *Daemon
	ch   Channel
	conn *proto.Conn
	// proc and serial of the last valid call, echoed when a header is refused
	proc, serial uint32
	broken       error // of the connection, while a call was running
}

// Serve announces the daemon with the launch word and answers calls until the
// connection ends. The error is nil if the connection ended regularly.
func Serve(d *Daemon, ch Channel) error { return serve(d, ch, proto.NewConn(ch)) }

func serve(d *Daemon, ch Channel, conn *proto.Conn) error {
	s := &session{d: d, ch: ch, conn: conn}
	if err := s.conn.WriteWord(proto.LaunchWord); err != nil {
		return err
	}
	if err := s.conn.Flush(); err != nil {
		return err
	}
	for {
		ev, frame, err := s.conn.Next(&proto.Progress{})
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if ev != proto.EventFrame {
			continue // a cancel word that came too late, and belongs to the call before
		}
		if err := s.call(frame); err != nil {
			return err
		}
	}
}

// call answers one call. An error means that the connection cannot continue.
func (s *session) call(frame []byte) error {
	dec := proto.NewDecoder(frame)
	var h proto.Header
	h.Decode(dec)
	if dec.Err != nil {
		return fmt.Errorf("message of %d bytes is too short for a header", len(frame))
	}
	if err := checkHeader(&h); err != nil {
		return s.reply(nil, nil, err)
	}
	s.proc, s.serial = h.Proc, h.Serial
	a := api.All.ByProc(h.Proc)
	if a == nil {
		return s.reply(nil, nil, fmt.Errorf("dispatch_incoming_message: %s %d, set LIBGUESTFS_PATH to point to the matching libguestfs appliance directory", proto.UnknownProcedure, h.Proc))
	}

	started := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.d.call = ctx
	defer func() { s.d.call = context.Background() }()
	s.d.maxResult = proto.MaxMessage
	if h.ProgressHint == proto.OursMark && a.FileParam(api.KFileIn) < 0 {
		s.d.maxResult = proto.MaxResult
	}
	c := &Call{Context: ctx, Action: a, Hint: h.ProgressHint}
	meter := &progressMeter{s: s, start: started}
	c.progress = meter.update

	var in *fileIn
	var out *fileOut
	bulk := s.d.bulk
	if bulk != nil { // for this call and no other
		s.d.bulk = nil
		defer bulk.f.Close()
	}
	args, opts, err := s.prepare(a, &h, dec)
	if i := a.FileParam(api.KFileIn); i >= 0 {
		in = &fileIn{s: s, ctx: ctx, bulk: bulk}
		if h.ProgressHint > 0 && a.Progress {
			in.progress = func(n uint64) { meter.update(n, h.ProgressHint) }
		}
		if args != nil {
			args[i] = io.Reader(in)
		}
	}
	if i := a.FileParam(api.KFileOut); i >= 0 {
		out = &fileOut{s: s, ctx: ctx}
		if bulk != nil {
			out.sink = newSink(bulk)
		}
		if args != nil {
			args[i] = io.Writer(out)
		}
	}
	var result any
	if err == nil {
		if s.d.cfg.Verbose {
			fmt.Fprintf(os.Stderr, "gofishd: %s\n", a.Name)
		}
		stop := s.listen(in, cancel)
		result, err = s.invoke(c, a, args, opts)
		stop()
	}
	if s.broken != nil {
		return s.broken
	}
	if ctx.Err() != nil { // even if it completed: parts of it may have been skipped
		err = errCancelledByUser
	}
	// A reply before the end of the stream would put the client out of step.
	if in != nil {
		if derr := in.drain(err != nil); derr != nil {
			return derr
		}
		if in.cancelled && err == nil {
			err = errors.New("file upload cancelled")
		}
	}
	if s.d.cfg.Verbose {
		fmt.Fprintf(os.Stderr, "gofishd: %s took %v: %v\n", a.Name, time.Since(started), err)
	}
	if err == nil {
		meter.finish()
	}
	if out != nil {
		return out.finish(err)
	}
	return s.reply(a, result, err)
}

// errCancelledByUser answers a call that the client has cancelled.
var errCancelledByUser = fmt.Errorf("operation cancelled by user%w", errnoOnly(syscall.EINTR))

// attention is how long a call may take before the daemon checks whether the client
// has cancelled it, and how often it checks from then on. Most calls are over by then, and pay nothing for it.
const attention = 50 * time.Millisecond

// listen calls cancel when the client cancels the current call or goes away,
// until stop is called. In a stream the client says so in place of its data, so
// there only the reader of the stream may read.
func (s *session) listen(in *fileIn, cancel func()) (stop func()) {
	over, done := make(chan struct{}), make(chan struct{})
	timer := time.AfterFunc(attention, func() {
		defer close(done)
		tick := time.NewTicker(attention)
		defer tick.Stop()
		for {
			if (in == nil || in.bulk != nil || in.done.Load()) && s.hearCancel(in) {
				cancel()
				return
			}
			select {
			case <-over:
				return
			case <-tick.C:
			}
		}
	})
	return func() {
		close(over)
		if !timer.Stop() {
			<-done
		}
	}
}

// hearCancel reads what has arrived and reports whether it ends the call.
func (s *session) hearCancel(in *fileIn) bool {
	for s.conn.Buffered() > 0 || s.ch.Pending() {
		ev, frame, err := s.conn.Next(&proto.Progress{})
		switch {
		case err != nil:
			s.broken = err
			return true
		case ev == proto.EventCancel:
			return true
		case ev == proto.EventFrame && in != nil: // the stream that a disk replaces
			if c, err := proto.ParseChunk(frame); err == nil && (c.End() || c.Cancelled) {
				in.done.Store(true)
			}
		}
	}
	return false
}

func checkHeader(h *proto.Header) error {
	switch {
	case h.Prog != proto.Program:
		return fmt.Errorf("wrong program (%d)", h.Prog)
	case h.Vers != proto.Version:
		return fmt.Errorf("wrong protocol version (%d)", h.Vers)
	case h.Direction != proto.DirectionCall:
		return fmt.Errorf("unexpected message direction (%d)", h.Direction)
	case h.Status != proto.StatusOK:
		return fmt.Errorf("unexpected message status (%d)", h.Status)
	}
	return nil
}

// prepare checks a call and makes its arguments what the handler expects, in
// libguestfs's order: group, option mask, decoding, each argument.
func (s *session) prepare(a *api.Action, h *proto.Header, dec *proto.Decoder) ([]any, []any, error) {
	if a.Group != "" {
		if ok := s.d.groupAvailable(a.Group); ok != available {
			return nil, nil, fmt.Errorf("feature '%s' is not available in this build of libguestfs. Read 'AVAILABILITY' in the guestfs(3) man page for how to check for the availability of features.: %w", a.Group, errnoOnly(syscall.ENOTSUP))
		}
	}
	if len(a.Opts) == 0 && h.OptMask != 0 {
		return nil, nil, errors.New("header optargs_bitmask field must be passed as 0 for calls that don't take optional arguments")
	}
	if h.OptMask>>len(a.Opts) != 0 {
		return nil, nil, errors.New("unknown option in optional arguments bitmask (this can happen if a program is compiled against a newer version of libguestfs, then dynamically linked to an older version)")
	}
	args, opts, err := a.DecodeArgs(dec, h.OptMask)
	if err != nil {
		return nil, nil, err
	}
	needRoot := a.NeedsRoot()
	s.d.root.Keep(needRoot)
	for i, p := range a.Args {
		v, err := s.d.convert(p.Kind, args[i])
		if err != nil {
			return nil, nil, err
		}
		args[i] = v
	}
	if needRoot && !s.d.root.Held() && !s.d.mounted() {
		return nil, nil, errNotMounted
	}
	return args, opts, nil
}

// convert checks one argument and gives it the type of its kind.
func (d *Daemon) convert(k api.Kind, v any) (any, error) {
	switch k {
	case api.KDevice:
		return d.devices.Translate(v.(string))
	case api.KDeviceList:
		devs := []Device{}
		for _, s := range v.([]string) {
			dev, err := d.devices.Translate(s)
			if err != nil {
				return nil, err
			}
			devs = append(devs, dev)
		}
		return devs, nil
	case api.KPathname:
		return absolute(v.(string))
	case api.KPathnameList:
		paths := []Path{}
		for _, s := range v.([]string) {
			p, err := absolute(s)
			if err != nil {
				return nil, err
			}
			paths = append(paths, p)
		}
		return paths, nil
	case api.KMountable:
		return d.devices.Mountable(v.(string))
	case api.KDevOrPath:
		s := v.(string)
		if d.looksLikeDevice(s) {
			dev, err := d.devices.Translate(s)
			return DevOrPath{Device: dev}, err
		}
		p, err := d.pathArg(s)
		return DevOrPath{Path: p}, err
	case api.KMountableOrPath:
		s := v.(string)
		if !strings.HasPrefix(s, "/") || d.looksLikeDevice(s) {
			m, err := d.devices.Mountable(s)
			return MountableOrPath{Mountable: m}, err
		}
		p, err := d.pathArg(s)
		return MountableOrPath{Path: p}, err
	}
	return v, nil
}

// pathArg is the path half of a parameter that may also be a device.
func (d *Daemon) pathArg(s string) (Path, error) {
	if !d.mounted() {
		return "", errNotMounted
	}
	return absolute(s)
}

// looksLikeDevice decides between the two readings of a name. The shell's prefixes
// dev: and file: come as /dev//NAME and //PATH.
func (d *Daemon) looksLikeDevice(s string) bool {
	if strings.HasPrefix(s, "/dev//") {
		return true
	}
	if strings.HasPrefix(s, "/dev/sd") {
		return true
	}
	if !strings.HasPrefix(s, "/dev/") {
		return false
	}
	_, err := d.devices.Translate(s)
	return err == nil
}

func absolute(s string) (Path, error) {
	if !strings.HasPrefix(s, "/") {
		return "", errors.New("path must start with a / character")
	}
	return Path(s), nil
}

// invoke runs the handler; a panic becomes an error.
func (s *session) invoke(c *Call, a *api.Action, args, opts []any) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(os.Stderr, "gofishd: %s: panic: %v\n%s", a.Name, r, debug.Stack())
			result, err = nil, fmt.Errorf("internal error in the daemon: %v (a bug in gofish: please report it with the arguments of the call)", r)
		}
	}()
	s.d.kernel.forget()
	if a.Library != "" {
		result, err = s.d.callLibrary(c, args, opts)
	} else {
		result, err = s.d.funcs[a.Name].Call(c, args, opts)
	}
	return result, s.d.heard(a, args, s.d.named(args, err))
}

// errorBody converts an error for the wire.
func errorBody(err error) *proto.ErrorBody {
	b := &proto.ErrorBody{Message: err.Error()}
	var silent errnoOnly
	if errors.As(err, &silent) {
		b.Message = strings.TrimSuffix(b.Message, ": ")
	}
	var e syscall.Errno
	if errors.As(err, &e) {
		b.Errno = proto.ErrnoName(e)
		b.Message = proto.WithStrerror(b.Message, e)
	}
	return b
}

// replyHeader also tells the client that this is gofish's daemon.
func (s *session) replyHeader(status uint32) proto.Header {
	h := proto.ReplyHeader(s.proc, s.serial, status)
	h.ProgressHint = proto.OursMark
	return h
}

// reply sends the one reply of a call that streams nothing to the client.
func (s *session) reply(a *api.Action, result any, err error) error {
	e := &proto.Encoder{Buf: make([]byte, 0, 512)}
	if err == nil {
		h := s.replyHeader(proto.StatusOK)
		h.Encode(e)
		if a != nil {
			err = a.EncodeRet(e, a.TranslateDevices(result, s.d.devices.Reverse))
		}
		if err == nil && len(e.Buf) > s.d.maxResult {
			err = s.d.tooLarge()
		}
	}
	if err != nil {
		e.Buf = e.Buf[:0]
		h := s.replyHeader(proto.StatusError)
		h.Encode(e)
		errorBody(err).Encode(e)
	}
	s.conn.Large(s.d.maxResult > proto.MaxMessage)
	defer s.conn.Large(false)
	if err := s.conn.WriteFrame(e.Buf); err != nil {
		return err
	}
	return s.conn.Flush()
}
