package e2e

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gofish/internal/fstest"
)

// Tests of mount-local: the program mounts a guest's file system, and internal/fstest and
// programs of the host judge it. GOFISH_SOAK=1, which make soak sets, runs all file systems
// and takes its time.

var soaking = os.Getenv("GOFISH_SOAK") != ""

// fuseHere skips a test where nothing can be mounted.
func fuseHere(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("nothing can be mounted here: %v", err)
	}
	f.Close()
}

// guestMount is a guest's file systems, mounted on the host by gofish.
//
//	/dev/sda1  the one to judge   dir
//	/dev/sda2  ext4 of 12 MB      dir/small
//	/dev/sda3  ext4, read-only    dir/readonly
type guestMount struct {
	t      *testing.T
	kind   fileSystem
	image  string
	dir    string
	script string // what mounts it in the guest
	cmd    *exec.Cmd
	stderr bytes.Buffer
	ended  chan struct{} // closed when gofish has ended
}

// fileSystem is a row of the table of those that are judged.
type fileSystem struct {
	name    string
	can     fstest.Can
	options string   // of the guest's mount
	judge   []string // what checks the unmounted device, its file is appended
}

var fileSystems = []fileSystem{
	{"ext4", fstest.All &^ fstest.LargeXattrs, "", []string{"e2fsck", "-fn"}},
	{"xfs", fstest.All &^ fstest.Sparse, "", []string{"xfs_repair", "-n", "-f"}},
	{"btrfs", fstest.All &^ fstest.LargeXattrs, "", []string{"btrfs", "check", "--readonly"}},
	{"vfat", fstest.NoReplace | fstest.Locks | fstest.Orphans, "utf8=1", []string{"fsck.vfat", "-n"}},
	{"ntfs", fstest.HardLinks | fstest.Symlinks | fstest.Locks, "", []string{"ntfsfix", "-n"}},
}

// newGuest makes an image with an empty file system of a kind.
func newGuest(t *testing.T, kind fileSystem) *guestMount {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // for other users
		t.Fatal(err)
	}
	g := &guestMount{t: t, kind: kind, image: filepath.Join(dir, "disk.img"), dir: filepath.Join(dir, "mnt")}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	how := "mount"
	if kind.options != "" {
		how = "mount-options " + kind.options
	}
	g.script = how + " /dev/sda1 /\nmount /dev/sda2 /small\nmount-ro /dev/sda3 /readonly\n"
	g.run(`
disk-create %[1]s raw 3G
add %[1]s format:raw
run
part-init /dev/sda gpt
part-add /dev/sda p 2048 5242879
part-add /dev/sda p 5242880 5267455
part-add /dev/sda p 5267456 5287935
mkfs %[2]s /dev/sda1
mkfs ext4 /dev/sda2
mkfs ext4 /dev/sda3
mount /dev/sda1 /
mkdir /small
mkdir /readonly
mount /dev/sda3 /readonly
write /readonly/file content
mkdir /readonly/folder
`, g.image, kind.name)
	return g
}

// run has gofish run a script to its end, and returns what it printed.
func (g *guestMount) run(format string, args ...any) string {
	g.t.Helper()
	r := program(g.t, "", nil, fmt.Sprintf(format, args...), gofishBin)
	if r.status != 0 || r.stderr != "" {
		g.t.Fatalf("gofish: status %d\n%s", r.status, r.stderr)
	}
	return r.stdout
}

// mount mounts it on the host.
func (g *guestMount) mount() {
	g.t.Helper()
	g.start()
	deadline := time.Now().Add(limit(2 * time.Minute))
	for !g.mounted() {
		select {
		case <-g.ended:
			g.t.Fatalf("gofish ended: %v\n%s", g.cmd.ProcessState, &g.stderr)
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			g.t.Fatal("nothing is mounted")
		}
	}
	if _, err := os.Stat(g.dir); err != nil {
		g.t.Fatal(err)
	}
}

// start starts the program that mounts it.
func (g *guestMount) start() {
	g.t.Helper()
	g.cmd = exec.Command(gofishBin, "-a", g.image)
	g.cmd.Stdin = strings.NewReader("run\n" + g.script + "mount-local " + g.dir + " options:allow_other,default_permissions,suid,dev\nmount-local-run\n")
	g.stderr.Reset()
	g.cmd.Stderr = &g.stderr
	if err := g.cmd.Start(); err != nil {
		g.t.Fatal(err)
	}
	g.ended = make(chan struct{})
	go func() {
		g.cmd.Wait()
		close(g.ended)
	}()
	g.t.Cleanup(func() {
		if g.mounted() {
			exec.Command("fusermount3", "-u", "-z", g.dir).Run()
		}
		g.cmd.Process.Kill()
		<-g.ended
	})
}

// mounted reports whether something is, also what has nobody behind it.
func (g *guestMount) mounted() bool {
	list, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		g.t.Fatal(err)
	}
	return bytes.Contains(list, []byte(" "+g.dir+" "))
}

// unmount unmounts it, and waits until gofish has ended and written everything.
func (g *guestMount) unmount() {
	g.t.Helper()
	var out []byte
	var err error
	for range 20 { // a process that has just ended may not have left yet
		if out, err = exec.Command("fusermount3", "-u", g.dir).CombinedOutput(); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err != nil {
		g.t.Fatalf("fusermount3 -u: %v: %s", err, out)
	}
	select {
	case <-g.ended:
	case <-time.After(limit(time.Minute)):
		g.t.Fatal("gofish has not ended a minute after the unmount")
	}
	if !g.cmd.ProcessState.Success() || g.stderr.Len() > 0 {
		g.t.Errorf("gofish: %v\n%s", g.cmd.ProcessState, &g.stderr)
	}
}

// partition copies a partition out of the image, for programs that check file systems.
func (g *guestMount) partition(first, last int64) string {
	g.t.Helper()
	to := filepath.Join(filepath.Dir(g.image), "partition.img")
	cmd := exec.Command("dd", "if="+g.image, "of="+to, "bs=1M", "conv=sparse", "status=none", "iflag=skip_bytes,count_bytes",
		fmt.Sprintf("skip=%d", first*512), fmt.Sprintf("count=%d", (last-first+1)*512))
	if out, err := cmd.CombinedOutput(); err != nil {
		g.t.Fatalf("dd: %v: %s", err, out)
	}
	return to
}

// check has the file system's own program look at what is on the disk.
func (g *guestMount) check(t *testing.T) {
	t.Helper()
	need(t, g.kind.judge[0])
	file := g.partition(2048, 5242879)
	defer os.Remove(file)
	argv := append(g.kind.judge[:len(g.kind.judge):len(g.kind.judge)], file)
	if r := program(t, "", nil, "", argv...); r.status != 0 {
		t.Errorf("%v: status %d\n%s%s", argv, r.status, r.stdout, r.stderr)
	}
}

func TestMountLocal(t *testing.T) {
	fuseHere(t)
	for _, kind := range fileSystems {
		if kind.name != "ext4" && !soaking {
			continue
		}
		t.Run(kind.name, func(t *testing.T) {
			can, exercise := kind.can&^fstest.Many, fstest.Exercising{Most: 100_000, Length: limit(3 * time.Second), Can: kind.can, Seed: seed(t)}
			if soaking {
				can, exercise.Length = kind.can, soakTime(t)
			}
			g := newGuest(t, kind)
			g.mount()
			t.Run("cases", func(t *testing.T) { fstest.Run(t, g.dir, can) })
			t.Run("full", func(t *testing.T) { fstest.RunFull(t, g.dir+"/small", fstest.All) })
			t.Run("read-only", func(t *testing.T) { fstest.RunReadOnly(t, g.dir+"/readonly", "file", "content", false) })
			t.Run("two file systems", func(t *testing.T) { twoFileSystems(t, g.dir) })
			for _, two := range []bool{false, true} {
				exercise.Two = two
				t.Run(fmt.Sprintf("exercise, two descriptors: %v", two), func(t *testing.T) {
					done, left := fstest.Exercise(t, fmt.Sprintf("%s/exercise-%v", g.dir, two), exercise)
					t.Logf("%d operations, seed %d, %d bytes left", done, exercise.Seed, len(left))
				})
			}
			// What each leaves, its time too, must be what the guest has in the end.
			t.Run("short exercises", func(t *testing.T) {
				for n := range uint64(8) {
					fstest.Exercise(t, fmt.Sprintf("%s/short%d", g.dir, n), fstest.Exercising{Seed: exercise.Seed + n, Most: 150, Two: n%2 == 0, Can: kind.can})
				}
			})
			t.Run("programs", func(t *testing.T) { programs(t, g.dir, kind) })
			if !t.Run("a tree", func(t *testing.T) { makeTree(t, g.dir+"/tree", kind.can) }) {
				return
			}
			seen := manifest(t, g.dir, kind)
			g.unmount()
			t.Run("check", func(t *testing.T) { g.check(t) })
			t.Run("what the guest sees", func(t *testing.T) { sameTree(t, guestManifest(t, g, seen), seen) })
			t.Run("what the host sees when it is mounted again", func(t *testing.T) {
				g.mount()
				defer g.unmount()
				sameTree(t, manifest(t, g.dir, kind), seen)
			})
		})
	}
}

// soakTime is how long random operations on one file may take: TIME, or as long as they do.
func soakTime(t *testing.T) time.Duration {
	d, err := time.ParseDuration(cmp.Or(os.Getenv("TIME"), "0"))
	if err != nil {
		t.Fatalf("TIME: %v", err)
	}
	return d
}

// seed is what random operations follow from: SEED, which make soak passes on, or 1.
func seed(t *testing.T) uint64 {
	n, err := strconv.ParseUint(cmp.Or(os.Getenv("SEED"), "1"), 10, 64)
	if err != nil {
		t.Fatalf("SEED: %v", err)
	}
	return n
}

// twoFileSystems of the guest are two for links and renames.
func twoFileSystems(t *testing.T, dir string) {
	if err := os.WriteFile(dir+"/f", []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(dir + "/f")
	for what, err := range map[string]error{
		"rename": syscall.Rename(dir+"/f", dir+"/small/f"),
		"link":   syscall.Link(dir+"/f", dir+"/small/f"),
	} {
		if !errors.Is(err, syscall.EXDEV) {
			t.Errorf("%s into another file system: %v", what, err)
		}
	}
}
