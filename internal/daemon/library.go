package daemon

import (
	"io"

	"gofish/internal/api"
)

// callLibrary lets an action's library server do a call, whose arguments have been
// checked like any other's.
func (d *Daemon) callLibrary(a *api.Action, args, opts []any) (any, error) {
	var out io.Writer
	plain := make([]any, len(args))
	for i, v := range args {
		switch v := v.(type) {
		case Path:
			plain[i] = string(v)
		case Mountable:
			plain[i] = string(v.Device)
		case io.Writer:
			out = v
		default:
			plain[i] = v
		}
	}
	return d.libraries.Call(a, plain, opts, out)
}
