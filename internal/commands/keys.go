package commands

import (
	"errors"
	"os"
	"strings"

	"gofish/internal/handle"
)

// keySelector is one --key: which devices it is for, and where the key is.
type keySelector struct {
	id   string // device, UUID, or "all"
	kind string // "key", "file" or "clevis"
	text string // the key itself, or the file's name
}

// addKey reads the argument of --key: ID:key:STRING, ID:file:NAME or ID:clevis.
func (o *options) addKey(s *Shell, arg string) error {
	f := strings.Split(arg, ":")
	bad := func(what string) error { return s.errorf("selector '%s': %s", arg, what) }
	if len(f) < 2 {
		return bad("missing TYPE")
	}
	k := keySelector{id: keyID(f[0]), kind: f[1]}
	switch k.kind {
	case "key", "file":
		if len(f) != 3 {
			return bad(map[string]string{"key": "missing KEY_STRING, or too many fields", "file": "missing FILENAME, or too many fields"}[k.kind])
		}
		k.text = f[2]
	case "clevis":
		if len(f) != 2 {
			return bad("too many fields")
		}
		// The key comes from a server, as a rule.
		if err := s.callErr("set_network", true); err != nil {
			return err
		}
	default:
		return bad("invalid TYPE")
	}
	o.keys = append(o.keys, k)
	return nil
}

// keyID is the name that actions give a device. /dev/mapper/VG-LV is a logical
// volume; a dash of a name is written twice there.
func keyID(id string) string {
	name, ok := strings.CutPrefix(id, "/dev/mapper/")
	if !ok {
		return id
	}
	for i := 1; i+1 < len(name); i++ {
		if name[i] != '-' {
			continue
		}
		if name[i+1] != '-' {
			undouble := strings.NewReplacer("--", "-")
			return "/dev/" + undouble.Replace(name[:i]) + "/" + undouble.Replace(name[i+1:])
		}
		i++
	}
	return id
}

// deviceKey is a key to try; Clevis finds its own.
type deviceKey struct {
	text   string
	clevis bool
}

// keysFor lists the keys to try on a device. If no option gives one, the user is
// asked.
func (s *Shell) keysFor(device, uuid string) ([]deviceKey, error) {
	var keys []deviceKey
	for _, k := range s.opts.keys {
		switch {
		case k.id != "all" && k.id != device && (uuid == "" || !strings.EqualFold(k.id, uuid)):
		case k.kind == "clevis":
			keys = append(keys, deviceKey{clevis: true})
		case k.kind == "key":
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
		}
	}
	if len(keys) > 0 {
		return keys, nil
	}
	text, err := s.readKey(device)
	return []deviceKey{{text: text}}, err
}

// openEncrypted opens every encrypted partition, and then every encrypted
// logical volume, those in the opened partitions included.
func (s *Shell) openEncrypted() error {
	partitions, err := s.callStrings("list_partitions")
	if err != nil {
		return err
	}
	opened, err := s.openAll(partitions)
	if err != nil {
		return err
	}
	if ok, err := s.call("feature_available", []string{"lvm2"}); err != nil || !ok.(bool) {
		return err
	}
	if opened {
		if err := s.callErr("lvm_scan", true); err != nil {
			return err
		}
	}
	volumes, err := s.callStrings("lvs")
	if err != nil {
		return err
	}
	_, err = s.openAll(volumes)
	return err
}

// openAll opens those of the devices that are encrypted, and reports whether any is.
func (s *Shell) openAll(devices []string) (opened bool, err error) {
	for _, dev := range devices {
		kind, err := s.callString("vfs_type", dev)
		if _, ok := err.(libError); ok {
			continue // nothing that is known, so nothing to open
		}
		if err != nil {
			return opened, err
		}
		uuid := ""
		switch kind {
		case "crypto_LUKS":
			if uuid, err = s.callString("luks_uuid", dev); err != nil {
				return opened, err
			}
		case "BitLocker":
		default:
			continue
		}
		if err := s.openDevice(dev, uuid); err != nil {
			return opened, err
		}
		opened = true
	}
	return opened, nil
}

// openDevice tries the keys of a device in order.
func (s *Shell) openDevice(dev, uuid string) error {
	keys, err := s.keysFor(dev, uuid)
	if err != nil {
		return err
	}
	mapname := mapName(dev, uuid)
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
	return join(err, s.errorf("‘%s’ is encrypted, and no key opens it: give one with --key '%[1]s:key:KEY' or '%[1]s:file:NAME'", dev))
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
