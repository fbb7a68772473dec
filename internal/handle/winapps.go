package handle

import (
	"fmt"

	"gofish/internal/api"
	"gofish/internal/inspect"
)

// maxSoftware is the size of the largest hive SOFTWARE that is read: several times
// an old and busy Windows has.
const maxSoftware = 512 << 20

// windowsApplications lists the applications of a Windows, and none of a system without a
// packages.
func (h Actions) windowsApplications(c *Call, root string) ([]api.Application2, error) {
	typ, err := c.InspectGetType(c, root)
	if err != nil || typ != "windows" {
		return []api.Application2{}, err
	}
	path, err := c.InspectGetWindowsSoftwareHive(c, root)
	if err != nil {
		return nil, err
	}
	b, err := h.readBounded(c, path, maxSoftware)
	if err != nil {
		return nil, err
	}
	list, err := inspect.WindowsApplications(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}
