package unlock

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"gofish/internal/api"
	"gofish/internal/calls"
)

// Kind says where a key is.
type Kind int

const (
	Text   Kind = iota // it is the text itself
	File               // in a file of the host
	Clevis             // Clevis finds it, as a rule on a server
)

// Key is a key, and which devices it is for.
type Key struct {
	// ID is a device's name, its UUID, a tag such as PARTLABEL=x, its name in the guest's
	// crypttab, or "all".
	ID   string
	Kind Kind
	Text string // the key itself, or the file's name

	device string // what the actions call the device of ID, once asked
	used   bool   // it was for some device
}

// Parse reads a key as guestfish's option --key has it: ID:key:TEXT, ID:file:NAME or
// ID:clevis. The first of the three words between colons counts; the text before and after
// it may contain colons.
func Parse(arg string) (*Key, error) {
	at, k := len(arg), (*Key)(nil)
	for word, kind := range map[string]Kind{":key:": Text, ":file:": File} {
		if i := strings.Index(arg, word); i >= 0 && i < at {
			at, k = i, &Key{ID: arg[:i], Kind: kind, Text: arg[i+len(word):]}
		}
	}
	if id, ok := strings.CutSuffix(arg, ":clevis"); ok && k == nil {
		k = &Key{ID: id, Kind: Clevis}
	}
	_, rest, colon := strings.Cut(arg, ":")
	switch {
	case strings.HasPrefix(arg, ":"):
		return nil, errors.New("missing ID: name the device before the first colon, or say all")
	case k != nil:
		return k, nil
	case !colon:
		return nil, errors.New("missing TYPE")
	case rest == "key":
		return nil, errors.New("missing KEY_STRING, or too many fields") // as guestfish says it
	case rest == "file":
		return nil, errors.New("missing FILENAME, or too many fields")
	case strings.HasPrefix(rest, "clevis:"):
		return nil, errors.New("too many fields")
	}
	return nil, errors.New("invalid TYPE")
}

// isFor reports whether a key matches a device, which people know by many names.
func (k *Key) isFor(ctx context.Context, g calls.Client, d Device) bool {
	id := strings.TrimPrefix(k.ID, "UUID=")
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "-", "")) }
	if id == "all" || id == d.Name || d.UUID != "" && plain(id) == plain(d.UUID) || id == api.MapperDir+d.mapper() {
		return true
	}
	if k.device == "" {
		k.device = resolve(ctx, g, id)
	}
	return k.device == d.Name
}

// resolve is the device with a name or a tag, or the same text if there is none.
func resolve(ctx context.Context, g calls.Client, id string) string {
	find := g.CanonicalDeviceName
	tag, value, _ := strings.Cut(id, "=")
	switch tag {
	case "LABEL":
		find = g.FindfsLabel
	case "PARTLABEL":
		find = g.FindfsPartLabel
	case "PARTUUID":
		find = g.FindfsPartUUID
	default:
		value = id
		if !strings.HasPrefix(id, "/dev/") {
			return id
		}
	}
	if v, err := find(ctx, strings.Trim(value, `"`)); err == nil {
		return v
	}
	return id
}

// name is the name that the key's device may have in the guest's crypttab, or empty if it
// cannot be one. That file can only be read once its device is open.
func (k *Key) name() string {
	name := strings.TrimPrefix(k.ID, api.MapperDir)
	if name == "all" || strings.ContainsAny(name, "/=") || uuidPattern.MatchString(name) {
		return ""
	}
	return name
}

var uuidPattern = regexp.MustCompile(`^([0-9a-fA-F]-?){32}$`)
