package handle

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gofish/internal/untar"
)

// CopyIn sends a file or tree as a tar archive that is made on the way.
func (h Actions) CopyIn(c *Call, localpath, remotedir string) error {
	local := filepath.Clean(localpath)
	if _, err := os.Lstat(local); err != nil {
		return fmt.Errorf("source ‘%s’ does not exist (or cannot be read)", localpath)
	}
	isDir, err := call[bool](h.Handle, c, "is_dir", remotedir)
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
	_, err = h.do(c, "tar_in", fdName(r), remotedir)
	r.Close() // if the daemon has refused, this ends the archiver
	if merr := <-made; merr != nil && !errors.Is(merr, os.ErrClosed) && !errors.Is(merr, syscall.EPIPE) {
		return merr
	}
	return err
}

// fdName is a name under which an open file can be opened again.
func fdName(f *os.File) string { return fmt.Sprintf("/dev/fd/%d", f.Fd()) }

// CopyOut fetches a file, or a tree as a tar archive that is unpacked on the
// way. Links in the tree do not lead out of the local directory.
func (h Actions) CopyOut(c *Call, remotepath, localdir string) error {
	if fi, err := os.Stat(localdir); err != nil || !fi.IsDir() {
		return fmt.Errorf("target ‘%s’ is not a directory", localdir)
	}
	base := remotepath[strings.LastIndex(strings.TrimRight(remotepath, "/"), "/")+1:]
	local := filepath.Join(localdir, base)
	isFile, err := call[bool](h.Handle, c, "is_file", remotepath)
	if err != nil {
		return err
	}
	if isFile {
		_, err := h.do(c, "download", remotepath, local)
		return err
	}
	isDir, err := call[bool](h.Handle, c, "is_dir", remotepath)
	if err != nil {
		return err
	}
	if !isDir {
		return fmt.Errorf("‘%s’ is not a file or directory", remotepath)
	}
	if err := os.Mkdir(local, 0o777); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("mkdir: %s: %w", local, errnoOf(err))
	}
	root, err := os.OpenRoot(local)
	if err != nil {
		return fmt.Errorf("%s: %w", local, errnoOf(err))
	}
	defer root.Close()
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
		res, err := untar.Extract(r, hostOptions(root))
		if err == nil {
			io.Copy(io.Discard, r)
		}
		r.Close() // if unpacking has failed, this ends the transfer
		done <- unpacked{res, err}
	}()
	_, err = h.do(c, "tar_out", remotepath, fdName(w))
	w.Close()
	u := <-done
	switch {
	case u.error != nil && (err == nil || !errors.Is(u.error, io.ErrUnexpectedEOF)):
		return fmt.Errorf("%s: %w", local, u.error)
	case err != nil:
		return err
	case len(u.Complaints) > 0:
		return fmt.Errorf("%s: %s", local, strings.Join(u.Complaints, "; "))
	}
	return nil
}

// hostOptions unpack below root: owners only as root, who also keeps all of the
// permission bits.
func hostOptions(root *os.Root) untar.Options {
	super := os.Geteuid() == 0
	return untar.Options{
		Owner: super,
		Umask: !super,
		Parent: func(name string) (*os.File, string, error) {
			dir, err := root.Open(filepath.Dir(name))
			return dir, filepath.Base(name), err
		},
	}
}
