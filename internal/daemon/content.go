package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

func (d Actions) InternalWrite(path Path, content []byte) error {
	return d.write(path, unix.O_TRUNC, content)
}

func (d Actions) InternalWriteAppend(path Path, content []byte) error {
	return d.write(path, unix.O_APPEND, content)
}

func (d *Daemon) write(path Path, flags int, content []byte) error {
	f, err := d.open(path, unix.O_WRONLY|unix.O_CREAT|flags, 0o666)
	if err != nil {
		return wrap(err, "open: %s", path)
	}
	_, err = f.Write(content)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return wrap(err, "write: %s", path)
}

func (d Actions) WriteFile(path Path, content string, size int) error {
	switch {
	case size < 0:
		return errors.New("size cannot be negative")
	case size > len(content):
		return errors.New("size parameter is larger than string content")
	case size == 0:
		size = len(content)
	}
	return d.write(path, unix.O_TRUNC, []byte(content[:size]))
}

func (d Actions) Pread(path Path, count int, offset int64) ([]byte, error) {
	if err := checkRange(string(path), count, offset); err != nil {
		return nil, err
	}
	f, err := d.open(path, unix.O_RDONLY, 0)
	if err != nil {
		return nil, wrap(err, "open: %s", path)
	}
	defer f.Close()
	buf := make([]byte, count)
	n, err := f.ReadAt(buf, offset)
	if err == io.EOF {
		err = nil
	}
	return buf[:n], wrap(err, "pread: %s", path)
}

func (d Actions) Pwrite(path Path, content []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, errors.New("offset is negative")
	}
	f, err := d.open(path, unix.O_WRONLY, 0)
	if err != nil {
		return 0, wrap(err, "open: %s", path)
	}
	n, err := f.WriteAt(content, offset)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return n, wrap(err, "pwrite: %s", path)
}

func (d Actions) Truncate(path Path) error { return d.TruncateSize(path, 0) }

func (d Actions) TruncateSize(path Path, size int64) error {
	f, err := d.open(path, unix.O_WRONLY, 0)
	if err != nil {
		return wrap(err, "open: %s", path)
	}
	defer f.Close()
	return wrap(f.Truncate(size), "ftruncate: %s", path)
}

func (d Actions) Fallocate(path Path, length int) error { return d.Fallocate64(path, int64(length)) }

func (d Actions) Fallocate64(path Path, length int64) error {
	if length < 0 {
		return wrap(syscall.EINVAL, "%s", path)
	}
	return d.fillFile(path, uint64(length), false, func(f *os.File) error {
		err := unix.Fallocate(int(f.Fd()), 0, 0, length)
		if err == syscall.EOPNOTSUPP {
			// As posix_fallocate(3) does: on such a file system, blocks are allocated by writing.
			_, err = io.CopyN(f, d.until(zeros{}), length)
		}
		return wrap(err, "%s", path)
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func (d Actions) Fill(c *Call, char, length int, path Path) error {
	if char < 0 || char > 255 {
		return fmt.Errorf("%d: byte number must be in range 0..255", char)
	}
	return d.fill(c, []byte{byte(char)}, length, path)
}

func (d Actions) FillPattern(c *Call, pattern string, length int, path Path) error {
	if pattern == "" {
		return errors.New("pattern string must be non-empty")
	}
	return d.fill(c, []byte(pattern), length, path)
}

func (d *Daemon) fill(c *Call, pattern []byte, length int, path Path) error {
	if length < 0 {
		return fmt.Errorf("%d: length is < 0", length)
	}
	write := func(f *os.File) error { return writePattern(c, f, pattern, length, path) }
	if st, err := d.root.Stat(path); err != nil || st.Size <= int64(length) {
		return d.fillFile(path, uint64(length), false, write)
	}
	// The rest of a larger file stays.
	f, err := d.open(path, unix.O_WRONLY, 0)
	if err != nil {
		return wrap(err, "open: %s", path)
	}
	defer f.Close()
	return write(f)
}

func writePattern(c *Call, f *os.File, pattern []byte, length int, path Path) (err error) {
	// A whole number of patterns, so that every block begins with one.
	block := bytes.Repeat(pattern, max(1, min(64<<10, length)/len(pattern)))
	for done := 0; done < length && err == nil; {
		var n int
		n, err = f.Write(block[:min(len(block), length-done)])
		done += n
		if perr := c.Progress(uint64(done), uint64(length)); err == nil {
			err = perr
		}
	}
	return wrap(err, "write: %s", path)
}

func (d Actions) FillDir(dir Path, nr int) error {
	return d.root.Enter(func() error {
		for i := range max(nr, 0) {
			if err := d.call.Err(); err != nil {
				return err
			}
			name := fmt.Sprintf("%s/%08d", dir, i)
			fd, err := unix.Open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0o666)
			if err != nil {
				return wrap(err, "create: %s", name)
			}
			unix.Close(fd)
		}
		return nil
	})
}

func (d Actions) Equal(c *Call, file1, file2 Path) (bool, error) {
	var files [2]*os.File
	var stats [2]unix.Stat_t
	for i, p := range []Path{file1, file2} {
		f, err := d.open(p, unix.O_RDONLY, 0)
		if err != nil {
			return false, wrap(err, "%s", p)
		}
		defer f.Close()
		if err := unix.Fstat(int(f.Fd()), &stats[i]); err != nil {
			return false, wrap(err, "%s", p)
		}
		files[i] = f
	}
	if stats[0].Dev == stats[1].Dev && stats[0].Ino == stats[1].Ino {
		return true, nil
	}
	a, b := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		if err := c.Progress(0, 1); err != nil {
			return false, err
		}
		n, err := io.ReadFull(files[0], a)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return false, wrap(err, "cmp: %s", file1)
		}
		m, err := io.ReadFull(files[1], b)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return false, wrap(err, "cmp: %s", file2)
		}
		if !bytes.Equal(a[:n], b[:m]) {
			return false, nil
		}
		if n < len(a) {
			return true, nil
		}
	}
}

func (d Actions) IsZero(path Path) (bool, error) {
	f, err := d.open(path, unix.O_RDONLY, 0)
	if err != nil {
		return false, wrap(err, "open: %s", path)
	}
	defer f.Close()
	zero, err := d.allZero(f)
	return zero, wrap(err, "read: %s", path)
}

// allZero reads a file to its end or to the first byte that is not zero; holes
// are not read.
func (d *Daemon) allZero(f *os.File) (bool, error) {
	buf := make([]byte, 64<<10)
	for pos := int64(0); ; {
		if err := d.call.Err(); err != nil {
			return false, err
		}
		next, err := unix.Seek(int(f.Fd()), pos, unix.SEEK_DATA)
		if err == syscall.ENXIO {
			return true, nil // only a hole is left, or nothing
		}
		if err == nil {
			pos = next
		}
		n, err := f.ReadAt(buf, pos)
		if !isZero(buf[:n]) {
			return false, nil
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		pos += int64(n)
	}
}

func isZero(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && bytes.Equal(b[:len(b)-1], b[1:])
}
