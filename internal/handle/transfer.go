package handle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gofish/internal/api"
	"gofish/internal/proto"
)

// transfer is one call of the daemon, with the file that goes with it.
type transfer struct {
	h         *Handle
	link      *link // the handle may lose it while UserCancel runs
	action    *api.Action
	serial    uint32
	in        *source     // the file that is sent, nil if none
	out       *dest       // where received data goes, nil if there is none
	cancelled flag        // by the user
	refused   flag        // by the daemon: it wrote the cancel word
	late      atomic.Bool // the reply was there, and we were still writing
	ignored   int64       // bytes that came after our cancel word
	hears     atomic.Bool // the daemon takes our cancel word now
	told      atomic.Bool // our cancel word is written
	bulk      bool        // the file is plugged in as a disk
}

// flag is set once, and can be waited for.
type flag struct {
	once sync.Once
	ch   chan struct{}
}

func newFlag() flag { return flag{ch: make(chan struct{})} }

// set reports whether the flag was not set before.
func (f *flag) set() (first bool) {
	f.once.Do(func() {
		close(f.ch)
		first = true
	})
	return first
}

func (f *flag) isSet() bool {
	select {
	case <-f.ch:
		return true
	default:
		return false
	}
}

var errCancelledByUser = &CallError{Errno: syscall.EINTR, Text: "operation cancelled by user"}

// unheeded is how long a daemon may take to end a call that was cancelled.
var unheeded = 5 * time.Second

// arm makes UserCancel and ctx stop this call until stop is called. After that nothing
// more is written for it: the next call must not be met by its cancel word. (A word that
// was written before the reply was read is harmless: it comes before the next call, so
// the daemon knows which call it belongs to.)
func (t *transfer) arm(ctx context.Context) (stop func()) {
	h := t.h
	var giveUp *time.Timer
	over := false
	cancel := func() { // with cancelMu held
		if over || !t.cancelled.set() {
			return
		}
		if t.hears.Load() {
			t.stopDaemon()
		}
		giveUp = time.AfterFunc(unheeded, func() {
			h.cancelMu.Lock()
			defer h.cancelMu.Unlock()
			if !over {
				t.link.unheard.Store(true)
				t.link.abort()
			}
		})
	}
	h.cancelMu.Lock()
	outer := h.cancel
	h.cancel = cancel
	h.cancelMu.Unlock()
	unwatch := context.AfterFunc(ctx, func() {
		h.cancelMu.Lock()
		defer h.cancelMu.Unlock()
		cancel()
	})
	return func() {
		unwatch()
		h.cancelMu.Lock()
		defer h.cancelMu.Unlock()
		h.cancel, over = outer, true
		if giveUp != nil {
			giveUp.Stop()
		}
	}
}

// listens says that from now on the daemon takes the cancel word.
func (t *transfer) listens() {
	t.hears.Store(true)
	if t.cancelled.isSet() {
		t.stopDaemon()
	}
}

// unheardText says why a connection is given up after a call was cancelled.
func (l *link) unheardText() string {
	text := fmt.Sprintf("cancelled by user, but the daemon did not answer within %v: ", unheeded)
	if !l.ours.Load() {
		text = fmt.Sprintf("cancelled by user, but the daemon is not gofish's, so that only transfers can be ended, and did not answer within %v: ", unheeded)
	}
	if l.vm == nil {
		return text + "the connection was closed"
	}
	return text + "the appliance was ended"
}

// stopDaemon writes the cancel word, once.
func (t *transfer) stopDaemon() {
	if t.told.Swap(true) {
		return
	}
	l := t.link
	l.writeMu.Lock()
	defer l.writeMu.Unlock()
	// If the connection fails, the call's read reports it.
	l.conn.WriteWord(proto.CancelWord)
	l.conn.Flush()
}

// awaitFrame reads until a frame comes; progress becomes events, a cancel word
// of the daemon is noted.
func (t *transfer) awaitFrame() ([]byte, error) {
	for {
		var p proto.Progress
		ev, frame, err := t.link.conn.Next(&p)
		if err != nil {
			return nil, err
		}
		switch ev {
		case proto.EventFrame:
			return frame, nil
		case proto.EventProgress:
			t.h.emit(Event{Type: EventProgress, Progress: ProgressEvent{p.Proc, p.Serial, p.Position, p.Total}})
			if t.out != nil {
				t.out.total = p.Total
			}
		case proto.EventCancel:
			if !t.refused.set() {
				return nil, errors.New("the daemon has cancelled more than once")
			}
		case proto.EventLaunch:
			return nil, fmt.Errorf("received unexpected launch flag from daemon when expecting reply")
		}
	}
}

// send sends a file in chunks and returns the frame of the reply. sendErr is a
// failure on this side (or the user's wish) that ended the file early; err one
// of the connection.
//
// The reply is awaited while sending: the daemon may refuse at any time.
func (t *transfer) send(in *source) (frame []byte, sendErr, err error) {
	if t.bulk {
		return t.sendNothing()
	}
	type answer struct {
		frame []byte
		err   error
	}
	reply := make(chan answer, 1)
	written := make(chan struct{})
	go func() {
		f, err := t.awaitFrame()
		// A daemon replies when it has read all. One that does so earlier may leave us
		// writing for ever.
		select {
		case <-written:
		case <-time.After(lateWrite):
			t.late.Store(true)
			t.link.abort()
		}
		reply <- answer{f, err}
	}()
	conn := t.link.conn
	werr := func() error {
		for {
			if t.cancelled.isSet() {
				sendErr = errCancelledByUser
				return conn.WriteChunk(nil, true)
			}
			if t.refused.isSet() {
				return conn.WriteChunk(nil, true)
			}
			data, rerr := in.next(t.cancelled.ch, t.refused.ch)
			if rerr == io.EOF && in.rests() {
				time.Sleep(SignalTime)
			}
			if rerr == io.EOF && t.cancelled.isSet() {
				continue // do not pass half a file off as all of it
			}
			for len(data) > 0 {
				piece := data[:min(len(data), proto.MaxChunk)]
				data = data[len(piece):]
				if err := conn.WriteChunk(piece, false); err != nil {
					return err
				}
			}
			switch {
			case rerr == io.EOF:
				return conn.WriteChunk(nil, false)
			case rerr == errStopped:
				continue
			case rerr != nil:
				sendErr = streamError(in.name, "read", rerr)
				return conn.WriteChunk(nil, true)
			}
			if in.rests() { // pass on what came
				if err := conn.Flush(); err != nil {
					return err
				}
			}
		}
	}()
	if werr == nil {
		werr = conn.Flush()
	}
	close(written)
	if t.link.ours.Load() { // it has everything, and may work for long
		t.listens()
	}
	a := <-reply
	if werr != nil && a.err == nil {
		// The daemon's reply is more informative than our broken pipe.
		return a.frame, sendErr, nil
	}
	return a.frame, sendErr, a.err
}

// lateWrite is how long we may go on writing after the reply has come.
const lateWrite = 2 * time.Second

// maxIgnored is how much may still arrive from a daemon after we cancelled: data already
// on its way.
const maxIgnored = 64 << 20

// sendNothing ends the stream at once: the daemon reads the file from a disk. It
// is stopped by the cancel word.
func (t *transfer) sendNothing() (frame []byte, sendErr, err error) {
	conn := t.link.conn
	if err = conn.WriteChunk(nil, false); err == nil {
		err = conn.Flush()
	}
	if err != nil {
		return nil, nil, err
	}
	t.listens()
	frame, err = t.awaitFrame()
	if t.cancelled.isSet() {
		sendErr = errCancelledByUser
	}
	return frame, sendErr, err
}

// receive reads the chunks that follow a good reply into a host file.
func (t *transfer) receive(out *dest) error {
	t.listens()
	var failed error
	if out.w == nil {
		failed = out.open(os.O_WRONLY)
	}
	if failed != nil {
		t.stopDaemon()
	}
	size := int64(-1)
	end := errors.New("end")
	err := t.chunks(func(data []byte) error {
		if failed != nil || t.cancelled.isSet() {
			if t.ignored += int64(len(data)); t.ignored > maxIgnored {
				return errors.New("the daemon does not stop sending")
			}
			return nil
		}
		if t.bulk {
			size, failed = bulkSize(data)
		} else {
			failed = out.write(data, t.cancelled.ch)
		}
		if failed != nil {
			t.stopDaemon()
		}
		return nil
	}, end)
	switch {
	case err != nil && err != end:
		if failed != nil && t.ignored > maxIgnored {
			t.h.lost(t.action, err)
			return failed
		}
		return t.h.lost(t.action, err)
	case failed != nil:
		return failed
	case t.cancelled.isSet(): // even if the daemon was done: what came since was dropped
		return errCancelledByUser
	case err == nil && t.bulk && fullDisk(out.f):
		return out.failure("write", syscall.ENOSPC)
	case err == nil:
		return t.reason()
	case t.bulk && size < 0:
		return &CallError{Text: "the daemon did not say how much it wrote"}
	case t.bulk:
		if err := out.f.Truncate(size); err != nil {
			return out.failure("truncate", err)
		}
		if !out.named { // the next thing that the caller writes comes after it
			if _, err := out.f.Seek(size, io.SeekStart); err != nil {
				return out.failure("seek", err)
			}
		}
	}
	return nil
}

// reason is why the daemon ended a file early. The protocol has no place for it, so our
// own daemon is asked.
func (t *transfer) reason() error {
	t.hears.Store(false)
	err := t.h.quietly().InternalStreamError(context.Background())
	e := &CallError{}
	if !errors.As(err, &e) || isUnknownProcedure(err) {
		e = &CallError{Text: "file receive cancelled by daemon"}
	}
	e.Action = t.action.Name
	return e
}

// chunks gives each piece of data to use. It returns end at the regular end,
// nil when the daemon cancelled, and an error of the connection otherwise.
func (t *transfer) chunks(use func([]byte) error, end error) error {
	for {
		frame, err := t.awaitFrame()
		if err != nil {
			return err
		}
		c, err := proto.ParseChunk(frame)
		switch {
		case err != nil:
			return err
		case c.Cancelled:
			return nil
		case c.End():
			return end
		}
		if err := use(c.Data); err != nil {
			return err
		}
	}
}
