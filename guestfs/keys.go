package guestfs

import (
	"context"

	"gofish/internal/unlock"
)

// LockedError means that a device is encrypted and no key opened it.
type LockedError = unlock.Error

// Passphrase opens encrypted devices when Open or Unlock finds them. device is a name in
// the appliance, a UUID, a tag such as PARTLABEL=x, a name in the guest's crypttab, or "all".
// Keys are tried in the order in which they are given.
func Passphrase(device, text string) Option { return key(&unlock.Key{ID: device, Text: text}) }

// KeyFile is like Passphrase, with the key in a file of the host: its first line, or the
// whole file.
func KeyFile(device, file string) Option {
	return key(&unlock.Key{ID: device, Kind: unlock.File, Text: file})
}

// Clevis is like Passphrase, but Clevis in the appliance gets the key, usually from a server.
// It gives the appliance a network.
func Clevis(device string) Option {
	return func(c *config) {
		Network(c)
		key(&unlock.Key{ID: device, Kind: unlock.Clevis})(c)
	}
}

// AskKey calls ask for the key of a device that no other key matches. The error of Open or
// Unlock wraps its error. The function must not use the handle.
func AskKey(ask func(device string) (string, error)) Option {
	return func(c *config) { c.keys.Ask = ask }
}

func key(k *unlock.Key) Option {
	return func(c *config) { c.keys.Keys = append(c.keys.Keys, k) }
}

// Unlock opens all encrypted devices (LUKS and BitLocker, in disks, partitions, arrays and
// volumes, nested or not) with the keys that the handle was made with. It returns the
// names of the devices that were. The error of one that stays locked is a *LockedError.
func (g *Handle) Unlock(ctx context.Context) (devices []string, err error) {
	ring := g.keys
	ring.Warn = g.h.Warn
	all, err := ring.Open(ctx, g.calls)
	for _, d := range all {
		devices = append(devices, d.Name)
	}
	return devices, err
}
