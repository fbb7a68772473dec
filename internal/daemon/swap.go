package daemon

import (
	"errors"
	"fmt"
	"regexp"

	"gofish/guestfs/types"
)

// swapLabelMax is the room for a label in the header of swap space.
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

// checkUUID is for tools that succeed with a bad UUID.
func checkUUID(uuid string) error {
	if !plainUUID.MatchString(uuid) {
		return fmt.Errorf("%s: not a UUID", uuid)
	}
	return nil
}

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
	return d.failed(d.format(device, append(b.args, string(device))...), device)
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

// onFile runs a tool on a file of the guest; links do not lead out of it.
func (d *Daemon) onFile(path Path, args ...string) error {
	return d.toolOnFile(path, &Tool{Args: args})
}

// toolOnFile runs a tool with the file as its last argument.
func (d *Daemon) toolOnFile(path Path, t *Tool) error {
	name, err := d.fileArg(path)
	if err != nil {
		return err
	}
	t.Args = append(t.Args, name)
	if err = oneLine(t.Run(d.call)); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// fileArg is a file or directory of the guest as a tool is told it.
func (d *Daemon) fileArg(path Path) (string, error) {
	st, err := d.root.Stat(path)
	if err == nil {
		err = mayOpen(st)
	}
	if err != nil {
		return "", say(err, "%s", path)
	}
	name, err := d.root.Host(path)
	return name, say(err, "%s", path)
}

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
