package handle

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"syscall"

	"gofish/internal/api"
	"gofish/internal/proto"
)

// maxList is how many bytes of a list are taken from a daemon in one call: what a very
// large guest needs, and not the whole memory of the host.
const maxList = 256 << 20

// structsFrom does an action whose last argument is a file of structs in XDR, one
// directly after the other, and returns them: the way of lists that are too long for
// a message.
func structsFrom[T any](h *Handle, c *Call, action string, args ...any) ([]T, error) {
	return listFrom(h, c, decodeStructs[T], action, args...)
}

// listFrom does an action whose last argument is a file, and returns what decode makes
// of the file's first maxList bytes, while they come.
func listFrom[T any](h *Handle, c *Call, decode func(r io.Reader, max int) ([]T, error), action string, args ...any) ([]T, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	type decoded struct {
		list []T
		error
	}
	done := make(chan decoded, 1)
	go func() {
		list, err := decode(r, maxList)
		r.Close() // if decoding has failed, this ends the transfer
		done <- decoded{list, err}
	}()
	_, err = h.do(c, action, append(slices.Clip(args), localFile{File: w})...)
	w.Close()
	d := <-done
	if d.error != nil && (err == nil || errors.Is(err, syscall.EPIPE)) {
		return nil, fmt.Errorf("%s: %w", action, d.error)
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
			return nil, fmt.Errorf("the list is larger than %d MB", max>>20)
		}
		buf = buf[:len(buf)+n]
		rest := buf
		for d := proto.NewDecoder(buf); d.Len() > 0; rest = d.Rest() {
			v := api.DecodeStruct(d, reflect.TypeFor[T]())
			if d.Err != nil {
				break // what is there of it is decoded again when more has come
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
