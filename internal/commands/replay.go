package commands

import (
	"fmt"
	"io"
	"os"
	"strings"

	"gofish/internal/api"
	"gofish/internal/visible"
)

// With --trace every command is written down before it runs, in the language of
// scripts, so that what was written can be run again. What options do is written as
// the commands that do the same. Keys are never written.

// openTrace says where commands are written down: a file, or standard error.
func (s *Shell) openTrace(name *string) error {
	s.record = s.prog.Stderr
	if name == nil || *name == "" {
		return nil
	}
	f, err := os.Create(*name)
	if err != nil {
		return s.errorf("--trace: %s: %s", *name, cause(err))
	}
	s.record = f
	return nil
}

// note writes down a command of the user.
func (s *Shell) note(name string, args []string, pipe *string) {
	if s.record == nil || s.inCommand {
		return
	}
	line := name
	if !s.strict {
		line = "-" + name
	}
	for _, a := range args {
		line += " " + quoteWord(a)
	}
	if pipe != nil {
		line += " | " + strings.TrimSpace(*pipe)
	}
	s.out.Flush()
	io.WriteString(s.record, line+"\n")
}

// noteAction writes down an action that no command of the user asked for: one that
// an option does.
func (s *Shell) noteAction(a *api.Action, args, opts []any) {
	if s.record == nil || s.inCommand || strings.HasPrefix(a.Name, "get_") || a.Name == "shutdown" {
		return
	}
	line := a.Dashed()
	for i, p := range a.Args {
		if p.Kind != api.KKey {
			line += " " + quoteWord(wordOf(args[i]))
		}
	}
	for i, p := range a.Opts {
		if i < len(opts) && opts[i] != nil {
			line += " " + quoteWord(p.Name+":"+wordOf(opts[i]))
		}
	}
	io.WriteString(s.record, line+"\n")
}

// wordOf writes a value as a word of the shell.
func wordOf(v any) string {
	switch v := v.(type) {
	case *string:
		if v == nil {
			return ""
		}
		return *v
	case []byte:
		return string(v)
	case []string:
		quoted := make([]string, len(v))
		for i, s := range v {
			quoted[i] = "'" + strings.ReplaceAll(s, "'", `\'`) + "'"
		}
		return strings.Join(quoted, " ")
	}
	return fmt.Sprint(v)
}

// quoteWord writes an argument so that lex reads it back.
func quoteWord(s string) string {
	plain := s != "" && s[0] != '~' && s[0] != '|'
	for _, c := range []byte(s) {
		if c <= ' ' || c == '"' || c == '\'' || c == '\\' || c >= 0x7f {
			plain = false
		}
	}
	if plain {
		return s
	}
	return visible.Quote(s)
}
