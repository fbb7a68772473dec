package api

// mdTable: RAID arrays.
var mdTable = []Action{
	{Name: "md_create", Proc: 299, Since: "1.15.6", Ret: Err,
		Args:    Args{String("name"), Devices("devices")},
		Opts:    Args{Int64("missingbitmap"), Int("nrdevices"), Int("spare"), Int64("chunk", Bytes), String("level")},
		Group:   "mdadm",
		Summary: "make a RAID array",
		Help: `Makes a Linux software RAID array named {name} from {devices}, and starts it; list_md_devices returns
its device, in most cases /dev/md127. The previous content of {devices} is lost.

{level} is linear, raid0 (0, stripe), raid1 (1, mirror; the default), raid4 (4), raid5 (5), raid6 (6) or
raid10 (10). {nrdevices} is how many members are active and {spare} the number of spares; by default all
{devices} are active. Each bit set in {missingbitmap} means that a member is missing: bit 0 for
the first, and so on; the array starts without it. {chunk} is the size of a stripe on one member, a
multiple of 1024.

Fails if the numbers do not agree, a device is in use or too small, or the name is taken.`},
	{Name: "md_detail", Proc: 301, Since: "1.15.6", Ret: RetHash("info", Plain, Plain),
		Args:    Args{Device("md")},
		Group:   "mdadm",
		Summary: "describe a RAID array",
		Help: `Returns what mdadm reports about the array {md}: level, devices (how many), metadata (version), uuid, name,
devname, and role and name of each member. The members' own names are those of the appliance's kernel.
Fails if {md} is not an active array.`},
	{Name: "md_stop", Proc: 302, Since: "1.15.6", Ret: Err,
		Args:    Args{Device("md")},
		Group:   "mdadm",
		Summary: "stop a RAID array",
		Help: `Stops the array {md}, so that its members are free. Nothing is lost: it is started again at the next
launch. Fails while it is in use, for instance mounted.`},
	{Name: "md_stat", Proc: 316, Since: "1.17.21", Ret: RetStructs("devices", "mdstat"),
		Args:    Args{Device("md")},
		Group:   "mdadm",
		Summary: "get the members of a RAID array",
		Help: `Returns, for each member of the array {md}, its device, its index among the members, and flags: F for
failed, S for a spare, W for one that is read only if necessary, R for a replacement. Fails if {md} is
not an active array.`},
}
