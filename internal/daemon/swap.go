package daemon

import (
	"errors"
	"fmt"
	"regexp"

	"gofish/guestfs/types"
)

// swapLabelMax is the space for a label in the header of swap space.
const swapLabelMax = 16

func checkSwapLabel(label string) error {
	if len(label) > swapLabelMax {
		return fmt.Errorf("%s: Linux swap labels are limited to %d bytes", label, swapLabelMax)
	}
	return nil
}

func (d *Daemon) setSwapLabel(dev Device, label string) error {
	if err := checkSwapLabel(label); err != nil {
		return err
	}
	return d.run("swaplabel", "-L", label, string(dev))
}

var plainUUID = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

func (d *Daemon) setSwapUUID(dev Device, uuid string) error {
	if err := checkUUID(uuid); err != nil {
		return err
	}
	return d.run("swaplabel", "-U", uuid, string(dev))
}

func (d Actions) Mkswap(device Device, o types.MkswapOptions) error {
	b := argBuilder{args: []string{"mkswap", "-f"}}
	if o.Label != nil {
		if err := checkSwapLabel(*o.Label); err != nil {
			return err
		}
	}
	b.text("-L", o.Label)
	b.text("-U", o.UUID)
	return d.deviceError(d.format(device, append(b.args, string(device))...), device)
}

func (d Actions) MkswapL(label string, device Device) error {
	return d.Mkswap(device, types.MkswapOptions{Label: &label})
}

func (d Actions) MkswapU(uuid string, device Device) error {
	return d.Mkswap(device, types.MkswapOptions{UUID: &uuid})
}

func (d Actions) MkswapFile(path Path) error {
	return d.onFile(path, "mkswap", "-f")
}

func (d Actions) SwaponFile(file Path) error  { return d.onFile(file, "swapon") }
func (d Actions) SwapoffFile(file Path) error { return d.onFile(file, "swapoff") }

func (d Actions) SwaponDevice(device Device) error {
	return d.onDevice(device, "swapon", string(device))
}
func (d Actions) SwapoffDevice(device Device) error {
	return d.onDevice(device, "swapoff", string(device))
}

func (d Actions) SwaponLabel(label string) error  { return d.onSwap("swapon", "LABEL", label) }
func (d Actions) SwapoffLabel(label string) error { return d.onSwap("swapoff", "LABEL", label) }
func (d Actions) SwaponUuid(uuid string) error    { return d.onSwap("swapon", "UUID", uuid) }
func (d Actions) SwapoffUuid(uuid string) error   { return d.onSwap("swapoff", "UUID", uuid) }

// onSwap runs a tool on the swap space with a label or a UUID. The tools could
// find it themselves only with udev's links.
func (d *Daemon) onSwap(tool, tag, value string) error {
	devs, err := d.devices.Tagged(tag, value)
	for _, dev := range devs {
		typ, terr := d.blkidTag(Device(dev), "TYPE")
		if terr == nil && typ == "swap" {
			if err := d.run(tool, dev); err != nil {
				return fmt.Errorf("%s: %w", value, err)
			}
			return nil
		}
	}
	if err == nil {
		err = errors.New(tool + ": cannot find the device for " + value)
	}
	return fmt.Errorf("%s: %w", value, err)
}
