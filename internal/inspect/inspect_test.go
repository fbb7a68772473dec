package inspect

import (
	"io/fs"
	"path"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
)

// tree is a guest made of files; a name that ends in a slash is a directory, a text that
// begins with "-> " a link.
func tree(files map[string]string) *Guest {
	m := fstest.MapFS{}
	put(m, "", files)
	return &Guest{FS: m, Architecture: func(string) string { return "" }}
}

func put(m fstest.MapFS, at string, files map[string]string) {
	for name, text := range files {
		if dir, ok := strings.CutSuffix(name, "/"); ok {
			m[path.Join(at, dir)] = &fstest.MapFile{Mode: fs.ModeDir | 0o755}
		} else if link, ok := strings.CutPrefix(text, "-> "); ok {
			m[path.Join(at, name)] = &fstest.MapFile{Data: []byte(link), Mode: fs.ModeSymlink | 0o777}
		} else {
			m[path.Join(at, name)] = &fstest.MapFile{Data: []byte(text), Mode: 0o644}
		}
	}
}

func TestSystems(t *testing.T) {
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  OS
	}{
		{"fedora", map[string]string{"bin/": "", "etc/fstab": "", "etc/os-release": "ID=fedora\nVERSION_ID=39\nPRETTY_NAME=\"Fedora Linux 39\"\n"},
			OS{Type: "linux", Distro: "fedora", Product: "Fedora Linux 39", Major: 39, PackageFormat: "rpm", Manager: "dnf"}},
		{"rocky", map[string]string{"bin/": "", "etc/hosts": "", "etc/os-release": "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.3\"\nPRETTY_NAME=\"Rocky Linux 9.3\"\n"},
			OS{Type: "linux", Distro: "rocky", Product: "Rocky Linux 9.3", Major: 9, Minor: 3, PackageFormat: "rpm", Manager: "dnf"}},
		{"old RHEL", map[string]string{"bin/": "", "etc/fstab": "", "etc/redhat-release": "Red Hat Enterprise Linux Server release 5.11 (Tikanga)\n", "etc/sysconfig/network": "NETWORKING=yes\nHOSTNAME=old.example\n"},
			OS{Type: "linux", Distro: "rhel", Product: "Red Hat Enterprise Linux Server release 5.11 (Tikanga)", Major: 5, Minor: 11, Hostname: "old.example", PackageFormat: "rpm", Manager: "yum"}},
		{"old SLES", map[string]string{"bin/": "", "etc/fstab": "", "etc/SuSE-release": "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n", "etc/HOSTNAME": "suse\n"},
			OS{Type: "linux", Distro: "sles", Product: "SUSE Linux Enterprise Server 11 (x86_64)", Major: 11, Minor: 4, Hostname: "suse", PackageFormat: "rpm", Manager: "zypper"}},
		{"openSUSE", map[string]string{"bin/": "", "etc/fstab": "", "etc/os-release": "ID=\"opensuse-leap\"\nVERSION_ID=\"15.5\"\nPRETTY_NAME=\"openSUSE Leap 15.5\"\n"},
			OS{Type: "linux", Distro: "opensuse", Product: "openSUSE Leap 15.5", Major: 15, Minor: 5, PackageFormat: "rpm", Manager: "zypper"}},
		{"like Ubuntu", map[string]string{"bin/": "", "etc/fstab": "", "etc/os-release": "ID=popish\nID_LIKE=\"ubuntu debian\"\nVERSION_ID=22.04\nNAME=Popish\n"},
			OS{Type: "linux", Distro: "ubuntu", Product: "Popish", Major: 22, Minor: 4, PackageFormat: "deb", Manager: "apt"}},
		{"Void", map[string]string{"bin/": "", "etc/fstab": "", "etc/os-release": "ID=void\nPRETTY_NAME=Void\n"},
			OS{Type: "linux", Distro: "voidlinux", Product: "Void", PackageFormat: "xbps", Manager: "xbps"}},
		{"NixOS", map[string]string{"etc/NIXOS": "", "nix/store/": "", "etc/hostname": "nix\n"},
			OS{Type: "linux", Distro: "nixos", Hostname: "nix"}},
		{"NetBSD", map[string]string{"bin/": "", "netbsd": "", "etc/fstab": "/dev/wd0a / ffs rw 1 1\n", "etc/release": "NetBSD 9.3\n", "etc/rc.conf": "hostname=net\n"},
			OS{Type: "netbsd", Distro: "netbsd", Product: "NetBSD 9.3", Major: 9, Minor: 3, Hostname: "net", PackageFormat: "pkgsrc", Manager: "pkgsrc"}},
		{"OpenBSD", map[string]string{"bin/": "", "bsd": "", "etc/fstab": "", "etc/motd": "OpenBSD 7.4 (GENERIC)\n", "etc/myname": "open\n"},
			OS{Type: "openbsd", Distro: "openbsd", Product: "OpenBSD 7.4 (GENERIC)", Major: 7, Minor: 4, Hostname: "open"}},
		{"MS-DOS", map[string]string{"IO.SYS": "", "MSDOS.SYS": "", "COMMAND.COM": ""},
			OS{Type: "dos", Distro: "msdos", Arch: "i386"}},
		{"FreeDOS", map[string]string{"FDOS/FREEDOS.BSS": "", "fdos2": "", "FDOS/VERSION.FDI": "PRODUCT=FreeDOS 1.2\nVERSION=1.2\n"},
			OS{Type: "dos", Distro: "freedos", Product: "FreeDOS 1.2", Arch: "i386", Major: 1, Minor: 2}},
		{"FreeBSD with os-release", map[string]string{"bin/": "", "etc/fstab": "/dev/ada0s2a / ufs rw 1 1\n", "etc/freebsd-update.conf": "", "etc/motd": "Welcome\n", "etc/rc.conf": "hostname='single'\n", "etc/os-release": "ID=freebsd\nVERSION_ID=13.2\nPRETTY_NAME=\"FreeBSD 13.2-RELEASE\"\n"},
			OS{Type: "freebsd", Distro: "freebsd", Product: "FreeBSD 13.2-RELEASE", Major: 13, Minor: 2, Hostname: "single"}},
		{"Fedora Core", map[string]string{"bin/": "", "etc/fstab": "", "etc/redhat-release": "Fedora Core release 6 (Zod)\n"},
			OS{Type: "linux", Distro: "fedora", Product: "Fedora Core release 6 (Zod)", Major: 6, PackageFormat: "rpm", Manager: "yum"}},
		{"AlmaLinux by redhat-release", map[string]string{"bin/": "", "etc/fstab": "", "etc/redhat-release": "AlmaLinux release 9.1 (Lime Lynx)\n"},
			OS{Type: "linux", Distro: "almalinux", Product: "AlmaLinux release 9.1 (Lime Lynx)", Major: 9, Minor: 1, PackageFormat: "rpm", Manager: "dnf"}},
		{"Oracle with os-release", map[string]string{"bin/": "", "etc/fstab": "", "etc/oracle-release": "Oracle Linux Server release 8.7\n", "etc/os-release": "ID=\"ol\"\nID_LIKE=\"fedora\"\nVERSION_ID=\"8.7\"\nPRETTY_NAME=\"Oracle Linux Server 8.7\"\n", "etc/sysconfig/network": "HOSTNAME=\"eight.example\"\n"},
			OS{Type: "linux", Distro: "oraclelinux", Product: "Oracle Linux Server 8.7", Major: 8, Minor: 7, Hostname: "eight.example", PackageFormat: "rpm", Manager: "dnf"}},
		{"Mandriva", map[string]string{"bin/": "", "etc/fstab": "", "etc/lsb-release": "DISTRIB_ID=MandrivaLinux\nDISTRIB_RELEASE=2010.1\nDISTRIB_DESCRIPTION=\"Mandriva Linux 2010.1\"\n"},
			OS{Type: "linux", Distro: "mandriva", Product: "Mandriva Linux 2010.1", Major: 2010, Minor: 1, PackageFormat: "rpm", Manager: "urpmi"}},
		{"PLD", map[string]string{"bin/": "", "etc/fstab": "", "etc/pld-release": "3.0 PLD Linux (Th)\n"},
			OS{Type: "linux", Distro: "pldlinux", Product: "3.0 PLD Linux (Th)", Major: 3, PackageFormat: "rpm"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := Examine(tree(tc.files), "/dev/sda1")
			if f.Role != Root || f.OS == nil {
				t.Fatalf("role %d, want a root", f.Role)
			}
			tc.want.Mounts = []Mount{{"/dev/sda1", "/"}}
			if !reflect.DeepEqual(*f.OS, tc.want) {
				t.Errorf("got  %+v\nwant %+v", *f.OS, tc.want)
			}
		})
	}
}

func TestNoSystem(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"empty": {}, "a home": {"user/file": ""}, "a /boot": {"grub/grub.cfg": "", "vmlinuz": ""}, "etc alone": {"etc/fstab": ""},
	} {
		if f := Examine(tree(files), "/dev/sda1"); f.Role != Other {
			t.Errorf("%s: role %d", name, f.Role)
		}
	}
}

func TestLargeFileIsNotRead(t *testing.T) {
	g := tree(map[string]string{"etc/hostname": strings.Repeat("x", MaxFile+1)})
	if _, err := g.Read("/etc/hostname"); err != errTooLarge {
		t.Errorf("error %v", err)
	}
	if h := linuxHostname(g); h != "" {
		t.Errorf("%d bytes of host name", len(h))
	}
}

func TestOsinfo(t *testing.T) {
	for want, o := range map[string]OS{
		"debian12": {Type: "linux", Distro: "debian", Major: 12, Minor: 5}, "ubuntu22.04": {Type: "linux", Distro: "ubuntu", Major: 22, Minor: 4},
		"sles15sp5": {Type: "linux", Distro: "sles", Major: 15, Minor: 5}, "rhel9.3": {Type: "linux", Distro: "rhel", Major: 9, Minor: 3},
		"archlinux": {Type: "linux", Distro: "archlinux"}, "unknown": {Type: "hurd"}, "netbsd9.3": {Type: "netbsd", Major: 9, Minor: 3},
		"win7": {Type: "windows", Major: 6, Minor: 1, Variant: "Client"}, "win2k22": {Type: "windows", Major: 10, Variant: "Server", Product: "Windows Server 2022 Standard"},
		"win11": {Type: "windows", Major: 10, Variant: "Client", BuildID: "22631"}, "win10": {Type: "windows", Major: 10, Variant: "Client", BuildID: "19045"},
	} {
		if got := Osinfo(&o); got != want {
			t.Errorf("%+v: %s, want %s", o, got, want)
		}
	}
}

// FuzzGuest: whatever is in a guest's files, examining it ends and does not crash.
func FuzzGuest(f *testing.F) {
	f.Add("ID=debian\nVERSION_ID=\"12\"\n", "UUID=x / ext4\n", "Package: a\nVersion: 1:2-3\nStatus: a b installed\n\n")
	f.Add("ID=", "/dev/cciss/c0d9999999999999999999p1 / x", "P:a\nV:9:-r\n")
	f.Fuzz(func(t *testing.T, release, fstab, packages string) {
		g := tree(map[string]string{"bin/": "", "etc/os-release": release, "etc/fstab": fstab, "etc/redhat-release": release, "etc/hostname": release})
		Examine(g, "/dev/sda1")
		DpkgApplications(packages)
		ApkApplications(packages)
		PacmanApplication(packages)
	})
}
