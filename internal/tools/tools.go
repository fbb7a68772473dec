// Package tools has the programs that gofish replaces besides guestfish: guestmount and
// others. A tool is a row of the table and a function. It is called as a subcommand of
// gofish, or by its own name through a link to gofish; its help, manual page and completion
// are made from the row and its options.
package tools

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gofish/internal/calls"
	"gofish/internal/getopt"
	"gofish/internal/handle"
	"gofish/internal/manual"
	"gofish/internal/session"
	"gofish/internal/signals"
	"gofish/internal/visible"

	"github.com/spf13/cobra"
)

// Tool is a row of the table.
type Tool struct {
	Name     string   // as a subcommand of gofish
	Programs []string // names as a program of its own
	Summary  string
	Synopsis []string // what may follow the name
	Manual   []Section
	// New makes the options, which put their values where run finds them; run does the
	// work, with the words that are no options. No option is set, and run is not called,
	// where only texts are made.
	New func(u *Use) (options []getopt.Option, run func(words []string) error)
}

// Section is a part of the manual. PROG in its text stands for the name of the tool.
type Section struct {
	Title string
	Text  string
	Items [][2]string // terms and what they mean
}

// ByProgram finds the tool that a program's file name means.
func ByProgram(file string) *Tool {
	name := filepath.Base(file)
	for _, t := range Table {
		for _, p := range t.Programs {
			if p == name {
				return t
			}
		}
	}
	return nil
}

// ByName finds a tool by its name as a subcommand or as a program.
func ByName(name string) *Tool {
	for _, t := range Table {
		if t.Name == name {
			return t
		}
	}
	return ByProgram(name)
}

// Use is one use of a tool.
type Use struct {
	Name    string // of the tool, as the user knows it: guestmount, or gofish mount
	Version string
	Ctx     context.Context
	Out     io.Writer
	Stderr  *Voice
	Session session.Session
	Handle  *handle.Handle // nil where only texts are made

	// lasting: the end must be waited for, also after a signal, since data would be lost.
	lasting atomic.Bool

	// For a process that goes on in the background: the whole command line, and the streams
	// that it has.
	Command               []string
	Stdin, Stdout, Errors *os.File
}

// Voice is where messages go: standard error, until a process leaves that behind.
type Voice struct {
	mu sync.Mutex
	w  io.Writer
}

// NewVoice is a voice that writes to w.
func NewVoice(w io.Writer) *Voice { return &Voice{w: w} }

func (v *Voice) Write(p []byte) (int, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.w.Write(p)
}

// redirect makes w what later messages go to.
func (v *Voice) redirect(w io.Writer) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.w = w
}

// ExitStatus is an error that has been reported, or need not be: the status to exit with.
type ExitStatus int

func (e ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// Say prints an error as one line.
func (u *Use) Say(err error) {
	fmt.Fprintf(u.Stderr, "%s: %s\n", u.Name, visible.Line(session.Plain(err)))
}

// stopLimit is how long a tool may take to end after a signal, if it does not keep on.
const stopLimit = 5 * time.Second

// Run does what the arguments say and reports what fails. The error is an ExitStatus.
func (t *Tool) Run(u *Use, args []string) error {
	done := make(chan error, 1)
	go func() { done <- t.run(u, args) }()
	var err error
	select {
	case err = <-done:
	case <-u.Ctx.Done():
		select {
		case err = <-done:
		case <-time.After(stopLimit):
			if err = context.Cause(u.Ctx); u.lasting.Load() {
				err = <-done
			}
		}
	}
	if err == nil || err == getopt.ErrDone {
		return nil
	}
	if errors.As(err, new(ExitStatus)) {
		return err
	}
	var stopped signals.Stopped
	if !errors.As(context.Cause(u.Ctx), &stopped) {
		u.Say(err)
		return ExitStatus(1)
	}
	if errors.Is(err, context.Canceled) || errors.As(err, new(signals.Stopped)) {
		err = stopped
	}
	u.Say(err)
	return ExitStatus(stopped.ExitStatus())
}

func (t *Tool) run(u *Use, args []string) (err error) {
	if u.Handle, err = handle.New(os.LookupEnv); err != nil {
		return err
	}
	defer u.Handle.Close()
	u.Handle.OnEvent(session.Shown, func(e handle.Event) { session.Show(u.Stderr, u.Name+":", u.Handle.Verbose(), e) })
	in := session.Input{File: u.Stdin, Reader: bufio.NewReader(u.Stdin), Prompt: u.Stderr}
	u.Session = session.Session{Guest: calls.Client{Caller: u.Handle}, Ctx: u.Ctx, Say: u.Say}
	u.Session.Ask = func(device string) (string, error) { return u.Session.ReadKey(device, in) }
	if err := u.Session.ReadConfig(); err != nil {
		return err
	}
	options, do := t.options(u)
	words, err := getopt.Parse(options, args)
	var mistake getopt.Error
	if errors.As(err, &mistake) {
		return fmt.Errorf("%w (see %s --help)", err, u.Name)
	}
	if err != nil {
		return err
	}
	return do(words)
}

// options are the rows of the tool and those that every tool has.
func (t *Tool) options(u *Use) (options []getopt.Option, run func(words []string) error) {
	own, run := t.New(u)
	usage := func(table []getopt.Option) {
		fmt.Fprintf(u.Out, "%s: %s\n\n", u.Name, t.Summary)
		for _, s := range t.Synopsis {
			fmt.Fprintf(u.Out, "  %s %s\n", u.Name, s)
		}
		fmt.Fprint(u.Out, "\nOptions:\n")
		getopt.PrintHelp(u.Out, table)
		fmt.Fprintf(u.Out, "\nThe manual: gofish man %s\n", t.Name)
	}
	return getopt.Table(u.Out, u.Name+" "+u.Version, usage, own), run
}

// Document is the manual page of the tool under one of its names.
func (t *Tool) Document(name, version string) manual.Document {
	return manual.Document{Name: name, Version: version, Fill: func(m manual.Page) {
		if name == t.Name {
			name = "gofish " + name
		}
		named := func(text string) string { return strings.ReplaceAll(text, "PROG", name) }
		m.Section("NAME")
		m.Text(name + " - " + t.Summary)
		m.Section("SYNOPSIS")
		synopsis := ""
		for _, s := range t.Synopsis {
			synopsis += " " + name + " " + s + "\n"
		}
		m.Text(synopsis)
		for _, s := range t.Manual {
			if s.Title == "EXIT STATUS" {
				t.writeOptions(m)
			}
			m.Section(s.Title)
			m.Text(named(s.Text))
			for _, i := range s.Items {
				m.Item(named(i[0]), named(i[1]))
			}
		}
		m.Section("SEE ALSO")
		see := []string{"gofish(1)"}
		for _, other := range Table {
			for _, p := range other.Programs {
				if p != name {
					see = append(see, p+"(1)")
				}
			}
		}
		m.Text(strings.Join(see, ", "))
	}}
}

func (t *Tool) writeOptions(m manual.Page) {
	options, _ := t.options(&Use{})
	m.Section("OPTIONS")
	for _, o := range options {
		if o.Help != "" {
			m.Item(o.Label(", "), o.Help+".")
		}
	}
}

// Completion is what shells of the host complete after one of the tool's names.
func (t *Tool) Completion(name string) getopt.Completion {
	options, _ := t.options(&Use{})
	return getopt.Completion{Program: name, Table: options}
}

// Subcommand is the tool as a subcommand of gofish, or under another name.
func (t *Tool) Subcommand(name, version string, stdin, stdout, stderr *os.File) *cobra.Command {
	return &cobra.Command{
		Use:                t.Name + " " + t.Synopsis[0],
		Aliases:            t.Programs,
		Short:              strings.ToUpper(t.Summary[:1]) + t.Summary[1:],
		DisableFlagParsing: true, // getopt does it as the tools' originals do
		RunE: func(c *cobra.Command, args []string) error {
			return t.Run(&Use{Name: name, Version: version, Ctx: c.Context(), Out: c.OutOrStdout(), Stderr: NewVoice(stderr),
				Command: os.Args, Stdin: stdin, Stdout: stdout, Errors: stderr}, args)
		},
	}
}
