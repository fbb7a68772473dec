package appliance

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gofish/internal/cpio"

	"github.com/klauspost/compress/zstd"
)

// vmlinux is a made-up kernel with a PVH note.
func fakeVmlinux(pvh bool) []byte {
	le := binary.LittleEndian
	k := make([]byte, 4096)
	copy(k, "\x7fELF\x02\x01\x01")
	le.PutUint64(k[32:], 64)
	le.PutUint16(k[54:], 56)
	le.PutUint16(k[56:], 1)
	le.PutUint32(k[64:], 4)
	le.PutUint64(k[64+8:], 1024)
	le.PutUint64(k[64+32:], 40)
	note := k[1024:]
	le.PutUint32(note, 4)
	le.PutUint32(note[4:], 8)
	le.PutUint32(note[8:], 6)
	copy(note[12:], "Xen\x00")
	if pvh {
		le.PutUint32(note[8:], 18)
	}
	return k
}

func fakeBzImage(payload []byte, size int) []byte {
	le := binary.LittleEndian
	img := make([]byte, 2*512+256)
	img[0x1f1] = 1
	copy(img[0x202:], "HdrS")
	le.PutUint16(img[0x206:], 0x20f)
	le.PutUint32(img[0x248:], 256)
	payload = le.AppendUint32(bytes.Clone(payload), uint32(size))
	le.PutUint32(img[0x24c:], uint32(len(payload)))
	return append(append(img, payload...), "what follows"...)
}

func fromPath(name string, args ...string) (*exec.Cmd, error) {
	return exec.Command(name, args...), nil
}

func TestUnpackKernel(t *testing.T) {
	k := fakeVmlinux(true)
	var gz, zs bytes.Buffer
	w := gzip.NewWriter(&gz)
	w.Write(k)
	w.Close()
	z, _ := zstd.NewWriter(&zs)
	z.Write(k)
	z.Close()
	payloads := map[string][]byte{"gzip": gz.Bytes(), "zstd": zs.Bytes()}
	for name, command := range map[string]string{"lzma": "xz --format=lzma -c", "lz4": "lz4 -l -c", "lzo": "lzop -c"} {
		args := strings.Fields(command)
		if _, err := exec.LookPath(args[0]); err != nil {
			continue
		}
		c := exec.Command(args[0], args[1:]...)
		c.Stdin = bytes.NewReader(k)
		var err error
		if payloads[name], err = c.Output(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := exec.LookPath("xz"); err == nil {
		c := exec.Command("xz", "--check=crc32", "--x86", "--lzma2=dict=1MiB", "-c")
		c.Stdin = bytes.NewReader(k)
		if payloads["xz"], err = c.Output(); err != nil {
			t.Fatal(err)
		}
	}
	for name, p := range payloads {
		got, err := unpackKernel(fakeBzImage(p, len(k)), fromPath)
		if err != nil || !bytes.Equal(got, k) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if _, err := unpackKernel(fakeBzImage(p[:len(p)/2], len(k)), fromPath); err == nil {
			t.Errorf("%s: half a payload accepted", name)
		}
	}
	if !hasPVH(k) || hasPVH(fakeVmlinux(false)) || hasPVH(k[:1030]) {
		t.Error("hasPVH is wrong")
	}
	for _, bad := range [][]byte{nil, make([]byte, 600), fakeBzImage([]byte("LZMA?"), 4)} {
		if _, err := unpackKernel(bad, fromPath); err == nil {
			t.Errorf("accepted %d bytes of nonsense", len(bad))
		}
	}
}

func TestModuleOrder(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "modules.dep"), `kernel/fs/ext4/ext4.ko: kernel/lib/crc16.ko kernel/fs/jbd2/jbd2.ko
kernel/fs/jbd2/jbd2.ko:
kernel/lib/crc16.ko:
kernel/drivers/block/virtio_blk.ko.xz: kernel/drivers/virtio/virtio-ring.ko
kernel/drivers/virtio/virtio-ring.ko:
kernel/sound/soundcore.ko:
`)
	write(t, filepath.Join(dir, "modules.builtin"), "kernel/drivers/scsi/sd_mod.ko\n")
	m, err := readModules(dir)
	if err != nil {
		t.Fatal(err)
	}
	files, unknown := m.order([]string{"virtio_blk", "sd_mod", "ext4", "ext4", "nonesuch"})
	var names []string
	for _, f := range files {
		names = append(names, moduleName(f))
	}
	if got := strings.Join(names, " "); got != "virtio_ring virtio_blk crc16 jbd2 ext4" {
		t.Error(got)
	}
	if strings.Join(unknown, " ") != "nonesuch" {
		t.Error(unknown)
	}
	if m.kept()["kernel/sound/soundcore.ko"] || !m.kept()["kernel/drivers/virtio/virtio-ring.ko"] {
		t.Error("kept", m.kept())
	}
}

func TestSelectFile(t *testing.T) {
	for name, want := range map[string]bool{
		"coreutils usr/bin/cp":                                    true,
		"coreutils usr/share/man/man1/cp.1.gz":                    false,
		"coreutils usr/share/man":                                 false,
		"systemd usr/bin/journalctl":                              true,
		"systemd usr/bin":                                         true,
		"systemd usr/bin/systemctl":                               false,
		"libc6 usr/lib/x86_64-linux-gnu/gconv/UTF-16.so":          true,
		"libc6 usr/lib/x86_64-linux-gnu/gconv/BIG5.so":            false,
		"python3.11-minimal usr/lib/python3.11/os.py":             false,
		"tpm2-tools usr/bin/tpm2_unseal":                          true,
		"tpm2-tools usr/bin/tpm2_nvread":                          false,
		"lvm2 etc/lvm/lvm.conf":                                   true,
		"linux-image-6.1.0-1-amd64 boot/vmlinuz-6.1.0-1-amd64":    true,
		"linux-image-6.1.0-1-amd64 boot/System.map-6.1.0-1-amd64": false,
	} {
		pkg, file, _ := strings.Cut(name, " ")
		if got := selectFile(pkg, file); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if isUnneeded("bash") || !isUnneeded("perl-base") || !isUnneeded("libwww-perl") {
		t.Error("isUnneeded is wrong")
	}
}

func TestMakeRoot(t *testing.T) {
	mke2fs, err := exec.LookPath("mke2fs")
	if err != nil {
		mke2fs = "/sbin/mke2fs"
		if _, err := os.Stat(mke2fs); err != nil {
			t.Skip("no mke2fs on this host")
		}
	}
	dir := t.TempDir()
	for _, d := range []string{"src/a/b", "src/proc"} {
		os.MkdirAll(filepath.Join(dir, d), 0o755)
	}
	write(t, filepath.Join(dir, "src/a/b/file"), strings.Repeat("x", 100000))
	if os.Geteuid() == 0 {
		os.Chown(filepath.Join(dir, "src/a/b/file"), 70000, 70001)
	}
	image := filepath.Join(dir, "root")
	const uuid = "08b207c3-937c-825a-8c07-260a6121848b"
	if err := makeRoot(t.Context(), filepath.Join(dir, "src"), image, uuid, func(a ...string) (*exec.Cmd, error) { return exec.Command(mke2fs, a...), nil }); err != nil {
		t.Fatal(err)
	}
	if got, err := rootUUID(image); got != uuid {
		t.Error(got, err)
	}
	if out, err := exec.Command("/sbin/e2fsck", "-fn", image).CombinedOutput(); err != nil {
		t.Errorf("e2fsck: %v: %s", err, out)
	}
	out, err := exec.Command("/sbin/debugfs", "-R", "stat /a/b/file", image).Output()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(out, []byte("User:     0   Group:     0")) {
		t.Errorf("not owned by root: %s", out)
	}
	if _, err := rootUUID(filepath.Join(dir, "src/a/b/file")); err == nil {
		t.Error("a text file has a UUID")
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// fakeBase puts a base into a cache as a build would.
func fakeBase(t *testing.T, c cache, key string) {
	t.Helper()
	tmp := filepath.Join(c.dir, "tmp-build-1")
	write(t, filepath.Join(tmp, "kernel"), "kernel")
	root := make([]byte, 4096)
	root[1024+0x38], root[1024+0x39] = 0x53, 0xef
	write(t, filepath.Join(tmp, "root"), string(root))
	write(t, filepath.Join(tmp, "boot/00-virtio.ko"), "module")
	m := Manifest{Key: key, Source: "apt", Spec: spec("apt"), UUID: "u", Made: time.Now()}
	if err := m.seal(tmp); err != nil {
		t.Fatal(err)
	}
	if err := c.publish(tmp, key); err != nil {
		t.Fatal(err)
	}
	if err := c.use(key); err != nil {
		t.Fatal(err)
	}
}

// staticProgram is a file that can be an init.
func staticProgram(t *testing.T) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "program")
	write(t, p, string(fakeVmlinux(false)[:64]))
	b, _ := os.ReadFile(p)
	le := binary.LittleEndian
	le.PutUint16(b[16:], 2)
	le.PutUint16(b[18:], 62)
	le.PutUint32(b[20:], 1)
	le.PutUint16(b[52:], 64)
	le.PutUint64(b[32:], 0)
	le.PutUint16(b[54:], 0)
	le.PutUint16(b[56:], 0)
	os.WriteFile(p, b, 0o755)
	return p
}

func TestFindInCache(t *testing.T) {
	base := t.TempDir()
	c, err := openCache(CacheDir(base))
	if err != nil {
		t.Fatal(err)
	}
	fakeBase(t, c, "k1")
	o := FindOptions{CacheDir: base, Binary: staticProgram(t)}
	a, err := Find(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	f, _ := os.Open(a.Initrd)
	defer f.Close()
	if err := cpio.Each(f, func(n string, _ uint32, _ int64, _ io.Reader) error { names = append(names, n); return nil }); err != nil {
		t.Fatal(err)
	}
	if s := strings.Join(names, " "); !strings.Contains(s, "dev/console") || !strings.Contains(s, " init modules/00-virtio.ko") {
		t.Error(s)
	}
	before := modTime(a.Initrd)
	if b, err := Find(t.Context(), o); err != nil || *b != *a || !modTime(b.Initrd).Equal(before) {
		t.Errorf("second time: %+v, %v", b, err)
	}
}

// Of another version's base, a link that leads outside or none at all, one finds one's own
// base without building, and without changing what the other finds.
func TestTwoVersions(t *testing.T) {
	base := t.TempDir()
	c, err := openCache(CacheDir(base))
	if err != nil {
		t.Fatal(err)
	}
	fakeBase(t, c, "older")
	fakeBase(t, c, "own")
	fakeBase(t, c, "other")
	m, err := readManifest(c.base("other"))
	if err != nil {
		t.Fatal(err)
	}
	m.Spec = "of another version"
	if err := m.seal(c.base("other")); err != nil {
		t.Fatal(err)
	}
	o := FindOptions{CacheDir: base, Binary: staticProgram(t)}
	current := filepath.Join(c.dir, "current")
	for _, what := range []string{"other", "outside", "folder", "nothing"} {
		switch what {
		case "outside":
			os.Remove(current)
			os.Symlink("/etc", current)
		case "folder":
			os.Remove(current)
			os.Mkdir(current, 0o755)
		case "nothing":
			os.Remove(current)
		}
		if a, err := Find(t.Context(), o); err != nil || a.Key != "own" {
			t.Errorf("%s: %+v, %v", what, a, err)
		}
		if what == "other" {
			if to, _ := os.Readlink(current); to != "base-other" {
				t.Error("current is now", to)
			}
			if l, err := List(base); err != nil || len(l) != 3 || !l[0].Current || l[0].Key != "own" {
				t.Errorf("list: %+v, %v", l, err)
			}
			if _, err := Prune(t.Context(), base, false, nil); err != nil || names(c.dir) != "base-other base-own current lock" {
				t.Errorf("after prune: %s, %v", names(c.dir), err)
			}
		}
	}
	os.Mkdir(current, 0o755)
	write(t, filepath.Join(current, "file"), "")
	if err := c.use("own"); err != nil {
		t.Error(err)
	}
	if a, err := Find(t.Context(), o); err != nil || a.Key != "own" {
		t.Errorf("%+v, %v", a, err)
	}
}

// What became of a base's files is seen, and the base replaced by what there is.
func TestDamagedBase(t *testing.T) {
	program := staticProgram(t)
	for what, damage := range map[string]func(dir string){
		"root has 100 bytes and not 4096":  func(d string) { os.Truncate(d+"/root", 100) },
		"kernel has 0 bytes and not 6":     func(d string) { os.Truncate(d+"/kernel", 0) },
		"boot/00-virtio.ko is missing":     func(d string) { os.Remove(d + "/boot/00-virtio.ko") },
		"kernel is not a file":             func(d string) { os.Remove(d + "/kernel"); os.Mkdir(d+"/kernel", 0o755) },
		"manifest.json: unexpected end of": func(d string) { os.Truncate(d+"/manifest.json", 0) },
		"it has no manifest.json":          func(d string) { os.Remove(d + "/manifest.json") },
		"its manifest.json is of another":  func(d string) { os.WriteFile(d+"/manifest.json", []byte("{}"), 0o644) },
		"kernel has another content": func(d string) {
			os.WriteFile(d+"/kernel", []byte("KERNEL"), 0o644)
			os.Chtimes(d+"/kernel", time.Time{}, time.Now().Add(time.Hour))
		},
		"root has another content": func(d string) { // which only reading shows
			fi, _ := os.Stat(d + "/root")
			os.WriteFile(d+"/root", bytes.Repeat([]byte("x"), int(fi.Size())), 0o644)
			os.Chtimes(d+"/root", time.Time{}, fi.ModTime())
		},
	} {
		base := t.TempDir()
		c, err := openCache(CacheDir(base))
		if err != nil {
			t.Fatal(err)
		}
		fakeBase(t, c, "spare")
		fakeBase(t, c, "k1")
		damage(c.base("k1"))
		if d := Check(base); d == nil || !strings.Contains(d.Error(), what) {
			t.Errorf("%s: Check says %v", what, d)
		}
		var warned string
		o := FindOptions{CacheDir: base, Binary: program, Deep: strings.HasPrefix(what, "root has another"),
			Warn: func(f string, a ...any) { warned = fmt.Sprintf(f, a...) }}
		if a, err := Find(t.Context(), o); err != nil || a.Key != "spare" || !a.Mended || !strings.Contains(warned, what) {
			t.Errorf("%s: %+v, %v, warned %q", what, a, err, warned)
		}
		if Check(base) != nil || exists(c.base("k1")) {
			t.Errorf("%s: it is still there", what)
		}
	}
}

// A copy of a cache has other times, and is no damage. An import that is damaged stays, as
// it cannot be built anew. An initrd that was cut off, or changed, is written again.
func TestMendedBase(t *testing.T) {
	base := t.TempDir()
	c, err := openCache(CacheDir(base))
	if err != nil {
		t.Fatal(err)
	}
	fakeBase(t, c, "k1")
	o := FindOptions{CacheDir: base, Binary: staticProgram(t)}
	kernel := c.base("k1") + "/kernel"
	wrote := modTime(kernel)
	os.Chtimes(kernel, time.Time{}, wrote.Add(-time.Hour))
	a, err := Find(t.Context(), o)
	if err != nil || a.Mended || modTime(kernel).Unix() != wrote.Unix() {
		t.Errorf("other time: %+v, %v", a, err)
	}
	whole := fileSum(a.Initrd)
	os.Truncate(a.Initrd, 200)
	if a, err = Find(t.Context(), o); err != nil || fileSum(a.Initrd) != whole {
		t.Errorf("initrd cut off: %+v, %v", a, err)
	}
	o.Deep = true
	if a, err = Find(t.Context(), o); err != nil || a.Mended {
		t.Errorf("whole initrd: %+v, %v", a, err)
	}
	b, _ := os.ReadFile(a.Initrd)
	b[200] ^= 1
	os.WriteFile(a.Initrd, b, 0o600)
	if a, err = Find(t.Context(), o); err != nil || !a.Mended || fileSum(a.Initrd) != whole {
		t.Errorf("changed initrd: %+v, %v", a, err)
	}
	m, _ := readManifest(c.base("k1"))
	m.Source = "import"
	if err := m.seal(c.base("k1")); err != nil {
		t.Fatal(err)
	}
	os.Truncate(kernel, 1)
	if _, err := Find(t.Context(), o); err == nil || !strings.Contains(err.Error(), "kernel has 1 bytes and not 6: import it again") {
		t.Errorf("import: %v", err)
	}
}

func TestCacheOthersCanWrite(t *testing.T) {
	base := t.TempDir()
	dir := CacheDir(base)
	os.Mkdir(dir, 0o755)
	os.Chmod(dir, 0o777)
	if _, err := Find(t.Context(), FindOptions{CacheDir: base}); err == nil || !strings.Contains(err.Error(), "others can write") {
		t.Errorf("got %v", err)
	}
}

// A folder that another user made in our place, or a link to one of ours, is neither
// listed nor emptied.
func TestCacheOfSomebodyElse(t *testing.T) {
	shared, victim := t.TempDir(), t.TempDir()
	for _, name := range []string{"base-mine", "tmp-important"} {
		if err := os.Mkdir(filepath.Join(victim, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GOFISH_CACHEDIR", shared)
	if err := os.Symlink(victim, CacheDir("")); err != nil {
		t.Fatal(err)
	}
	if _, err := Prune(t.Context(), "", true, nil); err == nil || !strings.Contains(err.Error(), "symbolic link") {
		t.Error("Prune:", err)
	}
	if _, err := List(""); err == nil {
		t.Error("List followed the link")
	}
	if _, err := OpenCache(""); err == nil {
		t.Error("OpenCache followed the link")
	}
	if l, _ := os.ReadDir(victim); len(l) != 2 {
		t.Errorf("of the folder that the link leads to are left: %v", l)
	}
}

func TestCacheDirFromEnvironment(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", "/xdg")
	t.Setenv("GOFISH_CACHEDIR", "")
	t.Setenv("LIBGUESTFS_CACHEDIR", "")
	if got := CacheDir(""); got != "/xdg/gofish" {
		t.Error(got)
	}
	t.Setenv("XDG_CACHE_HOME", "")
	home := t.TempDir()
	t.Setenv("TMPDIR", "/t")
	for value, want := range map[string]string{home: home + "/.cache/gofish", "": "/t/gofish-", "relative": "/t/gofish-", home + "/none": "/t/gofish-"} {
		t.Setenv("HOME", value)
		if got := CacheDir(""); !strings.HasPrefix(got, want) {
			t.Errorf("HOME=%s: %s", value, got)
		}
	}
	t.Setenv("LIBGUESTFS_CACHEDIR", "/l")
	if got := CacheDir(""); !strings.HasPrefix(got, "/l/gofish-") {
		t.Error(got)
	}
	t.Setenv("GOFISH_CACHEDIR", "/g")
	if got := CacheDir(""); !strings.HasPrefix(got, "/g/gofish-") {
		t.Error(got)
	}
	if got := CacheDir("/x"); !strings.HasPrefix(got, "/x/gofish-") {
		t.Error(got)
	}
}

// The second of two builders waits, says so, and then finds it done.
func TestTwoBuilders(t *testing.T) {
	base := t.TempDir()
	c, err := openCache(CacheDir(base))
	if err != nil {
		t.Fatal(err)
	}
	unlock, _, err := c.lock(t.Context(), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	said := make(chan string, 10)
	done := make(chan error, 1)
	var got *Appliance
	program := staticProgram(t)
	var wg sync.WaitGroup
	wg.Go(func() {
		var err error
		got, err = Find(context.Background(), FindOptions{CacheDir: base, Binary: program, Progress: func(s string) { said <- s }})
		done <- err
	})
	if s := <-said; !strings.Contains(s, "waiting") {
		t.Errorf("said %q", s)
	}
	fakeBase(t, c, "k1")
	unlock()
	if err := <-done; err != nil || got.Key != "k1" {
		t.Errorf("%+v, %v", got, err)
	}
	wg.Wait()
}

func TestLockCancelled(t *testing.T) {
	c, err := openCache(t.TempDir() + "/c")
	if err != nil {
		t.Fatal(err)
	}
	unlock, _, err := c.lock(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, _, err := c.lock(ctx, func(string) {}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// What a killed build leaves is neither found nor kept.
func TestKilledBuild(t *testing.T) {
	base := t.TempDir()
	c, err := openCache(CacheDir(base))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(c.dir, "tmp-build-7/tree/etc/passwd"), "half")
	write(t, filepath.Join(c.dir, "base-half/kernel"), "renamed without manifest")
	if l, err := List(base); err != nil || len(l) != 0 {
		t.Errorf("list: %v, %v", l, err)
	}
	fakeBase(t, c, "half") // must replace the broken one
	fakeBase(t, c, "k2")
	write(t, filepath.Join(c.dir, "tmp-build-8/tree/etc/passwd"), "half")
	if l, err := List(base); err != nil || len(l) != 2 || !l[0].Current || l[0].Key != "k2" {
		t.Errorf("list: %+v, %v", l, err)
	}
	if _, err := Prune(t.Context(), base, false, nil); err != nil {
		t.Fatal(err)
	}
	if got := names(c.dir); got != "base-k2 current lock" {
		t.Errorf("after prune: %s", got)
	}
	if _, err := Prune(t.Context(), base, true, nil); err != nil {
		t.Fatal(err)
	}
	if got := names(c.dir); got != "lock" {
		t.Errorf("after prune --all: %s", got)
	}
}

func names(dir string) string {
	l, _ := os.ReadDir(dir)
	var s []string
	for _, e := range l {
		s = append(s, e.Name())
	}
	return strings.Join(s, " ")
}

func TestFixedPath(t *testing.T) {
	dir := t.TempDir()
	for _, n := range []string{"README.fixed", "kernel", "initrd"} {
		write(t, filepath.Join(dir, "a", n), n)
		write(t, filepath.Join(dir, "b", n), n)
	}
	root := make([]byte, 2048)
	root[1024+0x38], root[1024+0x39] = 0x53, 0xef
	root[1024+0x68] = 0xab
	write(t, filepath.Join(dir, "b/root"), string(root))
	a, err := Find(t.Context(), FindOptions{Path: "/nonexistent:" + dir + "/a:" + dir + "/b"})
	if err != nil || !a.Fixed || a.Dir != dir+"/b" || a.UUID != "ab000000-0000-0000-0000-000000000000" {
		t.Errorf("%+v, %v", a, err)
	}
	_, err = Find(t.Context(), FindOptions{Path: dir + "/a"})
	if want := "cannot find any suitable libguestfs supermin, fixed or old-style appliance on LIBGUESTFS_PATH (search path: " + dir + "/a)"; err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	for _, c := range [][2]string{
		{"c/supermin.d/base.tar.gz", dir + "/c/supermin.d is a supermin appliance"},
		{"d/initramfs.x86_64.img d/vmlinuz.x86_64", dir + "/d holds an old-style appliance"},
	} {
		for _, f := range strings.Fields(c[0]) {
			write(t, filepath.Join(dir, f), "")
		}
		_, err := Find(t.Context(), FindOptions{Path: dir + "/a:" + dir + "/" + c[0][:1]})
		if err == nil || !strings.Contains(err.Error(), c[1]) || !strings.Contains(err.Error(), "libguestfs-make-fixed-appliance DIR") {
			t.Errorf("got %v", err)
		}
		if _, err := Find(t.Context(), FindOptions{Path: dir + "/" + c[0][:1] + ":" + dir + "/b"}); err != nil {
			t.Errorf("a fixed appliance after it: %v", err)
		}
	}
	t.Chdir(dir + "/b")
	if a, err := Find(t.Context(), FindOptions{Path: "/nonexistent:"}); err != nil || a.Dir != dir+"/b" {
		t.Errorf("empty element: %+v, %v", a, err)
	}
	write(t, filepath.Join(dir, "b/root"), "QFI\xfb and so on")
	if _, err = Find(t.Context(), FindOptions{Path: "."}); err == nil || !strings.Contains(err.Error(), "qemu-img convert -O raw") {
		t.Errorf("qcow2: %v", err)
	}
	write(t, filepath.Join(dir, "b/root"), "")
	if _, err = Find(t.Context(), FindOptions{Path: "."}); err == nil {
		t.Error("an empty root was accepted")
	}
}

func TestExportImport(t *testing.T) {
	base := t.TempDir()
	c, err := openCache(CacheDir(base))
	if err != nil {
		t.Fatal(err)
	}
	fakeBase(t, c, "k1")
	program := staticProgram(t)
	a, err := Find(t.Context(), FindOptions{CacheDir: base, Binary: program})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "fixed")
	if err := Export(t.Context(), a, out); err != nil {
		t.Fatal(err)
	}
	if got := names(out); got != "README.fixed initrd kernel manifest.json root" {
		t.Error(got)
	}
	other := t.TempDir()
	b, err := Import(t.Context(), out, BuildOptions{CacheDir: other, Binary: program})
	if err != nil {
		t.Fatal(err)
	}
	if fileSum(b.Initrd) != fileSum(a.Initrd) || fileSum(b.Root) != fileSum(a.Root) {
		t.Error("the import is not what was exported")
	}
	tarball := filepath.Join(t.TempDir(), "x.tar.gz")
	if o, err := exec.Command("tar", "-czf", tarball, "-C", filepath.Dir(out), "fixed").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, o)
	}
	if d, err := Import(t.Context(), tarball, BuildOptions{CacheDir: other, Binary: program}); err != nil || d.Key != b.Key {
		t.Errorf("tar: %+v, %v", d, err)
	}
	os.Remove(filepath.Join(out, "root"))
	if _, err := Import(t.Context(), out, BuildOptions{CacheDir: other}); err == nil || errors.Is(err, fs.ErrExist) {
		t.Errorf("half an export: %v", err)
	}
}

// dpkg-deb works with helpers that outlive it: neither an error nor the end of the
// build may wait for them.
func TestUnpackStops(t *testing.T) {
	bin := t.TempDir()
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	root, err := newTree(filepath.Join(t.TempDir(), "tree"))
	if err != nil {
		t.Fatal(err)
	}
	for name, script := range map[string]string{
		"damaged": "yes & wait",
		"stuck":   "sleep 20 & wait",
	} {
		fake := filepath.Join(bin, "dpkg-deb")
		write(t, fake, "#!/bin/sh\n"+script+"\n")
		os.Chmod(fake, 0o755)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		start := time.Now()
		err := root.unpack(ctx, "x.deb", "x")
		cancel()
		if err == nil || time.Since(start) > helperLimit+10*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(start))
		}
	}
}

func TestPruneKeepsOwnInitrd(t *testing.T) {
	base := t.TempDir()
	c, err := openCache(CacheDir(base))
	if err != nil {
		t.Fatal(err)
	}
	fakeBase(t, c, "k1")
	own := ownInitrd(c.base("k1"))
	if own == "" {
		t.Skip("the test program is not static")
	}
	old := time.Now().Add(-time.Hour)
	write(t, own, "")
	os.Chtimes(own, old, old)
	write(t, c.base("k1")+"/initrd-newer", "")
	if _, err := Prune(t.Context(), base, false, nil); err != nil {
		t.Fatal(err)
	}
	if l, _ := filepath.Glob(c.base("k1") + "/initrd-*"); len(l) != 1 || l[0] != own {
		t.Errorf("kept %q", l)
	}
	os.Remove(own)
	write(t, c.base("k1")+"/initrd-newer", "")
	if _, err := Prune(t.Context(), base, false, nil); err != nil {
		t.Fatal(err)
	}
	if l, _ := filepath.Glob(c.base("k1") + "/initrd-*"); len(l) != 1 {
		t.Errorf("kept %q", l)
	}
}
