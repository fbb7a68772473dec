package api

// filesystemsTable: making and naming file systems.
var filesystemsTable = []Action{
	{Name: "mkfs", Proc: 278, Since: "0.0.8", Ret: Err,
		Args:    Args{String("fstype"), Device("device")},
		Opts:    Args{Int("blocksize", Bytes), String("features"), Int("inode", Bytes), Int("sectorsize", Bytes), String("label")},
		OldOpts: true,
		Summary: "make a file system",
		Help: `Makes a file system of the type {fstype}, such as ext4, xfs, btrfs, vfat or ntfs, on {device}. All
previous content is lost. {blocksize} is the size of a block in bytes, a power of two; on FAT and NTFS
it is the size of a cluster, and btrfs does not accept it here. {features} are passed to
the tool that makes the file system. {inode} is the size of an inode in bytes, for ext2, ext3
and ext4 only. {sectorsize} is the size of a sector in bytes, for ufs only. {label} is the label of
the new file system. Fails if the appliance has no tool for the type, if the device is in use, or if
it is too small.`},
	{Name: "mkfs_b", Proc: 187, Since: "1.0.68", Ret: Err,
		Args:       Args{String("fstype"), Int("blocksize", Bytes), Device("device")},
		Deprecated: "mkfs",
		Summary:    "make a file system with a block size",
		Help:       `Does the same as mkfs, with {fstype}, {blocksize} in bytes, and {device}.`},
	{Name: "vfs_type", Proc: 198, Since: "1.0.75", Ret: RetString("fstype"),
		Args:    Args{Mountable("mountable")},
		Summary: "show what kind of content a device has",
		Help: `Returns the type of the file system in {mountable}, such as ext4 or ntfs, or of something else that
has a signature, such as swap or LVM2_member. Empty if nothing is recognized.`},
	{Name: "vfs_label", Proc: 253, Since: "1.3.18", Ret: RetString("label"),
		Args:    Args{Mountable("mountable")},
		Summary: "read the label of a file system",
		Help:    `Returns the label of the file system in {mountable}, empty if it has none.`},
	{Name: "vfs_uuid", Proc: 254, Since: "1.3.18", Ret: RetString("uuid"),
		Args:    Args{Mountable("mountable")},
		Aliases: []string{"get-uuid"},
		Summary: "read the UUID of a file system",
		Help: `Returns the UUID of the file system in {mountable}, empty if it has none. FAT and NTFS have a
shorter serial number in its place.`},
	{Name: "vfs_minimum_size", Proc: 457, Since: "1.31.18", Ret: RetInt64("sizeinbytes"),
		Args:    Args{Mountable("mountable")},
		Summary: "find how small a file system can be made",
		Help: `Returns the smallest size, in bytes, to which the file system in {mountable} could be shrunk with
its present content. It is an estimate. Works for ext2, ext3, ext4, NTFS, and, while they are mounted,
btrfs and xfs; xfs cannot shrink, so its present size is returned.`},
	{Name: "set_label", Proc: 310, Since: "1.17.9", Ret: Err,
		Args:    Args{Mountable("mountable"), String("label")},
		Summary: "set the label of a file system",
		Help: `Gives the file system in {mountable} the label {label}. Works for ext2, ext3 and ext4 (at most 16
bytes), xfs (12 bytes), btrfs, FAT (11 characters), NTFS (128 characters) and swap (16 bytes); fails
for other types. btrfs and xfs may be mounted.`},
	{Name: "set_uuid", Proc: 403, Since: "1.23.10", Ret: Err,
		Args:    Args{Device("device"), String("uuid")},
		Summary: "set the UUID of a file system",
		Help: `Gives the file system on {device} the identifier {uuid}. Works for ext2, ext3, ext4, xfs, btrfs and
swap, and fails for other types. On ext, {uuid} may also be clear, random or time. Changing the UUID
of btrfs rewrites much of its metadata, and can take a long time; the file system must not be mounted.`},
	{Name: "set_uuid_random", Proc: 456, Since: "1.29.50", Ret: Err,
		Args:    Args{Device("device")},
		Summary: "give a file system a new UUID",
		Help:    `Gives the file system on {device} a random identifier. Works for the same types as set_uuid.`},
	{Name: "findfs_uuid", Proc: 265, Since: "1.5.3", Ret: RetDevice("device"),
		Args:    Args{String("uuid")},
		Summary: "find a file system by its UUID",
		Help: `Returns the device that holds the file system with the identifier {uuid}. Fails if there is none; if
several have it, one of them is returned.`},
	{Name: "findfs_label", Proc: 266, Since: "1.5.3", Ret: RetDevice("device"),
		Args:    Args{String("label")},
		Summary: "find a file system by its label",
		Help: `Returns the device that holds the file system with the label {label}. Fails if there is none; if
several have it, one of them is returned.`},
	{Name: "findfs_partuuid", Proc: 514, Since: "1.53.5", Ret: RetDevice("device"),
		Args:    Args{String("uuid")},
		Summary: "find a partition by its UUID",
		Help:    `Returns the partition whose identifier in the partition table is {uuid}. Fails if there is none.`},
	{Name: "findfs_partlabel", Proc: 515, Since: "1.53.5", Ret: RetDevice("device"),
		Args:    Args{String("label")},
		Summary: "find a partition by its name",
		Help:    `Returns the partition whose name in a GPT partition table is {label}. Fails if there is none.`},
	{Name: "f2fs_expand", Proc: 505, Since: "1.39.3", Ret: Err,
		Args:    Args{Device("device")},
		Group:   "f2fs",
		Summary: "grow an F2FS file system",
		Help: `Makes the unmounted F2FS file system on {device} as large as the device, after the device was resized. Fails if
{device} does not hold F2FS.`},
	{Name: "zerofree", Proc: 97, Since: "1.0.26", Ret: Err,
		Args:    Args{Device("device")},
		Group:   "zerofree",
		Summary: "zero the unused blocks of an ext file system",
		Help: `Writes zeros to those unused blocks of the ext2, ext3 or ext4 file system on {device} that are
not zero already, so that an image of it gets smaller when it is made sparse or compressed. Fails
if it is mounted for writing.`},
	{Name: "zero_free_space", Proc: 311, Since: "1.17.18", Ret: Err,
		Args:     Args{Path("directory")},
		Progress: true,
		Summary:  "zero the free space of a mounted file system",
		Help: `Fills the file system that holds {directory} with a file of zeros, and removes the file. An image of
it then gets smaller when it is made sparse or compressed. While the call runs there is no free space, and
a disk that is sparse on the host grows to its full size. fstrim or zerofree are better where they
work.`},
	{Name: "ntfsresize", Proc: 288, Since: "1.3.2", Ret: Err,
		Args:    Args{Device("device")},
		Opts:    Args{Int64("size", Bytes), Bool("force")},
		OldOpts: true,
		Group:   "ntfsprogs",
		Summary: "resize an NTFS file system",
		Help: `Resizes the NTFS file system on {device} to {size} bytes, or, if that is not given, to the size of the device. With
{force} it continues although the file system is marked for a check. Fails if it is mounted or has
errors. After a resize it is marked for a check by Windows at its next start, so a
second resize needs {force}.`},
	{Name: "ntfsresize_size", Proc: 250, Since: "1.3.14", Ret: Err,
		Args:  Args{Device("device"), Int64("size", Bytes)},
		Group: "ntfsprogs", Deprecated: "ntfsresize",
		Summary: "resize an NTFS file system to a given size",
		Help:    `Resizes the NTFS file system on {device} to {size} bytes, as ntfsresize does.`},
	{Name: "ntfs_3g_probe", Proc: 110, Since: "1.0.43", Ret: RetInt("status"),
		Args:    Args{Bool("rw"), Device("device")},
		Group:   "ntfs3g",
		Summary: "test whether an NTFS file system can be mounted",
		Help: `Tests whether the NTFS file system on {device} could be mounted, for writing if {rw} is true, otherwise
for reading. Returns 0 if so; other values are the exit status of ntfs-3g.probe, among them 12 for a
device without NTFS, 13 for one that is corrupt, 14 for one that is hibernated and 15 for one that was not
unmounted.`},
	{Name: "ntfsfix", Proc: 307, Since: "1.17.9", Ret: Err,
		Args:    Args{Device("device")},
		Opts:    Args{Bool("clearbadsectors")},
		Group:   "ntfs3g",
		Summary: "repair common errors of NTFS",
		Help: `Repairs some simple inconsistencies of the NTFS file system on {device}, empties its journal, and
marks it for a check by Windows at its next start. With {clearbadsectors} the list of bad sectors
is emptied too, for use after a disk was copied to a healthy one. It is not a full check.`},
}
