package inspect

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// files are what is on a file system, as tree has it; disk what is on each mountable.
type (
	files map[string]string
	disk  map[string]files
)

// open is what a daemon does: it mounts, here by copying.
func (d disk) open(opened *[]string) func([]Mount) (*Guest, error) {
	return func(mounts []Mount) (*Guest, error) {
		m := fstest.MapFS{}
		for _, mount := range mounts {
			if mount.Mountable == InMemory {
				continue
			}
			content, at, ok := d.find(mount.Mountable)
			if !ok {
				return nil, fs.ErrNotExist
			}
			*opened = append(*opened, mount.Mountable)
			for name, text := range content {
				if rest, ok := strings.CutPrefix("/"+name, at+"/"); ok && rest != "" {
					put(m, strings.Trim(mount.Point, "/"), files{rest: text})
				}
			}
		}
		return &Guest{FS: m, Architecture: func(p string) string {
			if _, err := fs.Stat(m, clean(p)); err == nil {
				return "x86_64"
			}
			return ""
		}}, nil
	}
}

// find is the content of a mountable: of its own, or a folder of another one.
func (d disk) find(mountable string) (content files, at string, ok bool) {
	if content, ok = d[mountable]; ok {
		return content, "", true
	}
	rest, _ := strings.CutPrefix(mountable, "dir:")
	for name := range d {
		plain := strings.TrimPrefix(name, "btrfsvol:")
		if at, ok := strings.CutPrefix(rest, plain+"/"); ok {
			return d[name], "/" + at, true
		}
	}
	return nil, "", false
}

// inspected says what was found, in lines: root, distribution and version, and what is
// mounted where.
func inspected(t *testing.T, devices string, d disk) (string, []string) {
	t.Helper()
	devs := disks(devices)
	var volumes []Volume
	for _, dev := range devs.All {
		if dev.Tags["TYPE"] != "" {
			volumes = append(volumes, Volume{dev.Name, dev.Tags["TYPE"]})
		}
		var ids []uint64
		for id := range dev.Subvolumes {
			ids = append(ids, id)
		}
		slices.Sort(ids)
		for _, id := range ids {
			volumes = append(volumes, Volume{"btrfsvol:" + dev.Name + "/" + dev.Subvolumes[id], "btrfs"})
		}
	}
	var opened []string
	found, warnings := Inspect(volumes, devs, d.open(&opened))
	var l []string
	for _, f := range found {
		if f.Role != Root {
			continue
		}
		line := fmt.Sprintf("%s %s %d %s:", f.Mountable, f.OS.Distro, f.OS.Major, f.OS.Arch)
		for _, m := range f.OS.Mounts {
			line += " " + m.Mountable + " " + m.Point
		}
		l = append(l, line)
	}
	return strings.Join(l, "\n"), warnings
}

// debian is a root directory, with an fstab.
func debian(fstab string) files {
	return files{"bin/bash": "", "etc/os-release": "ID=debian\nVERSION_ID=12\n", "etc/fstab": fstab}
}

func with(f files, more files) files {
	all := files{}
	for _, m := range []files{f, more} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

// merged is a root directory whose /usr is elsewhere, and usrTree what is there.
var (
	merged  = files{"bin": "-> usr/bin", "lib": "-> usr/lib", "usr/": "", "etc/os-release": "-> ../usr/lib/os-release", "etc/hostname": "h\n", "home/": "", "boot/": "", "srv/x": "", "var/": "", "efi/": ""}
	usrTree = files{"bin/bash": "", "bin/ls": "", "lib/os-release": "ID=fedora\nVERSION_ID=40\n"}
)

const (
	typeESP     = " TYPE=vfat PART_ENTRY_SCHEME=gpt PART_ENTRY_TYPE=c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
	typeBoot    = " TYPE=ext4 PART_ENTRY_SCHEME=gpt PART_ENTRY_TYPE=bc13c2ff-59e6-4262-a352-b275fd6f7172"
	typeRoot    = " TYPE=ext4 PART_ENTRY_SCHEME=gpt PART_ENTRY_TYPE=4f68bce3-e8cd-4db1-96e7-fbcaf984b709"
	typeUsr     = " TYPE=squashfs PART_ENTRY_SCHEME=gpt PART_ENTRY_TYPE=8484680c-9521-48c6-9c11-b0720656f69e"
	typeVerity  = " TYPE=DM_verity_hash PART_ENTRY_SCHEME=gpt PART_ENTRY_TYPE=77ff5f63-e7b6-4633-acf4-1565b864c0e6"
	typeHome    = " PART_ENTRY_SCHEME=gpt PART_ENTRY_TYPE=933ac7e1-2eb4-4f13-b844-0e14e2aef915"
	typeVar     = " TYPE=ext4 PART_ENTRY_SCHEME=gpt PART_ENTRY_TYPE=4d21b016-b534-45c2-a9fb-5c16e091fd2d"
	typeVarTmp  = " TYPE=ext4 PART_ENTRY_SCHEME=gpt PART_ENTRY_TYPE=7ec6f557-3bc5-4aca-b293-16ef5df639d1"
	typeSrv     = " TYPE=ext4 PART_ENTRY_SCHEME=gpt PART_ENTRY_TYPE=3b8f8425-20e0-4f3b-907f-1a25a76f98e8"
	typeSwap    = " TYPE=swap PART_ENTRY_SCHEME=gpt PART_ENTRY_TYPE=0657fd6d-a4ab-43c4-84e5-0933c84b4f4f"
	typeCrypted = " TYPE=crypto_LUKS" + typeHome
)

func TestInspect(t *testing.T) {
	deployment := func(at string, version int) files {
		return files{at + "usr/bin/bash": "", at + "usr/lib/os-release": fmt.Sprintf("ID=fedora\nVERSION_ID=%d\n", version), at + "bin": "-> usr/bin",
			at + "etc/os-release": "-> ../usr/lib/os-release", at + "etc/fstab": "LABEL=root / ext4\nLABEL=EFI /boot/efi vfat\n", at + "var/": "", at + "boot/": "", at + "sysroot/": ""}
	}
	const at = "ostree/deploy/fcos/deploy/"
	ostree := with(with(deployment(at+"a.0/", 38), deployment(at+"b.0/", 39)), files{
		"ostree/deploy/fcos/var/": "", "ostree/repo/": "", "boot/": "", "ostree/boot.0/fcos/s/0": "-> ../../../deploy/fcos/deploy/a.0", "ostree/boot.0/fcos/s/1": "-> ../../../deploy/fcos/deploy/b.0"})
	entries := files{"loader/entries/ostree-1.conf": "version 1\noptions quiet ostree=/ostree/boot.0/fcos/s/1\n", "loader/entries/ostree-2.conf": "title x\nversion 2\noptions ostree=/ostree/boot.0/fcos/s/0 rw\n"}
	const nixTop = "nix/store/abc-nixos-system-n-24.05"
	nix := files{"nix/store/": "", "nix/var/nix/profiles/system": "-> system-2-link", "nix/var/nix/profiles/system-2-link": "-> ../../../store/abc-nixos-system-n-24.05",
		nixTop + "/etc/os-release": "ID=nixos\nVERSION_ID=24.05\n", nixTop + "/etc/hostname": "n\n", nixTop + "/etc/fstab": "LABEL=root / ext4\nLABEL=nix /nix ext4\nLABEL=boot /boot vfat\n", nixTop + "/sw/bin/bash": ""}
	nixStore := files{}
	for name, text := range nix {
		nixStore[strings.TrimPrefix(name, "nix/")] = text
	}
	const nixInStore = "store/abc-nixos-system-n-24.05"
	const nixSubvolumes = "/dev/sda TYPE=btrfs LABEL=bt sub=256:root sub=257:nix"
	nixStoreOf := with(nixStore, files{nixInStore + "/etc/fstab": "LABEL=bt / btrfs subvol=root\nLABEL=bt /nix btrfs subvol=nix\n"})
	nixTopOf := files{"root/": ""}
	for name, text := range nixStoreOf {
		nixTopOf["nix/"+name] = text
	}
	snapshots := "/dev/sda TYPE=btrfs UUID=u sub=256:@ sub=257:@/.snapshots sub=258:@/.snapshots/1/snapshot sub=259:@/.snapshots/2/snapshot sub=260:@/home"
	suse := debian("UUID=u / btrfs defaults\nUUID=u /home btrfs subvol=/@/home\n")

	for _, tc := range []struct {
		name, devices string
		disk          disk
		want          string
		warning       string
	}{
		{"a partition that is all of the disk", "/dev/sda1 TYPE=ext4 UUID=u\n/dev/sda2 TYPE=ext4 UUID=v\n/dev/sda3 TYPE=ext4 UUID=u", disk{"/dev/sda1": debian("UUID=u / ext4\nUUID=v /x ext4\n"), "/dev/sda3": debian("")},
			"/dev/sda1 debian 12 x86_64: /dev/sda1 / /dev/sda2 /x", ""},
		{"two disks with one label", "/dev/sda TYPE=ext4 LABEL=x\n/dev/sdb TYPE=ext4 LABEL=x", disk{"/dev/sda": {"data": ""}, "/dev/sdb": debian("LABEL=x / ext4\n")},
			"/dev/sdb debian 12 x86_64: /dev/sdb /", ""},
		{"a copy of a disk", "/dev/sda1 TYPE=ext4 LABEL=x\n/dev/sda2 TYPE=ext4 LABEL=y\n/dev/sdb1 TYPE=ext4 LABEL=x\n/dev/sdb2 TYPE=ext4 LABEL=y", disk{"/dev/sda1": debian("LABEL=x / ext4\nLABEL=y /y ext4\n"), "/dev/sdb1": debian("LABEL=x / ext4\nLABEL=y /y ext4\n")},
			"/dev/sda1 debian 12 x86_64: /dev/sda1 / /dev/sda2 /y\n/dev/sdb1 debian 12 x86_64: /dev/sdb1 / /dev/sdb2 /y", "/dev/sda1: /etc/fstab:2: LABEL=y for /y fits /dev/sda2 and /dev/sdb2: /dev/sda2 is taken"},

		{"snapshots of Snapper, the default subvolume is one", snapshots + " default=258", disk{"/dev/sda": suse, "btrfsvol:/dev/sda/@/.snapshots/1/snapshot": suse, "btrfsvol:/dev/sda/@/.snapshots/2/snapshot": suse, "btrfsvol:/dev/sda/@": {"x": ""}},
			"/dev/sda debian 12 x86_64: /dev/sda / btrfsvol:/dev/sda/@/home /home", ""},
		{"snapshots beside the system", "/dev/sda TYPE=btrfs UUID=u sub=256:@ sub=257:@snapshots/7/snapshot sub=258:timeshift-btrfs/snapshots/2024-01-01/@", disk{"btrfsvol:/dev/sda/@": debian(""), "btrfsvol:/dev/sda/@snapshots/7/snapshot": debian(""), "btrfsvol:/dev/sda/timeshift-btrfs/snapshots/2024-01-01/@": debian("")},
			"btrfsvol:/dev/sda/@ debian 12 x86_64: btrfsvol:/dev/sda/@ /", ""},
		{"nothing but a snapshot", "/dev/sda TYPE=btrfs UUID=u sub=257:@snapshots/7/snapshot", disk{"btrfsvol:/dev/sda/@snapshots/7/snapshot": debian("")},
			"btrfsvol:/dev/sda/@snapshots/7/snapshot debian 12 x86_64: btrfsvol:/dev/sda/@snapshots/7/snapshot /", ""},
		{"a snapshot with any name, by its fstab", "/dev/sda TYPE=btrfs UUID=u sub=256:@ sub=257:old", disk{"btrfsvol:/dev/sda/@": debian("UUID=u / btrfs subvolid=256\n"), "btrfsvol:/dev/sda/old": debian("UUID=u / btrfs subvolid=256\n")},
			"btrfsvol:/dev/sda/@ debian 12 x86_64: btrfsvol:/dev/sda/@ /", ""},
		{"the default subvolume, seen twice", "/dev/sda TYPE=btrfs UUID=u sub=256:@ default=256", disk{"/dev/sda": debian(""), "btrfsvol:/dev/sda/@": debian("")},
			"/dev/sda debian 12 x86_64: /dev/sda /", ""},
		{"the default subvolume, named in fstab", "/dev/sda TYPE=btrfs UUID=u sub=256:@ default=256", disk{"/dev/sda": debian("UUID=u / btrfs subvol=@\n"), "btrfsvol:/dev/sda/@": debian("UUID=u / btrfs subvol=@\n")},
			"btrfsvol:/dev/sda/@ debian 12 x86_64: btrfsvol:/dev/sda/@ /", ""},
		{"a snapshot with any name, by btrfs", "/dev/sda TYPE=btrfs UUID=u sub=256:@ sub=257:@_snap origin=257:256", disk{"btrfsvol:/dev/sda/@": debian(""), "btrfsvol:/dev/sda/@_snap": debian("")},
			"btrfsvol:/dev/sda/@ debian 12 x86_64: btrfsvol:/dev/sda/@ /", ""},
		{"a snapshot of the top", "/dev/sda TYPE=btrfs UUID=u sub=257:a origin=257:5", disk{"/dev/sda": debian(""), "btrfsvol:/dev/sda/a": debian("")},
			"/dev/sda debian 12 x86_64: /dev/sda /", ""},
		{"a snapshot that is the system now, by fstab", "/dev/sda TYPE=btrfs UUID=u sub=256:old sub=257:@ origin=257:256", disk{"btrfsvol:/dev/sda/@": debian("UUID=u / btrfs subvol=@"), "btrfsvol:/dev/sda/old": debian("UUID=u / btrfs subvol=@")},
			"btrfsvol:/dev/sda/@ debian 12 x86_64: btrfsvol:/dev/sda/@ /", ""},
		{"a snapshot that is the system now, as the default", "/dev/sda TYPE=btrfs UUID=u sub=256:@ sub=257:s2 origin=257:256 default=257", disk{"/dev/sda": debian(""), "btrfsvol:/dev/sda/@": debian(""), "btrfsvol:/dev/sda/s2": debian("")},
			"/dev/sda debian 12 x86_64: /dev/sda /", ""},
		{"a snapshot that has become a system of its own", "/dev/sda TYPE=btrfs UUID=u sub=256:a sub=257:b origin=257:256", disk{"btrfsvol:/dev/sda/a": debian("UUID=u / btrfs subvol=a"), "btrfsvol:/dev/sda/b": debian("UUID=u / btrfs subvol=b")},
			"btrfsvol:/dev/sda/a debian 12 x86_64: btrfsvol:/dev/sda/a /\nbtrfsvol:/dev/sda/b debian 12 x86_64: btrfsvol:/dev/sda/b /", ""},
		{"snapshots of what is gone", "/dev/sda TYPE=btrfs UUID=u sub=257:a sub=258:b sub=259:c origin=257:9999 origin=258:9999 origin=259:258", disk{"btrfsvol:/dev/sda/a": debian(""), "btrfsvol:/dev/sda/b": debian(""), "btrfsvol:/dev/sda/c": debian("")},
			"btrfsvol:/dev/sda/a debian 12 x86_64: btrfsvol:/dev/sda/a /", ""},
		{"two subvolumes each of which names the other", "/dev/sda TYPE=btrfs UUID=u sub=256:a sub=257:b", disk{"btrfsvol:/dev/sda/a": debian("UUID=u / btrfs subvol=b"), "btrfsvol:/dev/sda/b": debian("UUID=u / btrfs subvol=a")},
			"btrfsvol:/dev/sda/b debian 12 x86_64: btrfsvol:/dev/sda/b /", ""},
		{"snapshots of LVM", "/dev/vg/old TYPE=ext4 UUID=u snapshot=/dev/vg/root\n/dev/vg/root TYPE=ext4 UUID=u\n/dev/vg/z TYPE=ext4 UUID=u snapshot=/dev/vg/old", disk{"/dev/vg/root": debian(""), "/dev/vg/old": debian(""), "/dev/vg/z": debian("")},
			"/dev/vg/root debian 12 x86_64: /dev/vg/root /", ""},
		{"two devices of one btrfs", "/dev/sda TYPE=btrfs UUID=u UUID_SUB=1\n/dev/sdb TYPE=btrfs UUID=u UUID_SUB=2", disk{"/dev/sda": debian("UUID=u / btrfs\n"), "/dev/sdb": debian("UUID=u / btrfs\n")},
			"/dev/sda debian 12 x86_64: /dev/sda /", ""},
		{"in a volume group, a volume and one that is its copy", "/dev/vg/lv TYPE=btrfs UUID=u sub=256:a", disk{"/dev/vg/lv": debian("/dev/vg/lv / btrfs\n"), "btrfsvol:/dev/vg/lv/a": debian("/dev/vg/lv / btrfs\n")},
			"/dev/vg/lv debian 12 x86_64: /dev/vg/lv /", ""},

		{"/usr by fstab", "/dev/sda1 TYPE=ext4\n/dev/sda2 TYPE=xfs LABEL=usr", disk{"/dev/sda1": with(merged, files{"etc/fstab": "LABEL=usr /usr xfs\n"}), "/dev/sda2": usrTree},
			"/dev/sda1 fedora 40 x86_64: /dev/sda1 / /dev/sda2 /usr", ""},
		{"/usr that nothing names", "/dev/sda1 TYPE=ext4\n/dev/sda2 TYPE=xfs\n/dev/sdb1 TYPE=xfs", disk{"/dev/sda1": merged, "/dev/sda2": usrTree, "/dev/sdb1": usrTree},
			"/dev/sda1 fedora 40 x86_64: /dev/sda1 / /dev/sda2 /usr", ""},
		{"a root directory with next to nothing", "/dev/sda1 TYPE=ext4\n/dev/sda2 TYPE=xfs", disk{"/dev/sda1": {"usr/": "", "var/": ""}, "/dev/sda2": usrTree},
			"/dev/sda1 fedora 40 x86_64: /dev/sda1 / /dev/sda2 /usr", ""},
		{"discoverable partitions", "/dev/sda\n/dev/sda1" + typeESP + "\n/dev/sda2" + typeRoot + "\n/dev/sda3" + typeUsr + " PART_ENTRY_NAME=os_9\n/dev/sda4" + typeUsr + " PART_ENTRY_NAME=os_10\n/dev/sda5" + typeVerity + "\n/dev/sda6 TYPE=xfs" + typeHome +
			"\n/dev/sda7" + typeVar + "\n/dev/sda8" + typeVarTmp + "\n/dev/sda9" + typeSrv + "\n/dev/sda10" + typeSwap + "\n/dev/sda11" + typeBoot + "\n/dev/sdb1 TYPE=ext4" + typeHome,
			disk{"/dev/sda2": merged, "/dev/sda3": usrTree, "/dev/sda4": usrTree, "/dev/sda1": {"EFI/": ""}},
			"/dev/sda2 fedora 40 x86_64: /dev/sda2 / /dev/sda11 /boot /dev/sda1 /efi /dev/sda6 /home /dev/sda7 /var /dev/sda8 /var/tmp /dev/sda10  /dev/sda4 /usr", ""},
		{"an ESP for /boot; an encrypted home", "/dev/sda1" + typeESP + "\n/dev/sda2" + typeRoot + "\n/dev/sda3" + typeCrypted + "\n/dev/mapper/h on=/dev/sda3 TYPE=ext4 DM_UUID=CRYPT-LUKS2-1-h",
			disk{"/dev/sda2": with(debian(""), files{"boot/": "", "home/": ""})}, "/dev/sda2 debian 12 x86_64: /dev/sda2 / /dev/sda1 /boot /dev/mapper/h /home", ""},
		{"fstab goes before types", "/dev/sda1" + typeESP + "\n/dev/sda2" + typeRoot + "\n/dev/sda3 TYPE=ext4 LABEL=h\n/dev/sda4 TYPE=ext4" + typeHome + "\n/dev/sda5 TYPE=ext4 PART_ENTRY_FLAGS=0x8000000000000000" + typeSrv,
			disk{"/dev/sda2": with(debian("LABEL=h /home ext4\n"), files{"boot/vmlinuz": "", "home/": "", "srv/": ""})}, "/dev/sda2 debian 12 x86_64: /dev/sda2 / /dev/sda3 /home", ""},
		{"places that are masked", "/dev/sda1 TYPE=ext4" + typeHome + "\n/dev/sda2" + typeRoot + "\n/dev/sda3" + typeSrv + "\n/dev/sda4" + typeVarTmp,
			disk{"/dev/sda2": with(debian(""), files{"home/": "", "srv/": "", "var/tmp/": "", "etc/systemd/system/home.mount": "-> /dev/null", "usr/lib/systemd/system/srv.mount": "", "usr/lib/systemd/system/var-tmp.mount": "-> /dev/null", "etc/systemd/system/var-tmp.mount": "-> /lib/x"})},
			"/dev/sda2 debian 12 x86_64: /dev/sda2 / /dev/sda4 /var/tmp", ""},

		{"OSTree, and what is to be started", "/dev/sda1 TYPE=ext4 LABEL=boot\n/dev/sda2 TYPE=ext4 LABEL=root\n/dev/sda3 TYPE=vfat LABEL=EFI", disk{"/dev/sda1": with(entries, files{"loader/loader.conf": "timeout 5\ndefault ostree-1*\n"}), "/dev/sda2": ostree},
			"dir:/dev/sda2/" + at + "b.0 fedora 39 x86_64: dir:/dev/sda2/" + at + "b.0 / /dev/sda3 /boot/efi /dev/sda2 /sysroot dir:/dev/sda2/ostree/deploy/fcos/var /var /dev/sda1 /boot", ""},
		{"OSTree, with a /boot of its own", "/dev/sda1 TYPE=ext4 LABEL=boot\n/dev/sda2 TYPE=ext4 LABEL=root\n/dev/sda3 TYPE=vfat LABEL=EFI", disk{"/dev/sda1": entries, "/dev/sda2": ostree},
			"dir:/dev/sda2/" + at + "a.0 fedora 38 x86_64: dir:/dev/sda2/" + at + "a.0 / /dev/sda3 /boot/efi /dev/sda2 /sysroot dir:/dev/sda2/ostree/deploy/fcos/var /var /dev/sda1 /boot", ""},
		{"OSTree on btrfs, all in one", "/dev/sda1 TYPE=btrfs UUID=u sub=256:root\n/dev/sda3 TYPE=vfat LABEL=EFI", disk{"btrfsvol:/dev/sda1/root": with(ostree, files{"boot/loader/entries/a.conf": "options ostree=/ostree/boot.0/fcos/s/1"})},
			"dir:/dev/sda1/root/" + at + "b.0 fedora 39 x86_64: dir:/dev/sda1/root/" + at + "b.0 / /dev/sda3 /boot/efi btrfsvol:/dev/sda1/root /sysroot dir:/dev/sda1/root/ostree/deploy/fcos/var /var dir:/dev/sda1/root/boot /boot", ""},
		{"composefs", "/dev/sda1 TYPE=ext4", disk{"/dev/sda1": {"composefs/objects/": "", "state/deploy/": ""}}, "", "/dev/sda1: a system is there whose files are in a composefs repository"},

		{"NixOS", "/dev/sda1 TYPE=vfat LABEL=boot\n/dev/sda2 TYPE=ext4 LABEL=root\n/dev/sda3 TYPE=ext4 LABEL=nix", disk{"/dev/sda2": nix, "/dev/sda3": {"x": ""}},
			"/dev/sda2 nixos 24 x86_64: /dev/sda2 / /dev/sda3 /nix /dev/sda1 /boot", ""},
		{"NixOS, its store apart", "/dev/sda1 TYPE=vfat LABEL=boot\n/dev/sda2 TYPE=ext4 LABEL=root\n/dev/sda3 TYPE=ext4 LABEL=nix", disk{"/dev/sda2": {"etc/NIXOS": "", "nix/": ""}, "/dev/sda3": nixStore},
			"/dev/sda2 nixos 24 x86_64: /dev/sda2 / /dev/sda3 /nix /dev/sda1 /boot", ""},
		{"/usr partitions, the newest label", "/dev/sda1" + typeRoot + "\n/dev/sda2" + typeUsr + " PART_ENTRY_NAME=img_9\n/dev/sda3" + typeUsr + " PART_ENTRY_NAME=img_10\n/dev/sda4" + typeUsr + " PART_ENTRY_NAME=img_8",
			disk{"/dev/sda1": {"usr/": "", "etc/": ""}, "/dev/sda2": usrTree, "/dev/sda3": usrTree, "/dev/sda4": usrTree},
			"/dev/sda1 fedora 40 x86_64: /dev/sda1 / /dev/sda3 /usr", ""},
		{"/usr without a root directory", "/dev/sda1" + typeESP + "\n/dev/sda2" + typeUsr + " PART_ENTRY_NAME=img_1\n/dev/sda3" + typeUsr + " PART_ENTRY_NAME=img_2\n/dev/sda4" + typeRoot,
			disk{"/dev/sda1": {"EFI/": ""}, "/dev/sda2": usrTree, "/dev/sda3": usrTree, "/dev/sda4": {}},
			"", "/dev/sda3: fedora is in this /usr, but its root directory is made or filled only when it starts"},
		{"NixOS on subvolumes that the top shows too", nixSubvolumes, disk{"/dev/sda": with(nixTopOf, files{"root/etc/NIXOS": ""}), "btrfsvol:/dev/sda/root": {"etc/NIXOS": "", "nix/": ""}, "btrfsvol:/dev/sda/nix": nixStoreOf},
			"btrfsvol:/dev/sda/root nixos 24 x86_64: btrfsvol:/dev/sda/root / btrfsvol:/dev/sda/nix /nix", ""},
		{"NixOS on subvolumes, its root directory is empty", nixSubvolumes, disk{"/dev/sda": nixTopOf, "btrfsvol:/dev/sda/root": {}, "btrfsvol:/dev/sda/nix": nixStoreOf},
			"btrfsvol:/dev/sda/root nixos 24 x86_64: btrfsvol:/dev/sda/root / btrfsvol:/dev/sda/nix /nix", ""},
		{"NixOS on subvolumes, a root directory that is empty, and a store of another name", strings.ReplaceAll(nixSubvolumes, ":nix", ":@nix"), disk{"/dev/sda": {"@nix/": ""}, "btrfsvol:/dev/sda/root": {}, "btrfsvol:/dev/sda/@nix": nixStoreOf},
			"btrfsvol:/dev/sda/root nixos 24 x86_64: btrfsvol:/dev/sda/root / btrfsvol:/dev/sda/@nix /nix", "LABEL=bt for /nix has no subvolume nix"},
		{"NixOS whose root directory is in memory", "/dev/sda1 TYPE=ext4 LABEL=nix", disk{"/dev/sda1": with(nixStore, files{nixInStore + "/etc/fstab": "none / tmpfs size=2G\nLABEL=nix /nix ext4\n"})},
			"", "/dev/sda1: a NixOS is in this store, but its root directory is in memory, so that it cannot be mounted as a whole"},
		{"NixOS whose root directory is elsewhere", "/dev/sda1 TYPE=ext4 LABEL=nix", disk{"/dev/sda1": nixStore},
			"", "/dev/sda1: a NixOS is in this store, but its root directory is not here"},
		{"NixOS after a step back", "/dev/sda1 TYPE=ext4 LABEL=root", disk{"/dev/sda1": with(nix, files{"etc/NIXOS": "", "etc/os-release": "ID=nixos\nVERSION_ID=25.05\n"})},
			"/dev/sda1 nixos 24 x86_64: /dev/sda1 /", "LABEL=nix for /nix is not found"},
		{"NixOS whose chosen generation is gone", "/dev/sda1 TYPE=ext4 LABEL=root", disk{"/dev/sda1": with(nix, files{"etc/NIXOS": "", "nix/var/nix/profiles/system": "-> system-9-link", "nix/var/nix/profiles/system-9-link": "-> ../../../store/none"})},
			"/dev/sda1 nixos 24 x86_64: /dev/sda1 /", "LABEL=nix for /nix is not found"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, warnings := inspected(t, tc.devices, tc.disk)
			if got != tc.want {
				t.Errorf("got\n%s\nwant\n%s", got, tc.want)
			}
			if told := strings.Join(warnings, "\n"); tc.warning == "" && told != "" || !strings.Contains(told, tc.warning) {
				t.Errorf("warnings %q, want %q", warnings, tc.warning)
			}
		})
	}
}
