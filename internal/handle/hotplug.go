package handle

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"gofish/internal/proto"
)

// plug gives a running appliance a drive and waits until the guest has it.
func (h *Handle) plug(c *Call, d *Drive) error {
	if h.link.vm == nil {
		return errors.New("drives cannot be added to a daemon that is attached to")
	}
	if d.options.Virtio {
		return errors.New("iface:virtio is only possible before launch")
	}
	v, err := d.open(c, h.Settings.tmpDir(), h.chainOf(d))
	if err != nil {
		return err
	}
	if v.File != nil {
		defer v.File.Close()
	}
	if err := h.link.vm.Plug(v, d.target); err != nil {
		return errors.New(h.explainDrive(d, err))
	}
	d.sized()
	if err = c.InternalAwaitDisk(c, d.target); isUnknownProcedure(err) {
		err = h.awaitCount(c, len(h.drives)+1)
	}
	if err != nil {
		h.link.vm.Unplug(d.target)
	}
	return err
}

// awaitCount waits until a daemon that is not ours lists n disks.
func (h *Handle) awaitCount(c *Call, n int) error {
	for range 100 {
		disks, err := c.ListDevices(c)
		if err != nil || len(disks) >= n {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return fmt.Errorf("the appliance does not see the new disk")
}

// unplug takes a drive out of a running appliance, if nothing uses it.
func (h *Handle) unplug(c *Call, d *Drive) error {
	if h.link.vm == nil {
		return errors.New("drives cannot be taken from a daemon that is attached to")
	}
	if err := c.InternalReleaseDisk(c, d.target); err != nil {
		if !isUnknownProcedure(err) {
			var ce *CallError
			if errors.As(err, &ce) {
				ce.Action = c.Action.Name
			}
			return err
		}
		if err := c.Sync(c); err != nil {
			return err
		}
	}
	return h.link.vm.Unplug(d.target)
}

// isUnknownProcedure recognises the answer of a daemon that lacks an action.
func isUnknownProcedure(err error) bool {
	var ce *CallError
	return errors.As(err, &ce) && strings.Contains(ce.Text, proto.UnknownProcedure)
}
