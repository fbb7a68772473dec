package handle

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gofish/internal/api"
	"gofish/internal/proto"
)

// What a daemon may send in place of an answer.

func words(w ...uint32) string {
	var b []byte
	for _, w := range w {
		b = binary.BigEndian.AppendUint32(b, w)
	}
	return string(b)
}

func frame(s string) string { return words(uint32(len(s))) + s }

func xdrString(s string) string {
	var e proto.Encoder
	e.String(s)
	return string(e.Buf)
}

// good is a reply with a body; change makes it a bad one.
func good(body string, change ...func(*proto.Header)) func(proc, serial uint32) string {
	return func(proc, serial uint32) string {
		h := proto.ReplyHeader(proc, serial, proto.StatusOK)
		for _, f := range change {
			f(&h)
		}
		var e proto.Encoder
		h.Encode(&e)
		return frame(string(e.Buf) + body)
	}
}

func raw(s string) func(proc, serial uint32) string {
	return func(uint32, uint32) string { return s }
}

// file is a good reply and what follows it.
func file(rest string) func(proc, serial uint32) string {
	return func(proc, serial uint32) string { return good("")(proc, serial) + rest }
}

func chunk(data string, cancel uint32) string { return frame(words(cancel) + xdrString(data)) }

func failure(errno, text string) func(proc, serial uint32) string {
	return good(xdrString(errno)+xdrString(text), func(h *proto.Header) { h.Status = proto.StatusError })
}

type end int

const (
	waits  end = iota // for ever, and reads nothing more
	reads             // all that comes, and answers no more
	leaves            // closes the connection
	floods            // sends more for ever
)

// hostile is a daemon for one client. Every call but the questions of copy_out and the
// calls before it gets the answer.
func hostile(t *testing.T, answer func(proc, serial uint32) string, then end, more string) (socket string) {
	socket = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop); l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		io.WriteString(c, words(proto.LaunchWord))
		conn := proto.NewConn(c)
		for {
			ev, msg, err := conn.Next(&proto.Progress{})
			if err != nil {
				return
			}
			var h proto.Header
			if d := proto.NewDecoder(msg); ev == proto.EventFrame {
				h.Decode(d)
			}
			if h.Prog != proto.Program {
				continue // a chunk
			}
			switch h.Proc {
			case api.All.Lookup("is_file").Proc:
				io.WriteString(c, good(words(0))(h.Proc, h.Serial))
				continue
			case api.All.Lookup("is_dir").Proc:
				io.WriteString(c, good(words(1))(h.Proc, h.Serial))
				continue
			}
			io.WriteString(c, answer(h.Proc, h.Serial))
			switch then {
			case waits:
				<-stop
				return
			case reads:
				io.Copy(io.Discard, c)
				return
			case leaves:
				return
			}
			for more = strings.Repeat(more, 1+(1<<16)/len(more)); ; {
				if _, err := io.WriteString(c, more); err != nil {
					return
				}
			}
		}
	}()
	return socket
}

// tarOf is an archive in chunks.
func tarOf(headers ...tar.Header) string {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		w.WriteHeader(&h)
	}
	w.Close()
	s := ""
	for b.Len() > 0 {
		s += chunk(string(b.Next(proto.MaxChunk)), 0)
	}
	return s
}

// However a daemon behaves, a call fails with one error, soon or when it is told to stop;
// nothing is left under the name that was asked for, or of temporary files; and nothing
// more is asked of who has broken the protocol.
func TestHostileDaemons(t *testing.T) {
	zeros := strings.Repeat("\x00", proto.MaxChunk)
	header := tarOf(tar.Header{Name: "x/", Typeflag: tar.TypeDir, Mode: 0o755})[12:][:512]
	all := []string{"stat", "cat", "ls", "list_devices", "download", "tar_out", "copy_out", "upload", "upload_large"}
	streams := []string{"cat", "ls", "download", "tar_out", "copy_out"}
	results := []string{"stat", "list_devices"}
	for _, s := range []struct {
		name   string
		calls  []string
		answer func(proc, serial uint32) string
		then   end
		more   string
		hangs  bool   // until it is stopped
		want   string // in the error
	}{
		{"silence", all, raw(""), waits, "", true, ""},
		{"leaves", all, raw(""), leaves, "", false, "closed the connection unexpectedly"},
		{"half a length", all, raw("\x00\x00"), leaves, "", false, "closed the connection unexpectedly"},
		{"half a frame", all, raw(words(100) + "x"), leaves, "", false, "closed the connection unexpectedly"},
		{"half a frame, then silence", all, raw(words(100) + "x"), waits, "", true, ""},
		{"an empty frame", all, raw(words(0)), waits, "", false, "failed to parse reply header"},
		{"a short header", all, raw(frame("short")), reads, "", false, "failed to parse reply header"},
		{"a length too large", all, raw(words(4<<20 + 1)), reads, "", false, "maximum possible size"},
		{"a negative length", all, raw(words(1<<32 - 1)), reads, "", false, "maximum possible size"},
		{"the launch word again", all, raw(words(proto.LaunchWord)), reads, "", false, "unexpected launch flag"},
		{"cancel words", all, raw(""), floods, words(proto.CancelWord), false, "cancelled more than once"},
		{"progress for ever", all, raw(""), floods, words(proto.ProgressWord, 1, 2, 0, 3, 0, 4), true, ""},
		{"another serial", all, good("", func(h *proto.Header) { h.Serial++ }), reads, "", false, "unexpected serial"},
		{"another procedure", all, good("", func(h *proto.Header) { h.Proc++ }), reads, "", false, "unexpected procedure"},
		{"another program", all, good("", func(h *proto.Header) { h.Prog++ }), reads, "", false, "wrong program"},
		{"another version", all, good("", func(h *proto.Header) { h.Vers++ }), reads, "", false, "wrong protocol version"},
		{"a call", all, good("", func(h *proto.Header) { h.Direction = 0 }), reads, "", false, "unexpected message direction"},
		{"status 7", all, good("", func(h *proto.Header) { h.Status = 7 }), reads, "", false, "unexpected status"},
		{"an error without text", all, good("", func(h *proto.Header) { h.Status = 1 }), reads, "", false, "failed to parse reply error"},
		{"an error and more", all, func(p, s uint32) string {
			return good(xdrString("EIO")+xdrString("x")+"more", func(h *proto.Header) { h.Status = 1 })(p, s)
		}, reads, "", false, "bytes too many"},
		{"no result", results, good(""), reads, "", false, "failed to parse reply"},
		{"a count too large", results, good(words(1<<32 - 1)), reads, "", false, "failed to parse reply"},
		{"a result and more", all, good(strings.Repeat("\x00", 4096)), reads, "", false, "bytes too many"},
		{"an archive of nothing", []string{"copy_out"}, file(chunk("", 0)), leaves, "", false, "has no end"},
		{"an archive without end", []string{"copy_out"}, file(chunk(header, 0) + chunk("", 0)), leaves, "", false, "has no end"},
		{"garbage for an archive", []string{"copy_out"}, file(chunk(strings.Repeat("x", 1024), 0) + chunk("", 0)), leaves, "", false, "invalid tar header"},
		{"half a file", streams, file(chunk("abc", 0)), leaves, "", false, "closed the connection unexpectedly"},
		{"half a file, then silence", streams, file(chunk("abc", 0)), waits, "", true, ""},
		{"a chunk with a false length", streams, file(frame(words(0, 1<<32-1) + "abc")), reads, "", false, "failed to parse file chunk"},
		{"a chunk too large", streams, file(frame(words(0, proto.MaxChunk+1) + zeros + "abcd")), reads, "", false, "failed to parse file chunk"},
		{"a reply in a file", streams, func(p, s uint32) string {
			return file(chunk("abc", 0))(p, s) + good("")(p, s)
		}, leaves, "", false, ""},
		{"a cancelled file", streams, file(chunk("abc", 1)), leaves, "", false, "cancelled by daemon"},
		{"an archive that does not stop", []string{"copy_out"}, file(chunk(strings.Repeat("x", 1024), 0)), floods, chunk(zeros, 0), false, "invalid tar header"},
		{"names for ever", []string{"ls"}, file(""), floods, chunk(strings.Repeat("n", 4000)+"\x00"+strings.Repeat("n", 4000)+"\x00", 0), false, "more than 256 MB"},
		{"zeroes after the archive's end", []string{"copy_out"}, file(tarOf()), floods, chunk(zeros, 0), false, "goes on after its end"},
		{"success before the file is read", []string{"upload_large"}, good(""), waits, "", false, "replied before"},
		{"an error before the file is read", []string{"upload_large"}, failure("ENOSPC", "no room"), waits, "", false, "no room"},
	} {
		for _, call := range s.calls {
			t.Run(s.name+"/"+call, func(t *testing.T) {
				t.Parallel()
				h, err := New(nil)
				if err != nil {
					t.Fatal(err)
				}
				dir := t.TempDir()
				mkdir := func(name string) string {
					if err := os.Mkdir(dir+"/"+name, 0o700); err != nil {
						t.Fatal(err)
					}
					return dir + "/" + name
				}
				out, tmp := mkdir("out"), mkdir("tmp")
				h.Settings.TmpDir, h.Settings.Backend = tmp, "unix:"+hostile(t, s.answer, s.then, s.more)
				if _, err := h.Call(context.Background(), api.All.Lookup("launch"), nil, nil); err != nil {
					t.Fatal(err)
				}
				large := dir + "/large"
				if f, err := os.Create(large); err == nil {
					f.Truncate(16 << 20)
					f.Close()
				}
				action, args, opts := call, []any{}, []any(nil)
				switch call {
				case "stat", "cat", "ls":
					args = []any{"/x"}
				case "download", "tar_out":
					args = []any{"/x", out + "/x"}
				case "copy_out":
					args, opts = []any{"/x", out}, []any{nil}
				case "upload":
					args = []any{"/dev/null", "/x"}
				case "upload_large":
					action, args = "upload", []any{large, "/x"}
				}
				ctx, stop := context.WithTimeout(context.Background(), 10*time.Second)
				if s.hangs {
					ctx, stop = context.WithTimeout(context.Background(), 200*time.Millisecond)
				}
				defer stop()
				_, err = h.Call(ctx, api.All.Lookup(action), args, opts)
				late := ctx.Err() != nil
				if err == nil || !strings.Contains(err.Error(), s.want) {
					t.Errorf("the error is %v, want %q", err, s.want)
				}
				if late != s.hangs {
					t.Errorf("the call had to be stopped: %v", late)
				}
				closed := make(chan bool)
				go func() { h.Close(); close(closed) }()
				select {
				case <-closed:
				case <-time.After(5 * time.Second):
					t.Fatal("something is still asked of the daemon")
				}
				for _, d := range []string{out, tmp} {
					filepath.WalkDir(d, func(p string, e os.DirEntry, err error) error {
						if err == nil && !e.IsDir() {
							t.Errorf("%s is left", p)
						}
						return nil
					})
				}
			})
		}
	}
}

// Who stops the program, not a call, does not wait for a daemon either.
func TestAbort(t *testing.T) {
	h, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Settings.Backend = "unix:" + hostile(t, failure("EIO", "x"), waits, "")
	if _, err := h.Call(context.Background(), api.All.Lookup("launch"), nil, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Call(context.Background(), api.All.Lookup("cat"), []any{"/x"}, nil); err == nil || err.Error() != "cat: x" {
		t.Errorf("%v", err)
	}
	done := make(chan bool)
	go func() { h.Close(); close(done) }() // asks for a flush, and waits
	time.Sleep(50 * time.Millisecond)
	h.Abort()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Error("the handle still waits")
	}
}

func TestDecodeNames(t *testing.T) {
	long := strings.Repeat("n", 200<<10)
	got, err := decodeNames(strings.NewReader("a\x00b c\x00\x00"+long+"\x00last"), 1<<20)
	if err != nil || len(got) != 5 || got[0] != "a" || got[2] != "" || got[3] != long || got[4] != "last" {
		t.Errorf("%d names, %v", len(got), err)
	}
	for _, s := range []string{long + "\x00", strings.Repeat("\x00", 10000), strings.Repeat("ab\x00", 10000)} {
		if _, err := decodeNames(strings.NewReader(s), 100<<10); err == nil {
			t.Errorf("%d bytes are taken, 100 KB are the limit", len(s))
		}
	}
}

func TestDecodeLines(t *testing.T) {
	got, err := decodeLines(strings.NewReader("a\r\n\nb\rc\r\r\nlast\r"), 1<<20)
	if want := []string{"a", "", "b\rc\r", "last\r"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

// A daemon that says nothing more is not waited for at the end.
func TestCloseSilent(t *testing.T) {
	t.Parallel()
	h, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	h.Settings.Backend = "unix:" + hostile(t, failure("EIO", "x"), waits, "")
	if _, err := h.Call(context.Background(), api.All.Lookup("launch"), nil, nil); err != nil {
		t.Fatal(err)
	}
	h.Call(context.Background(), api.All.Lookup("cat"), []any{"/x"}, nil)
	done := make(chan error, 1)
	go func() { done <- h.Close() }()
	select {
	case err := <-done:
		if err == nil || !strings.Contains(err.Error(), "did not move for 10s") {
			t.Errorf("%v", err)
		}
	case <-time.After(2 * socketCloseTime):
		t.Error("the handle still waits")
		h.Abort()
	}
}
