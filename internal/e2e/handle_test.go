package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gofish/internal/api"
	"gofish/internal/handle"
)

// newHandle makes a handle with a sparse disk of size bytes.
func newHandle(t *testing.T, size int64) *handle.Handle {
	t.Helper()
	h, err := handle.New(os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	h.Settings.Init = gofishBin
	t.Cleanup(func() { h.Close() })
	disk := filepath.Join(t.TempDir(), "disk.img")
	must(t, h, "disk_create", disk, "raw", size)
	opts := make([]any, len(api.All.Lookup("add_drive").Opts))
	opts[1] = "raw"
	if _, err := h.Call(context.Background(), api.All.Lookup("add_drive"), []any{disk}, opts); err != nil {
		t.Fatal(err)
	}
	return h
}

func call(h *handle.Handle, name string, args ...any) (any, error) {
	return h.Call(context.Background(), api.All.Lookup(name), args, nil)
}

func must(t *testing.T, h *handle.Handle, name string, args ...any) any {
	t.Helper()
	v, err := call(h, name, args...)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// events collects what a handle tells.
type events struct {
	mu sync.Mutex
	l  []handle.Event
}

func (e *events) add(ev handle.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.l = append(e.l, ev)
}

func (e *events) has(typ handle.EventType, text string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ev := range e.l {
		if ev.Type == typ && strings.Contains(ev.Message, text) {
			return true
		}
	}
	return false
}

func TestHandle(t *testing.T) {
	h := newHandle(t, 1<<30)
	var got events
	h.OnEvent(handle.EventAll, got.add)
	h.Settings.Trace = true

	if h.State() != handle.Config {
		t.Errorf("a new handle is in state %d", h.State())
	}
	if _, err := call(h, "mount", "/dev/sda", "/"); err == nil || !strings.HasPrefix(err.Error(), "mount: call launch before using this function") {
		t.Errorf("mount before launch: %v", err)
	}
	must(t, h, "launch")
	if h.State() != handle.Ready {
		t.Errorf("after launch: state %d", h.State())
	}
	if _, err := call(h, "launch"); err == nil || err.Error() != "launch: this function can only be called in the config state" {
		t.Errorf("launch in the ready state: %v", err)
	}
	if _, err := call(h, "set_memsize", 1024); err == nil || err.Error() != "set_memsize: this function can only be called in the config state" {
		t.Errorf("set_memsize in the ready state: %v", err)
	}

	t.Run("settings of the config state", func(t *testing.T) {
		for _, a := range api.All.Actions() {
			if !a.ConfigOnly {
				continue
			}
			var args []any
			for _, p := range a.Args {
				switch p.Kind {
				case api.KBool:
					args = append(args, true)
				case api.KInt:
					args = append(args, 1)
				case api.KOptString:
					args = append(args, (*string)(nil))
				case api.KStringList:
					args = append(args, []string{})
				default:
					args = append(args, "x")
				}
			}
			if _, err := call(h, a.Name, args...); err == nil || err.Error() != a.Name+": this function can only be called in the config state" {
				t.Errorf("%s in the ready state: %v", a.Name, err)
			}
		}
	})

	t.Run("goroutines", func(t *testing.T) {
		must(t, h, "mkfs", "ext2", "/dev/sda")
		must(t, h, "mount", "/dev/sda", "/")
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 20 {
					name := fmt.Sprintf("/f%d.%d", g, i)
					if _, err := call(h, "write", name, []byte(name)); err != nil {
						t.Errorf("write %s: %v", name, err)
					}
					if v, err := call(h, "cat", name); err != nil || v != name {
						t.Errorf("cat %s: %q, %v", name, v, err)
					}
				}
			})
		}
		wg.Wait()
		if l := must(t, h, "ls", "/").([]string); len(l) != 8*20+1 {
			t.Errorf("%d entries", len(l))
		}
	})

	t.Run("cancel", func(t *testing.T) {
		ctx, stop := context.WithTimeout(context.Background(), limit(time.Second))
		defer stop()
		_, err := h.Call(ctx, api.All.Lookup("upload"), []any{"/dev/zero", "/zero"}, nil)
		if err == nil || !errors.Is(err, syscall.EINTR) || err.Error() != "operation cancelled by user" {
			t.Errorf("upload: %v", err)
		}
		out := filepath.Join(t.TempDir(), "out")
		// At once: of a disk that is mostly holes there is soon nothing left to cancel.
		ctx, stop = context.WithCancel(context.Background())
		stop()
		_, err = h.Call(ctx, api.All.Lookup("download"), []any{"/dev/sda", out}, nil)
		if err == nil || err.Error() != "operation cancelled by user" {
			t.Errorf("download: %v", err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Error("a cancelled download left a part of a file")
		}
		if must(t, h, "exists", "/zero").(bool) {
			t.Error("a cancelled upload left a part of a file")
		}
		must(t, h, "ping_daemon")
	})

	t.Run("errors are typed", func(t *testing.T) {
		_, err := call(h, "cat", "/nosuch")
		var ce *handle.CallError
		if !errors.As(err, &ce) || ce.Errno != syscall.ENOENT || !strings.HasSuffix(err.Error(), "/nosuch: No such file or directory") {
			t.Errorf("cat: %#v", err)
		}
	})

	t.Run("between handle and daemon", func(t *testing.T) {
		for group, want := range map[string]int{"lvm2": 0, "nosuchgroup": 2} {
			if v := must(t, h, "internal_feature_available", group); v != want {
				t.Errorf("group %s: %v, not %d", group, v, want)
			}
		}
		if v := must(t, h, "internal_parse_mountable", "btrfsvol:/dev/sda/a/b"); v != (api.InternalMountable{Type: 1, Device: "/dev/sda", Volume: "a/b"}) {
			t.Errorf("a subvolume is %+v", v)
		}
		if _, err := call(h, "internal_parse_mountable", "btrfsvol:/dev/sdz/a"); err == nil {
			t.Error("a subvolume of no device is taken")
		}
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte("text"), 0o600); err != nil {
			t.Fatal(err)
		}
		must(t, h, "internal_upload", file, "/tmp/uploaded", 0o640)
		if v := must(t, h, "debug", "sh", []string{"cat /tmp/uploaded; stat -c ' %a' /tmp/uploaded"}); v != "text 640\n" && v != "text 640" {
			t.Errorf("uploaded: %q", v)
		}
		if _, err := call(h, "internal_upload", file, "/nosuch/uploaded", 0o640); err == nil || !strings.Contains(err.Error(), "/nosuch/uploaded: No such file") {
			t.Errorf("internal_upload: %v", err)
		}
		must(t, h, "internal_write", "/internal", []byte("one"))
		must(t, h, "internal_write_append", "/internal", []byte("two"))
		if v := must(t, h, "cat", "/internal"); v != "onetwo" {
			t.Errorf("written: %q", v)
		}
		for _, name := range []string{"internal_lstatnslist", "internal_lxattrlist", "internal_readlinklist"} {
			must(t, h, name, "/", []string{"internal", "nosuch"})
			if _, err := call(h, name, "/nosuch", []string{"a"}); name == "internal_readlinklist" && err == nil {
				t.Errorf("%s of no folder", name)
			}
		}
		if v := must(t, h, "device_name", 0); v != "/dev/sda" {
			t.Errorf("device 0 is %v", v)
		}
		if _, err := call(h, "device_name", 7); err == nil {
			t.Error("there is a device 7")
		}
	})

	t.Run("qemu is killed in a call", func(t *testing.T) {
		pid := must(t, h, "get_pid").(int)
		time.AfterFunc(limit(time.Second), func() { syscall.Kill(pid, syscall.SIGKILL) })
		_, err := call(h, "sleep", 60)
		var le *handle.LinkError
		if !errors.As(err, &le) || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "killed") {
			t.Errorf("sleep: %v", err)
		}
		if h.State() != handle.Config || !got.has(handle.EventSubprocessQuit, "") {
			t.Errorf("state %d after qemu's death", h.State())
		}
		if _, err := call(h, "ls", "/"); err == nil {
			t.Error("ls works without an appliance")
		}
		// The handle can be launched again.
		must(t, h, "add_drive_scratch", int64(1<<20))
		must(t, h, "launch")
		if l := must(t, h, "list_devices").([]string); len(l) != 1 {
			t.Errorf("devices %v", l)
		}
		// The machine leaves by itself.
		if _, err := call(h, "internal_exit"); !errors.As(err, &le) || h.State() != handle.Config {
			t.Errorf("internal_exit: %v, state %d", err, h.State())
		}
	})
	if err := h.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	for _, e := range []struct {
		typ  handle.EventType
		text string
	}{
		{handle.EventLaunchDone, ""}, {handle.EventClose, ""}, {handle.EventTrace, `mkfs "ext2" "/dev/sda"`},
		{handle.EventTrace, "ping_daemon = 0"}, {handle.EventEnter, "launch"},
	} {
		if !got.has(e.typ, e.text) {
			t.Errorf("no event %d with %q", e.typ, e.text)
		}
	}
}

// TestManyHandles runs several handles in one process.
func TestManyHandles(t *testing.T) {
	const n = 3
	var wg sync.WaitGroup
	for i := range n {
		h := newHandle(t, int64(i+1)<<20)
		wg.Go(func() {
			if _, err := call(h, "launch"); err != nil {
				t.Error(err)
				return
			}
			if v, err := call(h, "blockdev_getsize64", "/dev/sda"); err != nil || v != int64(i+1)<<20 {
				t.Errorf("handle %d: size %v, %v", i, v, err)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// qemus lists the running qemus that were given a folder for temporary files.
func qemus(tmp string) []int {
	var pids []int
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		cmd, _ := os.ReadFile(dir + "/cmdline")
		env, _ := os.ReadFile(dir + "/environ")
		if strings.Contains(string(cmd), "-kernel") && strings.Contains(string(env), "TMPDIR="+tmp+"\x00") {
			pid, _ := strconv.Atoi(filepath.Base(dir))
			pids = append(pids, pid)
		}
	}
	return pids
}

// TestNothingIsLeft ends gofish in every way there is, with a read-only drive, a
// read-write drive and a scratch drive, and looks for what it left.
func TestNothingIsLeft(t *testing.T) {
	for _, sig := range []syscall.Signal{0, syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tmp := filepath.Join(dir, "tmp")
			os.Mkdir(tmp, 0o755)
			for _, name := range []string{"unique-a.img", "unique-b.img"} {
				if err := os.WriteFile(filepath.Join(dir, name), make([]byte, 1<<20), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			script := "add unique-a.img\nadd unique-b.img readonly:true\nscratch 1M\nrun\necho ready\n"
			if sig != 0 {
				script += "sleep 100\n"
			}
			c := command(gofishBin)
			c.Dir, c.Env = dir, append(os.Environ(), "GOFISH_TMPDIR="+tmp)
			c.Stdin = strings.NewReader(script)
			out, err := c.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 5)
			if _, err := out.Read(buf); err != nil || string(buf) != "ready" {
				t.Fatalf("%q, %v", buf, err)
			}
			if sig != 0 {
				if len(qemus(tmp)) == 0 {
					t.Error("there is no qemu to be left")
				}
				c.Process.Signal(sig)
			}
			c.Wait()
			for i := 0; len(qemus(tmp)) > 0; i++ {
				if i > 50 {
					t.Fatalf("qemu is left: %v", qemus(tmp))
				}
				time.Sleep(limit(100 * time.Millisecond))
			}
			if l, _ := os.ReadDir(tmp); len(l) > 0 {
				t.Errorf("left in the temporary folder: %v", l)
			}
			if l, _ := os.ReadDir(dir); len(l) != 3 {
				t.Errorf("left beside the images: %v", l)
			}
		})
	}
}

// peakMemory is the most memory a process has had, in bytes (VmHWM in proc(5)).
func peakMemory(t *testing.T, pid string) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmHWM:")
	n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// TestMemoryIsFlat moves a sparse file of 4 GB in both directions; neither side
// may grow with it.
func TestMemoryIsFlat(t *testing.T) {
	h := newHandle(t, 16<<30)
	must(t, h, "launch")
	must(t, h, "mkfs", "ext4", "/dev/sda")
	must(t, h, "mount", "/dev/sda", "/")
	daemon := func() int64 {
		s := must(t, h, "debug", "sh", []string{"grep VmHWM /proc/1/status"}).(string)
		n, err := strconv.ParseInt(strings.Fields(s)[1], 10, 64)
		if err != nil {
			t.Fatal(s)
		}
		return n << 10
	}
	hostBefore, daemonBefore := peakMemory(t, "self"), daemon()
	must(t, h, "touch", "/sparse")
	must(t, h, "truncate_size", "/sparse", int64(4<<30))
	back := filepath.Join(t.TempDir(), "back")
	must(t, h, "download", "/sparse", back)
	if fi, err := os.Stat(back); err != nil || fi.Size() != 4<<30 || fi.Sys().(*syscall.Stat_t).Blocks > 1<<11 {
		t.Errorf("a sparse file came back as %v, %v", fi, err)
	}
	must(t, h, "download_offset", "/sparse", os.DevNull, int64(0), int64(512<<20)) // in chunks
	must(t, h, "rm", "/sparse")
	sparse := filepath.Join(t.TempDir(), "sparse")
	if err := os.WriteFile(sparse, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(sparse, 4<<30); err != nil {
		t.Fatal(err)
	}
	must(t, h, "upload", sparse, "/sparse")
	const most = 64 << 20
	if grown := peakMemory(t, "self") - hostBefore; grown > most {
		t.Errorf("the handle grew by %d MB", grown>>20)
	}
	if grown := daemon() - daemonBefore; grown > most {
		t.Errorf("the daemon grew by %d MB", grown>>20)
	}
}
