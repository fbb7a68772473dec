package api

// bootTable: boot loaders.
var bootTable = []Action{
	{Name: "syslinux", Proc: 399, Since: "1.21.27", Ret: Err,
		Args:    Args{Device("device")},
		Opts:    Args{String("directory")},
		Group:   "syslinux",
		Summary: "install SYSLINUX",
		Help: `Installs the boot loader SYSLINUX on the unmounted FAT file system {device}, in its folder {directory} or else
at its top. To boot, the disk also needs a boot sector, in the appliance as
/usr/lib/SYSLINUX/mbr.bin, the partition must be marked bootable, and a syslinux.cfg must say what to boot.
Fails if {device} holds no FAT.`},
	{Name: "extlinux", Proc: 400, Since: "1.21.27", Ret: Err,
		Args:    Args{Path("directory")},
		Group:   "extlinux",
		Summary: "install EXTLINUX",
		Help: `Installs the boot loader EXTLINUX in the folder {directory} of a mounted ext2, ext3, ext4, btrfs or XFS file
system. To boot, the disk also needs a boot sector, the partition must be marked bootable, and an
extlinux.conf must say what to boot. Fails if {directory} does not exist.`},
	{Name: "grub_install", Proc: 86, Since: "1.0.17", Ret: Err,
		Args:    Args{Path("root"), Device("device")},
		Group:   "grub",
		Summary: "install GRUB",
		Help: `Installs the boot loader GRUB 2 of the appliance for BIOS on the disk {device}, with its files in boot/grub
below {root}, a folder of the mounted guest. What it boots is said in grub.cfg there, which the caller
writes. A guest's own GRUB, of another version or for EFI, is better installed by command. Fails if
{device} has no room before its first partition.`},
}
