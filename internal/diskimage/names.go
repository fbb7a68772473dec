package diskimage

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// Place is where a name in an image leads.
type Place struct {
	Path     string // a file of this host; empty if it is none
	Protocol string // qemu's way to reach anything but a plain file: nbd, http, …
	Relative bool   // the name is relative to the image's folder, without ".."
	Format   string // that the name itself gives
}

// Resolve finds what a name in an image means to qemu (block.c, path_combine and
// path_has_protocol): beside the image, unless it begins with / or has a protocol.
// What begins with json: may name several places.
func Resolve(image, name string) ([]Place, error) {
	if text, ok := strings.CutPrefix(name, "json:"); ok {
		return resolveJSON(text)
	}
	if rest, ok := strings.CutPrefix(name, "file:"); ok {
		// qemu looks for a relative one in the folder in which it runs.
		path, err := filepath.Abs(rest)
		return []Place{{Path: path}}, err
	}
	if i := strings.IndexAny(name, ":/"); i >= 0 && name[i] == ':' {
		return []Place{{Protocol: name[:i]}}, nil
	}
	if strings.HasPrefix(name, "/") {
		return []Place{{Path: name}}, nil
	}
	climbs := slices.Contains(strings.Split(name, "/"), "..")
	// Not cleaned: what x/.. is depends on where a link x leads.
	return []Place{{Path: image[:strings.LastIndex(image, "/")+1] + name, Relative: !climbs}}, nil
}

// maxJSON bounds what a name may hold; qemu's header has room for 1,023 bytes.
const maxJSON = 64 << 10

// resolveJSON finds the files in the options that follow json:. Nested objects and
// keys with dots mean the same.
func resolveJSON(text string) ([]Place, error) {
	if len(text) > maxJSON {
		return nil, errors.New("its options in JSON are too long")
	}
	var options map[string]any
	if err := json.Unmarshal([]byte(text), &options); err != nil {
		return nil, fmt.Errorf("its options in JSON cannot be read: %v", err)
	}
	flat := map[string]string{}
	flatten("", options, flat)
	var places []Place
	for key, value := range flat {
		prefix, last := "", key
		if i := strings.LastIndex(key, "."); i >= 0 {
			prefix, last = key[:i+1], key[i+1:]
		}
		switch driver := flat[prefix+"driver"]; {
		case last == "filename" && (driver == "" || localDriver[driver]):
			p := Place{Path: value}
			if driver == "" { // then the name may have a protocol of its own
				l, err := Resolve("", value)
				if err != nil {
					return nil, err
				}
				p = l[0]
			}
			if p.Path != "" {
				path, err := filepath.Abs(p.Path)
				if err != nil {
					return nil, err
				}
				p = Place{Path: path, Format: formatAbove(flat, prefix)}
			}
			places = append(places, p)
		case last == "driver" && remoteDriver(value):
			places = append(places, Place{Protocol: value})
		}
	}
	if len(places) == 0 {
		return nil, errors.New("its options in JSON name no file")
	}
	slices.SortFunc(places, func(a, b Place) int { return strings.Compare(a.Path+a.Protocol, b.Path+b.Protocol) })
	return places, nil
}

// localDriver are qemu's drivers whose filename is one of the host.
var localDriver = map[string]bool{"file": true, "host_device": true, "host_cdrom": true}

// remoteDriver reports whether a driver has its own way to reach its data, rather
// than through a file below it.
func remoteDriver(driver string) bool {
	return !localDriver[driver] && driver != "raw" && Extensions[driver] == nil
}

// formatAbove is the driver of the node whose file a filename belongs to.
func formatAbove(flat map[string]string, prefix string) string {
	if above, ok := strings.CutSuffix(prefix, "file."); ok {
		return flat[above+"driver"]
	}
	return "raw" // the file itself is opened, without a format
}

func flatten(prefix string, v any, to map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			flatten(strings.TrimPrefix(prefix+"."+key, "."), value, to)
		}
	case []any:
		for i, value := range v {
			flatten(fmt.Sprintf("%s.%d", prefix, i), value, to)
		}
	case string:
		to[prefix] = v
	}
}
