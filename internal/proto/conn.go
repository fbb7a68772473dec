package proto

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"sync/atomic"
)

// Event is what arrived on a connection.
type Event int

const (
	EventFrame Event = iota
	EventLaunch
	EventCancel
	EventProgress
)

// TooLongError is a length word above MaxMessage that is not a magic word.
type TooLongError struct{ Length uint32 }

func (e TooLongError) Error() string {
	return fmt.Sprintf("message length (%d) > maximum possible size (%d)", e.Length, MaxMessage)
}

// Conn reads and writes frames on a stream. Reading and writing may happen at
// the same time, each from one goroutine.
type Conn struct {
	r       *bufio.Reader
	w       *bufio.Writer
	buf     []byte
	large   bool
	counted *counted
}

// counted counts the bytes that pass.
type counted struct {
	io.ReadWriter
	n atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadWriter.Read(p)
	c.n.Add(int64(n))
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ReadWriter.Write(p)
	c.n.Add(int64(n))
	return n, err
}

// connBuffer holds several chunks, so that one system call moves them together.
const connBuffer = 128 << 10

func NewConn(rw io.ReadWriter) *Conn {
	c := &counted{ReadWriter: rw}
	return &Conn{r: bufio.NewReaderSize(c, connBuffer), w: bufio.NewWriterSize(c, connBuffer), counted: c}
}

// Moved is how many bytes have come and gone; it may be asked for at any time.
func (c *Conn) Moved() int64 { return c.counted.n.Load() }

// Large says whether messages up to MaxResult come and go.
func (c *Conn) Large(on bool) { c.large = on }

func (c *Conn) longest() uint32 {
	if c.large {
		return MaxResult
	}
	return MaxMessage
}

// Buffered is the number of bytes that Next can take without reading.
func (c *Conn) Buffered() int { return c.r.Buffered() }

// Next reads one event. For EventFrame the frame is returned; it is valid until
// the next call. For EventProgress p is filled in.
func (c *Conn) Next(p *Progress) (Event, []byte, error) {
	var word [4]byte
	if _, err := io.ReadFull(c.r, word[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(word[:])
	switch n {
	case LaunchWord:
		return EventLaunch, nil, nil
	case CancelWord:
		return EventCancel, nil, nil
	case ProgressWord:
		b, err := c.read(progressSize)
		if err == nil {
			d := NewDecoder(b)
			p.Decode(d)
		}
		return EventProgress, nil, err
	}
	if n > c.longest() {
		return 0, nil, TooLongError{n}
	}
	b, err := c.read(int(n))
	return EventFrame, b, err
}

func (c *Conn) read(n int) ([]byte, error) {
	if cap(c.buf) < n {
		c.buf = make([]byte, max(n, MaxChunk+16))
	}
	b := c.buf[:n]
	_, err := io.ReadFull(c.r, b)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return b, err
}

// WriteFrame writes a whole message: length word and body. It is buffered until Flush.
func (c *Conn) WriteFrame(body []byte) error {
	if len(body) > int(c.longest()) {
		return TooLongError{uint32(len(body))}
	}
	if err := c.WriteWord(uint32(len(body))); err != nil {
		return err
	}
	_, err := c.w.Write(body)
	return err
}

// WriteWord writes one of the magic words.
func (c *Conn) WriteWord(w uint32) error {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], w)
	_, err := c.w.Write(b[:])
	return err
}

// WriteProgress writes a progress message and flushes it.
func (c *Conn) WriteProgress(p Progress) error {
	e := Encoder{Buf: binary.BigEndian.AppendUint32(nil, ProgressWord)}
	p.Encode(&e)
	if _, err := c.w.Write(e.Buf); err != nil {
		return err
	}
	return c.Flush()
}

// WriteChunk writes a chunk frame; data must not be longer than MaxChunk.
func (c *Conn) WriteChunk(data []byte, cancel bool) error {
	var b [12]byte
	padded := (len(data) + 3) &^ 3
	binary.BigEndian.PutUint32(b[0:], uint32(8+padded))
	if cancel {
		b[7] = 1
	}
	binary.BigEndian.PutUint32(b[8:], uint32(len(data)))
	if _, err := c.w.Write(b[:]); err != nil {
		return err
	}
	if _, err := c.w.Write(data); err != nil {
		return err
	}
	_, err := c.w.WriteString("\x00\x00\x00"[:padded-len(data)])
	return err
}

func (c *Conn) Flush() error { return c.w.Flush() }
