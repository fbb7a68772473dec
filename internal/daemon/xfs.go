package daemon

import "errors"

func (d *Daemon) setXFSLabel(dev Device, label string) error {
	return d.onDevice(dev, "xfs_admin", "-L", label, string(dev))
}

func (d *Daemon) xfsMinimumSize(dev Device) (int64, error) {
	return 0, errors.New("TODO")
}
