package daemon

import (
	"errors"
	"fmt"
	"io"
	"path"

	"golang.org/x/sys/unix"

	"gofish/internal/cpio"
	"gofish/internal/proto"
)

func (d Actions) InitrdList(path Path) ([]string, error) {
	names := []string{}
	size := 0
	err := d.readInitrd(path, func(name string, _ uint32, _ io.Reader) error {
		names = append(names, name)
		return d.addSize(&size, 8+len(name))
	})
	return names, err
}

var errFound = errors.New("found")

func (d Actions) InitrdCat(initrdpath Path, filename string) ([]byte, error) {
	var content []byte
	err := d.readInitrd(initrdpath, func(name string, mode uint32, r io.Reader) (err error) {
		if cleanMember(name) != cleanMember(filename) || mode&unix.S_IFMT != unix.S_IFREG {
			return nil
		}
		content, err = io.ReadAll(io.LimitReader(r, proto.MaxMessage+1))
		switch {
		case err != nil:
			return err
		case len(content) > proto.MaxMessage:
			return fmt.Errorf("%s:%s: file is too large for the protocol", initrdpath, filename)
		}
		return errFound
	})
	if err == errFound {
		return content, nil
	}
	if err == nil {
		err = wrap(unix.ENOENT, "open: %s:%s", initrdpath, filename)
	}
	return nil, err
}

func cleanMember(name string) string { return path.Clean("/" + name) }

// readInitrd passes the members of an initrd to fn.
func (d *Daemon) readInitrd(p Path, fn func(name string, mode uint32, content io.Reader) error) error {
	f, err := d.openContent(p)
	if err != nil {
		return wrap(err, "%s", p)
	}
	defer f.Close()
	r, err := d.decompress(f)
	if err != nil {
		return wrap(err, "%s", p)
	}
	defer r.Close()
	err = cpio.Each(r, func(name string, mode uint32, _ int64, content io.Reader) error { return fn(name, mode, content) })
	switch err {
	case cpio.ErrNoEnd: // only the end mark is missing
		return nil
	case cpio.ErrFormat:
		return fmt.Errorf("%s: %w", p, err)
	}
	return err
}
