package daemon

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"gofish/internal/proto"
)

// errCancelled is what a handler sees when the client stops a transfer.
var errCancelled = errors.New("file upload cancelled")

// fileIn reads the file that follows a call.
type fileIn struct {
	s         *session
	ctx       context.Context // of the call
	left      []byte
	done      atomic.Bool // end or cancel chunk seen: what comes now is not part of the stream
	cancelled bool        // by the client
	pos       uint64
	progress  func(pos uint64)

	bulk     *bulkDisk // the data is here, not in chunks
	bulkDone bool
	hole     int64 // this many zeros come before left
	buf      []byte
}

// ended reports whether all data has been given out.
func (f *fileIn) ended() bool {
	if f.bulk != nil {
		return f.bulkDone
	}
	return f.done.Load()
}

func (f *fileIn) Read(p []byte) (int, error) {
	for len(f.left) == 0 {
		if f.hole > 0 {
			n := min(int64(len(p)), f.hole)
			clear(p[:n])
			f.hole -= n
			return int(n), nil
		}
		if f.cancelled || f.ctx.Err() != nil {
			return 0, errCancelled
		}
		if f.ended() {
			return 0, io.EOF
		}
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, f.left)
	f.left = f.left[n:]
	return n, nil
}

// skipper is a writer that can leave a hole.
type skipper interface{ Skip(n int64) error }

// passHole writes the zeros of a hole, or leaves a hole.
func (f *fileIn) passHole(w io.Writer) (n int64, err error) {
	if s, ok := w.(skipper); ok {
		n, err = f.hole, s.Skip(f.hole)
		f.hole = 0
		return n, err
	}
	zeroes := make([]byte, bulkBuffer)
	for f.hole > 0 {
		if f.ctx.Err() != nil {
			return n, errCancelled
		}
		m, err := w.Write(zeroes[:min(f.hole, bulkBuffer)])
		n, f.hole = n+int64(m), f.hole-int64(m)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// WriteTo saves the copy through a buffer that io.Copy would make.
func (f *fileIn) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for {
		if f.hole > 0 {
			n, err := f.passHole(w)
			total += n
			if err != nil {
				return total, err
			}
		}
		if len(f.left) > 0 {
			n, err := w.Write(f.left)
			total += int64(n)
			f.left = nil
			if err != nil {
				return total, err
			}
		}
		if f.cancelled || f.ctx.Err() != nil {
			return total, errCancelled
		}
		if f.ended() {
			return total, nil
		}
		if err := f.next(); err != nil {
			return total, err
		}
	}
}

var errBadChunk = errors.New("failed to decode file chunk")

// next takes one chunk from the connection.
func (f *fileIn) next() error {
	if f.bulk != nil && !f.bulkDone {
		return f.nextBulk()
	}
	return f.nextChunk()
}

func (f *fileIn) nextChunk() error {
	ev, frame, err := f.s.conn.Next(&proto.Progress{})
	if err != nil {
		return err
	}
	if ev != proto.EventFrame {
		return nil
	}
	c, err := proto.ParseChunk(frame)
	if err != nil {
		return errBadChunk
	}
	switch {
	case c.Cancelled:
		f.cancelled = true
		f.done.Store(true)
	case c.End():
		f.done.Store(true)
	default:
		f.left = c.Data
		f.pos += uint64(len(c.Data))
		if f.progress != nil {
			f.progress(f.pos)
		}
	}
	return nil
}

// drain reads the stream to its end. If the call has failed before that, the
// client is asked to stop sending. The error is one of the connection.
func (f *fileIn) drain(failed bool) error {
	f.left = nil
	if f.done.Load() {
		return nil
	}
	if failed {
		if err := f.s.conn.WriteWord(proto.CancelWord); err != nil {
			return err
		}
		if err := f.s.conn.Flush(); err != nil {
			return err
		}
	}
	f.progress = nil
	for !f.done.Load() {
		if err := f.nextChunk(); err != nil && err != errBadChunk {
			return err
		}
		f.left = nil
	}
	if failed {
		f.cancelled = false // this daemon asked for the end, not the client
	}
	return nil
}

// fileOut sends a file to the client. The reply leaves with the first data, so
// a handler that fails before writing anything has an ordinary error.
type fileOut struct {
	s         *session
	ctx       context.Context // of the call
	replied   bool
	cancelled bool
	buf       []byte
	sink      *sink
}

// errReceiverGone is what a handler sees when the client does not want more data.
var errReceiverGone = errors.New("file download cancelled by the client")

func (f *fileOut) start() error {
	if f.replied {
		return nil
	}
	f.replied = true
	e := &proto.Encoder{}
	h := f.s.replyHeader(proto.StatusOK)
	h.Encode(e)
	return f.s.conn.WriteFrame(e.Buf)
}

func (f *fileOut) Write(p []byte) (int, error) {
	if f.cancelled {
		return 0, errReceiverGone
	}
	if err := f.start(); err != nil {
		return 0, err
	}
	if f.sink != nil {
		if err := f.look(); err != nil {
			return 0, err
		}
		return f.sink.Write(p)
	}
	total := len(p)
	for len(p) > 0 {
		if len(f.buf) == 0 && len(p) >= proto.MaxChunk {
			if err := f.chunk(p[:proto.MaxChunk]); err != nil {
				return total - len(p), err
			}
			p = p[proto.MaxChunk:]
			continue
		}
		n := min(proto.MaxChunk-len(f.buf), len(p))
		f.buf = append(f.buf, p[:n]...)
		p = p[n:]
		if len(f.buf) == proto.MaxChunk {
			if err := f.chunk(f.buf); err != nil {
				return total - len(p), err
			}
			f.buf = f.buf[:0]
		}
	}
	return total, nil
}

// Flush sends what has been written so far, for a client that wants to see it now.
func (f *fileOut) Flush() error {
	if f.cancelled || f.sink != nil || len(f.buf) == 0 {
		return nil
	}
	if err := f.chunk(f.buf); err != nil {
		return err
	}
	f.buf = f.buf[:0]
	return f.s.conn.Flush()
}

// Skip leaves a hole in a file that goes to a disk. What came before it ends with a block.
func (f *fileOut) Skip(n int64) error {
	if f.cancelled {
		return errReceiverGone
	}
	if err := f.start(); err != nil {
		return err
	}
	if err := f.look(); err != nil {
		return err
	}
	return f.sink.skip(n)
}

func (f *fileOut) chunk(data []byte) error {
	if err := f.look(); err != nil {
		return err
	}
	return f.s.conn.WriteChunk(data, false)
}

// look fails when the client does not want more data.
func (f *fileOut) look() error {
	if f.ctx.Err() != nil {
		f.cancelled = true
		return errReceiverGone
	}
	return nil
}

// finish ends the stream, or replies with the error if it has not begun.
func (f *fileOut) finish(err error) error {
	if err != nil && !f.replied {
		return f.s.reply(nil, nil, err)
	}
	if err2 := f.start(); err2 != nil {
		return err2
	}
	if err == nil && len(f.buf) > 0 {
		if err = f.chunk(f.buf); err != nil && !f.cancelled {
			return err
		}
	}
	if f.sink != nil && err == nil {
		var size int64
		if size, err = f.sink.close(); err == nil {
			if err2 := f.s.conn.WriteChunk(binary.BigEndian.AppendUint64(nil, uint64(size)), false); err2 != nil {
				return err2
			}
		}
	}
	f.s.d.streamErr = err
	if err2 := f.s.conn.WriteChunk(nil, err != nil); err2 != nil {
		return err2
	}
	return f.s.conn.Flush()
}

// InternalStreamError returns the error that finish has kept: after the beginning of a stream the
// protocol can only say that it failed, but not why.
func (d Actions) InternalStreamError() error { return d.streamErr }

// patiently does work that sends nothing for a long time: meanwhile the client is told that it is
// still going on.
func patiently(c *Call, work func() error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("internal error in the daemon: %v", p)
			}
		}()
		done <- work()
	}()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			return err
		case <-tick.C:
			c.Progress(0, 1)
		}
	}
}

// progressMeter sends progress messages at the protocol's rate: the first after
// two seconds, then at most three a second, and the last one if any was sent.
type progressMeter struct {
	s           *session
	start, last time.Time
	sent        bool
	total       uint64
}

const (
	progressFirst = 2 * time.Second
	progressEvery = 333333 * time.Microsecond
)

func (m *progressMeter) update(pos, total uint64) {
	m.total = total
	now := time.Now()
	if pos < total || !m.sent {
		if now.Sub(m.start) < progressFirst || now.Sub(m.last) < progressEvery {
			return
		}
	}
	m.send(pos, total, now)
}

func (m *progressMeter) send(pos, total uint64, now time.Time) {
	m.sent, m.last = true, now
	// A broken connection is noticed at the reply.
	m.s.conn.WriteProgress(proto.Progress{Proc: m.s.proc, Serial: m.s.serial, Position: pos, Total: total})
}

func (m *progressMeter) finish() {
	if m.sent && m.total > 0 {
		m.send(m.total, m.total, time.Now())
	}
}
