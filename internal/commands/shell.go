package commands

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gofish/guestfs/types"
	"gofish/internal/api"
	"gofish/internal/background"
	"gofish/internal/calls"
	"gofish/internal/handle"
	"gofish/internal/proto"
	"gofish/internal/session"
	"gofish/internal/visible"

	"github.com/spf13/cobra"
)

// Caller does actions. *handle.Handle is one.
type Caller interface {
	Call(ctx context.Context, a *api.Action, args, opts []any) (any, error)
	State() handle.State
	Verbose() bool
	Kill()
	OnEvent(mask handle.EventType, fn func(handle.Event)) int
	RemoveEvent(id int)
	Close() error
}

// Program is one run of the shell.
type Program struct {
	Name    string // in messages
	Version string
	Args    []string // without the program's name
	Stdin   *os.File
	Stdout  *os.File
	Stderr  io.Writer
	// New makes a handle. It is called once, and again by reopen.
	New func() (Caller, error)
	// Subcommands are the other uses of the program, for help and completion.
	Subcommands []*cobra.Command

	server *background.Process // in a process of --listen that stays
}

// Shell is the state of a run.
type Shell struct {
	record    io.Writer // what --trace writes to; nil: nothing
	inCommand bool      // a command of the user runs

	prog *Program
	opts options

	caller     Caller
	events     []*eventHandler
	taken      atomic.Uint64 // events that handlers of the user get
	firstEvent int           // number of the first handler of the user
	bar        *progressBar  // nil if there are none

	ctx    context.Context
	cancel context.CancelCauseFunc
	hurry  chan struct{} // closed by the second signal

	streams     sync.Mutex // held to change stdin and stdout, and by handlers of events to read them
	stdin       *os.File
	noStdin     bool                   // a client has not passed its own, so there is none to read
	in          *bufio.Reader          // reads stdin
	complete    func() bool            // asks a client whether stdin has really ended; nil: it has
	prompt      *prompt                // nil unless interactive
	line        atomic.Pointer[prompt] // the same, for the goroutine that ends the program
	interactive bool
	onInterrupt atomic.Int32 // interruptRun and so on
	file        string       // name of the script in messages
	lineno      int          // lines read, for messages

	folders sync.Map // temporary ones, by name

	stdout *os.File
	out    *output
	pipe   bool // stdout leads to a host command

	issued  int                         // commands so far
	strict  bool                        // a failure of the present command ends the run
	quit    bool                        // no more lines are wanted
	failed  bool                        // a command failed that ends the run
	running atomic.Pointer[runningCall] // nil between calls
	hosts   atomic.Int32                // commands of the host that have the terminal
	opened  atomic.Pointer[Caller]      // the last handle
}

// errReported is the error of something that has already reported why it failed.
var errReported = errors.New("")

// libError is an error of the handle; guestfish gives these a prefix of their own.
type libError struct{ err error }

func (e libError) Error() string { return e.err.Error() }
func (e libError) Unwrap() error { return e.err }

// exitStatus ends the program early.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Run does what the arguments say and returns the status to exit with.
func (p *Program) Run() int {
	if p.server = background.Self(); p.server == nil && p.wantsListen() {
		return p.startServer()
	}
	s := &Shell{prog: p, stdin: p.Stdin, in: bufio.NewReader(p.Stdin), stdout: p.Stdout, file: "*stdin*", hurry: make(chan struct{})}
	s.out = &output{f: p.Stdout}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.opts.Session = session.Session{Guest: s.g(), Ctx: s.ctx, Say: s.sayOdd, Ask: s.readKey}
	stop := s.catchSignals()
	defer stop()
	defer s.removeFolders()
	done := make(chan int, 1)
	go func() { done <- s.runAndClose() }()
	select {
	case status := <-done:
		return status
	case <-s.ctx.Done():
	}
	defer s.line.Load().restore()
	// A signal ends the run in order, if that does not take too long and no other
	// signal comes: the sender will not wait. What the handle leaves then cleans up after itself.
	status := 128 + int(context.Cause(s.ctx).(stopSignal).Signal)
	select {
	case <-done:
	case <-s.hurry:
	case <-time.After(stopLimit):
	}
	return status
}

// stopLimit is how long a run may take to end after a signal.
const stopLimit = 5 * time.Second

// runAndClose does the run, reports its error and closes the handle.
func (s *Shell) runAndClose() int {
	err := s.run()
	var status exitStatus
	if lost := s.flush(); lost != nil && (err == nil || err == exitStatus(0)) {
		err = lost
	}
	switch {
	case errors.As(err, &status):
		s.close()
		return int(status)
	case err != nil:
		s.say(err)
		fallthrough
	case s.failed:
		s.close()
		return 1
	}
	return 0
}

// close closes the handle after a failure, when its own errors no longer matter.
func (s *Shell) close() {
	if s.caller != nil {
		s.caller.Close()
	}
	s.prompt.close()
}

func (s *Shell) run() error {
	if err := s.open(); err != nil {
		return err
	}
	if err := s.opts.ReadConfig(); err != nil {
		return asShellError(s, err)
	}
	if err := s.opts.parse(s, s.prog.Args); err != nil {
		return err
	}
	s.interactive = s.opts.file == "" && isTerminal(s.stdin)
	switch {
	case s.interactive && len(s.opts.words) > 0:
		s.onInterrupt.Store(interruptTwice)
	case s.interactive, s.opts.listen:
		s.onInterrupt.Store(interruptCall)
	}
	if s.interactive || s.opts.listen {
		if err := s.g().SetPgroup(s.ctx, true); err != nil {
			return err
		}
	}
	// Errors of the options never name a line.
	if err := s.start(); err != nil {
		s.failed = true
		s.sayPlain(err)
		return nil
	}
	if s.opts.bars == barsOn || s.opts.bars == barsAuto && s.interactive && len(s.opts.words) == 0 && !s.opts.listen {
		s.bar = newProgressBar(s.stdout)
	}
	switch {
	case s.opts.listen:
		if err := s.listen(); err != nil {
			return err
		}
	case len(s.opts.words) > 0:
		s.runWords(s.opts.words)
	case s.interactive:
		s.runPrompt()
	default:
		s.runScript()
	}
	if s.failed {
		return nil
	}
	return s.finish()
}

// finish closes the handle after a successful run: what was written to the disks is flushed.
// Later calls do nothing.
func (s *Shell) finish() error {
	if s.caller == nil {
		return nil
	}
	s.lineno = 0
	if err := s.g().Shutdown(s.ctx); err != nil {
		return err
	}
	c := s.caller
	s.caller = nil
	if err := c.Close(); err != nil {
		return libError{err}
	}
	return nil
}

// open makes the handle.
func (s *Shell) open() error {
	c, err := s.prog.New()
	if err != nil {
		return libError{err}
	}
	s.caller = c
	s.opened.Store(&c)
	s.watch(c)
	return nil
}

// runningCall is a call that can be cancelled.
type runningCall struct {
	cancel     func()
	interrupts int // how many have come during the call
}

// launched reports whether an appliance runs.
func (s *Shell) launched() bool { return s.caller != nil && s.caller.State() == handle.Ready }

// kill ends the appliance, whatever it is doing.
func (s *Shell) kill() {
	if c := s.opened.Load(); c != nil {
		(*c).Kill()
	}
}

// stopSignal is the cause of a run cut short.
type stopSignal struct{ syscall.Signal }

func (s stopSignal) Error() string { return s.String() }

// catchSignals makes an interrupt cancel the call that is running, at a prompt; a second
// one in the same call ends the appliance, which may stand still. With words on a terminal
// the second one ends the run, too. Everywhere else signals end the run in order; that
// of Ctrl-\\ does it at once. The returned function undoes that.
func (s *Shell) catchSignals() func() {
	signal.Ignore(syscall.SIGPIPE) // whoever reads our output may leave
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP)
	done := make(chan struct{})
	go func() {
		interrupts := 0
		for {
			select {
			case <-done:
				return
			case sig := <-c:
				mode := s.onInterrupt.Load()
				if sig == syscall.SIGQUIT {
					if s.hosts.Load() > 0 {
						continue // it is for them
					}
					s.cancel(stopSignal{syscall.SIGQUIT})
					s.kill()
					close(s.hurry)
					return
				}
				if sig == syscall.SIGINT {
					interrupts++
					call := s.running.Load()
					if call != nil {
						call.interrupts++
					}
					switch {
					case call == nil && mode == interruptCall:
						continue
					case call != nil && mode != interruptRun && call.interrupts == 1 && (mode == interruptCall || interrupts == 1):
						call.cancel()
						continue
					case call != nil && mode != interruptRun:
						s.kill()
						if mode == interruptCall {
							continue
						}
					}
				}
				if s.ctx.Err() != nil {
					close(s.hurry)
					return
				}
				s.cancel(stopSignal{sig.(syscall.Signal)})
			}
		}
	}()
	return func() {
		signal.Stop(c)
		close(done)
	}
}

// What an interrupt does.
const (
	interruptRun   = iota // it ends the run
	interruptCall         // it cancels the call that is running, if any
	interruptTwice        // the first cancels the call, the second ends the run
)

// say prints an error of the command that is running, one line for each error
// joined in it.
func (s *Shell) say(err error) { s.sayAt(err, s.place()) }

// sayPlain prints an error that belongs to no command.
func (s *Shell) sayPlain(err error) { s.sayAt(err, "") }

// warn reports something odd that is not a failure.
func (s *Shell) warn(format string, args ...any) { s.sayPlain(s.errorf("warning: "+format, args...)) }

func (s *Shell) sayAt(err error, place string) {
	if err == errReported {
		return
	}
	s.out.Flush()
	lib, ofHandle := err.(libError)
	joined := err
	if ofHandle {
		joined = lib.err
	}
	if all, ok := joined.(interface{ Unwrap() []error }); ok {
		for _, e := range all.Unwrap() {
			if ofHandle {
				e = libError{e}
			}
			s.sayAt(e, place)
		}
		return
	}
	if s.lineno == 0 && !(ofHandle && s.prog.isGuestfish()) { // commands on the command line have no line
		place = ""
	}
	if s.opts.json {
		s.sayJSON(err, place != "")
		return
	}
	// Errors of the shell itself may have several lines, such as how a command is used.
	show := visible.Lines
	var call *handle.CallError
	if ofHandle && !(errors.As(err, &call) && call.Lines) {
		show = visible.Line
	}
	fmt.Fprintln(s.prog.Stderr, show(s.prog.message(place, err)))
}

// place is where in a script the shell is, for errors of the handle.
func (s *Shell) place() string {
	if s.interactive || s.opts.listen {
		return ""
	}
	return fmt.Sprintf("%s:%d: ", s.file, s.lineno)
}

// errorf is an error that begins with the program's name.
func (s *Shell) errorf(format string, args ...any) error {
	return fmt.Errorf(s.prog.Name+": "+format, args...)
}

// do has the handle do an action.
func (s *Shell) do(a *api.Action, args, opts []any) (any, error) { return s.doIn(s.ctx, a, args, opts) }

// doIn is do with a context that need not be the run's: some cleaning up is done even after
// a signal.
func (s *Shell) doIn(within context.Context, a *api.Action, args, opts []any) (any, error) {
	if err := context.Cause(within); err != nil {
		return nil, errReported
	}
	if len(a.Opts) > 0 && opts == nil {
		opts = make([]any, len(a.Opts))
	}
	s.noteAction(a, args, opts)
	ctx, cancel := context.WithCancel(within)
	defer cancel()
	s.running.Store(&runningCall{cancel: cancel})
	s.bar.begin(a)
	v, err := s.caller.Call(ctx, a, args, opts)
	s.bar.end()
	s.running.Store(nil)
	if err != nil {
		if context.Cause(within) != nil {
			return nil, errReported
		}
		return nil, libError{err}
	}
	return v, nil
}

// g makes calls as do does.
func (s *Shell) g() calls.Client { return calls.Client{Caller: shellCaller{s}} }

// shellCaller is the shell as what makes typed calls.
type shellCaller struct{ *Shell }

// Call does an action as do does; the shell has files of the host by their names.
func (c shellCaller) Call(ctx context.Context, a *api.Action, args, opts []any) (any, error) {
	for i := range args {
		if f, ok := args[i].(types.HostFile); ok {
			args[i] = string(f)
		}
	}
	return c.doIn(ctx, a, args, opts)
}

// runWords runs the commands given as words, separated by ":".
func (s *Shell) runWords(words []string) {
	for len(words) > 0 && !s.failed {
		n := 0
		for n < len(words) && words[n] != ":" {
			n++
		}
		if n == 0 {
			s.say(s.errorf("empty command on command line"))
			s.failed = true
			return
		}
		name, forgiven := strings.CutPrefix(words[0], "-")
		s.strict = !forgiven
		err := s.issue(name, words[1:n], nil)
		if err != nil {
			s.say(err)
			s.failed = !forgiven
		}
		words = words[min(n+1, len(words)):]
		s.stopIfSignalled()
	}
}

func (s *Shell) stopIfSignalled() {
	if s.ctx.Err() != nil {
		s.failed = true
	}
}

// runScript runs the lines of standard input.
func (s *Shell) runScript() {
	for !s.quit && !s.failed {
		text, err := s.in.ReadString('\n')
		if err != nil && text == "" {
			if err != io.EOF {
				s.say(s.errorf("reading commands from %s: %v", s.file, cause(err)))
				s.failed = true
			}
			return
		}
		s.lineno++
		text = strings.TrimSuffix(text, "\n")
		s.runLine(strings.TrimSuffix(text, "\r"), true)
		s.stopIfSignalled()
	}
}

// runLine runs one line of a script or of the prompt. strict says that a failure
// ends the run. The error has been shown; it says that the line failed.
func (s *Shell) runLine(text string, strict bool) error {
	for {
		text = skipSpace(text)
		rest, forgiven := strings.CutPrefix(text, "-")
		if !forgiven {
			break
		}
		text, strict = rest, false
	}
	err := s.runStripped(text, strict)
	if err != nil {
		s.say(err)
		if strict {
			s.failed = true
		}
		return errReported
	}
	return nil
}

func (s *Shell) runStripped(text string, strict bool) error {
	switch {
	case text == "" || text[0] == '#':
		return nil
	case text[0] == '!':
		return s.runHost(text[1:])
	case strings.HasPrefix(text, "<!"):
		return s.runGenerated(text[2:], strict)
	}
	l, err := lex(text, expandTilde)
	if err != nil {
		return s.errorf("%v", err)
	}
	s.strict = strict
	return s.issue(l.name, l.args, l.pipe)
}

// hostCommand is a line that /bin/sh is to run.
func (s *Shell) hostCommand(text string) *exec.Cmd {
	args := []string{"-c", text}
	if s.opts.Strict {
		args = append([]string{"-u"}, args...)
	}
	c := exec.Command("/bin/sh", args...)
	c.Stdin, c.Stdout, c.Stderr = s.stdin, s.stdout, s.prog.Stderr
	return c
}

// runHost runs a line that began with "!". Like a C shell's system function, it
// takes death by a signal other than an interrupt for success.
func (s *Shell) runHost(text string) error {
	s.out.Flush()
	s.hosts.Add(1)
	err := s.hostCommand(text).Run()
	s.hosts.Add(-1)
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		if err != nil {
			return s.errorf("/bin/sh: %v", cause(err))
		}
		return nil
	}
	w := exit.Sys().(syscall.WaitStatus)
	if w.Signaled() && w.Signal() != syscall.SIGINT && w.Signal() != syscall.SIGQUIT {
		return nil
	}
	return errReported
}

// runGenerated runs each line that a host command prints.
func (s *Shell) runGenerated(text string, strict bool) error {
	c := s.hostCommand(text)
	c.Stdout = nil
	lines, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		return s.errorf("/bin/sh: %v", cause(err))
	}
	r := bufio.NewReader(lines)
	for !s.failed {
		l, err := r.ReadString('\n')
		if l == "" && err != nil {
			break
		}
		s.runLine(strings.TrimSuffix(l, "\n"), strict)
		s.stopIfSignalled()
	}
	if s.failed {
		c.Process.Kill() // or it would complain about a broken pipe
		lines.Close()
		c.Wait()
		return errReported
	}
	lines.Close()
	err = c.Wait()
	if err != nil {
		return fmt.Errorf("<!%s: %w", text, err)
	}
	return nil
}

// issue runs a command, its output sent to a host command if pipe is not nil.
func (s *Shell) issue(name string, args []string, pipe *string) error {
	s.note(name, args, pipe)
	defer func(outer bool) { s.inCommand = outer }(s.inCommand)
	s.inCommand = true
	if pipe != nil {
		return s.piped(*pipe, func() error { return s.issue(name, args, nil) })
	}
	if s.opts.remote != 0 {
		return s.callRemote(name, args)
	}
	s.issued++
	err := s.command(name, args)
	return join(err, s.flush())
}

// command finds the command and runs it.
func (s *Shell) command(name string, args []string) error {
	e := lookup(name)
	switch {
	case e == nil:
		return s.unknown(name)
	case e.builtin != nil:
		b := e.builtin
		if len(args) < b.min || b.max >= 0 && len(args) > b.max {
			return errors.New(strings.ReplaceAll(b.usage, "%s", name))
		}
		if s.opts.json && !b.wraps {
			return s.captured(func() error { return renamed(b.run(s, name, args), name) })
		}
		err := b.run(s, name, args)
		if !b.wraps {
			err = renamed(err, name)
		}
		return err
	}
	return s.action(e.action, name, args)
}

// renamed gives an error of an action the name of the command that called it: that is the
// name the user knows.
func renamed(err error, name string) error {
	lib, ok := err.(libError)
	if !ok {
		return err
	}
	ce, ok := lib.err.(*handle.CallError)
	if !ok || ce.Action == "" {
		return err
	}
	e := *ce
	e.Action = strings.ReplaceAll(name, "-", "_")
	return libError{&e}
}

// action converts the arguments of an action, has it done and prints the result.
func (s *Shell) action(a *api.Action, name string, words []string) error {
	required := 0
	for _, p := range a.Args {
		if p.Kind != api.KKey {
			required++
		}
	}
	if len(words) < required || len(words) > required+len(a.Opts) {
		return fmt.Errorf("error: incorrect number of arguments\nusage: %s\ntype 'help %s' for more help on %s",
			synopsis(a), name, name)
	}
	c := converter{s: s, cmd: name}
	defer c.clean()
	args, err := c.args(a, words[:required])
	if err != nil {
		return err
	}
	opts, err := c.opts(a, words[required:])
	if err != nil {
		return err
	}
	v, err := s.do(a, args, opts)
	if err := join(err, c.finish()); err != nil {
		return err
	}
	if s.opts.json {
		printJSON(s.out, jsonValue(a.Ret, v))
	} else {
		printResult(s.out, a.Ret, v)
	}
	return nil
}

// unknown is the error for a name that is not a command. If it is the first of a run, the
// error also explains how the program is used.
func (s *Shell) unknown(name string) error {
	err := fmt.Errorf("%s: unknown command", name)
	if near := nearest(name); len(near) > 0 {
		err = fmt.Errorf("%w (did you mean %s?)", err, strings.Join(near, " or "))
	}
	if s.issued > 1 {
		return err
	}
	image := "disk.img"
	if fi, err := os.Stat(name); err == nil && !fi.IsDir() {
		image = name
	}
	return fmt.Errorf("%w\nDid you mean to open a disk image?  %[2]s -a %[3]s\n"+
		"For a list of commands:             %[2]s -h\n"+
		"For complete documentation:         man %[2]s", err, s.prog.Name, image)
}

// cause is the reason in an error of package os, as C words it.
func cause(err error) string {
	var e syscall.Errno
	if errors.As(err, &e) {
		return proto.Strerror(e)
	}
	return err.Error()
}
