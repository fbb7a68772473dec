package daemon

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/proto"
)

func (d Actions) InitrdList(path Path) ([]string, error) {
	names := []string{}
	size := 0
	err := d.readInitrd(path, func(name string, _ uint32, _ io.Reader) error {
		names = append(names, name)
		return grow(&size, 8+len(name))
	})
	return names, err
}

var errFound = errors.New("found")

func (d Actions) InitrdCat(initrdpath Path, filename string) ([]byte, error) {
	var content []byte
	err := d.readInitrd(initrdpath, func(name string, mode uint32, r io.Reader) (err error) {
		if cleanMember(name) != cleanMember(filename) || mode&unix.S_IFMT != unix.S_IFREG {
			return nil
		}
		content, err = io.ReadAll(io.LimitReader(r, proto.MaxMessage+1))
		switch {
		case err != nil:
			return err
		case len(content) > proto.MaxMessage:
			return fmt.Errorf("%s:%s: file is too large for the protocol", initrdpath, filename)
		}
		return errFound
	})
	if err == errFound {
		return content, nil
	}
	if err == nil {
		err = say(unix.ENOENT, "open: %s:%s", initrdpath, filename)
	}
	return nil, err
}

func cleanMember(name string) string { return path.Clean("/" + name) }

// readInitrd passes the members of an initrd to fn.
func (d *Daemon) readInitrd(p Path, fn func(name string, mode uint32, content io.Reader) error) error {
	f, err := d.openContent(p)
	if err != nil {
		return say(err, "%s", p)
	}
	defer f.Close()
	r, err := d.unpackInitrd(f)
	if err != nil {
		return say(err, "%s", p)
	}
	defer r.Close()
	err = eachCpio(r, fn)
	if err == errNotCpio {
		return fmt.Errorf("%s: %w", p, err)
	}
	return err
}

// compressions of initrds, by their first bytes. Those without a Go package are
// left to a tool.
var compressions = []struct {
	magic string
	tool  []string
}{
	{"\xfd7zXZ\x00", []string{"xz", "-dc"}},
	{"\x5d\x00\x00", []string{"xz", "--format=lzma", "-dc"}},
	{"\x28\xb5\x2f\xfd", []string{"zstd", "-dcq"}},
	{"\x02\x21\x4c\x18", []string{"lz4", "-dc"}},
	{"\x04\x22\x4d\x18", []string{"lz4", "-dc"}},
	{"\x89LZO", []string{"lzop", "-dc"}},
}

// unpackInitrd reads a file from its start, decompressed. Closing leaves the file open.
func (d *Daemon) unpackInitrd(f *os.File) (io.ReadCloser, error) {
	r := bufio.NewReaderSize(d.until(io.NewSectionReader(f, 0, 1<<62)), 64<<10)
	magic, err := r.Peek(6)
	switch {
	case err != nil && err != io.EOF:
		return nil, err
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return gzip.NewReader(r)
	case bytes.HasPrefix(magic, []byte("BZh")):
		return io.NopCloser(bzip2.NewReader(r)), nil
	}
	for _, c := range compressions {
		if bytes.HasPrefix(magic, []byte(c.magic)) {
			return startFilter(d.call, r, c.tool...), nil
		}
	}
	return io.NopCloser(r), nil
}

var errNotCpio = errors.New("not a cpio archive")

func isCpio(b []byte) bool {
	return bytes.HasPrefix(b, []byte("070701")) || bytes.HasPrefix(b, []byte("070702"))
}

// eachCpio passes the members of a cpio archive to fn: the "newc" format and the
// one with checksums, as the kernel reads (Documentation/driver-api/early-userspace/buffer-format.rst).
func eachCpio(r io.Reader, fn func(name string, mode uint32, content io.Reader) error) error {
	br := bufio.NewReaderSize(r, 64<<10)
	for first := true; ; first = false {
		head := make([]byte, 110)
		if _, err := io.ReadFull(br, head); err != nil {
			if err != io.EOF && err != io.ErrUnexpectedEOF {
				return err
			}
			if first {
				return errNotCpio
			}
			return nil // an archive without an end mark
		}
		if !isCpio(head) {
			return errNotCpio
		}
		field := func(i int) int64 {
			n, err := strconv.ParseUint(string(head[6+8*i:14+8*i]), 16, 32)
			if err != nil {
				return -1
			}
			return int64(n)
		}
		mode, size, nameSize := field(1), field(6), field(11)
		if mode < 0 || size < 0 || nameSize < 1 || nameSize > unix.PathMax {
			return errNotCpio
		}
		name := make([]byte, nameSize)
		if _, err := io.ReadFull(br, name); err != nil {
			return err
		}
		if err := skip(br, -(110+nameSize)&3); err != nil {
			return err
		}
		s := strings.TrimRight(string(name), "\x00")
		if s == "TRAILER!!!" {
			return nil
		}
		content := &io.LimitedReader{R: br, N: size}
		if err := fn(s, uint32(mode), content); err != nil {
			return err
		}
		if err := skip(br, content.N+-size&3); err != nil {
			return err
		}
	}
}

func skip(r io.Reader, n int64) error {
	_, err := io.CopyN(io.Discard, r, n)
	return err
}
