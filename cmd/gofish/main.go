// Gofish works inside disk images. The same binary is the shell on the host and
// the first process of the appliance that does the work.
package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sync/atomic"
	"syscall"

	"gofish/internal/commands"
	_ "gofish/internal/firstly" // before go-fuse
	"gofish/internal/handle"
	_ "gofish/internal/pid1"
	"gofish/internal/visible"

	"github.com/spf13/cobra"
)

// version is set by the linker: -X main.version=….
var version = "0.1.0"

func main() {
	p := &commands.Program{
		Name:    filepath.Base(os.Args[0]),
		Version: version,
		Args:    os.Args[1:],
		Stdin:   os.Stdin,
		Stdout:  os.Stdout,
		Stderr:  os.Stderr,
		New:     func() (commands.Caller, error) { return handle.New(os.LookupEnv) },
	}
	p.Subcommands = subcommands(p)
	if len(os.Args) > 1 {
		for _, c := range p.Subcommands {
			if c.Name() == os.Args[1] {
				os.Exit(runSubcommand(p, c))
			}
		}
	}
	os.Exit(p.Run())
}

// subcommands are the uses of the program beside the shell. No action has these names.
func subcommands(p *commands.Program) []*cobra.Command {
	return []*cobra.Command{
		applianceCommand(),
		daemonCommand(),
		doctorCommand(),
		manCommand(p),
		completionCommand(p),
		schemaCommand(p),
	}
}

func runSubcommand(p *commands.Program, c *cobra.Command) int {
	root := &cobra.Command{Use: p.Name, SilenceErrors: true, SilenceUsage: true}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetHelpCommand(&cobra.Command{Hidden: true})
	root.AddCommand(c)
	root.SetArgs(p.Args)
	// A signal ends what runs in order, with its temporary files removed; a second
	// one ends it at once.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	var got atomic.Int32
	go func() {
		s := <-signals
		got.Store(int32(s.(syscall.Signal)))
		signal.Reset()
		cancel()
	}()
	out := &lasting{Writer: p.Stdout}
	root.SetOut(out)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = out.err
	}
	if s := syscall.Signal(got.Load()); s != 0 && err != nil {
		fmt.Fprintf(p.Stderr, "%s %s: stopped by signal %d (%v)\n", p.Name, c.Name(), s, s)
		return 128 + int(s)
	}
	if err != nil {
		fmt.Fprintln(p.Stderr, visible.Lines(fmt.Sprintf("%s %s: %v", p.Name, c.Name(), err)))
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
		Use:       "completion bash|zsh|fish",
		Short:     "Print a completion script for a shell of the host",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: func(c *cobra.Command, args []string) error {
			return p.Completion().Write(p.Stdout, args[0])
		},
	}
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
		Use:   "man",
		Short: "Read the manual page",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if print {
				return p.Manual().Roff(p.Stdout)
			}
			return commands.ShowManual(p.Manual(), p.Stdout, p.Stderr)
		},
	}
	c.Flags().BoolVar(&print, "print", false, "write the page's source to standard output")
	return c
}
