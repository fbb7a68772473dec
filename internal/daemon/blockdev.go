package daemon

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
)

// blockdev opens a device, has fn do an ioctl on it, and names both in an error.
func (d *Daemon) blockdev(dev Device, what string, fn func(fd int) error) error {
	fd, err := unix.Open(string(dev), unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return wrap(err, "%s", d.shownDevice(dev))
	}
	defer unix.Close(fd)
	return wrap(fn(fd), "%s: %s", d.shownDevice(dev), what)
}

// blockdevGet reads one value of a device.
func blockdevGet[T any](d *Daemon, dev Device, what string, req uint) (v T, err error) {
	err = d.blockdev(dev, what, func(fd int) error { return ioctlPtr(fd, req, &v) })
	return v, err
}

// blockdevSet gives a device a value that the ioctl takes in place of a pointer.
func (d *Daemon) blockdevSet(dev Device, what string, req uint, v int) error {
	return d.blockdev(dev, what, func(fd int) error { return unix.IoctlSetInt(fd, req, v) })
}

// devSize is the size of a device in bytes.
func (d *Daemon) devSize(dev Device) (int64, error) {
	n, err := blockdevGet[uint64](d, dev, "size", unix.BLKGETSIZE64)
	return int64(n), err
}

func (d Actions) BlockdevSetro(device Device) error { return d.setReadOnly(device, 1) }
func (d Actions) BlockdevSetrw(device Device) error { return d.setReadOnly(device, 0) }

func (d *Daemon) setReadOnly(dev Device, v int32) error {
	return d.blockdev(dev, "set read-only", func(fd int) error { return ioctlPtr(fd, unix.BLKROSET, &v) })
}

func (d Actions) BlockdevGetro(device Device) (bool, error) {
	v, err := blockdevGet[int32](d.Daemon, device, "get read-only", unix.BLKROGET)
	return v != 0, err
}

func (d Actions) BlockdevGetss(device Device) (int, error) {
	v, err := blockdevGet[int32](d.Daemon, device, "sector size", unix.BLKSSZGET)
	return int(v), err
}

func (d Actions) BlockdevGetbsz(device Device) (int, error) {
	// The request number is that of a long, but the kernel fills in an int (block/ioctl.c).
	v, err := blockdevGet[int32](d.Daemon, device, "block size", unix.BLKBSZGET)
	return int(v), err
}

// BlockdevSetbsz does what blockdev(8) does: the setting ends when the device
// is closed.
func (d Actions) BlockdevSetbsz(device Device, blocksize int) error {
	v := int32(blocksize)
	return d.blockdev(device, "set block size", func(fd int) error { return ioctlPtr(fd, unix.BLKBSZSET, &v) })
}

func (d Actions) BlockdevGetsz(device Device) (int64, error) {
	n, err := d.devSize(device)
	return n / 512, err
}

func (d Actions) BlockdevGetsize64(device Device) (int64, error) { return d.devSize(device) }

func (d Actions) BlockdevFlushbufs(device Device) error {
	return d.blockdevSet(device, "flush", unix.BLKFLSBUF, 0)
}

func (d Actions) BlockdevRereadpt(device Device) error {
	return d.blockdevSet(device, "re-read partition table", unix.BLKRRPART, 0)
}

func (d Actions) BlockdevSetra(device Device, sectors int) error {
	if sectors < 0 {
		return errors.New("readahead sectors must be >= 0")
	}
	return d.blockdevSet(device, "set read-ahead", unix.BLKRASET, sectors)
}

// Zero clears the beginning of a device, where labels and superblocks are.
func (d Actions) Zero(c *Call, device Device) error { return d.zeroDevice(c, device, 32*4096) }

func (d Actions) ZeroDevice(c *Call, device Device) error { return d.zeroDevice(c, device, -1) }

// zeroDevice clears a device's first bytes, or all. Blocks that are already zero
// are not written, so that an image stays sparse.
func (d *Daemon) zeroDevice(c *Call, device Device, size int64) error {
	f, err := os.OpenFile(string(device), os.O_RDWR, 0)
	if err != nil {
		return wrap(err, "%s", d.shownDevice(device))
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return wrap(err, "%s", d.shownDevice(device))
	}
	if size < 0 || size > end {
		size = end
	}
	buf, zero := make([]byte, 1<<20), make([]byte, 1<<20)
	for pos := int64(0); pos < size; {
		n := int(min(int64(len(buf)), size-pos))
		if _, err := f.ReadAt(buf[:n], pos); err != nil {
			return wrap(err, "read: %s", d.shownDevice(device))
		}
		if !isZero(buf[:n]) {
			if _, err := f.WriteAt(zero[:n], pos); err != nil {
				return wrap(err, "write: %s", d.shownDevice(device))
			}
		}
		pos += int64(n)
		if err := c.Progress(uint64(pos), uint64(size)); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return wrap(err, "%s", d.shownDevice(device))
	}
	if err := f.Close(); err != nil {
		return wrap(err, "%s", d.shownDevice(device))
	}
	d.rereadPartitions(device)
	return nil
}

func (d Actions) IsZeroDevice(c *Call, device Device) (bool, error) {
	f, err := os.Open(string(device))
	if err != nil {
		return false, wrap(err, "open: %s", d.shownDevice(device))
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	for {
		n, err := io.ReadFull(f, buf)
		if !isZero(buf[:n]) {
			return false, nil
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return true, nil
		}
		if err != nil {
			return false, wrap(err, "read: %s", d.shownDevice(device))
		}
		if err := c.Progress(0, 1); err != nil {
			return false, err
		}
	}
}

func (d Actions) PreadDevice(device Device, count int, offset int64) ([]byte, error) {
	if err := checkRange(d.shownDevice(device), count, offset); err != nil {
		return nil, err
	}
	f, err := os.Open(string(device))
	if err != nil {
		return nil, wrap(err, "open: %s", d.shownDevice(device))
	}
	defer f.Close()
	buf := make([]byte, count)
	n, err := f.ReadAt(buf, offset)
	if err == io.EOF {
		err = nil
	}
	return buf[:n], wrap(err, "pread: %s", d.shownDevice(device))
}

func (d Actions) PwriteDevice(device Device, content []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, errors.New("offset is negative")
	}
	f, err := os.OpenFile(string(device), os.O_WRONLY, 0)
	if err != nil {
		return 0, wrap(err, "open: %s", d.shownDevice(device))
	}
	// A single call, so that at the end of the device the caller sees how much was written.
	n, err := unix.Pwrite(int(f.Fd()), content, offset)
	if serr := f.Sync(); err == nil {
		err = serr
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	d.rereadPartitions(device)
	return max(n, 0), wrap(err, "pwrite: %s", d.shownDevice(device))
}

func (d Actions) Wipefs(device Device) error {
	err := d.onDevice(device, "wipefs", "-a", "--force", string(device))
	d.rereadPartitions(device)
	return err
}

// Blkid lists everything that a low-level probe finds.
func (d Actions) Blkid(device Device) (api.Hash, error) {
	out, err := d.output("blkid", "-c", "/dev/null", "-p", "-i", "-o", "export", string(device))
	var te *ToolError
	if err != nil && !(errors.As(err, &te) && te.Status == 2) {
		return nil, d.deviceError(err, device)
	}
	h := api.Hash{}
	for _, line := range lines(out) {
		// Values are quoted for a shell.
		if k, v, ok := strings.Cut(line, "="); ok {
			h = append(h, api.Pair{Key: k, Value: v})
		}
	}
	return h, nil
}

func (d Actions) ListDmDevices() ([]string, error) { return d.mappedDevices(), nil }
func (d Actions) ListMdDevices() ([]string, error) { return d.mdDevices(), nil }

func (d Actions) Blkdiscard(c *Call, device Device) error {
	t := &Tool{Args: []string{"blkdiscard", string(device)}}
	return d.deviceError(t.Run(context.WithoutCancel(c)), device)
}

// Blkdiscardzeroes reports whether discarded blocks read as zeros.
func (d Actions) Blkdiscardzeroes(device Device) (bool, error) {
	v, err := blockdevGet[uint32](d.Daemon, device, "discard zeroes", unix.BLKDISCARDZEROES)
	return v != 0, err
}
