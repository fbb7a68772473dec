package daemon

import (
	"io"
	"net"
	"testing"
	"time"
)

func TestForwardNames(t *testing.T) {
	listen := func() (net.PacketConn, net.Listener) {
		p, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close(); l.Close() })
		return p, l
	}
	// A server that answers with what it was asked and a mark.
	serverP, serverL := listen()
	go func() {
		buf := make([]byte, 100)
		for {
			n, from, err := serverP.ReadFrom(buf)
			if err != nil {
				return
			}
			serverP.WriteTo(append(buf[:n:n], '!'), from)
		}
	}()
	go func() {
		for {
			c, err := serverL.Accept()
			if err != nil {
				return
			}
			io.CopyN(c, c, 3)
			io.WriteString(c, "!")
			c.Close()
		}
	}()
	ourP, ourL := listen()
	go forwardPackets(ourP, serverP.LocalAddr().String())
	go forwardStreams(ourL, serverL.Addr().String())
	for _, addr := range []net.Addr{ourP.LocalAddr(), ourL.Addr()} {
		for range 3 {
			c, err := net.Dial(addr.Network(), addr.String())
			if err != nil {
				t.Fatal(err)
			}
			c.SetDeadline(time.Now().Add(10 * time.Second))
			io.WriteString(c, "abc")
			answer := make([]byte, 4)
			if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "abc!" {
				t.Errorf("%s: %q, %v", addr.Network(), answer, err)
			}
			c.Close()
		}
	}
}
