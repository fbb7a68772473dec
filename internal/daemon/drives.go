package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
)

func (d Actions) ListDevices() ([]string, error) { return d.devices.List(), nil }

func (d Actions) NrDevices() (int, error) { return len(d.devices.List()), nil }

// IsWholeDevice reports whether a device is a disk, not a part of one or a volume.
func (d Actions) IsWholeDevice(device Device) (bool, error) {
	name := filepath.Base(string(device))
	if filepath.Dir(string(device)) != "/dev" {
		return false, nil
	}
	_, err := os.Stat("/sys/block/" + name + "/device")
	return err == nil, nil
}

var serialCharacters = regexp.MustCompile(`[^A-Za-z0-9]`)

// ListDiskLabels finds the drives that were added with a label: it is their
// serial number. Their partitions have the same, followed by a number.
func (d Actions) ListDiskLabels() (api.Hash, error) {
	h := api.Hash{}
	for _, name := range d.devices.disks() {
		label := serial(name)
		if label == "" {
			continue
		}
		h = append(h, api.Pair{Key: label, Value: "/dev/" + name})
		for _, n := range d.devices.partitionNumbers(name) {
			part := strconv.Itoa(n)
			h = append(h, api.Pair{Key: label + part, Value: "/dev/" + name + part})
		}
	}
	return h, nil
}

var defaultSerial = regexp.MustCompile(`^hd\d+$`)

func (d Actions) InternalAwaitDisk(target int) error {
	if d.events == nil {
		return errors.New("disks are not plugged into a live guest")
	}
	name, err := d.events.awaitDisk(target)
	if err != nil {
		return err
	}
	d.mendTold(name)
	s := scanned{kinds: map[string]bool{}}
	d.devices.scan(&s, name)
	for _, text := range s.warnings {
		d.warn("%s", text)
	}
	return nil
}

// InternalReleaseDisk flushes a disk that is about to be removed. Opening it
// exclusively fails if something is mounted from it or built on it.
func (d Actions) InternalReleaseDisk(target int) error {
	for _, p := range globAll(fmt.Sprintf("/sys/bus/scsi/devices/*:0:%d:0/block/*", target)) {
		name := filepath.Base(p)
		nodes := []string{name}
		for _, n := range d.devices.partitionNumbers(name) {
			nodes = append(nodes, name+strconv.Itoa(n))
		}
		for _, node := range nodes {
			dev := "/dev/" + node
			fd, err := unix.Open(dev, unix.O_RDONLY|unix.O_EXCL|unix.O_CLOEXEC, 0)
			if err == unix.EBUSY {
				return fmt.Errorf("%s is in use: unmount or deactivate what is on it first", d.devices.Reverse(dev))
			}
			if err != nil {
				return fmt.Errorf("%s: %w", d.devices.Reverse(dev), err)
			}
			err = unix.Fsync(fd)
			unix.Close(fd)
			if err != nil {
				return fmt.Errorf("%s: %w", d.devices.Reverse(dev), err)
			}
		}
		if d.events != nil {
			d.events.drain()
			delete(d.events.disks, target)
		}
	}
	return nil
}
