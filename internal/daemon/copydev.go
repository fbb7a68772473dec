package daemon

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/guestroot"
)

func (d Actions) CopyDeviceToDevice(c *Call, src, dest Device, opts types.CopyDeviceToDeviceOptions) error {
	return d.copyContent(c, DevOrPath{Device: src}, DevOrPath{Device: dest}, opts)
}
func (d Actions) CopyDeviceToFile(c *Call, src Device, dest Path, opts types.CopyDeviceToFileOptions) error {
	return d.copyContent(c, DevOrPath{Device: src}, DevOrPath{Path: dest}, types.CopyDeviceToDeviceOptions(opts))
}
func (d Actions) CopyFileToDevice(c *Call, src Path, dest Device, opts types.CopyFileToDeviceOptions) error {
	return d.copyContent(c, DevOrPath{Path: src}, DevOrPath{Device: dest}, types.CopyDeviceToDeviceOptions(opts))
}
func (d Actions) CopyFileToFile(c *Call, src, dest Path, opts types.CopyFileToFileOptions) error {
	return d.copyContent(c, DevOrPath{Path: src}, DevOrPath{Path: dest}, types.CopyDeviceToDeviceOptions(opts))
}

func (d *Daemon) copyContent(c *Call, src, dest DevOrPath, opts types.CopyDeviceToDeviceOptions) error {
	number := func(n *int64, def int64, name string) (int64, error) {
		if n == nil {
			return def, nil
		}
		if *n < 0 {
			return 0, fmt.Errorf("%s is negative", name)
		}
		return *n, nil
	}
	from, err1 := number(opts.SrcOffset, 0, "srcoffset")
	to, err2 := number(opts.DestOffset, 0, "destoffset")
	size, err3 := number(opts.Size, -1, "size") // -1: to the end of the source
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return err
		}
	}
	sparse := isTrue(opts.Sparse)
	flags := unix.O_WRONLY
	switch {
	case isTrue(opts.Append):
		if dest.Device != "" {
			return errors.New("the append flag cannot be set for this call")
		}
		flags |= unix.O_CREAT
	case dest.Device == "":
		flags |= unix.O_CREAT | unix.O_TRUNC
	}
	in, srcName, err := d.openEither(src, unix.O_RDONLY, 0)
	if err != nil {
		return wrap(err, "%s", srcName)
	}
	defer in.Close()
	// Check before the destination is truncated.
	if isDir(guestroot.FDPath(in)) {
		return wrap(syscall.EISDIR, "read: %s", srcName)
	}
	if _, err := in.Seek(from, io.SeekStart); err != nil {
		return wrap(err, "%s", srcName)
	}
	if flags&unix.O_TRUNC != 0 && d.isOpenFile(in, dest.Path) {
		return fmt.Errorf("%s and %s are the same file", srcName, dest.Path)
	}
	k := contentCopy{in: in, pos: to, left: size, sparse: sparse}
	total := sourceSize(in, from, size)
	if flags&unix.O_TRUNC != 0 {
		return d.copyToFile(c, k, srcName, dest.Path, total)
	}
	out, destName, err := d.openEither(dest, flags, 0o666)
	if err != nil {
		return wrap(err, "%s", destName)
	}
	defer out.Close()
	whence := io.SeekStart
	if isTrue(opts.Append) {
		whence, to = io.SeekEnd, 0
	}
	if to, err = out.Seek(to, whence); err != nil {
		return wrap(err, "%s", destName)
	}
	k.out, k.pos = out, to
	if err := k.run(c, srcName, destName, total); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return wrap(err, "%s", destName)
	}
	if dest.Device != "" {
		d.rereadPartitions(dest.Device)
	}
	return nil
}

// copyToFile replaces a file's content with the copy.
func (d *Daemon) copyToFile(c *Call, k contentCopy, srcName string, dest Path, total int64) error {
	return d.fillFile(dest, uint64(k.pos+total), k.sparse || k.pos > 0, func(f *os.File) error {
		k.out = f
		return k.run(c, srcName, string(dest), total)
	})
}

// isOpenFile reports whether a path leads to the file that is open as f.
func (d *Daemon) isOpenFile(f *os.File, p Path) bool {
	var a unix.Stat_t
	b, err := d.root.Stat(p)
	return err == nil && unix.Fstat(int(f.Fd()), &a) == nil && a.Dev == b.Dev && a.Ino == b.Ino
}

// sourceSize is how much there is to copy, for progress; 0 if unknown.
func sourceSize(in *os.File, from, size int64) int64 {
	if size >= 0 {
		return size
	}
	end, err := in.Seek(0, io.SeekEnd)
	if _, err2 := in.Seek(from, io.SeekStart); err != nil || err2 != nil || end < from {
		return 0
	}
	return end - from
}

type contentCopy struct {
	in, out *os.File
	pos     int64 // in the destination
	left    int64 // of the size asked for, negative for all
	sparse  bool  // skip zeros where the destination already has them
}

func (k *contentCopy) run(c *Call, srcName, destName string, total int64) error {
	buf := make([]byte, writeBuffer)
	var st unix.Stat_t
	regular := unix.Fstat(int(k.out.Fd()), &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFREG
	for done := int64(0); k.left != 0; {
		want := buf
		if k.left > 0 {
			want = buf[:min(int64(len(buf)), k.left)]
		}
		n, err := io.ReadFull(k.in, want)
		if n > 0 {
			if !k.sparse || !isZero(want[:n]) {
				if _, err := k.out.WriteAt(want[:n], k.pos); err != nil {
					return wrap(err, "write: %s", destName)
				}
			}
			k.pos += int64(n)
			done += int64(n)
			if k.left > 0 {
				k.left -= int64(n)
			}
			if err := c.Progress(uint64(done), uint64(max(done, total))); err != nil {
				return err
			}
		}
		switch {
		case err == nil:
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			if k.left > 0 {
				return fmt.Errorf("%s: input too short", srcName)
			}
			k.left = 0
		default:
			return wrap(err, "read: %s", srcName)
		}
	}
	// Zeros that were skipped at the end still count for the size.
	if regular && k.sparse && k.pos > st.Size {
		return wrap(k.out.Truncate(k.pos), "truncate: %s", destName)
	}
	return nil
}

// CopySize copies exactly size bytes; the destination is emptied first if it is a file.
func (d Actions) CopySize(c *Call, src, dest DevOrPath, size int64) error {
	in, name, err := d.openEither(src, unix.O_RDONLY, 0)
	if err != nil {
		return wrap(err, "%s", name)
	}
	defer in.Close()
	if size < 0 {
		return fmt.Errorf("%s: size is negative", name)
	}
	if dest.Device == "" && d.isOpenFile(in, dest.Path) {
		return fmt.Errorf("%s and %s are the same file", name, dest.Path)
	}
	k := contentCopy{in: in, left: size}
	if dest.Device == "" {
		return d.copyToFile(c, k, name, dest.Path, size)
	}
	out, destName, err := d.openEither(dest, unix.O_WRONLY, 0)
	if err != nil {
		return wrap(err, "%s", destName)
	}
	defer out.Close()
	k.out = out
	if err := k.run(c, name, destName, size); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return wrap(err, "%s", destName)
	}
	d.rereadPartitions(dest.Device)
	return nil
}

// Dd copies all of the source, as dd does without further arguments.
func (d Actions) Dd(c *Call, src, dest DevOrPath) error {
	return d.copyContent(c, src, dest, types.CopyDeviceToDeviceOptions{})
}
