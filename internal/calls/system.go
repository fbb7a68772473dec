package calls

import (
	"context"
	"sort"

	"gofish/guestfs/types"
)

// MountSystem mounts file systems as mountpoints has them (paths, mountables), those with
// the shortest paths first. One that cannot be mounted is told to warn and left out,
// unless it is the root.
func (cl Client) MountSystem(ctx context.Context, mountpoints types.Hash, readOnly bool, warn func(format string, args ...any)) error {
	list := append(types.Hash{}, mountpoints...)
	sort.SliceStable(list, func(i, j int) bool { return len(list[i].Key) < len(list[j].Key) })
	mount := cl.Mount
	if readOnly {
		mount = cl.MountRO
	}
	for _, m := range list {
		if err := mount(ctx, m.Value, m.Key); err != nil {
			if m.Key == "/" || ctx.Err() != nil {
				return err
			}
			warn("%v (left out)", err)
		}
	}
	return nil
}
