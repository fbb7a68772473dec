// Package unlock opens the encrypted devices of a guest: it finds them, nested ones too, and
// tries the keys that the user has.
package unlock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"gofish/guestfs/types"
	"gofish/internal/calls"
)

// Device is an encrypted device: its name, and its UUID if it has one.
type Device struct{ Name, UUID string }

func (d Device) String() string {
	if d.UUID == "" {
		return d.Name
	}
	return d.Name + " (UUID " + d.UUID + ")"
}

// mapper is the name that the device gets in /dev/mapper when it is open.
func (d Device) mapper() string {
	if d.UUID != "" {
		return "luks-" + d.UUID
	}
	return "crypt" + strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, strings.TrimPrefix(d.Name, "/dev/"))
}

// Keyring holds the available keys, in the order in which they are tried.
type Keyring struct {
	Keys []*Key
	Ask  func(device string) (string, error) // asks for a key where none is given; nil: do not ask
	Warn func(format string, args ...any)
}

func (r *Keyring) warn(format string, args ...any) {
	if r.Warn != nil {
		r.Warn(format, args...)
	}
}

// Error says that a device stays locked.
type Error struct {
	Device Device
	Tried  bool     // there was a key for it
	Unused []string // the IDs of keys that have matched no device so far
	Cause  error    // of the last key, or why there is none
}

func (e *Error) Error() string {
	text := e.Device.String() + " is encrypted, and no key "
	unused := strings.Join(e.Unused, ", ")
	switch {
	case e.Tried && unused != "":
		return text + "opens it (for no device here: " + unused + ")"
	case e.Tried:
		return text + "opens it"
	case unused != "":
		return text + "is for it, but for " + unused
	}
	return text + "is for it"
}

func (e *Error) Unwrap() error { return e.Cause }

// maxLayers limits how deep encrypted devices may be nested.
const maxLayers = 8

// Open opens all encrypted devices: disks, partitions, arrays, volumes, and those that appear
// inside once these are open. It returns all that it found.
func (r *Keyring) Open(ctx context.Context, g calls.Client) (all []Device, err error) {
	lvm, err := g.FeatureAvailable(ctx, []string{"lvm2"})
	if err != nil {
		return nil, err
	}
	tried := map[string]bool{}
	for range maxLayers {
		names, err := candidates(ctx, g, lvm)
		if err != nil {
			return nil, err
		}
		names = slices.DeleteFunc(names, func(dev string) bool { return tried[dev] })
		for _, dev := range names {
			tried[dev] = true
		}
		found, err := r.encrypted(ctx, g, names)
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			if err := r.openDevice(ctx, g, d); err != nil {
				return nil, err
			}
		}
		all = append(all, found...)
		if len(found) == 0 {
			break
		}
		if lvm {
			if err := g.LVMScan(ctx, true); isFatal(ctx, err) {
				return nil, err
			} else if err != nil { // of one group, as a rule; the others are there
				r.warn("not all volume groups can be activated: %s", reason(err, ""))
			}
		}
	}
	return all, nil
}

// candidates lists the devices that can hold something.
func candidates(ctx context.Context, g calls.Client, lvm bool) ([]string, error) {
	lists := []func(context.Context) ([]string, error){g.ListPartitions, g.ListMDDevices, g.ListDMDevices}
	if lvm {
		lists = append(lists, g.LVs)
	}
	var l []string
	for _, list := range lists {
		devices, err := list(ctx)
		if err != nil {
			return nil, err
		}
		l = append(l, devices...)
	}
	disks, err := g.ListDevices(ctx)
	if err != nil {
		return nil, err
	}
	for _, disk := range disks {
		partitioned := slices.ContainsFunc(l, func(dev string) bool {
			rest, ok := strings.CutPrefix(dev, disk)
			return ok && rest != "" && rest[0] >= '0' && rest[0] <= '9'
		})
		if !partitioned {
			l = append(l, disk)
		}
	}
	return l, nil
}

// encrypted lists the encrypted devices among those named, and notes which keys match them.
func (r *Keyring) encrypted(ctx context.Context, g calls.Client, names []string) (found []Device, err error) {
	for _, name := range names {
		kind, err := g.VFSType(ctx, name)
		if err != nil {
			if isFatal(ctx, err) {
				return nil, err
			}
			continue // unknown content, so nothing to open
		}
		d := Device{Name: name}
		var damage error
		switch kind {
		case "crypto_LUKS":
			if d.UUID, damage = g.LUKSUUID(ctx, name); isFatal(ctx, damage) {
				return nil, damage
			}
		case "BitLocker":
		default:
			continue
		}
		for _, k := range r.Keys {
			if k.isFor(ctx, g, d) {
				k.used = true
			}
		}
		if damage != nil { // the system may be on another disk
			r.warn("%s is encrypted with LUKS, but its header cannot be read, so it is left out: %s", name, reason(damage, name))
			continue
		}
		found = append(found, d)
	}
	return found, nil
}

// reason is an error without what it is about.
func reason(err error, device string) string {
	text := err.Error()
	if e := (*types.Error)(nil); errors.As(err, &e) {
		text = e.Text
	}
	return strings.TrimPrefix(text, device+": ")
}

// isFatal reports whether further calls are pointless after an error.
func isFatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.As(err, new(*types.LinkError))
}

// openDevice tries the keys that match a device in order, then those given by a name, which
// may be its name in the guest. If there is none, the user is asked.
func (r *Keyring) openDevice(ctx context.Context, g calls.Client, d Device) error {
	own, err := r.secrets(func(k *Key) bool { return k.isFor(ctx, g, d) })
	if err != nil {
		return err
	}
	named, err := r.secrets(func(k *Key) bool { return k.name() != "" && !k.isFor(ctx, g, d) })
	if err != nil {
		return err
	}
	if l := append(own, named...); len(l) > 0 {
		err = r.try(ctx, g, d, l)
		if err == nil || len(own) > 0 || isFatal(ctx, err) {
			return err
		}
	}
	if r.Ask == nil {
		return &Error{Device: d, Unused: r.Unused(), Cause: err}
	}
	text, err := r.Ask(d.Name)
	if err != nil {
		return &Error{Device: d, Unused: r.Unused(), Cause: err}
	}
	return r.try(ctx, g, d, []secret{{text: text}})
}

// try tries keys on a device until one opens it.
func (r *Keyring) try(ctx context.Context, g calls.Client, d Device, l []secret) (err error) {
	for _, s := range l {
		if s.of != nil && s.of.Kind == Clevis {
			err = g.ClevisLUKSUnlock(ctx, d.Name, d.mapper())
		} else {
			err = g.CryptsetupOpen(ctx, d.Name, s.text, d.mapper())
		}
		if err != nil {
			if isFatal(ctx, err) {
				return err
			}
			continue
		}
		if s.bare {
			r.warn("--key: %s: its first line ends in CR LF, as on Windows: the key is the text before that", s.of.Text)
		}
		if s.of != nil {
			s.of.used = true
		}
		return nil
	}
	return &Error{Device: d, Tried: true, Unused: r.Unused(), Cause: err}
}

// secrets lists the keys for which fits is true, as they are tried.
func (r *Keyring) secrets(fits func(*Key) bool) ([]secret, error) {
	var l []secret
	for _, k := range r.Keys {
		if !fits(k) {
			continue
		}
		more, err := k.secrets()
		if err != nil {
			return nil, err
		}
		l = append(l, more...)
	}
	return l, nil
}

// Unused lists the IDs of the keys that were for no device.
func (r *Keyring) Unused() (ids []string) {
	for _, k := range r.Keys {
		if !k.used && !slices.Contains(ids, k.ID) {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

// UnusedBy is like Unused, but keys for names in the crypttab of the mounted system count as
// used.
func (r *Keyring) UnusedBy(ctx context.Context, g calls.Client) []string {
	if len(r.Unused()) == 0 {
		return nil
	}
	lines, _ := g.ReadLines(ctx, "/etc/crypttab")
	for _, line := range lines {
		for _, k := range r.Keys {
			if w := strings.Fields(line); len(w) > 1 && w[0] == k.name() {
				k.used = true
			}
		}
	}
	return r.Unused()
}

// secret is one thing to try.
type secret struct {
	text string
	of   *Key // nil if the user was asked
	bare bool // with the CR at the end of the line removed
}

// secrets reads what to try for this key.
func (k *Key) secrets() ([]secret, error) {
	switch k.Kind {
	case Clevis:
		return []secret{{of: k}}, nil
	case Text:
		return []secret{{of: k, text: k.Text}}, nil
	}
	content, err := os.ReadFile(k.Text)
	if err != nil {
		return nil, fmt.Errorf("key for %s: %w", k.ID, err)
	}
	// A passphrase in a file is its first line; a binary key is the whole file.
	first, _, more := strings.Cut(string(content), "\n")
	l := []secret{{of: k, text: first}}
	if more {
		l = append(l, secret{of: k, text: string(content)})
	}
	if bare, ok := strings.CutSuffix(first, "\r"); ok {
		l = append(l, secret{of: k, text: bare, bare: true})
	}
	return l, nil
}
