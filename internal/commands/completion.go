package commands

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteCompletion writes the script with which a shell of the host completes
// options, command names and file names.
func (p *Program) WriteCompletion(w io.Writer, shell string) error {
	b := bufio.NewWriter(w)
	switch shell {
	case "bash":
		p.bash(b)
	case "zsh":
		fmt.Fprintf(b, "#compdef %s\nautoload -U +X bashcompinit && bashcompinit\n", p.Name)
		p.bash(b)
	case "fish":
		p.fish(b)
	default:
		return fmt.Errorf("no completion for %s; there is one for bash, zsh and fish", shell)
	}
	return b.Flush()
}

// commandWords lists every word that a command may begin with.
func (p *Program) commandWords() []string {
	words := []string{"help", "quit", "exit", "q"}
	for _, c := range p.Subcommands {
		words = append(words, c.Name())
	}
	for _, n := range names() {
		words = append(words, n.text)
	}
	return words
}

// optionForms are the short and long forms of the options for which is is true.
func optionForms(is func(o *option) bool) []string {
	var list []string
	for _, o := range optionTable() {
		if !is(&o) {
			continue
		}
		if o.short != 0 {
			list = append(list, "-"+string(o.short))
		}
		if o.long != "" {
			list = append(list, "--"+o.long)
		}
	}
	return list
}

// fileOptions are the forms of the options whose argument is a file.
func fileOptions() []string {
	return optionForms(func(o *option) bool { return o.value == "image" || o.value == "file" })
}

func (p *Program) bash(w io.Writer) {
	options := optionForms(func(*option) bool { return true })
	id := strings.Map(func(r rune) rune {
		if r == '-' || r == '.' {
			return '_'
		}
		return r
	}, p.Name)
	fmt.Fprintf(w, `_%[1]s() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} first=1 i
    COMPREPLY=()
    case $prev in
    %[2]s) COMPREPLY=($(compgen -f -- "$cur")); return ;;
    esac
    case $cur in
    -*) COMPREPLY=($(compgen -W '%[3]s' -- "$cur")); return ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        :) first=1 ;;
        %[6]s) ((i++)) ;;
        -*) ;;
        *) first= ;;
        esac
    done
    if [ -n "$first" ]; then
        COMPREPLY=($(compgen -W '%[4]s' -- "$cur"))
    else
        COMPREPLY=($(compgen -f -- "$cur"))
    fi
}
complete -o filenames -F _%[1]s %[5]s
`, id, strings.Join(fileOptions(), "|"), strings.Join(options, " "), strings.Join(p.commandWords(), " "), p.Name,
		strings.Join(optionForms(func(o *option) bool { return o.arg == needArg }), "|"))
}

func (p *Program) fish(w io.Writer) {
	for _, o := range optionTable() {
		if o.help == "" {
			continue
		}
		fmt.Fprintf(w, "complete -c %s", p.Name)
		if o.short != 0 {
			fmt.Fprintf(w, " -s %c", o.short)
		}
		if o.long != "" {
			fmt.Fprintf(w, " -l %s", o.long)
		}
		if o.arg == needArg {
			fmt.Fprint(w, " -r")
		}
		fmt.Fprintf(w, " -d '%s'\n", strings.ReplaceAll(o.help, "'", `\'`))
	}
	fmt.Fprintf(w, "complete -c %s -n '__fish_use_subcommand' -a '%s'\n", p.Name, strings.Join(p.commandWords(), " "))
}
