package getopt

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Completion is what completes in a program's arguments, or in those of a subcommand.
type Completion struct {
	Program string
	Table   []Option
	// Words are what a command of the program may begin with; commands are separated by
	// colons. Without any, and after the first word, names of files are completed.
	Words []string
	// Subcommands are uses of the program with options of their own.
	Subcommands []Completion
}

// Write writes the script for one of the shells bash, zsh and fish.
func (c Completion) Write(w io.Writer, shell string) error {
	b := bufio.NewWriter(w)
	switch shell {
	case "bash":
		c.bash(b)
	case "zsh":
		fmt.Fprintf(b, "#compdef %s\nautoload -U +X bashcompinit && bashcompinit\n", c.Program)
		c.bash(b)
	case "fish":
		c.fish(b)
	default:
		return fmt.Errorf("no completion for %s; there is one for bash, zsh and fish", shell)
	}
	return b.Flush()
}

// id is the name of the program in the name of a function.
func (c Completion) id() string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '.' {
			return '_'
		}
		return r
	}, c.Program)
}

func (c Completion) bash(w io.Writer) {
	c.bashFunction(w, "_"+c.id())
	for _, s := range c.Subcommands {
		s.bashFunction(w, "_"+c.id()+"_"+s.id())
	}
	fmt.Fprintf(w, "complete -o filenames -F _%s %s\n", c.id(), c.Program)
}

func (c Completion) bashFunction(w io.Writer, name string) {
	fmt.Fprintf(w, `%[1]s() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} first=1 i
    COMPREPLY=()
`, name)
	if len(c.Subcommands) > 0 {
		fmt.Fprint(w, "    if ((COMP_CWORD > 1)); then\n        case ${COMP_WORDS[1]} in\n")
		for _, s := range c.Subcommands {
			fmt.Fprintf(w, "        %s) %s_%s; return ;;\n", s.Program, name, s.id())
		}
		fmt.Fprint(w, "        esac\n    fi\n")
	}
	if files := Forms(c.Table, (*Option).Files); len(files) > 0 {
		fmt.Fprintf(w, `    case $prev in
    %s) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    esac
`, strings.Join(files, "|"))
	}
	fmt.Fprintf(w, `    case $cur in
    -*) COMPREPLY=($(compgen -W '%s' -- "$cur")); return ;;
    esac
`, strings.Join(Forms(c.Table, func(*Option) bool { return true }), " "))
	if len(c.Words) > 0 {
		fmt.Fprintf(w, `    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        :) first=1 ;;
        %s) ((i++)) ;;
        -*) ;;
        *) first= ;;
        esac
    done
    if [ -n "$first" ]; then
        COMPREPLY=($(compgen -W '%s' -- "$cur"))
        return
    fi
`, strings.Join(Forms(c.Table, func(o *Option) bool { return o.Arg == NeedArg }), "|"), strings.Join(c.Words, " "))
	}
	fmt.Fprint(w, "    COMPREPLY=($(compgen -f -- \"$cur\"))\n}\n")
}

func (c Completion) fish(w io.Writer) {
	unless := ""
	for _, s := range c.Subcommands {
		s.fishOptions(w, c.Program, "__fish_seen_subcommand_from "+s.Program)
		unless += " " + s.Program
	}
	if unless != "" {
		unless = "not __fish_seen_subcommand_from" + unless
	}
	c.fishOptions(w, c.Program, unless)
	if len(c.Words) > 0 {
		fmt.Fprintf(w, "complete -c %s -n '__fish_use_subcommand' -a '%s'\n", c.Program, strings.Join(c.Words, " "))
	}
}

// fishOptions writes the options, which complete where condition, if there is one, holds.
func (c Completion) fishOptions(w io.Writer, program, condition string) {
	for _, o := range c.Table {
		if o.Help == "" {
			continue
		}
		fmt.Fprintf(w, "complete -c %s", program)
		if condition != "" {
			fmt.Fprintf(w, " -n '%s'", condition)
		}
		if o.Short != 0 {
			fmt.Fprintf(w, " -s %c", o.Short)
		}
		if o.Long != "" {
			fmt.Fprintf(w, " -l %s", o.Long)
		}
		if o.Arg == NeedArg {
			fmt.Fprint(w, " -r")
		}
		fmt.Fprintf(w, " -d '%s'\n", strings.ReplaceAll(o.Help, "'", `\'`))
	}
}
