package inspect

import (
	"regexp"
	"strings"
)

func freeBSD(g *Guest, o *OS) {
	o.Type, o.Distro = "freebsd", "freebsd"
	if !o.osRelease(g, "/etc/os-release") {
		o.uname(g.firstLine("/etc/motd"), "FreeBSD")
	}
	o.bsd(g, "/etc/rc.conf")
}

func netBSD(g *Guest, o *OS) {
	o.Type, o.Distro = "netbsd", "netbsd"
	o.PackageFormat, o.Manager = "pkgsrc", "pkgsrc"
	o.uname(g.firstLine("/etc/release"), "NetBSD")
	o.bsd(g, "/etc/rc.conf")
}

func openBSD(g *Guest, o *OS) {
	o.Type, o.Distro = "openbsd", "openbsd"
	o.uname(g.firstLine("/etc/motd"), "OpenBSD")
	o.bsd(g, "")
	o.Hostname = g.firstLine("/etc/myname")
}

// uname takes product and version from a line such as "NetBSD 9.3 (GENERIC)", or one
// that welcomes to it.
func (o *OS) uname(line, name string) {
	if _, rest, ok := strings.Cut(line, name); ok {
		o.Product = line
		o.setVersion(rest)
	}
}

// bsd is what the BSDs have in common: names of devices, rc.conf, programs.
func (o *OS) bsd(g *Guest, rc string) {
	for _, p := range []string{"/bin/ls", "/bin/sh", "/bin/cat"} {
		if o.Arch = g.Architecture(p); o.Arch != "" {
			break
		}
	}
	if rc != "" {
		o.Hostname = shellValues(g.lines(rc))["hostname"]
	}
	o.Mounts = g.fstab("/etc/fstab", bsdDevice)
}

// BSD names: a disk, on it perhaps a slice (an MBR partition) and in that a
// partition of a label. ada0s1a, wd0e, sd0a; a GPT partition is ada0p2.
var bsdPattern = regexp.MustCompile(`^(?:ad|ada|da|vtbd|wd|sd|ld|xbd|nvd|nda)(\d+)(?:s(\d+)([a-p])?|p(\d+)|([a-p]))?$`)

// bsdDevice translates the first field of a BSD fstab. The kernel here shows the
// partitions of a label after those of the partition table, from 5 on, leaving out
// the one that stands for the whole (c, and d on NetBSD).
func bsdDevice(g *Guest, spec string) string {
	m := bsdPattern.FindStringSubmatch(strings.TrimPrefix(spec, "/dev/"))
	if m == nil {
		return linuxDevice(g, spec)
	}
	disk := letter(m[1])
	switch {
	case m[4] != "":
		return g.Device("disk", disk+":"+m[4])
	case m[3] != "":
		return g.Device("bsd", disk+":"+m[3])
	case m[2] != "":
		return g.Device("disk", disk+":"+m[2])
	case m[5] != "":
		return g.Device("bsd", disk+":"+m[5])
	}
	return g.Device("disk", disk+":")
}

// Hurd names disks and their partitions by number: hd0s1 is the first of all.
var hurdPattern = regexp.MustCompile(`^/dev/[hsw]d(\d+)(?:s(\d+))?$`)

func hurdDevice(g *Guest, spec string) string {
	if m := hurdPattern.FindStringSubmatch(spec); m != nil {
		return g.Device("disk", letter(m[1])+":"+m[2])
	}
	return linuxDevice(g, spec)
}

func hurd(g *Guest, o *OS) {
	o.Type = "hurd"
	if !o.ownFile(g, "debian") {
		o.Distro = ""
	}
	o.PackageFormat, o.Manager = packages(o)
	for _, p := range []string{"/bin/bash", "/bin/ls", "/hurd/console"} {
		if o.Arch = g.Architecture(p); o.Arch != "" {
			break
		}
	}
	o.Hostname = linuxHostname(g)
	o.Mounts = g.fstab("/etc/fstab", hurdDevice)
}

func minix(g *Guest, o *OS) {
	o.Type = "minix" // there is one distribution, which has no name
	o.PackageFormat, o.Manager = "pkgsrc", "pkgsrc"
	line := g.firstLine("/etc/version")
	if line != "" {
		o.Product = line
		o.setVersion(line)
	}
	for _, p := range []string{"/bin/ls", "/bin/sh", "/service/vm"} {
		if o.Arch = g.Architecture(p); o.Arch != "" {
			break
		}
	}
	if h := g.firstLine("/etc/hostname.file"); h != "" {
		o.Hostname = h
	}
}

func freeDOS(g *Guest, o *OS) {
	*o = OS{Type: "dos", Distro: "freedos", Arch: "i386"}
	for _, f := range []string{"/FDOS/VERSION.FDI", "/FDOS/VERSION"} {
		if name := g.fold(f); name != "" {
			line := g.firstLine(name)
			if i := strings.Index(line, "FreeDOS"); i >= 0 {
				o.Product = line[i:]
				o.setVersion(line)
			}
			break
		}
	}
}

// isMSDOS: its two hidden files and the command interpreter stand in the root.
func isMSDOS(g *Guest) bool {
	return g.fold("/IO.SYS") != "" && g.fold("/MSDOS.SYS") != "" && g.fold("/COMMAND.COM") != ""
}

func msDOS(g *Guest, o *OS) {
	*o = OS{Type: "dos", Distro: "msdos", Arch: "i386"}
}
