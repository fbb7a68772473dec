package untar

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Create writes the tree at dir/base, or the file there, as an archive whose
// member names begin with base. Owners are numbers; sockets are left out. Of files
// with holes only the data is read and written.
func Create(w io.Writer, dir, base string) error {
	c := creator{w: w, t: tar.NewWriter(w), links: map[[2]uint64]string{}}
	if err := c.add(dir, base); err != nil {
		return err
	}
	return c.t.Close()
}

type creator struct {
	w     io.Writer
	t     *tar.Writer
	links map[[2]uint64]string // the first name of each file that has several
}

func (c *creator) add(dir, name string) error {
	file := path.Join(dir, name)
	fi, err := os.Lstat(file)
	if err != nil {
		return err
	}
	if fi.Mode()&os.ModeSocket != 0 {
		return nil
	}
	target := ""
	if fi.Mode()&os.ModeSymlink != 0 {
		if target, err = os.Readlink(file); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(nameless{fi}, target)
	if err != nil {
		return err
	}
	h.Name, h.Format = name, tar.FormatPAX
	if fi.IsDir() {
		h.Name += "/"
	}
	h.AccessTime, h.ChangeTime = time.Time{}, time.Time{}
	h.Uname, h.Gname = "", ""
	if st, ok := fi.Sys().(*syscall.Stat_t); ok && st.Nlink > 1 && !fi.IsDir() {
		id := [2]uint64{uint64(st.Dev), st.Ino}
		if first, ok := c.links[id]; ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeLink, first, 0
		} else {
			c.links[id] = name
		}
	}
	if h.Typeflag == tar.TypeReg {
		return c.file(file, h)
	}
	if err := c.t.WriteHeader(h); err != nil {
		return err
	}
	if !fi.IsDir() {
		return nil
	}
	entries, err := os.ReadDir(file)
	for _, e := range entries {
		if err := c.add(dir, name+"/"+e.Name()); err != nil {
			return err
		}
	}
	return err
}

func (c *creator) file(file string, h *tar.Header) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	spans := dataSpans(f, h.Size)
	if spans != nil {
		return c.sparse(f, h, spans)
	}
	if err := c.t.WriteHeader(h); err != nil {
		return err
	}
	return copySpan(c.t, f, span{0, h.Size})
}

func copySpan(w io.Writer, f *os.File, s span) error {
	n, err := io.Copy(w, io.NewSectionReader(f, s.off, s.n))
	if err == nil && n < s.n {
		err = fmt.Errorf("%s: file shrank while it was read", f.Name())
	}
	return err
}

// sparse writes a file with holes in GNU tar's form 1.0, which archive/tar does not know:
// the header's name, size and time in pax records, a list of the spans in front of their data.
func (c *creator) sparse(f *os.File, h *tar.Header, spans []span) error {
	if len(spans) == 0 || spans[len(spans)-1].end() < h.Size {
		spans = append(spans, span{h.Size, 0}) // GNU tar wants the end to be named
	}
	list := fmt.Appendln(nil, len(spans))
	var data int64
	for _, s := range spans {
		list = fmt.Appendf(list, "%d\n%d\n", s.off, s.n)
		data += s.n
	}
	list = append(list, make([]byte, -len(list)&(blockSize-1))...)
	records := paxRecord(sparseMajor, "1") + paxRecord(sparseMinor, "0") + paxRecord(sparseName, h.Name) +
		paxRecord(sparseRealSize, fmt.Sprint(h.Size))
	if sec, nsec := h.ModTime.Unix(), h.ModTime.Nanosecond(); sec >= 0 {
		records += paxRecord("mtime", fmt.Sprintf("%d.%09d", sec, nsec))
	}
	b := rawHeader(&tar.Header{Typeflag: tar.TypeXHeader, Name: "PaxHeaders/x", Mode: 0o644, Size: int64(len(records))})
	b = append(b, records...)
	b = append(b, make([]byte, -len(records)&(blockSize-1))...)
	h.Name, h.Size = "GNUSparseFile.0/x", int64(len(list))+data
	b = append(append(b, rawHeader(h)...), list...)
	err := c.t.Flush() // the end of the member before
	if err == nil {
		_, err = c.w.Write(b)
	}
	for _, s := range spans {
		if err == nil {
			err = copySpan(c.w, f, s)
		}
	}
	if err == nil {
		_, err = c.w.Write(make([]byte, -data&(blockSize-1)))
	}
	return err
}

// paxRecord is "LENGTH KEY=VALUE\n", where the length includes itself.
func paxRecord(key, value string) string {
	text := " " + key + "=" + value + "\n"
	n := len(text)
	for n != len(text)+len(fmt.Sprint(n)) {
		n = len(text) + len(fmt.Sprint(n))
	}
	return fmt.Sprint(n) + text
}

// rawHeader is the block of a member with a short name. Numbers that are too large for
// digits are binary, as GNU tar has them.
func rawHeader(h *tar.Header) []byte {
	b := make([]byte, blockSize)
	number := func(off, n int, v int64) {
		if v >= 0 && v < 1<<(3*(n-1)) {
			copy(b[off:], fmt.Sprintf("%0*o\x00", n-1, v))
			return
		}
		for i := range n {
			b[off+n-1-i] = byte(v >> min(63, 8*i))
		}
		b[off] |= 0x80
	}
	copy(b, h.Name)
	number(100, 8, h.Mode)
	number(108, 8, int64(h.Uid))
	number(116, 8, int64(h.Gid))
	number(124, 12, h.Size)
	number(136, 12, h.ModTime.Unix())
	b[156] = h.Typeflag
	copy(b[257:], "ustar\x0000")
	sum := 8 * int(' ')
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

// dataSpans lists where a file has data, nil if it has no holes or that cannot
// be determined. Only the file's first size bytes count.
func dataSpans(f *os.File, size int64) []span {
	const most = 1 << 20
	spans := []span{}
	fd := int(f.Fd())
	for off := int64(0); off < size; {
		start, err := unix.Seek(fd, off, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) { // a hole up to the end
			start = size
		} else if err != nil {
			return nil
		}
		if start >= size {
			break
		}
		end, err := unix.Seek(fd, start, unix.SEEK_HOLE)
		if err != nil || end <= start {
			return nil
		}
		end = min(end, size)
		if spans = append(spans, span{start, end - start}); len(spans) > most {
			return nil
		}
		off = end
	}
	if size == 0 || len(spans) == 1 && spans[0] == (span{0, size}) {
		return nil
	}
	return spans
}

// Data lists the first byte and the number of bytes of each piece of a file between which
// there are holes; nil if it has none, or if that cannot be determined.
func Data(f *os.File, size int64) [][2]int64 {
	spans := dataSpans(f, size)
	if spans == nil {
		return nil
	}
	list := make([][2]int64, len(spans))
	for i, s := range spans {
		list[i] = [2]int64{s.off, s.n}
	}
	return list
}

// nameless hides the names of owner and group, so that they are not looked up.
type nameless struct{ os.FileInfo }

func (nameless) Uname() (string, error) { return "", nil }
func (nameless) Gname() (string, error) { return "", nil }
