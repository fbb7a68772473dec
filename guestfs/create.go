package guestfs

import (
	"context"
	"gofish/internal/calls"
	"io"
	"io/fs"
)

// Writer writes a file of the guest. It takes its name, in place of an earlier file, when
// Close says that it is complete; until then the handle can be used for other things.
type Writer struct {
	g      *Handle
	ctx    context.Context
	file   *calls.Replacement
	buf    []byte
	at     int64
	failed error
	closed bool
}

var _ io.WriteCloser = (*Writer)(nil)

// Create begins a file. An earlier one of the name keeps its content until Close, and its
// owner, permissions and attributes after it. A link is followed.
func (g *Handle) Create(ctx context.Context, name string) (*Writer, error) {
	file, err := g.calls.Replace(ctx, name)
	if err != nil {
		return nil, err
	}
	return &Writer{g: g, ctx: ctx, file: file}, nil
}

// Write adds to the file.
func (w *Writer) Write(b []byte) (int, error) {
	if w.closed {
		return 0, fs.ErrClosed
	}
	if w.failed != nil {
		return 0, w.failed
	}
	w.buf = append(w.buf, b...)
	for len(w.buf) >= largestPiece {
		if err := w.flush(); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// flush writes what was kept back, or a message of it.
func (w *Writer) flush() error {
	n, err := w.g.calls.Pwrite(w.ctx, w.file.Temp, w.buf[:min(len(w.buf), largestPiece)], w.at)
	if err == nil && n == 0 {
		err = io.ErrShortWrite
	}
	w.at += int64(n)
	w.buf = append(w.buf[:0], w.buf[n:]...)
	w.failed = err
	return err
}

// Close ends the file, which then has its name, and reports if something has failed: then
// there is no new file.
func (w *Writer) Close() error {
	if w.closed {
		return fs.ErrClosed
	}
	w.closed = true
	for len(w.buf) > 0 && w.failed == nil {
		w.flush()
	}
	err := w.failed
	if err == nil {
		err = w.file.Commit(w.ctx)
	}
	if err != nil {
		w.remove()
	}
	return err
}

// Discard ends the file without a trace of it. After Close it does nothing, so it can be
// deferred.
func (w *Writer) Discard() {
	if !w.closed {
		w.closed = true
		w.remove()
	}
}

func (w *Writer) remove() {
	if err := w.file.Discard(w.ctx); err != nil {
		w.g.h.Warn("%v", err)
	}
}
