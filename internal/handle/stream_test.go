package handle

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"
)

// stuck is a reader and writer that waits for ever.
type stuck struct{}

func (stuck) Read([]byte) (int, error)  { select {} }
func (stuck) Write([]byte) (int, error) { select {} }

// What waits for another program is not waited for when the call is cancelled.
func TestStreamsEnd(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	defer r.Close()
	for name, in := range map[string]any{"a pipe": r, "a reader": stuck{}} {
		cancelled := make(chan struct{})
		time.AfterFunc(20*time.Millisecond, func() { close(cancelled) })
		s, err := openSource(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.next(cancelled, nil); err != errStopped {
			t.Errorf("reading from %s: %v", name, err)
		}
	}
	cancelled := make(chan struct{})
	time.AfterFunc(20*time.Millisecond, func() { close(cancelled) })
	d, _ := newDest(t.Context(), stuck{})
	if err := d.write([]byte("x"), cancelled); err != errCancelledByUser {
		t.Errorf("writing: %v", err)
	}
}

func TestSources(t *testing.T) {
	name := t.TempDir() + "/f"
	if err := os.WriteFile(name, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	open := func() *os.File {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	begun := open()
	begun.Seek(2, io.SeekStart)
	for what, c := range map[string]struct {
		arg  any
		size uint64
		want string
	}{
		"name":        {name, 5, "12345"},
		"file":        {open(), 5, "12345"},
		"file, begun": {begun, 3, "345"},
		"bytes":       {bytes.NewReader([]byte("12345")), 5, "12345"},
		"string":      {strings.NewReader("12345"), 5, "12345"},
		"reader":      {io.LimitReader(open(), 4), 0, "1234"},
		"empty":       {strings.NewReader(""), 0, ""},
	} {
		s, err := openSource(t.Context(), c.arg)
		if err != nil {
			t.Fatal(err)
		}
		if s.size != c.size {
			t.Errorf("%s: size %d, want %d", what, s.size, c.size)
		}
		var got []byte
		for err == nil {
			var b []byte
			b, err = s.next(nil, nil)
			got = append(got, b...)
		}
		if err != io.EOF || string(got) != c.want {
			t.Errorf("%s: %q, %v", what, got, err)
		}
		s.Close()
	}
	if _, err := openSource(t.Context(), 5); err == nil {
		t.Error("a number is a reader")
	}
}

// The error of a caller's writer is found in that of the call.
func TestWriterError(t *testing.T) {
	r, w := io.Pipe()
	mine := errors.New("mine")
	r.CloseWithError(mine)
	d, _ := newDest(t.Context(), w)
	if err := d.write([]byte("x"), nil); !errors.Is(err, mine) {
		t.Errorf("%v", err)
	}
}

// short takes less than it is given, and says nothing of it.
type short struct{}

func (short) Write(p []byte) (int, error) { return len(p) / 2, nil }

func TestWrongStreams(t *testing.T) {
	d, err := newDest(t.Context(), short{})
	if err == nil {
		err = d.write([]byte("xx"), nil)
	}
	if !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a short write: %v", err)
	}
	d, _ = newDest(t.Context(), limited{io.Discard, 10})
	d.total = 11
	if err := d.write([]byte("x"), nil); !errors.As(err, new(tooMuch)) {
		t.Errorf("the first byte of too many: %v", err)
	}
	for _, arg := range []any{nil, (*os.File)(nil), 1} {
		if _, err := newDest(t.Context(), arg); err == nil {
			t.Errorf("%T is taken for a writer", arg)
		}
		if _, err := openSource(t.Context(), arg); err == nil {
			t.Errorf("%T is taken for a reader", arg)
		}
	}
}

func TestBlocks(t *testing.T) {
	var b blocks
	if got := b.bytes(); got == nil || len(got) != 0 {
		t.Errorf("nothing is %v", got)
	}
	var want []byte
	for i := range 300 {
		piece := bytes.Repeat([]byte{byte(i)}, i*17)
		want = append(want, piece...)
		if n, err := b.Write(piece); n != len(piece) || err != nil {
			t.Fatal(n, err)
		}
	}
	if got := b.bytes(); !bytes.Equal(got, want) {
		t.Errorf("%d bytes came back, of %d", len(got), len(want))
	}
}
