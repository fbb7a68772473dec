package session

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
func (s *Session) addKey(arg string) error {
	k, err := unlock.Parse(arg)
	if err != nil {
		return fmt.Errorf("selector '%s': %v", arg, err)
	}
	if k.Kind == unlock.Clevis {
		// The key comes from a server, as a rule.
		if err := s.Guest.SetNetwork(s.Ctx, true); err != nil {
			return err
		}
	}
	s.Keys = append(s.Keys, k)
	return nil
}

// Input is where keys are read when the terminal cannot be asked.
type Input struct {
	File   *os.File
	Reader *bufio.Reader // reads File
	Prompt io.Writer     // where the question goes if File is a terminal
}

// ErrNoKey means that the input has ended before a key.
var ErrNoKey = errors.New("no key: the input has ended; give the key as a line of its own")

// ReadKey asks for a key on the terminal, or reads it as a line of the input, as the options
// say. It gives up when the session's context ends.
func (s *Session) ReadKey(param string, in Input) (string, error) {
	if !s.KeysFromStdin {
		if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil {
			in = Input{tty, bufio.NewReader(tty), tty}
			defer func() {
				if s.Ctx.Err() == nil {
					tty.Close()
				}
			}()
		}
	}
	fd := int(in.File.Fd())
	before, noTerminal := term.GetState(fd)
	type answer struct {
		key string
		err error
	}
	read := make(chan answer, 1)
	go func() {
		var a answer
		if noTerminal != nil {
			a.key, a.err = keyLine(in.Reader)
		} else {
			a.key, a.err = s.askKey(in, fmt.Sprintf("Enter key or passphrase (\"%s\"): ", visible.Line(param)))
		}
		read <- a
	}()
	select {
	case a := <-read:
		return a.key, a.err
	case <-s.Ctx.Done(): // the other goroutine reads on until the program ends
		if noTerminal == nil {
			term.Restore(fd, before)
		}
		return "", context.Cause(s.Ctx)
	}
}

func keyLine(r *bufio.Reader) (string, error) {
	key, err := r.ReadString('\n')
	if err != nil && key == "" {
		return "", ErrNoKey
	}
	return strings.TrimSuffix(key, "\n"), nil
}

// askKey reads a key from a terminal that does not show it.
func (s *Session) askKey(in Input, ask string) (string, error) {
	io.WriteString(in.Prompt, ask)
	if s.EchoKeys || in.Reader.Buffered() > 0 { // what was typed ahead has been shown
		return keyLine(in.Reader)
	}
	key, err := term.ReadPassword(int(in.File.Fd()))
	io.WriteString(in.Prompt, "\n")
	if err != nil && len(key) == 0 {
		return "", ErrNoKey
	}
	return string(key), nil
}
