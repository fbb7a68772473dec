package inspect

import (
	"fmt"
	"strings"
)

// Osinfo is the short identifier of a system in libosinfo's database, "unknown"
// if that is not clear. product and build distinguish versions of Windows
// that have the same number.
func Osinfo(o *OS) string {
	switch o.Type {
	case "linux":
		return o.osinfoLinux()
	case "freebsd", "netbsd", "openbsd":
		return fmt.Sprintf("%s%d.%d", o.Type, o.Major, o.Minor)
	case "dos":
		if o.Distro == "msdos" {
			return "msdos6.22"
		}
		if o.Distro == "freedos" && o.Major > 0 {
			return fmt.Sprintf("freedos%d.%d", o.Major, o.Minor)
		}
	case "windows":
		return o.osinfoWindows()
	}
	return "unknown"
}

func (o *OS) osinfoLinux() string {
	switch o.Distro {
	case "", "unknown":
		return "unknown"
	case "archlinux", "gentoo", "voidlinux":
		return o.Distro // no versions
	case "debian", "fedora", "mageia", "rocky", "almalinux", "circle":
		if o.Major > 0 {
			return fmt.Sprintf("%s%d", o.Distro, o.Major)
		}
	case "centos":
		switch {
		case o.Major >= 8:
			return fmt.Sprintf("centos%d", o.Major)
		case o.Major == 7:
			return "centos7.0"
		}
	case "sles":
		if o.Minor == 0 {
			return fmt.Sprintf("sles%d", o.Major)
		}
		return fmt.Sprintf("sles%dsp%d", o.Major, o.Minor)
	case "ubuntu":
		return fmt.Sprintf("ubuntu%d.%02d", o.Major, o.Minor)
	}
	if o.Major > 0 || o.Minor > 0 {
		return fmt.Sprintf("%s%d.%d", o.Distro, o.Major, o.Minor)
	}
	return "unknown"
}

// windowsVersion has the names of one version number, for servers and others.
type windowsVersion struct {
	major, minor   int
	server, client string
}

var windowsVersions = []windowsVersion{
	{5, 1, "winxp", "winxp"},
	{6, 0, "win2k8", "winvista"},
	{6, 1, "win2k8r2", "win7"},
	{6, 2, "win2k12", "win8"},
	{6, 3, "win2k12r2", "win8.1"},
}

func (o *OS) osinfoWindows() string {
	server := strings.Contains(o.Variant, "Server")
	product := func(parts ...string) bool {
		for _, p := range parts {
			if !strings.Contains(o.Product, p) {
				return false
			}
		}
		return true
	}
	for _, v := range windowsVersions {
		if v.major == o.Major && v.minor == o.Minor {
			if server {
				return v.server
			}
			return v.client
		}
	}
	switch {
	case o.Major == 5 && o.Minor == 2 && product("XP"):
		return "winxp"
	case o.Major == 5 && o.Minor == 2 && product("R2"):
		return "win2k3r2"
	case o.Major == 5 && o.Minor == 2:
		return "win2k3"
	case o.Major != 10:
		return "unknown"
	case server:
		for _, year := range []string{"25", "22", "19"} {
			if product("20" + year) {
				return "win2k" + year
			}
		}
		return "win2k16"
	}
	// Windows 11 still says 10, with a build of 22000 or more.
	if major, _, ok := version(o.BuildID); ok && major >= 22000 {
		return "win11"
	}
	return "win10"
}
