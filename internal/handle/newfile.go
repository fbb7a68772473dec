package handle

import (
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/newfile"
)

// replacement makes the file that will replace a host file, and returns the name it will
// take. nil: the host file must be written in place, since it is not a regular file, or it
// has more to it than content and permission bits.
func replacement(name string) (n *newfile.File, base string) {
	if strings.HasPrefix(name, "/dev/") {
		return nil, ""
	}
	var st unix.Stat_t
	err := unix.Stat(name, &st)
	there := err == nil
	switch {
	case err == unix.ENOENT:
		if unix.Lstat(name, &st) == nil {
			return nil, "" // a dangling link
		}
	case err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1 || hasAttributes(name) ||
		unix.Access(name, unix.W_OK) != nil:
		return nil, ""
	default:
		if name, err = filepath.EvalSymlinks(name); err != nil {
			return nil, ""
		}
	}
	dir, base := filepath.Split(name)
	if base == "" || base == "." || base == ".." {
		return nil, ""
	}
	if n, err = newfile.CreateIn(filepath.Clean(dir), 0o666); err != nil {
		return nil, "" // a folder that cannot be written; other errors show when the file is opened
	}
	if there && n.Resemble(&st) != nil {
		n.Discard()
		return nil, ""
	}
	return n, base
}

// hasAttributes reports whether a file has an access list or other attributes that a new
// one would lack. A label is given to new files by the system.
func hasAttributes(name string) bool {
	buf := make([]byte, 4096)
	n, err := unix.Listxattr(name, buf)
	if err != nil {
		return err == unix.ERANGE
	}
	for attr := range strings.SplitSeq(strings.TrimRight(string(buf[:n]), "\x00"), "\x00") {
		if attr != "" && attr != "security.selinux" {
			return true
		}
	}
	return false
}
