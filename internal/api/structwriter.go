package api

import (
	"bufio"
	"io"

	"gofish/internal/proto"
)

// StructWriter streams structs as XDR, one after the other, for the lists that may be
// too long for a message. The last ones leave with Flush.
type StructWriter struct{ *bufio.Writer }

func NewStructWriter(out io.Writer) *StructWriter {
	return &StructWriter{bufio.NewWriterSize(out, proto.MaxChunk)}
}

// Put writes one struct.
func (w *StructWriter) Put(v any) error {
	var e proto.Encoder
	EncodeStruct(&e, v)
	// If possible, no entry is split between chunks.
	if w.Available() < len(e.Buf) {
		if err := w.Flush(); err != nil {
			return err
		}
	}
	_, err := w.Write(e.Buf)
	return err
}
