package inspect

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"gofish/internal/api"
)

// entry is a file system that a system mounts, according to one of its files.
type entry struct {
	spec, point, typ, options string
	from                      string // file and line
}

// Limits for the files that are read.
const (
	maxEntries     = 1000
	maxWarnings    = 20
	longestWarning = 170 // characters: it must fit on a screen together with what comes before it
)

// fstab reads an fstab(5).
func (g *Guest) fstab(name string) (l []entry) {
	for i, line := range g.lines(name) {
		f := strings.Fields(line)
		if len(f) < 2 || strings.HasPrefix(f[0], "#") {
			continue
		}
		e := entry{spec: unescape(f[0]), point: unescape(f[1]), from: fmt.Sprintf("%s:%d", name, i+1)}
		if len(f) > 2 {
			e.typ = unescape(f[2])
		}
		if len(f) > 3 {
			e.options = unescape(f[3])
		}
		l = append(l, e)
	}
	return l
}

// unitFolders are where systemd has units, those of the administrator first: they take
// precedence over others of the same name.
var unitFolders = []string{"/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system"}

// isMasked reports whether mounting at a place is switched off: its unit is a link to /dev/null,
// or empty. This takes precedence over what systemd finds automatically.
func (g *Guest) isMasked(point string) bool {
	name := strings.ReplaceAll(strings.Trim(point, "/"), "/", "-") + ".mount"
	for _, dir := range unitFolders {
		file := dir + "/" + name
		if to := g.readLink(file); to != "" {
			return path.Join("/", dir, to) == "/dev/null" || path.Clean(to) == "/dev/null"
		}
		if fi, err := g.stat(file); err == nil {
			return fi.Mode().IsRegular() && fi.Size() == 0
		}
	}
	return false
}

// units reads the mount and swap units.
func (g *Guest) units() (l []entry) {
	seen := map[string]bool{}
	for _, dir := range unitFolders {
		names := g.names(dir)
		slices.Sort(names)
		for _, n := range names {
			if !strings.HasSuffix(n, ".mount") && !strings.HasSuffix(n, ".swap") || seen[n] || len(seen) >= maxEntries {
				continue
			}
			seen[n] = true
			if e, ok := g.unit(dir + "/" + n); ok {
				l = append(l, e)
			}
		}
	}
	return l
}

// unit reads a mount or swap unit.
func (g *Guest) unit(file string) (entry, bool) {
	e := entry{from: file}
	section := ""
	for _, line := range g.linesOf(file, maxSmall) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = line
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok || section != "[Mount]" && section != "[Swap]" {
			continue
		}
		value = strings.ReplaceAll(strings.TrimSpace(value), "%%", "%")
		switch strings.TrimSpace(key) {
		case "What":
			e.spec = value
		case "Where":
			e.point = value
		case "Type":
			e.typ = value
		case "Options":
			e.options = value
		}
	}
	if strings.HasSuffix(file, ".swap") {
		e.typ, e.point = "swap", "none"
	}
	if !strings.HasPrefix(file, "/etc/") {
		e.options += ",nofail" // it may be for something else
	}
	return e, e.spec != "" && e.point != ""
}

var octalPattern = regexp.MustCompile(`\\[0-3][0-7]{2}`)

// unescape resolves the octal numbers that represent blanks in an fstab.
func unescape(s string) string {
	return octalPattern.ReplaceAllStringFunc(s, func(m string) string {
		n, _ := strconv.ParseUint(m[1:], 8, 8)
		return string([]byte{byte(n)})
	})
}

// option finds a mount option and its value. Within quotes the value may have commas.
func option(options, name string) (value string, ok bool) {
	quoted := false
	list := strings.FieldsFunc(options, func(c rune) bool {
		quoted = quoted != (c == '"')
		return c == ',' && !quoted
	})
	for _, o := range list {
		if n, v, _ := strings.Cut(o, "="); n == name {
			return strings.Trim(v, `"`), true
		}
	}
	return "", false
}

// notOnDisk are types of file systems that exist only in the kernel, or that come from
// a network or a host.
var notOnDisk = map[string]bool{}

func init() {
	for _, t := range strings.Fields(`autofs bdev binfmt_misc bpf cgroup cgroup2 configfs cpuset debugfs devfs devpts devtmpfs
		efivarfs fdescfs fuse fusectl hugetlbfs ignore kernfs linprocfs linsysfs mfs mqueue none nullfs overlay overlayfs aufs unionfs
		portal proc procfs pstore ptyfs ramfs rpc_pipefs securityfs selinuxfs sysfs tmpfs tracefs union usbdevfs usbfs
		9p afs beegfs ceph cifs coda davfs fuse.sshfs gfarm glusterfs lustre ncpfs nfs nfs3 nfs4 nfsd ocfs2_dlmfs orangefs shfs smb3
		smbfs vboxsf virtiofs vmhgfs xx`) {
		notOnDisk[t] = true
	}
}

// mediaPattern matches drives whose medium is not part of the system, and disks in memory.
var mediaPattern = regexp.MustCompile(`^/dev/(cd|dvd|cdrom|fd\d|floppy|sr\d|scd|zram|ram\d|loop|acd\d|mcd\d|disk/by-id/usb-.*(DVD|CD-?ROM))`)

// elsewhere reports whether an entry is about something that is on none of the disks:
// that is not an error.
func (e *entry) elsewhere() bool {
	for _, dir := range []string{"/dev", "/proc", "/sys", "/run"} {
		if e.point == dir || strings.HasPrefix(e.point, dir+"/") && !strings.HasPrefix(e.point, "/run/media/") {
			return true
		}
	}
	if notOnDisk[e.typ] || strings.HasPrefix(e.typ, "fuse.") || strings.Contains(e.typ, "iso9660") || mediaPattern.MatchString(plainDevice(e.spec)) {
		return true
	}
	for _, o := range []string{"bind", "rbind", "_netdev", "loop"} {
		if _, ok := option(e.options, o); ok && (o != "_netdev" || !isDevice(e.spec)) {
			return true
		}
	}
	// A file with swap space, a folder somewhere else, a share of a server.
	return !isDevice(e.spec) && e.typ != "zfs"
}

var tagPattern = regexp.MustCompile(`^(?i:(UUID|LABEL|PARTUUID|PARTLABEL|ID|NAME))=(.*)$`)

// isDevice reports whether a first field names a device.
func isDevice(spec string) bool {
	return strings.HasPrefix(spec, "/dev/") || tagPattern.MatchString(spec) || duidPattern.MatchString(spec)
}

// optional reports whether the system can do without it.
func (e *entry) optional() bool {
	for _, o := range []string{"nofail", "noauto"} {
		if _, ok := option(e.options, o); ok {
			return true
		}
	}
	return false
}

// table finds the file systems that entries name: those that a system mounts in addition
// to the one that its root directory is on, which is known.
type table struct {
	*finder
	mountable string // of the root directory
	mounts    []Mount
	warnings  []string
	dropped   int
	claimed   string // the root directory by what the entries say, empty if they do not
	inMemory  bool   // they say that it is on no disk
}

// newTable prepares to find the file systems that the system on a mountable mounts.
func (g *Guest) newTable(mountable string) *table {
	return &table{finder: g.newFinder(mountable), mountable: mountable}
}

func (t *table) warn(from, format string, args ...any) {
	if len(t.warnings) == maxWarnings {
		t.dropped++
		return
	}
	text := []rune(shorten(from, 48) + ": " + fmt.Sprintf(format, args...))
	if len(text) > longestWarning {
		text = append(text[:longestWarning-1], '…')
	}
	t.warnings = append(t.warnings, string(text))
}

// addFile looks for the file systems that an fstab(5) names.
func (t *table) addFile(name string) {
	if _, err := t.g.Read(name); err == errTooLarge {
		t.warn(name, "%v: it is not read", err)
	}
	t.add(t.g.fstab(name))
}

// add looks for the file systems that entries name.
func (t *table) add(entries []entry) {
	for i := range entries {
		e := &entries[i]
		if strings.HasPrefix(e.point, "/") {
			e.point = path.Clean(e.point)
		}
		if e.point == "/" {
			t.learn(e.spec, t.root)
		}
	}
	for i, e := range entries {
		if i == maxEntries {
			t.warn(e.from, "there are %d more lines, which is too many to make sense: they are left out", len(entries)-i)
			break
		}
		t.addOne(e)
	}
}

func (t *table) addOne(e entry) {
	swap := e.typ == "swap"
	if swap {
		e.point = ""
	} else if e.elsewhere() && e.point != "/" {
		return
	} else if !strings.HasPrefix(e.point, "/") {
		if e.point != "none" && e.point != "swap" {
			t.warn(e.from, "%s is left out: the place for it, %s, does not begin with /", shorten(e.spec, 48), shorten(e.point, 32))
		}
		return
	}
	if swap && e.elsewhere() {
		return
	}
	what := shorten(e.spec, 48)
	if swap {
		what += ", swap space,"
	} else if e.point != "/" {
		what += " for " + shorten(e.point, 32)
	}
	if e.point != "" && slices.ContainsFunc(t.mounts, func(m Mount) bool { return m.Point == e.point }) {
		t.warn(e.from, "%s is left out: something is mounted there already", what)
		return
	}
	t.wanted, t.guessed = e.typ, false
	dev, several := t.choose(t.find(e.spec, 0), e.typ)
	m, missing := "", ""
	if t.guessed {
		t.learn(e.spec, dev)
	}
	if dev != nil {
		m, missing = t.volume(dev, e)
	}
	if e.point == "/" {
		t.claimed, t.inMemory = m, notOnDisk[e.typ]
		if t.mountable != InMemory {
			m = t.mountable // it is where the system was found, even if something else has its name
		} else if m == "" {
			return
		}
	}
	switch {
	case m != "":
		if len(several) > 0 && e.point != "/" {
			t.warn(e.from, "%s fits %s: %s is taken", what, strings.Join(several, " and "), t.devs.show(m))
		}
		t.mounts = append(t.mounts, Mount{m, e.point})
	case e.optional() || dev == nil && t.lost(e.spec):
	case missing != "":
		t.warn(e.from, "%s %s: it is left out", what, missing)
	default:
		t.warn(e.from, "%s is not found: it is left out", what)
	}
}

// volume is the mountable of an entry on its device. If it does not exist, the second result
// says what is missing.
func (t *table) volume(dev *Device, e entry) (m, missing string) {
	if t := dev.Tags["TYPE"]; t == "crypto_LUKS" || t == "BitLocker" {
		return "", "is encrypted, and not open"
	}
	if e.typ != "btrfs" && dev.Tags["TYPE"] != "btrfs" {
		return dev.Name, ""
	}
	if name, ok := option(e.options, "subvol"); ok {
		at := strings.Trim(path.Clean("/"+name), "/")
		if at != "" && dev.Subvolumes != nil && !dev.hasSubvolume(at) {
			return "", "has no subvolume " + shorten(name, 48)
		}
		return t.subvolume(dev, at), ""
	}
	if id, ok := option(e.options, "subvolid"); ok {
		n, err := strconv.ParseUint(id, 0, 64)
		if n == 0 || n == btrfsTop {
			return t.subvolume(dev, ""), ""
		}
		at, ok := dev.Subvolumes[n]
		if err != nil || !ok {
			return "", "has no subvolume " + shorten(id, 20)
		}
		return t.subvolume(dev, at), ""
	}
	return dev.Name, ""
}

// btrfsTop is the number of the volume in which all others are.
const btrfsTop = 5

// subvolume is a mountable; the top itself is the device, if nothing else is its default.
func (t *table) subvolume(dev *Device, path string) string {
	if path == "" {
		if dev.Default == btrfsTop || dev.Default == 0 {
			return dev.Name
		}
		path = "/"
	}
	return api.VolumePrefix + dev.Name + "/" + path
}

// choose picks the intended device among those that fit: if possible one on the
// disks of the root directory, and of a possible type. If the choice is not clear, it also lists them for people.
func (t *table) choose(found []*Device, typ string) (*Device, []string) {
	var l []*Device
	for _, dev := range found {
		dev = t.devs.opened(dev)
		same := func(o *Device) bool { return o == dev || sameFilesystem(o, dev) }
		if i := slices.IndexFunc(l, same); i < 0 {
			l = append(l, dev)
		} else if dev == t.root {
			l[i] = dev
		}
	}
	if len(l) > 1 || t.guessed {
		fits := slices.DeleteFunc(slices.Clone(l), func(dev *Device) bool {
			is := dev.Tags["TYPE"]
			return is == "" && !t.guessed || !canBe(is, typ) || t.guessed && dev == t.root
		})
		if len(fits) > 0 || t.guessed {
			l = fits
		}
	}
	if len(l) == 0 {
		return nil, nil
	}
	near := slices.IndexFunc(l, func(dev *Device) bool {
		return slices.ContainsFunc(t.devs.drives(dev), func(n int) bool { return slices.Contains(t.drives, n) })
	})
	var several []string
	if len(l) > 1 {
		for _, dev := range l[:min(4, len(l))] {
			several = append(several, dev.Shown)
		}
	}
	return l[max(near, 0)], several
}

// canBe reports whether a file system with a type of blkid(8) may be the one that
// an fstab calls typ.
func canBe(is, typ string) bool {
	switch {
	case is == "" || typ == "" || typ == "auto" || is == typ:
		return true
	case strings.HasPrefix(is, "ext") && strings.HasPrefix(typ, "ext") && is != "exfat" && typ != "exfat":
		return true
	case strings.HasPrefix(is, "ntfs"):
		return strings.HasPrefix(typ, "ntfs")
	case is == "vfat":
		return typ == "msdos" || typ == "msdosfs"
	case is == "ufs":
		return typ == "ffs"
	case is == "swap" || is == "swsuspend":
		return typ == "swap"
	}
	return strings.Contains(","+typ+",", ","+is+",")
}

// finish returns what was found.
func (t *table) finish() (mounts []Mount, warnings []string) {
	if t.dropped > 0 {
		t.warnings = append(t.warnings, fmt.Sprintf("there are %d more such lines", t.dropped))
	}
	return t.mounts, t.warnings
}

// show is a mountable in readable form.
func (d *Devices) show(m string) string {
	dev, path := d.of(m)
	if dev == nil {
		return m
	}
	rest, isVolume := cutMountable(m)
	if !isVolume {
		return dev.Shown
	}
	return strings.TrimSuffix(m, rest) + dev.Shown + "/" + path
}

// shorten makes a text of a guest fit for a message.
func shorten(s string, longest int) string {
	r := []rune(strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return '?'
		}
		return c
	}, s))
	if len(r) > longest {
		return string(r[:longest/2]) + "…" + string(r[len(r)-longest/2+1:])
	}
	return string(r)
}
