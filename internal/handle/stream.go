package handle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/newfile"
	"gofish/internal/proto"
)

// The values of FileIn and FileOut parameters are names of host files or, where a program
// makes the call, any io.Reader and io.Writer. A regular file keeps the bulk path; what
// else there is streams, and is not waited for once the call is cancelled.

// stop is closed when a call is to end.
type stop <-chan struct{}

// source is the data being sent.
type source struct {
	io.Reader
	file   *os.File // that is it, if it is one
	name   string
	size   uint64 // that will come, 0 if that is not known
	opened bool   // by us, and closed by us
	pump   chan piece
	buf    []byte
}

// openSource takes the value of a FileIn parameter.
func openSource(ctx context.Context, arg any) (*source, error) {
	s := &source{name: "the reader"}
	if name, ok := arg.(types.HostFile); ok {
		arg = string(name)
	}
	switch arg := arg.(type) {
	case string:
		f, err := openLocal(ctx, arg, os.O_RDONLY)
		if err != nil {
			return nil, fmt.Errorf("open: %w", err)
		}
		s.file, s.opened = f, true
	case *os.File:
		if arg == nil {
			return nil, errors.New("the file to read is nil")
		}
		s.file = arg
	case interface {
		io.Reader
		Len() int
	}: // in-memory readers
		s.Reader, s.size = arg, uint64(arg.Len())
	case io.Reader:
		s.Reader = arg
	default:
		return nil, fmt.Errorf("%T is not a reader", arg)
	}
	if s.file == nil {
		return s, nil
	}
	s.Reader, s.name = s.file, s.file.Name()
	if fi, err := s.file.Stat(); err == nil {
		if fi.Mode().IsRegular() {
			s.size = uint64(fi.Size())
			if at, err := s.file.Seek(0, io.SeekCurrent); err == nil && at > 0 {
				s.size -= min(uint64(at), s.size)
			}
		} else if fi.IsDir() {
			s.Close()
			return nil, fmt.Errorf("%s: %w", s.name, errText{syscall.EISDIR})
		}
	}
	return s, nil
}

// Close closes what we have opened.
func (s *source) Close() error {
	if s.opened {
		return s.file.Close()
	}
	return nil
}

// rests reports whether more may be a long time in coming: some other program makes it.
func (s *source) rests() bool { return s != nil && s.size == 0 }

// piece is the result of one Read.
type piece struct {
	data []byte
	err  error
}

var errStopped = errors.New("stopped")

// next reads the next piece. It returns errStopped as soon as one of the channels is
// closed; a Read of the caller's reader that waits then is left to itself.
func (s *source) next(cancelled, refused stop) ([]byte, error) {
	const size = 512 << 10 // larger than a chunk: fewer system calls
	switch {
	case s.size > 0:
	case s.file != nil:
		if err := s.await(cancelled, refused); err != nil {
			return nil, err
		}
	default:
		if s.pump == nil {
			s.pump = make(chan piece)
			go func(r io.Reader, pump chan<- piece) {
				for {
					// It may still be sent from when the next Read fills a buffer.
					buf := make([]byte, 64<<10)
					n, err := r.Read(buf)
					select {
					case pump <- piece{buf[:n], err}:
					case <-cancelled:
						return
					case <-refused:
						return
					}
					if err != nil {
						return
					}
				}
			}(s.Reader, s.pump)
		}
		select {
		case p := <-s.pump:
			return p.data, p.err
		case <-cancelled:
		case <-refused:
		}
		return nil, errStopped
	}
	if s.buf == nil {
		s.buf = make([]byte, size)
	}
	n, err := s.Read(s.buf)
	return s.buf[:n], err
}

// await waits until a file that is not a regular one has something to read or has ended.
func (s *source) await(cancelled, refused stop) error {
	ready := Readable(s.file, func() bool {
		select {
		case <-cancelled:
			return true
		case <-refused:
			return true
		default:
			return false
		}
	})
	if !ready {
		return errStopped
	}
	return nil
}

// dest is where received data goes: a host file by its name, or the caller's writer.
type dest struct {
	ctx   context.Context // of the call
	name  string
	w     io.Writer
	f     *os.File // w, if it is a file; nil until it is opened
	max   int64    // what may come, 0: all
	got   int64
	total uint64 // of what will come, if the daemon has said so in a progress message
	waits bool   // what receives may let us wait

	named bool
	fresh *newfile.File // what f is part of, if it takes its name at the end
	base  string

	work chan []byte // for a writer that may wait
	done chan error
	buf  []byte
}

// limited is a writer that takes a limited number of bytes.
type limited struct {
	io.Writer
	max int64
}

// newDest takes the value of a FileOut parameter.
func newDest(ctx context.Context, arg any) (*dest, error) {
	switch arg := arg.(type) {
	case types.HostFile:
		return newDest(ctx, string(arg))
	case string:
		return &dest{ctx: ctx, name: arg, named: true}, nil
	case limited:
		d, err := newDest(ctx, arg.Writer)
		if err == nil {
			d.max = arg.max
		}
		return d, err
	case *os.File:
		if arg == nil {
			break
		}
		return &dest{ctx: ctx, name: arg.Name(), w: arg, f: arg}, nil
	case io.Writer:
		return &dest{ctx: ctx, name: "the writer", w: arg}, nil
	}
	return nil, fmt.Errorf("%T is not a writer, or a nil one", arg)
}

// open makes the file that takes the name at the end, or else empties an existing one.
func (d *dest) open(flags int) error {
	if !d.named {
		return nil
	}
	if d.fresh, d.base = replacement(d.name); d.fresh != nil {
		d.f, d.w = d.fresh.File, d.fresh.File
		return nil
	}
	f, err := openLocal(d.ctx, d.name, flags|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return &CallError{Errno: proto.ErrnoOf(err), Text: err.Error()}
	}
	d.f, d.w = f, f
	return nil
}

// plain reports whether the file, or the one that will be made, can be plugged in as a
// disk: it is regular, and all of it is ours.
func (d *dest) plain() bool {
	if d.named {
		fi, err := os.Stat(d.name)
		return !strings.HasPrefix(d.name, "/dev/") && (os.IsNotExist(err) || err == nil && fi.Mode().IsRegular())
	}
	if d.f == nil {
		return false
	}
	fi, err := d.f.Stat()
	if err != nil || !fi.Mode().IsRegular() || fi.Size() != 0 {
		return false
	}
	at, err := d.f.Seek(0, io.SeekCurrent)
	flags, ferr := unix.FcntlInt(d.f.Fd(), unix.F_GETFL, 0)
	return err == nil && at == 0 && ferr == nil && flags&unix.O_ACCMODE == unix.O_RDWR && flags&unix.O_APPEND == 0
}

// rests reports whether what receives may let us wait for long.
func (d *dest) rests() bool {
	if d == nil || d.named && d.plain() {
		return false
	}
	if d.f != nil {
		fi, err := d.f.Stat()
		return err != nil || !fi.Mode().IsRegular()
	}
	switch d.w.(type) {
	case *bytes.Buffer, *blocks:
		return false
	}
	return true
}

// close ends the file and returns err, or the error of closing. Of a failed call nothing
// stays: the file was not there, is still as it was, or is empty. d may be nil.
func (d *dest) close(err error) error {
	if d == nil {
		return err
	}
	if d.work != nil {
		close(d.work)
		d.work = nil
	}
	if d.f == nil || !d.named {
		return err
	}
	switch {
	case d.fresh != nil && err != nil:
		d.fresh.Discard()
	case d.fresh != nil:
		if cerr := d.fresh.Commit(d.base); cerr != nil {
			err = d.failure("close", cerr)
		}
	default:
		if err != nil {
			d.f.Truncate(0) // fails if it is not a regular file
		}
		if cerr := d.f.Close(); cerr != nil && err == nil {
			err = d.failure("close", cerr)
		}
	}
	d.f, d.fresh = nil, nil
	return err
}

// write adds data that came. Once the call is cancelled, it does not wait for the writer.
func (d *dest) write(data []byte, cancelled stop) error {
	if d.got += int64(len(data)); d.max > 0 && (d.got > d.max || d.total > uint64(d.max)) {
		return tooMuch(d.max)
	}
	if d.got == int64(len(data)) {
		d.waits = d.rests()
	}
	if !d.waits {
		return d.wrote(writeAll(d.w, data))
	}
	if d.work == nil {
		d.work, d.done = make(chan []byte), make(chan error, 1)
		go func(w io.Writer, work <-chan []byte, done chan<- error) {
			for data := range work {
				done <- writeAll(w, data)
			}
		}(d.w, d.work, d.done)
	}
	d.buf = append(d.buf[:0], data...) // data is the connection's
	d.work <- d.buf
	select {
	case err := <-d.done:
		return d.wrote(err)
	case <-cancelled:
		d.buf = nil
		return errCancelledByUser
	}
}

// writeAll is w.Write for writers that may not do what io.Writer demands.
func writeAll(w io.Writer, data []byte) error {
	n, err := w.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	return err
}

func (d *dest) wrote(err error) error {
	if err != nil {
		return d.failure("write", err)
	}
	return nil
}

// tooMuch is the error for a result held in memory that exceeds this many bytes.
type tooMuch int64

func (max tooMuch) Error() string {
	return fmt.Sprintf("more than %d MB, which is too much to be held in memory", max>>20)
}

func (d *dest) failure(what string, err error) error { return streamError(d.name, what, err) }

// streamError is the error of a host file, or of a reader or writer of the caller's,
// which errors.Is and errors.As find in it.
func streamError(name, what string, err error) error {
	e := proto.ErrnoOf(err)
	if e == 0 {
		return &CallError{Text: fmt.Sprintf("%s: %s: %v", name, what, err), Cause: err}
	}
	return &CallError{Errno: e, Text: fmt.Sprintf("%s: %s: %v", name, what, errText{e})}
}
