package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long anything may take after something was killed.
const patience = 10 * time.Second

// within wants something to end in time.
func within(t *testing.T, what string, ended <-chan struct{}) {
	t.Helper()
	select {
	case <-ended:
	case <-time.After(limit(patience)):
		t.Fatalf("%s: it hangs", what)
	}
}

// done runs a function, and returns a channel that is closed at its end.
func done(fn func()) <-chan struct{} {
	c := make(chan struct{})
	go func() {
		defer close(c)
		fn()
	}()
	return c
}

// children are the processes below one whose command line has a text.
func children(parent int, text string) []int {
	var found []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	parents := map[int]int{}
	for _, file := range stats {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(fields) > 1 && fields[0] != "Z" {
			parents[pid], _ = strconv.Atoi(fields[1])
		}
	}
	for pid := range parents {
		for up := parents[pid]; up > 1; up = parents[up] {
			if up == parent {
				line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
				if strings.Contains(string(line), text) {
					found = append(found, pid)
				}
				break
			}
		}
	}
	return found
}

// alive reports whether a process is there and no zombie.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

// restarted reports whether gofish has another machine after one was killed, rather than ending.
func restarted(g *guestMount) bool {
	for end := time.Now().Add(limit(patience)); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		select {
		case <-g.ended:
			return false
		default:
		}
		if len(children(g.cmd.Process.Pid, "qemu-system")) > 0 {
			return true
		}
	}
	return false
}

// worker is a program that writes, reads, renames and removes until something fails.
const worker = `cd "$1" || exit
n=0
while :; do
	n=$((n + 1))
	mkdir -p d && echo "$n" >d/a && cat d/a >d/b && ln -f d/b d/c && mv d/a d/e && dd if=/dev/zero of=d/big bs=64k count=8 conv=fsync 2>/dev/null && cat d/* >/dev/null && ls -l d >/dev/null && rm -r d || exit 7
done`

// TestMountLocalKilled kills gofish, qemu, or the program that uses the mount, at random moments.
// SEED and the round's number say when and whom.
func TestMountLocalKilled(t *testing.T) {
	fuseHere(t)
	need(t, "e2fsck")
	rounds := 6
	if soaking {
		rounds = 200
	}
	base := &guestMount{t: t, image: filepath.Join(t.TempDir(), "base.img")}
	base.run("disk-create %[1]s raw 100M\nadd %[1]s format:raw\nrun\nmkfs ext4 /dev/sda\n", base.image)
	for round := range rounds {
		rng := rand.New(rand.NewPCG(seed(t), uint64(round)))
		victim := []string{"gofish", "qemu", "program"}[round%3]
		moment := time.Duration(rng.IntN(3000)) * time.Millisecond
		if !t.Run(fmt.Sprintf("%d/%s after %v", round, victim, moment), func(t *testing.T) { killRound(t, base.image, victim, moment) }) && soaking {
			t.Logf("round %d, seed %d", round, seed(t))
		}
	}
}

func killRound(t *testing.T, base, victim string, moment time.Duration) {
	dir := t.TempDir()
	g := &guestMount{t: t, image: dir + "/disk.img", dir: dir + "/mnt", script: "mount /dev/sda /\n"}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "--sparse=always", base, g.image).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v: %s", err, out)
	}
	begin := time.Now()
	if victim == "program" || moment > time.Second {
		g.mount()
	} else {
		g.start() // it may be killed before anything is mounted
	}
	gofish := g.cmd.Process.Pid
	prog := exec.Command("sh", "-c", worker, "sh", g.dir)
	prog.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if victim == "gofish" || victim == "qemu" {
		if left := moment - time.Since(begin); left > 0 && !g.mounted() {
			time.Sleep(left)
		}
	}
	working := g.mounted()
	var programEnded <-chan struct{}
	if working {
		if err := prog.Start(); err != nil {
			t.Fatal(err)
		}
		programEnded = done(func() { prog.Wait() })
		time.Sleep(moment)
	}
	machines := children(gofish, "qemu-system")
	switch victim {
	case "gofish":
		g.cmd.Process.Kill()
	case "qemu":
		if len(machines) == 0 { // too early
			g.cmd.Process.Kill()
			victim = "gofish"
		}
		for _, pid := range machines {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	case "program":
		syscall.Kill(-prog.Process.Pid, syscall.SIGKILL)
	}

	if victim == "program" {
		within(t, "the program that was killed", programEnded)
		within(t, "looking into the mount", done(func() {
			if _, err := os.ReadDir(g.dir); err != nil {
				t.Errorf("after a program was killed: %v", err)
			}
		}))
		g.unmount()
	} else {
		if working {
			within(t, "the program, after "+victim+" was killed,", programEnded)
		}
		if victim == "qemu" && !working && restarted(g) {
			g.cmd.Process.Kill() // a machine that could not be restored is booted, and all is well
			victim = "gofish"
		}
		within(t, "gofish", g.ended)
		within(t, "stat of the mount point", done(func() { os.Stat(g.dir) }))
		if victim == "qemu" {
			if g.cmd.ProcessState.ExitCode() != 1 {
				t.Errorf("after qemu was killed: %v", g.cmd.ProcessState)
			}
			errors := 0
			for line := range strings.Lines(g.stderr.String()) {
				if !strings.HasPrefix(line, "gofish: warning: ") {
					errors++
				}
				if !strings.HasPrefix(line, "gofish: ") || strings.Contains(line, "internal-") {
					t.Errorf("after qemu was killed gofish says %q", line)
				}
			}
			if errors != 1 {
				t.Errorf("after qemu was killed gofish has %d errors to tell\n%s", errors, &g.stderr)
			}
			if g.mounted() {
				t.Error("after qemu was killed it is still mounted")
			}
		}
		within(t, "qemu after gofish was killed", done(func() {
			for _, pid := range machines {
				for alive(pid) {
					time.Sleep(20 * time.Millisecond)
				}
			}
		}))
		if g.mounted() {
			within(t, "fusermount3 -u", done(func() {
				if out, err := exec.Command("fusermount3", "-u", g.dir).CombinedOutput(); err != nil {
					t.Errorf("fusermount3 -u: %v: %s", err, out)
				}
			}))
		}
		if g.mounted() {
			t.Error("after fusermount3 -u it is still mounted")
		}
	}
	// Status 1: it was repaired, as by a replay of the journal.
	if r := program(t, "", nil, "", "e2fsck", "-fy", g.image); r.status > 1 {
		t.Errorf("e2fsck: status %d\n%s%s", r.status, r.stdout, r.stderr)
	} else if victim == "program" && r.status != 0 {
		t.Errorf("after an orderly end, e2fsck has something to repair\n%s", r.stdout)
	}
	if r := program(t, "", nil, "", "e2fsck", "-fn", g.image); r.status != 0 {
		t.Errorf("e2fsck again: status %d\n%s", r.status, r.stdout)
	}
}
