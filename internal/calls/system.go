package calls

import (
	"context"
	"sort"

	"gofish/guestfs/types"
)

// FindSystems lists the roots of operating systems. Media to install one from are left out
// beside one that is installed.
func (cl Client) FindSystems(ctx context.Context) ([]string, error) {
	roots, err := cl.InspectOS(ctx)
	if err != nil || len(roots) < 2 {
		return roots, err
	}
	var installed []string
	for _, root := range roots {
		format, err := cl.InspectGetFormat(ctx, root)
		if err != nil {
			return nil, err
		}
		if format != "installer" {
			installed = append(installed, root)
		}
	}
	if len(installed) > 0 {
		return installed, nil
	}
	return roots, nil
}

// ShortestFirst puts mountpoints (paths, mountables) into the order of mounting.
func ShortestFirst(mountpoints types.Hash) types.Hash {
	list := append(types.Hash{}, mountpoints...)
	sort.SliceStable(list, func(i, j int) bool { return len(list[i].Key) < len(list[j].Key) })
	return list
}

// MountSystem mounts file systems as mountpoints has them. left is called for one that
// cannot be mounted, unless it is the root: that is an error.
func (cl Client) MountSystem(ctx context.Context, mountpoints types.Hash, readOnly bool, left func(error)) error {
	mount := cl.Mount
	if readOnly {
		mount = cl.MountRO
	}
	for _, m := range ShortestFirst(mountpoints) {
		if err := mount(ctx, m.Value, m.Key); err != nil {
			if m.Key == "/" || ctx.Err() != nil {
				return err
			}
			left(err)
		}
	}
	return nil
}
