package commands

import (
	"sort"
	"strings"

	"gofish/internal/api"
)

// entry is what a command name refers to: an action or a command of the shell.
type entry struct {
	action  *api.Action
	builtin *builtin
}

// builtin is a command of the shell itself.
type builtin struct {
	name     string // as actions are named, with underscores
	aliases  []string
	synopsis string // "" for none
	usage    string // what wrong use prints; %s is the name as typed
	min, max int    // number of arguments; max -1 for any
	wraps    bool   // runs another command, whose result is its own
	hidden   bool   // not in the table of names; found before it
	summary  string
	help     string
	run      func(s *Shell, cmd string, args []string) error
}

// Dashed is the name as the shell writes it.
func (b *builtin) Dashed() string { return strings.ReplaceAll(b.name, "_", "-") }

// name is one name of a command.
type name struct {
	text  string
	of    string // the name it is an alias for, dashed, or ""
	entry entry
}

// The table of commands is complete before main, so that a name taken twice is
// found then.
var (
	builtins     []builtin
	commandTable map[string]*entry // every command by its names in small letters
)

func init() {
	builtins = builtinTable()
	commandTable = newTable()
}

func newTable() map[string]*entry {
	t := map[string]*entry{}
	add := func(n string, e *entry) {
		n = strings.ToLower(n)
		if t[n] != nil {
			panic("commands: the name " + n + " is taken twice")
		}
		t[n] = e
	}
	addAll := func(n string, aliases []string, e *entry) {
		add(n, e)
		if d := strings.ReplaceAll(n, "_", "-"); d != n {
			add(d, e)
		}
		for _, a := range aliases {
			add(a, e)
		}
	}
	for i := range builtins {
		b := &builtins[i]
		addAll(b.name, b.aliases, &entry{builtin: b})
	}
	for _, a := range api.All.Actions() {
		if shown(a) {
			e := &entry{action: a}
			addAll(a.Name, a.Aliases, e)
			// The name of actions before their optional arguments were theirs.
			if a.OldOpts {
				add(a.Dashed()+"-opts", e)
			}
		}
	}
	return t
}

// shown reports whether the shell has a command for an action.
func shown(a *api.Action) bool {
	if a.Visibility != api.Public && a.Visibility != api.Debug {
		return false
	}
	for _, p := range a.Args {
		if p.Kind == api.KPointer {
			return false
		}
	}
	return true
}

// lookup finds a command by any of its names, in any case; nil if there is none.
func lookup(n string) *entry { return commandTable[strings.ToLower(n)] }

// names lists commands and aliases as the command list shows them: sorted by the
// bytes of the actions' own names.
func names() []name {
	var list []name
	add := func(n string, aliases []string, e entry) {
		list = append(list, name{text: n, entry: e})
		for _, a := range aliases {
			list = append(list, name{text: a, of: strings.ReplaceAll(n, "_", "-"), entry: e})
		}
	}
	for i := range builtins {
		if b := &builtins[i]; !b.hidden {
			add(b.name, b.aliases, entry{builtin: b})
		}
	}
	for _, a := range api.All.Actions() {
		if shown(a) {
			add(a.Name, a.Aliases, entry{action: a})
		}
	}
	sort.Slice(list, func(i, j int) bool { return list[i].text < list[j].text })
	for i := range list {
		list[i].text = strings.ReplaceAll(list[i].text, "_", "-")
	}
	return list
}

// synopsis shows how an action is called. An action that needs no argument shows
// its name only.
func synopsis(a *api.Action) string {
	var b strings.Builder
	b.WriteString(a.Dashed())
	if len(a.Args) == 0 {
		return b.String()
	}
	for _, p := range a.Args {
		if p.Kind != api.KKey {
			b.WriteString(" " + p.Name)
		}
	}
	for _, p := range a.Opts {
		b.WriteString(" [" + p.Name + ":" + placeholder(p) + "]")
	}
	return b.String()
}

// placeholder is shown for the value of an optional argument.
func placeholder(p api.Param) string {
	switch p.Kind {
	case api.KBool:
		return "true|false"
	case api.KInt, api.KInt64:
		return "N"
	}
	return ".."
}
