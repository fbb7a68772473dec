package handle

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"sort"
	"unsafe"

	"gofish/internal/api"
)

// maxContent is how much of a file is taken into memory.
const maxContent = 2 << 30

// sortedNames makes a list of names of which each is ended by a zero byte.
func sortedNames(stream func(io.Writer) error) ([]string, error) {
	list, err := listFrom(decodeNames, stream)
	sort.Strings(list)
	return list, err
}

// decodeNames reads names that zero bytes end.
func decodeNames(r io.Reader, max int) ([]string, error) { return decodeEnded(r, max, 0, "") }

// decodeLines reads lines. A carriage return in front of a newline is a part of that.
func decodeLines(r io.Reader, max int) ([]string, error) { return decodeEnded(r, max, '\n', "\r") }

// decodeEnded reads texts that each end with a byte, the last perhaps not. What may stand
// before that byte belongs to the end.
func decodeEnded(r io.Reader, max int, end byte, before string) ([]string, error) {
	list := []string{}
	// A text takes more memory than its bytes: short ones count for that.
	const overhead = 16
	for in, room := bufio.NewReaderSize(r, 64<<10), max; ; {
		name, err := in.ReadSlice(end)
		var long []byte
		for err == bufio.ErrBufferFull && len(long) < room {
			long = append(long, name...)
			name, err = in.ReadSlice(end)
		}
		if room -= len(long) + len(name) + overhead; room < 0 {
			return nil, tooMuch(max)
		}
		if long != nil {
			name = append(long, name...)
		}
		if err == nil || len(name) > 0 {
			if text, ended := bytes.CutSuffix(name, []byte{end}); ended {
				name = bytes.TrimSuffix(text, []byte(before))
			}
			list = append(list, string(name))
		}
		if err == io.EOF {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (h Actions) Ls(c *Call, directory string) ([]string, error) {
	return sortedNames(func(w io.Writer) error { return c.Ls0(c, directory, w) })
}

func (h Actions) Find(c *Call, directory string) ([]string, error) {
	return sortedNames(func(w io.Writer) error { return c.Find0(c, directory, w) })
}

func (h Actions) Stat(c *Call, path string) (api.Stat, error) {
	st, err := c.StatNS(c, path)
	return stat(st), err
}

func (h Actions) Lstat(c *Call, path string) (api.Stat, error) {
	st, err := c.LstatNS(c, path)
	return stat(st), err
}

func stat(s api.StatNS) api.Stat {
	return api.Stat{
		Dev: s.Dev, Ino: s.Ino, Mode: s.Mode, Nlink: s.Nlink, Uid: s.UID, Gid: s.GID,
		Rdev: s.Rdev, Size: s.Size, Blksize: s.Blksize, Blocks: s.Blocks,
		Atime: s.AtimeSec, Mtime: s.MtimeSec, Ctime: s.CtimeSec,
	}
}

// inPieces does an action on a few of the names at a time, so that neither the
// request nor the reply becomes too large, and joins the results.
func inPieces[T any](names []string, most int, do func(names []string) ([]T, error)) ([]T, error) {
	const maxBytes = 1 << 20
	list := []T{}
	for len(names) > 0 {
		n, size := 0, 0
		for n < len(names) && n < most && (n == 0 || size < maxBytes) {
			size += len(names[n])
			n++
		}
		piece, err := do(names[:n])
		if err != nil {
			return nil, err
		}
		list = append(list, piece...)
		names = names[n:]
	}
	return list, nil
}

// How many names go into one call. An entry of a status list has 176 bytes, a
// link up to 4096, the attributes of one file up to 64 KB and more.
const (
	mostStats  = 1000
	mostLinks  = 900
	mostXattrs = 50
)

func (h Actions) Lstatnslist(c *Call, path string, names []string) ([]api.StatNS, error) {
	return inPieces(names, mostStats, func(names []string) ([]api.StatNS, error) { return c.InternalLstatNSList(c, path, names) })
}

func (h Actions) Lstatlist(c *Call, path string, names []string) ([]api.Stat, error) {
	long, err := c.LstatNSList(c, path, names)
	if err != nil {
		return nil, err
	}
	list := make([]api.Stat, len(long))
	for i, s := range long {
		list[i] = stat(s)
	}
	return list, nil
}

func (h Actions) Lxattrlist(c *Call, path string, names []string) ([]api.Xattr, error) {
	return inPieces(names, mostXattrs, func(names []string) ([]api.Xattr, error) { return c.InternalLxattrList(c, path, names) })
}

func (h Actions) Readlinklist(c *Call, path string, names []string) ([]string, error) {
	return inPieces(names, mostLinks, func(names []string) ([]string, error) { return c.InternalReadlinkList(c, path, names) })
}

// Readdir falls back to the call of older daemons, whose reply must fit into
// one message.
func (h Actions) Readdir(c *Call, dir string) ([]api.Dirent, error) {
	list, err := structsFrom[api.Dirent](func(w io.Writer) error { return c.InternalReaddir(c, dir, w) })
	if isUnknownProcedure(err) {
		return c.InternalReaddirList(c, dir)
	}
	return list, err
}

func (h Actions) ReadFile(c *Call, path string) ([]byte, error) {
	var b blocks
	err := c.Download(c, path, limited{&b, maxContent})
	return b.bytes(), seeDownload(path, err)
}

// blocks collects what may be large. A bytes.Buffer would need several times the memory
// while it grows.
type blocks struct {
	list [][]byte // the last one may have room
	size int
}

func (b *blocks) Write(p []byte) (int, error) {
	const least, most = 64 << 10, 16 << 20
	for rest := p; len(rest) > 0; {
		last := len(b.list) - 1
		if last < 0 || len(b.list[last]) == cap(b.list[last]) {
			b.list = append(b.list, make([]byte, 0, min(max(least, b.size), most)))
			last++
		}
		to := &b.list[last]
		n := min(len(rest), cap(*to)-len(*to))
		*to = append(*to, rest[:n]...)
		rest = rest[n:]
		b.size += n
	}
	return len(p), nil
}

// bytes returns everything, and keeps nothing.
func (b *blocks) bytes() []byte {
	if len(b.list) == 1 {
		return b.list[0]
	}
	all := make([]byte, 0, b.size)
	for i := range b.list {
		all = append(all, b.list[i]...)
		b.list[i] = nil
	}
	return all
}

func (h Actions) Cat(c *Call, path string) (string, error) {
	b, err := c.ReadFile(c, path)
	return unsafe.String(unsafe.SliceData(b), len(b)), err // nobody else has b
}

// ReadLines takes a carriage return in front of a newline for a part of it.
func (h Actions) ReadLines(c *Call, path string) ([]string, error) {
	list, err := listFrom(decodeLines, func(w io.Writer) error { return c.Download(c, path, limited{w, maxList}) })
	return list, seeDownload(path, err)
}

// seeDownload says what to do about a file that is not taken into memory.
func seeDownload(path string, err error) error {
	if errors.As(err, new(tooMuch)) {
		return fmt.Errorf("%s: %w (see download)", path, err)
	}
	return err
}

// maxWrite is how much content goes into one message.
const maxWrite = 2 << 20

func (h Actions) Write(c *Call, path string, content []byte) error {
	if len(content) <= maxWrite {
		err := c.InternalWrite(c, path, content)
		return err
	}
	return c.Upload(c, bytes.NewReader(content), path)
}

func (h Actions) WriteAppend(c *Call, path string, content []byte) error {
	for {
		n := min(len(content), maxWrite)
		if err := c.InternalWriteAppend(c, path, content[:n]); err != nil {
			return err
		}
		if content = content[n:]; len(content) == 0 {
			return nil
		}
	}
}
