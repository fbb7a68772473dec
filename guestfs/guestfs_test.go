package guestfs_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"gofish/guestfs"
)

// withDisk launches an appliance with an ext4 file system on a new disk, mounted at /.
func withDisk(t testing.TB, size int64, options ...guestfs.Option) *guestfs.Handle {
	t.Helper()
	g, err := guestfs.New(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := context.Background()
	disk := filepath.Join(t.TempDir(), "disk.img")
	if err := g.DiskCreate(ctx, disk, "raw", size); err != nil {
		t.Fatal(err)
	}
	dev, err := g.AddDrive(ctx, disk, guestfs.AddDriveOptions{Format: new("raw")})
	if err != nil || dev != "/dev/sda" {
		t.Fatal(dev, err)
	}
	for _, err := range []error{g.Launch(ctx), g.Mkfs(ctx, "ext4", dev, guestfs.MkfsOptions{Label: new("root")}), g.Mount(ctx, dev, "/")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return g
}

func TestPackage(t *testing.T) {
	t.Parallel()
	g := withDisk(t, 300<<20)
	ctx := context.Background()
	check := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}

	t.Run("errors", func(t *testing.T) {
		_, err := g.ReadFile(ctx, "/none")
		var e *guestfs.Error
		if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, &e) || e.Action != "read_file" {
			t.Errorf("%#v", err)
		}
		if err := g.Download(ctx, "/lost+found", nil); err == nil {
			t.Error("a nil writer is taken")
		}
		mine := errors.New("mine")
		ended, end := context.WithCancelCause(ctx)
		time.AfterFunc(200*time.Millisecond, func() { end(mine) })
		if err := g.Sleep(ended, 600); !errors.Is(err, mine) || !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if err := g.Mkdir(ctx, "/lost+found"); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%v", err)
		}
		if err := g.Mkfs(ctx, "ext4", "/dev/sda", guestfs.MkfsOptions{}, guestfs.MkfsOptions{}); err == nil {
			t.Error("options twice are taken")
		}
	})

	t.Run("writing", func(t *testing.T) {
		check("MkdirAll", g.MkdirAll(ctx, "/a/b/c", 0o750))
		check("MkdirAll again", g.MkdirAll(ctx, "/a/b/c", 0o750))
		check("WriteFile", g.WriteFile(ctx, "/a/b/f", []byte("text\n"), 0o600))
		when := time.Date(2001, 2, 3, 4, 5, 6, 7, time.UTC)
		check("Chtimes", g.Chtimes(ctx, "/a/b/f", time.Time{}, when))
		info, err := g.FS(ctx).Stat("a/b/f")
		check("Stat", err)
		st := info.Sys().(*guestfs.StatNS)
		if info.Mode() != 0o600 || info.Size() != 5 || !info.ModTime().Equal(when) || st.UID != 0 || st.Nlink != 1 || st.Ino == 0 {
			t.Errorf("%v %d %v %+v", info.Mode(), info.Size(), info.ModTime(), st)
		}
		check("Rename", g.Rename(ctx, "/a/b/f", "/a/g"))
		check("Remove", g.Remove(ctx, "/a/b/c"))
		if err := g.Remove(ctx, "/a"); err == nil {
			t.Error("a full directory is removed")
		}
		if err := g.Remove(ctx, "/a/b/f"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v", err)
		}
	})

	t.Run("create", func(t *testing.T) {
		data := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
		check("Write", g.Write(ctx, "/old", []byte("old")))
		check("Chmod", g.Chmod(ctx, 0o640, "/old"))
		w, err := g.Create(ctx, "/old")
		check("Create", err)
		_, err = io.Copy(w, bytes.NewReader(data))
		check("Copy", err)
		if b, err := g.ReadFile(ctx, "/old"); string(b) != "old" || err != nil {
			t.Errorf("before Close: %q %v", b, err)
		}
		check("Close", w.Close())
		w.Discard()
		b, err := g.ReadFile(ctx, "/old")
		if err != nil || !bytes.Equal(b, data) {
			t.Errorf("%d bytes, %v", len(b), err)
		}
		if info, err := g.FS(ctx).Stat("old"); err != nil || info.Mode() != 0o640 {
			t.Errorf("%v %v", info, err)
		}
		w, err = g.Create(ctx, "/new")
		check("Create", err)
		w.Write([]byte("x"))
		w.Discard()
		names, err := g.Ls(ctx, "/")
		if err != nil || slices.ContainsFunc(names, func(n string) bool { return strings.Contains(n, "new") || strings.HasPrefix(n, ".") }) {
			t.Errorf("%q %v", names, err)
		}
		if _, err := g.Create(ctx, "/none/x"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v", err)
		}
	})

	t.Run("streams", func(t *testing.T) {
		text := strings.Repeat("line\n", 100_000)
		check("Upload", g.Upload(ctx, strings.NewReader(text), "/up"))
		var out bytes.Buffer
		check("Download", g.Download(ctx, "/up", &out))
		if out.String() != text {
			t.Errorf("%d bytes of %d", out.Len(), len(text))
		}
		// A pipe, whose length nobody knows.
		r, w := io.Pipe()
		go func() { io.WriteString(w, text); w.Close() }()
		check("Upload from a pipe", g.Upload(ctx, r, "/up2"))
		if same, err := g.Equal(ctx, "/up", "/up2"); err != nil || !same {
			t.Errorf("%v %v", same, err)
		}
		// The fast way, of a file and of a name.
		big := filepath.Join(t.TempDir(), "big")
		check("WriteFile", os.WriteFile(big, bytes.Repeat([]byte("y"), 20<<20), 0o600))
		check("Upload of a file by name", g.Upload(ctx, guestfs.HostFile(big), "/big"))
		f, err := os.Create(filepath.Join(t.TempDir(), "out"))
		check("Create", err)
		defer f.Close()
		check("Download to a file", g.Download(ctx, "/big", f))
		if at, err := f.Seek(0, io.SeekCurrent); at != 20<<20 || err != nil {
			t.Errorf("the file is at %d, %v", at, err)
		}
		named := guestfs.HostFile(filepath.Join(t.TempDir(), "named"))
		check("Download to a name", g.Download(ctx, "/big", named))
		if fi, err := os.Stat(string(named)); err != nil || fi.Size() != 20<<20 {
			t.Errorf("%v %v", fi, err)
		}
		if err := g.Download(ctx, "/none", named); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v", err)
		}
		// The caller's own error.
		mine := errors.New("mine")
		pr, pw := io.Pipe()
		pr.CloseWithError(mine)
		if err := g.Download(ctx, "/up", pw); !errors.Is(err, mine) {
			t.Errorf("%v", err)
		}
		if err := g.Upload(ctx, io.MultiReader(strings.NewReader("half"), failing{mine}), "/half"); !errors.Is(err, mine) {
			t.Errorf("%v", err)
		}
		if there, err := g.Exists(ctx, "/half"); err != nil || there {
			t.Errorf("half of a file: %v %v", there, err)
		}
		check("Rm", g.Rm(ctx, "/big"))
	})

	t.Run("FS", func(t *testing.T) {
		check("MkdirAll", g.MkdirAll(ctx, "/tree/dir/sub", 0o755))
		check("Write", g.Write(ctx, "/tree/dir/file", bytes.Repeat([]byte("abc"), 1000)))
		check("Write", g.Write(ctx, "/tree/empty", nil))
		check("LnS", g.LnS(ctx, "dir/file", "/tree/link"))
		tree, err := fs.Sub(g.FS(ctx), "tree")
		check("Sub", err)
		if err := fstest.TestFS(tree, "dir/file", "dir/sub", "empty", "link"); err != nil {
			t.Error(err)
		}
		if target, err := g.FS(ctx).ReadLink("tree/link"); err != nil || target != "dir/file" {
			t.Errorf("%q %v", target, err)
		}
		if _, err := g.FS(ctx).Open("tree/none"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v", err)
		}
		if _, err := g.FS(ctx).Open("/tree"); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%v", err)
		}
		// Reading in pieces, from the middle, and in one go.
		data := bytes.Repeat([]byte("0123456789"), 700_000)
		check("Write", g.Upload(ctx, bytes.NewReader(data), "/large"))
		f, err := g.FS(ctx).Open("large")
		check("Open", err)
		b, err := io.ReadAll(struct{ io.Reader }{f})
		if err != nil || !bytes.Equal(b, data) {
			t.Errorf("read %d bytes, %v", len(b), err)
		}
		at, err := f.(io.Seeker).Seek(-15, io.SeekEnd)
		b, rerr := io.ReadAll(f)
		if at != int64(len(data)-15) || err != nil || string(b) != "567890123456789" || rerr != nil {
			t.Errorf("%d %v %q %v", at, err, b, rerr)
		}
		f.(io.Seeker).Seek(0, io.SeekStart)
		var out bytes.Buffer
		if n, err := io.Copy(&out, f); n != int64(len(data)) || err != nil || !bytes.Equal(out.Bytes(), data) {
			t.Errorf("%d %v", n, err)
		}
		check("Close", f.Close())
		if _, err := f.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%v", err)
		}
	})

	t.Run("goroutines", func(t *testing.T) {
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				name := "/g" + string(rune('a'+i))
				for range 10 {
					if err := g.Write(ctx, name, []byte(name)); err != nil {
						t.Error(err)
					}
					if b, err := g.ReadFile(ctx, name); err != nil || string(b) != name {
						t.Errorf("%q %v", b, err)
					}
				}
			})
		}
		wait.Wait()
	})

	t.Run("hot plug", func(t *testing.T) {
		second := filepath.Join(t.TempDir(), "second")
		check("DiskCreate", g.DiskCreate(ctx, second, "qcow2", 10<<20))
		dev, err := g.AddDrive(ctx, second, guestfs.AddDriveOptions{Format: new("qcow2"), Label: new("second")})
		if err != nil || dev != "/dev/sdb" {
			t.Fatal(dev, err)
		}
		check("PartDisk", g.PartDisk(ctx, dev, "gpt"))
		parts, err := g.PartList(ctx, dev)
		if err != nil || len(parts) != 1 || parts[0].Num != 1 || guestfs.PartitionName(dev, 1) != "/dev/sdb1" {
			t.Errorf("%v %v", parts, err)
		}
		check("RemoveDrive", g.RemoveDrive(ctx, "second"))
	})
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestEnds: what a context or Close has ended says so.
func TestEnds(t *testing.T) {
	t.Parallel()
	g := withDisk(t, 20<<20)
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Ls(t.Context(), "/"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	late, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	image := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(image, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := guestfs.Open(late, image); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a launch that takes too long: %v", err)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	if _, err := guestfs.New(guestfs.Gofish("x"), guestfs.Memory(1<<20)); err == nil {
		t.Error("1 MB of memory is taken")
	}
}
