package proto

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// ErrShort says that a message ended before the value it should hold.
var ErrShort = errors.New("message is too short")

// Encoder appends XDR values to Buf.
type Encoder struct{ Buf []byte }

// Write is for a library's encoder: it adds bytes.
func (e *Encoder) Write(b []byte) (int, error) {
	e.Buf = append(e.Buf, b...)
	return len(b), nil
}

func (e *Encoder) Uint32(v uint32) { e.Buf = binary.BigEndian.AppendUint32(e.Buf, v) }
func (e *Encoder) Uint64(v uint64) { e.Buf = binary.BigEndian.AppendUint64(e.Buf, v) }
func (e *Encoder) Int32(v int32)   { e.Uint32(uint32(v)) }
func (e *Encoder) Int64(v int64)   { e.Uint64(uint64(v)) }
func (e *Encoder) Float32(v float32) {
	e.Uint32(math.Float32bits(v))
}

func (e *Encoder) Bool(v bool) {
	if v {
		e.Uint32(1)
	} else {
		e.Uint32(0)
	}
}

// String writes a counted string; Opaque counted bytes. The two are the same
// on the wire (RFC 4506 §4.10, §4.11).
func (e *Encoder) String(s string) {
	e.Uint32(uint32(len(s)))
	e.Buf = append(e.Buf, s...)
	e.pad(len(s))
}

func (e *Encoder) Opaque(b []byte) {
	e.Uint32(uint32(len(b)))
	e.Fixed(b)
}

// Fixed writes bytes without a count, padded to four.
func (e *Encoder) Fixed(b []byte) {
	e.Buf = append(e.Buf, b...)
	e.pad(len(b))
}

// OptString writes a null or a string.
func (e *Encoder) OptString(s *string) {
	if s == nil {
		e.Uint32(0)
		return
	}
	e.Uint32(1)
	e.String(*s)
}

func (e *Encoder) Strings(l []string) {
	e.Uint32(uint32(len(l)))
	for _, s := range l {
		e.String(s)
	}
}

func (e *Encoder) pad(n int) {
	for ; n%4 != 0; n++ {
		e.Buf = append(e.Buf, 0)
	}
}

// Decoder reads XDR values from a message. The first value that does not fit
// sets Err, and every later read returns a zero. A length is checked against
// what is left before memory is taken.
type Decoder struct {
	buf []byte
	Err error
}

func NewDecoder(b []byte) *Decoder { return &Decoder{buf: b} }

// Len is the number of bytes not yet read.
func (d *Decoder) Len() int { return len(d.buf) }

// Rest returns the bytes not yet read.
func (d *Decoder) Rest() []byte { return d.buf }

// Read is for a library's decoder: it takes bytes.
func (d *Decoder) Read(b []byte) (int, error) {
	n := copy(b, d.buf)
	d.buf = d.buf[n:]
	if n == 0 && len(b) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// has reports whether n more bytes are there; if not, the message is too short.
func (d *Decoder) has(n int) bool {
	if d.Err == nil && (n < 0 || n > len(d.buf)) {
		d.Err = ErrShort
	}
	return d.Err == nil
}

// hasCounted reports whether the next item, a length and that many bytes with their
// padding, is all there: only then a library may see it, which takes memory by the length.
func (d *Decoder) hasCounted() bool {
	if !d.has(4) {
		return false
	}
	n := uint64(binary.BigEndian.Uint32(d.buf))
	return d.has(int(4 + (n+3)&^3))
}

func (d *Decoder) take(n int) []byte {
	if !d.has(n) {
		return nil
	}
	b := d.buf[:n]
	d.buf = d.buf[n:]
	return b
}

func (d *Decoder) Uint32() uint32 {
	if b := d.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (d *Decoder) Uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (d *Decoder) Int32() int32     { return int32(d.Uint32()) }
func (d *Decoder) Int64() int64     { return int64(d.Uint64()) }
func (d *Decoder) Float32() float32 { return math.Float32frombits(d.Uint32()) }

// Bool takes any value but zero as true, as the peers do.
func (d *Decoder) Bool() bool { return d.Uint32() != 0 }

// Fixed reads n bytes and their padding; the result shares the message.
func (d *Decoder) Fixed(n int) []byte {
	b := d.take(n)
	if n%4 != 0 {
		d.take(4 - n%4)
	}
	return b
}

// Opaque reads counted bytes; the result is a copy.
func (d *Decoder) Opaque() []byte { return append([]byte{}, d.counted()...) }
func (d *Decoder) String() string { return string(d.counted()) }

func (d *Decoder) counted() []byte {
	n := d.Uint32()
	if uint64(n) > uint64(len(d.buf)) {
		if d.Err == nil {
			d.Err = ErrShort
		}
		return nil
	}
	return d.Fixed(int(n))
}

func (d *Decoder) OptString() *string {
	if d.Uint32() == 0 {
		return nil
	}
	s := d.String()
	return &s
}

// Count reads the length of a list whose elements take at least min bytes each.
func (d *Decoder) Count(min int) int {
	n := d.Uint32()
	if uint64(n)*uint64(min) > uint64(len(d.buf)) {
		if d.Err == nil {
			d.Err = ErrShort
		}
		return 0
	}
	return int(n)
}

func (d *Decoder) Strings() []string {
	n := d.Count(4)
	l := make([]string, 0, n)
	for i := 0; i < n && d.Err == nil; i++ {
		l = append(l, d.String())
	}
	return l
}
