package daemon

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// directFile reads and writes past the page cache where it can: the device then
// moves the data into our buffer or out of it, and the guest's slow processor
// copies nothing. Data must be in buffers from alignedBuffer.
type directFile struct {
	*os.File
	on  bool
	pos int64
}

// directFS are the file systems whose files may be written and read directly: statfs(2)'s numbers.
var directFS = map[int64]bool{unix.EXT4_SUPER_MAGIC: true, unix.XFS_SUPER_MAGIC: true}

// directly wraps a file whose position is pos. It is used only on file systems
// where such writes have no drawbacks: on btrfs, for example, they are not compressed.
func directly(f *os.File, pos int64) *directFile {
	d := &directFile{File: f, pos: pos}
	var st unix.Stat_t
	var fs unix.Statfs_t
	fd := int(f.Fd())
	if unix.Fstat(fd, &st) != nil || unix.Fstatfs(fd, &fs) != nil {
		return d
	}
	if st.Mode&unix.S_IFMT == unix.S_IFBLK || st.Mode&unix.S_IFMT == unix.S_IFREG && directFS[int64(fs.Type)] {
		d.set(true)
	}
	return d
}

func (d *directFile) set(on bool) {
	fd := d.Fd()
	flags, err := unix.FcntlInt(fd, unix.F_GETFL, 0)
	if err == nil && on {
		_, err = unix.FcntlInt(fd, unix.F_SETFL, flags|unix.O_DIRECT)
	} else if err == nil {
		_, err = unix.FcntlInt(fd, unix.F_SETFL, flags&^unix.O_DIRECT)
	}
	d.on = on && err == nil
}

func (d *directFile) Read(p []byte) (int, error) { return d.move(p, d.File.Read) }

func (d *directFile) Write(p []byte) (int, error) { return d.move(p, d.File.Write) }

// Skip leaves a hole.
func (d *directFile) Skip(n int64) error {
	d.pos += n
	_, err := d.Seek(n, io.SeekCurrent)
	return err
}

// move does one read or write. Once a piece is not a whole number of blocks, it and the rest go the
// ordinary way.
func (d *directFile) move(p []byte, op func([]byte) (int, error)) (int, error) {
	const block = 4096
	if d.on && (len(p)%block != 0 || d.pos%block != 0) {
		d.set(false)
	}
	n, err := op(p)
	if d.on && n == 0 && errnoOf(err) == unix.EINVAL {
		d.set(false)
		n, err = op(p)
	}
	d.pos += int64(n)
	return n, err
}
