package proto

import (
	"fmt"

	xdr "github.com/davecgh/go-xdr/xdr2"
)

// Header starts every call and reply.
type Header struct {
	Prog, Vers, Proc uint32
	Direction        uint32
	Serial           uint32
	ProgressHint     uint64 // expected size of an upload in bytes, 0 unknown
	OptMask          uint64 // bit i: the i-th optional argument is present
	Status           uint32
}

func (h *Header) Encode(e *Encoder) {
	x := xdr.NewEncoder(e)
	for _, word := range []uint32{h.Prog, h.Vers, h.Proc, h.Direction, h.Serial} {
		x.EncodeUint(word)
	}
	x.EncodeUhyper(h.ProgressHint)
	x.EncodeUhyper(h.OptMask)
	x.EncodeUint(h.Status)
}

// Decode fills h from the first 40 bytes; a short message sets d.Err.
func (h *Header) Decode(d *Decoder) {
	if !d.has(HeaderSize) {
		return
	}
	x := xdr.NewDecoder(d) // which cannot fail: it is all there
	for _, word := range []*uint32{&h.Prog, &h.Vers, &h.Proc, &h.Direction, &h.Serial} {
		*word, _, _ = x.DecodeUint()
	}
	h.ProgressHint, _, _ = x.DecodeUhyper()
	h.OptMask, _, _ = x.DecodeUhyper()
	h.Status, _, _ = x.DecodeUint()
}

// OursMark is in the replies of gofish's daemon where a call has its progress hint,
// a field that replies do not use. Such a daemon takes the cancel word in any call;
// others take it only while they send a file.
//
// A handle that knows this puts it into its calls too, where they send no file: its
// replies may be as long as MaxResult.
const OursMark = 0x676f66697368 // "gofish"

// CallHeader is the header of a call of proc.
func CallHeader(proc, serial uint32, hint, mask uint64) Header {
	return Header{Prog: Program, Vers: Version, Proc: proc, Serial: serial, ProgressHint: hint, OptMask: mask}
}

// ReplyHeader is the header of a reply.
func ReplyHeader(proc, serial, status uint32) Header {
	return Header{Prog: Program, Vers: Version, Proc: proc, Serial: serial, Direction: DirectionReply, Status: status}
}

// ErrorBody is the body of a reply with StatusError. Errno is a name as in
// errno(3), empty when there is none.
type ErrorBody struct{ Errno, Message string }

func (b *ErrorBody) Encode(e *Encoder) {
	errno, msg := b.Errno, b.Message
	if len(errno) > MaxErrno {
		errno = errno[:MaxErrno]
	}
	if len(msg) > MaxError {
		msg = msg[:MaxError]
	}
	x := xdr.NewEncoder(e)
	x.EncodeString(errno)
	x.EncodeString(msg)
}

func (b *ErrorBody) Decode(d *Decoder) {
	x := xdr.NewDecoder(d)
	for _, s := range []*string{&b.Errno, &b.Message} {
		if d.hasCounted() {
			*s, _, d.Err = x.DecodeString()
		}
	}
}

// Chunk is one piece of a file. End and Cancelled are never both set.
type Chunk struct {
	Cancelled bool
	Data      []byte
}

// End reports the regular end of the stream.
func (c *Chunk) End() bool { return !c.Cancelled && len(c.Data) == 0 }

// ParseChunk decodes the body of a chunk frame; Data shares the frame.
func ParseChunk(frame []byte) (Chunk, error) {
	d := NewDecoder(frame)
	c := d.Uint32()
	n := d.Uint32()
	if d.Err != nil || int64(n) > int64(d.Len()) || n > MaxChunk {
		return Chunk{}, fmt.Errorf("failed to parse file chunk")
	}
	return Chunk{Cancelled: c != 0, Data: d.Rest()[:n]}, nil
}

// Progress says how far a call has come. Units are the call's own.
type Progress struct {
	Proc, Serial    uint32
	Position, Total uint64
}

func (p *Progress) Encode(e *Encoder) {
	x := xdr.NewEncoder(e)
	x.EncodeUint(p.Proc)
	x.EncodeUint(p.Serial)
	x.EncodeUhyper(p.Position)
	x.EncodeUhyper(p.Total)
}

func (p *Progress) Decode(d *Decoder) {
	if !d.has(progressSize) {
		return
	}
	x := xdr.NewDecoder(d)
	p.Proc, _, _ = x.DecodeUint()
	p.Serial, _, _ = x.DecodeUint()
	p.Position, _, _ = x.DecodeUhyper()
	p.Total, _, _ = x.DecodeUhyper()
}

const progressSize = 24
