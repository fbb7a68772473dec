package e2e

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gofish/internal/handle"
)

// templateFolder is where the templates of the appliance in use are.
func templateFolder(t *testing.T) string {
	t.Helper()
	return filepath.Join(os.Getenv("XDG_CACHE_HOME"), "gofish", "templates")
}

// smallHandle is a handle with its own template: another memory size.
func smallHandle(t *testing.T, megabytes int) *handle.Handle {
	t.Helper()
	h, err := handle.New(os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	h.Settings.Init = gofishBin
	h.Settings.Memory = megabytes
	must(t, h, "add_drive_scratch", int64(1<<20))
	t.Cleanup(func() { h.Close() })
	return h
}

// findTemplate is the template of machines with so much memory that a launch has just
// made: the one that was not there before.
func findTemplate(t *testing.T, megabytes int, launch func()) string {
	t.Helper()
	list := func() map[string]bool {
		l, _ := filepath.Glob(templateFolder(t) + "/*/manifest.json")
		m := map[string]bool{}
		for _, f := range l {
			var manifest struct{ Bytes int64 }
			b, err := os.ReadFile(f)
			if err == nil && json.Unmarshal(b, &manifest) == nil && manifest.Bytes == int64(megabytes)<<20 {
				m[filepath.Dir(f)] = true
			}
		}
		return m
	}
	before := list()
	launch()
	for dir := range list() {
		if !before[dir] {
			return dir
		}
	}
	t.Fatal("the launch made no template")
	return ""
}

// TestDamagedTemplates damages the files of a template in every way, at random
// places, and launches 50 times; each launch must succeed.
func TestDamagedTemplates(t *testing.T) {
	t.Parallel()
	// A size that nobody else uses, also no earlier run that was killed.
	memory := 300 + rand.IntN(700)
	dir := findTemplate(t, memory, func() {
		h := smallHandle(t, memory)
		must(t, h, "launch")
		h.Close()
	})
	t.Cleanup(func() { os.RemoveAll(dir) })
	// The real files stay in safe, as links; a launch that finds damage removes dir.
	files := []string{"ram", "state", "manifest.json"}
	safe := filepath.Join(filepath.Dir(filepath.Dir(dir)), "safe-template")
	t.Cleanup(func() { os.RemoveAll(safe) })
	link := func(from, to string) {
		t.Helper()
		os.RemoveAll(to)
		if err := os.Mkdir(to, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			if err := os.Link(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	link(dir, safe)
	// own gives a file of dir a copy of its own, so that damage does not reach the link.
	own := func(name string) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if out, err := command("cp", "--remove-destination", filepath.Join(safe, name), file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return file
	}
	rng := rand.New(rand.NewPCG(1, 2))
	flip := func(file string) {
		f, err := os.OpenFile(file, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fi, _ := f.Stat()
		b := make([]byte, 1)
		at := rng.Int64N(fi.Size())
		f.ReadAt(b, at)
		b[0] ^= 1 << rng.IntN(8)
		if _, err := f.WriteAt(b, at); err != nil {
			t.Fatal(err)
		}
	}
	cut := func(file string) {
		fi, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(file, rng.Int64N(fi.Size())); err != nil {
			t.Fatal(err)
		}
	}
	damages := []func(){
		nil,
		func() { flip(own("state")) },
		nil,
		func() { flip(own("ram")) },
		nil,
		func() { cut(own("state")) },
		nil,
		func() { cut(own("ram")) },
		func() { cut(own("manifest.json")) },
		func() { os.Remove(filepath.Join(dir, "state")) },
	}
	for i := range 50 {
		damage := damages[i%len(damages)]
		link(safe, dir)
		if damage != nil {
			damage()
		}
		h := smallHandle(t, memory)
		var got events
		h.OnEvent(handle.EventWarning, got.add)
		must(t, h, "launch")
		if damage != nil && (!got.has(handle.EventWarning, booted) || exists(dir)) {
			t.Errorf("launch %d: the damage was not noticed", i)
		}
		if damage == nil && got.has(handle.EventWarning, booted) {
			t.Errorf("launch %d: a good template was not used", i)
		}
		if v := must(t, h, "list_devices").([]string); len(v) != 1 {
			t.Errorf("launch %d: devices %v", i, v)
		}
		if err := h.Close(); err != nil {
			t.Errorf("launch %d: %v", i, err)
		}
	}
}

// booted is in the warning that a saved machine did not come back.
const booted = "another one is booted"

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// TestBrokenRestore: a qemu that dies or hangs when it is to restore a machine is given
// up, but the template stays, as that is no proof against it. What qemu refuses twice
// goes, and what a killed maker has left.
func TestBrokenRestore(t *testing.T) {
	hv := filepath.Join(t.TempDir(), "qemu")
	qemu := func(onRestore string) {
		t.Helper()
		script := "#!/bin/sh\ncase \" $* \" in *' -incoming '*) " + onRestore + ";; esac\nexec qemu-system-x86_64 \"$@\"\n"
		if err := os.WriteFile(hv, []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	memory := 300 + rand.IntN(700)
	launch := func() *events {
		t.Helper()
		h := smallHandle(t, memory)
		h.Settings.HV = hv
		h.Settings.Verbose = true
		h.Settings.RestoreLimit = 5 * time.Second
		var got events
		h.OnEvent(handle.EventLibrary|handle.EventWarning, got.add)
		must(t, h, "launch")
		if v := must(t, h, "list_devices").([]string); len(v) != 1 {
			t.Errorf("devices %v", v)
		}
		h.Close()
		return &got
	}
	for _, broken := range []string{"exit 1", "sleep 1000", "echo rubbish >&4; sleep 1000"} {
		qemu(broken)
		dir := findTemplate(t, memory, func() {
			if got := launch(); !got.has(handle.EventWarning, booted) {
				t.Errorf("%q went unnoticed", broken)
			}
		})
		os.RemoveAll(dir)
	}
	qemu("true")
	dir := findTemplate(t, memory, func() {
		if launch().has(handle.EventWarning, booted) {
			t.Error("the mended program could not restore")
		}
	})
	t.Cleanup(func() { os.RemoveAll(dir) })
	dead := filepath.Join(filepath.Dir(dir), "tmp-"+filepath.Base(dir)+"-dead")
	if err := os.Mkdir(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	if got := launch(); got.has(handle.EventLibrary, "making template") || got.has(handle.EventWarning, booted) {
		t.Error("the new template is not used")
	}
	if exists(dead) {
		t.Error("what a dead maker left is still there")
	}

	// A state that is what was saved, but that qemu does not take.
	state := []byte("no state")
	manifest, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := json.Unmarshal(manifest, &m); err != nil {
		t.Fatal(err)
	}
	m["State"] = fmt.Sprintf("%x", sha256.Sum256(state))
	if manifest, err = json.Marshal(m); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"state": state, "manifest.json": manifest} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, stays := range []bool{true, false} {
		if got := launch(); !got.has(handle.EventWarning, booted) || exists(dir) != stays {
			t.Errorf("after %d launches with a state that qemu refuses, it is still there: %v", i+1, exists(dir))
		}
	}
}

// TestRestoredMachinesDiffer: what is random in one restored machine is something
// else in another, and the clock is right.
func TestRestoredMachinesDiffer(t *testing.T) {
	seen := map[string]int{}
	for i := range 3 {
		h := smallHandle(t, 1280)
		must(t, h, "launch")
		must(t, h, "mkfs", "ext2", "/dev/sda")
		for _, v := range []string{
			must(t, h, "vfs_uuid", "/dev/sda").(string),
			must(t, h, "debug", "sh", []string{"cat /proc/sys/kernel/random/uuid"}).(string),
			must(t, h, "debug", "sh", []string{"cat /etc/machine-id"}).(string),
			must(t, h, "debug", "sh", []string{"head -c 16 /dev/urandom | od -x"}).(string),
		} {
			if j, ok := seen[v]; ok {
				t.Errorf("machines %d and %d made the same %q", j, i, v)
			}
			seen[v] = i
		}
		var at int64
		fmt.Sscan(must(t, h, "debug", "sh", []string{"date +%s"}).(string), &at)
		if d := time.Now().Unix() - at; d < -2 || d > 2 {
			t.Errorf("the guest's clock is off by %d s", d)
		}
		h.Close()
	}
}

// TestTwentyAtOnce restores 20 machines from one template, each with its own disk.
func TestTwentyAtOnce(t *testing.T) {
	warm := newHandle(t, 1<<20)
	must(t, warm, "launch")
	warm.Close()
	const n = 20
	handles := make([]*handle.Handle, n)
	for i := range handles {
		handles[i] = newHandle(t, int64(i+1)<<20)
	}
	var wg sync.WaitGroup
	for i, h := range handles {
		wg.Go(func() {
			if _, err := call(h, "launch"); err != nil {
				t.Errorf("handle %d: %v", i, err)
				return
			}
			if v, err := call(h, "blockdev_getsize64", "/dev/sda"); err != nil || v != int64(i+1)<<20 {
				t.Errorf("handle %d: %v, %v", i, v, err)
			}
		})
	}
	wg.Wait()
	var total, most int64
	for _, h := range handles {
		if h.State() != handle.Ready {
			continue
		}
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", must(t, h, "get_pid")))
		if err != nil {
			t.Fatal(err)
		}
		var private int64
		for _, line := range strings.Split(string(b), "\n") {
			var kb int64
			if n, _ := fmt.Sscanf(line, "Private_Dirty: %d kB", &kb); n == 1 {
				private += kb
			}
			if n, _ := fmt.Sscanf(line, "Private_Clean: %d kB", &kb); n == 1 {
				private += kb
			}
		}
		total += private
		most = max(most, private)
	}
	t.Logf("private memory of a restored, idle handle: at most %d MB; of %d together %d MB", most>>10, n, total>>10)
	if most > 60<<10 || total > 2<<20 {
		t.Errorf("more than 60 MB each or 2 GB together")
	}
	for i, h := range handles {
		wg.Go(func() {
			if err := h.Close(); err != nil {
				t.Errorf("handle %d: %v", i, err)
			}
		})
	}
	wg.Wait()
}
