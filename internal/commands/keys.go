package commands

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"gofish/internal/unlock"
	"gofish/internal/visible"
)

// addKey reads the argument of --key.
func (o *options) addKey(s *Shell, arg string) error {
	k, err := unlock.Parse(arg)
	if err != nil {
		return s.errorf("selector '%s': %v", arg, err)
	}
	if k.Kind == unlock.Clevis {
		// The key comes from a server, as a rule.
		if err := s.g().SetNetwork(s.ctx, true); err != nil {
			return err
		}
	}
	o.keys = append(o.keys, k)
	return nil
}

// unlock opens all encrypted devices. told warns about keys that matched nothing; call it
// when the system is mounted.
func (s *Shell) unlock() (told func(), err error) {
	ring := unlock.Keyring{Keys: s.opts.keys, Ask: s.readKey, Warn: s.warn}
	all, err := ring.Open(s.ctx, s.g())
	var locked *unlock.Error
	if errors.As(err, &locked) {
		text := locked.Error()
		if locked.Tried {
			text += fmt.Sprintf(": give one with --key '%s:key:KEY' or '%[1]s:file:NAME'", locked.Device.Name)
		}
		return nil, join(locked.Cause, s.errorf("%s", text))
	}
	if err != nil {
		return nil, asShellError(s, err)
	}
	return func() {
		unused := ring.Unused()
		if s.found != nil {
			unused = ring.UnusedBy(s.ctx, s.g())
		}
		if len(unused) == 0 {
			return
		}
		here := "nothing is encrypted here"
		if len(all) > 0 {
			here = "encrypted are " + fmt.Sprint(all)
		}
		s.warn("--key %s: there is no such device (%s)", strings.Join(unused, ", "), here)
	}, nil
}

// asShellError is an error of the shell itself, unless it is one already.
func asShellError(s *Shell, err error) error {
	if err == errReported || errors.As(err, new(libError)) {
		return err
	}
	return s.errorf("%v", err)
}

// readKey asks for a key on the terminal, or reads it as a line of standard input.
func (s *Shell) readKey(param string) (string, error) {
	s.out.Flush()
	ask := fmt.Sprintf("Enter key or passphrase (\"%s\"): ", visible.Line(param))
	if !s.opts.keysFromStdin {
		if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
			defer tty.Close()
			return s.askKey(tty, tty, bufio.NewReader(tty), ask)
		}
	}
	if s.opts.keysFromStdin {
		s.lineno++
	}
	if isTerminal(s.stdin) {
		return s.askKey(s.stdin, s.prog.Stderr, s.in, ask)
	}
	return s.keyLine(s.in)
}

func (s *Shell) keyLine(r *bufio.Reader) (string, error) {
	key, err := r.ReadString('\n')
	if err != nil && key == "" {
		return "", s.noKey()
	}
	return strings.TrimSuffix(key, "\n"), nil
}

func (s *Shell) noKey() error {
	return s.errorf("no key: the input has ended; give the key as a line of its own")
}

// askKey reads a key from a terminal that does not show it; r reads from the terminal too.
func (s *Shell) askKey(tty *os.File, w io.Writer, r *bufio.Reader, ask string) (string, error) {
	io.WriteString(w, ask)
	if s.opts.echoKeys || r.Buffered() > 0 { // what was typed ahead has been shown
		return s.keyLine(r)
	}
	fd := int(tty.Fd())
	if shown, err := term.GetState(fd); err == nil {
		// A signal ends the program while this one reads.
		defer context.AfterFunc(s.ctx, func() { term.Restore(fd, shown) })()
	}
	key, err := term.ReadPassword(fd)
	io.WriteString(w, "\n")
	if err != nil && len(key) == 0 {
		return "", s.noKey()
	}
	return string(key), nil
}
