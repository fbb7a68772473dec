package handle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"syscall"

	"gofish/internal/api"
	"gofish/internal/proto"
)

// transfer is the part of a call that moves a file, or waits for its reply.
type transfer struct {
	h         *Handle
	action    *api.Action
	cancelled atomic.Bool // by the user
	refused   atomic.Bool // by the daemon: it wrote the cancel word
	receiving atomic.Bool // the daemon sends, so our cancel word tells it to stop
	told      atomic.Bool // our cancel word is written
}

var errCancelledByUser = &CallError{Errno: syscall.EINTR, Text: "operation cancelled by user"}

// arm makes UserCancel and ctx stop this transfer until stop is called.
func (t *transfer) arm(ctx context.Context) (stop func()) {
	h := t.h
	h.cancelMu.Lock()
	h.cancel = func() {
		t.cancelled.Store(true)
		if t.receiving.Load() {
			t.stopDaemon()
		}
	}
	h.cancelMu.Unlock()
	unwatch := context.AfterFunc(ctx, h.UserCancel)
	return func() {
		unwatch()
		h.cancelMu.Lock()
		h.cancel = nil
		h.cancelMu.Unlock()
	}
}

// stopDaemon writes the cancel word, once.
func (t *transfer) stopDaemon() {
	if t.told.Swap(true) {
		return
	}
	l := t.h.link
	l.writeMu.Lock()
	defer l.writeMu.Unlock()
	// A failing connection shows where the call reads.
	l.conn.WriteWord(proto.CancelWord)
	l.conn.Flush()
}

// awaitFrame reads until a frame comes; progress becomes events, a cancel word
// of the daemon is noted.
func (t *transfer) awaitFrame() ([]byte, error) {
	for {
		var p proto.Progress
		ev, frame, err := t.h.link.conn.Next(&p)
		if err != nil {
			return nil, err
		}
		switch ev {
		case proto.EventFrame:
			return frame, nil
		case proto.EventProgress:
			t.h.emit(Event{Type: EventProgress, Progress: ProgressEvent{p.Proc, p.Serial, p.Position, p.Total}})
		case proto.EventCancel:
			t.refused.Store(true)
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
	type answer struct {
		frame []byte
		err   error
	}
	reply := make(chan answer, 1)
	go func() {
		f, err := t.awaitFrame()
		reply <- answer{f, err}
	}()
	conn := t.h.link.conn
	// Read in larger pieces than a chunk: fewer system calls. Pipes and
	// terminals give what they have.
	buf := make([]byte, 16*proto.MaxChunk)
	werr := func() error {
		for {
			if t.cancelled.Load() {
				sendErr = errCancelledByUser
				return conn.WriteChunk(nil, true)
			}
			if t.refused.Load() {
				return conn.WriteChunk(nil, true)
			}
			n, rerr := in.Read(buf)
			for b := buf[:n]; len(b) > 0; {
				piece := b[:min(len(b), proto.MaxChunk)]
				b = b[len(piece):]
				if err := conn.WriteChunk(piece, false); err != nil {
					return err
				}
			}
			switch {
			case rerr == io.EOF:
				return conn.WriteChunk(nil, false)
			case rerr != nil:
				sendErr = &CallError{Errno: errnoOf(rerr), Text: fmt.Sprintf("%s: read: %v", in.Name(), errText{errnoOf(rerr)})}
				return conn.WriteChunk(nil, true)
			}
			if in.size == 0 { // no regular file: pass on what came
				if err := conn.Flush(); err != nil {
					return err
				}
			}
		}
	}()
	if werr == nil {
		werr = conn.Flush()
	}
	a := <-reply
	if werr != nil && a.err == nil {
		// The daemon's reply says more than our broken pipe.
		return a.frame, sendErr, nil
	}
	return a.frame, sendErr, a.err
}

// receive reads the chunks that follow a good reply into a host file. A file
// that this call made is removed when it fails.
func (t *transfer) receive(name string) error {
	t.receiving.Store(true)
	defer t.receiving.Store(false)
	_, statErr := os.Lstat(name)
	f, ferr := openLocal(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	var failed error
	switch {
	case ferr != nil:
		failed = &CallError{Errno: errnoOf(ferr), Text: ferr.Error()}
		t.stopDaemon()
	case t.cancelled.Load():
		t.stopDaemon()
	}
	end := errors.New("end")
	err := t.chunks(func(data []byte) {
		if failed != nil || t.cancelled.Load() {
			return
		}
		if _, err := f.Write(data); err != nil {
			e := errnoOf(err)
			failed = &CallError{Errno: e, Text: fmt.Sprintf("%s: write: %v", name, errText{e})}
			t.stopDaemon()
		}
	}, end)
	if f != nil {
		if cerr := f.Close(); cerr != nil && failed == nil {
			e := errnoOf(cerr)
			failed = &CallError{Errno: e, Text: fmt.Sprintf("%s: close: %v", name, errText{e})}
		}
	}
	switch {
	case err == end:
		// complete, unless it failed here
	case err != nil:
		failed = t.h.lost(t.action, err)
	case failed != nil:
	case t.cancelled.Load():
		failed = errCancelledByUser
	default:
		failed = &CallError{Text: "file receive cancelled by daemon"}
	}
	if failed != nil && f != nil && errors.Is(statErr, os.ErrNotExist) {
		os.Remove(name)
	}
	return failed
}

// chunks gives each piece of data to use. It returns end at the regular end,
// nil when the daemon cancelled, and an error of the connection otherwise.
func (t *transfer) chunks(use func([]byte), end error) error {
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
		use(c.Data)
	}
}
