package commands

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path"
	"strings"
	"syscall"
	"time"

	"gofish/guestfs/types"
	"gofish/internal/calls"
	"gofish/internal/proto"

	"github.com/google/shlex"
)

// builtinTable is the commands that the shell does itself.
func builtinTable() []builtin {
	return []builtin{
		{name: "help", synopsis: "help\nhelp cmd\nhelp --list", min: 0, max: 1, hidden: true,
			usage:   "use 'help', 'help <cmd>' or 'help -l|--list' to list all commands",
			summary: "display a list of commands or help on a command",
			help:    "Without an argument says what to do next; with the name of a command explains it.",
			run:     runHelp},
		{name: "quit", aliases: []string{"exit", "q"}, synopsis: "quit", max: -1, hidden: true,
			summary: "quit %PROG%",
			help:    "Ends the shell. What was written to the disks is flushed first. Arguments are ignored.",
			run:     func(s *Shell, cmd string, args []string) error { s.quit = true; return nil }},
		{name: "alloc", aliases: []string{"allocate"}, synopsis: "alloc filename size", min: 2, max: 2,
			usage:   "use 'alloc file size' to create an image",
			summary: "make a disk image with all its blocks and add it",
			help: `Makes a raw image on the host whose blocks are all there from the start, so
that writing to it cannot run out of space later, and adds it as a drive. A
file of that name is overwritten.

A size is a number of bytes or has a suffix: 10M, 1G. To make images of other
formats see "disk-create"; for one that grows as it is written see "sparse".`,
			run: func(s *Shell, cmd string, args []string) error { return s.newImage(args, "full") }},
		{name: "copy_in", synopsis: "copy-in local [local ...] /remotedir", min: 2, max: -1,
			usage:   "use 'copy-in <local> [<local>...] <remotedir>' to copy files into the image",
			summary: "copy files and folders of the host into the guest",
			help: `Copies each local file or folder, with all that is in it, into the folder
/remotedir of the guest, which must exist. The first that fails ends the
command.`,
			run: runCopyIn},
		{name: "copy_out", synopsis: "copy-out remote [remote ...] localdir [privileged:true|false]", min: 2, max: -1,
			usage:   "use 'copy-out <remote> [<remote>...] <localdir>' to copy files out of the image",
			summary: "copy files and folders of the guest to the host",
			help: `Copies each remote file or folder, with all that is in it, into the folder
localdir of the host, which must exist. The first that fails ends the command.

Device nodes and set-user-ID and set-group-ID bits are left out, and a warning
says how many, unless privileged:true asks for them.`,
			run: runCopyOut},
		{name: "delete_event", synopsis: "delete-event name", min: 1, max: 1,
			usage:   "use 'delete-event <name>' to delete an event handler",
			summary: "remove event handlers",
			help:    `Removes every handler that "event" registered under the name.`,
			run:     runDeleteEvent},
		{name: "display", synopsis: "display filename", min: 1, max: 1,
			usage:   "display filename",
			summary: "show a picture of the guest",
			help:    `Downloads the file and shows it with the program in $GUESTFISH_DISPLAY_IMAGE, or "display".`,
			run: func(s *Shell, cmd string, args []string) error {
				viewer, err := chosen("display", "GOFISH_DISPLAY_IMAGE", "GUESTFISH_DISPLAY_IMAGE")
				return s.view(args[0], viewer, err)
			}},
		{name: "echo", synopsis: "echo [word ...]", max: -1,
			summary: "print words",
			help:    `Prints its arguments with a blank between them.`,
			run: func(s *Shell, cmd string, args []string) error {
				fmt.Fprintln(s.out, strings.Join(args, " "))
				return nil
			}},
		{name: "edit", aliases: []string{"vi", "emacs"}, synopsis: "edit filename", min: 1, max: 1,
			usage:   "use '%s filename' to edit a file",
			summary: "edit a file of the guest",
			help: `Downloads the file, runs an editor on it, and puts the changed file in its
place, with owner, permissions and attributes kept. A symbolic link stays and
its target is changed. If the editor changed nothing, nothing happens.

The editor is $EDITOR, or vi; the names "vi" and "emacs" ask for these.`,
			run: runEdit},
		{name: "event", synopsis: `event name eventset "shell script ..."`, min: 3, max: 3,
			usage:   "use 'event <name> <eventset> <script>' to register an event handler",
			summary: "run a script when something happens",
			help: `Registers a script which $SHELL -c (or /bin/sh -c) runs on the host when an
event of the set happens. The name serves "delete-event" and need not be
unique. The set is * or a list with commas of: close, subprocess_quit,
launch_done, progress, appliance, library, trace, enter, libvirt_auth,
warning.

The script finds the event's name in $EVENT, its message in $1, and for
progress the procedure, serial number, position and total in $1 to $4.
Messages that a script handles are not printed.`,
			run: runEventCommand},
		{name: "glob", synopsis: "glob command [args ...]", min: 1, max: -1, wraps: true,
			usage:   "use 'glob command [args...]'",
			summary: "run a command for each name that matches",
			help: `Runs the command once for every combination of names that match its
arguments. An argument that begins with /dev/ is matched against the devices,
another that begins with / against the files of the guest; the rest, and what
matches nothing, stays as it is. All combinations are tried; if one fails, so
does glob.`,
			run: runGlob},
		{name: "hexedit", synopsis: "hexedit (device|filename) [max | start max]", min: 1, max: 3,
			usage:   "hexedit (device|filename) [max | start max]",
			summary: "edit the bytes of a file or device",
			help: `Downloads max bytes from start, runs $HEXEDITOR or "hexedit" on them, and
writes them back if they were changed. Of something larger than 16 MB a part
has to be chosen.`,
			run: runHexedit},
		{name: "lcd", synopsis: "lcd directory", min: 1, max: 1,
			usage:   "use 'lcd directory' to change local directory",
			summary: "change the working folder on the host",
			help:    `Later names of host files are looked up from that folder.`,
			run: func(s *Shell, cmd string, args []string) error {
				if err := os.Chdir(args[0]); err != nil {
					return fmt.Errorf("%s: %s", args[0], cause(err))
				}
				return nil
			}},
		{name: "list_events", synopsis: "list-events", max: 0,
			usage:   "use ‘list-events’ to list event handlers",
			summary: "list event handlers",
			help:    `Lists the handlers of "event": name, number, events and script.`,
			run:     runListEvents},
		{name: "man", aliases: []string{"manual"}, synopsis: "man", max: 0,
			usage:   "use ‘man’ without parameters to open the manual",
			summary: "read the manual",
			help:    `Shows the manual page with man, or without it in $PAGER.`,
			run: func(s *Shell, cmd string, args []string) error {
				s.out.Flush()
				return ShowManual(s.prog.Manual(), s.prog.Stdout, s.prog.Stderr)
			}},
		{name: "more", aliases: []string{"less"}, synopsis: "more filename", min: 1, max: 1,
			usage:   "use '%s filename' to page a file",
			summary: "read a file of the guest page by page",
			help: `Downloads the file and shows it with $PAGER, or "more". The name "less" asks
for that program.`,
			run: func(s *Shell, cmd string, args []string) error {
				if strings.EqualFold(cmd, "less") {
					return s.view(args[0], program{words: []string{"less"}}, nil)
				}
				pager, err := chosen("more", "PAGER")
				return s.view(args[0], pager, err)
			}},
		{name: "reopen", synopsis: "reopen", max: 0,
			usage:   "‘reopen’ command takes no parameters",
			summary: "start again with no drives",
			help: `Closes the handle, flushing what was written, and opens a new one. Drives,
mounts and event handlers are gone; verbose, trace, autosync, path and pgroup
are kept.`,
			run: runReopen},
		{name: "setenv", synopsis: "setenv VAR value", min: 2, max: 2,
			usage:   "use 'setenv VAR value' to set an environment variable",
			summary: "set an environment variable",
			help:    `Programs that are started later see it. To print one: !echo $VAR`,
			run: func(s *Shell, cmd string, args []string) error {
				if err := os.Setenv(args[0], args[1]); err != nil {
					return fmt.Errorf("setenv: %s", cause(err))
				}
				return nil
			}},
		{name: "sparse", synopsis: "sparse filename size", min: 2, max: 2,
			usage:   "use 'sparse file size' to create a sparse image",
			summary: "make a disk image that grows as it is written and add it",
			help: `Like "alloc", but the image takes space on the host only for the blocks that
have been written. The host may run out of it then.`,
			run: func(s *Shell, cmd string, args []string) error { return s.newImage(args, "sparse") }},
		{name: "supported", synopsis: "supported", max: -1,
			summary: "list the groups of actions that work here",
			help:    `Prints each optional group of actions and whether the appliance supports it.`,
			run:     runSupported},
		{name: "time", synopsis: "time command [args ...]", min: 1, max: -1, wraps: true,
			usage:   "use 'time command [args...]'",
			summary: "measure how long a command takes",
			help:    `Runs the command, and if it succeeds prints the time it took.`,
			run: func(s *Shell, cmd string, args []string) error {
				begin := time.Now()
				if err := s.issue(args[0], args[1:], nil); err != nil {
					return err
				}
				hundredths := time.Since(begin).Milliseconds() / 10
				if s.opts.json {
					printJSON(s.out, object{{"elapsed", float64(hundredths) / 100}})
					return nil
				}
				fmt.Fprintf(s.out, "elapsed time: %d.%02d seconds\n", hundredths/100, hundredths%100)
				return nil
			}},
		{name: "unsetenv", synopsis: "unsetenv VAR", min: 1, max: 1,
			usage:   "use 'unsetenv VAR' to unset an environment variable",
			summary: "unset an environment variable",
			help:    `Programs that are started later do not see it.`,
			run: func(s *Shell, cmd string, args []string) error {
				if args[0] == "" || strings.Contains(args[0], "=") {
					return fmt.Errorf("unsetenv: %s", proto.Strerror(syscall.EINVAL))
				}
				os.Unsetenv(args[0])
				return nil
			}},
	}
}

// envOr is the value of the first variable that is set, or otherwise.
func envOr(otherwise string, names ...string) string {
	for _, n := range names {
		if v, ok := os.LookupEnv(n); ok {
			return v
		}
	}
	return otherwise
}

// newImage makes a raw image and adds it.
func (s *Shell) newImage(args []string, preallocation string) error {
	n, err := size(args[1])
	if err != nil {
		return err
	}
	if err := s.g().DiskCreate(s.ctx, args[0], "raw", n, types.DiskCreateOptions{Preallocation: &preallocation}); err != nil {
		return err
	}
	if err := s.g().AddDrive(s.ctx, args[0], types.AddDriveOptions{Format: new("raw")}); err != nil {
		os.Remove(args[0])
		return err
	}
	return nil
}

func runCopyIn(s *Shell, cmd string, args []string) error {
	n := len(args) - 1
	dir, err := s.windowsPath(args[n])
	if err != nil {
		return err
	}
	for _, local := range args[:n] {
		if err := s.g().CopyIn(s.ctx, local, dir); err != nil {
			return err
		}
	}
	return nil
}

func runCopyOut(s *Shell, cmd string, args []string) error {
	var opts types.CopyOutOptions
	n := len(args) - 1
	if word, ok := strings.CutPrefix(args[n], "privileged:"); ok && n > 1 {
		on, ok := boolean(word)
		if !ok {
			return s.errorf("'%s': invalid boolean value, use 'true' or 'false'", word)
		}
		opts.Privileged = &on
		n--
	}
	for _, remote := range args[:n] {
		remote, err := s.windowsPath(remote)
		if err != nil {
			return err
		}
		if err := s.g().CopyOut(s.ctx, remote, args[n], opts); err != nil {
			return err
		}
	}
	return nil
}

func runSupported(s *Shell, cmd string, args []string) error {
	groups, err := s.g().AvailableAllGroups(s.ctx)
	if err != nil {
		return err
	}
	width := 0
	for _, g := range groups {
		width = max(width, len(g))
	}
	for _, g := range groups {
		is, err := s.g().FeatureAvailable(s.ctx, []string{g})
		if err != nil {
			return err
		}
		answer := "no"
		if is {
			answer = "yes"
		}
		fmt.Fprintf(s.out, "%*s %s\n", width, g, answer)
	}
	return nil
}

// carried takes a setting over from one handle to another.
func carried[T any](ctx context.Context, get func(context.Context) (T, error), set func(context.Context, T) error) func() error {
	return func() error {
		v, err := get(ctx)
		if err != nil {
			return err
		}
		if err := set(ctx, v); err != nil {
			return libError{err}
		}
		return nil
	}
}

// runReopen replaces the handle.
func runReopen(s *Shell, cmd string, args []string) error {
	if err := s.g().Shutdown(s.ctx); err != nil {
		return err
	}
	fresh, err := s.prog.New()
	if err != nil {
		return libError{err}
	}
	before := s.firstEvent
	s.watch(fresh)
	from, to := s.g(), calls.Client{Caller: fresh}
	for _, setting := range []func() error{
		carried(s.ctx, from.GetVerbose, to.SetVerbose), carried(s.ctx, from.GetTrace, to.SetTrace),
		carried(s.ctx, from.GetAutosync, to.SetAutosync),
		carried(s.ctx, from.GetPath, func(ctx context.Context, path string) error { return to.SetPath(ctx, &path) }),
		carried(s.ctx, from.GetPgroup, to.SetPgroup),
	} {
		if err := setting(); err != nil {
			s.firstEvent = before
			fresh.Close()
			return err
		}
	}
	err = s.caller.Close()
	s.caller = fresh
	s.setEvents(nil)
	if err != nil {
		return libError{err}
	}
	return nil
}

// program is a program of the user's choice: the variable that names it, and its words.
type program struct {
	variable string
	words    []string
}

// chosen is the program that the first of the variables that is set names, with its
// arguments, as in EDITOR="emacs -nw"; otherwise is used if none does.
func chosen(otherwise string, variables ...string) (program, error) {
	for _, v := range variables {
		text := os.Getenv(v)
		if text == "" {
			continue
		}
		words, err := shlex.Split(text)
		if err != nil {
			return program{}, fmt.Errorf("%s: %q is not a command: %v", v, text, err)
		}
		if len(words) > 0 {
			return program{v, words}, nil
		}
	}
	return program{words: strings.Fields(otherwise)}, nil
}

// run runs the program on a file of the host, with the terminal.
func (p program) run(s *Shell, file string) error {
	s.out.Flush()
	c := exec.Command(p.words[0], append(p.words[1:len(p.words):len(p.words)], file)...)
	c.Stdin, c.Stdout, c.Stderr = s.stdin, s.stdout, s.prog.Stderr
	if err := c.Start(); err != nil {
		if p.variable != "" {
			return fmt.Errorf("%s (named by %s): %s", p.words[0], p.variable, cause(err))
		}
		return fmt.Errorf("%s: %s", p.words[0], cause(err))
	}
	defer context.AfterFunc(s.ctx, func() { c.Process.Signal(syscall.SIGTERM) })()
	if err := c.Wait(); err != nil {
		return fmt.Errorf("%s %s: %s", strings.Join(p.words, " "), file, status(err))
	}
	return nil
}

// downloadTemp downloads a file of the guest to a temporary one, which done removes.
func (s *Shell) downloadTemp(remote string) (file string, done func(), err error) {
	file, done, err = s.privateFile(remote)
	if err != nil {
		return "", nil, err
	}
	if err := s.g().Download(s.ctx, remote, types.HostFile(file)); err != nil {
		done()
		return "", nil, err
	}
	return file, done, nil
}

// view shows a file of the guest with a program of the host.
func (s *Shell) view(remote string, with program, err error) error {
	if err != nil {
		return err
	}
	remote, err = s.windowsPath(remote)
	if err != nil {
		return err
	}
	file, done, err := s.downloadTemp(remote)
	if err != nil {
		return err
	}
	defer done()
	return with.run(s, file)
}

func runGlob(s *Shell, cmd string, args []string) error {
	lists := make([][]string, len(args))
	for i, a := range args {
		lists[i] = []string{a}
		if i == 0 {
			continue
		}
		found, err := s.expand(a)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			lists[i] = found
		}
	}
	failed := false
	words := make([]string, len(lists))
	var each func(i int)
	each = func(i int) {
		if i < len(lists) {
			for _, words[i] = range lists[i] {
				each(i + 1)
			}
			return
		}
		if context.Cause(s.ctx) != nil {
			return
		}
		if err := s.issue(words[0], append([]string(nil), words[1:]...), nil); err != nil {
			s.say(err)
			failed = true
		}
	}
	each(0)
	if failed {
		return errReported
	}
	return nil
}

// expand lists the matches of a pattern of glob, nothing if it is not a pattern.
func (s *Shell) expand(pattern string) ([]string, error) {
	if strings.HasPrefix(pattern, "/dev/") {
		return s.expandDevices(pattern)
	}
	if !strings.HasPrefix(pattern, "/") {
		return nil, nil
	}
	found, err := s.g().GlobExpand(s.ctx, pattern)
	if err != nil {
		return nil, join(err, fmt.Errorf("glob: guestfs_glob_expand call failed: %s", pattern))
	}
	return found, nil
}

// expandDevices matches a pattern against the names of all devices.
func (s *Shell) expandDevices(pattern string) ([]string, error) {
	devices, err := s.devices()
	if err != nil {
		return nil, err
	}
	pattern = strings.ReplaceAll(pattern, "[!", "[^") // as in a shell
	var found []string
	for _, d := range devices {
		if ok, err := path.Match(pattern, d); ok && err == nil {
			found = append(found, d)
		}
	}
	return found, nil
}

// devices lists disks, partitions, MD devices and logical volumes.
func (s *Shell) devices() ([]string, error) {
	var all []string
	lvm, err := s.g().FeatureAvailable(s.ctx, []string{"lvm2"})
	if err != nil {
		return nil, err
	}
	lists := []func(context.Context) ([]string, error){s.g().ListDevices, s.g().ListPartitions, s.g().ListMDDevices}
	if lvm {
		lists = append(lists, s.g().LVs)
	}
	for _, list := range lists {
		names, err := list(s.ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, names...)
	}
	return all, nil
}
