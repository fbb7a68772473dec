package inspect

import (
	"regexp"
	"strconv"
	"strings"
)

// ids are the distributions by the ID of os-release(5).
var ids = map[string]string{
	"alpine": "alpinelinux", "alt": "altlinux", "altlinux": "altlinux", "almalinux": "almalinux", "amzn": "amazonlinux", "arch": "archlinux",
	"archarm": "archlinux", "buildroot": "buildroot", "centos": "centos", "circle": "circle", "cirros": "cirros",
	"coreos": "coreos", "flatcar": "coreos", "debian": "debian", "fedora": "fedora", "freebsd": "freebsd", "frugalware": "frugalware",
	"gentoo": "gentoo", "kali": "kalilinux", "kylin": "kylin", "linuxmint": "linuxmint", "mageia": "mageia", "msvsphere": "msvsphere",
	"manjaro": "archlinux", "neokylin": "neokylin", "nixos": "nixos", "ol": "oraclelinux", "openEuler": "openeuler", "openmandriva": "openmandriva",
	"pardus": "pardus", "pld": "pldlinux", "raspbian": "debian", "rhel": "rhel", "rocky": "rocky", "scientific": "scientificlinux",
	"sled": "sles", "sles": "sles", "sles_sap": "sles", "sle-micro": "sles", "sl-micro": "sles", "suse-microos": "opensuse",
	"opensuse": "opensuse", "slackware": "slackware", "ubuntu": "ubuntu", "void": "voidlinux",
}

func distroOf(id string) string {
	if d, ok := ids[id]; ok {
		return d
	}
	if strings.HasPrefix(id, "opensuse-") {
		return "opensuse"
	}
	return ""
}

var versionPattern = regexp.MustCompile(`(\d+)(?:\.(\d+))?`)

// version takes the first number of a text, and the one after its point.
func version(s string) (major, minor int, ok bool) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return 0, 0, false
	}
	major, err := strconv.Atoi(m[1])
	if err != nil {
		return 0, 0, false
	}
	minor, _ = strconv.Atoi(m[2])
	return major, minor, true
}

func (o *OS) setVersion(s string) {
	if major, minor, ok := version(s); ok {
		o.Major, o.Minor = major, minor
	}
}

// ShellValues reads NAME=VALUE lines as os-release(5) has them.
func ShellValues(lines []string) map[string]string {
	m := map[string]string{}
	for _, l := range lines {
		l = strings.TrimSpace(l)
		name, value, ok := strings.Cut(l, "=")
		if !ok || strings.HasPrefix(l, "#") {
			continue
		}
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			quote := value[0]
			value = value[1 : n-1]
			if quote == '"' {
				value = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, "\\`", "`").Replace(value)
			}
		}
		m[name] = value
	}
	return m
}

// osRelease reads os-release(5). It reports false if it does not say which
// distribution this is.
func (o *OS) osRelease(g *Guest, name string) bool {
	v := ShellValues(g.lines(name))
	distro := distroOf(v["ID"])
	if distro == "" {
		for _, like := range strings.Fields(v["ID_LIKE"]) {
			if distro = distroOf(like); distro != "" {
				break
			}
		}
	}
	if distro == "" {
		return false
	}
	o.Distro = distro
	o.Product = v["PRETTY_NAME"]
	o.BuildID = v["BUILD_ID"]
	if o.Product == "" {
		o.Product = v["NAME"]
	}
	o.setVersion(v["VERSION_ID"])
	if (distro == "debian" || distro == "centos") && o.Minor == 0 {
		// These give the point release only in a separate file.
		o.ownFile(g, distro)
	}
	return true
}

// lsbRelease reads /etc/lsb-release.
func (o *OS) lsbRelease(g *Guest) bool {
	v := ShellValues(g.lines("/etc/lsb-release"))
	switch v["DISTRIB_ID"] {
	case "Ubuntu":
		o.Distro = "ubuntu"
	case "LinuxMint":
		o.Distro = "linuxmint"
	case "Mageia":
		o.Distro = "mageia"
	case "CoreOS":
		o.Distro = "coreos"
	case "MandrivaLinux":
		o.Distro = "mandriva"
	default:
		return false
	}
	o.Product = v["DISTRIB_DESCRIPTION"]
	o.setVersion(v["DISTRIB_RELEASE"])
	return true
}

// releaseFile is a distribution's own file with its name and version in the first line.
type releaseFile struct {
	file   string
	match  string // regular expression that the line must match; empty: any
	distro string
}

// Older systems, and those that say more in a separate file. Files that related
// distributions also have, for compatibility, come last.
var releaseFiles = []releaseFile{
	{"/etc/oracle-release", `^Oracle Linux.*release (\d+)`, "oraclelinux"},
	{"/etc/centos-release", `^CentOS.*release (\d+)`, "centos"},
	{"/etc/rocky-release", `^Rocky Linux.*release (\d+)`, "rocky"},
	{"/etc/almalinux-release", `^AlmaLinux.*release (\d+)`, "almalinux"},
	{"/etc/altlinux-release", "", "altlinux"},
	{"/etc/openmandriva-release", "", "openmandriva"},
	{"/etc/redhat-release", `^Fedora.*release (\d+)`, "fedora"},
	{"/etc/redhat-release", `^Red Hat.*release (\d+)`, "rhel"},
	{"/etc/redhat-release", `^CentOS.*release (\d+)`, "centos"},
	{"/etc/redhat-release", `^Scientific Linux.*release (\d+)`, "scientificlinux"},
	{"/etc/redhat-release", `^AlmaLinux.*release (\d+)`, "almalinux"},
	{"/etc/redhat-release", `^Rocky Linux.*release (\d+)`, "rocky"},
	{"/etc/redhat-release", "", "redhat-based"},
	{"/etc/debian_version", "", "debian"},
	{"/etc/pardus-release", "", "pardus"},
	{"/etc/arch-release", "", "archlinux"},
	{"/etc/gentoo-release", "", "gentoo"},
	{"/etc/meego-release", "", "meego"},
	{"/etc/slackware-version", "", "slackware"},
	{"/etc/ttylinux-target", "", "ttylinux"},
	{"/etc/SuSE-release", `^(SUSE (Linux|LINUX) Enterprise|Novell Linux Desktop) `, "sles"},
	{"/etc/SuSE-release", `^(openSUSE|SuSE Linux|SUSE LINUX) `, "opensuse"},
	{"/etc/SuSE-release", "", "suse-based"},
	{"/etc/cirros/version", "", "cirros"},
	{"/etc/br-version", "", "buildroot"},
	{"/etc/alpine-release", "", "alpinelinux"},
	{"/etc/frugalware-release", "", "frugalware"},
	{"/etc/pld-release", "", "pldlinux"},
	{"/etc/mageia-release", "", "mageia"},
	{"/etc/openEuler-release", "", "openeuler"},
	{"/etc/kylin-release", "", "kylin"},
}

// updatePattern is how Red Hat called point releases before 5.
var updatePattern = regexp.MustCompile(`release \d+.*Update (\d+)`)

// ownFile looks for a release file.
func (o *OS) ownFile(g *Guest, only string) bool {
	for _, r := range releaseFiles {
		if only != "" && r.distro != only || !g.isFile(r.file) {
			continue
		}
		line := g.firstLine(r.file)
		if r.match != "" && !regexp.MustCompile(r.match).MatchString(line) {
			continue
		}
		o.Distro, o.Product = r.distro, line
		o.Major, o.Minor = 0, 0
		o.setVersion(line)
		if m := updatePattern.FindStringSubmatch(line); m != nil {
			o.Minor, _ = strconv.Atoi(m[1])
		}
		if r.file == "/etc/SuSE-release" {
			o.suse(g)
		}
		return true
	}
	return false
}

// suse takes the version from the lines after the first.
func (o *OS) suse(g *Guest) {
	for _, l := range g.lines("/etc/SuSE-release") {
		name, value, ok := strings.Cut(l, "=")
		n, err := strconv.Atoi(strings.TrimSpace(value))
		if !ok {
			continue
		}
		switch strings.TrimSpace(name) {
		case "VERSION":
			o.setVersion(value)
		case "PATCHLEVEL":
			if err == nil {
				o.Minor = n
			}
		}
	}
}
