package commands

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"gofish/internal/api"
	"gofish/internal/manual"
)

// topic is what help, the manual and completion say about a command.
type topic struct {
	name     string
	aliases  []string
	synopsis []string
	summary  string
	help     string
	action   *api.Action // nil for a command of the shell
}

// about collects what there is to say about a command.
func about(prog string, e entry) topic {
	if b := e.builtin; b != nil {
		t := topic{name: b.Dashed(), summary: b.summary, help: b.help}
		for _, a := range b.aliases {
			t.aliases = append(t.aliases, strings.ReplaceAll(a, "_", "-"))
		}
		if b.synopsis != "" {
			t.synopsis = strings.Split(b.synopsis, "\n")
		}
		t.summary = strings.ReplaceAll(t.summary, "%PROG%", prog)
		return t
	}
	a := e.action
	t := topic{name: a.Dashed(), aliases: a.Aliases, synopsis: []string{synopsis(a)}, summary: dashed(a.Summary), action: a}
	paras := []string{a.Help}
	for _, p := range a.Args {
		if p.Kind == api.KKey {
			paras = append(paras, "Keys and passphrases are not arguments: the shell asks for them.")
			break
		}
	}
	if u := units(a); u != "" {
		paras = append(paras, u)
	}
	if a.Limited {
		paras = append(paras, `One message can carry about 4 MB. For more use "upload" or "download".`)
	}
	if a.Group != "" {
		paras = append(paras, fmt.Sprintf(`Needs the group "%s": see "supported".`, a.Group))
	}
	switch {
	case a.Deprecated != "" && !a.Replaced():
		paras = append(paras, "This command is deprecated and should not be used in new scripts.")
	case a.Deprecated != "":
		paras = append(paras, fmt.Sprintf(`This command is deprecated: new scripts use "%s".`, strings.ReplaceAll(a.Deprecated, "_", "-")))
	}
	t.help = dashed(strings.TrimSpace(strings.Join(paras, "\n\n")))
	return t
}

var apiName = regexp.MustCompile(`\b[A-Za-z0-9]+(_[A-Za-z0-9]+)+\b`)

// dashed writes the commands in a help text as the shell has them; the catalogue has the
// names of the API.
func dashed(text string) string {
	return apiName.ReplaceAllStringFunc(text, func(name string) string {
		if lookup(name) == nil {
			return name
		}
		return strings.ReplaceAll(name, "_", "-")
	})
}

// units says what the numbers of an action count.
func units(a *api.Action) string {
	var l []string
	for _, p := range append(append(api.Args{}, a.Args...), a.Opts...) {
		if text := p.Unit.String(); text != "" && p.Unit != api.Octal {
			l = append(l, p.Name+" in "+text)
		}
	}
	if len(l) == 0 {
		return ""
	}
	return "Units: " + strings.Join(l, ", ") + "."
}

// helpOption does -h.
func (s *Shell) helpOption(name *string) error {
	if name == nil {
		s.listCommands(s.out)
		return exitStatus(0)
	}
	if err := s.explain(*name); err != nil {
		s.sayPlain(err)
		return exitStatus(1)
	}
	return exitStatus(0)
}

func runHelp(s *Shell, cmd string, args []string) error {
	switch {
	case len(args) == 0:
		s.advise()
		return nil
	case args[0] == "-l" || args[0] == "--list":
		s.listCommands(s.out)
		return nil
	}
	return s.explain(args[0])
}

// advise suggests what to do next.
func (s *Shell) advise() {
	if s.launched() {
		fmt.Fprint(s.out, `Find out what filesystems are available using ‘list-filesystems’ and then
mount them to examine or modify the contents using ‘mount-ro’ or
‘mount’.
`)
	} else {
		fmt.Fprint(s.out, `Add disk images to examine using the ‘-a’ option or the ‘add’ command.
Or create a new disk image using ‘-N’, or the ‘alloc’ or ‘sparse’ commands.
Once you have done this, use the ‘run’ command.
`)
	}
	fmt.Fprint(s.out, `
For more information about a command, use ‘help cmd’.

To read the manual, type ‘man’.

`)
}

// listCommands prints every command with its summary.
func (s *Shell) listCommands(w io.Writer) {
	row := func(name, text string) { fmt.Fprintf(w, "%-20s %s\n", name, text) }
	fmt.Fprintln(w, "    Command              Description")
	for i := range builtins {
		if b := &builtins[i]; b.hidden {
			row(b.Dashed(), about(s.prog.Name, entry{builtin: b}).summary)
		}
	}
	for _, n := range names() {
		if n.of != "" {
			row(n.text, "alias for '"+n.of+"'")
		} else {
			row(n.text, about(s.prog.Name, n.entry).summary)
		}
	}
	fmt.Fprintln(w, "    Use -h <cmd> / help <cmd> to show detailed help for a command.")
}

// explain prints what there is to say about a command.
func (s *Shell) explain(name string) error {
	e := lookup(name)
	if e == nil {
		how := "-h"
		if s.interactive {
			how = "'help --list'"
		}
		err := fmt.Errorf("%s: command not known: use %s to list all commands", name, how)
		if near := nearest(name); len(near) > 0 {
			err = fmt.Errorf("%w (did you mean %s?)", err, strings.Join(near, " or "))
		}
		return err
	}
	t := about(s.prog.Name, *e)
	if e.builtin != nil && e.builtin.hidden {
		fmt.Fprintf(s.out, "%s - %s\n", t.name, t.summary)
		for i := range t.synopsis {
			fmt.Fprintf(s.out, "     %s\n", t.synopsis[len(t.synopsis)-1-i])
		}
		return nil
	}
	fmt.Fprintf(s.out, "NAME\n    %s - %s\n\n", t.name, t.summary)
	if t.action != nil {
		fmt.Fprintf(s.out, "SYNOPSIS\n     %s\n\nDESCRIPTION\n", t.synopsis[0])
	} else {
		fmt.Fprintf(s.out, "DESCRIPTION\n")
		for _, l := range t.synopsis {
			fmt.Fprintf(s.out, "     %s\n", l)
		}
		fmt.Fprintln(s.out)
	}
	for _, p := range manual.Paragraphs(unmark(t.help)) {
		p.Write(s.out)
	}
	if len(t.aliases) > 0 {
		text := "You can use '" + strings.Join(t.aliases, "' or '") + "' as an alias for this command."
		for _, p := range manual.Paragraphs(text) {
			p.Write(s.out)
		}
	}
	return nil
}

// unmark removes the marks of a help text: {name} is a parameter.
func unmark(text string) string { return strings.NewReplacer("{", "", "}", "").Replace(text) }
