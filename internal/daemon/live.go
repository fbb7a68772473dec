package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"gofish/internal/proto"
)

// LiveConfig says how to serve inside a running Linux system.
type LiveConfig struct {
	Config
	Channel string // device of a virtio-serial port; empty: the port of the usual name
	Listen  string // path of a Unix socket to listen on instead
}

// ServeLive serves in a live guest until ctx ends or, on a port, until the
// other side goes away. On a socket, one client after the other is served. The
// socket's file is removed at the end.
func ServeLive(ctx context.Context, cfg LiveConfig) error {
	signal.Ignore(syscall.SIGPIPE)
	// LVM and cryptsetup of a live system bring their own settings; only what
	// keeps output predictable is set.
	os.Setenv("LC_ALL", "C")
	os.Setenv("PATH", "/sbin:/usr/sbin:/bin:/usr/bin")
	d := New(cfg.Config)
	if cfg.Listen == "" {
		var port *Port
		var err error
		if cfg.Channel != "" {
			port, err = OpenPort(cfg.Channel)
		} else {
			port, err = openPort(nil, proto.ChannelPort, 0)
		}
		if err != nil {
			return fmt.Errorf("%w (use --channel DEVICE or --listen SOCKET)", err)
		}
		defer port.Close()
		return Serve(d, port)
	}
	l, err := net.Listen("unix", cfg.Listen)
	if err != nil {
		return fmt.Errorf("%s: %w", cfg.Listen, errnoOf(err))
	}
	// Anyone who can connect is root here.
	if err := os.Chmod(cfg.Listen, 0o600); err != nil {
		l.Close()
		return err
	}
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		port, err := SocketPort(c.(*net.UnixConn))
		if err != nil {
			return err
		}
		unhook := context.AfterFunc(ctx, func() { syscall.Shutdown(port.fd, syscall.SHUT_RDWR) })
		if err := Serve(d, port); err != nil {
			fmt.Fprintln(os.Stderr, "gofish daemon:", err)
		}
		unhook()
		port.Close()
	}
}
