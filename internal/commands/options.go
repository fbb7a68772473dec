package commands

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gofish/internal/getopt"
	"gofish/internal/session"

	"golang.org/x/sys/unix"
)

// bars says when progress bars are drawn.
type bars int

const (
	barsAuto bars = iota // at a prompt
	barsOn
	barsOff
)

// options is the parsed command line.
type options struct {
	session.Session
	words       []string
	json        bool
	file        string
	noDestPaths bool
	pipeError   bool
	listen, csh bool
	remote      int // process of the server, 0 for none
	bars        bars
	prepared    int // how many -N there are
}

// optionTable is every option of the shell.
func optionTable(s *Shell) []getopt.Option {
	o := &s.opts
	trace := o.Options("trace")
	trace[0].Long = "" // the shell's own --trace is another one
	common := append(trace, o.Options("add", "blocksize", "connect", "domain", "echo-keys", "format", "inspector", "key", "keys-from-stdin",
		"live", "mount", "network", "no-sync", "no-template", "ro", "rw", "selinux", "timeout", "untrusted", "verbose")...)
	for i := range common {
		set := common[i].Set
		common[i].Set = func(arg *string) error { return asShellError(s, set(arg)) }
	}
	return getopt.Table(s.out, s.prog.Name+" "+s.prog.Version, func(table []getopt.Option) { s.printUsage(s.out, table) }, common, []getopt.Option{
		{Long: "cmd-help", Short: 'h', Arg: getopt.MayNext, Value: "command", Help: "List the commands, or explain one",
			Set: s.helpOption},
		{Long: "csh", Help: "With --listen: print the line for a C shell",
			Set: func(*string) error { o.csh = true; return nil }},
		{Long: "file", Short: 'f', Arg: getopt.NeedArg, Value: "file", Help: "Read commands from a file",
			Set: func(arg *string) error { return o.setFile(s, *arg) }},
		{Long: "json", Help: "Print each result as JSON, one value a line; the command schema describes them",
			Set: func(*string) error { o.json = true; return nil }},
		{Long: "listen", Help: "Run in the background as a server for --remote",
			Set: func(*string) error { o.listen = true; return nil }},
		{Long: "new", Short: 'N', Arg: getopt.NeedArg, Value: "[file=]type[:..]", Help: "Make a prepared disk; -N help lists the types",
			Set: func(arg *string) error { return o.addPrepared(s, *arg) }},
		{Long: "no-dest-paths", Help: "Do not complete paths of the guest with TAB",
			Set: func(*string) error { o.noDestPaths = true; return nil }},
		{Short: 'D', Set: func(*string) error {
			o.noDestPaths = true
			if o.Strict {
				return s.errorf("-D option is deprecated, use --no-dest-paths instead")
			}
			s.warn("-D option is deprecated, use --no-dest-paths instead")
			return nil
		}},
		{Long: "pipe-error", Help: "Fail a command when the program after its pipe stops reading",
			Set: func(*string) error { o.pipeError = true; return nil }},
		{Long: "progress-bars", Help: "Draw progress bars in scripts too",
			Set: func(*string) error { o.bars = barsOn; return nil }},
		{Long: "no-progress-bars", Help: "Never draw progress bars",
			Set: func(*string) error { o.bars = barsOff; return nil }},
		{Long: "remote", Arg: getopt.MayArg, Value: "pid", Help: "Send the commands to a server: the one with this PID, or in $GUESTFISH_PID",
			Set: func(arg *string) error { return o.setRemote(s, arg) }},
		{Long: "strict", Help: "Treat warnings, failing programs after a pipe, and unset variables in commands for the host as errors",
			Set: func(*string) error { o.Strict = true; return nil }},
		{Long: "trace", Arg: getopt.MayArg, Value: "file", Help: "Write each command to standard error or a file, as a script that can be run again",
			Set: s.openTrace},
	})
}

// parse reads the command line. What options do at once is done.
func (o *options) parse(s *Shell, args []string) error {
	words, err := getopt.Parse(optionTable(s), args)
	o.words = words
	if err == getopt.ErrDone {
		return exitStatus(0)
	}
	if lib, ok := err.(libError); ok {
		s.sayPlain(lib)
		return errReported
	}
	return getopt.Explain(s.prog.Name, err)
}

func (o *options) setFile(s *Shell, name string) error {
	if o.file != "" {
		return s.errorf("only one -f parameter can be given")
	}
	o.file = name
	return nil
}

// start does what the options request before the first command: it opens the
// disks, and the script.
func (s *Shell) start() error {
	o := &s.opts
	if o.remote != 0 {
		if err := s.checkServer(); err != nil {
			return err
		}
	}
	if err := o.Check(); err != nil {
		return asShellError(s, err)
	}
	if o.Inspect && len(o.Disks) == 0 {
		// The old way: with -i and no other disk, words are disks.
		for _, name := range o.words {
			d, err := session.OldStyleDisk(name)
			if err != nil {
				return asShellError(s, err)
			}
			o.Disks = append(o.Disks, d)
		}
		o.words = nil
	}
	if err := s.takeImages(); err != nil {
		return err
	}
	if err := s.openDisks(); err != nil {
		return err
	}
	if err := s.checkListen(); err != nil {
		return err
	}
	if o.file != "" {
		f, err := os.Open(o.file)
		if err != nil {
			return s.errorf("open: %s: %s", o.file, cause(err))
		}
		s.file = o.file
		s.setStdin(f)
	}
	return nil
}

// noSystem is the error when there is no single system to mount, with what to do instead.
const noSystem = `%v

To see what is there, leave out ‘-i’, and use ‘run’ and then
‘list-filesystems’; ‘mount’ or ‘mount-ro’ mounts a file system.`

// openDisks opens what the options name, and words its errors for the shell.
func (s *Shell) openDisks() error {
	err := s.opts.Start()
	var system *session.SystemError
	var locked *session.LockedError
	var mount *session.MountError
	switch {
	case errors.As(err, &system) && s.opts.Examine:
		s.listInstead(system)
		return nil
	case errors.As(err, &system):
		return s.errorf(noSystem, system)
	case errors.As(err, &locked):
		return join(locked.Cause, s.errorf("%s", locked.Text))
	case errors.As(err, &mount):
		return join(mount.Cause, s.notMounted(mount))
	case err != nil:
		return asShellError(s, err)
	}
	return nil
}

// notMounted says which -m has failed, and which file systems may have been meant.
func (s *Shell) notMounted(e *session.MountError) error {
	text := s.errorf("‘%s’ could not be mounted.", e.Mount.Device).Error()
	if o := e.Mount.Options; o != nil && *o != "" {
		text += fmt.Sprintf("\n%s: Check mount(8) man page to ensure options ‘%s’", s.prog.Name, *o)
		text += fmt.Sprintf("\n%s: are supported by the filesystem that is being mounted.", s.prog.Name)
	}
	if len(e.There) > 0 {
		text += fmt.Sprintf("\n%s: Did you mean to mount one of these filesystems?", s.prog.Name)
	}
	for _, p := range e.There {
		text += fmt.Sprintf("\n%s: \t%s (%s)", s.prog.Name, p.Key, p.Value)
	}
	return errors.New(text)
}

// sayOdd prints what the session finds odd.
func (s *Shell) sayOdd(err error) {
	var left session.LeftOutError
	if errors.As(err, &left) {
		if lib, ok := left.Cause.(libError); ok {
			err = libError{session.LeftOutError{Cause: lib.err}}
		}
	}
	s.sayPlain(asShellError(s, err))
}

// asShellError is an error of the shell itself, unless it is one already.
func asShellError(s *Shell, err error) error {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		var own []error
		for _, e := range all.Unwrap() {
			own = append(own, asShellError(s, e))
		}
		return join(own...)
	}
	if err == nil || err == errReported || errors.As(err, new(libError)) || errors.As(err, new(exitStatus)) {
		return err
	}
	return s.errorf("%s", strings.TrimPrefix(err.Error(), s.prog.Name+": "))
}

// readKey asks for a key on the terminal, or reads it as a line of standard input.
func (s *Shell) readKey(param string) (string, error) {
	s.out.Flush()
	if s.opts.KeysFromStdin {
		s.lineno++
	}
	key, err := s.opts.ReadKey(param, session.Input{File: s.stdin, Reader: s.in, Prompt: s.prog.Stderr})
	if s.ctx.Err() != nil {
		return "", errReported
	}
	return key, asShellError(s, err)
}

// setStdin makes f standard input, for child processes too.
func (s *Shell) setStdin(f *os.File) {
	if s.stdin.Fd() == 0 && unix.Dup3(int(f.Fd()), 0, 0) == nil {
		f.Close()
		f = s.stdin
	}
	s.useStdin(f)
}

// printUsage is what --help prints.
func (s *Shell) printUsage(w io.Writer, table []getopt.Option) {
	n := s.prog.Name
	fmt.Fprintf(w, `%[1]s works inside disk images, without mounting them on the host
and without root.

  %[1]s [options] [command [: command ...]]   run commands
  %[1]s [options]                             commands from a prompt or standard input
  %[1]s [options] -f file                     commands from a file

Options:
`, n)
	getopt.PrintHelp(w, table)
	if len(s.prog.Subcommands) > 0 {
		fmt.Fprint(w, "\nOther uses (--help explains each):\n")
	}
	for _, c := range s.prog.Subcommands {
		fmt.Fprintf(w, "  %-22s %s\n", n+" "+c.Name(), c.Short)
	}
	fmt.Fprintf(w, `
To look into a disk image:   %[1]s --ro -a disk.img
then type:                   run, list-filesystems, mount /dev/sda1 /, ls /
`, n)
}
