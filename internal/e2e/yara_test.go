package e2e

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gofish/internal/api"
	"gofish/internal/handle"
)

// A scan of a file that would take minutes is given up when the user wants that; the
// client hears that it goes on, and the handle is as usable as before.
func TestCancelScan(t *testing.T) {
	h := newHandle(t, 8<<30)
	rules := filepath.Join(t.TempDir(), "rules")
	if err := os.WriteFile(rules, []byte(`rule R { strings: $a = /(\x00\x00\x00\x00){3,20}x/ condition: $a }`), 0o644); err != nil {
		t.Fatal(err)
	}
	must(t, h, "launch")
	must(t, h, "mkfs", "ext4", "/dev/sda")
	must(t, h, "mount", "/dev/sda", "/")
	must(t, h, "touch", "/zero")
	must(t, h, "truncate_size", "/zero", int64(4<<30))
	must(t, h, "write", "/x", []byte("x"))
	must(t, h, "yara_load", rules)
	var got events
	h.OnEvent(handle.EventProgress, got.add)
	ctx, stop := context.WithTimeout(context.Background(), limit(5*time.Second))
	defer stop()
	begin := time.Now()
	_, err := h.Call(ctx, api.All.Lookup("yara_scan"), []any{"/zero"}, nil)
	if err == nil || err.Error() != "operation cancelled by user" {
		t.Errorf("a cancelled scan: %v", err)
	}
	if d := time.Since(begin); d > limit(30*time.Second) {
		t.Errorf("the scan ended %v after it began", d)
	}
	if !got.has(handle.EventProgress, "") {
		t.Error("a long scan told of no progress")
	}
	if l := must(t, h, "yara_scan", "/x").([]api.YaraDetection); len(l) != 0 {
		t.Errorf("a later scan: %v", l)
	}
}
