// Package background lets a program go on in the background, once what it does there works.
// A process of Go cannot fork, so the program runs itself again; the first process waits until
// the second one says that it is ready, or has ended. Until then both belong to the terminal,
// so the second one can ask for keys, and Ctrl-C ends both.
package background

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// fdVariable marks a process as the second one: its value is the file descriptor on which it
// says that it is ready. All others are passed on as they are.
const fdVariable = "GOFISH_READY_FD"

// maxSaid limits what the second process may say.
const maxSaid = 1 << 12

// Started is the second process, as the first one sees it.
type Started struct {
	Said    string // what it said when it was ready; "" if it has ended instead
	Status  int    // to exit with if it has ended
	Process *os.Process
}

// Start runs this program again and waits until it is ready or has ended. Signals that would
// end this process are passed on to it, so it may get those of a terminal twice.
func Start(args []string, stdin, stdout *os.File, stderr io.Writer) (*Started, error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], 0); err != nil {
		return nil, fmt.Errorf("make a pipe: %w", err)
	}
	unix.CloseOnExec(pipe[0])
	r := os.NewFile(uintptr(pipe[0]), "ready")
	defer r.Close()
	c := exec.Command("/proc/self/exe", args[1:]...)
	c.Args[0] = args[0]
	c.Stdin, c.Stdout, c.Stderr = stdin, stdout, stderr
	c.Env = append(os.Environ(), fdVariable+"="+strconv.Itoa(pipe[1]))
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	err := c.Start()
	unix.Close(pipe[1])
	if err != nil {
		return nil, err
	}
	ctx, done := context.WithCancel(context.Background())
	defer done()
	go func() {
		for {
			select {
			case s := <-signals:
				c.Process.Signal(s)
			case <-ctx.Done():
				return
			}
		}
	}()
	said, _ := io.ReadAll(io.LimitReader(r, maxSaid))
	s := &Started{Said: string(said), Process: c.Process}
	if s.Said == "" {
		c.Wait()
		s.Status = status(c.ProcessState.Sys().(syscall.WaitStatus))
	}
	return s, nil
}

func status(w syscall.WaitStatus) int {
	if w.Signaled() {
		return 128 + int(w.Signal())
	}
	return w.ExitStatus()
}

// Process is the second process, as it sees itself.
type Process struct{ ready *os.File }

// Self is this process if Start has made it, or nil. Its children will not be taken for it.
func Self() *Process {
	fd, err := strconv.Atoi(os.Getenv(fdVariable))
	if err != nil {
		return nil
	}
	os.Unsetenv(fdVariable)
	unix.CloseOnExec(fd)
	return &Process{os.NewFile(uintptr(fd), "ready")}
}

// Say lets the first process go, with a text that must not be empty. It fails if that has
// ended.
func (p *Process) Say(text string) error {
	_, err := io.WriteString(p.ready, text)
	return errors.Join(err, p.ready.Close())
}

// Detach leaves the terminal, its streams and the working folder behind. Standard error
// stays where it is if keepErrors is true.
func (p *Process) Detach(keepErrors bool) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	if _, err := unix.Setsid(); err != nil {
		return fmt.Errorf("leave the session: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	streams := []int{0, 1, 2}
	if keepErrors {
		streams = streams[:2]
	}
	for _, fd := range streams {
		if err := unix.Dup3(int(null.Fd()), fd, 0); err != nil {
			return err
		}
	}
	return nil
}
