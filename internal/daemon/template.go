package daemon

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"

	"gofish/internal/proto"
)

// A template is a virtual machine that was saved while its daemon waited here:
// everything that takes long and is the same for every launch has been done, and
// nothing that must differ. The handle restores it, plugs its disks in and sends
// a Start.

// preload loads what a template should have in memory already, so that the first call
// does not wait for it: modules, and files whose pages are read once.
var (
	preloadModules = []string{"dm_mod", "xfs", "vfat", "nls_utf8", "nls_ascii"}
	preloadFiles   = []string{
		"/sbin/lvm", "/sbin/mke2fs", "/sbin/mkfs.xfs", "/sbin/blkid", "/sbin/parted", "/sbin/sfdisk",
		"/bin/mount", "/bin/tar", "/bin/grep", "/sbin/e2fsck", "/sbin/tune2fs",
		"/lib/x86_64-linux-gnu/lib*.so.*", "/lib64/ld-linux*",
	}
)

func preload() {
	for _, m := range preloadModules {
		runAnyway("modprobe", m)
	}
	for _, pattern := range preloadFiles {
		for _, name := range globAll(pattern) {
			if fi, err := os.Stat(name); err == nil && fi.Size() < 4<<20 {
				os.ReadFile(name)
			}
		}
	}
	debug.FreeOSMemory()
}

// awaitStart tells the handle that the guest may be saved, and waits for the
// Start that follows a restore (or comes at once, if the guest is not saved).
func awaitStart(conn *proto.Conn) (*proto.Start, error) {
	if err := sendWaiting(conn); err != nil {
		return nil, err
	}
	ev, frame, err := conn.Next(&proto.Progress{})
	if err != nil {
		return nil, err
	}
	d := proto.NewDecoder(frame)
	var h proto.Header
	h.Decode(d)
	if ev != proto.EventFrame || d.Err != nil || h.Proc != proto.ProcStart {
		return nil, errors.New("the first message is not a start message")
	}
	s := &proto.Start{}
	s.Decode(d)
	return s, d.Err
}

func sendWaiting(conn *proto.Conn) error {
	e := &proto.Encoder{}
	h := proto.ReplyHeader(proto.ProcWaiting, 0, proto.StatusOK)
	h.Encode(e)
	if err := conn.WriteFrame(e.Buf); err != nil {
		return err
	}
	return conn.Flush()
}

// begin gives this launch its own time, randomness and disks. Entropy comes
// first: nothing random may be drawn before.
func begin(conn *proto.Conn, s *proto.Start, events *kernelEvents) error {
	if err := reseed(s.Entropy); err != nil {
		return fmt.Errorf("random numbers: %w", err)
	}
	ts := unix.Timespec{Sec: s.Seconds, Nsec: s.Nanoseconds}
	if err := unix.ClockSettime(unix.CLOCK_REALTIME, &ts); err != nil {
		return fmt.Errorf("clock: %w", err)
	}
	machineID = sync.Once{}
	if s.Verbose {
		os.WriteFile("/proc/sys/kernel/printk", []byte("7 4 1 7\n"), 0)
	}
	// One after the other, so that the kernel names them in this order.
	for target := range int(s.Disks) {
		if target > 0 {
			if err := sendWaiting(conn); err != nil {
				return err
			}
		}
		if _, err := events.awaitDisk(target); err != nil {
			return err
		}
	}
	return nil
}

// reseed mixes entropy into the kernel's generator, credits it, and makes the
// generator reseed from it (random(4)).
func reseed(entropy []byte) error {
	if len(entropy) < 32 {
		return fmt.Errorf("%d bytes are too few", len(entropy))
	}
	f, err := os.OpenFile("/dev/urandom", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	var pool struct {
		bits, size int32
		data       [512]byte
	}
	n := copy(pool.data[:], entropy)
	pool.bits, pool.size = int32(8*n), int32(n)
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, f.Fd(), unix.RNDADDENTROPY, uintptr(unsafe.Pointer(&pool))); e != 0 {
		return e
	}
	if _, _, e := unix.Syscall(unix.SYS_IOCTL, f.Fd(), rndReseedCRNG, 0); e != 0 {
		return e
	}
	return nil
}

const rndReseedCRNG = 0x5207 // _IO('R', 0x07) in linux/random.h
