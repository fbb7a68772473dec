package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func command(args ...string) *exec.Cmd { return exec.Command(args[0], args[1:]...) }

// combined runs a program with standard output and error going to one file, as
// on a terminal, and returns what it wrote.
func combined(t *testing.T, dir string, env []string, args ...string) (string, int) {
	t.Helper()
	ctx, stop := context.WithTimeout(context.Background(), limit(10*time.Minute))
	defer stop()
	c := exec.CommandContext(ctx, args[0], args[1:]...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	f, err := os.CreateTemp(scratch, "transcript-*")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c.Stdout, c.Stderr = f, f
	err = c.Run()
	if _, ok := err.(*exec.ExitError); err != nil && !ok || ctx.Err() != nil {
		t.Fatalf("%v: %v", args, err)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(b), c.ProcessState.ExitCode()
}

// terminal is a program on a pseudo-terminal.
type terminal struct {
	t     *testing.T
	c     *exec.Cmd
	pty   *os.File
	mu    sync.Mutex
	all   strings.Builder // everything it wrote
	seen  int             // how much of it expect has passed
	marks int
	more  chan struct{}
	done  chan error
}

func startTerminal(t *testing.T, dir string, env []string, args ...string) *terminal {
	t.Helper()
	pty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(pty.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(pty.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	unix.IoctlSetWinsize(int(tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80})
	c := command(args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	c.Stdin, c.Stdout, c.Stderr = tty, tty, tty
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p := &terminal{t: t, c: c, pty: pty, more: make(chan struct{}, 1), done: make(chan error, 1)}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := pty.Read(buf)
			p.mu.Lock()
			p.all.Write(buf[:n])
			p.mu.Unlock()
			select {
			case p.more <- struct{}{}:
			default:
			}
			if err != nil {
				p.done <- c.Wait()
				return
			}
		}
	}()
	t.Cleanup(func() {
		c.Process.Kill()
		pty.Close()
	})
	return p
}

func (p *terminal) send(s string) {
	p.t.Helper()
	if _, err := p.pty.WriteString(s); err != nil {
		p.t.Fatal(err)
	}
}

// expect waits until the program has written text, behind what was expected before.
func (p *terminal) expect(text string) {
	p.t.Helper()
	deadline := time.After(limit(2 * time.Minute))
	for {
		p.mu.Lock()
		all := p.all.String()
		p.mu.Unlock()
		if i := strings.Index(all[p.seen:], text); i >= 0 {
			p.seen += i + len(text)
			return
		}
		select {
		case <-p.more:
		case <-deadline:
			p.t.Fatalf("%q did not come; the terminal shows\n%s", text, all)
		}
	}
}

// run types a command and waits until it has run: a second one prints a mark.
func (p *terminal) run(command string) {
	p.t.Helper()
	p.marks++
	mark := fmt.Sprintf("mark-%d", p.marks)
	p.send(command + "\necho " + mark + "\n")
	p.expect("\n" + mark)
}

// wait waits for the program's end.
func (p *terminal) wait(status int) {
	p.t.Helper()
	select {
	case <-p.done:
		if got := p.c.ProcessState.ExitCode(); got != status {
			p.t.Errorf("%v ended with status %d, want %d", p.c.Args, got, status)
		}
	case <-time.After(limit(time.Minute)):
		p.t.Fatalf("%v did not end", p.c.Args)
	}
}
