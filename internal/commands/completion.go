package commands

import "gofish/internal/getopt"

// Completion is what shells of the host complete: options, command names and file names.
func (p *Program) Completion() getopt.Completion {
	return getopt.Completion{Program: p.Name, Table: optionTable(&Shell{prog: p}), Words: p.commandWords()}
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
