package inspect

import "strings"

// systemRoots are where Windows has been installed by default, by version.
var systemRoots = []string{"/windows", "/winnt", "/win32", "/win", "/reactos"}

// systemRoot finds the directory of Windows, as it is spelled on the disk.
func systemRoot(g *Guest) string {
	for _, dir := range append(systemRoots, bootIni(g)...) {
		root := g.fold(dir)
		if root != "" && g.fold(root+"/system32") != "" && (g.fold(root+"/system32/config") != "" || g.fold(root+"/system32/cmd.exe") != "") {
			return root
		}
	}
	return ""
}

// bootIni returns the directories that the boot loader of Windows XP and before
// offers: lines such as multi(0)disk(0)rdisk(0)partition(1)\WINDOWS="Windows XP".
func bootIni(g *Guest) []string {
	var l []string
	name := g.fold("/boot.ini")
	if name == "" {
		return nil
	}
	for _, line := range g.lines(name) {
		_, rest, ok := strings.Cut(line, `)\`)
		if !ok {
			continue
		}
		if dir, _, ok := strings.Cut(rest, "="); ok && dir != "" && !strings.Contains(dir, "..") {
			l = append(l, "/"+strings.ReplaceAll(strings.TrimSpace(dir), `\`, "/"))
		}
	}
	return l
}

func isWindows(g *Guest) bool { return systemRoot(g) != "" }

// windows describes a Windows system drive. Without a registry reader, what is
// in the registry is left out.
func windows(g *Guest, o *OS) {
	root := systemRoot(g)
	w := &Windows{SystemRoot: root}
	o.Type, o.Distro, o.Windows = "windows", "windows", w
	hive := func(name string) string {
		if p := g.fold(root + "/system32/config/" + name); p != "" && g.isFile(p) {
			return p
		}
		return ""
	}
	w.SoftwareHive, w.SystemHive = hive("software"), hive("system")
	for _, p := range []string{"/system32/cmd.exe", "/explorer.exe"} {
		if f := g.fold(root + p); f != "" {
			if o.Arch = g.Architecture(f); o.Arch != "" {
				break
			}
		}
	}
	w.GroupPolicy = g.fold(root+"/system32/GroupPolicy") != "" && g.fold(root+"/system32/GroupPolicy/gpt.ini") != ""
	if g.Registry == nil {
		return
	}
	if w.SoftwareHive != "" {
		if r, err := g.Registry(w.SoftwareHive); err == nil {
			o.software(r)
		}
	}
	if w.SystemHive != "" {
		if r, err := g.Registry(w.SystemHive); err == nil {
			o.system(g, r)
		}
	}
}

// software reads the version of Windows.
func (o *OS) software(r Registry) {
	const key = `Microsoft\Windows NT\CurrentVersion`
	text := func(name string) string { t, _, _ := r.Value(key, name); return t }
	o.Product = text("ProductName")
	o.Variant = text("InstallationType")
	o.BuildID = text("CurrentBuildNumber")
	number := func(name string) (int, bool) {
		_, raw, ok := r.Value(key, name)
		if !ok || len(raw) != 4 {
			return 0, false
		}
		return int(raw[0]) | int(raw[1])<<8 | int(raw[2])<<16 | int(raw[3])<<24, true
	}
	if major, ok := number("CurrentMajorVersionNumber"); ok {
		o.Major = major
		o.Minor, _ = number("CurrentMinorVersionNumber")
		return
	}
	o.setVersion(text("CurrentVersion"))
}

// system reads the control set in use, the host's name and the drive letters.
func (o *OS) system(g *Guest, r Registry) {
	_, raw, ok := r.Value("Select", "Current")
	if !ok || len(raw) < 1 || raw[0] == 0 {
		return
	}
	n := int(raw[0])
	set := "ControlSet" + string([]byte{'0' + byte(n/100%10), '0' + byte(n/10%10), '0' + byte(n%10)})
	o.Windows.ControlSet = set
	for _, v := range []string{"Hostname", "NV Hostname"} {
		if t, _, ok := r.Value(set+`\Services\Tcpip\Parameters`, v); ok && t != "" {
			o.Hostname = t
			break
		}
	}
	for _, name := range r.Values("MountedDevices") {
		l, ok := strings.CutPrefix(strings.ToUpper(name), `\DOSDEVICES\`)
		if !ok || len(l) != 2 || l[1] != ':' {
			continue
		}
		_, raw, _ := r.Value("MountedDevices", name)
		if g.Devices == nil {
			continue
		}
		dev := g.Devices.windowsPartition(raw)
		if dev != "" {
			o.Windows.Drives = append(o.Windows.Drives, Drive{l[:1], dev})
		}
	}
}
