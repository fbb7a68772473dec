package inspect

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"unicode/utf16"
)

// wimFile is the least of a WIM: the header and the description, at a place of its own.
func wimFile(description string) string {
	b := make([]byte, 300)
	copy(b, "MSWIM\x00\x00\x00")
	text := utf16.Encode([]rune("\ufeff" + description))
	binary.LittleEndian.PutUint64(b[72:], uint64(2*len(text))|2<<56) // with flags in the last byte
	binary.LittleEndian.PutUint64(b[80:], 300)
	for _, u := range text {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

const windows11 = `<WIM><IMAGE INDEX="1"><WINDOWS><ARCH>9</ARCH><PRODUCTNAME>Microsoft</PRODUCTNAME><INSTALLATIONTYPE>Client</INSTALLATIONTYPE><VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>22631</BUILD></VERSION></WINDOWS><NAME>Windows 11 Home</NAME><DISPLAYNAME>Windows 11 Home</DISPLAYNAME></IMAGE><IMAGE INDEX="2"/></WIM>`

// TestMedia: what the trees on media tell. The last field is live, netinst, multipart.
func TestMedia(t *testing.T) {
	for _, tc := range []struct {
		name, label string
		files       files
		want        string
	}{
		{"Debian netinst", "Debian 12.5.0 amd64 n", files{".disk/info": `Debian GNU/Linux 12.5.0 "Bookworm" - Official amd64 NETINST with firmware 20240210-11:27`, ".disk/cd_type": "not_complete\n"},
			"linux debian 12.5 x86_64 deb debian12 false true false"},
		{"Debian DVD 1", "", files{".disk/info": `Debian GNU/Linux 12.5.0 "Bookworm" - Official arm64 DVD Binary-1 with firmware 20240210-11:27`, ".disk/cd_type": "dvd\n"},
			"linux debian 12.5 aarch64 deb debian12 false false true"},
		{"Debian for two architectures", "", files{".disk/info": `Debian GNU/Linux 9.0.0 "Stretch" - Official Multi-architecture amd64/i386 NETINST 20170617`},
			"linux debian 9.0 unknown deb debian9 false true false"},
		{"Debian single DVD", "", files{".disk/info": `Debian GNU/Linux 6.0.1 "Squeeze" - Official i386 DVD Binary-1`, ".disk/cd_type": "dvd/single\n"},
			"linux debian 6.0 i386 deb debian6 false false false"},
		{"Debian live", "", files{".disk/info": `Official Debian GNU/Linux Live 12.5.0 gnome 2024-02-10T12:36`, "live/filesystem.squashfs": ""},
			"linux debian 12.5 unknown deb debian12 true false false"},
		{"Ubuntu desktop", "", files{".disk/info": `Ubuntu 22.04.3 LTS "Jammy Jellyfish" - Release amd64 (20230807.2)`, ".disk/cd_type": "full_cd/single\n", "casper/filesystem.squashfs": ""},
			"linux ubuntu 22.4 x86_64 deb ubuntu22.04 true false false"},
		{"Ubuntu server", "", files{".disk/info": `Ubuntu-Server 16.04.6 LTS "Xenial Xerus" - Release amd64 (20190226)`, ".disk/cd_type": "full_cd/single\n", "install/vmlinuz": ""},
			"linux ubuntu 16.4 x86_64 deb ubuntu16.04 false false false"},
		{"Mint", "", files{".disk/info": `Linux Mint 21.2 "Victoria" - Release amd64 20230711`, "casper/filesystem.squashfs": ""},
			"linux linuxmint 21.2 x86_64 deb linuxmint21.2 true false false"},
		{"Kali", "", files{".disk/info": `Kali GNU/Linux 2023.4 "Kali-last-snapshot" - Official amd64 NETINST with firmware 20231127`},
			"linux kalilinux 2023.4 x86_64 deb kalilinux2023.4 false true false"},
		{"Fedora server", "", files{".treeinfo": "[general]\nfamily = Fedora\nversion = 39\narch = x86_64\npackagedir = \nname = Fedora 39\n", "Packages/": ""},
			"linux fedora 39.0 x86_64 rpm fedora39 false false false"},
		{"Fedora netinst", "", files{".treeinfo": "[general]\nfamily = Fedora\nversion = 39\narch = aarch64\npackagedir = \n", "images/install.img": ""},
			"linux fedora 39.0 aarch64 rpm fedora39 false true false"},
		{"RHEL 9", "", files{".treeinfo": "; an old section\n[general]\nfamily = Red Hat Enterprise Linux\nname = Red Hat Enterprise Linux 9.3.0\nversion = 9.3.0\narch = x86_64\n", "BaseOS/": "", "AppStream/": "", "LiveOS/squashfs.img": ""},
			"linux rhel 9.3 x86_64 rpm rhel9.3 false false false"},
		{"CentOS, one of several", "", files{".treeinfo": "[general]\nfamily = CentOS\nversion = 5.11\narch = i386\ntotaldiscs = 9\ndiscnum = 1\npackagedir = CentOS\n", "CentOS/": ""},
			"linux centos 5.11 i386 rpm centos5.11 false false true"},
		{"RHEL 4 by .discinfo", "", files{".discinfo": "1092763609.0\nRed Hat Enterprise Linux 4\ni386\n1\nRedHat/base\n", "RedHat/RPMS/": ""},
			"linux rhel 4.0 i386 rpm rhel4.0 false false true"},
		{"Fedora Workstation", "Fedora-WS-Live-39-1-5", files{"LiveOS/squashfs.img": "", "boot/grub2/grub.cfg": "menuentry 'Start Fedora-Workstation-Live 39' {\n"},
			"linux fedora 39.0 unknown rpm fedora39 true false false"},
		{"Leap", "openSUSE-Leap-15.5-DVD-x86_64", files{"media.1/media": "openSUSE - openSUSE-Leap-15.5-DVD-x86_64-Build491.1-Media\nopenSUSE-Leap-15.5-DVD-x86_64-Build491.1\n1\n", "media.1/products": "/ openSUSE-Leap 15.5-1\n"},
			"linux opensuse 15.5 x86_64 rpm opensuse15.5 false false false"},
		{"Leap, network", "", files{"media.1/media": "x\nopenSUSE-Leap-15.5-NET-x86_64-Build491.1\n1\n", "media.1/products": "/ openSUSE-Leap 15.5-1\n"},
			"linux opensuse 15.5 x86_64 rpm opensuse15.5 false true false"},
		{"SLES 15", "", files{"media.1/media": "SUSE - SLE-15-SP5-Full-x86_64-GM-Media\nSLE-15-SP5-Full-x86_64-GM\n2\n", "media.1/products": "/ SLES15-SP5 15.5-0\n"},
			"linux sles 15.5 x86_64 rpm sles15sp5 false false true"},
		{"SLES 11", "", files{"content": "CONTENTSTYLE  11\nVENDOR SUSE LINUX\nPRODUCT SUSE_SLES\nVERSION 11.4\nLABEL SUSE Linux Enterprise Server 11 SP4\nDEFAULTBASE i586\n", "media.1/media": "SUSE\n20150701\n1\n"},
			"linux sles 11.4 i386 rpm sles11sp4 false false false"},
		{"Alpine", "", files{".alpine-release": "alpine-standard 3.19.1 240126\n", "apks/x86_64/APKINDEX.tar.gz": ""},
			"linux alpinelinux 3.19 x86_64 apk alpinelinux3.19 true false false"},
		{"Arch", "ARCH_202401", files{"arch/version": "2024.01.01\n", "arch/x86_64/airootfs.sfs": ""},
			"linux archlinux 2024.1 x86_64 pacman archlinux true true false"},
		{"NixOS", "nixos-minimal-23.11-x86_64", files{"nix-store.squashfs": "", "version.txt": "23.11.1234.abcd\n", "isolinux/isolinux.bin": ""},
			"linux nixos 23.11 x86_64 unknown nixos23.11 true false false"},
		{"Slackware", "", files{"slackware64/": "", "ANNOUNCE.15_0": "", "isolinux/isolinux.bin": ""},
			"linux slackware 15.0 x86_64 unknown slackware15.0 false false false"},
		{"Mageia", "", files{"x86_64/product.id": "vendor=Mageia.Org,distribution=Mageia,type=basic,version=9,branch=Official,release=1,arch=x86_64,product=Default\n"},
			"linux mageia 9.0 x86_64 rpm mageia9 false false false"},
		{"Void", "VOID_LIVE", files{"LiveOS/squashfs.img": "", "boot/grub/grub.cfg": "menuentry \"Void Linux 6.1 x86_64\" {\n"},
			"linux voidlinux 0.0 unknown xbps voidlinux true false false"},
		{"FreeBSD", "14_0_RELEASE_AMD64_CD", files{"etc/fstab": "/dev/iso9660/14_0_RELEASE_AMD64_CD / cd9660 ro 0 0\n", "bin/sh": "", "etc/freebsd-update.conf": "", "usr/freebsd-dist/base.txz": "", "usr/freebsd-dist/MANIFEST": ""},
			"freebsd freebsd 14.0 x86_64 unknown freebsd14.0 false false false"},
		{"FreeBSD bootonly", "13_2_RELEASE_ARM64_AARCH64_BO", files{"bin/freebsd-version": "USERLAND_VERSION=\"13.2-RELEASE\"\n", "usr/freebsd-dist/MANIFEST": ""},
			"freebsd freebsd 13.2 aarch64 unknown freebsd13.2 false true false"},
		{"OpenBSD", "", files{"7.4/amd64/bsd.rd": "", "7.4/amd64/base74.tgz": "", "etc/boot.conf": ""},
			"openbsd openbsd 7.4 x86_64 unknown openbsd7.4 false false false"},
		{"OpenBSD, network", "", files{"7.4/i386/bsd.rd": ""}, "openbsd openbsd 7.4 i386 unknown openbsd7.4 false true false"},
		{"NetBSD", "NETBSD_93", files{"amd64/binary/sets/base.tar.xz": "", "netbsd": ""}, "netbsd netbsd 9.3 x86_64 pkgsrc netbsd9.3 false false false"},
		{"Windows 11", "CCCOMA_X64FRE_EN-US_DV9", files{"setup.exe": "", "sources/install.wim": wimFile(windows11), "sources/boot.wim": "", "bootmgr": ""},
			"windows windows 10.0 x86_64 unknown win11 false false false"},
		{"Windows in upper case, without a description", "GSP1RMCENXFRER_EN_DVD", files{"SETUP.EXE": "", "SOURCES/INSTALL.ESD": "MSWIM"},
			"windows windows 0.0 unknown unknown unknown false false false"},
		{"Windows 2003", "", files{"I386/TXTSETUP.SIF": "[SetupData]\nMajorVersion = 5\nMinorVersion = 2\n", "WIN51": ""}, "windows windows 5.2 i386 unknown win2k3 false false false"},
		{"Windows PE", "", files{"bootmgr": "", "sources/boot.wim": wimFile(strings.ReplaceAll(windows11, ">9<", ">12<"))}, "windows windows 10.0 aarch64 unknown win11 true false false"},
		{"FreeDOS", "FD13-LIVE", files{"freedos/freedos.ico": ""}, "dos freedos 1.3 i386 unknown freedos1.3 true false false"},
		{"Fedora Workstation, by its loader's folder", "Fedora-WS-Live-39-1-5", files{"LiveOS/squashfs.img": "", "boot/x86_64/loader/linux": ""},
			"linux fedora 39.0 x86_64 rpm fedora39 true false false"},
		{"Fedora Workstation, by what firmware starts", "Fedora-WS-Live-38-1-6", files{"LiveOS/squashfs.img": "", "EFI/BOOT/BOOTIA32.EFI": "", "EFI/BOOT/BOOTX64.EFI": ""},
			"linux fedora 38.0 x86_64 rpm fedora38 true false false"},
		{"openSUSE live, an old one", "openSUSE_Leap_42.3_KDE_Live", files{"LiveOS/squashfs.img": "", "boot/x86_64/loader/isolinux.bin": ""},
			"linux opensuse 42.3 x86_64 rpm opensuse42.3 true false false"},
		{"Debian live, by its label", "d-live 12.5.0 gn amd64", files{".disk/info": "Official Debian GNU/Linux Live 12.5.0 gnome 2024-02-10T12:36", "live/filesystem.squashfs": "", "EFI/boot/bootia32.efi": ""},
			"linux debian 12.5 x86_64 deb debian12 true false false"},
		{"Manjaro", "MANJARO_KDE_2302", files{"manjaro/x86_64/rootfs.sfs": "", "isolinux/isolinux.bin": ""},
			"linux archlinux 23.0 x86_64 pacman archlinux true false false"},
		{"something that starts", "RESCUE1102", files{"isolinux/isolinux.bin": ""}, "linux  0.0 unknown unknown unknown false false false"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			devs := disks("/dev/sda TYPE=iso9660")
			devs.All[0].Tags["LABEL"] = tc.label
			var opened []string
			found, warnings := Inspect([]Volume{{"/dev/sda", "iso9660"}}, devs, disk{"/dev/sda": tc.files}.open(&opened))
			if len(found) != 1 || found[0].Role != Root || found[0].OS.Media == nil || len(warnings) > 0 {
				t.Fatalf("found %+v, warnings %q", found, warnings)
			}
			o := found[0].OS
			known := func(s string) string {
				if s == "" {
					return "unknown"
				}
				return s
			}
			got := fmt.Sprintf("%s %s %d.%d %s %s %s %v %v %v", o.Type, o.Distro, o.Major, o.Minor, known(o.Arch), known(o.PackageFormat), Osinfo(o), o.Media.Live, o.Media.Netinst, o.Media.Multipart)
			if got != tc.want {
				t.Errorf("got  %s\nwant %s (product %q)", got, tc.want, o.Product)
			}
		})
	}
}

// TestHostileWIM: sizes and places that cannot be.
func TestHostileWIM(t *testing.T) {
	for _, at := range []uint64{0, 1 << 40, 1 << 63, 1<<64 - 1} {
		for _, size := range []uint64{0, 1, 1 << 20, 1 << 55} {
			b := []byte(wimFile("<WIM>"))
			binary.LittleEndian.PutUint64(b[72:], size)
			binary.LittleEndian.PutUint64(b[80:], at)
			o := &OS{}
			if o.wim(tree(map[string]string{"f": string(b)}), "/f"); o.Product != "" {
				t.Errorf("at %d, %d bytes: %q", at, size, o.Product)
			}
		}
	}
}
