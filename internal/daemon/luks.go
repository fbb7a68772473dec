package daemon

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/api"
)

// cryptsetup runs a command of cryptsetup. Keys are passed as open files in
// memory, so that they appear in no argument list and on no disk; toolFile(i)
// names the i-th.
func (d *Daemon) cryptsetup(dev Device, keys []string, args ...string) error {
	t := &Tool{Args: append([]string{"cryptsetup", "-q"}, args...)}
	defer func() {
		for _, f := range t.Files {
			f.Close()
		}
	}()
	for _, key := range keys {
		f, err := memoryFile(key)
		if err != nil {
			return err
		}
		t.Files = append(t.Files, f)
	}
	err := t.Run(d.call)
	var te *ToolError
	if errors.As(err, &te) && te.Text == "" && len(keys) > 0 {
		te.Text = "the key does not open it" // in some cases it does not say so
	}
	return d.deviceError(err, dev)
}

// checkMapname refuses names that no device could have, or that one already has.
func checkMapname(name string) error {
	if name == "" || strings.Contains(name, "/") || name == "." || name == ".." || name == "control" {
		return fmt.Errorf("%q cannot be the name of a device in %s: choose another", name, api.MapperDir)
	}
	if unix.Access(api.MapperDir+name, unix.F_OK) == nil {
		return fmt.Errorf("%s%s: device already exists", api.MapperDir, name)
	}
	return nil
}

func (d Actions) CryptsetupOpen(device Device, key, mapname string, o types.CryptsetupOpenOptions) error {
	if err := checkMapname(mapname); err != nil {
		return err
	}
	if o.CryptType == nil {
		typ, err := d.cryptType(device)
		if err != nil {
			return err
		}
		o.CryptType = &typ
	}
	b := argBuilder{args: []string{"--key-file", toolFile(0), "--type", *o.CryptType}}
	b.flag("--readonly", o.ReadOnly)
	b.text("--cipher", o.Cipher)
	return d.cryptsetup(device, []string{key}, append(b.args, "open", "--", string(device), mapname)...)
}

// cryptType detects which kind of encryption a device has, as cryptsetup names it.
func (d *Daemon) cryptType(device Device) (string, error) {
	typ, err := d.blkidTag(device, "TYPE")
	if err != nil {
		return "", err
	}
	switch typ {
	case "crypto_LUKS":
		return "luks", nil
	case "BitLocker":
		return "bitlk", nil
	}
	return "", fmt.Errorf("%s: neither LUKS nor BitLocker: if it is encrypted in another way, name that as crypttype", d.shownDevice(device))
}

func (d Actions) CryptsetupClose(device Device) error {
	name, ok := strings.CutPrefix(string(device), api.MapperDir)
	if !ok {
		return fmt.Errorf("%s: not an opened device: give the name that it got when it was opened, %sNAME", d.shownDevice(device), api.MapperDir)
	}
	return d.cryptsetup(device, nil, "close", "--", name)
}

func (d *Daemon) luksOpen(device Device, key, mapname string, readonly bool) error {
	typ := "luks"
	return Actions{d}.CryptsetupOpen(device, key, mapname, types.CryptsetupOpenOptions{ReadOnly: &readonly, CryptType: &typ})
}

func (d Actions) LuksOpen(device Device, key, mapname string) error {
	return d.luksOpen(device, key, mapname, false)
}

func (d Actions) LuksOpenRo(device Device, key, mapname string) error {
	return d.luksOpen(device, key, mapname, true)
}

func (d Actions) LuksClose(device Device) error { return d.CryptsetupClose(device) }

// luksSlots is how many keys fit into the header of LUKS 2; LUKS 1 has 8.
const luksSlots = 32

// luksSlot turns a number into an argument for cryptsetup, which ignores
// some invalid ones.
func luksSlot(n int) (string, error) {
	if n < 0 || n >= luksSlots {
		return "", fmt.Errorf("keyslot %d: slots go from 0 to %d", n, luksSlots-1)
	}
	return strconv.Itoa(n), nil
}

func (d *Daemon) luksFormat(device Device, key string, keyslot int, options ...string) error {
	slot, err := luksSlot(keyslot)
	if err != nil {
		return err
	}
	return d.cryptsetup(device, []string{key}, append(options, "--key-slot", slot, "luksFormat", "--", string(device), toolFile(0))...)
}

func (d Actions) LuksFormat(device Device, key string, keyslot int) error {
	return d.luksFormat(device, key, keyslot)
}

func (d Actions) LuksFormatCipher(device Device, key string, keyslot int, cipher string) error {
	return d.luksFormat(device, key, keyslot, "--cipher", cipher)
}

func (d Actions) LuksAddKey(device Device, key, newkey string, keyslot int) error {
	slot, err := luksSlot(keyslot)
	if err != nil {
		return err
	}
	return d.cryptsetup(device, []string{key, newkey},
		"--key-file", toolFile(0), "--key-slot", slot, "luksAddKey", "--", string(device), toolFile(1))
}

func (d Actions) LuksKillSlot(device Device, key string, keyslot int) error {
	slot, err := luksSlot(keyslot)
	if err != nil {
		return err
	}
	return d.cryptsetup(device, []string{key}, "--key-file", toolFile(0), "luksKillSlot", "--", string(device), slot)
}

func (d Actions) LuksUuid(device Device) (string, error) {
	out, err := d.output("cryptsetup", "luksUUID", "--", string(device))
	var te *ToolError
	if errors.As(err, &te) && te.Text == "" {
		te.Text = "there is no header of LUKS, or it is damaged"
	}
	return strings.TrimSuffix(out, "\n"), d.deviceError(err, device)
}

func (d Actions) ClevisLuksUnlock(device Device, mapname string) error {
	if err := checkMapname(mapname); err != nil {
		return err
	}
	return d.deviceError(d.run("clevis", "luks", "unlock", "-d", string(device), "-n", mapname), device)
}
