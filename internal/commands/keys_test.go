package commands

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeySelectors(t *testing.T) {
	for arg, want := range map[string]string{
		"foo":              "selector 'foo': missing TYPE",
		":key:x":           "selector ':key:x': missing ID: name the device before the first colon, or say all",
		":clevis":          "selector ':clevis': missing ID: name the device before the first colon, or say all",
		"foo:key":          "selector 'foo:key': missing KEY_STRING, or too many fields",
		"foo:key:a:b":      "",
		"a:b:file:x:key:y": "",
		"foo:file":         "selector 'foo:file': missing FILENAME, or too many fields",
		"foo:clevis:x":     "selector 'foo:clevis:x': too many fields",
		"foo:bar:x":        "selector 'foo:bar:x': invalid TYPE",
		"/dev/sda1:key:k":  "",
		"all:file:/k":      "",
		"/dev/sda2:clevis": "",
	} {
		f := &fake{}
		_, errs, status := runShell(t, f, "", "--key", arg, "echo", "x")
		if want == "" {
			expect(t, arg, errs, "")
		} else if expect(t, arg, errs, "gofish: "+want+"\n"); status != 1 {
			t.Errorf("--key %s: status %d", arg, status)
		}
	}
	for arg, want := range map[string]keySelector{
		"/dev/sda1:key:a:b":                    {id: "/dev/sda1", kind: "key", text: "a:b"},
		"a:b:file:x:key:y":                     {id: "a:b", kind: "file", text: "x:key:y"},
		"/dev/disk/by-path/pci-0000:00:key: :": {id: "/dev/disk/by-path/pci-0000:00", kind: "key", text: " :"},
		"all:key:":                             {id: "all", kind: "key"},
	} {
		var o options
		if err := o.addKey(&Shell{prog: &Program{}}, arg); err != nil || o.keys[0] != want {
			t.Errorf("--key %s: %v, %v", arg, o.keys, err)
		}
	}
	s := &Shell{prog: &Program{}, ctx: t.Context(), caller: &fake{answers: map[string]any{"canonical_device_name": func(args []any) any {
		if args[0] == "/dev/disk/by-label/x" {
			return "/dev/sda3"
		}
		return args[0]
	}}}}
	for id, want := range map[string]bool{
		"/dev/sda3": true, "/dev/sda": false, "all": true, "UUID=AAAA-bbbb": true, "aaaabbbb": true, "aaaa": false,
		"/dev/mapper/luks-aaaa-bbbb": true, "/dev/disk/by-label/x": true, "/dev/disk/by-label/y": false,
	} {
		k := keySelector{id: id}
		if k.isFor(s, encrypted{"/dev/sda3", "aaaa-bbbb"}) != want {
			t.Errorf("a key for %q is taken for another's: %v", id, !want)
		}
	}
	expect(t, "name", mapName("/dev/VG/L_V-1", ""), "cryptVGLV1")
}

func TestOpenEncrypted(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("first\nrest"), 0o600); err != nil {
		t.Fatal(err)
	}
	const uuid = "aaaa-bbbb"
	f := &fake{answers: map[string]any{
		"list_devices":          []string{"/dev/sda", "/dev/sdb"},
		"list_partitions":       []string{"/dev/sda1", "/dev/sda2", "/dev/sda3"},
		"list_md_devices":       []string{},
		"list_dm_devices":       []string{},
		"lvs":                   []string{"/dev/VG/LV"},
		"canonical_device_name": func(args []any) any { return args[0] },
		"vfs_type": func(args []any) any {
			return map[any]any{"/dev/sda1": "ext4", "/dev/sda2": "crypto_LUKS", "/dev/sda3": errors.New("?"), "/dev/VG/LV": "BitLocker"}[args[0]]
		},
		"luks_uuid": uuid,
		"cryptsetup_open": func(args []any) any {
			if args[1] != "first\nrest" && args[1] != "volume" {
				return errors.New("wrong key")
			}
			return nil
		},
	}}
	var errs strings.Builder
	s := &Shell{prog: &Program{Name: "gofish", Stderr: &errs}, caller: f, ctx: t.Context(), out: &output{}}
	s.opts.keys = []keySelector{{id: "/dev/sda9", kind: "key", text: "no"}, {id: "AAAA-bbbb", kind: "key", text: "bad"},
		{id: "all", kind: "file", text: file}, {id: "/dev/VG/LV", kind: "key", text: "volume"}}
	all, err := s.openEncrypted()
	if err != nil {
		t.Fatal(err)
	}
	s.warnUnusedKeys(all)
	var opens []string
	for _, c := range f.calls {
		if strings.HasPrefix(c, "cryptsetup_open") || strings.HasPrefix(c, "lvm_scan") {
			opens = append(opens, c)
		}
	}
	expect(t, "calls", strings.Join(opens, "|"), strings.Join([]string{
		"cryptsetup_open /dev/sda2 bad luks-aaaa-bbbb",
		"cryptsetup_open /dev/sda2 first luks-aaaa-bbbb",
		"cryptsetup_open /dev/sda2 first\nrest luks-aaaa-bbbb",
		"cryptsetup_open /dev/VG/LV first cryptVGLV",
		"cryptsetup_open /dev/VG/LV first\nrest cryptVGLV",
		"lvm_scan true",
	}, "|"))
	if !strings.Contains(errs.String(), "--key /dev/sda9: there is no such device (encrypted are [/dev/sda2 (UUID aaaa-bbbb) /dev/VG/LV])") {
		t.Errorf("a key that fits nothing: %q", errs.String())
	}
	s.opts.keys = s.opts.keys[:2]
	err = s.openDevice(encrypted{"/dev/sda2", uuid})
	if err == nil || !strings.Contains(err.Error(), "wrong key") || !strings.Contains(err.Error(), "--key '/dev/sda2:key:KEY'") {
		t.Errorf("no key fits: %v", err)
	}
}
