// Package trust tells whether a folder is safe from other users of the machine.
package trust

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Folder checks that dir is a folder of this user or of root, and that others do not have
// any of the permission bits given: 0o022 if they must not change it, 0o077 if they must
// not look into it either. The error says what is wrong; it is fs.ErrNotExist if there is
// no such folder.
func Folder(dir string, forbidden fs.FileMode) error {
	fi, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner := fi.Sys().(*syscall.Stat_t).Uid
	switch {
	case fi.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s: is a symbolic link", dir)
	case !fi.IsDir():
		return fmt.Errorf("%s: is not a folder", dir)
	case owner != 0 && int(owner) != os.Geteuid():
		return fmt.Errorf("%s: belongs to user %d", dir, owner)
	case fi.Mode()&forbidden&0o022 != 0:
		return fmt.Errorf("%s: others can write here (mode %04o)", dir, fi.Mode().Perm())
	case fi.Mode()&forbidden != 0:
		return fmt.Errorf("%s: others can look in here (mode %04o)", dir, fi.Mode().Perm())
	}
	return nil
}

// SharedName is the folder in which programs of a user find each other. guestfish has
// the same.
func SharedName(uid int) string { return fmt.Sprintf("/tmp/.guestfish-%d", uid) }

// Shared makes that folder of this user, if need be. It must not be anyone else's.
func Shared() (string, error) {
	dir := SharedName(os.Geteuid())
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	if err := Folder(dir, 0o077); err != nil {
		return "", fmt.Errorf("%v: remove it, and a folder that only you can use takes its place", err)
	}
	return dir, nil
}
