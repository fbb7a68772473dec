package fstest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// shared is a new folder that other users reach.
func shared(t *testing.T) string {
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// judge is what the judges must be content with: a file system of the host's kernel.
func judge(t *testing.T, dir string, can Can) {
	var sf unix.Statfs_t
	if err := unix.Statfs(dir, &sf); err != nil {
		t.Fatal(err)
	}
	switch uint32(sf.Type) {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.TMPFS_MAGIC:
	default:
		t.Skipf("%s is on a file system that these cases were not written for", dir)
	}
	Run(t, dir, can)
}

func TestHost(t *testing.T) {
	can := All &^ LargeXattrs
	if dir := t.TempDir(); unix.Setxattr(dir, "user.a", nil, 0) != nil {
		can &^= Xattrs | ACLs
	}
	judge(t, shared(t), can)
}

// mounted is a new file system in memory. Only root can have one.
func mounted(t *testing.T, options string, flags uintptr) string {
	dir := shared(t)
	if err := unix.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
		t.Skipf("no tmpfs can be mounted: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestMemory(t *testing.T) {
	dir := mounted(t, "", 0)
	can := All &^ (LargeXattrs | Tails)
	if unix.Setxattr(dir, "user.a", nil, 0) != nil { // since 6.6
		can &^= Xattrs | ACLs
	}
	Run(t, dir, can)
}

func TestFull(t *testing.T) {
	RunFull(t, mounted(t, "size=8m", 0), All)
}

func TestReadOnly(t *testing.T) {
	dir := mounted(t, "", 0)
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("content"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", dir, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	RunReadOnly(t, dir, "file", "content", true)
}

// TestNumber keeps the table as large as it is said to be.
func TestNumber(t *testing.T) {
	names := map[string]bool{}
	for _, c := range cases() {
		if names[c.name] {
			t.Errorf("two cases %s", c.name)
		}
		names[c.name] = true
	}
	if len(names) < 150 {
		t.Errorf("%d cases", len(names))
	}
	t.Logf("%d cases", len(names))
}

func TestExercise(t *testing.T) {
	for _, two := range []bool{false, true} {
		for seed := range uint64(3) {
			done, want := Exercise(t, filepath.Join(t.TempDir(), "f"), Exercising{Seed: seed, Most: 20_000, Length: time.Second, Two: two, Can: All})
			t.Logf("seed %d, two descriptors: %v: %d operations, %d bytes left", seed, two, done, len(want))
		}
	}
}
