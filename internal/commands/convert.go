package commands

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"gofish/internal/api"
	"gofish/internal/handle"
	"gofish/internal/newfile"
	"gofish/internal/stdstate"
)

// converter turns the words of one command into values.
type converter struct {
	s        *Shell
	cmd      string         // as typed
	finishes []func() error // what ends the streams that were opened
}

// clean ends what the values needed.
func (c *converter) clean() { c.finish() }

// finish ends the streams of FileIn and FileOut values, after the call.
func (c *converter) finish() error {
	var errs []error
	for _, f := range c.finishes {
		errs = append(errs, f())
	}
	c.finishes = nil
	return join(errs...)
}

// args converts the required arguments, from left to right. Keys have no word.
func (c *converter) args(a *api.Action, words []string) ([]any, error) {
	args := make([]any, 0, len(a.Args))
	for _, p := range a.Args {
		if p.Kind == api.KKey {
			key, err := c.s.readKey(p.Name)
			if err != nil {
				return nil, err
			}
			args = append(args, key)
			continue
		}
		v, err := c.value(p, p.Name, words[0])
		if err != nil {
			return nil, err
		}
		args = append(args, v)
		words = words[1:]
	}
	return args, nil
}

// opts converts the optional arguments, written name:value.
func (c *converter) opts(a *api.Action, words []string) ([]any, error) {
	if len(a.Opts) == 0 {
		return nil, nil
	}
	opts := make([]any, len(a.Opts))
next:
	for _, w := range words {
		name, text, ok := strings.Cut(w, ":")
		for i, p := range a.Opts {
			if !ok || p.Name != name {
				continue
			}
			v, err := c.value(p, "optargs_s."+p.Name, text)
			if err != nil {
				return nil, err
			}
			if opts[i] != nil {
				return nil, fmt.Errorf("%s: optional argument \"%s\" given more than once", c.cmd, name)
			}
			opts[i] = v
			continue next
		}
		return nil, fmt.Errorf("%s: unknown optional argument \"%s\"", c.cmd, w)
	}
	return opts, nil
}

// value converts one word. name is the name of the parameter in messages.
func (c *converter) value(p api.Param, name, word string) (any, error) {
	switch p.Kind {
	case api.KBool:
		v, ok := boolean(word)
		if !ok {
			return nil, c.s.errorf("'%s': invalid boolean value, use 'true' or 'false'", word)
		}
		return v, nil
	case api.KInt, api.KInt64:
		return integer(c.cmd, name, p, word)
	case api.KStringList, api.KDeviceList, api.KPathnameList, api.KFilenameList:
		return splitList(word)
	case api.KOptString:
		if word == "" {
			return (*string)(nil), nil
		}
		return &word, nil
	case api.KBuffer:
		return []byte(word), nil
	case api.KDevOrPath, api.KMountableOrPath:
		if path, ok := strings.CutPrefix(word, "file:/"); ok {
			return "//" + path, nil // a path, whatever it begins with
		}
		if dev, ok := strings.CutPrefix(word, "dev:/dev/"); ok {
			return "/dev//" + dev, nil // a device, or an error
		}
		return c.s.windowsPath(word)
	case api.KPathname:
		return c.s.windowsPath(word)
	case api.KFileIn:
		return c.fileIn(word)
	case api.KFileOut:
		if word != "-" {
			return word, nil
		}
		if c.s.opts.json {
			return nil, c.s.errorf("%s: with --json a file cannot go to standard output: name one", c.cmd)
		}
		file, finish, err := c.s.relay()
		if err != nil {
			return nil, c.s.errorf("standard output: %s", cause(err))
		}
		c.finishes = append(c.finishes, finish)
		return file, nil
	}
	return word, nil
}

// fileIn returns the name of the host file for a FileIn word.
func (c *converter) fileIn(word string) (string, error) {
	if c.s.noStdin && (word == "-" || strings.HasPrefix(word, "-<<")) {
		return "", c.s.errorf("%s: the client's standard input did not come with the command (guestfish does not send it): name a file", c.cmd)
	}
	if marker, ok := strings.CutPrefix(word, "-<<"); ok {
		if marker == "" {
			return "", c.s.errorf("missing end marker in -<< expression")
		}
		return c.heredoc(marker)
	}
	if word != "-" {
		return word, nil
	}
	s := c.s
	closed := stdstate.Closed
	if s.stdin != os.Stdin { // a client's
		closed = stdstate.LooksClosed
	}
	if s.in.Buffered() == 0 && closed(int(s.stdin.Fd())) {
		return "", s.errorf("%s: %s", c.cmd, handle.ClosedText)
	}
	if s.in.Buffered() == 0 && s.complete == nil {
		if s.stdin.Fd() == 0 {
			return "/dev/stdin", nil
		}
		return fmt.Sprintf("/dev/fd/%d", s.stdin.Fd()), nil
	}
	// Lines read ahead belong to the file: a pipe joins them with the rest. It also keeps the
	// end back until a client has said that it is one.
	r, w, err := os.Pipe()
	if err != nil {
		return "", s.errorf("standard input: %s", cause(err))
	}
	var ended atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer w.Close()
		ahead, _ := s.in.Peek(s.in.Buffered())
		n, err := w.Write(ahead)
		s.in.Discard(n)
		if err == nil {
			_, err = io.Copy(w, pipeReader{s.stdin, ended.Load})
		}
		if err == nil && s.complete != nil && !s.complete() {
			for !ended.Load() { // the call is being cancelled
				time.Sleep(handle.SignalTime)
			}
		}
	}()
	c.finishes = append(c.finishes, func() error {
		ended.Store(true)
		r.Close() // ends the copy if the file was not read to its end
		<-done
		return nil
	})
	return fmt.Sprintf("/dev/fd/%d", r.Fd()), nil
}

// pipeReader reads a file until its end, or until stop is true.
type pipeReader struct {
	f    *os.File
	stop func() bool
}

func (p pipeReader) Read(b []byte) (int, error) {
	if !handle.Readable(p.f, p.stop) {
		return 0, io.EOF
	}
	return p.f.Read(b)
}

// heredoc writes the lines up to marker to a temporary file.
func (c *converter) heredoc(marker string) (string, error) {
	dir, err := c.s.g().GetTmpdir(c.s.ctx)
	if err != nil {
		return "", err
	}
	f, err := newfile.Anonymous(dir)
	if err != nil {
		return "", c.s.errorf("make a temporary file in %s: %s", dir, cause(err))
	}
	c.finishes = append(c.finishes, f.Close)
	w := bufio.NewWriter(f)
	for {
		text, err := c.s.readRaw()
		if c.s.record != nil {
			io.WriteString(c.s.record, text)
		}
		if strings.TrimSuffix(text, "\n") == marker {
			break
		}
		if err != nil {
			return "", c.s.errorf("end of input reached without finding '%s'", marker)
		}
		w.WriteString(text)
	}
	err = w.Flush()
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return "", c.s.errorf("temporary file in %s: %s", dir, cause(err))
	}
	return fmt.Sprintf("/dev/fd/%d", f.Fd()), nil
}

// readRaw reads a line of standard input that is not a command, with its newline.
func (s *Shell) readRaw() (string, error) {
	if s.prompt != nil {
		return s.prompt.raw()
	}
	return s.in.ReadString('\n')
}

// privateFile makes a name for a file that is passed to a program of the host, in a private
// folder, which done removes. A signal that ends the shell removes it too.
func (s *Shell) privateFile(remote string) (name string, done func(), err error) {
	dir, err := s.g().GetTmpdir(s.ctx)
	if err != nil {
		return "", nil, err
	}
	folder, err := os.MkdirTemp(dir, "gofish-")
	if err != nil {
		return "", nil, s.errorf("make a temporary folder in %s: %s", dir, cause(err))
	}
	s.folders.Store(folder, nil)
	name = path.Base(remote) // for programs that go by it
	if !plainName.MatchString(name) {
		name = "file"
	}
	return filepath.Join(folder, name), func() { s.removeFolder(folder) }, nil
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$`)

func (s *Shell) removeFolder(folder string) {
	os.RemoveAll(folder)
	s.folders.Delete(folder)
}

// removeFolders removes temporary folders when a signal has ended a run.
func (s *Shell) removeFolders() {
	s.folders.Range(func(folder, _ any) bool {
		s.removeFolder(folder.(string))
		return true
	})
}

// windowsPath resolves a path that begins with win: (in any case), as it is
// written on Windows. Other paths come back as they are.
func (s *Shell) windowsPath(path string) (string, error) {
	const prefix = "win:"
	if len(path) < len(prefix) || !strings.EqualFold(path[:len(prefix)], prefix) {
		return path, nil
	}
	path = path[len(prefix):]
	if len(path) >= 2 && path[1] == ':' && (path[0]|0x20 >= 'a' && path[0]|0x20 <= 'z') {
		dir, err := s.drive(path[:1])
		if err != nil {
			return "", err
		}
		path = strings.TrimSuffix(dir, "/") + path[2:]
	}
	if path == "" {
		path = "/"
	}
	return s.g().CaseSensitivePath(s.ctx, strings.ReplaceAll(path, `\`, "/"))
}

// drive finds where a Windows drive is mounted.
func (s *Shell) drive(letter string) (string, error) {
	const intro = "to use Windows drive letters, "
	roots, err := s.g().InspectGetRoots(s.ctx)
	if err != nil {
		return "", err
	}
	if len(roots) == 0 {
		return "", s.errorf(intro + `you must inspect the guest ("-i" option or run "inspect-os" command)`)
	}
	drives, err := s.g().InspectGetDriveMappings(s.ctx, roots[0])
	if err != nil {
		return "", err
	}
	if len(drives) == 0 {
		return "", s.errorf(intro + "this must be a Windows guest")
	}
	device := ""
	for _, p := range drives {
		if strings.EqualFold(p.Key, letter) {
			device = p.Value
		}
	}
	if device == "" {
		return "", s.errorf("drive '%s:' not found.  To list available drives do:\n  inspect-get-drive-mappings %s", letter, roots[0])
	}
	mountpoints, err := s.g().Mountpoints(s.ctx)
	if err != nil {
		return "", err
	}
	if dir, ok := mountpoints.Get(device); ok {
		return dir, nil
	}
	return "", s.errorf("to access '%s:', mount %s first.  One way to do this is:\n  umount-all\n  mount %[2]s /", letter, device)
}
