package handle

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gofish/internal/api"
	"gofish/internal/proto"
)

// Nobody waits that long in tests.
func init() { unheeded = 300 * time.Millisecond }

// TestCancelWord cancels a call that moves no file. Only a daemon that has shown to be
// gofish's is told: to another one the word would be a message of four gigabytes.
func TestCancelWord(t *testing.T) {
	for _, ours := range []bool{true, false} {
		socket := filepath.Join(t.TempDir(), "s")
		l, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		told := make(chan int, 1) // how many cancel words came
		go func() {
			n := 0
			defer func() { told <- n }()
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			io.WriteString(c, words(proto.LaunchWord))
			conn := proto.NewConn(c)
			var waiting proto.Header
			for {
				ev, msg, err := conn.Next(&proto.Progress{})
				if err != nil {
					return
				}
				if ev == proto.EventCancel {
					n++
					io.WriteString(c, failure("EINTR", "operation cancelled by user")(waiting.Proc, waiting.Serial))
					continue
				}
				var h proto.Header
				h.Decode(proto.NewDecoder(msg))
				if h.Proc == api.All.Lookup("sleep").Proc {
					waiting = h
					continue
				}
				io.WriteString(c, good("", func(r *proto.Header) {
					if ours {
						r.ProgressHint = proto.OursMark
					}
				})(h.Proc, h.Serial))
			}
		}()
		h, err := New(nil)
		if err != nil {
			t.Fatal(err)
		}
		h.Settings.Backend = "unix:" + socket
		do := func(ctx context.Context, name string, args ...any) error {
			_, err := h.Call(ctx, api.All.Lookup(name), args, nil)
			return err
		}
		background := context.Background()
		if err := errors.Join(do(background, "launch"), do(background, "ping_daemon")); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithTimeout(background, 50*time.Millisecond)
		defer stop()
		err = do(ctx, "sleep", 600)
		if ours {
			if !errors.Is(err, syscall.EINTR) || !errors.Is(err, context.DeadlineExceeded) || err.Error() != "operation cancelled by user" {
				t.Errorf("our daemon: %v", err)
			}
			if err := do(background, "ping_daemon"); err != nil {
				t.Errorf("the next call: %v", err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "is not gofish's") || h.State() != Config {
			t.Errorf("a foreign daemon: %v, state %d", err, h.State())
		}
		h.Close()
		if n := <-told; (n == 1) != ours {
			t.Errorf("a daemon (ours: %v) was told %d times", ours, n)
		}
	}
}
