package cpio

import (
	"bytes"
	"errors"
	"io"
	"strconv"
)

var (
	// ErrFormat says that the data is not an archive of a format that the kernel knows.
	ErrFormat = errors.New("not a cpio archive")
	// ErrNoEnd says that an archive ends after a whole entry, but without an end mark.
	ErrNoEnd = errors.New("the cpio archive has no end")
)

const (
	headerSize = 110
	endMark    = "TRAILER!!!"
	maxName    = 4096
)

// Is reports whether an archive begins like this: the "newc" format or the one with checksums.
func Is(head []byte) bool {
	return bytes.HasPrefix(head, []byte("070701")) || bytes.HasPrefix(head, []byte("070702"))
}

// HasEnd reports whether an archive of a size has its end mark at its end.
func HasEnd(r io.ReaderAt, size int64) bool {
	const longest = 512 // with the zeros that may follow
	tail := make([]byte, min(size, longest))
	n, _ := r.ReadAt(tail, size-int64(len(tail)))
	return bytes.Contains(tail[:n], []byte(endMark))
}

// Each calls fn for each entry of an archive, up to its end mark. What fn leaves unread
// of the content is skipped. An error of fn ends the reading and is returned.
func Each(r io.Reader, fn func(name string, mode uint32, size int64, content io.Reader) error) error {
	var read int64 // in bytes, since entries begin at multiples of four
	take := func(b []byte) error {
		n, err := io.ReadFull(r, b)
		read += int64(n)
		return err
	}
	skip := func(n int64) error {
		n, err := io.CopyN(io.Discard, r, n)
		read += n
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	for first := true; ; first = false {
		head := make([]byte, headerSize)
		switch err := take(head); {
		case (err == io.EOF || err == io.ErrUnexpectedEOF) && !first:
			return ErrNoEnd
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return ErrFormat
		case err != nil:
			return err
		}
		if !Is(head) {
			return ErrFormat
		}
		field := func(i int) int64 {
			n, err := strconv.ParseUint(string(head[6+8*i:14+8*i]), 16, 32)
			if err != nil {
				return -1
			}
			return int64(n)
		}
		mode, size, nameSize := field(1), field(6), field(11)
		if mode < 0 || size < 0 || nameSize < 1 || nameSize > maxName {
			return ErrFormat
		}
		nameBytes := make([]byte, nameSize)
		if err := take(nameBytes); err == io.EOF {
			return io.ErrUnexpectedEOF
		} else if err != nil {
			return err
		}
		name := string(bytes.TrimRight(nameBytes, "\x00"))
		if name == endMark {
			return nil
		}
		if err := skip(-read & 3); err != nil {
			return err
		}
		content := &io.LimitedReader{R: r, N: size}
		if err := fn(name, uint32(mode), size, content); err != nil {
			return err
		}
		read += size - content.N
		if err := skip(content.N); err != nil {
			return err
		}
		if err := skip(-read & 3); err != nil {
			return err
		}
	}
}
