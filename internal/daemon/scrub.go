package daemon

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

func (d Actions) ScrubDevice(device Device) error { return d.onDevice(device, "scrub", string(device)) }

func (d Actions) ScrubFile(file Path) error {
	st, err := d.root.Stat(file)
	if err != nil {
		return wrap(err, "%s", file)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return fmt.Errorf("%s: not a regular file", file)
	}
	return d.onFile(file, "scrub", "-r")
}

func (d Actions) ScrubFreespace(dir Path) error {
	if _, err := d.root.Lstat(dir); err == nil {
		return wrap(syscall.EEXIST, "%s", dir)
	}
	name, err := d.root.HostNew(dir)
	if err != nil {
		return wrap(err, "%s", dir)
	}
	return prefixed(d.run("scrub", "-X", name), string(dir))
}
