package daemon

import (
	"io"
	"testing"

	"gofish/internal/api"
	"gofish/internal/proto"
)

// endless gives the same frame again and again, and drops what is written.
type endless struct {
	frame []byte
	at, n int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.at == 0 {
		if e.n == 0 {
			return 0, io.EOF
		}
		e.n--
	}
	k := copy(p, e.frame[e.at:])
	e.at = (e.at + k) % len(e.frame)
	return k, nil
}
func (e *endless) Write(p []byte) (int, error) { return len(p), nil }
func (e *endless) Pending() bool               { return false }

// BenchmarkCall is what a call costs the daemon beside the system calls of the
// connection. Emulated, it is some fifteen times more.
func BenchmarkCall(b *testing.B) {
	for _, name := range []string{"ping_daemon", "stat", "internal_node_getattr"} {
		b.Run(name, func(b *testing.B) {
			a := api.All.Lookup(name)
			e := &proto.Encoder{Buf: make([]byte, 4)}
			h := proto.CallHeader(a.Proc, 1, 0, 0)
			h.Encode(e)
			if len(a.Args) > 0 {
				arg := any("/")
				if a.Args[0].Kind == api.KInt64 {
					arg = int64(1)
				}
				a.EncodeArgs(e, []any{arg}, nil)
			}
			n := len(e.Buf) - 4
			copy(e.Buf, []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
			d := New(Config{Sysroot: b.TempDir(), Live: true})
			if _, err := (Actions{d}).InternalNodesBegin(-1); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			if err := Serve(d, &endless{frame: e.Buf, n: b.N}); err != nil {
				b.Fatal(err)
			}
		})
	}
}
