package unlock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gofish/guestfs/types"
	"gofish/internal/api"
	"gofish/internal/calls"
)

// fake answers calls from a table: a result, an error, or a function of the first argument.
type fake struct {
	answers map[string]any
	calls   []string
}

func (f *fake) Call(_ context.Context, a *api.Action, args, opts []any) (any, error) {
	f.calls = append(f.calls, strings.TrimRight(fmt.Sprintln(append([]any{a.Name}, args...)...), "\n"))
	v := f.answers[a.Name]
	if fn, ok := v.(func(args []any) any); ok {
		v = fn(args)
	}
	if err, ok := v.(error); ok {
		return nil, err
	}
	return v, nil
}

func TestParse(t *testing.T) {
	for arg, want := range map[string]Key{
		"/dev/sda1:key:a:b":                    {ID: "/dev/sda1", Kind: Text, Text: "a:b"},
		"a:b:file:x:key:y":                     {ID: "a:b", Kind: File, Text: "x:key:y"},
		"/dev/disk/by-path/pci-0000:00:key: :": {ID: "/dev/disk/by-path/pci-0000:00", Kind: Text, Text: " :"},
		"all:key:":                             {ID: "all", Kind: Text},
		"/dev/sda2:clevis":                     {ID: "/dev/sda2", Kind: Clevis},
	} {
		if k, err := Parse(arg); err != nil || *k != want {
			t.Errorf("%s: %+v, %v", arg, k, err)
		}
	}
}

func TestIsFor(t *testing.T) {
	find := func(name string) func(args []any) any {
		return func(args []any) any {
			if args[0] == name {
				return "/dev/sda3"
			}
			return errors.New("not found")
		}
	}
	g := calls.Client{Caller: &fake{answers: map[string]any{
		"canonical_device_name": find("/dev/disk/by-label/x"),
		"findfs_label":          find("l"), "findfs_partlabel": find("p l"), "findfs_partuuid": find("1234"),
	}}}
	for id, want := range map[string]bool{
		"/dev/sda3": true, "/dev/sda": false, "all": true, "UUID=AAAA-bbbb": true, "aaaabbbb": true, "aaaa": false,
		"/dev/mapper/luks-aaaa-bbbb": true, "/dev/disk/by-label/x": true, "/dev/disk/by-label/y": false,
		"LABEL=l": true, "LABEL=p l": false, `PARTLABEL="p l"`: true, "PARTUUID=1234": true, "PARTUUID=12": false,
	} {
		k := Key{ID: id}
		if k.isFor(t.Context(), g, Device{"/dev/sda3", "aaaa-bbbb"}) != want {
			t.Errorf("a key for %q is taken for another's: %v", id, !want)
		}
	}
	if name := (Device{Name: "/dev/VG/L_V-1"}).mapper(); name != "cryptVGLV1" {
		t.Error(name)
	}
}

func TestOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("first\nrest"), 0o600); err != nil {
		t.Fatal(err)
	}
	const uuid = "aaaa-bbbb"
	f := &fake{answers: map[string]any{
		"feature_available":     true,
		"list_devices":          []string{"/dev/sda", "/dev/sdb"},
		"list_partitions":       []string{"/dev/sda1", "/dev/sda2", "/dev/sda3", "/dev/sda4"},
		"list_md_devices":       []string{},
		"list_dm_devices":       []string{},
		"lvs":                   []string{"/dev/VG/LV"},
		"read_lines":            []string{"later UUID=x none luks"},
		"canonical_device_name": func(args []any) any { return args[0] },
		"vfs_type": func(args []any) any {
			return map[any]any{"/dev/sda1": "ext4", "/dev/sda2": "crypto_LUKS", "/dev/sda3": errors.New("?"), "/dev/sda4": "crypto_LUKS", "/dev/sdb": "", "/dev/VG/LV": "BitLocker"}[args[0]]
		},
		"luks_uuid": func(args []any) any {
			if args[0] == "/dev/sda4" {
				return &types.Error{Action: "luks_uuid", Text: "/dev/sda4: damaged"}
			}
			return uuid
		},
		"cryptsetup_open": func(args []any) any {
			if args[1] != "first\nrest" && args[1] != "volume" {
				return errors.New("wrong key")
			}
			return nil
		},
	}}
	g := calls.Client{Caller: f}
	r := Keyring{Keys: []*Key{{ID: "/dev/sda9", Text: "no"}, {ID: "AAAA-bbbb", Text: "bad"},
		{ID: "all", Kind: File, Text: file}, {ID: "/dev/VG/LV", Text: "volume"}, {ID: "UUID=9", Text: "later"}, {ID: "later", Text: "x"}}}
	var warnings []string
	r.Warn = func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	all, err := r.Open(t.Context(), g)
	if len(warnings) != 1 || !strings.HasSuffix(warnings[0], "so it is left out: damaged") {
		t.Error(warnings)
	}
	if err != nil || fmt.Sprint(all) != "[/dev/sda2 (UUID aaaa-bbbb) /dev/VG/LV]" {
		t.Fatal(all, err)
	}
	var opens []string
	for _, c := range f.calls {
		if strings.HasPrefix(c, "cryptsetup_open") || strings.HasPrefix(c, "lvm_scan") {
			opens = append(opens, c)
		}
	}
	want := strings.Join([]string{
		"cryptsetup_open /dev/sda2 bad luks-aaaa-bbbb",
		"cryptsetup_open /dev/sda2 first luks-aaaa-bbbb",
		"cryptsetup_open /dev/sda2 first\nrest luks-aaaa-bbbb",
		"cryptsetup_open /dev/VG/LV first cryptVGLV",
		"cryptsetup_open /dev/VG/LV first\nrest cryptVGLV",
		"lvm_scan true",
	}, "|")
	if got := strings.Join(opens, "|"); got != want {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if got := fmt.Sprint(r.Unused(), r.UnusedBy(t.Context(), g)); got != "[/dev/sda9 UUID=9 later] [/dev/sda9 UUID=9]" {
		t.Error(got)
	}

	r.Keys = r.Keys[:2]
	err = r.openDevice(t.Context(), g, Device{"/dev/sda2", uuid})
	if err == nil || err.Error() != "/dev/sda2 (UUID aaaa-bbbb) is encrypted, and no key opens it (for no device here: /dev/sda9)" ||
		fmt.Sprint(errors.Unwrap(err)) != "wrong key" {
		t.Errorf("no key fits: %v", err)
	}
	r.Keys = r.Keys[:1]
	if err = r.openDevice(t.Context(), g, Device{"/dev/sda2", uuid}); err == nil || err.Error() != "/dev/sda2 (UUID aaaa-bbbb) is encrypted, and no key is for it, but for /dev/sda9" {
		t.Errorf("nobody knows the key: %v", err)
	}
}
