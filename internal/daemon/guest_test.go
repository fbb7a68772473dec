package daemon

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gofish/internal/api"
)

// guest is a directory that plays the guest, beside one that no handler may touch.
type guest struct {
	Actions
	t       *testing.T
	root    string // the guest's root directory
	outside string // beside it, holding a file "secret"
	call    *Call
}

const secret = "not for the guest"

func newGuest(t *testing.T) *guest {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to change its root directory")
	}
	top := t.TempDir()
	g := &guest{t: t, root: filepath.Join(top, "root"), outside: filepath.Join(top, "outside")}
	g.must(os.Mkdir(g.root, 0o755))
	g.must(os.Mkdir(g.outside, 0o755))
	g.must(os.WriteFile(filepath.Join(g.outside, "secret"), []byte(secret), 0o644))
	g.Actions = Actions{New(Config{Sysroot: g.root, Live: true})}
	g.call = &Call{Context: context.Background(), Action: &api.Action{Name: "test"}}
	return g
}

func (g *guest) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// write makes a file with its directories.
func (g *guest) write(p Path, content string) {
	g.t.Helper()
	g.must(g.MkdirP(Path(filepath.Dir(string(p)))))
	g.must(g.InternalWrite(p, []byte(content)))
}

func (g *guest) content(p Path) string {
	g.t.Helper()
	r, w := io.Pipe()
	go func() { w.CloseWithError(g.Download(g.call, DevOrPath{Path: p}, w)) }()
	b, err := io.ReadAll(r)
	g.must(err)
	return string(b)
}

// untouched fails the test if something outside the guest has changed.
func (g *guest) untouched() {
	g.t.Helper()
	b, err := os.ReadFile(filepath.Join(g.outside, "secret"))
	if err != nil || string(b) != secret {
		g.t.Errorf("the file outside now holds %q (%v)", b, err)
	}
	entries, err := os.ReadDir(g.outside)
	if err != nil || len(entries) != 1 {
		g.t.Errorf("outside there are now %v (%v)", entries, err)
	}
}

// soon fails the test if fn blocks.
func (g *guest) soon(what string, fn func()) {
	g.t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); fn() }()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		g.t.Fatalf("%s blocks", what)
	}
}
