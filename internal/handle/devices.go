package handle

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"gofish/internal/api"
)

var diskDevice = regexp.MustCompile(`^/dev/([hsv]d|ubd)([a-z]+)(\d*)$`)

// DeviceIndex is the position that the letters of a disk's name encode. It does not
// check that there is such a disk.
func (h Actions) DeviceIndex(device string) (int, error) {
	m := diskDevice.FindStringSubmatch(device)
	if m == nil || m[3] != "" {
		return 0, &CallError{Text: fmt.Sprintf("%s: device not found", device)}
	}
	n := api.DriveIndex(m[2])
	if n < 0 {
		return 0, &CallError{Text: fmt.Sprintf("%s: device not found", device)}
	}
	return n, nil
}

// DeviceName is the reverse of DeviceIndex, for the drives of the handle.
func (h Actions) DeviceName(index int) (string, error) {
	if index < 0 || index >= len(h.drives) {
		return "", fmt.Errorf("%d: the handle has %d drives, counted from 0", index, len(h.drives))
	}
	return "/dev/sd" + api.DriveLetters(index), nil
}

// CanonicalDeviceName gives a device the name that this API uses for it.
func (h Actions) CanonicalDeviceName(c *Call, device string) (string, error) {
	if m := diskDevice.FindStringSubmatch(device); m != nil {
		return "/dev/sd" + m[2] + m[3], nil
	}
	if strings.HasPrefix(device, "/dev/disk/") || strings.HasPrefix(device, "/dev/md/") {
		if m, err := c.InternalParseMountable(c, device); err == nil {
			return string(m.Device), nil
		}
	}
	if strings.HasPrefix(device, api.MapperDir) || strings.HasPrefix(device, "/dev/dm-") {
		if lv, err := c.LVMCanonicalLVName(c, device); err == nil {
			return lv, nil
		}
	}
	return device, nil
}

// MountableDevice and MountableSubvolume take a mountable apart.
func (h Actions) MountableDevice(c *Call, mountable string) (string, error) {
	m, err := c.InternalParseMountable(c, mountable)
	return string(m.Device), err
}

func (h Actions) MountableSubvolume(c *Call, mountable string) (string, error) {
	m, err := c.InternalParseMountable(c, mountable)
	if err == nil && m.Type != 1 {
		return "", &CallError{Text: "not a btrfs subvolume identifier"}
	}
	return m.Volume, err
}

// Answers of internal_feature_available.
const (
	featureMissing = 1
	featureUnknown = 2
)

func (h Actions) Available(c *Call, groups []string) error {
	for _, g := range groups {
		n, err := h.feature(c, g)
		switch {
		case err != nil:
			return err
		case n == featureMissing:
			return &CallError{Text: g + ": group not available"}
		case n == featureUnknown:
			return &CallError{Text: g + ": unknown group"}
		}
	}
	return nil
}

func (h Actions) FeatureAvailable(c *Call, groups []string) (bool, error) {
	for _, g := range groups {
		n, err := h.feature(c, g)
		switch {
		case err != nil:
			return false, err
		case n == featureMissing:
			return false, nil
		case n == featureUnknown:
			return false, &CallError{Text: g + ": unknown group"}
		}
	}
	return true, nil
}

// feature asks the daemon for a group, once.
func (h *Handle) feature(c *Call, group string) (int, error) {
	if n, ok := h.features[group]; ok {
		return n, nil
	}
	n, err := c.InternalFeatureAvailable(c, group)
	if err != nil {
		var ce *CallError
		if errors.As(err, &ce) && h.State() != Ready {
			ce.Action = c.Action.Name
		}
		return 0, err
	}
	h.features[group] = n
	return n, nil
}
