package api

// xfsTable: XFS.
var xfsTable = []Action{
	{Name: "xfs_growfs", Proc: 343, Since: "1.19.28", Ret: Err,
		Args:    Args{Path("path")},
		Opts:    Args{Bool("datasec"), Bool("logsec"), Bool("rtsec"), Int64("datasize", Blocks), Int64("logsize", Blocks), Int64("rtsize", Blocks), Int64("rtextsize", Blocks), Int("maxpct", Percent)},
		Group:   "xfs",
		Summary: "grow an XFS file system",
		Help: `Grows the XFS file system that is mounted on {path}, to the size of its device if no size is given.
{datasec}, {logsec} and {rtsec} choose the data, log and realtime section. {datasize}, {logsize} and
{rtsize} are new sizes of these in blocks, {rtextsize} is the size of a realtime extent in blocks.
{maxpct} is the percentage of the space that inodes may take. Numbers must not be negative. Fails
if a section would shrink; kernels cannot resize the log.`},
	{Name: "xfs_admin", Proc: 349, Since: "1.19.33", Ret: Err,
		Args:    Args{Device("device")},
		Opts:    Args{Bool("extunwritten"), Bool("imgfile"), Bool("v2log"), Bool("projid32bit"), Bool("lazycounter"), String("label"), String("uuid")},
		Group:   "xfs",
		Summary: "change settings of an XFS file system",
		Help: `Changes settings in the superblock of the XFS file system on {device}, which must not be mounted, except
to set a label. {extunwritten}, {v2log} and {projid32bit}, if true, turn on unwritten extents, the
second version of the log, and project identifiers of 32 bits; new file systems have all of these.
{lazycounter} turns lazy counters on or off. {label} is a label of at most 12
bytes, -- for none. {uuid} is an identifier, or generate for a random one, nil for none, or restore
for the first one. {imgfile} says that the file system is in a file.`},
	{Name: "xfs_repair", Proc: 366, Since: "1.19.36", Ret: RetInt("status"),
		Args:    Args{DevOrPath("device")},
		Opts:    Args{Bool("forcelogzero"), Bool("nomodify"), Bool("noprefetch"), Bool("forcegeometry"), Int64("maxmem", MiB), Int64("ihashsize"), Int64("bhashsize"), Int64("agstride"), String("logdev"), String("rtdev")},
		Group:   "xfs",
		Summary: "check and repair an XFS file system",
		Help: `Checks and repairs the XFS file system on {device}, a device or an image file in the guest. It must
not be mounted. Returns the status of the tool: 0 if it is clean now, 1 if errors are left, 2 if the
log has changes that mounting would replay, which a warning says. Fails if {device} cannot be read. {forcelogzero} discards such a log. {nomodify} only
checks. {noprefetch} turns off reading ahead. {forcegeometry} continues although only one allocation
group could be compared. {maxmem} is the memory it may use, in MiB, {ihashsize} and
{bhashsize} are the sizes of caches for inodes and blocks in entries, {agstride} is the distance of
allocation groups that are processed in parallel. {logdev} and {rtdev} are the devices of an
external log and of the realtime section. Numbers must not be negative.`},
	{Name: "xfs_info", Proc: 337, Since: "1.19.21", Ret: RetStruct("info", "xfsinfo"),
		Args:  Args{DevOrPath("pathordevice")},
		Group: "xfs", Deprecated: "xfs_info2",
		Summary: "read the geometry of an XFS file system",
		Help: `Returns the sizes and settings of the XFS file system in {pathordevice}: a device, a mount point or
an image file. Unknown numbers have all bits set.`},
	{Name: "xfs_info2", Proc: 522, Since: "1.59.2", Ret: RetHash("info", Plain, Plain),
		Args:    Args{DevOrPath("pathordevice")},
		Group:   "xfs",
		Summary: "read the geometry of an XFS file system as a table",
		Help: `Returns what xfs_info(8) prints about the XFS file system in {pathordevice}: a device, a mount point or
an image file. Keys are the names of sections, such as meta-data or log, and SECTION.FIELD, such as
data.blocks or meta-data.crc; values are as printed, some with a unit.`},
}
