package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Check this machine",
		RunE:  func(c *cobra.Command, args []string) error { return errors.New("not in this version yet") },
	}
}
