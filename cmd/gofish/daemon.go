package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func daemonCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "daemon",
		Short: "Serve a handle that attaches to this system",
		RunE:  func(c *cobra.Command, args []string) error { return errors.New("not in this version yet") },
	}
}
