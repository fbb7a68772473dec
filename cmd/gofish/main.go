// Gofish works inside disk images. The same binary is the shell on the host and
// the first process of the appliance that does the work.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"gofish/internal/commands"
	_ "gofish/internal/firstly" // before go-fuse
	"gofish/internal/handle"
	_ "gofish/internal/pid1"
	"gofish/internal/signals"
	"gofish/internal/tools"
	"gofish/internal/visible"

	"github.com/spf13/cobra"
)

// version is set by the linker: -X main.version=….
var version = "0.1.0"

// usualPath is what shells take where PATH is not set.
const usualPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// completeEnvironment supplies what every program needs: mount(8) starts guestmount without
// a PATH, and systemd without a HOME.
func completeEnvironment() {
	if _, set := os.LookupEnv("PATH"); !set {
		os.Setenv("PATH", usualPath)
	}
	if _, set := os.LookupEnv("HOME"); set {
		return
	}
	if u, err := user.Current(); err == nil {
		os.Setenv("HOME", u.HomeDir)
	}
}

func main() {
	completeEnvironment()
	p := &commands.Program{
		Name:    filepath.Base(os.Args[0]),
		Version: version,
		Args:    os.Args[1:],
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		New:     func() (commands.Caller, error) { return handle.New(os.LookupEnv) },
	}
	if t := tools.ByProgram(os.Args[0]); t != nil {
		os.Exit(runSubcommand(p, toolCommand(t, p.Name), p.Name, append([]string{t.Name}, p.Args...)))
	}
	p.Subcommands = subcommands(p)
	if len(os.Args) > 1 {
		for _, c := range p.Subcommands {
			if c.Name() == os.Args[1] || c.HasAlias(os.Args[1]) {
				os.Exit(runSubcommand(p, c, p.Name+" "+c.Name(), p.Args))
			}
		}
	}
	os.Exit(p.Run())
}

// subcommands are the uses of the program beside the shell. Some tools have the names of
// actions; but as the first word, with no disk before it, none of these can do anything.
func subcommands(p *commands.Program) []*cobra.Command {
	list := []*cobra.Command{
		applianceCommand(),
		daemonCommand(),
		doctorCommand(),
		manCommand(p),
		completionCommand(p),
		schemaCommand(p),
		toolsCommand(),
	}
	for _, t := range tools.Table {
		list = append(list, toolCommand(t, p.Name+" "+t.Name))
	}
	return list
}

// toolCommand is a tool under the name that the user knows.
func toolCommand(t *tools.Tool, name string) *cobra.Command {
	return t.Subcommand(name, version, os.Stdin, os.Stdout, os.Stderr)
}

// runSubcommand runs a subcommand, whose name in messages is given, and returns the status
// to exit with.
func runSubcommand(p *commands.Program, c *cobra.Command, name string, args []string) int {
	root := &cobra.Command{Use: p.Name, SilenceErrors: true, SilenceUsage: true}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	root.AddCommand(c)
	root.SetArgs(args)
	// A signal ends what runs in order, with its temporary files removed.
	ctx, release := signals.Context()
	defer release()
	out := &lasting{Writer: p.Stdout}
	root.SetOut(out)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = out.err
	}
	var reported tools.ExitStatus
	if errors.As(err, &reported) {
		return int(reported)
	}
	var stopped signals.Stopped
	if err != nil && errors.As(context.Cause(ctx), &stopped) {
		fmt.Fprintf(p.Stderr, "%s: %v\n", name, stopped)
		return stopped.ExitStatus()
	}
	if err != nil {
		fmt.Fprintln(p.Stderr, visible.Lines(fmt.Sprintf("%s: %v", name, err)))
		return 1
	}
	return 0
}

// lasting is a writer whose first error is kept: much is printed without a look at it.
type lasting struct {
	io.Writer
	err error
}

func (l *lasting) Write(p []byte) (int, error) {
	n, err := l.Writer.Write(p)
	l.err = cmp.Or(l.err, err)
	return n, err
}

func completionCommand(p *commands.Program) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish [TOOL]",
		Short: "Print a completion script for a shell of the host",
		Args:  cobra.RangeArgs(1, 2),
		RunE: func(c *cobra.Command, args []string) error {
			completion := p.Completion()
			for _, t := range tools.Table {
				completion.Subcommands = append(completion.Subcommands, t.Completion(t.Name))
			}
			if len(args) > 1 {
				t := tools.ByProgram(args[1])
				if t == nil {
					return noTool(args[1])
				}
				completion = t.Completion(args[1])
			}
			return completion.Write(c.OutOrStdout(), args[0])
		},
	}
}

func noTool(name string) error {
	return fmt.Errorf("there is no tool %s; gofish tools lists them", name)
}

func toolsCommand() *cobra.Command {
	programs := false
	c := &cobra.Command{
		Use:   "tools",
		Short: "List the tools, with the programs that they replace",
		Long:  "Each tool is a subcommand, and works under the name of the program that it\nreplaces if a link of that name leads to gofish. make install TOOLS=yes makes the links.",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			for _, t := range tools.Table {
				if programs {
					fmt.Fprintln(c.OutOrStdout(), strings.Join(t.Programs, "\n"))
				} else {
					fmt.Fprintf(c.OutOrStdout(), "%-12s %-16s %s\n", t.Name, strings.Join(t.Programs, ", "), t.Summary)
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&programs, "programs", false, "print only the names of the programs, one a line")
	return c
}

func schemaCommand(p *commands.Program) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print what --json makes of each command's result, as JSON Schema",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, args []string) error { return commands.WriteSchema(p.Stdout) },
	}
}

func manCommand(p *commands.Program) *cobra.Command {
	var print bool
	c := &cobra.Command{
		Use:   "man [TOOL]",
		Short: "Read the manual page, or that of a tool",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			page := p.Manual()
			if len(args) > 0 {
				t := tools.ByName(args[0])
				if t == nil {
					return noTool(args[0])
				}
				page = t.Document(args[0], p.Version)
			}
			if print {
				return page.Roff(c.OutOrStdout())
			}
			return commands.ShowManual(page, p.Stdout, p.Stderr)
		},
	}
	c.Flags().BoolVar(&print, "print", false, "write the page's source to standard output")
	return c
}
