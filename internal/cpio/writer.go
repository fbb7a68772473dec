// Package cpio writes and reads archives in the format that the kernel takes an initrd in
// (Documentation/driver-api/early-userspace/buffer-format.rst).
package cpio

import (
	"fmt"
	"io"
)

// Writer writes an archive in the "newc" format. Everything in it belongs to root and has
// time 0, so that equal contents give equal archives. The first error is kept for Close.
type Writer struct {
	w    io.Writer
	ino  int
	off  int64
	fail error
}

func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

const (
	modeDir  = 0o040000
	modeFile = 0o100000
	modeChar = 0o020000
)

// header starts an entry; size bytes of content must follow, then pad.
func (c *Writer) header(name string, mode uint32, size int64, rmajor, rminor int) {
	c.ino++
	nlink := 1
	if mode&0o170000 == modeDir {
		nlink = 2
	}
	c.write([]byte(fmt.Sprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		c.ino, mode, 0, 0, nlink, 0, size, 0, 0, rmajor, rminor, len(name)+1, 0)))
	c.write([]byte(name + "\x00"))
	c.pad()
}

func (c *Writer) write(p []byte) {
	if c.fail != nil {
		return
	}
	n, err := c.w.Write(p)
	c.off += int64(n)
	c.fail = err
}

func (c *Writer) pad() {
	if n := c.off % 4; n != 0 {
		c.write(make([]byte, 4-n))
	}
}

// Dir adds a folder.
func (c *Writer) Dir(name string) { c.header(name, modeDir|0o755, 0, 0, 0) }

// Char adds a character device.
func (c *Writer) Char(name string, perm uint32, major, minor int) {
	c.header(name, modeChar|perm, 0, major, minor)
}

// File adds a file and copies exactly size bytes of r.
func (c *Writer) File(name string, perm uint32, size int64, r io.Reader) {
	if size >= 1<<32 && c.fail == nil {
		c.fail = fmt.Errorf("%s: too large for a cpio archive", name)
	}
	c.header(name, modeFile|perm, size, 0, 0)
	if c.fail == nil {
		n, err := io.Copy(c.w, io.LimitReader(r, size))
		c.off += n
		if err == nil && n != size {
			err = fmt.Errorf("%s: %d bytes instead of %d: the file changed while it was read", name, n, size)
		}
		c.fail = err
	}
	c.pad()
}

// Close writes the end mark, and returns the first error of all calls. It leaves w open.
func (c *Writer) Close() error {
	c.header(endMark, 0, 0, 0, 0)
	return c.fail
}
