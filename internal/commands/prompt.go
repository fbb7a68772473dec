package commands

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"

	"github.com/chzyer/readline"

	"gofish/guestfs/types"
	"gofish/internal/visible"
)

// prompt reads lines from a terminal. A nil one reads nothing.
type prompt struct {
	rl   *readline.Instance
	text string
}

// newPrompt makes the line editor, with the history of earlier sessions.
func newPrompt(s *Shell, text string) (*prompt, error) {
	history := ""
	if home, ok := os.LookupEnv("HOME"); ok {
		history = filepath.Join(home, ".gofish")
		f, err := os.OpenFile(history, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
		if err != nil {
			s.sayPlain(fmt.Errorf("%s: %s", history, cause(err)))
			history = ""
		} else {
			f.Close()
		}
	}
	rl, err := readline.NewEx(&readline.Config{
		Prompt:                 text,
		HistoryFile:            history,
		HistoryLimit:           1000,
		DisableAutoSaveHistory: true,
		AutoComplete:           completer{s},
		EOFPrompt:              "\n", // which means none
		FuncFilterInputRune:    quitKey,
		Stdin:                  readline.NewCancelableStdin(s.stdin),
		Stdout:                 s.stdout,
		Stderr:                 s.prog.Stderr,
	})
	if err != nil {
		return nil, err
	}
	return &prompt{rl: rl, text: text}, nil
}

// line reads a command line; io.EOF ends them.
func (p *prompt) line() (string, error) {
	p.rl.SetPrompt(p.text)
	text, err := p.rl.Readline()
	if errors.Is(err, readline.ErrInterrupt) {
		return "", nil
	}
	if err == nil && strings.TrimSpace(text) != "" {
		p.rl.SaveHistory(text)
	}
	return text, err
}

// quitKey makes of Ctrl-\ what a terminal makes of it while no line is edited.
func quitKey(r rune) (rune, bool) {
	const key = '\\' & 0x1f
	if r == key {
		syscall.Kill(os.Getpid(), syscall.SIGQUIT)
	}
	return r, r != key
}

// restore leaves the terminal as it was before the line editor had it.
func (p *prompt) restore() {
	if p != nil {
		p.rl.Terminal.ExitRawMode()
	}
}

// raw reads a line that is not a command, with its newline.
func (p *prompt) raw() (string, error) {
	p.rl.SetPrompt("")
	text, err := p.rl.Readline()
	if err != nil {
		return "", io.EOF
	}
	return text + "\n", nil
}

func (p *prompt) close() {
	if p != nil {
		p.rl.Close()
	}
}

// runPrompt runs the lines that a user types.
func (s *Shell) runPrompt() {
	text := decodeEscapes(envOr("><fs> ", "GOFISH_PS1", "GUESTFISH_PS1"))
	after := decodeEscapes(envOr("", "GOFISH_OUTPUT", "GUESTFISH_OUTPUT"))
	restore := decodeEscapes(envOr("", "GOFISH_RESTORE", "GUESTFISH_RESTORE"))
	s.out.control(decodeEscapes(envOr("", "GOFISH_INIT", "GUESTFISH_INIT")))
	fmt.Fprintf(s.out, `
Welcome to %s, a shell for what is inside disk images.

Type: ‘help’ for help on commands
      ‘man’ to read the manual
      ‘quit’ to quit the shell

`, s.prog.Name)
	s.printInspected()
	s.out.Flush()
	p, err := newPrompt(s, text)
	if err != nil {
		s.say(s.errorf("%v", err))
		s.failed = true
		return
	}
	s.prompt = p
	s.line.Store(p)
	for !s.quit {
		text, err := p.line()
		s.out.control(after)
		if err != nil {
			break
		}
		s.lineno++
		s.runLine(text, false)
		if s.ctx.Err() != nil {
			s.failed = true
			break
		}
	}
	s.prompt = nil
	p.close()
	fmt.Fprintln(s.out)
	s.out.control(restore)
	s.out.Flush()
}

// decodeEscapes resolves the backslashes in a prompt variable. \[ and \] mark
// what takes no space on the screen; the line editor finds that out by itself.
func decodeEscapes(s string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b = append(b, s[i])
			continue
		}
		i++
		switch c := s[i]; {
		case c == '\\':
			b = append(b, c)
		case c == 'a':
			b = append(b, '\a')
		case c == 'e':
			b = append(b, '\x1b')
		case c == 'n':
			b = append(b, '\n')
		case c == 'r':
			b = append(b, '\r')
		case c == '[' || c == ']':
		case isDigit(c, 8):
			v, n := number(s[i:min(i+3, len(s))], 8)
			b = append(b, v)
			i += n - 1
		case c == 'x':
			v, n := number(s[i+1:min(i+3, len(s))], 16)
			if n == 0 {
				v = '?'
			}
			b = append(b, v)
			i += n
		default:
			b = append(b, '?')
		}
	}
	return string(b)
}

// number reads the digits at the front of s.
func number(s string, base int) (v byte, n int) {
	for n < len(s) && isDigit(s[n], base) {
		d := s[n] | 0x20
		if d >= 'a' {
			d -= 'a' - 10
		} else {
			d = s[n] - '0'
		}
		v = v*byte(base) + d
		n++
	}
	return v, n
}

// completer completes the names of commands, and for their arguments devices and
// paths of the guest, files of the host, and optional arguments.
type completer struct{ s *Shell }

// Do is the line editor's question: what may follow line[:pos], and how much of
// it do the answers share.
func (c completer) Do(runes []rune, pos int) ([][]rune, int) {
	text := string(runes[:pos])
	var found []string
	word := text
	if i := strings.LastIndexAny(text, " \t"); i < 0 {
		found = completeName(text)
	} else {
		word = text[i+1:]
		open := strings.Count(text, `"`)%2 == 1
		if open {
			word = text[strings.LastIndex(text, `"`)+1:]
		}
		before := strings.TrimSuffix(text, word)
		if open {
			before = before[:len(before)-1]
		}
		l, err := lex(skipSpace(strings.TrimPrefix(skipSpace(before), "-")), expandTilde)
		if err != nil || l.name == "" || l.pipe != nil {
			return nil, 0
		}
		words := append([]string{l.name}, l.args...)
		switch kind, a := kindOf(words); {
		case kind == hostWord:
			found = completeHost(word, open)
		case kind == nameWord:
			found = completeName(word)
		case kind == optionWord && len(a.Opts) > 0:
			found = completeOption(a, words, word)
		case !c.s.opts.noDestPaths && c.s.launched():
			found = c.guest(word, open)
		}
	}
	var rest [][]rune
	for _, f := range found {
		if visible.Line(f) != f {
			continue // such a name cannot be shown
		}
		rest = append(rest, []rune(f)[len([]rune(word)):])
	}
	return rest, len([]rune(word))
}

// completeName lists the command names that begin like text.
func completeName(text string) []string {
	var found []string
	add := func(n string) {
		if len(n) >= len(text) && strings.EqualFold(n[:len(text)], text) {
			found = append(found, n+" ")
		}
	}
	for i := range builtins {
		if b := &builtins[i]; b.hidden {
			add(b.name)
			for _, a := range b.aliases {
				add(a)
			}
		}
	}
	for _, n := range names() {
		add(n.text)
	}
	sort.Strings(found)
	return found
}

// guest lists devices and paths that begin like word. In an open quote the quote
// is closed after them; outside of one a name that needs it is left out.
func (c completer) guest(word string, open bool) []string {
	var found []string
	add := func(name, end string) {
		switch {
		case !strings.HasPrefix(name, word):
		case open && end == " ":
			found = append(found, name+`" `)
		case open || !strings.ContainsAny(name, " \t\"'\\"):
			found = append(found, name+end)
		}
	}
	if strings.HasPrefix(word, "/dev/") || strings.HasPrefix("/dev/", word) {
		if devices, err := c.s.devices(); err == nil {
			for _, d := range devices {
				add(d, " ")
			}
		}
	}
	if word == "" || word[0] == '/' {
		dir := word[:strings.LastIndex(word, "/")+1]
		if dir == "" {
			dir = "/"
		}
		entries, err := c.s.g().Readdir(c.s.ctx, dir)
		if err != nil {
			return found
		}
		for _, e := range entries {
			if e.Name == "." || e.Name == ".." {
				continue
			}
			end := " "
			if e.Ftyp == 'd' || e.Ftyp == 'l' && c.isDir(dir+e.Name) {
				end = "/"
			}
			add(dir+e.Name, end)
		}
	}
	sort.Strings(found)
	return found
}

func (c completer) isDir(path string) bool {
	is, err := c.s.g().IsDir(c.s.ctx, path, types.IsDirOptions{FollowSymlinks: new(true)})
	return err == nil && is
}
