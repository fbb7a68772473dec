package commands

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// argMode says whether an option has an argument.
type argMode int

const (
	noArg argMode = iota
	needArg
	mayArg // --name=ARG only
)

// option is one row of the table of options.
type option struct {
	long  string // without dashes, "" for none
	short byte   // 0 for none
	arg   argMode
	value string // the argument in help texts
	help  string
	set   func(s *Shell, o *options, arg *string) error
}

// optionError is a mistake in the use of options; where to read about them
// follows it.
type optionError string

func (e optionError) Error() string { return string(e) }

// getopt does what GNU getopt_long does: options and words mix, long options may
// be cut short, "--" ends the options, and so does the first word when
// POSIXLY_CORRECT is set. It calls set for each option at once, and returns the
// words.
func getopt(table []option, args []string, set func(o *option, arg *string, rest []string) (used int, err error)) ([]string, error) {
	var words []string
	_, posix := os.LookupEnv("POSIXLY_CORRECT")
	for len(args) > 0 {
		w := args[0]
		args = args[1:]
		switch {
		case w == "--":
			return append(words, args...), nil
		case strings.HasPrefix(w, "--"):
			name, text, glued := strings.Cut(w[2:], "=")
			o, err := longOption(table, name)
			if err != nil {
				return nil, err
			}
			var arg *string
			switch {
			case glued && o.arg == noArg:
				return nil, optionError(fmt.Sprintf("option '--%s' doesn't allow an argument", o.long))
			case glued:
				arg = &text
			case o.arg == needArg:
				if len(args) == 0 {
					return nil, optionError(fmt.Sprintf("option '--%s' requires an argument", o.long))
				}
				arg, args = &args[0], args[1:]
			}
			n, err := set(o, arg, args)
			if err != nil {
				return nil, err
			}
			args = args[n:]
		case len(w) > 1 && w[0] == '-':
			for letters := w[1:]; letters != ""; {
				o := shortOption(table, letters[0])
				if o == nil {
					return nil, optionError(fmt.Sprintf("invalid option -- '%c'", letters[0]))
				}
				letters = letters[1:]
				var arg *string
				switch {
				case o.arg == noArg:
				case letters != "":
					text := letters
					arg, letters = &text, ""
				case o.arg == needArg:
					if len(args) == 0 {
						return nil, optionError(fmt.Sprintf("option requires an argument -- '%c'", o.short))
					}
					arg, args = &args[0], args[1:]
				}
				n, err := set(o, arg, args)
				if err != nil {
					return nil, err
				}
				args = args[n:]
			}
		case posix:
			return append(append(words, w), args...), nil
		default:
			words = append(words, w)
		}
	}
	return words, nil
}

func shortOption(table []option, c byte) *option {
	for i := range table {
		if table[i].short == c {
			return &table[i]
		}
	}
	return nil
}

// longOption finds an option by its name or an unambiguous beginning of it.
// Options that look alike to getopt (no short form, the same use of arguments) are
// not ambiguous: the first is taken.
func longOption(table []option, name string) (*option, error) {
	var found []*option
	ambiguous := false
	for i := range table {
		o := &table[i]
		if o.long == "" || !strings.HasPrefix(o.long, name) {
			continue
		}
		if o.long == name {
			return o, nil
		}
		if len(found) > 0 && (found[0].arg != o.arg || found[0].short != o.short) {
			ambiguous = true
		}
		found = append(found, o)
	}
	switch {
	case len(found) == 0:
		return nil, optionError(fmt.Sprintf("unrecognized option '--%s'", name))
	case ambiguous:
		text := fmt.Sprintf("option '--%s' is ambiguous; possibilities:", name)
		for _, o := range found {
			text += " '--" + o.long + "'"
		}
		return nil, optionError(text)
	}
	return found[0], nil
}

// asOptionError is err with the program's name and where to read about options,
// if it is a mistake in their use.
func asOptionError(prog string, err error) error {
	var bad optionError
	if !errors.As(err, &bad) {
		return err
	}
	//lint:ignore ST1005 guestfish says it so
	return fmt.Errorf("%s: %s\nTry ‘%[1]s --help’ for more information.", prog, string(bad))
}
