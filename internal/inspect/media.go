package inspect

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// medium is a way to recognize a medium to install a system from, or to start one from
// that is not installed.
type medium struct {
	is       func(*Guest) bool
	describe func(*Guest, *OS)
}

// media in the order in which they are tried: certain signs before common ones.
var media = []medium{
	{isFile("/.disk/info"), debianMedium},
	{isFile("/.treeinfo"), treeinfo},
	{isFile("/.discinfo"), discinfo},
	{isDir("/media.1"), suseMedium},
	{func(g *Guest) bool {
		return g.isFile("/content") && suseContent(g)["PRODUCT"]+suseContent(g)["LABEL"] != ""
	}, suseMedium},
	{isFile("/.alpine-release"), alpineMedium},
	{func(g *Guest) bool {
		return g.isDir("/arch/boot") || g.isFile("/arch/version") || g.isDir("/arch/x86_64")
	}, archMedium},
	{isDir("/manjaro"), archMedium},
	{isFile("/nix-store.squashfs"), nixMedium},
	{func(g *Guest) bool { return g.isDir("/slackware") || g.isDir("/slackware64") }, slackwareMedium},
	{func(g *Guest) bool { return mageiaProduct(g) != "" }, mageiaMedium},
	{func(g *Guest) bool { return openBSDSets(g) != "" }, openBSDMedium},
	{func(g *Guest) bool { return netBSDSets(g) != "" }, netBSDMedium},
	{isWindowsMedium, windowsMedium},
	{func(g *Guest) bool { return g.fold("/freedos/freedos.ico") != "" || g.fold("/freedos/packages") != "" }, freeDOSMedium},
	// These only show that something starts from it; its label and menus say the rest.
	{func(g *Guest) bool {
		return isLive(g) || g.isFile("/image.squashfs") || g.isFile("/isolinux/isolinux.bin") || g.isFile("/isolinux/isolinux.cfg") || g.isFile("/boot/isolinux/isolinux.bin")
	}, anyMedium},
}

func isFile(name string) func(*Guest) bool { return func(g *Guest) bool { return g.isFile(name) } }
func isDir(name string) func(*Guest) bool  { return func(g *Guest) bool { return g.isDir(name) } }

func isMedium(g *Guest) bool {
	return slices.ContainsFunc(media, func(m medium) bool { return m.is(g) })
}

func describeMedium(g *Guest, o *OS) {
	o.Type, o.Media = "linux", &Media{}
	for _, m := range media {
		if m.is(g) {
			m.describe(g, o)
			break
		}
	}
	if o.Arch == "" {
		o.Arch = g.mediumArch()
	}
	if o.Type == "linux" && o.PackageFormat == "" {
		o.PackageFormat, o.Manager = packages(o)
	}
}

// mediumArch is the architecture according to a medium's label, its boot loader's folders,
// or the names that firmware starts; those for 32 bits may also be there for old machines.
func (g *Guest) mediumArch() string {
	if a := archIn(g.label()); a != "" {
		return a
	}
	if a := archIn(strings.Join(g.names("/boot"), " ")); a != "" {
		return a
	}
	started := strings.ToLower(strings.Join(g.names(g.fold("/EFI/BOOT")), " "))
	for _, f := range []struct{ name, arch string }{
		{"bootx64.efi", "x86_64"}, {"bootaa64.efi", "aarch64"}, {"bootriscv64.efi", "riscv64"}, {"bootloongarch64.efi", "loongarch64"}, {"bootia32.efi", "i386"}, {"bootarm.efi", "arm"},
	} {
		if strings.Contains(started, f.name) {
			return f.arch
		}
	}
	return ""
}

// isLive reports whether the medium has the root directory of a system that runs from it.
func isLive(g *Guest) bool {
	if g.isFile("/LiveOS/squashfs.img") || g.isFile("/LiveOS/rootfs.img") || g.isFile("/LiveOS/ext3fs.img") {
		return true
	}
	for _, dir := range []string{"/casper", "/live", "/install"} {
		for _, n := range g.names(dir) {
			if strings.HasSuffix(n, ".squashfs") || strings.HasSuffix(n, ".erofs") {
				return true
			}
		}
	}
	return false
}

// names of distributions as they appear in labels and titles; the first one found wins.
var titles = []struct {
	pattern *regexp.Regexp
	distro  string
}{
	{regexp.MustCompile(`(?i)linux ?mint|\bLMDE\b`), "linuxmint"}, {regexp.MustCompile(`(?i)[a-z]*ubuntu[a-z-]*`), "ubuntu"}, {regexp.MustCompile(`(?i)\bkali\b`), "kalilinux"},
	{regexp.MustCompile(`(?i)\bdebian\b`), "debian"}, {regexp.MustCompile(`(?i)\bfedora(\b|_)`), "fedora"}, {regexp.MustCompile(`(?i)red hat enterprise|\bRHEL`), "rhel"},
	{regexp.MustCompile(`(?i)\bcentos`), "centos"}, {regexp.MustCompile(`(?i)\brocky`), "rocky"}, {regexp.MustCompile(`(?i)\balma`), "almalinux"},
	{regexp.MustCompile(`(?i)\boracle linux|^OL-`), "oraclelinux"}, {regexp.MustCompile(`(?i)\bscientific`), "scientificlinux"}, {regexp.MustCompile(`(?i)\bopensuse`), "opensuse"},
	{regexp.MustCompile(`(?i)suse linux enterprise|\bSLE[SD]?\b|\bSLE[SD]?\d`), "sles"}, {regexp.MustCompile(`(?i)\balpine`), "alpinelinux"}, {regexp.MustCompile(`(?i)\barch(linux|_| linux)|\bendeavouros|\bmanjaro`), "archlinux"},
	{regexp.MustCompile(`(?i)\bvoid(_| linux)`), "voidlinux"}, {regexp.MustCompile(`(?i)\bgentoo`), "gentoo"}, {regexp.MustCompile(`(?i)\bmageia`), "mageia"},
	{regexp.MustCompile(`(?i)\bopenmandriva`), "openmandriva"}, {regexp.MustCompile(`(?i)\bnixos`), "nixos"}, {regexp.MustCompile(`(?i)\bslackware`), "slackware"}, {regexp.MustCompile(`(?i)\bamazon linux`), "amazonlinux"},
}

// titled takes distribution and version from a text, and reports whether it has any.
func (o *OS) titled(text string) bool {
	for _, t := range titles {
		at := t.pattern.FindStringIndex(text)
		if at == nil {
			continue
		}
		o.Distro = t.distro
		rest := text[at[0]:]
		if end := strings.IndexAny(rest, "\r\n"); end >= 0 {
			rest = rest[:end]
		}
		o.setVersion(strings.ReplaceAll(archPattern.ReplaceAllString(rest, ""), "_", "."))
		return true
	}
	return false
}

// architectures by the names that distributions have for them.
var architectures = map[string]string{
	"amd64": "x86_64", "x86_64": "x86_64", "x86-64": "x86_64", "x64": "x86_64", "i386": "i386", "i486": "i386", "i586": "i386", "i686": "i386", "x86": "i386",
	"arm64": "aarch64", "aarch64": "aarch64", "armhf": "arm", "armel": "arm", "armv7": "arm", "ppc64el": "ppc64le", "ppc64le": "ppc64le", "ppc64": "ppc64", "powerpc": "ppc",
	"s390x": "s390x", "riscv64": "riscv64", "ia64": "ia64", "sparc64": "sparc64", "loongarch64": "loongarch64", "loong64": "loongarch64",
}

var archPattern = regexp.MustCompile(`(?i)amd64|x86[_-]64|\bx64|i[3-6]86|\bx86|arm64|aarch64|armhf|armel|armv7|ppc64el|ppc64le|ppc64|powerpc|s390x|riscv64|ia64|sparc64|loongarch64|loong64`)

// archIn is the architecture that a text names, empty if it names several.
func archIn(text string) string {
	found := ""
	for _, m := range archPattern.FindAllString(text, -1) {
		a := architectures[strings.ToLower(m)]
		if found != "" && a != found {
			return ""
		}
		found = a
	}
	return found
}

// tag is what blkid(8) reports about the file system.
func (g *Guest) tag(name string) string {
	if g.Devices == nil {
		return ""
	}
	dev, _ := g.Devices.of(g.mountable)
	if dev == nil {
		return ""
	}
	return strings.TrimSpace(dev.Tags[name])
}

func (g *Guest) label() string { return g.tag("LABEL") }
func (g *Guest) isCD() bool    { return g.tag("TYPE") == "iso9660" }

// debianMedium: Debian and its relatives write what a medium is into .disk.
func debianMedium(g *Guest, o *OS) {
	info := g.firstLine("/.disk/info")
	o.Product, o.Arch = info, archIn(info)
	if !o.titled(info) {
		o.Distro = "debian"
		if g.isDir("/casper") {
			o.Distro = "ubuntu"
		}
		o.setVersion(info)
	}
	o.Media.Live = isLive(g) || g.isDir("/casper") || strings.Contains(info, " Live ")
	kind := g.firstLine("/.disk/cd_type")
	o.Media.Netinst = kind == "not_complete" || strings.Contains(info, "NETINST") || strings.Contains(info, "BUSINESSCARD")
	// A single one is dvd/single, full_cd/single and so on.
	o.Media.Multipart = kind != "" && kind != "not_complete" && !strings.HasSuffix(kind, "/single") || kind == "" && binaryPattern.MatchString(info)
}

var binaryPattern = regexp.MustCompile(`Binary-\d`)

// sections reads a file with "[section]" and "key = value" lines: section.key.
func (g *Guest) sections(name string) map[string]string {
	m, section := map[string]string{}, ""
	for _, l := range g.lines(name) {
		l = strings.TrimSpace(l)
		if strings.HasPrefix(l, "[") {
			section = strings.Trim(l, "[]")
		} else if k, v, ok := strings.Cut(l, "="); ok {
			m[section+"."+strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	return m
}

// treeinfo is how Fedora, Red Hat and those made from it describe a medium.
func treeinfo(g *Guest, o *OS) {
	v := g.sections("/.treeinfo")
	family, version := v["general.family"], v["general.version"]
	if family == "" {
		family, version = v["release.name"], v["release.version"]
	}
	o.Product = v["general.name"]
	if o.Product == "" {
		o.Product = strings.TrimSpace(family + " " + version)
	}
	o.titled(family)
	o.setVersion(version)
	o.Arch = archIn(v["general.arch"] + v["tree.arch"])
	total := max(number(v["general.totaldiscs"]), number(v["media.totaldiscs"]))
	redHatMedium(g, o, v["general.packagedir"], total > 1)
}

// discinfo is the older form, with less information: a time, a name, an architecture, which discs.
func discinfo(g *Guest, o *OS) {
	l := append(g.lines("/.discinfo"), "", "", "", "")
	o.Product = strings.TrimSpace(l[1])
	if !o.titled(o.Product) {
		o.titled(g.label())
		o.setVersion(o.Product)
	}
	o.Arch = archIn(l[2])
	redHatMedium(g, o, "", number(l[3]) > 0)
}

func redHatMedium(g *Guest, o *OS, packages string, multipart bool) {
	o.Media.Multipart = multipart
	for _, dir := range []string{packages, "Packages", "packages", "BaseOS", "AppStream", "repodata", "Server", "Client", "Fedora", "RedHat"} {
		if dir != "" && g.isDir(dir) {
			return
		}
	}
	o.Media.Netinst = true
}

// number is the value of a text that is a number; 0 for any other.
func number(s string) int {
	n, _ := strconv.Atoi(strings.TrimSpace(s))
	return n
}

// suseContent reads the older of SUSE's descriptions: a word, then its value.
func suseContent(g *Guest) map[string]string {
	m := map[string]string{}
	for _, l := range g.lines("/content") {
		if w := strings.Fields(l); len(w) > 1 {
			m[w[0]] = strings.Join(w[1:], " ")
		}
	}
	return m
}

func suseMedium(g *Guest, o *OS) {
	content := suseContent(g)
	product := g.firstLine("/media.1/products") // "/ openSUSE-Leap 15.5-1"
	ids := g.lines("/media.1/media")            // who made it, what it is, how many there are
	ids = append(ids, "", "", "")
	o.Product = content["LABEL"]
	if o.Product == "" {
		o.Product = strings.TrimSpace(strings.TrimPrefix(product, "/"))
	}
	if o.Product == "" {
		o.Product = strings.TrimSpace(content["PRODUCT"] + " " + content["VERSION"])
	}
	all := strings.Join([]string{o.Product, product, ids[0], ids[1], content["DISTRIBUTION"], g.label()}, "\n")
	if !o.titled(all) {
		o.Distro = "suse-based"
	}
	o.Major, o.Minor = 0, 0
	if w := strings.Fields(product); len(w) > 2 {
		o.setVersion(w[len(w)-1])
	} else if content["VERSION"] != "" {
		o.setVersion(content["VERSION"])
	} else {
		o.setVersion(o.Product)
	}
	o.Arch = archIn(ids[1] + " " + content["DEFAULTBASE"] + " " + g.label())
	o.Media.Live = isLive(g)
	o.Media.Netinst = regexp.MustCompile(`(?i)[-_ ](NET|Online|Mini|NetInstall)\b`).MatchString(ids[1] + " " + g.label())
	o.Media.Multipart = number(ids[2]) > 1
}

// alpineMedium: the system runs from there, and is installed by a command in it.
func alpineMedium(g *Guest, o *OS) {
	o.Distro = "alpinelinux"
	o.Product = g.firstLine("/.alpine-release")
	if _, v, ok := strings.Cut(o.Product, " "); ok {
		o.setVersion(v)
	} else {
		o.setVersion(o.Product)
	}
	for _, n := range g.names("/apks") {
		if a := archIn(n); a != "" {
			o.Arch = a
		}
	}
	o.Media.Live, o.Media.Netinst = true, !g.isDir("/apks")
}

// archMedium: the system that runs from there downloads all that it installs.
func archMedium(g *Guest, o *OS) {
	o.Distro, o.Product = "archlinux", "Arch Linux"
	dir := "/arch"
	if g.isDir("/manjaro") {
		dir, o.Product = "/manjaro", "Manjaro Linux"
	}
	version := g.firstLine(dir + "/version")
	if v := manjaroLabel.FindStringSubmatch(g.label()); version == "" && v != nil && dir == "/manjaro" {
		version = strings.Join(v[1:], ".")
	} else if v, ok := strings.CutPrefix(g.label(), "ARCH_"); version == "" && ok {
		version = strings.ReplaceAll(v, "_", ".")
	}
	o.Product = strings.TrimSpace(o.Product + " " + version)
	o.setVersion(version)
	o.Arch = archIn(strings.Join(g.names(dir), " "))
	o.Media.Live, o.Media.Netinst = true, dir == "/arch"
}

var manjaroLabel = regexp.MustCompile(`(\d\d)(\d)(\d)$`) // MANJARO_KDE_2302 is 23.0.2

func nixMedium(g *Guest, o *OS) {
	o.Distro = "nixos"
	version := g.firstLine("/version.txt")
	o.Product = strings.TrimSpace("NixOS " + version)
	o.setVersion(version)
	o.Arch = archIn(version + " " + g.label())
	o.Media.Live = true
}

func slackwareMedium(g *Guest, o *OS) {
	o.Distro, o.Arch = "slackware", "i386"
	if g.isDir("/slackware64") {
		o.Arch = "x86_64"
	}
	for _, n := range g.names("/") {
		if v, ok := strings.CutPrefix(n, "ANNOUNCE."); ok { // ANNOUNCE.15_0
			o.setVersion(strings.ReplaceAll(v, "_", "."))
			o.Product = "Slackware " + strings.ReplaceAll(v, "_", ".")
		}
	}
}

// mageiaProduct is the line that describes a medium of Mageia or Mandriva.
func mageiaProduct(g *Guest) string {
	for _, dir := range []string{"", "/x86_64", "/i586", "/i686", "/aarch64"} {
		if l := g.firstLine(dir + "/product.id"); strings.Contains(l, "distribution=") {
			return l
		}
	}
	return ""
}

func mageiaMedium(g *Guest, o *OS) {
	line := mageiaProduct(g)
	get := func(name string) string { v, _ := option(line, name); return v }
	o.Distro = "mageia"
	if strings.Contains(get("distribution"), "Mandriva") {
		o.Distro = "mandriva"
	}
	o.Product = strings.TrimSpace(get("distribution") + " " + get("version"))
	o.setVersion(get("version"))
	o.Arch = archIn(get("arch"))
	o.Media.Live = isLive(g)
}

// isFreeBSDMedium: it looks like an installed system, but is on a CD or has the archives
// that an installer unpacks.
func isFreeBSDMedium(g *Guest) bool {
	return g.isDir("/usr/freebsd-dist") || g.isCD() && (g.isFile("/etc/freebsd-update.conf") || g.isFile("/boot/loader.efi") && g.isDir("/boot/kernel") || freeBSDLabel.MatchString(g.label()))
}

var freeBSDLabel = regexp.MustCompile(`^\d+_\d+_RELEASE`) // 14_0_RELEASE_AMD64_CD

func freeBSDMedium(g *Guest, o *OS) {
	o.Type, o.Distro, o.Media = "freebsd", "freebsd", &Media{}
	version := ""
	for _, l := range g.lines("/bin/freebsd-version") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(l), "USERLAND_VERSION="); ok {
			version = strings.Trim(v, `"`)
		}
	}
	if version == "" { // 14_0_RELEASE_AMD64_CD
		version = strings.ReplaceAll(strings.ReplaceAll(g.label(), "_RELEASE", "-RELEASE"), "_", ".")
	}
	o.Product = strings.TrimSpace("FreeBSD " + version)
	o.setVersion(version)
	if o.Arch = g.Architecture("/bin/sh"); o.Arch == "" {
		o.Arch = archIn(strings.ReplaceAll(g.label(), "_", " "))
	}
	names := strings.Join(g.names("/usr/freebsd-dist"), " ")
	o.Media.Netinst = !strings.Contains(names, "base.txz")
}

var versionFolder = regexp.MustCompile(`^\d+\.\d+$`)

// openBSDSets is the folder that an OpenBSD is installed from: version/architecture.
func openBSDSets(g *Guest) string {
	for _, version := range g.names("/") {
		if !versionFolder.MatchString(version) {
			continue
		}
		for _, arch := range g.names("/" + version) {
			if g.isFile("/" + version + "/" + arch + "/bsd.rd") {
				return "/" + version + "/" + arch
			}
		}
	}
	return ""
}

func openBSDMedium(g *Guest, o *OS) {
	dir := openBSDSets(g)
	o.Type, o.Distro = "openbsd", "openbsd"
	version := path.Base(path.Dir(dir))
	o.Product = "OpenBSD " + version
	o.setVersion(version)
	o.Arch = archIn(path.Base(dir))
	o.Media.Netinst = !slices.ContainsFunc(g.names(dir), func(n string) bool { return strings.HasPrefix(n, "base") })
}

func netBSDSets(g *Guest) string {
	for _, arch := range g.names("/") {
		if g.isDir("/" + arch + "/binary/sets") {
			return "/" + arch
		}
	}
	return ""
}

func netBSDMedium(g *Guest, o *OS) {
	o.Type, o.Distro = "netbsd", "netbsd"
	o.Product = "NetBSD"
	if l := g.firstLine("/etc/release"); l != "" {
		o.uname(l, "NetBSD")
	} else if v, ok := strings.CutPrefix(g.label(), "NETBSD_"); ok && len(v) > 1 { // NETBSD_93, NETBSD_100
		o.Product = "NetBSD " + v[:len(v)-1] + "." + v[len(v)-1:]
		o.setVersion(v[:len(v)-1] + "." + v[len(v)-1:])
	}
	o.Arch = archIn(netBSDSets(g))
	o.PackageFormat, o.Manager = "pkgsrc", "pkgsrc"
}

func freeDOSMedium(g *Guest, o *OS) {
	o.Type, o.Distro, o.Product, o.Arch = "dos", "freedos", "FreeDOS", "i386"
	if v := regexp.MustCompile(`(?i)^FD-?(\d)(\d)`).FindStringSubmatch(g.label()); v != nil { // FD13-LIVE
		o.Product += " " + v[1] + "." + v[2]
		o.setVersion(v[1] + "." + v[2])
	}
	o.Media.Live = strings.Contains(strings.ToUpper(g.label()), "LIVE")
}

// menus are the files with the menus of boot loaders.
var menus = []string{"/isolinux/isolinux.cfg", "/boot/isolinux/isolinux.cfg", "/isolinux/txt.cfg", "/isolinux/menu.cfg", "/syslinux/syslinux.cfg", "/boot/grub/grub.cfg", "/boot/grub2/grub.cfg", "/EFI/BOOT/grub.cfg", "/boot/grub/loopback.cfg"}

func anyMedium(g *Guest, o *OS) {
	o.Product = g.label()
	text := o.Product
	if !o.titled(o.Product) {
		for _, m := range menus {
			if t := strings.Join(g.lines(m), "\n"); o.titled(t) {
				text = t
				break
			}
		}
	}
	o.Arch = archIn(text)
	o.Media.Live = isLive(g) || g.isFile("/image.squashfs")
	for file, distro := range map[string]string{"/image.squashfs": "gentoo", "/casper": "ubuntu", "/live": "debian"} {
		if _, err := g.stat(file); err == nil && o.Distro == "" {
			o.Distro = distro
		}
	}
}
