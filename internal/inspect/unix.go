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

// uname takes product and version from a line such as "NetBSD 9.3 (GENERIC)", or from
// a welcome text.
func (o *OS) uname(line, name string) {
	if _, rest, ok := strings.Cut(line, name); ok {
		o.Product = line
		o.setVersion(rest)
	}
}

// bsd describes what the BSDs have in common: names of devices, rc.conf, programs.
func (o *OS) bsd(g *Guest, rc string) {
	for _, p := range []string{"/bin/ls", "/bin/sh", "/bin/cat"} {
		if o.Arch = g.Architecture(p); o.Arch != "" {
			break
		}
	}
	if rc != "" {
		o.Hostname = ShellValues(g.lines(rc))["hostname"]
	}
}

// Names of the BSDs and of the Hurd: a disk, on it perhaps a slice (an MBR partition) and
// in that a partition of a label. ada0s1a, wd0e, sd0a, hd0s1; a GPT partition is ada0p2.
var bsdPattern = regexp.MustCompile(`^(ad|ada|da|vtbd|wd|sd|hd|ld|xbd|nvd|nda)(\d+)(?:s(\d+)([a-p])?|p(\d+)|([a-p]))?$`)

// duidPattern is how OpenBSD names a disk by its label's number, and NetBSD the one that
// it was started from.
var duidPattern = regexp.MustCompile(`^([0-9a-f]{16}|ROOT)\.([a-p])$`)

// bsdPartition is where this kernel shows a partition of a BSD label: after the four
// of the partition table, without the one that means the whole disk (c, and d on NetBSD).
func bsdPartition(letter string) int {
	n := int(letter[0] - 'a')
	if n > 2 {
		n--
	}
	return 5 + n
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

// isMSDOS: its two hidden files and the command interpreter are in the root.
func isMSDOS(g *Guest) bool {
	return g.fold("/IO.SYS") != "" && g.fold("/MSDOS.SYS") != "" && g.fold("/COMMAND.COM") != ""
}

func msDOS(g *Guest, o *OS) {
	*o = OS{Type: "dos", Distro: "msdos", Arch: "i386"}
}
