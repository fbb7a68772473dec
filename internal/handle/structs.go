package handle

import (
	"errors"
	"io"
	"reflect"
	"slices"

	"gofish/internal/api"
	"gofish/internal/proto"
)

// maxList is how many bytes of a list are taken from a daemon in one call: what a very
// large guest needs, and not the whole memory of the host.
const maxList = 256 << 20

// structsFrom makes a list of structs in XDR, one directly after the other: the way of
// lists that are too long for a message.
func structsFrom[T any](stream func(io.Writer) error) ([]T, error) {
	return listFrom(decodeStructs[T], stream)
}

// listFrom returns what decode makes of the first maxList bytes of a stream, while they come.
func listFrom[T any](decode func(r io.Reader, max int) ([]T, error), stream func(io.Writer) error) ([]T, error) {
	r, w := io.Pipe()
	type decoded struct {
		list []T
		error
	}
	done := make(chan decoded, 1)
	go func() {
		list, err := decode(r, maxList)
		r.CloseWithError(err) // if decoding has failed, this ends the transfer
		done <- decoded{list, err}
	}()
	err := stream(w)
	w.Close()
	d := <-done
	if d.error != nil && (err == nil || errors.Is(err, d.error)) {
		return nil, d.error
	}
	return d.list, err
}

// decodeStructs reads structs to the end of a stream of at most max bytes.
func decodeStructs[T any](r io.Reader, max int) ([]T, error) {
	list := []T{}
	buf := make([]byte, 0, 64<<10)
	for total := 0; ; {
		n, rerr := r.Read(buf[len(buf):cap(buf)])
		if total += n; total > max {
			return nil, tooMuch(max)
		}
		buf = buf[:len(buf)+n]
		rest := buf
		for d := proto.NewDecoder(buf); d.Len() > 0; rest = d.Rest() {
			v := api.DecodeStruct(d, reflect.TypeFor[T]())
			if d.Err != nil {
				break // it is decoded again when the rest has arrived
			}
			list = append(list, v.Interface().(T))
		}
		switch {
		case rerr == io.EOF && len(rest) > 0:
			return nil, errors.New("the list that the daemon sent ends in the middle of an entry")
		case rerr == io.EOF:
			return list, nil
		case rerr != nil:
			return nil, rerr
		case len(rest) > proto.MaxMessage:
			return nil, errors.New("an entry of the list that the daemon sent is too large")
		}
		buf = append(buf[:0], rest...)
		if len(buf) > cap(buf)/2 {
			buf = slices.Grow(buf, cap(buf))
		}
	}
}
