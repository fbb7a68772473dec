package inspect

import (
	"slices"
	"strings"
)

// linux describes a Linux root directory.
func linux(g *Guest, o *OS) {
	o.Type = "linux"
	nix := g.nixSystem()
	switch {
	case g.isFile("/etc/NIXOS") && o.osRelease(g, nix+"/etc/os-release"):
	case o.osRelease(g, "/etc/os-release"), o.osRelease(g, "/usr/lib/os-release"), o.osRelease(g, nix+"/etc/os-release"), o.lsbRelease(g), o.ownFile(g, ""):
	case g.isFile("/etc/NIXOS"):
		o.Distro = "nixos"
	default:
		o.unknown(g, "/etc/os-release")
	}
	o.PackageFormat, o.Manager = packages(o)
	for _, p := range []string{"/bin/bash", "/bin/ls", "/bin/echo", "/bin/rm", "/bin/sh", "/usr/bin/ls", "/usr/bin/bash", nix + "/sw/bin/bash"} {
		if o.Arch = g.Architecture(p); o.Arch != "" {
			break
		}
	}
	o.Hostname = linuxHostname(g)
}

// unknown describes a system by the os-release(5) of a distribution that has no name here.
func (o *OS) unknown(g *Guest, file string) {
	if v := ShellValues(g.lines(file)); v["PRETTY_NAME"] != "" {
		o.Product = v["PRETTY_NAME"]
		o.setVersion(v["VERSION_ID"])
	}
}

// usr describes a /usr that is a separate file system: it says something about the system
// whose root directory does not contain much else.
func usr(g *Guest, o *OS) {
	o.Type = "linux"
	if !o.osRelease(g, "/lib/os-release") {
		o.unknown(g, "/lib/os-release")
	}
	o.PackageFormat, o.Manager = packages(o)
	for _, p := range []string{"/bin/bash", "/bin/ls", "/bin/echo", "/bin/rm", "/bin/sh"} {
		if o.Arch = g.Architecture(p); o.Arch != "" {
			break
		}
	}
}

// coreOS describes the root directory of a CoreOS, which does not say more about itself.
func coreOS(g *Guest, o *OS) {
	linux(g, o)
	if o.Distro == "" {
		o.Distro = "coreos"
	}
}

// linuxHostname: SUSE's file, the usual one, Red Hat's old one.
func linuxHostname(g *Guest) string {
	files := []string{"/etc/HOSTNAME", "/etc/hostname", g.nixSystem() + "/etc/hostname"}
	if g.isFile("/etc/NIXOS") {
		slices.Reverse(files)
	}
	for _, f := range files {
		for _, l := range g.lines(f) {
			if l = strings.TrimSpace(l); l != "" && !strings.HasPrefix(l, "#") {
				return l
			}
		}
	}
	return ShellValues(g.lines("/etc/sysconfig/network"))["HOSTNAME"]
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
