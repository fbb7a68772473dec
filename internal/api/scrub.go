package api

// scrubTable: overwriting data so that it cannot be recovered.
var scrubTable = []Action{
	{Name: "scrub_device", Proc: 114, Since: "1.0.52", Ret: Err,
		Args:    Args{Device("device")},
		Group:   "scrub",
		Summary: "overwrite a device",
		Help: `Overwrites all of {device} several times with patterns, so that its content cannot be recovered. An image
that grows as it is written, or is on an SSD, may keep old blocks anyway.`},
	{Name: "scrub_file", Proc: 115, Since: "1.0.52", Ret: Err,
		Args:    Args{Path("file")},
		Group:   "scrub",
		Summary: "overwrite and remove a file",
		Help: `Overwrites the file {file} several times with patterns and removes it. A file system that writes to a new
place, such as btrfs, keeps the old content anyway. Fails if {file} is not a regular file.`},
	{Name: "scrub_freespace", Proc: 116, Since: "1.0.52", Ret: Err,
		Args:    Args{Path("dir")},
		Group:   "scrub",
		Summary: "overwrite the free space of a file system",
		Help: `Creates the folder {dir}, fills its file system with files of patterns, and removes them. Fails if
{dir} exists.`},
}
