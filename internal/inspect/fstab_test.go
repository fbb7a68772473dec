package inspect

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// disks makes devices from lines: a name, then what is known of it. A disk or a partition
// has its drive's number from its letter.
func disks(text string) *Devices {
	d := &Devices{}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		w := strings.Fields(line)
		dev := &Device{Name: w[0], Shown: w[0], Drive: -1, Tags: map[string]string{}}
		if rest, ok := strings.CutPrefix(w[0], "/dev/sd"); ok {
			dev.Drive = int(rest[0] - 'a')
			if fmt.Sscan(rest[1:], &dev.Part); dev.Part > 0 {
				dev.On = []string{w[0][:len("/dev/sda")]}
			}
		}
		for _, kv := range w[1:] {
			k, v, _ := strings.Cut(kv, "=")
			switch k {
			case "on":
				dev.On = strings.Split(v, ",")
			case "sub":
				var id uint64
				n, p, _ := strings.Cut(v, ":")
				fmt.Sscan(n, &id)
				if dev.Subvolumes == nil {
					dev.Subvolumes = map[uint64]string{}
				}
				dev.Subvolumes[id] = p
			case "origin": // SNAPSHOT:OF
				var id, of uint64
				fmt.Sscanf(v, "%d:%d", &id, &of)
				if dev.Origin == nil {
					dev.Origin = map[uint64]uint64{}
				}
				dev.Origin[id] = of
			case "snapshot":
				dev.SnapshotOf = v
			case "default":
				fmt.Sscan(v, &dev.Default)
			case "part":
				fmt.Sscan(v, &dev.Part)
			case "LABEL", "PART_ENTRY_NAME":
				dev.Tags[k] = strings.ReplaceAll(v, "_", " ")
			default:
				dev.Tags[k] = v
			}
		}
		d.All = append(d.All, dev)
	}
	return d
}

const oneDisk = `
/dev/sda SERIAL=S3R1AL
/dev/sda1 UUID=ABCD-1234 TYPE=vfat PART_ENTRY_UUID=11111111-aaaa-4111-8111-111111111111 PART_ENTRY_NAME=EFI_system
/dev/sda2 UUID=aaaaaaaa-0000-4000-8000-000000000002 TYPE=ext4 LABEL=root PART_ENTRY_UUID=11111111-aaaa-4111-8111-222222222222
/dev/sda3 UUID=aaaaaaaa-0000-4000-8000-000000000003 TYPE=ext4 LABEL=my_home PART_ENTRY_NAME=a_b
/dev/sda4 UUID=eeeeeeee-0000-4000-8000-00000000000e TYPE=crypto_LUKS PART_ENTRY_UUID=22222222-aaaa-4111-8111-111111111111
/dev/sda5 TYPE=LVM2_member
/dev/sda6 TYPE=swap UUID=5aaaaaaa-0000-4000-8000-000000000003
/dev/sda7 TYPE=linux_raid_member
/dev/md127 on=/dev/sda7 MD_UUID=a:b:c:d MD_NAME=host:data
/dev/md127p1 on=/dev/md127 part=1 TYPE=ext4
/dev/vg/lv on=/dev/sda5 TYPE=xfs DM_NAME=vg-lv DM_UUID=LVM-VVVVLLLL
/dev/mapper/luks-eeeeeeee-0000-4000-8000-00000000000e on=/dev/sda4 TYPE=btrfs DM_NAME=luks-eeeeeeee-0000-4000-8000-00000000000e DM_UUID=CRYPT-LUKS2-eeeeeeee00004000800000000000000e-luks-eeeeeeee sub=256:@ sub=257:@var default=5
`

const luks = "/dev/mapper/luks-eeeeeeee-0000-4000-8000-00000000000e"

// TestDeviceNames: one disk, the system on its second partition; what its fstab may say
// for the file system on /x.
func TestDeviceNames(t *testing.T) {
	devs := disks(oneDisk)
	for spec, want := range map[string]string{
		"UUID=AAAAAAAA-0000-4000-8000-000000000003": "/dev/sda3", `UUID="aaaaaaaa-0000-4000-8000-000000000003"`: "/dev/sda3", "UUID=abcd-1234": "/dev/sda1",
		"PARTUUID=11111111-AAAA-4111-8111-111111111111": "/dev/sda1", `LABEL="my\040home"`: "/dev/sda3", `PARTLABEL="a\040b"`: "/dev/sda3",
		`/dev/disk/by-label/my\x20home`: "/dev/sda3", `/dev/disk/by-partlabel/a\x20b`: "/dev/sda3", "/dev/disk/by-uuid/ABCD-1234": "/dev/sda1",
		"/dev/disk/by-partuuid/11111111-aaaa-4111-8111-111111111111": "/dev/sda1",
		"/dev/disk/by-id/ata-Samsung_SSD_860_S3Z9NB0K-part3":         "/dev/sda3", "/dev/disk/by-id/scsi-36001405-part3": "/dev/sda3",
		"/dev/disk/by-id/virtio-S3R1AL-part3": "/dev/sda3", "/dev/disk/by-id/wwn-0x5002538e-part3": "/dev/sda3", "/dev/disk/by-id/usb-Kingston_0-0:0-part3": "/dev/sda3",
		"/dev/disk/by-id/nvme-eui.0025385b-part3": "/dev/sda3", "/dev/disk/by-path/pci-0000:00:1f.2-ata-1-part3": "/dev/sda3", "/dev/disk/by-diskseq/9-part3": "/dev/sda3",
		"/dev/nvme0n1p3": "/dev/sda3", "/dev/mmcblk0p3": "/dev/sda3", "/dev/mmcblk1p3": "/dev/sda3", "/dev/xvda3": "/dev/sda3", "/dev/vda3": "/dev/sda3", "/dev/hda3": "/dev/sda3",
		"/dev/cciss/c0d0p3": "/dev/sda3", "/dev/mapper/mpatha-part3": "/dev/sda3", "/dev/mapper/mpatha3": "/dev/sda3",
		"/dev/block/8:3": "/dev/sda3", "/dev/./sda3": "/dev/sda3", "/dev//disk/../sda3": "/dev/sda3", "/dev/block/202:3": "/dev/sda3", "/dev/block/9:0": "/dev/md127", "/dev/block/8:19": "", "/dev/block/253:1": "", "/dev/block/8:x": "",
		"/dev/vdb1": "", "/dev/nvme1n1p1": "", "/dev/sda9": "",
		"/dev/vg/lv": "/dev/vg/lv", "/dev/mapper/vg-lv": "/dev/vg/lv", "/dev/disk/by-id/dm-name-vg-lv": "/dev/vg/lv", "/dev/disk/by-id/dm-uuid-LVM-VVVVLLLL": "/dev/vg/lv",
		"/dev/md/data": "/dev/md127", "/dev/md0": "/dev/md127", "/dev/md_d0": "/dev/md127", "/dev/disk/by-id/md-uuid-a:b:c:d": "/dev/md127", "/dev/disk/by-id/md-name-host:data": "/dev/md127",
		"/dev/md/data1": "/dev/md127p1", "/dev/md0p1": "/dev/md127p1", "/dev/disk/by-id/md-name-host:data-part1": "/dev/md127p1",
		"/dev/mapper/cr_home": luks, "/dev/mapper/cr_part": luks, "/dev/mapper/cr_dev": luks, "/dev/mapper/cr_header": luks, "/dev/disk/by-id/dm-name-cr_home": luks,
		"/dev/disk/by-id/dm-uuid-CRYPT-LUKS1-eeeeeeee00004000800000000000000e-cr_x": luks, "/dev/mapper/luks-EEEEEEEE-0000-4000-8000-00000000000E": luks,
		"UUID=eeeeeeee-0000-4000-8000-00000000000e": luks, "/dev/mapper/cr_loop": "", "/dev/mapper/nowhere": "", "/dev/dm-3": "",
	} {
		g := tree(map[string]string{"etc/fstab": "UUID=aaaaaaaa-0000-4000-8000-000000000002 / ext4\n" + spec + " /x auto defaults\n",
			"etc/crypttab": `# names
cr_home UUID=EEEEEEEE-0000-4000-8000-00000000000E none luks
cr_part PARTUUID=22222222-aaaa-4111-8111-111111111111 none
cr_dev /dev/vda4 /etc/key luks,discard
cr_header /dev/sda3 none header=/dev/disk/by-uuid/eeeeeeee-0000-4000-8000-00000000000e
cr_loop /dev/mapper/cr_loop none
`, "etc/mdadm/mdadm.conf": "# arrays\nHOMEHOST <system>\nARRAY /dev/md/0 metadata=1.2 UUID=a:b:c:d name=host:0\nARRAY\n"})
		tb := tableOf(g, devs, "/dev/sda2")
		got := tb.at("/x")
		if got != want {
			t.Errorf("%s: %q, want %q", spec, got, want)
		}
		if told := strings.Join(tb.warnings, " "); (want == "") != (len(tb.warnings) == 1) || want == "" && !strings.Contains(told, "/etc/fstab:2: "+spec) {
			t.Errorf("%s: warnings %q", spec, tb.warnings)
		}
	}
}

func tableOf(g *Guest, devs *Devices, root string) *table {
	g.Devices = devs
	tb := g.newTable(root)
	tb.addFile("/etc/fstab")
	tb.finish()
	return tb
}

// TestWhichDisk: names of disks that are not the same here, and tags that several have.
func TestWhichDisk(t *testing.T) {
	for _, tc := range []struct{ name, devices, root, fstab, want, warning string }{
		{"a copy beside the original", "/dev/sda\n/dev/sda1 LABEL=x\n/dev/sda2 LABEL=home\n/dev/sdb\n/dev/sdb1 LABEL=x\n/dev/sdb2 LABEL=home", "/dev/sdb1",
			"LABEL=x / ext4\nLABEL=home /home ext4", "/dev/sdb1 / /dev/sdb2 /home", "LABEL=home for /home fits /dev/sda2 and /dev/sdb2: /dev/sdb2 is taken"},
		{"another label on the system's disk", "/dev/sda\n/dev/sda1 LABEL=x\n/dev/sdb\n/dev/sdb1 LABEL=home", "/dev/sda1", "LABEL=x / ext4\nLABEL=home /home ext4", "/dev/sda1 / /dev/sdb1 /home", ""},
		{"volumes of one group on two disks", "/dev/sda\n/dev/sda1\n/dev/sdb\n/dev/sdb1\n/dev/sdc\n/dev/sdc1 LABEL=l\n/dev/vg/a on=/dev/sda1,/dev/sdb1\n/dev/vg/b on=/dev/sdb1 LABEL=l", "/dev/vg/a",
			"/dev/vg/a / ext4\nLABEL=l /l ext4", "/dev/vg/a / /dev/vg/b /l", "fits"},
		{"the system's disk has another name", "/dev/sda\n/dev/sda1\n/dev/sda2\n/dev/sdb\n/dev/sdb1\n/dev/sdb2", "/dev/sdb1", "/dev/sda1 / ext4\n/dev/sda2 /a ext4\n/dev/sdb2 /b ext4", "/dev/sdb1 / /dev/sdb2 /a /dev/sda2 /b", ""},
		{"disks in another order, as types show", "/dev/sda\n/dev/sda1 TYPE=xfs\n/dev/sda3 TYPE=ext4\n/dev/sdb\n/dev/sdb1 TYPE=vfat\n/dev/sdb2\n/dev/sdb3 TYPE=ext4", "/dev/sdb2", "UUID=x / ext4\n/dev/nvme0n1p1 /efi vfat\n/dev/nvme0n1p3 /x ext4",
			"/dev/sdb2 / /dev/sdb1 /efi /dev/sdb3 /x", ""},
		{"by hardware: known, and so the other", "/dev/sda\n/dev/sda1\n/dev/sda2\n/dev/sdb\n/dev/sdb1\n/dev/sdb2", "/dev/sdb1",
			"/dev/disk/by-id/ata-A-part1 / ext4\n/dev/disk/by-id/ata-A-part2 /a ext4\n/dev/disk/by-id/ata-B-part2 /b ext4", "/dev/sdb1 / /dev/sdb2 /a /dev/sda2 /b", ""},
		{"by hardware: three disks", "/dev/sda\n/dev/sda1\n/dev/sdb\n/dev/sdb1\n/dev/sdc\n/dev/sdc1", "/dev/sda1",
			"/dev/disk/by-id/ata-A-part1 / ext4\n/dev/disk/by-id/ata-B-part1 /b ext4", "/dev/sda1 /", "ata-B-part1 for /b is not found"},
		{"by hardware: nothing known of it", "/dev/sda\n/dev/sda1\n/dev/sda2\n/dev/sdb\n/dev/sdb1\n/dev/sdb2", "/dev/sda1",
			"UUID=gone / ext4\n/dev/disk/by-path/pci-0-part2 /b ext4", "/dev/sda1 / /dev/sda2 /b", "fits /dev/sda2 and /dev/sdb2"},
		{"by hardware: a mirror, its two ESPs", "/dev/sda\n/dev/sda1 TYPE=vfat\n/dev/sda2\n/dev/sdb\n/dev/sdb1 TYPE=vfat\n/dev/sdb2\n/dev/md0 on=/dev/sda2,/dev/sdb2 TYPE=ext4 MD_NAME=0", "/dev/md0",
			"/dev/md0 / ext4\n/dev/disk/by-id/ata-A-part1 /efi vfat\n/dev/disk/by-id/ata-B-part1 /efi2 vfat", "/dev/md0 / /dev/sda1 /efi /dev/sdb1 /efi2", "ata-A-part1 for /efi fits /dev/sda1 and /dev/sdb1: /dev/sda1 is taken"},
		{"by hardware: only one can be", "/dev/sda\n/dev/sda1 TYPE=vfat\n/dev/sda2\n/dev/sdb\n/dev/sdb1 TYPE=xfs", "/dev/sda2", "/dev/disk/by-path/pci-0-part1 /b xfs", "/dev/sdb1 /b", ""},
		{"a disk that was not added", "/dev/sda\n/dev/sda1 TYPE=vfat\n/dev/sda2 TYPE=ext4", "/dev/sda2", "/dev/disk/by-id/ata-B-part1 /b ext4", "", "ata-B-part1 for /b is not found"},
		{"two devices of one btrfs", "/dev/sda\n/dev/sda1 TYPE=btrfs UUID=u UUID_SUB=1\n/dev/sdb TYPE=btrfs UUID=u UUID_SUB=2", "/dev/sda1", "UUID=u / btrfs subvol=@\nUUID=u /home btrfs subvol=@home", "/dev/sda1 / btrfsvol:/dev/sda1/@home /home", ""},
		{"subvolumes by number", "/dev/sda TYPE=btrfs UUID=u sub=256:@ sub=257:a/b default=256", "/dev/sda", "UUID=u / btrfs rw,subvolid=256\nUUID=u /v btrfs subvolid=257\nUUID=u /top btrfs subvolid=5\nUUID=u /x btrfs subvolid=999",
			"/dev/sda / btrfsvol:/dev/sda/a/b /v btrfsvol:/dev/sda// /top", "UUID=u for /x has no subvolume 999"},
		{"subvolumes with odd names", "/dev/sda TYPE=btrfs UUID=u sub=256:@a sub=257:a,b/c", "/dev/sda", "UUID=u /a btrfs rw,subvol=@\\141\nUUID=u /b btrfs subvol=\"/a,b//c\",ro\nUUID=u /x bt\\162fs subvol=no\\040pe",
			"btrfsvol:/dev/sda/@a /a btrfsvol:/dev/sda/a,b/c /b", "/etc/fstab:3: UUID=u for /x has no subvolume no pe: it is left out"},
		{"places that are no plain paths", "/dev/sda1\n/dev/sda2 LABEL=b", "/dev/sda1", "/dev/sda1 // ext4\nLABEL=b /home//x/.. ext4\n", "/dev/sda1 / /dev/sda2 /home", ""},
		{"twice", "/dev/sda\n/dev/sda1 LABEL=a\n/dev/sda2 LABEL=b", "/dev/sda1", "LABEL=a / ext4\nLABEL=b /b ext4\nLABEL=a /b/ ext4", "/dev/sda1 / /dev/sda2 /b", "/etc/fstab:3: LABEL=a for /b is left out"},
		{"what is on no disk, or may be missing", "/dev/sda1", "/dev/sda1", `proc /proc proc
tmpfs /tmp tmpfs nosuid
server:/export /nfs nfs defaults
//server/share /cifs cifs _netdev
me@host: /sshfs fuse.sshfs noauto
/srv/data /export none bind,x-systemd.requires=srv.mount
/swapfile none swap sw
/images/cd.iso /cd iso9660 loop,ro
/images/x.img /img ext4 loop
/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto
/dev/zram0 none swap
/dev/shm2 /dev/shm tmpfs
overlay /o overlay lowerdir=/a
none /sys/fs/cgroup cgroup
UUID=x /usb vfat nofail,x-systemd.device-timeout=1
LABEL=y /later ext4 noauto
/dev/mapper/cryptswap none swap
hostshare /mnt/9p 9p trans=virtio
/dev/sda1`, "", ""},
		{"ZFS", "/dev/sda1 TYPE=zfs_member", "/dev/sda1", "rpool/home /home zfs", "", "rpool/home for /home is not found"},
		{"BSD", "/dev/sda\n/dev/sda1\n/dev/sda5 UUID=1\n/dev/sda6 UUID=2\n/dev/sda8 PART_ENTRY_NAME=wedge\n/dev/sdb\n/dev/sdb3", "/dev/sda5", "/dev/wd0a / ffs\n/dev/wd0b none swap\n0123456789abcdef.b /b ffs\nNAME=wedge /w ffs\n/dev/da1p3 /p ufs\n/dev/ada1s3 /s ufs",
			"/dev/sda5 / /dev/sda6  /dev/sda6 /b /dev/sda8 /w /dev/sdb3 /p /dev/sdb3 /s", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			g := tree(map[string]string{"etc/fstab": tc.fstab + "\n", "etc/crypttab": "cryptswap /dev/sda3 /dev/urandom swap\n"})
			tb := tableOf(g, disks(tc.devices), tc.root)
			var got []string
			for _, m := range tb.mounts {
				got = append(got, m.Mountable+" "+m.Point)
			}
			if s := strings.Join(got, " "); s != tc.want {
				t.Errorf("mounts %s\nwant   %s", s, tc.want)
			}
			told := strings.Join(tb.warnings, "\n")
			if tc.warning == "" && told != "" || !strings.Contains(told, tc.warning) || len(tb.warnings) > 1 {
				t.Errorf("warnings %q, want one with %q", tb.warnings, tc.warning)
			}
		})
	}
}

func TestMountUnits(t *testing.T) {
	g := tree(map[string]string{
		"etc/systemd/system/srv.mount":     "# a comment\n[Unit]\nWhat=no\n[Mount]\nWhat = /dev/disk/by-label/srv\nWhere=/srv\nOptions=ro\n",
		"etc/systemd/system/mnt-x.mount":   "[Mount]\nWhat=UUID=gone\nWhere=/mnt/x\nOptions=nofail\n",
		"etc/systemd/system/mnt-y.mount":   "[Mount]\nWhat=UUID=gone\nWhere=/mnt/y\n",
		"etc/systemd/system/tmp.mount":     "-> /dev/null",
		"etc/systemd/system/run.mount":     "[Mount]\nWhat=tmpfs\nWhere=/tmp\nType=tmpfs\n",
		"usr/lib/systemd/system/opt.mount": "[Mount]\nWhat=/dev/sda4\nWhere=/opt\n", "usr/lib/systemd/system/mnt-z.mount": "[Mount]\nWhat=UUID=gone\nWhere=/mnt/z\n",
		"usr/lib/systemd/system/srv.mount":  "[Mount]\nWhat=/dev/sda4\nWhere=/srv\n",
		"etc/systemd/system/dev-sda3.swap":  "[Swap]\nWhat=/dev/sda3\n",
		"etc/systemd/system/a.mount.wants/": "", "etc/systemd/system/x.service": "[Mount]\nWhat=/dev/sda3\nWhere=/never\n",
	})
	g.Devices = disks("/dev/sda\n/dev/sda1\n/dev/sda2 LABEL=srv\n/dev/sda3\n/dev/sda4")
	tb := g.newTable("/dev/sda1")
	tb.add(g.units())
	want := []Mount{{"/dev/sda3", ""}, {"/dev/sda2", "/srv"}, {"/dev/sda4", "/opt"}}
	if !reflect.DeepEqual(tb.mounts, want) {
		t.Errorf("got %v, want %v", tb.mounts, want)
	}
	if len(tb.warnings) != 1 || !strings.HasPrefix(tb.warnings[0], "/etc/systemd/system/mnt-y.mount: UUID=gone for /mnt/y") {
		t.Errorf("warnings %q", tb.warnings)
	}
}

// TestHostileTables: whatever is there, it ends soon, and little is said.
func TestHostileTables(t *testing.T) {
	begun := time.Now()
	for name, files := range map[string]map[string]string{
		"many lines":       {"etc/fstab": strings.Repeat("/dev/mapper/c /p ext4\n", 100_000), "etc/crypttab": strings.Repeat("c /dev/mapper/c none\n", 100_000)},
		"many lines of md": {"etc/fstab": strings.Repeat("/dev/md5 /p ext4\n", 100_000), "etc/mdadm.conf": strings.Repeat("ARRAY /dev/md5 UUID=x y\n", 100_000)},
		"too large":        {"etc/fstab": strings.Repeat("LABEL=x /p ext4\n", 1_000_000)},
		"one long line":    {"etc/fstab": "LABEL=" + strings.Repeat("\x1b[2Jé", 100_000) + " /" + strings.Repeat("p", 100_000) + " ext4\n"},
		"blanks":           {"etc/fstab": strings.Repeat(" ", 4_000_000)},
	} {
		g := tree(files)
		g.Devices = disks(oneDisk)
		tb := g.newTable("/dev/sda2")
		tb.addFile("/etc/fstab")
		_, warnings := tb.finish()
		if name != "blanks" && len(warnings) == 0 || len(warnings) > maxWarnings+1 {
			t.Errorf("%s: %d warnings", name, len(warnings))
		}
		for _, w := range warnings {
			if n := len([]rune(w)); n > longestWarning || strings.ContainsAny(w, "\x1b\n") {
				t.Errorf("%s: %d characters: %q", name, n, w)
			}
		}
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}
