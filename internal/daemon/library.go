package daemon

import (
	"io"
)

// callLibrary lets an action's library server do a call, whose arguments have been
// checked like any other's.
func (d *Daemon) callLibrary(c *Call, args, opts []any) (any, error) {
	var out io.Writer
	plain := make([]any, len(args))
	for i, v := range args {
		switch v := v.(type) {
		case Path:
			// A library would block on a FIFO, and read a device node to its end.
			if st, err := d.root.Stat(v); err == nil {
				if err := mayOpen(st); err != nil {
					return nil, wrap(err, "%s", v)
				}
			}
			plain[i] = string(v)
		case Mountable:
			plain[i] = string(v.Device)
		case io.Writer:
			out = v
		default:
			plain[i] = v
		}
	}
	return d.libraries.Call(c, c.Action, plain, opts, out, func() error { return c.Progress(0, 1) })
}
