package calls

import (
	"context"
	"errors"
	"path"

	"gofish/guestfs/types"
	"gofish/internal/proto"
)

// Replacement is a new file of the guest that takes the place of another one, or of none,
// when it is complete.
type Replacement struct {
	Temp string // its name until then

	cl   Client
	name string
}

// Replace begins a replacement of the file of a name. A link is followed.
func (cl Client) Replace(ctx context.Context, name string) (*Replacement, error) {
	is, err := cl.IsSymlink(ctx, name)
	if err != nil {
		return nil, err
	}
	if is {
		if name, err = cl.Realpath(ctx, name); err != nil {
			return nil, err
		}
	}
	if is, err = cl.IsDir(ctx, name); err == nil && is {
		err = &types.Error{Action: "create", Text: name + ": Is a directory"}
	}
	if err != nil {
		return nil, err
	}
	temp, err := cl.Mktemp(ctx, path.Join(path.Dir(name), ".gofish-XXXXXX"))
	var failed *types.Error
	if errors.As(err, &failed) && failed.Errno != 0 {
		// The user knows nothing of the other name.
		failed.Action = "create"
		failed.Text = name + ": " + proto.Strerror(failed.Errno)
	}
	if err != nil {
		return nil, err
	}
	return &Replacement{temp, cl, name}, nil
}

// Commit gives the file its name, and the owner, permissions and attributes of the one
// that had it.
func (r *Replacement) Commit(ctx context.Context) error {
	is, err := r.cl.Exists(ctx, r.name)
	switch {
	case err != nil:
		return err
	case is:
		err = r.cl.CopyAttributes(ctx, r.name, r.Temp, types.CopyAttributesOptions{All: new(true)})
	default:
		err = r.cl.Chmod(ctx, 0o644, r.Temp)
	}
	if err != nil {
		return err
	}
	return r.cl.Rename(ctx, r.Temp, r.name)
}

// Discard removes a file that does not become complete, even if ctx has ended. It reports
// nothing if the appliance is gone.
func (r *Replacement) Discard(ctx context.Context) error {
	err := r.cl.RmF(context.WithoutCancel(ctx), r.Temp)
	if errors.As(err, new(*types.LinkError)) {
		return nil
	}
	return err
}
