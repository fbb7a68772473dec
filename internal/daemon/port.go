package daemon

import (
	"io"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Port is a control connection on a descriptor: a virtio-serial port or a socket.
type Port struct{ fd int }

// OpenPort opens a virtio-serial port.
func OpenPort(dev string) (*Port, error) {
	fd, err := unix.Open(dev, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: dev, Err: err}
	}
	return &Port{fd}, nil
}

// SocketPort takes over an accepted connection.
func SocketPort(c *net.UnixConn) (*Port, error) {
	f, err := c.File()
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	unix.SetNonblock(fd, false)
	c.Close()
	return &Port{fd}, nil
}

func (p *Port) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(p.fd, b)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, os.NewSyscallError("read", err)
		case n == 0:
			return 0, io.EOF
		}
		return n, nil
	}
}

func (p *Port) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := unix.Write(p.fd, b[done:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return done, os.NewSyscallError("write", err)
		}
		done += n
	}
	return done, nil
}

// Pending reports whether a Read would return at once.
func (p *Port) Pending() bool {
	fds := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

func (p *Port) Close() error { return unix.Close(p.fd) }
