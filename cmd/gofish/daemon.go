package main

import (
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"gofish/internal/daemon"
)

// daemonCommand serves inside a live guest.
func daemonCommand() *cobra.Command {
	var cfg daemon.LiveConfig
	c := &cobra.Command{
		Use:   "daemon",
		Short: "Serve the protocol inside a running Linux system",
		Long: `Serve the protocol inside a running Linux system, so that a gofish elsewhere can
attach to it: over the virtio-serial port org.libguestfs.channel.0, another port
(--channel), or a Unix socket (--listen), to which one connects with

	gofish --  set-backend unix:SOCKET : launch : ...

Actions work on the system itself: / is its root, nothing is mounted or unmounted
at the start and the end. Whoever can connect can do what this process can.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return daemon.ServeLive(ctx, cfg)
		},
	}
	cfg.Live = true
	f := c.Flags()
	f.StringVarP(&cfg.Channel, "channel", "c", "", "device of the virtio-serial port")
	f.StringVarP(&cfg.Listen, "listen", "l", "", "Unix socket to listen on")
	f.StringVar(&cfg.Sysroot, "sysroot", "/", "directory that actions take for the root")
	f.BoolVarP(&cfg.Network, "network", "n", false, "commands of the guest may use the network")
	f.BoolVarP(&cfg.Verbose, "verbose", "v", false, "log every call")
	c.MarkFlagsMutuallyExclusive("channel", "listen")
	return c
}
