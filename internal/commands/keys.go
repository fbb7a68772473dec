package commands

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"gofish/internal/api"
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
	if strings.HasPrefix(arg, ":") {
		return bad("missing ID: name the device before the first colon, or say all")
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
		if err := s.g().SetNetwork(s.ctx, true); err != nil {
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
	case id == "all", id == e.device, e.uuid != "" && plain(id) == plain(e.uuid), id == api.MapperDir+mapName(e.device, e.uuid):
		return true
	case !strings.HasPrefix(id, "/dev/"):
		return false
	}
	if k.device == "" {
		k.device = id
		if v, err := s.g().CanonicalDeviceName(s.ctx, id); err == nil {
			k.device = v
		}
	}
	return k.device == e.device
}

// name is the name that a key's device may have in the crypttab of the guest, empty if
// it cannot be one. Nobody can look there before the device with that file is open.
func (k *keySelector) name() string {
	name := strings.TrimPrefix(k.id, api.MapperDir)
	if name == "all" || strings.ContainsAny(name, "/=") || uuidPattern.MatchString(name) {
		return ""
	}
	return name
}

var uuidPattern = regexp.MustCompile(`^([0-9a-fA-F]-?){32}$`)

// deviceKey is a key to try; Clevis finds its own.
type deviceKey struct {
	text   string
	clevis bool
	of     *keySelector
	bare   bool // without the CR at the end of its line
}

// keysFor lists the keys that are for a device, as fits tells.
func (s *Shell) keysFor(fits func(*keySelector) bool) ([]deviceKey, error) {
	var keys []deviceKey
	for i := range s.opts.keys {
		k := &s.opts.keys[i]
		if !fits(k) {
			continue
		}
		switch k.kind {
		case "clevis":
			keys = append(keys, deviceKey{of: k, clevis: true})
		case "key":
			keys = append(keys, deviceKey{of: k, text: k.text})
		default:
			content, err := os.ReadFile(k.text)
			if err != nil {
				return nil, s.errorf("--key: %s: %s", k.text, cause(err))
			}
			// A passphrase in a file is its first line; what is no text is the key as it is.
			first, _, more := strings.Cut(string(content), "\n")
			keys = append(keys, deviceKey{of: k, text: first})
			if more {
				keys = append(keys, deviceKey{of: k, text: string(content)})
			}
			if bare, ok := strings.CutSuffix(first, "\r"); ok {
				keys = append(keys, deviceKey{of: k, text: bare, bare: true})
			}
		}
	}
	return keys, nil
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
func (s *Shell) openEncrypted() (all []encrypted, err error) {
	lvm, err := s.g().FeatureAvailable(s.ctx, []string{"lvm2"})
	if err != nil {
		return nil, err
	}
	tried := map[string]bool{}
	for range maxLayers {
		devices, err := s.mayBeEncrypted(lvm)
		if err != nil {
			return nil, err
		}
		devices = slices.DeleteFunc(devices, func(dev string) bool { return tried[dev] })
		for _, dev := range devices {
			tried[dev] = true
		}
		found, err := s.encryptedAmong(devices)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			if err := s.openDevice(e); err != nil {
				return nil, err
			}
		}
		all = append(all, found...)
		if len(found) == 0 {
			break
		}
		if lvm {
			if err := s.g().LVMScan(s.ctx, true); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// warnUnusedKeys tells which keys were for nothing: neither for a device nor for a name
// that the system's crypttab has.
func (s *Shell) warnUnusedKeys(all []encrypted) {
	if s.found != nil && s.unusedKeys("%s") != "" {
		lines, _ := s.g().ReadLines(s.ctx, "/etc/crypttab")
		for _, line := range lines {
			for i := range s.opts.keys {
				k := &s.opts.keys[i]
				if w := strings.Fields(line); len(w) > 1 && w[0] == k.name() {
					k.used = true
				}
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
}

// mayBeEncrypted lists the devices that can hold something.
func (s *Shell) mayBeEncrypted(lvm bool) ([]string, error) {
	lists := []func(context.Context) ([]string, error){s.g().ListPartitions, s.g().ListMDDevices, s.g().ListDMDevices}
	if lvm {
		lists = append(lists, s.g().LVs)
	}
	var l []string
	for _, list := range lists {
		devices, err := list(s.ctx)
		if err != nil {
			return nil, err
		}
		l = append(l, devices...)
	}
	disks, err := s.g().ListDevices(s.ctx)
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

// encryptedAmong lists those of the devices that are encrypted, and notes which keys are
// for them.
func (s *Shell) encryptedAmong(devices []string) (found []encrypted, err error) {
	for _, dev := range devices {
		kind, err := s.g().VFSType(s.ctx, dev)
		if _, ok := err.(libError); ok {
			continue // nothing that is known, so nothing to open
		}
		if err != nil {
			return nil, err
		}
		e := encrypted{device: dev}
		switch kind {
		case "crypto_LUKS":
			if e.uuid, err = s.g().LUKSUUID(s.ctx, dev); err != nil {
				return nil, err
			}
		case "BitLocker":
		default:
			continue
		}
		for i := range s.opts.keys {
			if k := &s.opts.keys[i]; k.isFor(s, e) {
				k.used = true
			}
		}
		found = append(found, e)
	}
	return found, nil
}

// openDevice tries the keys of a device in order, then those for names, of which one may be
// its own in the guest. If none is for it, the user is asked.
func (s *Shell) openDevice(e encrypted) error {
	own, err := s.keysFor(func(k *keySelector) bool { return k.isFor(s, e) })
	if err != nil {
		return err
	}
	named, err := s.keysFor(func(k *keySelector) bool { return k.name() != "" && !k.isFor(s, e) })
	if err != nil {
		return err
	}
	var link *handle.LinkError
	if keys := append(own, named...); len(keys) > 0 {
		if err := s.tryKeys(e, keys); err == nil || len(own) > 0 || errors.As(err, &link) {
			return err
		}
	}
	text, err := s.readKey(e.device)
	if err != nil {
		return join(s.errorf("%v is encrypted, and no --key is for it%s", e, s.unusedKeys(", but for %s")), err)
	}
	return s.tryKeys(e, []deviceKey{{text: text}})
}

func (s *Shell) tryKeys(e encrypted, keys []deviceKey) (err error) {
	dev, mapname := e.device, mapName(e.device, e.uuid)
	for _, k := range keys {
		if k.clevis {
			err = s.g().ClevisLUKSUnlock(s.ctx, dev, mapname)
		} else {
			err = s.g().CryptsetupOpen(s.ctx, dev, k.text, mapname)
		}
		var link *handle.LinkError
		if errors.As(err, &link) {
			return err
		}
		if err == nil {
			if k.bare {
				s.warn("--key: the first line of %s ends as on Windows, in CR LF: the key is what stands before that", k.of.text)
			}
			if k.of != nil {
				k.of.used = true
			}
			return nil
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
