package inspect

import (
	"regexp"
	"strings"
)

// linux describes a Linux root directory.
func linux(g *Guest, o *OS) {
	o.Type = "linux"
	switch {
	case o.osRelease(g, "/etc/os-release"), o.osRelease(g, "/usr/lib/os-release"), o.lsbRelease(g), o.ownFile(g, ""):
	case g.isFile("/etc/NIXOS"):
		o.Distro = "nixos"
	default:
		// A distribution that nobody knows still has a name.
		if name := shellValues(g.lines("/etc/os-release"))["PRETTY_NAME"]; name != "" {
			o.Product = name
			o.setVersion(shellValues(g.lines("/etc/os-release"))["VERSION_ID"])
		}
	}
	o.PackageFormat, o.Manager = packages(o)
	for _, p := range []string{"/bin/bash", "/bin/ls", "/bin/echo", "/bin/rm", "/bin/sh", "/usr/bin/ls", "/usr/bin/bash", "/run/current-system/sw/bin/bash"} {
		if o.Arch = g.Architecture(p); o.Arch != "" {
			break
		}
	}
	o.Hostname = linuxHostname(g)
	o.Mounts = g.fstab("/etc/fstab", linuxDevice)
}

// usr describes a /usr that is a file system of its own: it tells about the system
// whose root directory has not that much in it.
func usr(g *Guest, o *OS) {
	o.Type = "linux"
	o.osRelease(g, "/lib/os-release")
	o.PackageFormat, o.Manager = packages(o)
	for _, p := range []string{"/bin/bash", "/bin/ls", "/bin/echo", "/bin/rm", "/bin/sh"} {
		if o.Arch = g.Architecture(p); o.Arch != "" {
			break
		}
	}
}

// coreOS describes the root directory of a CoreOS, which does not say more of itself.
func coreOS(g *Guest, o *OS) {
	linux(g, o)
	if o.Distro == "" {
		o.Distro = "coreos"
	}
}

// linuxHostname: SUSE's file, the usual one, Red Hat's old one.
func linuxHostname(g *Guest) string {
	for _, f := range []string{"/etc/HOSTNAME", "/etc/hostname"} {
		for _, l := range g.lines(f) {
			if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
				return l
			}
		}
	}
	return shellValues(g.lines("/etc/sysconfig/network"))["HOSTNAME"]
}

// packages returns the format of packages and the program that manages them.
func packages(o *OS) (format, manager string) {
	switch o.Distro {
	case "fedora":
		if o.Major >= 22 {
			return "rpm", "dnf"
		}
		return "rpm", "yum"
	case "rhel", "centos", "redhat-based", "scientificlinux", "oraclelinux", "rocky", "almalinux", "circle", "msvsphere", "neokylin":
		switch {
		case o.Major >= 8:
			return "rpm", "dnf"
		case o.Major >= 5:
			return "rpm", "yum"
		}
		return "rpm", "up2date"
	case "amazonlinux", "openeuler", "kylin", "openmandriva":
		return "rpm", "dnf"
	case "meego":
		return "rpm", "yum"
	case "altlinux":
		return "rpm", "apt"
	case "mageia", "mandriva":
		return "rpm", "urpmi"
	case "opensuse", "sles", "suse-based":
		return "rpm", "zypper"
	case "pldlinux":
		return "rpm", ""
	case "debian", "ubuntu", "linuxmint", "kalilinux":
		return "deb", "apt"
	case "archlinux":
		return "pacman", "pacman"
	case "gentoo":
		return "ebuild", "portage"
	case "pardus":
		return "pisi", "pisi"
	case "alpinelinux":
		return "apk", "apk"
	case "voidlinux":
		return "xbps", "xbps"
	case "netbsd":
		return "pkgsrc", "pkgsrc"
	}
	return "", ""
}

// fstab reads the file systems that an fstab(5) mounts, in its order. translate
// turns what stands in the first field into a mountable, empty if it is none.
func (g *Guest) fstab(name string, translate func(g *Guest, spec string) string) []Mount {
	var l []Mount
	for _, line := range g.lines(name) {
		f := strings.Fields(line)
		if len(f) < 2 || strings.HasPrefix(f[0], "#") {
			continue
		}
		spec, point, typ, options := unescape(f[0]), unescape(f[1]), "", ""
		if len(f) > 2 {
			typ = f[2]
		}
		if len(f) > 3 {
			options = f[3]
		}
		if typ == "swap" {
			point = ""
		} else if !strings.HasPrefix(point, "/") {
			continue
		}
		// What the kernel makes up is not on a disk.
		if point == "/dev" || point == "/proc" || point == "/sys" || strings.HasPrefix(point, "/dev/") || strings.HasPrefix(point, "/proc/") || strings.HasPrefix(point, "/sys/") {
			continue
		}
		if typ == "iso9660" || strings.HasPrefix(spec, "/dev/cd") || strings.HasPrefix(spec, "/dev/fd") || strings.HasPrefix(spec, "/dev/sr") {
			continue
		}
		m := translate(g, spec)
		if m == "" {
			continue
		}
		if typ == "btrfs" {
			if sub := option(options, "subvol"); sub != "" {
				m = "btrfsvol:" + m + "/" + strings.TrimPrefix(sub, "/")
			}
		}
		if point != "/" {
			point = strings.TrimRight(point, "/")
		}
		l = append(l, Mount{m, point})
	}
	return l
}

// option finds the value of a mount option.
func option(options, name string) string {
	for _, o := range strings.Split(options, ",") {
		if n, v, ok := strings.Cut(o, "="); ok && n == name {
			return v
		}
	}
	return ""
}

// unescape resolves the octal numbers that stand for blanks in an fstab.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// linuxDevice translates the first field of a Linux fstab.
func linuxDevice(g *Guest, spec string) string {
	tag, value, ok := strings.Cut(spec, "=")
	switch {
	case ok && (tag == "UUID" || tag == "LABEL" || tag == "PARTUUID" || tag == "PARTLABEL"):
		return g.Device(tag, strings.Trim(value, `"`))
	case !strings.HasPrefix(spec, "/dev/"):
		return ""
	}
	name := strings.TrimPrefix(spec, "/dev/")
	for prefix, tag := range byLinks {
		if v, ok := strings.CutPrefix(name, prefix); ok {
			return g.Device(tag, unhex(v))
		}
	}
	for _, p := range diskPatterns {
		if m := p.FindStringSubmatch(name); m != nil {
			return g.Device("disk", m[1]+":"+m[2])
		}
	}
	if m := ccissPattern.FindStringSubmatch(name); m != nil {
		return g.Device("disk", letter(m[1])+":"+m[2])
	}
	if dev := mdDevice(g, name); dev != "" {
		return dev
	}
	if dev := g.Device("", spec); dev != "" {
		return dev
	}
	return spec // the system may know more of its devices than there are here
}

// byLinks are udev's folders of links, and what the names in them are.
var byLinks = map[string]string{
	"disk/by-uuid/": "UUID", "disk/by-label/": "LABEL", "disk/by-partuuid/": "PARTUUID", "disk/by-partlabel/": "PARTLABEL",
	"disk/by-id/md-uuid-": "MD_UUID", "disk/by-id/dm-name-": "DM_NAME",
}

// Disks by letter, whatever drives them, and partitions of them; the same disk of a
// guest may have another of these names here.
var (
	diskPatterns = []*regexp.Regexp{
		regexp.MustCompile(`^(?:[hsv]|xv)d([a-z]+)(\d*)$`),
	}
	// Old RAID controllers: cciss/c0d1p2 is disk 1, partition 2.
	ccissPattern = regexp.MustCompile(`^cciss/c\d+d(\d+)(?:p(\d+))?$`)
)

// letter names a disk by its number: 0 is a.
func letter(number string) string {
	n := 0
	for _, c := range number {
		if n = n*10 + int(c-'0'); n > 255 {
			return ""
		}
	}
	if n < 26 {
		return string(rune('a' + n))
	}
	return string(rune('a'+n/26-1)) + string(rune('a'+n%26))
}

var hexPattern = regexp.MustCompile(`\\x[0-9a-fA-F]{2}`)

// unhex resolves udev's way of writing odd characters: \x20 is a blank.
func unhex(s string) string {
	return hexPattern.ReplaceAllStringFunc(s, func(m string) string {
		digit := func(c byte) byte {
			switch {
			case c <= '9':
				return c - '0'
			case c >= 'a':
				return c - 'a' + 10
			}
			return c - 'A' + 10
		}
		return string([]byte{digit(m[2])<<4 | digit(m[3])})
	})
}
