package daemon

import (
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"gofish/internal/proto"
)

// nameServer is qemu's, in its user network; resolvConfText is the file that leads to it.
const (
	nameServer     = proto.NameServer
	resolvConfText = "nameserver " + nameServer + "\n"
)

// nameTime is how long to wait for an answer; clients give up earlier.
const nameTime = 30 * time.Second

// forwardNames answers as a name server of this machine by asking nameServer. Programs
// ask this machine if none is configured (resolv.conf(5)).
func forwardNames() (stop func(), err error) {
	const here = "127.0.0.1:53"
	stop = func() {}
	packets, err := net.ListenPacket("udp4", here)
	if err != nil {
		return stop, fmt.Errorf("lend a name server to the guest: %w", errors.Unwrap(err))
	}
	streams, err := net.Listen("tcp4", here)
	if err != nil {
		packets.Close()
		return stop, fmt.Errorf("lend a name server to the guest: %w", errors.Unwrap(err))
	}
	go forwardPackets(packets, nameServer+":53")
	go forwardStreams(streams, nameServer+":53")
	return func() {
		packets.Close()
		streams.Close()
	}, nil
}

func askNames(network, server string) (net.Conn, error) {
	c, err := net.DialTimeout(network, server, nameTime)
	if err == nil {
		c.SetDeadline(time.Now().Add(nameTime))
	}
	return c, err
}

// forwardPackets ends when the socket is closed. If a question gets no answer, it
// is up to the client to repeat it.
func forwardPackets(from net.PacketConn, server string) {
	buf := make([]byte, 64<<10)
	for {
		n, asker, err := from.ReadFrom(buf)
		if err != nil {
			return
		}
		question := slices.Clone(buf[:n])
		go func() {
			c, err := askNames("udp4", server)
			if err != nil {
				return
			}
			defer c.Close()
			answer := make([]byte, 64<<10)
			if _, err := c.Write(question); err != nil {
				return
			}
			if n, err := c.Read(answer); err == nil {
				from.WriteTo(answer[:n], asker)
			}
		}()
	}
}

func forwardStreams(from net.Listener, server string) {
	for {
		asker, err := from.Accept()
		if err != nil {
			return
		}
		go func() {
			defer asker.Close()
			c, err := askNames("tcp4", server)
			if err != nil {
				return
			}
			defer c.Close()
			asker.SetDeadline(time.Now().Add(nameTime))
			go io.Copy(c, asker)
			io.Copy(asker, c)
		}()
	}
}
