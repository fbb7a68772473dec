// Package getopt takes command lines apart as GNU getopt_long does, by a table of options.
// The same table gives the texts about them: help, the manual, and completion in the host's
// shells.
package getopt

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// Mode says whether an option has an argument.
type Mode int

const (
	NoArg Mode = iota
	NeedArg
	MayArg  // --name=ARG only
	MayNext // like MayArg; the next word, too, if it does not begin with a dash
)

// Option is one row of a table of options.
type Option struct {
	Long  string // without dashes, "" for none
	Short byte   // 0 for none
	Arg   Mode
	Value string // the argument in help texts
	Help  string // without a full stop; "" hides the option
	// Set does what the option says; arg is nil if it has no argument.
	Set func(arg *string) error
}

// Files reports whether the option's argument is a file of the host.
func (o *Option) Files() bool { return o.Value == "image" || o.Value == "file" }

// Error is a mistake in the use of options. Explain adds where to read about them.
type Error string

func (e Error) Error() string { return string(e) }

// ErrDone is the error of an option that has done all that was asked for, such as --help.
var ErrDone = errors.New("nothing more is to be done")

// Explain is err with the program's name and where to read about options, if it is a
// mistake in their use.
func Explain(prog string, err error) error {
	var bad Error
	if !errors.As(err, &bad) {
		return err
	}
	//lint:ignore ST1005 guestfish says it so
	return fmt.Errorf("%s: %s\nTry ‘%[1]s --help’ for more information.", prog, string(bad))
}

// Parse sets each option as it comes and returns the words that are none. Options and words
// mix, long options may be cut short, "--" ends the options, and so does the first word when
// POSIXLY_CORRECT is set.
func Parse(table []Option, args []string) ([]string, error) {
	return Walk(table, args, func(o *Option, arg *string) error { return o.Set(arg) })
}

// Walk is Parse with another function than each option's own.
func Walk(table []Option, args []string, set func(o *Option, arg *string) error) ([]string, error) {
	var words []string
	_, posix := os.LookupEnv("POSIXLY_CORRECT")
	// next is the next word as the argument of an option that has none yet, if that takes one.
	next := func(o *Option, missing string) (*string, error) {
		takes := o.Arg == NeedArg || o.Arg == MayNext && len(args) > 0 && !strings.HasPrefix(args[0], "-")
		if !takes {
			return nil, nil
		}
		if len(args) == 0 {
			return nil, Error(missing)
		}
		w := args[0]
		args = args[1:]
		return &w, nil
	}
	for len(args) > 0 {
		w := args[0]
		args = args[1:]
		switch {
		case w == "--":
			return append(words, args...), nil
		case strings.HasPrefix(w, "--"):
			name, text, glued := strings.Cut(w[2:], "=")
			o, err := long(table, name)
			if err != nil {
				return nil, err
			}
			arg := &text
			switch {
			case glued && o.Arg == NoArg:
				return nil, Error(fmt.Sprintf("option '--%s' doesn't allow an argument", o.Long))
			case !glued:
				if arg, err = next(o, fmt.Sprintf("option '--%s' requires an argument", o.Long)); err != nil {
					return nil, err
				}
			}
			if err := set(o, arg); err != nil {
				return nil, err
			}
		case len(w) > 1 && w[0] == '-':
			for letters := w[1:]; letters != ""; {
				o := short(table, letters[0])
				if o == nil {
					return nil, Error(fmt.Sprintf("invalid option -- '%c'", letters[0]))
				}
				letters = letters[1:]
				var arg *string
				if o.Arg != NoArg && letters != "" {
					text := letters
					arg, letters = &text, ""
				} else {
					var err error
					if arg, err = next(o, fmt.Sprintf("option requires an argument -- '%c'", o.Short)); err != nil {
						return nil, err
					}
				}
				if err := set(o, arg); err != nil {
					return nil, err
				}
			}
		case posix:
			return append(append(words, w), args...), nil
		default:
			words = append(words, w)
		}
	}
	return words, nil
}

func short(table []Option, c byte) *Option {
	for i := range table {
		if table[i].Short == c {
			return &table[i]
		}
	}
	return nil
}

// long finds an option by its name or an unambiguous beginning of it. Options that look
// alike to getopt (no short form, the same use of arguments) are not ambiguous: the first is
// taken.
func long(table []Option, name string) (*Option, error) {
	var found []*Option
	ambiguous := false
	for i := range table {
		o := &table[i]
		if o.Long == "" || !strings.HasPrefix(o.Long, name) {
			continue
		}
		if o.Long == name {
			return o, nil
		}
		if len(found) > 0 && (found[0].Arg != o.Arg || found[0].Short != o.Short) {
			ambiguous = true
		}
		found = append(found, o)
	}
	switch {
	case len(found) == 0:
		return nil, Error(fmt.Sprintf("unrecognized option '--%s'", name))
	case ambiguous:
		text := fmt.Sprintf("option '--%s' is ambiguous; possibilities:", name)
		for _, o := range found {
			text += " '--" + o.Long + "'"
		}
		return nil, Error(text)
	}
	return found[0], nil
}

// Table puts rows from several places into alphabetical order and adds the options that
// every program has: help and the version, and the lists of options for completion scripts
// of others. usage prints the help. Two options of one name are a mistake in the program.
func Table(w io.Writer, version string, usage func(table []Option), rows ...[]Option) []Option {
	var table []Option
	done := func(print func()) func(*string) error {
		return func(*string) error { print(); return ErrDone }
	}
	table = append(slices.Concat(rows...),
		Option{Long: "help", Help: "Show this text", Set: done(func() { usage(table) })},
		Option{Long: "version", Short: 'V', Help: "Show the version", Set: done(func() { fmt.Fprintln(w, version) })},
		Option{Long: "long-options", Set: done(func() {
			for _, o := range table {
				if o.Long != "" && o.Long != "long-options" && o.Long != "short-options" {
					fmt.Fprintf(w, "--%s\n", o.Long)
				}
			}
		})},
		Option{Long: "short-options", Set: done(func() {
			for _, c := range letters(table) {
				fmt.Fprintf(w, "-%c\n", c)
			}
		})})
	slices.SortStableFunc(table, func(a, b Option) int { return cmp.Compare(a.key(), b.key()) })
	for i := range table {
		for j := range table[:i] {
			if a, b := &table[i], &table[j]; a.Long == b.Long && a.Long != "" || a.Short == b.Short && a.Short != 0 {
				panic("two options are called " + a.key())
			}
		}
	}
	return table
}

// key is what options are sorted by.
func (o *Option) key() string {
	if o.Long == "" {
		return string(o.Short)
	}
	return o.Long
}

// letters are the short options in alphabetical order.
func letters(table []Option) []byte {
	var l []byte
	for _, o := range table {
		if o.Short != 0 {
			l = append(l, o.Short)
		}
	}
	small := func(c byte) byte { return c | 0x20 }
	slices.SortFunc(l, func(a, b byte) int { // a small letter comes before its capital
		return cmp.Or(cmp.Compare(small(a), small(b)), cmp.Compare(b, a))
	})
	return l
}

// PrintHelp prints the options with what they do, for --help.
func PrintHelp(w io.Writer, table []Option) {
	for _, o := range table {
		if o.Help != "" {
			label := o.Label("|")
			if len(label) > 22 {
				fmt.Fprintf(w, "  %s\n  %22s %s\n", label, "", o.Help)
			} else {
				fmt.Fprintf(w, "  %-22s %s\n", label, o.Help)
			}
		}
	}
}

// Label shows an option's forms, with or between them, and its argument.
func (o *Option) Label(or string) string {
	label := ""
	if o.Short != 0 {
		label = "-" + string(o.Short)
	}
	if o.Long != "" {
		if label != "" {
			label += or
		}
		label += "--" + o.Long
	}
	switch {
	case o.Arg == NeedArg:
		label += " " + o.Value
	case o.Arg == MayNext:
		label += " [" + o.Value + "]"
	case o.Arg == MayArg:
		label += "[=" + o.Value + "]"
	}
	return label
}

// Forms are the short and long forms of the options for which is is true.
func Forms(table []Option, is func(o *Option) bool) []string {
	var list []string
	for i := range table {
		o := &table[i]
		if !is(o) {
			continue
		}
		if o.Short != 0 {
			list = append(list, "-"+string(o.Short))
		}
		if o.Long != "" {
			list = append(list, "--"+o.Long)
		}
	}
	return list
}
