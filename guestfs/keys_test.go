package guestfs_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"gofish/guestfs"
)

// TestOpenEncrypted opens a system that is in LUKS, by its partition's label, from a file,
// and by asking; and does not without the key.
func TestOpenEncrypted(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	image := filepath.Join(t.TempDir(), "disk.img")
	g, err := guestfs.New()
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range []func() error{
		func() error { return g.DiskCreate(ctx, image, "raw", 100<<20) },
		func() error { _, err := g.AddDrive(ctx, image); return err },
		func() error { return g.Launch(ctx) },
		func() error { return g.PartDisk(ctx, "/dev/sda", "gpt") },
		func() error { return g.PartSetName(ctx, "/dev/sda", 1, "secret") },
		func() error { return g.LUKSFormat(ctx, "/dev/sda1", "pw", 0) },
		func() error { return g.CryptsetupOpen(ctx, "/dev/sda1", "pw", "open") },
		func() error { return g.Mkfs(ctx, "ext4", "/dev/mapper/open") },
		func() error { return g.Mount(ctx, "/dev/mapper/open", "/") },
		func() error { return errors.Join(g.Mkdir(ctx, "/etc"), g.Mkdir(ctx, "/bin")) },
		func() error { return g.WriteFile(ctx, "/etc/os-release", []byte("ID=debian\nVERSION_ID=12\n"), 0o644) },
		func() error { return g.WriteFile(ctx, "/etc/fstab", []byte("/dev/mapper/x / ext4\n"), 0o644) },
		g.Close,
	} {
		if err := do(); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("pw\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, option := range map[string]guestfs.Option{
		"label": guestfs.Passphrase("PARTLABEL=secret", "pw"), "file": guestfs.KeyFile("all", file),
		"ask": guestfs.AskKey(func(device string) (string, error) {
			if device != "/dev/sda1" {
				t.Errorf("asked for %s", device)
			}
			return "pw", nil
		}),
	} {
		g, err := guestfs.Open(ctx, image, guestfs.ReadOnly, option)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if b, err := g.ReadFile(ctx, "/etc/os-release"); err != nil || string(b) != "ID=debian\nVERSION_ID=12\n" {
			t.Errorf("%s: %q %v", name, b, err)
		}
		g.Close()
	}
	_, err = guestfs.Open(ctx, image, guestfs.ReadOnly, guestfs.Passphrase("/dev/sda1", "no"))
	var locked *guestfs.LockedError
	if !errors.As(err, &locked) || locked.Device.Name != "/dev/sda1" || !locked.Tried {
		t.Errorf("with a wrong key: %v", err)
	}
	_, err = guestfs.Open(ctx, image, guestfs.AskKey(func(string) (string, error) { return "", fs.ErrPermission }))
	if !errors.As(err, &locked) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("without one: %v", err)
	}
}
