package commands

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"gofish/internal/handle"
)

// keySelector is one --key: which devices it is for, and where the key is.
type keySelector struct {
	id   string // device, UUID, or "all"
	kind string // "key", "file" or "clevis"
	text string // the key itself, or the file's name

	device string // what the actions call the device of id, once asked
	used   bool   // it was for some device
}

// addKey reads the argument of --key: ID:key:STRING, ID:file:NAME or ID:clevis. The
// first of the three words between colons counts: what follows may hold colons, and
// so may what stands before.
func (o *options) addKey(s *Shell, arg string) error {
	bad := func(what string) error { return s.errorf("selector '%s': %s", arg, what) }
	at, k := len(arg), keySelector{}
	for _, kind := range []string{"key", "file"} {
		if i := strings.Index(arg, ":"+kind+":"); i >= 0 && i < at {
			at, k = i, keySelector{id: arg[:i], kind: kind, text: arg[i+len(kind)+2:]}
		}
	}
	if id, ok := strings.CutSuffix(arg, ":clevis"); ok && k.kind == "" {
		k = keySelector{id: id, kind: "clevis"}
	}
	switch k.kind {
	case "":
		switch _, rest, ok := strings.Cut(arg, ":"); {
		case !ok:
			return bad("missing TYPE")
		case rest == "key":
			return bad("missing KEY_STRING, or too many fields") // as guestfish says it
		case rest == "file":
			return bad("missing FILENAME, or too many fields")
		case strings.HasPrefix(rest, "clevis:"):
			return bad("too many fields")
		}
		return bad("invalid TYPE")
	case "clevis":
		// The key comes from a server, as a rule.
		if err := s.callErr("set_network", true); err != nil {
			return err
		}
	}
	o.keys = append(o.keys, k)
	return nil
}

// encrypted is a device that is: its name, and its UUID if it has one.
type encrypted struct{ device, uuid string }

func (e encrypted) String() string {
	if e.uuid == "" {
		return e.device
	}
	return e.device + " (UUID " + e.uuid + ")"
}

// isFor reports whether a key is for a device. People know it by many names.
func (k *keySelector) isFor(s *Shell, e encrypted) bool {
	id := strings.TrimPrefix(k.id, "UUID=")
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }
	switch {
	case id == "all", id == e.device, e.uuid != "" && plain(id) == plain(e.uuid), id == mapperDir+mapName(e.device, e.uuid):
		return true
	case !strings.HasPrefix(id, "/dev/"):
		return false
	}
	if k.device == "" {
		k.device = id
		if v, err := s.callString("canonical_device_name", id); err == nil {
			k.device = v
		}
	}
	return k.device == e.device
}

const mapperDir = "/dev/mapper/"

// deviceKey is a key to try; Clevis finds its own.
type deviceKey struct {
	text   string
	clevis bool
}

// keysFor lists the keys to try on a device. If no option gives one, the user is
// asked.
func (s *Shell) keysFor(e encrypted) ([]deviceKey, error) {
	var keys []deviceKey
	for i := range s.opts.keys {
		k := &s.opts.keys[i]
		if !k.isFor(s, e) {
			continue
		}
		k.used = true
		switch k.kind {
		case "clevis":
			keys = append(keys, deviceKey{clevis: true})
		case "key":
			keys = append(keys, deviceKey{text: k.text})
		default:
			content, err := os.ReadFile(k.text)
			if err != nil {
				return nil, s.errorf("--key: %s: %s", k.text, cause(err))
			}
			// A passphrase in a file is its first line; what is no text is the key as it is.
			first, _, more := strings.Cut(string(content), "\n")
			keys = append(keys, deviceKey{text: first})
			if more {
				keys = append(keys, deviceKey{text: string(content)})
			}
			if bare, ok := strings.CutSuffix(first, "\r"); ok {
				s.warn("--key: the first line of %s ends as on Windows, in CR LF: if the key does not fit, take the CR away", k.text)
				keys = append(keys, deviceKey{text: bare})
			}
		}
	}
	if len(keys) > 0 {
		return keys, nil
	}
	text, err := s.readKey(e.device)
	if err != nil {
		err = join(s.errorf("%v is encrypted, and no --key is for it%s", e, s.unusedKeys(", but for %s")), err)
	}
	return []deviceKey{{text: text}}, err
}

// unusedKeys names the keys that were for no device, in a text of the given format;
// empty if there is none.
func (s *Shell) unusedKeys(format string) string {
	var ids []string
	for _, k := range s.opts.keys {
		if !k.used && !slices.Contains(ids, k.id) {
			ids = append(ids, k.id)
		}
	}
	if ids == nil {
		return ""
	}
	return fmt.Sprintf(format, strings.Join(ids, ", "))
}

// maxLayers is how often what was opened may hold what is encrypted again.
const maxLayers = 8

// openEncrypted opens whatever is encrypted: disks, partitions, arrays, volumes, and
// what appears in those once they are open.
func (s *Shell) openEncrypted() error {
	lvm, err := s.call("feature_available", []string{"lvm2"})
	if err != nil {
		return err
	}
	tried := map[string]bool{}
	var all []encrypted
	for range maxLayers {
		devices, err := s.mayBeEncrypted(lvm.(bool))
		if err != nil {
			return err
		}
		devices = slices.DeleteFunc(devices, func(dev string) bool { return tried[dev] })
		for _, dev := range devices {
			tried[dev] = true
		}
		opened, err := s.openAll(devices)
		if err != nil {
			return err
		}
		all = append(all, opened...)
		if len(opened) == 0 {
			break
		}
		if lvm.(bool) {
			if err := s.callErr("lvm_scan", true); err != nil {
				return err
			}
		}
	}
	if text := s.unusedKeys("%s"); text != "" {
		here := "nothing is encrypted here"
		if len(all) > 0 {
			here = "encrypted are " + fmt.Sprint(all)
		}
		s.warn("--key %s: there is no such device (%s)", text, here)
	}
	return nil
}

// mayBeEncrypted lists the devices that can hold something.
func (s *Shell) mayBeEncrypted(lvm bool) ([]string, error) {
	actions := []string{"list_partitions", "list_md_devices", "list_dm_devices"}
	if lvm {
		actions = append(actions, "lvs")
	}
	var l []string
	for _, name := range actions {
		devices, err := s.callStrings(name)
		if err != nil {
			return nil, err
		}
		l = append(l, devices...)
	}
	disks, err := s.callStrings("list_devices")
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

// openAll opens those of the devices that are encrypted, and returns them.
func (s *Shell) openAll(devices []string) (opened []encrypted, err error) {
	for _, dev := range devices {
		kind, err := s.callString("vfs_type", dev)
		if _, ok := err.(libError); ok {
			continue // nothing that is known, so nothing to open
		}
		if err != nil {
			return opened, err
		}
		e := encrypted{device: dev}
		switch kind {
		case "crypto_LUKS":
			if e.uuid, err = s.callString("luks_uuid", dev); err != nil {
				return opened, err
			}
		case "BitLocker":
		default:
			continue
		}
		if err := s.openDevice(e); err != nil {
			return opened, err
		}
		opened = append(opened, e)
	}
	return opened, nil
}

// openDevice tries the keys of a device in order.
func (s *Shell) openDevice(e encrypted) error {
	keys, err := s.keysFor(e)
	if err != nil {
		return err
	}
	dev, mapname := e.device, mapName(e.device, e.uuid)
	for _, k := range keys {
		if k.clevis {
			err = s.callErr("clevis_luks_unlock", dev, mapname)
		} else {
			err = s.callErr("cryptsetup_open", dev, k.text, mapname)
		}
		var link *handle.LinkError
		if err == nil || errors.As(err, &link) {
			return err
		}
	}
	return join(err, s.errorf("%v is encrypted, and no key opens it%s: give one with --key '%s:key:KEY' or '%[3]s:file:NAME'", e, s.unusedKeys(" (for no device here: %s)"), dev))
}

// mapName is the name that an opened device gets in /dev/mapper.
func mapName(dev, uuid string) string {
	if uuid != "" {
		return "luks-" + uuid
	}
	return "crypt" + strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			return c
		}
		return -1
	}, strings.TrimPrefix(dev, "/dev/"))
}
