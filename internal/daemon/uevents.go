package daemon

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// kernelEvents is a socket on which the kernel reports devices that come and go
// (netlink(7), NETLINK_KOBJECT_UEVENT). It knows every SCSI disk by its target:
// the kernel announces a disk after it has read its partitions.
//
// Code that runs between a restore and the launch word is translated again in each
// launch, which costs more than running it: no regular expressions, no globs.
type kernelEvents struct {
	fd    int
	disks map[int]string // kernel names of SCSI disks announced so far, by target
	lost  bool           // events were dropped
	buf   []byte
}

func listenKernel() (*kernelEvents, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return nil, fmt.Errorf("kernel events: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: 1}); err != nil {
		return nil, fmt.Errorf("kernel events: %w", err)
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20)
	return &kernelEvents{fd: fd, disks: map[int]string{}, buf: make([]byte, 16<<10)}, nil
}

// read takes one event from the socket, if there is one, and reports whether there was.
func (k *kernelEvents) read() bool {
	n, _, err := unix.Recvfrom(k.fd, k.buf, unix.MSG_DONTWAIT)
	if err == unix.ENOBUFS {
		k.lost = true
		return true
	}
	if n <= 0 {
		return false
	}
	action, target, name := parseEvent(k.buf[:n])
	switch {
	case name == "":
	case action == "add":
		k.disks[target] = name
	case action == "remove" && k.disks[target] == name:
		delete(k.disks, target)
	}
	return true
}

// drain takes all events that have come.
func (k *kernelEvents) drain() {
	for k.read() {
	}
}

// parseEvent returns the action of an event and, if it is about a whole SCSI disk,
// the disk's target and its kernel name. An event begins with ACTION@PATH and a
// zero byte; the path of a disk ends in HOST:CHANNEL:TARGET:LUN/block/NAME.
func parseEvent(b []byte) (action string, target int, name string) {
	head, _, _ := bytes.Cut(b, []byte{0})
	what, path, ok := bytes.Cut(head, []byte("@"))
	if !ok {
		return "", 0, ""
	}
	rest, node, ok := bytes.Cut(path, []byte("/block/"))
	if !ok || len(node) == 0 || bytes.IndexByte(node, '/') >= 0 {
		return "", 0, ""
	}
	address := strings.Split(string(rest[bytes.LastIndexByte(rest, '/')+1:]), ":")
	if len(address) != 4 {
		return "", 0, ""
	}
	target, err := strconv.Atoi(address[2])
	if err != nil {
		return "", 0, ""
	}
	return string(what), target, string(node)
}

// until calls try, then again after every event, until it reports true.
func (k *kernelEvents) until(limit time.Duration, try func() bool) bool {
	end := time.Now().Add(limit)
	for !try() {
		left := time.Until(end)
		if left <= 0 {
			return false
		}
		fds := []unix.PollFd{{Fd: int32(k.fd), Events: unix.POLLIN}}
		if n, err := unix.Poll(fds, int(left.Milliseconds())+1); err != nil && err != unix.EINTR || n == 0 {
			continue
		}
		k.read()
	}
	return true
}

// awaitDisk waits for the disk at a SCSI target and returns its kernel name.
func (k *kernelEvents) awaitDisk(target int) (string, error) {
	var name string
	if !k.until(time.Minute, func() bool { name = k.diskAt(target); return name != "" }) {
		return "", fmt.Errorf("the disk at SCSI target %d did not appear", target)
	}
	setTimeout(name)
	return name, nil
}

// diskAt is the kernel name of the disk at a SCSI target, empty if there is none yet.
func (k *kernelEvents) diskAt(target int) string {
	k.drain()
	if name := k.disks[target]; name != "" || !k.lost {
		return name
	}
	// Its announcement may have been lost.
	for _, p := range globAll(fmt.Sprintf("/sys/bus/scsi/devices/*:0:%d:0/block/*", target)) {
		if name := p[strings.LastIndexByte(p, '/')+1:]; openable("/dev/" + name) {
			return name
		}
	}
	return ""
}

// scsiTimeout is how many seconds a disk may take for a request, since the host may be slow.
const scsiTimeout = "300"

func setTimeout(disk string) {
	fd, err := unix.Open("/sys/block/"+disk+"/device/timeout", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	unix.Write(fd, []byte(scsiTimeout))
	unix.Close(fd)
}
