package appliance

import (
	"fmt"
	"io"
	"strconv"
)

// cpioWriter writes an archive in the "newc" format, the one the kernel unpacks
// (Documentation/driver-api/early-userspace/buffer-format.rst). Everything
// belongs to root and has time 0, so that equal contents give equal archives.
type cpioWriter struct {
	w    io.Writer
	ino  int
	off  int64
	fail error
}

const (
	modeDir  = 0o040000
	modeFile = 0o100000
	modeLink = 0o120000
	modeChar = 0o020000
)

// header starts an entry; size bytes of content must follow, then pad.
func (c *cpioWriter) header(name string, mode uint32, size int64, rmajor, rminor int) {
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

func (c *cpioWriter) write(p []byte) {
	if c.fail != nil {
		return
	}
	n, err := c.w.Write(p)
	c.off += int64(n)
	c.fail = err
}

func (c *cpioWriter) pad() {
	if n := c.off % 4; n != 0 {
		c.write(make([]byte, 4-n))
	}
}

func (c *cpioWriter) dir(name string) { c.header(name, modeDir|0o755, 0, 0, 0) }

func (c *cpioWriter) char(name string, perm uint32, major, minor int) {
	c.header(name, modeChar|perm, 0, major, minor)
}

// file copies exactly size bytes of r.
func (c *cpioWriter) file(name string, perm uint32, size int64, r io.Reader) {
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

// close writes the trailer and tells the first error of all calls.
func (c *cpioWriter) close() error {
	c.header("TRAILER!!!", 0, 0, 0, 0)
	return c.fail
}

// readCPIO calls f for each entry of a newc archive, up to its trailer. What f
// leaves unread is skipped.
func readCPIO(r io.Reader, f func(name string, mode uint32, size int64, content io.Reader) error) error {
	var off int64
	skip := func(n int64) error {
		m, err := io.CopyN(io.Discard, r, n)
		off += m
		return err
	}
	for {
		h := make([]byte, 110)
		if _, err := io.ReadFull(r, h); err != nil {
			return fmt.Errorf("cpio header: %w", err)
		}
		off += 110
		if string(h[:6]) != "070701" && string(h[:6]) != "070702" {
			return fmt.Errorf("not a cpio archive in newc format")
		}
		field := func(i int) int64 {
			n, err := strconv.ParseUint(string(h[6+8*i:14+8*i]), 16, 32)
			if err != nil {
				return -1
			}
			return int64(n)
		}
		mode, size, nlen := field(1), field(6), field(11)
		if mode < 0 || size < 0 || nlen < 1 || nlen > 4096 {
			return fmt.Errorf("damaged cpio archive")
		}
		name := make([]byte, nlen)
		if _, err := io.ReadFull(r, name); err != nil {
			return fmt.Errorf("cpio name: %w", err)
		}
		off += nlen
		if err := skip(-off & 3); err != nil {
			return err
		}
		n := string(name[:nlen-1])
		if n == "TRAILER!!!" {
			return nil
		}
		lr := &io.LimitedReader{R: r, N: size}
		if err := f(n, uint32(mode), size, lr); err != nil {
			return err
		}
		off += size - lr.N
		if err := skip(lr.N); err != nil {
			return err
		}
		if err := skip(-off & 3); err != nil {
			return err
		}
	}
}
