// Package handle is a connection to an appliance: what a program holds while it
// works on disk images. It starts the appliance, speaks the protocol, does the
// actions that need no daemon, and tells of events. It prints nothing.
//
// A handle goes from CONFIG (drives and settings) through LAUNCHING to READY,
// and back to CONFIG on shutdown or when the appliance dies. It may be used from
// several goroutines; calls take turns.
package handle

import (
	"context"
	"sync"

	"gofish/internal/api"
)

// Handle is a connection to an appliance, or the settings of one to come.
type Handle struct {
	evMu      sync.Mutex
	callbacks []callback
	lastEvent int
}

// New makes a handle in the config state, with settings from the environment
// (GOFISH_* and LIBGUESTFS_*). A variable that cannot be understood is an error.
func New() (*Handle, error) { return &Handle{}, nil }

// Call does an action. args and opts hold the values described in package api.
// The error is a *CallError or a *LinkError.
func (h *Handle) Call(ctx context.Context, a *api.Action, args, opts []any) (any, error) {
	return nil, nil
}

// UserCancel asks the transfer that is running, if any, to stop. It may be
// called at any time from any goroutine.
func (h *Handle) UserCancel() {}

// Close ends the appliance, if one runs, after flushing what it has written,
// and frees the handle. The error says if the flush failed.
func (h *Handle) Close() error { return nil }
