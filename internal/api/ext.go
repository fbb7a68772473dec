package api

// extTable: ext2, ext3 and ext4.
var extTable = []Action{
	{Name: "e2fsck", Proc: 304, Since: "1.15.17", Ret: Err,
		Args:    Args{Device("device")},
		Opts:    Args{Bool("correct"), Bool("forceall"), Bool("forceno")},
		Summary: "check an ext file system",
		Help: `Checks the ext2, ext3 or ext4 file system on {device}, even if it is marked clean. Of three ways to
deal with errors at most one can be chosen: {correct} repairs what can be repaired safely,
{forceall} answers all questions with yes, {forceno} with no, which changes nothing. Without any
of them nothing is repaired; only the journal is replayed. It succeeds if there were no errors or
all have been corrected.`},
	{Name: "e2fsck_f", Proc: 108, Since: "1.0.29", Ret: Err,
		Args:       Args{Device("device")},
		Deprecated: "e2fsck",
		Summary:    "check and repair an ext file system",
		Help: `Checks the ext2, ext3 or ext4 file system on {device} and repairs what can be repaired safely, as
e2fsck does with correct.`},
	{Name: "tune2fs", Proc: 298, Since: "1.15.4", Ret: Err,
		Args:    Args{Device("device")},
		Opts:    Args{Bool("force"), Int("maxmountcount"), Int("mountcount"), String("errorbehavior"), Int64("group"), Int("intervalbetweenchecks", Seconds), Int("reservedblockspercentage", Percent), String("lastmounteddirectory"), Int64("reservedblockscount", Blocks), Int64("user")},
		Summary: "change settings of an ext file system",
		Help: `Changes settings in the superblock of the ext2, ext3 or ext4 file system on {device}. At least one
setting must be given, and numbers must not be negative. {force} continues where the tool would
refuse. {maxmountcount} is the number of mounts after which it is checked, 0 for never; {mountcount} is how often
it has been mounted so far. {errorbehavior} is continue, remount-ro or panic. {group} and {user} are the
numeric identifiers of the group and the user that may use the reserved blocks. {intervalbetweenchecks} is the time between
checks in seconds, 0 for no limit. {reservedblockspercentage} reserves a part of the file system in
percent, {reservedblockscount} a number of blocks. {lastmounteddirectory} is the recorded
last mount point.`},
	{Name: "tune2fs_l", Proc: 55, Since: "1.9.2", Ret: RetHash("superblock", Plain, Plain),
		Args:    Args{Device("device")},
		Summary: "list the superblock of an ext file system",
		Help: `Returns what the superblock of the ext2, ext3 or ext4 file system on {device} holds, with the names
that tune2fs(8) uses, such as "Block count". A value that is not set is empty.`},
	{Name: "resize2fs", Proc: 106, Since: "1.0.27", Ret: Err,
		Args:    Args{Device("device")},
		Summary: "grow an ext file system to its device",
		Help: `Resizes the ext2, ext3 or ext4 file system on {device} to fill the device. If it is not mounted it
is checked first, and errors are corrected.`},
	{Name: "resize2fs_size", Proc: 248, Since: "1.3.14", Ret: Err,
		Args:    Args{Device("device"), Int64("size", Bytes)},
		Summary: "resize an ext file system to a given size",
		Help: `Resizes the ext2, ext3 or ext4 file system on {device} to {size} bytes, a multiple of 1024. If it is
not mounted it is checked first, and errors are corrected; a mounted one can only grow. Fails if the
device is smaller, or the content does not fit.`},
	{Name: "resize2fs_M", Proc: 281, Since: "1.9.4", Ret: Err,
		Args:    Args{Device("device")},
		Summary: "shrink an ext file system as far as possible",
		Help: `Resizes the ext2, ext3 or ext4 file system on {device} to the smallest size that holds its content;
block count times block size, as tune2fs_l shows, is then its size. Fails if it is mounted.`},
	{Name: "mke2fs", Proc: 368, Since: "1.19.44", Ret: Err,
		Args:    Args{Device("device")},
		Opts:    Args{Int64("blockscount", Blocks), Int64("blocksize", Bytes), Int64("fragsize", Bytes), Int64("blockspergroup", Blocks), Int64("numberofgroups"), Int64("bytesperinode", Bytes), Int64("inodesize", Bytes), Int64("journalsize", MiB), Int64("numberofinodes"), Int64("stridesize", Blocks), Int64("stripewidth", Blocks), Int64("maxonlineresize", Blocks), Int("reservedblockspercentage", Percent), Int("mmpupdateinterval", Seconds), String("journaldevice"), String("label"), String("lastmounteddir"), String("creatoros"), String("fstype"), String("usagetype"), String("uuid"), Bool("forcecreate"), Bool("writesbandgrouponly"), Bool("lazyitableinit"), Bool("lazyjournalinit"), Bool("testfs"), Bool("discard"), Bool("quotatype"), Bool("extent"), Bool("filetype"), Bool("flexbg"), Bool("hasjournal"), Bool("journaldev"), Bool("largefile"), Bool("quota"), Bool("resizeinode"), Bool("sparsesuper"), Bool("uninitbg")},
		Summary: "make an ext file system, with all settings",
		Help: `Makes an ext2, ext3 or ext4 file system on {device}. All previous content is lost. Numbers must not be
negative. {fstype} is ext2, ext3 or ext4, ext2 if it is not given; {usagetype} names a set of
defaults such as small or largefile.

Size and layout: {blockscount} is the size in blocks, {blocksize} that of a block in bytes,
{fragsize} that of a fragment in bytes, which new tools do not accept. {blockspergroup} is the number
of blocks in a group, {numberofgroups} the number of groups packed together, {numberofinodes} the
number of inodes or {bytesperinode} the space for each in bytes, {inodesize} the size of an inode in
bytes. {stridesize} and {stripewidth} describe the RAID array below in blocks, {maxonlineresize} is
up to how many blocks it can grow while it is mounted. {reservedblockspercentage} is kept back for
the superuser, in percent.

Journal: {journalsize} is its size in MiB, {journaldevice} the device that holds it, or UUID= or LABEL=
with its identifier or label. {journaldev} makes {device} itself such a device.

Names: {label} is the label, {uuid} the identifier, {lastmounteddir} the recorded last
mount point, {creatoros} the system recorded as its creator.

How it is made: {forcecreate} continues where the tool would refuse. {writesbandgrouponly} writes only
superblocks and group descriptors, to save a file system that lost them. {lazyitableinit} and
{lazyjournalinit} leave clearing the tables and the journal to the kernel, {discard} discards all
blocks first, {testfs} marks it as one for tests. {mmpupdateinterval} is how often, in seconds, the
protection against double mounts writes. {quotatype} keeps quotas of users and groups.

Each of {extent}, {filetype}, {flexbg}, {hasjournal}, {largefile}, {quota}, {resizeinode},
{sparsesuper} and {uninitbg} turns the feature of that name on if true and off if false.`},
	{Name: "mke2fs_J", Proc: 191, Since: "1.0.68", Ret: Err,
		Args:       Args{String("fstype"), Int("blocksize", Bytes), Device("device"), Device("journal")},
		Deprecated: "mke2fs",
		Summary:    "make an ext file system with its journal elsewhere",
		Help: `Makes a file system of the type {fstype}, ext2, ext3 or ext4, with blocks of {blocksize} bytes on
{device}, whose journal is on the device {journal}. mke2journal makes that, with the same block
size.`},
	{Name: "mke2fs_JL", Proc: 192, Since: "1.0.68", Ret: Err,
		Args:       Args{String("fstype"), Int("blocksize", Bytes), Device("device"), String("label")},
		Deprecated: "mke2fs",
		Summary:    "make an ext file system with a journal found by label",
		Help: `Does what mke2fs_J does for {fstype}, {blocksize} in bytes and {device}, with the journal on the
device of the label {label}.`},
	{Name: "mke2fs_JU", Proc: 193, Since: "1.0.68", Ret: Err,
		Args:  Args{String("fstype"), Int("blocksize", Bytes), Device("device"), String("uuid")},
		Group: "linuxfsuuid", Deprecated: "mke2fs",
		Summary: "make an ext file system with a journal found by UUID",
		Help: `Does what mke2fs_J does for {fstype}, {blocksize} in bytes and {device}, with the journal on the
device of the identifier {uuid}.`},
	{Name: "mke2journal", Proc: 188, Since: "1.0.68", Ret: Err,
		Args:       Args{Int("blocksize", Bytes), Device("device")},
		Deprecated: "mke2fs",
		Summary:    "make a journal device for ext",
		Help: `Makes {device} a journal for ext3 and ext4 file systems on other devices, with blocks of {blocksize}
bytes. All previous content is lost.`},
	{Name: "mke2journal_L", Proc: 189, Since: "1.0.68", Ret: Err,
		Args:       Args{Int("blocksize", Bytes), String("label"), Device("device")},
		Deprecated: "mke2fs",
		Summary:    "make a journal device with a label",
		Help: `Makes {device} a journal for file systems on other devices, with blocks of {blocksize} bytes and the
label {label}, of at most 16 bytes.`},
	{Name: "mke2journal_U", Proc: 190, Since: "1.0.68", Ret: Err,
		Args:  Args{Int("blocksize", Bytes), String("uuid"), Device("device")},
		Group: "linuxfsuuid", Deprecated: "mke2fs",
		Summary: "make a journal device with a given UUID",
		Help: `Makes {device} a journal for file systems on other devices, with blocks of {blocksize} bytes and the
identifier {uuid}.`},
	{Name: "set_e2label", Proc: 80, Since: "1.0.15", Ret: Err,
		Args:       Args{Device("device"), String("label")},
		Deprecated: "set_label",
		Summary:    "set the label of an ext file system",
		Help:       `Gives the ext2, ext3 or ext4 file system on {device} the label {label}, of at most 16 bytes.`},
	{Name: "get_e2label", Proc: 81, Since: "1.0.15", Ret: RetString("label"),
		Args:       Args{Device("device")},
		Deprecated: "vfs_label",
		Summary:    "read the label of an ext file system",
		Help:       `Returns the label of the file system on {device}, empty if it has none.`},
	{Name: "set_e2uuid", Proc: 82, Since: "1.0.15", Ret: Err,
		Args:       Args{Device("device"), String("uuid")},
		Deprecated: "set_uuid",
		Summary:    "set the UUID of an ext file system",
		Help: `Gives the ext2, ext3 or ext4 file system on {device} the identifier {uuid}; clear, random and time
are also accepted.`},
	{Name: "get_e2uuid", Proc: 83, Since: "1.0.15", Ret: RetString("uuid"),
		Args:       Args{Device("device")},
		Deprecated: "vfs_uuid",
		Summary:    "read the UUID of an ext file system",
		Help:       `Returns the identifier of the file system on {device}, empty if it has none.`},
	{Name: "get_e2attrs", Proc: 318, Since: "1.17.31", Ret: RetString("attrs"),
		Args:    Args{Path("file")},
		Summary: "read the flags of a file",
		Help: `Returns the flags of {file}, which must be a file or a directory, not a link, as letters in
alphabetical order, capitals first. They are those of chattr(1), such as i for one that cannot be
changed; e, on most files of ext4, only says how it is stored. Works on ext2, ext3, ext4 and some
other file systems.`},
	{Name: "set_e2attrs", Proc: 319, Since: "1.17.31", Ret: Err,
		Args:    Args{Path("file"), String("attrs")},
		Opts:    Args{Bool("clear")},
		Summary: "set or clear flags of a file",
		Help: `Sets those flags of {file} whose letters are in {attrs}, or clears them if {clear} is true. Others
stay. Letters are those of chattr(1); each may be there once. Fails for a letter that cannot be set,
or where the file system has no such flag.`},
	{Name: "get_e2generation", Proc: 320, Since: "1.17.31", Ret: RetInt64("generation"),
		Args:    Args{Path("file")},
		Summary: "read the generation of a file",
		Help: `Returns the generation number of the inode of {file}, which distinguishes files that successively
had the same inode number.`},
	{Name: "set_e2generation", Proc: 321, Since: "1.17.31", Ret: Err,
		Args:    Args{Path("file"), Int64("generation")},
		Summary: "set the generation of a file",
		Help: `Sets the generation number of the inode of {file} to {generation}, from 0 to 4294967295. Fails on
file systems with checksummed metadata, such as new ext4 file systems.`},
	{Name: "mklost_and_found", Proc: 374, Since: "1.19.56", Ret: Err,
		Args:    Args{Path("mountpoint")},
		Summary: "make the lost+found directory",
		Help: `Makes the directory lost+found in {mountpoint}, the root of an ext2, ext3 or ext4 file system, with
room for what a check finds. Fails if it already exists.`},
}
