package e2e

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"gofish/internal/api"
	"gofish/internal/handle"
)

// stubborn is a program of the guest that ignores being asked to end, as does what it
// has started in a session of its own.
const stubborn = `#!/bin/sh
trap '' TERM INT HUP
setsid sh -c 'trap "" TERM INT HUP; (while :; do sleep 77; done) & while :; do sleep 77; done' &
while :; do sleep 77; done
`

// TestCancelCalls cancels calls of all kinds in the middle. The answer comes soon, the
// handle is as good as before, and nothing goes on in the guest.
func TestCancelCalls(t *testing.T) {
	t.Parallel()
	h := newHandle(t, 64<<30)
	must(t, h, "add_drive_scratch", int64(2<<30))
	must(t, h, "launch")
	must(t, h, "mkfs", "ext4", "/dev/sdb")
	must(t, h, "mount", "/dev/sdb", "/")
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("no busybox to put into the guest")
	}
	must(t, h, "mkdir", "/bin")
	must(t, h, "write", "/stubborn", []byte(stubborn))
	must(t, h, "chmod", 0o755, "/stubborn")
	file := filepath.Join(t.TempDir(), "busybox")
	if err := os.WriteFile(file, busybox, 0o755); err != nil {
		t.Fatal(err)
	}
	must(t, h, "upload", file, "/bin/busybox")
	must(t, h, "chmod", 0o755, "/bin/busybox")
	for _, name := range []string{"sh", "sleep", "setsid"} {
		must(t, h, "ln_s", "busybox", "/bin/"+name)
	}
	must(t, h, "mkdir_p", "/etc")
	must(t, h, "write", "/etc/many", []byte(strings.Repeat("127.0.0.1 name alias\n", 30000)))
	processes := func() string {
		return must(t, h, "debug", "sh", []string{"ps ax -o args | grep -v '^\\[' | grep -v 'ps ax\\|grep\\|sh -c'"}).(string)
	}
	const usual = 300 * time.Millisecond
	before := processes()
	key := "secret"
	for _, c := range []struct {
		name  string
		after time.Duration
		args  []any
		opts  map[string]any
	}{
		{"sleep", usual, []any{600}, nil},
		{"debug", usual, []any{"sh", []string{"sleep 601 & setsid sleep 602"}}, nil},
		{"command", time.Second, []any{[]string{"/stubborn"}}, nil},
		{"sh", time.Second, []any{"/stubborn & exec /stubborn"}, nil},
		{"zero_device", usual, []any{"/dev/sda"}, nil},
		{"is_zero_device", usual, []any{"/dev/sda"}, nil},
		{"checksum_device", usual, []any{"sha1", "/dev/sda"}, nil},
		{"checksum_device", usual, []any{"sha256", "/dev/sda"}, nil},
		{"fill", usual, []any{1, 1 << 30, "/filled"}, nil},
		{"fill_dir", usual, []any{"/etc", 100000}, nil},
		{"mke2fs", usual, []any{"/dev/sda"}, map[string]any{"blocksize": int64(1024)}},
		{"e2fsck", usual, []any{"/dev/sda"}, map[string]any{"forceall": true}},
		{"luks_format", usual, []any{"/dev/sda", key, 0}, nil},
		{"scrub_device", usual, []any{"/dev/sda"}, nil},
		{"hexdump", usual, []any{"/etc/many"}, nil},
		{"aug_init", usual, []any{"/", 0}, nil},
		{"find", time.Millisecond, []any{"/etc"}, nil},
		{"glob_expand", time.Millisecond, []any{"/etc/*"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "e2fsck" {
				must(t, h, "mkfs", "ext4", "/dev/sda")
			}
			if c.name == "luks_format" { // a module that is being loaded is waited for by the kernel
				must(t, h, "debug", "sh", []string{"modprobe dm_crypt; modprobe algif_skcipher; modprobe algif_hash; true"})
			}
			a := api.All.Lookup(c.name)
			opts := make([]any, len(a.Opts))
			for i, p := range a.Opts {
				opts[i] = c.opts[p.Name]
			}
			ctx, stop := context.WithCancel(context.Background())
			defer stop()
			var cancelled time.Time
			time.AfterFunc(c.after, func() { cancelled = time.Now(); stop() })
			_, err := h.Call(ctx, a, c.args, opts)
			if ctx.Err() == nil {
				t.Fatalf("it was over before it could be cancelled: %v", err)
			}
			took := time.Since(cancelled)
			t.Logf("%v: %v", took, err)
			if c.after < usual && err == nil {
				return // it is done before the daemon looks
			}
			if err == nil || !errors.Is(err, syscall.EINTR) || err.Error() != "operation cancelled by user" {
				t.Errorf("the error is %v", err)
			}
			if took > limit(3*time.Second) {
				t.Errorf("it went on for %v", took)
			}
			if h.State() != handle.Ready {
				t.Fatal("the appliance is gone")
			}
			if v := must(t, h, "echo_daemon", []string{"next"}); v != "next" {
				t.Errorf("the next call answers %v", v)
			}
			if after := processes(); after != before {
				t.Errorf("processes are left:\n%s\nbefore:\n%s", after, before)
			}
		})
	}

	// A cancel that crosses the reply of its call on the way must not hit the next one.
	t.Run("races", func(t *testing.T) {
		short, long := api.All.Lookup("ping_daemon"), api.All.Lookup("debug")
		for i := range 400 {
			ctx, stop := context.WithCancel(context.Background())
			a, args, after := short, []any(nil), time.Duration(i)*10*time.Microsecond
			if i%20 == 0 { // so long that the daemon looks
				a, args, after = long, []any{"sh", []string{"sleep 0.1"}}, time.Duration(60+i/4)*time.Millisecond
			}
			time.AfterFunc(after, stop)
			if _, err := h.Call(ctx, a, args, nil); err != nil && !errors.Is(err, syscall.EINTR) {
				t.Fatalf("%s, cancelled after %v: %v", a.Name, after, err)
			}
			v, err := call(h, "echo_daemon", []string{"next"})
			if err != nil || v != "next" {
				t.Fatalf("after %s, cancelled after %v: %v, %v", a.Name, after, v, err)
			}
			// The next call may be such that the daemon looks, too.
			if i%20 == 0 {
				must(t, h, "debug", "sh", []string{"sleep 0.1"})
			}
			stop()
		}
	})
}

// TestInterruptAtPrompt presses the keys that end what runs: a call, an appliance that
// stands still, and gofish.
func TestInterruptAtPrompt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tmp := filepath.Join(dir, "tmp")
	os.Mkdir(tmp, 0o755)
	p := startTerminal(t, dir, []string{"TERM=xterm", "LC_ALL=C", "HOME=" + dir, "TMPDIR=" + tmp}, gofishBin, "-N", "disk:100M")
	const ctrlC, ctrlBackslash = "\x03", "\x1c"
	p.expect("><fs> ")
	p.run("run")
	started := time.Now()
	p.send("sleep 600\r")
	time.Sleep(limit(500 * time.Millisecond))
	p.send(ctrlC)
	p.expect("gofish: operation cancelled by user")
	p.send("sleep 601\r")
	time.Sleep(limit(500 * time.Millisecond))
	p.send(ctrlC)
	p.expect("gofish: operation cancelled by user")
	p.run("ping-daemon")
	if took := time.Since(started); took > limit(10*time.Second) {
		t.Errorf("two cancelled calls took %v", took)
	}

	stop := func() {
		for _, pid := range qemus(tmp) {
			syscall.Kill(pid, syscall.SIGSTOP)
		}
	}
	for _, keys := range []string{ctrlC + ctrlC, ctrlC} {
		if len(qemus(tmp)) != 1 {
			t.Fatalf("%d appliances run", len(qemus(tmp)))
		}
		stop()
		p.send("list-devices\r")
		for _, key := range keys {
			time.Sleep(limit(500 * time.Millisecond))
			p.send(string(key))
		}
		if len(keys) > 1 {
			p.expect("the appliance was ended by the user")
		} else {
			p.expect("did not answer within 5s: the appliance was ended")
		}
		if l := qemus(tmp); len(l) != 0 {
			t.Errorf("appliances %v are left", l)
		}
		// The drives are there still, and the history.
		p.run("run")
		p.send("\x1b[A\x1b[A\x1b[A\r") // echo, run, list-devices
		p.expect("\n/dev/sda\r\n")
	}

	stop()
	p.send("list-devices\r")
	time.Sleep(limit(500 * time.Millisecond))
	p.send(ctrlBackslash)
	p.wait(128 + int(syscall.SIGQUIT))
	if l := qemus(tmp); len(l) != 0 {
		t.Errorf("appliances %v are left after Ctrl-\\", l)
	}

	p = startTerminal(t, dir, []string{"TERM=xterm", "LC_ALL=C", "HOME=" + dir, "TMPDIR=" + tmp}, gofishBin, "-N", "disk:100M")
	p.expect("><fs> ")
	p.send(ctrlBackslash)
	p.wait(128 + int(syscall.SIGQUIT))
	if l, _ := os.ReadDir(tmp); len(l) != 0 {
		t.Errorf("%v are left", l)
	}
}
