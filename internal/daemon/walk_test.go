package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestWalkGone: what is removed during a walk is no failure, and known from what is there.
func TestWalkGone(t *testing.T) {
	top := t.TempDir()
	for _, name := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(top, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := os.Open(top)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if gone(dir, "a") || !gone(dir, "c") {
		t.Error("what is there is gone, or the other way round")
	}
	var seen []string
	err = (&Daemon{call: t.Context()}).walk(dir, "/", "", func(e *entry) error {
		seen = append(seen, e.rel)
		return os.Remove(filepath.Join(top, e.rel))
	})
	if slices.Sort(seen); err != nil || !slices.Equal(seen, []string{"a", "b"}) {
		t.Error(seen, err)
	}
}
