// Mkhives writes the hives SOFTWARE and SYSTEM of a Windows, a cmd.exe, as far as its
// processor can be told, and an explorer.exe with pictures into a folder, for tests:
//
//	mkhives DIR PRODUCT SIGNATURE START
//
// SIGNATURE is the disk's, in hexadecimal, and START the first byte of its partition,
// which become the drive C:.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"gofish/internal/hive"
	"gofish/internal/peicon"
)

func main() {
	if len(os.Args) != 5 {
		fmt.Fprintln(os.Stderr, "usage: mkhives DIR PRODUCT SIGNATURE START")
		os.Exit(2)
	}
	signature, err := strconv.ParseUint(os.Args[3], 16, 32)
	start, err2 := strconv.ParseUint(os.Args[4], 10, 64)
	if err != nil || err2 != nil {
		fmt.Fprintln(os.Stderr, "mkhives:", err, err2)
		os.Exit(1)
	}
	drive := binary.LittleEndian.AppendUint32(nil, uint32(signature))
	drive = binary.LittleEndian.AppendUint64(drive, start)
	// The headers of a PE32+ program for x86-64 (PE format, Microsoft).
	exe := make([]byte, 0x400)
	copy(exe, "MZ")
	exe[0x3c] = 0x40
	copy(exe[0x40:], "PE\x00\x00\x64\x86")
	binary.LittleEndian.PutUint16(exe[0x54:], 240)
	binary.LittleEndian.PutUint16(exe[0x56:], 0x22)
	binary.LittleEndian.PutUint16(exe[0x58:], 0x20b)
	exe[0x58+68], exe[0x58+108] = 3, 16
	if err := os.WriteFile(filepath.Join(os.Args[1], "cmd.exe"), exe, 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "mkhives:", err)
		os.Exit(1)
	}
	picture := peicon.BuildBitmap(21, 63, func(x, y int) [3]byte { return [3]byte{byte(12 * x), byte(4 * y), byte(x * y)} })
	explorer := peicon.Build(false, map[int][]byte{143: picture, 6801: picture})
	if err := os.WriteFile(filepath.Join(os.Args[1], "explorer.exe"), explorer, 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "mkhives:", err)
		os.Exit(1)
	}
	for name, root := range map[string]hive.Node{
		"software": {Name: "software", Subkeys: []hive.Node{
			{Name: "Microsoft", Subkeys: []hive.Node{
				path([]hive.Value{text("ProductName", os.Args[2]), text("CurrentVersion", "6.1"), text("InstallationType", "Client"),
					text("CurrentBuildNumber", "7601")}, "Windows NT", "CurrentVersion"),
				under(uninstall(), "Windows", "CurrentVersion", "Uninstall"),
			}},
			under(uninstall32(), "Wow6432Node", "Microsoft", "Windows", "CurrentVersion", "Uninstall"),
		}},
		"system": {Name: "system", Subkeys: []hive.Node{
			path([]hive.Value{text("Hostname", "winbox")}, "ControlSet001", "Services", "Tcpip", "Parameters"),
			path([]hive.Value{{Name: `\DosDevices\C:`, Type: 3, Data: drive}}, "MountedDevices"),
			path([]hive.Value{number("Current", 1)}, "Select"),
		}},
	} {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), hive.Build(root), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "mkhives:", err)
			os.Exit(1)
		}
	}
}

func text(name, s string) hive.Value {
	return hive.Value{Name: name, Type: hive.TypeString, Data: hive.UTF16(s)}
}

func number(name string, n uint32) hive.Value {
	return hive.Value{Name: name, Type: 4, Data: binary.LittleEndian.AppendUint32(nil, n)}
}

// path is a key with values, below others.
func path(values []hive.Value, names ...string) hive.Node {
	n := hive.Node{Name: names[len(names)-1], Values: values}
	for i := len(names) - 2; i >= 0; i-- {
		n = hive.Node{Name: names[i], Subkeys: []hive.Node{n}}
	}
	return n
}

// under is a key with keys in it, below others.
func under(keys []hive.Node, names ...string) hive.Node {
	n := path(nil, names...)
	at := &n
	for len(at.Subkeys) > 0 {
		at = &at.Subkeys[0]
	}
	at.Subkeys = keys
	return n
}

// uninstall lists applications: whole ones, and what else is found at such a place.
func uninstall() []hive.Node {
	key := func(name string, values ...hive.Value) hive.Node { return hive.Node{Name: name, Values: values} }
	raw := func(name string, typ uint32, data string) hive.Value {
		return hive.Value{Name: name, Type: typ, Data: []byte(data)}
	}
	return []hive.Node{
		key("{0F37D969-1260-419E-B308-EF7D29ABDE20}", text("DisplayName", "Zeta Viewer"), text("DisplayVersion", "2.1.0"),
			text("InstallLocation", `C:\Program Files\Zeta`), text("Publisher", "Zeta & Söhne"), text("URLInfoAbout", "http://zeta.example/"),
			text("Comments", "A viewer"), text("HelpLink", "http://help.example/"), text("URLUpdateInfo", "http://update.example/"),
			text("UninstallString", "unzeta.exe"), number("EstimatedSize", 2048), text("InstallDate", "20130101"), number("VersionMajor", 2)),
		key("Alpha", text("displayname", "Alpha"), number("SystemComponent", 1)),
		key("日本語", text("DisplayName", "日本語 😀"), text("DisplayVersion", "1")),
		key("NoName", text("DisplayVersion", "3")),
		key("EmptyName", text("DisplayName", "")),
		key("beta", raw("DisplayName", hive.TypeExpandString, "%\x00b\x00"), text("DisplayVersion", "")),
		key("unended", raw("DisplayName", hive.TypeString, "a\x00b\x00"), text("DisplayVersion", "7")),
	}
}

func uninstall32() []hive.Node {
	return []hive.Node{
		path([]hive.Value{text("DisplayName", "Alpha for 32 bits"), text("DisplayVersion", "1.32"), text("Comments", "two\nlines")}, "Alpha"),
	}
}
