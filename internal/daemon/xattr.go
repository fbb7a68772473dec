package daemon

import (
	"errors"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
)

// xattrCalls are the system calls for extended attributes: those that follow a
// link at the end of the path, and those that do not.
type xattrCalls struct {
	list   func(string, []byte) (int, error)
	get    func(string, string, []byte) (int, error)
	set    func(string, string, []byte, int) error
	remove func(string, string) error
}

var (
	xattrsOfTarget = xattrCalls{unix.Listxattr, unix.Getxattr, unix.Setxattr, unix.Removexattr}
	xattrsOfLink   = xattrCalls{unix.Llistxattr, unix.Lgetxattr, unix.Lsetxattr, unix.Lremovexattr}
)

// names lists a file's attributes.
func (x xattrCalls) names(p string) ([]string, error) {
	buf, err := sized(func(b []byte) (int, error) { return x.list(p, b) })
	if err != nil || len(buf) == 0 {
		return nil, err
	}
	return strings.Split(strings.TrimSuffix(string(buf), "\x00"), "\x00"), nil
}

func (x xattrCalls) value(p, name string) ([]byte, error) {
	return sized(func(b []byte) (int, error) { return x.get(p, name, b) })
}

// all reads every attribute of a file.
func (x xattrCalls) all(p string) ([]api.Xattr, error) {
	names, err := x.names(p)
	if err != nil {
		return nil, wrap(err, "listxattr: %s", p)
	}
	list := []api.Xattr{}
	for _, n := range names {
		v, err := x.value(p, n)
		if err != nil {
			return nil, wrap(err, "getxattr: %s", n)
		}
		list = append(list, api.Xattr{Attrname: n, Attrval: v})
	}
	return list, nil
}

// sized calls a function that needs a large enough buffer and returns the size
// when it gets none.
func sized(fn func([]byte) (int, error)) ([]byte, error) {
	for {
		n, err := fn(nil)
		if err != nil || n == 0 {
			return nil, err
		}
		buf := make([]byte, n)
		n, err = fn(buf)
		if err == syscall.ERANGE {
			continue // it has grown meanwhile
		}
		return buf[:max(n, 0)], err
	}
}

// copyXattrs copies attributes inside Enter, of the target of a link if follow
// is set. It continues after an attribute that cannot be set and returns the
// first error.
func copyXattrs(src, dest string, follow bool) error {
	x := xattrsOfLink
	if follow {
		x = xattrsOfTarget
	}
	list, first := x.all(src)
	for _, a := range list {
		if err := x.set(dest, a.Attrname, a.Attrval, 0); err != nil && first == nil {
			first = wrap(err, "setxattr: %s", a.Attrname)
		}
	}
	return first
}

func (d Actions) Getxattr(path Path, name string) ([]byte, error) {
	return d.xattr(xattrsOfTarget, path, name)
}
func (d Actions) Lgetxattr(path Path, name string) ([]byte, error) {
	return d.xattr(xattrsOfLink, path, name)
}

func (d *Daemon) xattr(x xattrCalls, path Path, name string) (value []byte, err error) {
	err = d.root.Enter(func() (err error) {
		value, err = x.value(string(path), name)
		return err
	})
	if value == nil {
		value = []byte{}
	}
	return value, wrap(err, "getxattr")
}

func (d Actions) Getxattrs(path Path) ([]api.Xattr, error)  { return d.xattrs(xattrsOfTarget, path) }
func (d Actions) Lgetxattrs(path Path) ([]api.Xattr, error) { return d.xattrs(xattrsOfLink, path) }

func (d *Daemon) xattrs(x xattrCalls, path Path) (list []api.Xattr, err error) {
	err = d.root.Enter(func() (err error) {
		list, err = x.all(string(path))
		return err
	})
	return list, err
}

func (d Actions) Setxattr(xattr, val string, vallen int, path Path) error {
	return d.setxattr(xattrsOfTarget, xattr, val, vallen, path)
}
func (d Actions) Lsetxattr(xattr, val string, vallen int, path Path) error {
	return d.setxattr(xattrsOfLink, xattr, val, vallen, path)
}

func (d *Daemon) setxattr(x xattrCalls, name, val string, vallen int, path Path) error {
	if vallen < 0 || vallen > len(val) {
		return errors.New("vallen must be between 0 and the length of val")
	}
	err := d.root.Enter(func() error { return x.set(string(path), name, []byte(val[:vallen]), 0) })
	return wrap(err, "setxattr")
}

func (d Actions) Removexattr(xattr string, path Path) error {
	return d.removexattr(xattrsOfTarget, xattr, path)
}
func (d Actions) Lremovexattr(xattr string, path Path) error {
	return d.removexattr(xattrsOfLink, xattr, path)
}

func (d *Daemon) removexattr(x xattrCalls, name string, path Path) error {
	return wrap(d.root.Enter(func() error { return x.remove(string(path), name) }), "removexattr")
}

// InternalLxattrlist reads the attributes of many files. In the flat list each
// file begins with an entry without a name whose value is the count of those
// that follow, in decimal with a zero byte; it is empty if the file cannot be read.
func (d Actions) InternalLxattrlist(path Path, names []string) ([]api.Xattr, error) {
	list := []api.Xattr{}
	size := 0
	err := d.root.Enter(func() error {
		for _, name := range names {
			if err := checkFilename(name); err != nil {
				return err
			}
			attrs, err := xattrsOfLink.all(string(path) + "/" + name)
			count := []byte{}
			if err == nil {
				count = append([]byte(strconv.Itoa(len(attrs))), 0)
			}
			list = append(append(list, api.Xattr{Attrval: count}), attrs...)
			for _, a := range attrs {
				if err := d.addSize(&size, 16+len(a.Attrname)+len(a.Attrval)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return list, err
}
