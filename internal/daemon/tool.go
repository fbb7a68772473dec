package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"gofish/internal/newfile"
)

// maxStderr is how much of a tool's complaints is kept; the rest is dropped, so
// that a hostile image cannot fill the memory.
const maxStderr = 32 << 10

// maxOutput bounds what Output keeps of a tool's standard output: far above what
// fits into a reply.
const maxOutput = 64 << 20

// Tool is a program of the appliance, run with an argument vector and never
// through a shell.
type Tool struct {
	Args   []string
	Stdin  io.Reader // nil: /dev/null
	Stdout io.Writer // nil: dropped
	Dir    string
	Env    []string   // added to the daemon's own
	Chroot string     // run inside this directory, with the program found there
	Files  []*os.File // the tool knows the i-th by toolFile(i)
	// FoldStdout puts standard output into the error text too, for tools that
	// complain there.
	FoldStdout bool
	// Silent is for a tool that continues after a failure and exits with status zero:
	// any complaint is a failure, except lines that match this.
	Silent *regexp.Regexp
	// Background is for a tool that leaves a process behind to do the work: its end
	// is not waited for, but this is done when the process has ended.
	Background *sync.WaitGroup
}

// ToolError is a tool that ended with a status other than zero.
type ToolError struct {
	Tool   string
	Status int // exit status, or -1 if a signal ended it
	Text   string
}

func (e *ToolError) Error() string {
	if text := sentence(e.Text); text != "" {
		return text
	}
	if toolEssay.MatchString(e.Text) {
		return e.Tool + " does not take these options"
	}
	if e.Status < 0 {
		return e.Tool + " was killed by a signal"
	}
	return fmt.Sprintf("%s exited with status %d", e.Tool, e.Status)
}

// Run runs the tool and waits for it; it is killed when ctx ends. A status other than zero is a *ToolError
// whose text is what the tool wrote to standard error.
func (t *Tool) Run(ctx context.Context) error {
	machineID.Do(newMachineID)
	name := t.Args[0]
	c := exec.CommandContext(ctx, name, t.Args[1:]...)
	if t.Chroot != "" {
		c.SysProcAttr = &syscall.SysProcAttr{Chroot: t.Chroot}
		c.Path, c.Err = name, nil
	}
	errText := &limited{max: maxStderr}
	c.Stdin, c.Stdout, c.Dir, c.ExtraFiles = t.Stdin, t.Stdout, t.Dir, t.Files
	// To the tool, a source with a read error looks like a short one.
	var source *sourceError
	if _, isFile := t.Stdin.(*os.File); t.Stdin != nil && !isFile {
		source = &sourceError{r: t.Stdin}
		c.Stdin = source
	}
	if t.FoldStdout && t.Stdout == nil {
		c.Stdout = errText
	}
	c.Env = append(os.Environ(), t.Env...)
	err := t.wait(c, errText)
	var exit *exec.ExitError
	text := strings.TrimSpace(errText.String())
	switch {
	case source != nil && source.err != nil:
		return source.err
	case err == nil && t.Silent != nil && complaint(text, t.Silent) == "":
		return nil
	case err == nil && t.Silent == nil:
		return nil
	case err == nil:
		return &ToolError{Tool: name, Text: complaint(text, t.Silent)}
	case errors.As(err, &exit):
		if t.Chroot == "" {
			text = guestNames(text)
		}
		return &ToolError{Tool: name, Status: exit.ExitCode(), Text: text}
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("%s: this program is not in the appliance", name)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// sourceError keeps a read error other than io.EOF.
type sourceError struct {
	r   io.Reader
	err error
}

func (s *sourceError) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// complaint leaves out of a text the lines that match.
func complaint(text string, harmless *regexp.Regexp) string {
	keep := []string{}
	for _, l := range lines(text) {
		if !harmless.MatchString(l) {
			keep = append(keep, l)
		}
	}
	return strings.Join(keep, "\n")
}

// sysroot is where the appliance's init has the guest's file systems mounted.
const sysroot = "/sysroot"

// belowSysroot matches the names by which tools of the appliance know the guest's files.
var belowSysroot = regexp.MustCompile(`(^|[^\w./-])` + sysroot + `(/+|\b)`)

// guestNames changes the names in a tool's complaint to those that the client knows.
func guestNames(text string) string {
	if !isInit {
		return text // there is no such place in a live guest
	}
	return belowSysroot.ReplaceAllString(text, "$1/")
}

// wait runs the command. What it leaves in the background has the same standard error,
// so a pipe of our own is read, as long as its other end is open.
func (t *Tool) wait(c *exec.Cmd, errText io.Writer) error {
	if t.Background == nil {
		c.Stderr = errText
		if err := start(c); err != nil {
			return err
		}
		return wait(c)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	c.Stderr = w
	err = start(c)
	w.Close()
	read := make(chan struct{})
	t.Background.Add(1)
	go func() {
		defer t.Background.Done()
		defer close(read)
		defer r.Close()
		io.Copy(errText, r)
	}()
	if err == nil {
		err = wait(c)
	}
	if err != nil {
		<-read // there is none in the background
	}
	return err
}

// Output runs the tool and returns its standard output.
func (t *Tool) Output(ctx context.Context) (string, error) {
	out := &limited{max: maxOutput}
	t.Stdout = out
	err := t.Run(ctx)
	if err == nil && out.cut {
		err = fmt.Errorf("%s: output is larger than %d MB", t.Args[0], maxOutput>>20)
	}
	return out.String(), err
}

// toolFile is the name by which a tool can open the i-th of its files.
func toolFile(i int) string { return "/dev/fd/" + strconv.Itoa(3+i) }

// memoryFile makes a file that exists only in memory.
func memoryFile(content string) (*os.File, error) {
	f, err := newfile.Memory(content)
	return f, wrap(errnoOf(err), "memory")
}

// limited keeps the first max bytes written to it and drops the rest.
type limited struct {
	mu  sync.Mutex
	buf bytes.Buffer
	max int
	cut bool
}

func (l *limited) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if room := l.max - l.buf.Len(); room < len(p) {
		l.cut = true
		l.buf.Write(p[:max(room, 0)])
	} else {
		l.buf.Write(p)
	}
	return len(p), nil
}

func (l *limited) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
