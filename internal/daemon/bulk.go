package daemon

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Bulk transfer: chunks of 8 KB through a virtio-serial port, which gives its
// reader 4 KB at a time, are the slowest way into an appliance. For a large file
// the handle plugs the host's file in as a disk instead, says so, and makes the
// call as usual; here the call's stream is that disk. Cancellation, progress and
// errors stay those of the stream.

// bulkDisk is the disk that replaces the stream of the next call.
type bulkDisk struct {
	f    *os.File
	size int64 // of what is on it, for a source
	// data lists the first byte and the number of bytes of the parts that are not holes, as far as
	// it was not read; everything is data if there never was one.
	data  [][2]int64
	holes bool
}

// bulkBuffer is read or written at once. Disks are opened with O_DIRECT, so that
// the guest's memory does not fill with a copy.
const bulkBuffer = 1 << 20

func (d *Daemon) openBulk(target, flags int) (*bulkDisk, error) {
	f, err := d.openBulkDisk(target, flags)
	if err != nil {
		return nil, err
	}
	return &bulkDisk{f: f}, nil
}

// openBulkDisk opens a disk that was just plugged in.
func (d *Daemon) openBulkDisk(target, flags int) (*os.File, error) {
	if d.events == nil {
		return nil, errors.New("there are no disks to plug in")
	}
	name, err := d.events.awaitDisk(target)
	if err != nil {
		return nil, err
	}
	// When the next disk is plugged in there, the kernel may not yet have
	// announced that this one is gone.
	delete(d.events.disks, target)
	return os.OpenFile("/dev/"+name, flags|unix.O_DIRECT, 0)
}

func (d Actions) InternalBulkIn(target int, size int64, data []byte) error {
	b, err := d.openBulk(target, os.O_RDONLY)
	if err != nil {
		return err
	}
	b.size, b.holes = size, len(data) > 0
	for last := int64(0); len(data) >= 16; data = data[16:] {
		p := [2]int64{int64(binary.BigEndian.Uint64(data)), int64(binary.BigEndian.Uint64(data[8:]))}
		if p[0] < last || p[1] < 0 || p[0]+p[1] < p[0] || p[0]+p[1] > size {
			b.f.Close()
			return errors.New("the pieces of the host's file are not in order")
		}
		last = p[0] + p[1]
		b.data = append(b.data, p)
	}
	d.bulk = b
	return nil
}

func (d Actions) InternalBulkOut(target int) error {
	b, err := d.openBulk(target, os.O_WRONLY)
	if err == nil {
		d.bulk = b
	}
	return err
}

// alignedBuffer is memory that O_DIRECT accepts.
func alignedBuffer(n int) []byte {
	const page = 4096
	b := make([]byte, n+page)
	off := int(-uintptr(unsafe.Pointer(&b[0])) & (page - 1))
	return b[off : off+n : off+n]
}

// nextBulk reads the next piece of a source disk.
func (f *fileIn) nextBulk() error {
	b := f.bulk
	left := b.size - int64(f.pos)
	if left <= 0 {
		f.bulkDone = true
		return nil
	}
	if f.buf == nil {
		f.buf = alignedBuffer(bulkBuffer)
	}
	if b.holes {
		if f.hole, left = b.piece(int64(f.pos)); f.hole > 0 {
			f.pos += uint64(f.hole)
			if f.progress != nil {
				f.progress(f.pos)
			}
			return nil
		}
	}
	n, err := b.f.ReadAt(f.buf, int64(f.pos))
	if n = int(min(int64(n), left)); n == 0 {
		return fmt.Errorf("read of the host's file: %w", errnoOf(err))
	}
	f.left = f.buf[:n]
	f.pos += uint64(n)
	if f.progress != nil {
		f.progress(f.pos)
	}
	return nil
}

// piece returns the length of the hole at pos, or else of the data there.
func (b *bulkDisk) piece(pos int64) (hole, data int64) {
	for len(b.data) > 0 && b.data[0][0]+b.data[0][1] <= pos {
		b.data = b.data[1:]
	}
	switch {
	case len(b.data) == 0:
		return b.size - pos, 0
	case pos < b.data[0][0]:
		return b.data[0][0] - pos, 0
	}
	return 0, b.data[0][0] + b.data[0][1] - pos
}

// sink writes a stream to a disk.
type sink struct {
	disk *bulkDisk
	buf  []byte // not yet written
	pos  int64  // already written
}

func newSink(d *bulkDisk) *sink { return &sink{disk: d, buf: alignedBuffer(bulkBuffer)[:0]} }

func (s *sink) Write(p []byte) (int, error) {
	total := len(p)
	if len(s.buf) == 0 && total == cap(s.buf) { // a whole buffer, aligned like ours
		return total, s.put(p, total)
	}
	for len(p) > 0 {
		n := min(cap(s.buf)-len(s.buf), len(p))
		s.buf = append(s.buf, p[:n]...)
		p = p[n:]
		if len(s.buf) == cap(s.buf) {
			if err := s.flush(); err != nil {
				return total - len(p), err
			}
		}
	}
	return total, nil
}

// skip leaves a hole after the data written so far, which ends at a block boundary.
func (s *sink) skip(n int64) error {
	err := s.flush()
	s.pos += n
	return err
}

// flush writes what is buffered; only the last piece may be of odd size, and is
// filled up to a sector.
func (s *sink) flush() error {
	n := len(s.buf)
	padded := (n + 4095) &^ 4095
	b := s.buf[:padded]
	clear(b[n:])
	s.buf = s.buf[:0]
	return s.put(b, n)
}

// put writes b, of which n bytes are the stream's.
func (s *sink) put(b []byte, n int) error {
	// The host's file is new: parts that are not written read as zeros and take no space.
	if !isZero(b) {
		if _, err := s.disk.f.WriteAt(b, s.pos); err != nil {
			return fmt.Errorf("write to the host's file: %w", errnoOf(err))
		}
	}
	s.pos += int64(n)
	return nil
}

// close ends the stream and returns its size.
func (s *sink) close() (int64, error) {
	err := s.flush()
	if err == nil {
		err = unix.Fsync(int(s.disk.f.Fd()))
	}
	return s.pos, err
}
