package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gofish/internal/appliance"
	"gofish/internal/calls"
	"gofish/internal/handle"
)

// doctorCommand finds out whether gofish can work here, and what to do if not.
func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check that gofish can work on this machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return doctor(cmd.Context(), cmd.OutOrStdout())
		},
	}
}

func doctor(ctx context.Context, w io.Writer) error {
	h, err := handle.New(os.LookupEnv)
	if err != nil {
		return err
	}
	defer h.Close()
	sick := 0
	report := func(what string, err error, good, advice string) {
		if err != nil {
			sick++
			fmt.Fprintf(w, "BAD  %s: %v\n", what, err)
			if advice != "" {
				fmt.Fprintf(w, "     %s\n", advice)
			}
			return
		}
		fmt.Fprintf(w, "ok   %s: %s\n", what, good)
	}

	g := calls.Client{Caller: h}
	text, _ := g.GetHV(ctx)
	hv, err := appliance.ParseHV(text)
	var out []byte
	if err == nil {
		out, err = hv.Command(ctx, "--version").Output()
	}
	first, _, _ := strings.Cut(string(out), "\n")
	report("qemu", err, first, "install qemu-system-x86, or name the program with GOFISH_HV")
	haveQemu := err == nil
	_, err = exec.LookPath("qemu-img")
	report("qemu-img", err, "found", "install qemu-utils")

	if haveQemu {
		dir, err := appliance.OpenCache(h.Settings.CacheDir)
		report("cache", err, dir, "")
		c := &appliance.Accelerator{HV: hv, Dir: dir}
		v := c.Choose(ctx)
		s := v.Accel
		if v.Why != "" {
			s += " (KVM is not usable: " + v.Why + "; emulation works, more slowly)"
		}
		report("accelerator", nil, s, "")
	}
	if d := appliance.Check(h.Settings.CacheDir); d != nil && h.Settings.Path == "" {
		advice := "the next launch makes it anew, and so does: gofish appliance build"
		if d.Imported {
			advice = ""
		}
		report("appliance", d, "", advice)
		return fmt.Errorf("%d of the checks failed", sick)
	}
	a, err := appliance.Find(ctx, appliance.FindOptions{Path: h.Settings.Path, CacheDir: h.Settings.CacheDir, Progress: func(s string) { fmt.Fprintln(os.Stderr, s) }})
	if err == nil {
		report("appliance", nil, a.Dir, "")
	} else {
		report("appliance", err, "", "build one with: gofish appliance build")
	}
	if err == nil && haveQemu {
		start := time.Now()
		err := g.AddDrive(ctx, os.DevNull)
		if err == nil {
			err = g.Launch(ctx)
		}
		report("launch", err, fmt.Sprintf("the appliance answers after %v", time.Since(start).Round(10*time.Millisecond)), "run with -v and look at the last lines of the console")
		if err == nil {
			groups, err := g.AvailableAllGroups(ctx)
			var missing []string
			for _, group := range groups {
				if is, err := g.FeatureAvailable(ctx, []string{group}); err == nil && !is {
					missing = append(missing, group)
				}
			}
			text := "all are there"
			if len(missing) > 0 {
				text = "missing: " + strings.Join(missing, " ")
			}
			report("optional features", err, text, "")
		}
	}
	if sick > 0 {
		return fmt.Errorf("%d of the checks failed", sick)
	}
	return nil
}
