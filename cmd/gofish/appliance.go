package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"gofish/internal/appliance"

	"github.com/spf13/cobra"
)

// applianceCommand is `gofish appliance …`: what can be done with the appliance
// without starting it.
func applianceCommand() *cobra.Command {
	var cacheDir string
	root := &cobra.Command{
		Use:   "appliance",
		Short: "Build, list, export, import and prune the appliance",
		Args:  cobra.NoArgs,
		RunE:  func(c *cobra.Command, args []string) error { return c.Help() },
	}
	root.PersistentFlags().StringVar(&cacheDir, "cachedir", "", "folder for the cache instead of ~/.cache/gofish")
	progress := func(c *cobra.Command) func(string) {
		return func(s string) { fmt.Fprintln(c.ErrOrStderr(), s) }
	}

	var source string
	build := &cobra.Command{
		Use:   "build",
		Short: "Build the appliance, or bring it up to date",
		Long: "Fetches the distribution's packages into a private folder, unpacks what the appliance\n" +
			"needs of them and writes kernel, initrd and root image into the cache. Nothing is\n" +
			"installed, and no root is needed.\n\n" +
			"With --from host, and where there is no apt, it takes the tools that are installed\n" +
			"here, the libraries they need, and the newest kernel of /boot that can be read\n" +
			"(or the one named by GOFISH_KERNEL). What is missing here only turns off the\n" +
			"actions that need it.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			_, err := appliance.Build(c.Context(), appliance.BuildOptions{Source: source, CacheDir: cacheDir, Progress: progress(c)})
			return err
		},
	}
	build.Flags().StringVar(&source, "from", "", "apt: distribution packages (default where there is apt); host: the tools installed here")
	build.RegisterFlagCompletionFunc("from", cobra.FixedCompletions([]string{"apt", "host"}, cobra.ShellCompDirectiveNoFileComp))

	var asJSON bool
	list := &cobra.Command{
		Use:   "list",
		Short: "List the appliances in the cache with their sizes",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			l, err := appliance.List(cacheDir)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(c.OutOrStdout())
				e.SetIndent("", " ")
				return e.Encode(l)
			}
			return printEntries(c.OutOrStdout(), l)
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "print everything that is known, as JSON")

	export := &cobra.Command{
		Use:   "export DIR",
		Short: "Write a fixed appliance that libguestfs can use too",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			a, err := appliance.Find(c.Context(), appliance.FindOptions{CacheDir: cacheDir, Progress: progress(c)})
			if err != nil {
				return err
			}
			return appliance.Export(c.Context(), a, args[0])
		},
	}

	imp := &cobra.Command{
		Use:   "import FILE",
		Short: "Take an exported appliance into the cache and use it",
		Long:  "FILE is a folder that export wrote, or a tar archive of one (gzip, xz, zstd, bzip2 or plain).",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			_, err := appliance.Import(c.Context(), args[0], appliance.BuildOptions{CacheDir: cacheDir, Progress: progress(c)})
			return err
		},
	}

	var all bool
	prune := &cobra.Command{
		Use:   "prune",
		Short: "Remove everything from the cache but the appliance in use",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			n, err := appliance.Prune(c.Context(), cacheDir, all, progress(c))
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "%s freed\n", megabytes(n))
			}
			return err
		},
	}
	prune.Flags().BoolVar(&all, "all", false, "remove the appliance in use too")

	root.AddCommand(build, list, export, imp, prune)
	return root
}

func printEntries(w io.Writer, l []appliance.Entry) error {
	if len(l) == 0 {
		_, err := fmt.Fprintln(w, "no appliance yet; build one with: gofish appliance build")
		return err
	}
	for i, e := range l {
		if i > 0 {
			fmt.Fprintln(w)
		}
		state := ""
		switch {
		case e.Current && e.Stale:
			state = ", made by another version of gofish: the next launch builds anew"
		case e.Current:
			state = ", in use"
		}
		fmt.Fprintf(w, "%s from %s, kernel %s, made %s ago, %s on disk%s\n", e.Key, e.Source, e.Manifest.Kernel, age(e.Made), megabytes(e.Disk), state)
		fmt.Fprintf(w, "  %s\n", e.Dir)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
		for _, p := range append(e.Sizes, e.Initrds...) {
			fmt.Fprintf(t, "  %s\t  %s\n", megabytes(p.Bytes), p.Name)
		}
		if len(e.Largest) > 0 {
			fmt.Fprintf(t, "  \t  largest parts of root:\n")
			for _, p := range e.Largest {
				fmt.Fprintf(t, "  %s\t  %s\n", megabytes(p.Bytes), p.Name)
			}
		}
		t.Flush()
		if len(e.Missing) > 0 {
			fmt.Fprintf(w, "  missing: %s\n", strings.Join(e.Missing, ", "))
		}
		if len(e.Disabled) > 0 {
			fmt.Fprintf(w, "  groups not available: %s\n", strings.Join(e.Disabled, ", "))
		}
	}
	return nil
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func age(t time.Time) string {
	switch d := time.Since(t); {
	case d < time.Minute:
		return fmt.Sprintf("%.0f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	default:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	}
}
