// Package inspect finds out which operating system is on a file system, and how
// it puts its file systems together. It only reads, and trusts nothing: the size
// of everything that it reads is bounded, and invalid data is skipped.
package inspect

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// Role is what a file system is to an operating system.
type Role int

const (
	Other Role = iota
	Root
	Usr // of a system with a separate /usr
	Swap
	store     // /nix of a NixOS
	bare      // a root directory, if there is a /usr for it
	composefs // a repository of bootc
)

// OS is what is known about an operating system. An unknown string is empty.
type OS struct {
	Type, Distro, Product, Variant string
	Arch, Hostname                 string
	PackageFormat, Manager         string
	BuildID                        string
	Major, Minor                   int
	// Mounts are its file systems: those of its fstab, in that order, and those that it
	// mounts automatically.
	Mounts []Mount
	// Warnings say which of them could not be found, or were not clear.
	Warnings []string
	Windows  *Windows
	Media    *Media // nil for an installed system

	claimed  string // the mountable that its fstab calls its root directory
	inMemory bool   // its fstab has a root directory that is on no disk
}

// Media is what is known about a medium to install from, or to start a system from that
// is not installed.
type Media struct {
	Live      bool // a system on it runs from there
	Netinst   bool // most of what is installed comes from a network
	Multipart bool // it is one of several
}

// Mount is one file system of a guest: a mountable and where it belongs. Swap
// space has no place.
type Mount struct{ Mountable, Point string }

// Windows is what only Windows has.
type Windows struct {
	SystemRoot, SoftwareHive, SystemHive, ControlSet string
	Drives                                           []Drive
	GroupPolicy                                      bool
}

// Drive is a drive letter and its device.
type Drive struct{ Letter, Device string }

// Filesystem is what was found on a file system.
type Filesystem struct {
	Mountable string
	Role      Role
	OS        *OS // of a Root; for a Usr, what it says about its system

	storeElsewhere bool // a NixOS without its store
	storeOnly      bool // a NixOS of which only the store is here
	usrElsewhere   bool // there is nothing in /usr
	deployments    []deployment
	links          map[string]string // to deployments
	entries        []bootEntry
}

// Guest is a mounted file system, with everything else that inspection needs.
type Guest struct {
	FS fs.FS // links stay inside
	// Devices are those that its files may name, nil if they do not matter.
	Devices   *Devices
	mountable string // what this is
	// Mounted are other file systems of the guest that are mounted too.
	Mounted []Mount
	// Architecture is that of a program, empty if it is not one.
	Architecture func(path string) string
	// Registry reads the hives of Windows. It is nil where there is no reader.
	Registry func(path string) (Registry, error)
}

// Registry is an open hive.
type Registry interface {
	// Value returns the text of a value of the key at a path (names separated by
	// backslashes, case ignored), or its stored form.
	Value(key, name string) (text string, raw []byte, ok bool)
	Subkeys(key string) []string
	Values(key string) []string
}

// MaxFile is the size of the largest file that is read whole.
const MaxFile = 4 << 20

var errTooLarge = errors.New("file is too large to be what it should be")

// maxSmall is the maximum size of files of a kind that may be numerous.
const maxSmall = 64 << 10

// Read returns a regular file's content.
func (g *Guest) Read(name string) ([]byte, error) { return g.read(name, MaxFile) }

func (g *Guest) read(name string, max int64) ([]byte, error) {
	f, err := g.FS.Open(clean(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, fs.ErrInvalid
	}
	b, err := io.ReadAll(io.LimitReader(f, max+1))
	if err == nil && int64(len(b)) > max {
		return nil, errTooLarge
	}
	return b, err
}

// lines returns the lines of a file, empty if it cannot be read.
func (g *Guest) lines(name string) []string { return g.linesOf(name, MaxFile) }

// linesOf is lines for a file of at most max bytes.
func (g *Guest) linesOf(name string, max int64) []string {
	b, err := g.read(name, max)
	if err != nil || len(b) == 0 {
		return nil
	}
	l := strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	for i := range l {
		l[i] = strings.TrimSuffix(l[i], "\r")
	}
	return l
}

// firstLine is the first line of a file, without blanks around it.
func (g *Guest) firstLine(name string) string {
	const longest = 1024 // of a name or a version that is shown
	if l := g.lines(name); len(l) > 0 {
		text, _, _ := strings.Cut(l[0][:min(longest, len(l[0]))], "\x00")
		return strings.TrimSpace(text)
	}
	return ""
}

func clean(name string) string {
	if name = strings.Trim(name, "/"); name == "" {
		return "."
	}
	return name
}

func (g *Guest) isDir(name string) bool {
	fi, err := fs.Stat(g.FS, clean(name))
	return err == nil && fi.IsDir()
}

func (g *Guest) isFile(name string) bool {
	fi, err := fs.Stat(g.FS, clean(name))
	return err == nil && fi.Mode().IsRegular()
}

// exists reports whether all of the names are there.
func (g *Guest) files(names ...string) bool { return all(names, g.isFile) }
func (g *Guest) dirs(names ...string) bool  { return all(names, g.isDir) }

func all(names []string, f func(string) bool) bool {
	for _, n := range names {
		if !f(n) {
			return false
		}
	}
	return true
}

// linksTo reports whether a name is a symbolic link to the target. The link may
// lead to another file system, where its target is.
func (g *Guest) linksTo(name, target string) bool {
	return strings.Trim(strings.TrimLeft(g.readLink(name), "./"), "/") == target
}

// readLink returns where a symbolic link leads, empty if it is not a link.
func (g *Guest) readLink(name string) string {
	l, ok := g.FS.(fs.ReadLinkFS)
	if !ok {
		return ""
	}
	t, _ := l.ReadLink(clean(name))
	return t
}

func (g *Guest) stat(name string) (fs.FileInfo, error) { return fs.Stat(g.FS, clean(name)) }

// isEmpty reports whether there is a folder with nothing in it.
func (g *Guest) isEmpty(name string) bool { return g.isDir(name) && len(g.names(name)) == 0 }

// names lists a directory, bounded.
func (g *Guest) names(dir string) []string {
	f, err := g.FS.Open(clean(dir))
	if err != nil {
		return nil
	}
	defer f.Close()
	d, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil
	}
	const most = 10000
	entries, _ := d.ReadDir(most)
	var l []string
	for _, e := range entries {
		l = append(l, e.Name())
	}
	return l
}

// fold finds the name, in any case, of a path that exists; empty if there is none.
func (g *Guest) fold(path string) string {
	at := ""
	for _, want := range strings.Split(strings.Trim(path, "/"), "/") {
		found := ""
		for _, n := range g.names("/" + at) {
			if strings.EqualFold(n, want) {
				found = n
				break
			}
		}
		if found == "" {
			return ""
		}
		at = strings.TrimPrefix(at+"/"+found, "/")
	}
	return "/" + at
}

// Examine looks at one mounted file system.
func Examine(g *Guest, mountable string) Filesystem {
	g.mountable = mountable
	f := Filesystem{Mountable: mountable, entries: g.bootEntries()}
	g.ostree(&f)
	for _, k := range kinds {
		if !k.is(g) {
			continue
		}
		f.Role = k.role
		if k.describe != nil {
			f.OS = &OS{}
			k.describe(g, f.OS)
		}
		if k.role == Root {
			k.mounts(g, f.OS, mountable)
		}
		break
	}
	f.storeElsewhere = f.Role == Root && f.OS.Distro == "nixos" && !g.isDir("/nix/store")
	f.storeOnly = f.Role == Root && f.OS.Distro == "nixos" && !g.isDir("/etc")
	f.usrElsewhere = f.Role == bare || f.Role == Root && f.OS.Type == "linux" && f.OS.Media == nil && g.isEmpty("/usr")
	return f
}

// mounts finds the file systems of a system.
func (k kind) mounts(g *Guest, o *OS, mountable string) {
	if o.Media != nil {
		o.Mounts = []Mount{{mountable, "/"}}
		return
	}
	t := g.newTable(mountable)
	if o.Type != "windows" && o.Type != "dos" {
		names := []string{"/etc/fstab", g.nixSystem() + "/etc/fstab"}
		if o.Distro == "nixos" {
			slices.Reverse(names)
		}
		t.addFile(g.first(names...))
	}
	if o.Type == "linux" {
		t.add(g.units())
		t.discover()
	}
	for _, m := range g.Mounted {
		if t.at(m.Point) == "" {
			t.mounts = append(t.mounts, m)
		}
	}
	o.Mounts, o.Warnings = t.finish()
	o.claimed, o.inMemory = t.claimed, t.inMemory
	if t.at("/") == "" {
		o.Mounts = append([]Mount{{mountable, "/"}}, o.Mounts...)
	}
}

// first is the first of the files that exists.
func (g *Guest) first(names ...string) string {
	for _, n := range names {
		if g.isFile(n) {
			return n
		}
	}
	return names[0]
}

// kind is a way to recognize what a file system is for.
type kind struct {
	role     Role
	is       func(*Guest) bool
	describe func(*Guest, *OS)
}

// kinds in the order in which they are tried: the first one that fits wins.
var kinds = []kind{
	{Root, isFreeBSDMedium, freeBSDMedium},
	{Root, func(g *Guest) bool {
		return g.dirs("/etc", "/bin") && g.files("/etc/freebsd-update.conf", "/etc/fstab")
	}, freeBSD},
	{Root, func(g *Guest) bool {
		return g.dirs("/etc", "/bin") && g.files("/netbsd", "/etc/fstab", "/etc/release")
	}, netBSD},
	{Root, func(g *Guest) bool { return g.dirs("/etc", "/bin") && g.files("/bsd", "/etc/fstab", "/etc/motd") }, openBSD},
	{Root, func(g *Guest) bool { return g.files("/hurd/console", "/hurd/hello", "/hurd/null") }, hurd},
	{Root, func(g *Guest) bool {
		return g.dirs("/etc", "/bin") && g.files("/service/vm", "/etc/fstab", "/etc/version")
	}, minix},
	{Root, isLinux, linux},
	{Root, func(g *Guest) bool { return g.dirs("/root", "/home", "/usr") && g.files("/etc/coreos/update.conf") }, coreOS},
	{Usr, func(g *Guest) bool { return g.isDir("/bin") && g.isFile("/lib/os-release") }, usr},
	{store, func(g *Guest) bool { return g.dirs("/store", "/var/nix/profiles") }, nil},
	{Root, isWindows, windows},
	{Root, func(g *Guest) bool {
		return g.fold("/FDOS") != "" && g.fold("/FDOS/FREEDOS.BSS") != ""
	}, freeDOS},
	{Root, isMSDOS, msDOS},
	{Root, isMedium, describeMedium},
	{composefs, func(g *Guest) bool { return g.dirs("/composefs", "/state/deploy") }, nil},
	{bare, func(g *Guest) bool { return g.isEmpty("/usr") && (g.isDir("/etc") || g.isDir("/var")) }, nil},
}

// isLinux looks for the minimum that a root directory has. The content of /usr may be elsewhere.
func isLinux(g *Guest) bool {
	if len(g.Mounted) > 0 && g.isFile("/usr/lib/os-release") {
		return true // the rest is created when it starts
	}
	if g.isFile("/etc/NIXOS") || g.isDir("/nix/store") && g.isFile("/etc/os-release") || g.hasNixSystem() {
		return true // it keeps nothing but these
	}
	if !g.isDir("/etc") || !(g.isDir("/bin") || g.linksTo("/bin", "usr/bin")) {
		return false
	}
	return g.isFile("/etc/fstab") || g.isFile("/etc/hosts") || g.isFile("/etc/os-release") || g.linksTo("/etc/os-release", "usr/lib/os-release")
}
