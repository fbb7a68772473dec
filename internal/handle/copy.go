package handle

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/internal/newfile"
	"gofish/internal/proto"
	"gofish/internal/untar"

	"gofish/guestfs/types"
)

// CopyIn sends a file or tree as a tar archive that is made on the way.
func (h Actions) CopyIn(c *Call, localpath, remotedir string) error {
	local := filepath.Clean(localpath)
	if _, err := os.Lstat(local); err != nil {
		return fmt.Errorf("source ‘%s’ does not exist (or cannot be read)", localpath)
	}
	isDir, err := c.IsDir(c, remotedir)
	if err != nil {
		return err
	}
	if !isDir {
		return fmt.Errorf("target ‘%s’ is not a directory", remotedir)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	made := make(chan error, 1)
	go func() {
		defer w.Close()
		made <- untar.Create(w, filepath.Dir(local), filepath.Base(local))
	}()
	err = c.TarIn(c, r, remotedir, types.TarInOptions{KeepDirLink: new(true)})
	r.Close() // if the daemon has refused, this ends the archiver
	if merr := <-made; merr != nil && !errors.Is(merr, os.ErrClosed) && !errors.Is(merr, syscall.EPIPE) {
		return merr
	}
	return err
}

// maxPadding is more than any tar program writes after the end of an archive.
const maxPadding = 1 << 20

// CopyOut fetches a file, or a tree as a tar archive that is unpacked on the
// way. No link leads out of the local directory, be it in the tree or of an earlier copy.
func (h Actions) CopyOut(c *Call, remotepath, localdir string, o types.CopyOutOptions) error {
	if fi, err := os.Stat(localdir); err != nil || !fi.IsDir() {
		return fmt.Errorf("target ‘%s’ is not a directory", localdir)
	}
	base := path.Base(path.Clean("/" + remotepath))
	local := filepath.Join(localdir, base)
	isFile, err := c.IsFile(c, remotepath)
	if err != nil {
		return err
	}
	if isFile {
		return h.copyOutFile(c, remotepath, localdir, base)
	}
	isDir, err := c.IsDir(c, remotepath)
	if err != nil {
		return err
	}
	if !isDir {
		isLink, err := c.IsSymlink(c, remotepath)
		if err != nil {
			return err
		}
		if isLink {
			return h.copyOutLink(c, remotepath, local)
		}
		return fmt.Errorf("‘%s’ is not a file or directory", remotepath)
	}
	top, err := makeTop(local, base == "/")
	if fi, lerr := os.Lstat(local); err != nil && lerr == nil && fi.Mode()&os.ModeSymlink != 0 {
		return fmt.Errorf("%s is a link, which could lead anywhere: remove it, or name another folder", local)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", local, errText{proto.ErrnoOf(err)})
	}
	defer top.Close()
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	type unpacked struct {
		untar.Result
		error
	}
	done := make(chan unpacked, 1)
	go func() {
		res, err := untar.Extract(r, hostOptions(top, o.Privileged != nil && *o.Privileged))
		if err == nil {
			// Blocks that fill a record may follow.
			if n, _ := io.CopyN(io.Discard, r, maxPadding); n == maxPadding {
				err = errors.New("the archive from the daemon goes on after its end")
			}
		}
		r.Close() // if unpacking has failed, this ends the transfer
		done <- unpacked{res, err}
	}()
	// Our own appliance keeps holes; other programs need not know how that is written.
	if h.canBulk() {
		err = c.InternalCopyOut(c, remotepath, w)
	}
	if !h.canBulk() || isUnknownProcedure(err) {
		err = c.TarOut(c, remotepath, w)
	}
	w.Close()
	u := <-done
	if left := leftOut(u.Result); left != "" {
		h.Warn("copy-out: %s: %s; privileged:true makes them", remotepath, left)
	}
	switch {
	case u.error != nil && (err == nil || errors.Is(err, syscall.EPIPE)):
		return fmt.Errorf("%s: %w", local, u.error)
	case err != nil:
		return err
	case !u.Ended:
		return fmt.Errorf("%s: the archive that the daemon sent has no end", local)
	case len(u.Complaints) > 0:
		return fmt.Errorf("%s: %s", local, strings.Join(u.Complaints, "; "))
	}
	return nil
}

// copyOutFile fetches a single file. What has its name is replaced, and a link is not
// followed.
func (h *Handle) copyOutFile(c *Call, remotepath, localdir, base string) error {
	local := filepath.Join(localdir, base)
	fail := func(err error) error { return fmt.Errorf("%s: %w", local, errText{proto.ErrnoOf(err)}) }
	// A link, FIFO or device may be of an earlier copy.
	if fi, err := os.Lstat(local); err != nil || fi.Mode().IsRegular() || fi.IsDir() {
		err := c.Download(c, remotepath, types.HostFile(local))
		return err
	}
	f, err := newfile.CreateIn(localdir, 0o666)
	if err != nil {
		return fail(err)
	}
	if err := c.Download(c, remotepath, f.File); err != nil {
		f.Discard()
		return err
	}
	if err := f.Commit(base); err != nil {
		return fail(err)
	}
	return nil
}

// copyOutLink makes a link as in the guest. It replaces anything but a folder.
func (h *Handle) copyOutLink(c *Call, remotepath, local string) error {
	target, err := c.Readlink(c, remotepath)
	if err != nil {
		return err
	}
	if fi, err := os.Lstat(local); err == nil && !fi.IsDir() {
		os.Remove(local) // if that fails, so does what follows
	}
	if err := os.Symlink(target, local); err != nil {
		return fmt.Errorf("%s: %w", local, errText{proto.ErrnoOf(err)})
	}
	return nil
}

// makeTop makes the folder for a tree, or opens the one that is there. Of all names only
// that of the folder in which it is, the user's own, may lead through a link.
func makeTop(local string, given bool) (*os.File, error) {
	flags := unix.O_PATH | unix.O_DIRECTORY
	if !given {
		if err := os.Mkdir(local, 0o777); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		flags |= unix.O_NOFOLLOW
	}
	return os.OpenFile(local, flags, 0)
}

// leftOut reports what was left out of a guest's tree because it was not asked for.
func leftOut(r untar.Result) string {
	var l []string
	for _, x := range []struct {
		n    int
		what string
	}{{r.Devices, "device nodes"}, {r.SetID, "set-user-ID and set-group-ID bits"}} {
		if x.n > 0 {
			l = append(l, fmt.Sprintf("%d %s", x.n, x.what))
		}
	}
	if l == nil {
		return ""
	}
	return strings.Join(l, " and ") + " were left out"
}

// hostOptions unpack below a folder: owners only as root, who also keeps all of the
// permission bits.
func hostOptions(top *os.File, privileged bool) untar.Options {
	super := os.Geteuid() == 0
	return untar.Options{Top: top, Whole: true, Owner: super, Umask: !super, Privileged: privileged}
}
