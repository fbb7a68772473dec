package api

// partitionsTable: partition tables.
var partitionsTable = []Action{
	{Name: "part_init", Proc: 208, Since: "1.0.78", Ret: Err,
		Args:    Args{Device("device"), String("parttype")},
		Summary: "write an empty partition table",
		Help: `Gives {device} an empty partition table of the kind {parttype}: usually "gpt" (or "efi"), for disks
of any size, or "mbr" (or "msdos"), for disks up to 2 TB; also "aix", "amiga" (or "rdb"), "bsd",
"dasd", "dvh", "mac", "pc98" and "sun". All existing partitions are lost. Fails for a kind that cannot
be written, or while a partition of the disk is in use. To make one partition over the whole disk at
the same time, see part_disk.`},
	{Name: "part_add", Proc: 209, Since: "1.0.78", Ret: Err,
		Args:    Args{Device("device"), String("prlogex"), Int64("startsect", Sectors), Int64("endsect", Sectors)},
		Summary: "add a partition",
		Help: `Adds a partition to {device}, which must have a partition table (see part_init), from sector
{startsect} to sector {endsect}, both included. A negative {endsect} counts from the end of the disk:
-1 is the last sector. {prlogex} is "primary", "logical" or "extended", or its first letter; only MBR
has logical and extended ones, use "primary" elsewhere. For speed, start at a multiple of 2048
sectors. Fails if the partitions would overlap, or do not fit on the disk or into the table; on a GPT
the last 33 sectors belong to the table.`},
	{Name: "part_del", Proc: 233, Since: "1.3.2", Ret: Err,
		Args:    Args{Device("device"), Int("partnum")},
		Summary: "delete a partition",
		Help: `Deletes the partition of {device} with the number {partnum}, counted from 1. Deleting an extended
partition also deletes the logical ones in it. Fails if there is no partition of that number, or it is in use.`},
	{Name: "part_disk", Proc: 210, Since: "1.0.78", Ret: Err,
		Args:    Args{Device("device"), String("parttype")},
		Summary: "make one partition over a whole disk",
		Help: `Gives {device} a new partition table of the kind {parttype}, one of those of part_init, with a single
partition. It starts at sector 128 and leaves the last 127 sectors free. All existing partitions
are lost. Fails if the disk is too small or in use; only "gpt", "mbr" and "mac" work reliably.`},
	{Name: "part_list", Proc: 213, Since: "1.0.78", Ret: RetStructs("partitions", "partition"),
		Args:    Args{Device("device")},
		Summary: "list the partitions of a disk",
		Help: `Returns for every partition of {device} its number, start, end and size in bytes; the end is the
last byte that belongs to it. Entries that are no partitions, as their end is before their start, are left out.
Fails if the disk has no partition table.`},
	{Name: "part_get_parttype", Proc: 214, Since: "1.0.78", Ret: RetString("parttype"),
		Args:    Args{Device("device")},
		Summary: "read the kind of a partition table",
		Help: `Returns the kind of the partition table of {device}: "msdos" for MBR, "gpt", or another name of
part_init. Fails if the disk has none, for instance because a file system fills the whole disk.`},
	{Name: "part_set_bootable", Proc: 211, Since: "1.0.78", Ret: Err,
		Args:    Args{Device("device"), Int("partnum"), Bool("bootable")},
		Summary: "make a partition bootable or not",
		Help: `Sets the boot flag of partition {partnum} of {device} if {bootable} is true, and clears it otherwise.
With MBR at most one partition is bootable; on a GPT the flag makes the partition an EFI system
partition. Fails if there is no partition of that number, or the table has no such flag.`},
	{Name: "part_get_bootable", Proc: 234, Since: "1.3.2", Ret: RetBool("bootable"),
		Args:    Args{Device("device"), Int("partnum")},
		Summary: "test whether a partition is bootable",
		Help: `Returns true if partition {partnum} of {device} has the boot flag, see part_set_bootable. Fails if
there is no partition of that number.`},
	{Name: "part_set_name", Proc: 212, Since: "1.0.78", Ret: Err,
		Args:    Args{Device("device"), Int("partnum"), String("name")},
		Summary: "name a partition",
		Help: `Names partition {partnum} of {device} {name}; an empty name removes it. Works with a GPT, where a name
has up to 36 characters, and a few old tables. Fails with MBR, which has no names.`},
	{Name: "part_get_name", Proc: 416, Since: "1.25.33", Ret: RetString("name"),
		Args:    Args{Device("device"), Int("partnum")},
		Summary: "show the name of a partition",
		Help: `Returns the name of partition {partnum} of {device}, empty if it has none. Fails if there is no such
partition, or the table has no names, like MBR.`},
	{Name: "part_get_mbr_id", Proc: 235, Since: "1.3.2", Ret: RetInt("idbyte", HexFormat),
		Args:    Args{Device("device"), Int("partnum")},
		Summary: "show the type byte of an MBR partition",
		Help: `Returns the type of partition {partnum} of {device}, like 0x83 for Linux or 0x07 for NTFS. Fails if
there is no such partition, or the table is not MBR; see part_get_gpt_type for GPT.`},
	{Name: "part_set_mbr_id", Proc: 236, Since: "1.3.2", Ret: Err,
		Args:    Args{Device("device"), Int("partnum"), Int("idbyte")},
		Summary: "set the type byte of an MBR partition",
		Help: `Sets the type of partition {partnum} of {device} to {idbyte}, 0 to 255, as in 0x83 for Linux; 0 frees
the entry. Only the byte changes, nothing inside the partition. Fails if there is no such partition, or the table is not
MBR; see part_set_gpt_type for GPT.`},
	{Name: "part_get_mbr_part_type", Proc: 454, Since: "1.29.32", Ret: RetString("partitiontype"),
		Args:    Args{Device("device"), Int("partnum")},
		Summary: "read whether a partition is primary, logical or extended",
		Help: `Returns "primary", "logical" or "extended" for partition {partnum} of {device}. With a table other
than MBR every partition is primary. Fails if there is no such partition.`},
	{Name: "part_set_gpt_type", Proc: 392, Since: "1.21.1", Ret: Err,
		Args:    Args{Device("device"), Int("partnum"), GUID("guid")},
		Summary: "set the type of a GPT partition",
		Help: `Sets the type of partition {partnum} of {device} to {guid}, as in
0FC63DAF-8483-4772-8E79-3D69D8477DE4 for a Linux file system. Only the type changes, nothing inside
the partition. Fails if there is no such partition, or the table is not a GPT.`},
	{Name: "part_get_gpt_type", Proc: 393, Since: "1.21.1", Ret: RetString("guid"),
		Args:    Args{Device("device"), Int("partnum")},
		Summary: "show the type of a GPT partition",
		Help: `Returns the type of partition {partnum} of {device} as a GUID in capitals. With MBR the GUID is the
one that corresponds to the partition's type byte. Fails if there is no such partition.`},
	{Name: "part_set_gpt_guid", Proc: 446, Since: "1.29.25", Ret: Err,
		Args:    Args{Device("device"), Int("partnum"), GUID("guid")},
		Summary: "set the identity of a GPT partition",
		Help: `Sets the GUID that identifies partition {partnum} of {device} to {guid}. Fails
if there is no such partition, or the table is not a GPT. Two partitions with the same GUID confuse systems
that mount by it.`},
	{Name: "part_get_gpt_guid", Proc: 447, Since: "1.29.25", Ret: RetString("guid"),
		Args:    Args{Device("device"), Int("partnum")},
		Summary: "show the identity of a GPT partition",
		Help: `Returns the GUID that identifies partition {partnum} of {device}, in capitals.
Fails if there is no such partition, or the table is not a GPT.`},
	{Name: "part_set_gpt_attributes", Proc: 503, Since: "1.21.1", Ret: Err,
		Args:    Args{Device("device"), Int("partnum"), Int64("attributes")},
		Summary: "set the attribute bits of a GPT partition",
		Help: `Sets all 64 attribute bits of partition {partnum} of {device} to the number {attributes}:
1 required by the platform, 2 ignored by EFI, 4 bootable by a BIOS; the top 16 bits belong to the
partition's type. Fails if there is no such partition, or the table is not a GPT.`},
	{Name: "part_get_gpt_attributes", Proc: 504, Since: "1.21.1", Ret: RetInt64("attributes"),
		Args:    Args{Device("device"), Int("partnum")},
		Summary: "show the attribute bits of a GPT partition",
		Help: `Returns the 64 attribute bits of partition {partnum} of {device} as a number, negative if the top bit
is set; part_set_gpt_attributes explains them. Fails if there is no such partition.`},
	{Name: "part_set_disk_guid", Proc: 459, Since: "1.33.2", Ret: Err,
		Args:    Args{Device("device"), GUID("guid")},
		Summary: "set the identity of a GPT disk",
		Help: `Sets the GUID of the whole disk {device} to {guid}. Fails if the disk has no GPT; another table is
not converted.`},
	{Name: "part_get_disk_guid", Proc: 460, Since: "1.33.2", Ret: RetString("guid"),
		Args:    Args{Device("device")},
		Summary: "show the identity of a GPT disk",
		Help:    `Returns the GUID of the whole disk {device}, in capitals. Fails if the disk has no GPT.`},
	{Name: "part_set_disk_guid_random", Proc: 461, Since: "1.33.2", Ret: Err,
		Args:    Args{Device("device")},
		Summary: "give a GPT disk a new identity",
		Help: `Sets the GUID of the whole disk {device} to a random one, which a copy of a disk needs if it is used together
with the original. Fails if the disk has no GPT.`},
	{Name: "part_resize", Proc: 477, Since: "1.37.20", Ret: Err,
		Args:    Args{Device("device"), Int("partnum"), Int64("endsect", Sectors)},
		Summary: "move the end of a partition",
		Help: `Moves the end of partition {partnum} of {device} to sector {endsect}; a negative one counts from the end of
the disk, -1 being the last sector. The partition's content is not touched: afterwards enlarge the
file system in it. Fails if the partition would overlap the next, end outside the disk, or shrink.`},
	{Name: "part_expand_gpt", Proc: 462, Since: "1.33.2", Ret: Err,
		Args:    Args{Device("device")},
		Group:   "gdisk",
		Summary: "move the copy of a GPT to the end of a disk",
		Help: `A GPT has a copy at the end of the disk. After {device} has been enlarged this moves the copy to the
new end, so that partitions can use the new space. A half that is damaged, and a first sector that no longer says
that there is a GPT, are restored. Fails if the disk has no GPT.`},
	{Name: "part_to_dev", Proc: 272, Since: "1.5.15", Ret: RetDevice("device"),
		Args:    Args{Device("partition")},
		Summary: "name the disk of a partition",
		Help: `Returns the disk that {partition} is a part of, /dev/sda for /dev/sda1. Fails if {partition} is not
a partition.`},
	{Name: "part_to_partnum", Proc: 293, Since: "1.13.25", Ret: RetInt("partnum"),
		Args:    Args{Device("partition")},
		Summary: "read the number of a partition",
		Help: `Returns the number of {partition} on its disk, 1 for /dev/sda1. Fails if {partition} is not a
partition.`},
	{Name: "list_partitions", Proc: 8, Since: "0.0.4", Ret: RetDevices("partitions"),
		Summary: "list all partitions",
		Help: `Returns the partitions of all disks and RAID arrays, like /dev/sda1, in order. Logical volumes are
not included, see lvs; nor are disks without partitions, see list_devices.`},
	{Name: "sfdisk", Proc: 43, Since: "0.0.8", Ret: Err,
		Args:       Args{Device("device"), Int("cyls"), Int("heads"), Int("sectors"), Strings("lines")},
		Deprecated: "part_add",
		Summary:    "write a partition table with sfdisk",
		Help: `Gives {device} an MBR with one partition for each of {lines}, which are passed to sfdisk: start, size,
type and an asterisk for a bootable one, with commas between them, start and size in sectors if no
unit follows; an empty field gets a suitable value. {cyls}, {heads} and {sectors} were the geometry
of the disk; modern tables have none, and the numbers are ignored. Fails if sfdisk does.`},
	{Name: "sfdisk_N", Proc: 99, Since: "1.0.26", Ret: Err,
		Args:       Args{Device("device"), Int("partnum"), Int("cyls"), Int("heads"), Int("sectors"), String("line")},
		Deprecated: "part_add",
		Summary:    "change one partition with sfdisk",
		Help: `Gives partition {partnum} of {device} the values of {line}, in the form that sfdisk takes; the others
stay as they are. {cyls}, {heads} and {sectors} are ignored, as in sfdisk. Fails if sfdisk does.`},
	{Name: "sfdiskM", Proc: 139, Since: "1.0.55", Ret: Err,
		Args:       Args{Device("device"), Strings("lines")},
		Deprecated: "part_add",
		Summary:    "write a partition table with sfdisk, in megabytes",
		Help: `Like sfdisk without a geometry, but in {lines}, the partitions that {device} gets, start and size are
multiples of 1024 × 1024 bytes if no unit follows.`},
	{Name: "sfdisk_l", Proc: 100, Since: "1.0.26", Ret: RetDevice("partitions"),
		Args:       Args{Device("device")},
		Deprecated: "part_list",
		Summary:    "show a partition table as sfdisk prints it",
		Help: `Returns a human-readable description of {device} and its partitions, whose form depends on
the version of sfdisk.`},
	{Name: "sfdisk_kernel_geometry", Proc: 101, Since: "1.0.26", Ret: RetString("partitions"),
		Args:    Args{Device("device")},
		Summary: "show the geometry of a disk that the kernel assumes",
		Help: `Returns one line with the cylinders, heads and sectors the kernel assumes for {device}. They are
obsolete.`},
	{Name: "sfdisk_disk_geometry", Proc: 102, Since: "1.0.26", Ret: RetString("partitions"),
		Args:    Args{Device("device")},
		Summary: "show the geometry of a disk that its partition table assumes",
		Help: `Returns one line with the cylinders, heads and sectors by which the partition table of {device} was
made, as far as that can be determined. They are obsolete.`},
}
