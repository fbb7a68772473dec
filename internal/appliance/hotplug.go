package appliance

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// plug adds a drive to a machine, at a SCSI target; name is its file as qemu is
// told it. Errors are *DriveError.
func (m *monitor) plug(d *Drive, target int, name string) error {
	id := driveID(target)
	// drive_add takes what -drive takes, overlays included, which blockdev-add
	// does not.
	if err := m.human("drive_add 0 " + quoteHuman(d.option(name, id))); err != nil {
		return driveError(target, err)
	}
	driver, props := d.device(target, id)
	args := map[string]any{"driver": driver, "id": "dev" + id}
	for _, p := range props {
		args[p.name] = p.value
	}
	if err := m.do("device_add", args, nil); err != nil {
		m.human("drive_del " + id)
		return driveError(target, err)
	}
	return nil
}

// driveError is qemu's error about a drive; a broken link stays a broken link.
func driveError(target int, err error) error {
	var said *qmpError
	if !errors.As(err, &said) {
		return err
	}
	return &DriveError{target, "qemu: " + said.text}
}

// Plug adds a drive to the running machine, at a SCSI target that is free. The
// guest finds it by itself a moment later.
func (vm *VM) Plug(d Drive, target int) error {
	name := d.Name
	if d.File != nil {
		// Sets of drives that were there at the start are numbered from fdDrives.
		set := 1<<16 + target
		files, err := d.fileTwice()
		for _, f := range files {
			defer f.Close()
		}
		if err != nil {
			return err
		}
		for _, f := range files {
			if err := vm.mon.doRights("add-fd", map[string]int{"fdset-id": set}, nil, syscall.UnixRights(int(f.Fd()))); err != nil {
				return err
			}
		}
		name = fdset(set)
	}
	vm.control.SetDeadline(time.Now().Add(plugInLimit))
	defer vm.control.SetDeadline(time.Time{})
	err := vm.mon.giveSecret(&d, target)
	if err == nil {
		err = vm.mon.plug(&d, target, name)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		vm.Kill() // it does nothing else either
		return &DriveError{target, notOpened(plugInLimit)}
	}
	return err
}

// giveSecret makes the object that a drive's secret is read from.
func (m *monitor) giveSecret(d *Drive, target int) error {
	if d.Remote == nil {
		return nil
	}
	args := map[string]string{"qom-type": "secret", "id": SecretID(target), "data": d.Remote.Secret}
	if err := m.do("object-add", args, nil); err != nil {
		return driveError(target, err)
	}
	return nil
}

// unplugLimit is how long a guest may take to let a disk go.
const unplugLimit = 30 * time.Second

// Unplug takes the drive at a SCSI target away. What the guest has written to it
// must have been flushed.
func (vm *VM) Unplug(target int) error {
	id := driveID(target)
	if err := vm.mon.do("device_del", map[string]string{"id": "dev" + id}, nil); err != nil {
		return err
	}
	vm.control.SetReadDeadline(time.Now().Add(unplugLimit))
	defer vm.control.SetReadDeadline(time.Time{})
	if err := vm.mon.awaitDeleted("dev" + id); err != nil {
		return fmt.Errorf("qemu does not let the drive go: %w", err)
	}
	// The drive goes with its device; if it has not, this says so.
	vm.mon.human("drive_del " + id)
	vm.mon.do("object-del", map[string]string{"id": SecretID(target)}, nil) // of a drive that had one
	return nil
}

// awaitDeleted waits until a device is gone. Its event may have come before the
// answer to the command.
func (m *monitor) awaitDeleted(id string) error {
	for !m.deleted[id] {
		msg, err := m.next()
		if err != nil {
			return err
		}
		m.noteEvent(msg)
	}
	delete(m.deleted, id)
	return nil
}

// noteDeleted remembers a DEVICE_DELETED event.
func (m *monitor) noteDeleted(msg qmpMessage) {
	if msg.Event != "DEVICE_DELETED" {
		return
	}
	var data struct {
		Device string `json:"device"`
	}
	if json.Unmarshal(msg.Data, &data) == nil && data.Device != "" {
		m.deleted[data.Device] = true
	}
}
