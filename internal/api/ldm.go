package api

// ldmTable: the dynamic disks of Windows.
var ldmTable = []Action{
	{Name: "list_ldm_volumes", Proc: 380, Since: "1.20.0", Ret: RetDevices("devices"),
		Group:   "ldm",
		Summary: "list the volumes of Windows dynamic disks",
		Help: `Returns the volumes of Windows dynamic disks as devices that can be mounted, in the form
/dev/mapper/ldm_vol_GROUP_VOLUME. Launch creates them; after ldmtool_remove_all there are none.`},
	{Name: "list_ldm_partitions", Proc: 381, Since: "1.20.0", Ret: RetDevices("devices"),
		Group:   "ldm",
		Summary: "list the partitions of Windows dynamic disks",
		Help: `Returns the partitions that the volumes of Windows dynamic disks consist of, in the form
/dev/mapper/ldm_part_GROUP_PARTITION. What can be mounted is in list_ldm_volumes.`},
	{Name: "ldmtool_create_all", Proc: 382, Since: "1.20.0", Ret: Err,
		Group:   "ldm",
		Summary: "make devices for Windows dynamic disks",
		Help: `Searches all drives for Windows dynamic disks and creates devices for their volumes. Launch has already
done so; this is for drives that have changed since.`},
	{Name: "ldmtool_remove_all", Proc: 383, Since: "1.20.0", Ret: Err,
		Group:   "ldm",
		Summary: "remove the devices of Windows dynamic disks",
		Help: `Removes the devices of all volumes of Windows dynamic disks; the disks keep them. Does nothing if there
are none, fails if one is in use.`},
	{Name: "ldmtool_scan", Proc: 384, Since: "1.20.0", Ret: RetStrings("guids"),
		Group:   "ldm",
		Summary: "find groups of Windows dynamic disks",
		Help:    `Looks at all drives and returns the GUIDs of the groups of Windows dynamic disks on them.`},
	{Name: "ldmtool_scan_devices", Proc: 385, Since: "1.20.0", Ret: RetStrings("guids"),
		Args:    Args{Devices("devices")},
		Group:   "ldm",
		Summary: "find groups of Windows dynamic disks on devices",
		Help: `Looks at {devices} and returns the GUIDs of the groups of Windows dynamic disks on them. If the list
{devices} is empty, it looks at all.`},
	{Name: "ldmtool_diskgroup_name", Proc: 386, Since: "1.20.0", Ret: RetString("name"),
		Args:    Args{String("diskgroup")},
		Group:   "ldm",
		Summary: "get the name of a group of Windows dynamic disks",
		Help:    `Returns the name that Windows has for the group {diskgroup}, a GUID that ldmtool_scan gave.`},
	{Name: "ldmtool_diskgroup_volumes", Proc: 387, Since: "1.20.0", Ret: RetStrings("volumes"),
		Args:    Args{String("diskgroup")},
		Group:   "ldm",
		Summary: "list the volumes in a group of Windows dynamic disks",
		Help:    `Returns the names of the volumes in the group {diskgroup}, a GUID that ldmtool_scan gave.`},
	{Name: "ldmtool_diskgroup_disks", Proc: 388, Since: "1.20.0", Ret: RetDevices("disks"),
		Args:    Args{String("diskgroup")},
		Group:   "ldm",
		Summary: "list the disks in a group of Windows dynamic disks",
		Help: `Returns the names that Windows has for the disks in the group {diskgroup}, a GUID that ldmtool_scan gave.
Missing ones are included.`},
	{Name: "ldmtool_volume_type", Proc: 389, Since: "1.20.0", Ret: RetString("voltype"),
		Args:    Args{String("diskgroup"), String("volume")},
		Group:   "ldm",
		Summary: "get the type of a volume of Windows dynamic disks",
		Help: `Returns the type of {volume} in the group {diskgroup}, a GUID: simple, spanned, striped, mirrored or
raid5.`},
	{Name: "ldmtool_volume_hint", Proc: 390, Since: "1.20.0", Ret: RetString("hint"),
		Args:    Args{String("diskgroup"), String("volume")},
		Group:   "ldm",
		Summary: "get the drive letter of a volume of Windows dynamic disks",
		Help: `Returns where Windows had {volume} of the group {diskgroup}, a GUID: a drive letter like E: in most cases;
empty if it does not say.`},
	{Name: "ldmtool_volume_partitions", Proc: 391, Since: "1.20.0", Ret: RetDevices("partitions"),
		Args:    Args{String("diskgroup"), String("volume")},
		Group:   "ldm",
		Summary: "list the parts of a volume of Windows dynamic disks",
		Help: `Returns the names of the partitions that {volume} of the group {diskgroup}, a GUID, consists of,
in order.`},
}
