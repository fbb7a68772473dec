package appliance

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCompareVersions(t *testing.T) {
	for _, c := range [][2]string{
		{"6.1.0-9-amd64", "6.1.0-13-amd64"}, {"6.1.0", "6.1.0-1"}, {"5.15", "6.1"}, {"6.09", "6.10"}, {"6.8.0-41-generic", "6.8.0-100-generic"},
	} {
		if compareVersions(c[0], c[1]) >= 0 || compareVersions(c[1], c[0]) <= 0 || compareVersions(c[0], c[0]) != 0 {
			t.Errorf("%s and %s", c[0], c[1])
		}
	}
}

// hostImage is a kernel that says its version.
func hostImage(version string) string {
	b := fakeBzImage([]byte("payload"), 7)
	b[0x20e], b[0x20f] = 0, 1 // 0x300, below the payload
	copy(b[0x300:], version+" (someone@somewhere) #1\x00")
	return string(b)
}

func TestFindKernel(t *testing.T) {
	dir := t.TempDir()
	patterns := []string{dir + "/boot/vmlinuz*", dir + "/lib/modules/*/vmlinuz"}
	if _, err := findKernel("", patterns); err == nil || !strings.Contains(err.Error(), "GOFISH_KERNEL") {
		t.Errorf("none: %v", err)
	}
	write(t, dir+"/boot/vmlinuz-linux", hostImage("6.9.0-9"))
	write(t, dir+"/boot/vmlinuz-6.10", hostImage("6.10.0-1"))
	write(t, dir+"/boot/vmlinuz-7-broken", "no kernel")
	write(t, dir+"/boot/vmlinuz-8", hostImage("8.0-without-modules"))
	for _, v := range []string{"6.9.0-9", "6.10.0-1"} {
		write(t, dir+"/lib/modules/"+v+"/modules.dep", "")
	}
	k, err := findKernel("", patterns)
	if err != nil || k.version != "6.10.0-1" || k.modules != dir+"/lib/modules/6.10.0-1" {
		t.Errorf("%+v, %v", k, err)
	}
	if k, err = findKernel(dir+"/boot/vmlinuz-8", nil); err != nil || k.version != "8.0-without-modules" || k.modules != "" {
		t.Errorf("named: %+v, %v", k, err)
	}
	for _, bad := range []string{dir, dir + "/none", dir + "/boot/vmlinuz-7-broken"} {
		if _, err := findKernel(bad, patterns); err == nil || !strings.HasPrefix(err.Error(), "GOFISH_KERNEL: ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if os.Geteuid() != 0 {
		locked := t.TempDir()
		write(t, locked+"/vmlinuz-1", hostImage("1"))
		os.Chmod(locked+"/vmlinuz-1", 0)
		if _, err := findKernel("", []string{locked + "/vmlinuz*"}); err == nil || !strings.Contains(err.Error(), "sudo chmod +r "+locked+"/vmlinuz-1") {
			t.Errorf("unreadable: %v", err)
		}
	}
}

func TestKernelVersion(t *testing.T) {
	for image, want := range map[string]string{
		hostImage("6.1.0-18-amd64"):                   "6.1.0-18-amd64",
		hostImage("../../etc"):                        "",
		hostImage("a/b"):                              "",
		"\x7fELF junk Linux version 6.6.1-x (gcc) #1": "6.6.1-x",
		"\x7fELF junk":                                "",
		"":                                            "",
		strings.Repeat("\x00", 600):                   "",
	} {
		if got := kernelVersion([]byte(image)); got != want {
			t.Errorf("%.20q: %q, want %q", image, got, want)
		}
	}
}

func TestGatherer(t *testing.T) {
	dir := t.TempDir()
	src := filepath.Join(dir, "src")
	write(t, src+"/lib/real.so.1", "a library")
	os.Symlink("real.so.1", src+"/lib/link.so")
	write(t, src+"/data/a/one", "1")
	os.Symlink("/nonexistent", src+"/data/dangling")
	os.Link(src+"/data/a/one", src+"/data/hard")
	to, err := newTree(filepath.Join(dir, "tree"))
	if err != nil {
		t.Fatal(err)
	}
	g := newGatherer(to)
	if err := g.add(src+"/lib/link.so", nil); err != nil {
		t.Fatal(err)
	}
	if err := g.addAll(t.Context(), src+"/data"); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.Readlink(to.path(src + "/lib/link.so")); got != "real.so.1" {
		t.Errorf("link to %q", got)
	}
	a, err1 := os.Stat(to.path(src + "/data/a/one"))
	b, err2 := os.Stat(to.path(src + "/data/hard"))
	if err1 != nil || err2 != nil || !os.SameFile(a, b) {
		t.Errorf("a hard link became a copy: %v, %v", err1, err2)
	}
	if got := names(to.path(src + "/data")); got != "a hard" {
		t.Error(got)
	}
	key1, _ := to.contentKey("s")
	write(t, to.path(src+"/data/hard"), "2")
	if key2, err := to.contentKey("s"); err != nil || key1 == key2 {
		t.Errorf("the key does not depend on the content: %v", err)
	}
}
