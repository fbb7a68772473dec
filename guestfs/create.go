package guestfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"

	"gofish/guestfs/types"
)

// Writer writes a file of the guest. It takes its name, in place of an earlier file, when
// Close says that it is complete; until then the handle can be used for other things.
type Writer struct {
	g      *Handle
	ctx    context.Context
	name   string
	temp   string
	buf    []byte
	at     int64
	failed error
	closed bool
}

var _ io.WriteCloser = (*Writer)(nil)

// Create begins a file. An earlier one of the name keeps its content until Close, and its
// owner, permissions and attributes after it. A link is followed.
func (g *Handle) Create(ctx context.Context, name string) (*Writer, error) {
	is, err := g.calls.IsSymlink(ctx, name)
	if err != nil {
		return nil, err
	}
	if is {
		if name, err = g.calls.Realpath(ctx, name); err != nil {
			return nil, err
		}
	}
	if is, err = g.calls.IsDir(ctx, name); err == nil && is {
		err = &Error{Action: "create", Text: name + ": Is a directory"}
	}
	if err != nil {
		return nil, err
	}
	dir, base := path.Split(name)
	temp, err := g.calls.Mktemp(ctx, dir+"."+base+".XXXXXX")
	if err != nil {
		return nil, err
	}
	return &Writer{g: g, ctx: ctx, name: name, temp: temp}, nil
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
	n, err := w.g.calls.Pwrite(w.ctx, w.temp, w.buf[:min(len(w.buf), largestPiece)], w.at)
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
		err = w.resemble()
	}
	if err == nil {
		err = w.g.calls.Rename(w.ctx, w.temp, w.name)
	}
	if err != nil {
		w.remove()
	}
	return err
}

// resemble gives the new file the attributes of the old one.
func (w *Writer) resemble() error {
	is, err := w.g.calls.Exists(w.ctx, w.name)
	switch {
	case err != nil:
		return err
	case is:
		return w.g.calls.CopyAttributes(w.ctx, w.name, w.temp, types.CopyAttributesOptions{All: new(true)})
	}
	return w.g.calls.Chmod(w.ctx, 0o644, w.temp)
}

// Discard ends the file without a trace of it. After Close it does nothing, so it can be
// deferred.
func (w *Writer) Discard() {
	if !w.closed {
		w.closed = true
		w.remove()
	}
}

// remove takes the unfinished file away, also when the context has ended.
func (w *Writer) remove() {
	err := w.g.calls.RmF(context.WithoutCancel(w.ctx), w.temp)
	if err != nil && !errors.As(err, new(*LinkError)) {
		w.g.h.Warn("%v", err)
	}
}
