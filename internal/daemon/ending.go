package daemon

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Cancelling a call ends the programs that work for it, with all their descendants.

// children are the processes that this program has started itself and waits for. Any
// other child of PID 1 has lost its parent.
var children struct {
	sync.Mutex
	pids map[int]bool
}

// start starts a command. When the context that it was made with ends, the command and
// its descendants do.
func start(c *exec.Cmd) error {
	since := bootTicks()
	if c.SysProcAttr == nil {
		c.SysProcAttr = &unix.SysProcAttr{}
	}
	c.SysProcAttr.Setpgid = true
	if c.Cancel != nil { // it has a context
		c.Cancel = func() error {
			endTree(c.Process.Pid, since)
			return nil
		}
	}
	children.Lock()
	defer children.Unlock()
	if err := c.Start(); err != nil {
		return err
	}
	if children.pids == nil {
		children.pids = map[int]bool{}
	}
	children.pids[c.Process.Pid] = true
	return nil
}

// wait waits for a command that start started.
func wait(c *exec.Cmd) error {
	err := c.Wait()
	children.Lock()
	delete(children.pids, c.Process.Pid)
	children.Unlock()
	return err
}

const (
	// politeTime is how long a program that is asked to end may take to clean up.
	politeTime = 300 * time.Millisecond
	// killTime is how long to wait for killed processes. One that waits for a disk in the
	// kernel ends only when the disk answers.
	killTime = 2 * time.Second
)

// endTree ends a process and everything that it has started.
func endTree(root int, since uint64) {
	const interval = 20 * time.Millisecond
	begin := time.Now()
	for signal := unix.SIGTERM; ; time.Sleep(interval) {
		tree := treeOf(root, since)
		past := time.Since(begin)
		if len(tree) == 0 || past > killTime {
			return
		}
		if past >= politeTime {
			signal = unix.SIGKILL
		}
		for _, pid := range tree {
			// SIGTERM is sent only once: some programs take a second one as
			// a request to hurry.
			if past < interval || signal == unix.SIGKILL {
				unix.Kill(pid, signal)
				unix.Kill(pid, unix.SIGCONT)
			}
		}
	}
}

// treeOf lists what is still running of a process, its descendants, its process group and,
// in the appliance, processes that have lost their parent since then: however a program detaches from its parent, it becomes a child of PID 1.
func treeOf(root int, since uint64) (tree []int) {
	children.Lock()
	defer children.Unlock()
	all := processes()
	self := os.Getpid()
	in := map[int]bool{root: true}
	for _, p := range all {
		orphan := isInit && p.parent == self && p.born >= since && !children.pids[p.pid]
		if p.group == root || orphan {
			in[p.pid] = true
		}
		if orphan && p.zombie {
			unix.Wait4(p.pid, nil, unix.WNOHANG, nil) // nobody else waits for it
		}
	}
	for more := true; more; {
		more = false
		for _, p := range all {
			if in[p.parent] && !in[p.pid] {
				in[p.pid], more = true, true
			}
		}
	}
	for _, p := range all {
		if in[p.pid] && !p.zombie {
			tree = append(tree, p.pid)
		}
	}
	return tree
}

type process struct {
	pid, parent, group int
	born               uint64 // in ticks since the boot
	zombie             bool
}

// processes reads /proc/PID/stat of all (proc(5)).
func processes() (l []process) {
	names, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			continue // it has exited meanwhile
		}
		// PID (NAME) STATE PARENT GROUP …, and the name may hold anything.
		f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
		if len(f) < 20 {
			continue
		}
		number := func(b []byte) int {
			n, _ := strconv.Atoi(string(b))
			return n
		}
		l = append(l, process{
			pid:    number([]byte(filepath.Base(filepath.Dir(name)))),
			parent: number(f[1]),
			group:  number(f[2]),
			born:   uint64(number(f[19])),
			zombie: f[0][0] == 'Z' || f[0][0] == 'X',
		})
	}
	return l
}

// bootTicks is the time in the unit of process.born, which user space always sees as
// hundredths of a second.
func bootTicks() uint64 {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &t)
	return uint64(t.Nano() / 1e7)
}

// until reads from r until the call is cancelled.
func (d *Daemon) until(r io.Reader) io.Reader { return untilCancelled{d.call, r} }

type untilCancelled struct {
	ctx context.Context
	io.Reader
}

func (u untilCancelled) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(p)
}
