package e2e

import (
	"os"
	"path/filepath"
	"testing"
)

// TestMountOnTerminal: guestmount asks for a key on the terminal before it goes to the background,
// where it stays when the terminal is gone; Ctrl-C ends it before and after.
func TestMountOnTerminal(t *testing.T) {
	t.Parallel()
	if f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0); err != nil {
		t.Skip(err)
	} else {
		f.Close()
	}
	dir := t.TempDir()
	bin := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"guestmount", "guestunmount"} {
		if err := os.Symlink(gofishBin, bin(name)); err != nil {
			t.Fatal(err)
		}
	}
	mnt := filepath.Join(dir, "mnt")
	if err := os.Mkdir(mnt, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command("umount", "-l", mnt).Run() })
	need(t, "cryptsetup")
	r := program(t, dir, nil, "secret", "sh", "-ec", `truncate -s 60M lock.img
		cryptsetup -q luksFormat --type luks1 --pbkdf-force-iterations 1000 lock.img -
		echo secret | gofish --keys-from-stdin -a lock.img run : luks-open /dev/sda c : mkfs ext4 /dev/mapper/c`)
	if r.status != 0 {
		t.Fatal(r.stderr)
	}
	mounted := func() bool {
		names, err := os.ReadDir(mnt)
		return err == nil && len(names) == 1 // lost+found
	}

	const ask = `Enter key or passphrase ("/dev/sda"): `
	p := startTerminal(t, dir, nil, bin("guestmount"), "lock.img", "mnt")
	p.expect(ask)
	p.send("\x03")
	p.wait(130)
	if mounted() {
		t.Error("mounted after Ctrl-C")
	}
	p = startTerminal(t, dir, nil, bin("guestmount"), "lock.img", "mnt")
	p.expect(ask)
	p.send("secret\n")
	p.wait(0)
	if !mounted() {
		t.Error("not mounted with the right key")
	}
	if r := program(t, dir, nil, "", bin("guestunmount"), "mnt"); r.status != 0 || mounted() {
		t.Errorf("guestunmount: %+v", r)
	}
	// In the foreground Ctrl-C unmounts, and what was written is in the image.
	p = startTerminal(t, dir, nil, bin("guestmount"), "-w", "--no-fork", "--fd=2", "lock.img", "mnt")
	p.expect(ask)
	p.send("secret\n")
	p.expect("\x00")
	if err := os.WriteFile(filepath.Join(mnt, "new"), []byte("text"), 0o644); err != nil {
		t.Error(err)
	}
	p.send("\x03")
	p.wait(0)
	r = program(t, dir, nil, "secret\n", gofishBin, "--keys-from-stdin", "--ro", "-a", "lock.img", "run", ":",
		"luks-open", "/dev/sda", "c", ":", "mount-ro", "/dev/mapper/c", "/", ":", "cat", "/new")
	if r.stdout != "text\n" {
		t.Errorf("%+v", r)
	}
}
