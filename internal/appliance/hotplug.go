package appliance

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// plug adds a drive to a machine, at a SCSI target; name is its file as qemu is
// told it. Errors are *DriveError.
func (m *monitor) plug(d *Drive, target int, name string) error {
	id := fmt.Sprintf("hd%d", target)
	// drive_add takes what -drive takes, overlays included, which blockdev-add
	// does not.
	if err := m.human("drive_add 0 " + quoteHuman(d.option(name, id))); err != nil {
		return &DriveError{target, "qemu: " + err.Error()}
	}
	driver, props := d.device(target, id)
	args := map[string]any{"driver": driver, "id": "dev" + id}
	for _, p := range props {
		args[p.name] = p.value
	}
	if err := m.do("device_add", args, nil); err != nil {
		m.human("drive_del " + id)
		return &DriveError{target, "qemu: " + strings.TrimPrefix(err.Error(), "device_add: ")}
	}
	return nil
}

// Plug adds a drive to the running machine, at a SCSI target that is free. The
// guest finds it by itself a moment later.
func (vm *VM) Plug(d Drive, target int) error {
	name := d.Name
	if d.File != nil {
		// Sets of drives that were there at the start are numbered from fdDrives.
		set := 1<<16 + target
		read, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", d.File.Fd()))
		if err != nil {
			return fmt.Errorf("temporary disk: %w", err)
		}
		defer read.Close()
		for _, f := range []*os.File{d.File, read} {
			if err := vm.mon.doRights("add-fd", map[string]int{"fdset-id": set}, nil, syscall.UnixRights(int(f.Fd()))); err != nil {
				return err
			}
		}
		name = fdset(set)
	}
	return vm.mon.plug(&d, target, name)
}

// unplugLimit is how long a guest may take to let a disk go.
const unplugLimit = 30 * time.Second

// Unplug takes the drive at a SCSI target away. What the guest has written to it
// must have been flushed.
func (vm *VM) Unplug(target int) error {
	id := fmt.Sprintf("hd%d", target)
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
	return nil
}

// awaitDeleted waits until a device is gone. Its event may have come before the
// answer to the command.
func (m *monitor) awaitDeleted(id string) error {
	if m.deleted[id] {
		delete(m.deleted, id)
		return nil
	}
	for {
		msg, err := m.next()
		if err != nil {
			return err
		}
		if m.noteDeleted(msg) == id {
			delete(m.deleted, id)
			return nil
		}
	}
}

// noteDeleted remembers a DEVICE_DELETED event and returns the device's name.
func (m *monitor) noteDeleted(msg qmpMessage) string {
	if msg.Event != "DEVICE_DELETED" {
		return ""
	}
	var data struct {
		Device string `json:"device"`
	}
	if json.Unmarshal(msg.Data, &data) == nil && data.Device != "" {
		m.deleted[data.Device] = true
	}
	return data.Device
}
