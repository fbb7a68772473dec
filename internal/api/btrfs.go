package api

// btrfsTable: what only btrfs has.
var btrfsTable = []Action{
	{Name: "mkfs_btrfs", Proc: 317, Since: "1.17.25", Ret: Err,
		Args: Args{Devices("devices")},
		Opts: Args{Int64("allocstart", Bytes), Int64("bytecount", Bytes), String("datatype"), Int("leafsize", Bytes),
			String("label"), String("metadata"), Int("nodesize", Bytes), Int("sectorsize", Bytes)},
		Group:   "btrfs",
		Summary: "make a btrfs file system",
		Help: `Makes one btrfs file system on {devices}. Their previous content is lost. {label} is its label, {bytecount} how
much of each device it takes. {datatype} and {metadata} are how data and metadata are spread over the
devices: single, dup, raid0, raid1, raid1c3, raid1c4, raid10, raid5 or raid6. {nodesize} and
{sectorsize} are the sizes of a node of a tree and of a block. {leafsize} is an old name of {nodesize};
{allocstart} is accepted but no longer has any effect.

Fails if a device is in use or too small, or too few are given for the profile.`},
	{Name: "btrfs_filesystem_resize", Proc: 289, Since: "1.11.17", Ret: Err,
		Args:    Args{Path("mountpoint")},
		Opts:    Args{Int64("size", Bytes)},
		Group:   "btrfs",
		Summary: "resize a btrfs file system",
		Help: `Makes the btrfs file system mounted at {mountpoint} {size} bytes large on its first device, or as large as
the device if no {size} is given. Fails if the device is smaller, or the data does not fit.`},
	{Name: "btrfs_filesystem_sync", Proc: 327, Since: "1.17.35", Ret: Err,
		Args:    Args{Path("fs")},
		Group:   "btrfs",
		Summary: "write a btrfs file system to its devices",
		Help:    `Makes the btrfs file system that {fs} is on write everything to its devices. Fails if {fs} is not on btrfs.`},
	{Name: "btrfs_filesystem_show", Proc: 465, Since: "1.33.29", Ret: RetDevices("devices"),
		Args:    Args{Device("device")},
		Group:   "btrfs",
		Summary: "list the devices of a btrfs file system",
		Help: `Returns all devices of the btrfs file system that {device} is part of. Fails if there is no btrfs on it, or
another device of it is missing.`},
	{Name: "btrfs_filesystem_defragment", Proc: 443, Since: "1.29.22", Ret: Err,
		Args:    Args{Path("path")},
		Opts:    Args{Bool("flush"), String("compress")},
		Group:   "btrfs",
		Summary: "defragment a file or folder on btrfs",
		Help: `Rewrites the file {path}, or all files below the folder {path}, in fewer pieces. {flush} writes each to
the device at once, {compress} compresses them by zlib, lzo or zstd. Copies that share the data, as
snapshots do, get their own.`},
	{Name: "btrfs_filesystem_balance", Proc: 328, Since: "1.17.35", Ret: Err,
		Args:    Args{Path("fs")},
		Group:   "btrfs",
		Aliases: []string{"btrfs-balance"},
		Summary: "spread a btrfs file system over its devices again",
		Help: `Rewrites all chunks of the btrfs file system mounted at {fs}, so that they are spread over all of its
devices, for instance after one was added. Fails if another balance runs or is paused.`},
	{Name: "btrfs_balance_pause", Proc: 438, Since: "1.29.22", Ret: Err,
		Args:    Args{Path("path")},
		Group:   "btrfs",
		Summary: "pause a balance",
		Help:    `Pauses the balance of the btrfs file system mounted at {path}. Fails if none is running.`},
	{Name: "btrfs_balance_cancel", Proc: 439, Since: "1.29.22", Ret: Err,
		Args:    Args{Path("path")},
		Group:   "btrfs",
		Summary: "end a balance",
		Help:    `Cancels the balance, whether running or paused, of the btrfs file system mounted at {path}. Fails if there is none.`},
	{Name: "btrfs_balance_resume", Proc: 440, Since: "1.29.22", Ret: Err,
		Args:    Args{Path("path")},
		Group:   "btrfs",
		Summary: "resume a balance",
		Help:    `Resumes the paused balance of the btrfs file system mounted at {path}. Fails if none is paused.`},
	{Name: "btrfs_balance_status", Proc: 448, Since: "1.29.26", Ret: RetStruct("status", "btrfsbalance"),
		Args:    Args{Path("path")},
		Group:   "btrfs",
		Summary: "show how far a balance is",
		Help: `Returns the state of the balance of the btrfs file system mounted at {path}: none, running or paused, and
the number of chunks in total, done and looked at, and the percentage left.`},
	{Name: "btrfs_device_add", Proc: 329, Since: "1.17.35", Ret: Err,
		Args:    Args{Devices("devices"), Path("fs")},
		Group:   "btrfs",
		Summary: "add devices to a btrfs file system",
		Help: `Adds {devices} to the btrfs file system mounted at {fs}. What they held is lost; no data moves to them
before btrfs_filesystem_balance. Fails if a device is in use.`},
	{Name: "btrfs_device_delete", Proc: 330, Since: "1.17.35", Ret: Err,
		Args:    Args{Devices("devices"), Path("fs")},
		Group:   "btrfs",
		Summary: "remove devices from a btrfs file system",
		Help: `Moves what is on {devices} to the other devices of the btrfs file system mounted at {fs}, and removes
them. Fails if the others do not have enough room, or a device is not part of it.`},
	{Name: "btrfs_replace", Proc: 455, Since: "1.29.48", Ret: Err,
		Args:    Args{Device("srcdev"), Device("targetdev"), Path("mntpoint")},
		Group:   "btrfs",
		Summary: "replace a device of a btrfs file system",
		Help: `Moves what is on {srcdev}, a device of the btrfs file system mounted at {mntpoint}, to {targetdev}, which
takes its place. The previous content of {targetdev} is lost. Fails if it is smaller than {srcdev} or in use.`},
	{Name: "btrfs_set_seeding", Proc: 331, Since: "1.17.43", Ret: Err,
		Args:    Args{Device("device"), Bool("seeding")},
		Group:   "btrfs",
		Summary: "make a btrfs file system a seed",
		Help: `Makes the unmounted btrfs file system on {device} a seed, which is read-only and which other file systems grow
from, if {seeding} is true, and a normal file system again if it is false. Fails if it already is.`},
	{Name: "btrfstune_seeding", Proc: 450, Since: "1.29.29", Ret: Err,
		Args:    Args{Device("device"), Bool("seeding")},
		Group:   "btrfs",
		Summary: "make a btrfs file system a seed",
		Help:    `Does to the btrfs file system on {device} what btrfs_set_seeding does, as {seeding} says.`},
	{Name: "btrfstune_enable_extended_inode_refs", Proc: 451, Since: "1.29.29", Ret: Err,
		Args:    Args{Device("device")},
		Group:   "btrfs",
		Summary: "allow many links to a file on btrfs",
		Help: `Switches extended references on in the unmounted btrfs file system on {device}, so that a file may have
many links in one folder. New file systems have them. Fails if it is not btrfs.`},
	{Name: "btrfstune_enable_skinny_metadata_extent_refs", Proc: 452, Since: "1.29.29", Ret: Err,
		Args:    Args{Device("device")},
		Group:   "btrfs",
		Summary: "store btrfs metadata in less space",
		Help: `Switches the shorter references to metadata on in the unmounted btrfs file system on {device}. New file
systems have them. Fails if it is not btrfs.`},
	{Name: "btrfs_fsck", Proc: 332, Since: "1.17.43", Ret: Err,
		Args:       Args{Device("device")},
		Opts:       Args{Int64("superblock"), Bool("repair")},
		Group:      "btrfs",
		Deprecated: "btrfs_scrub_full",
		Summary:    "check a btrfs file system",
		Help: `Checks the unmounted btrfs file system on {device}, using copy {superblock} of the superblock if that is given.
{repair} repairs what it can; it may do harm, so use it only on file systems that are broken. Fails if
errors are found.`},
	{Name: "btrfs_rescue_chunk_recover", Proc: 444, Since: "1.29.22", Ret: Err,
		Args:    Args{Device("device")},
		Group:   "btrfs",
		Summary: "rebuild the chunk tree of a btrfs file system",
		Help: `Searches all of {device} for the remains of the chunk tree of its btrfs file system, and rebuilds that tree if
it is broken. Fails if there is no btrfs on it, or too little of it is left.`},
	{Name: "btrfs_rescue_super_recover", Proc: 445, Since: "1.29.22", Ret: Err,
		Args:    Args{Device("device")},
		Group:   "btrfs",
		Summary: "repair the superblocks of a btrfs file system",
		Help: `Replaces bad superblocks of the btrfs file system on {device} with good copies. It is not an error if all are
good. Fails if no copy is good.`},
	{Name: "btrfs_image", Proc: 453, Since: "1.29.32", Ret: Err,
		Args:    Args{Devices("source"), Path("image")},
		Opts:    Args{Int("compresslevel")},
		Group:   "btrfs",
		Summary: "save the metadata of a btrfs file system",
		Help: `Writes the metadata, without the data, of the unmounted btrfs file system on {source} to the file {image},
for debugging. {compresslevel} is from 0, for none, to 9. Fails if {source} does not
hold btrfs.`},
}
