package api

// scrubTable: overwriting what must not be found again.
var scrubTable = []Action{
	{Name: "scrub_device", Proc: 114, Since: "1.0.52", Ret: Err,
		Args:    Args{Device("device")},
		Group:   "scrub",
		Summary: "overwrite a device",
		Help: `Overwrites all of {device} several times with patterns, so that what it held cannot be got back. An image
that grows as it is written, or lies on an SSD, may keep old blocks all the same.`},
	{Name: "scrub_file", Proc: 115, Since: "1.0.52", Ret: Err,
		Args:    Args{Path("file")},
		Group:   "scrub",
		Summary: "overwrite and remove a file",
		Help: `Overwrites the file {file} several times with patterns and removes it. A file system that writes to a new
place, as btrfs, keeps the old content all the same. Fails if {file} is no regular file.`},
	{Name: "scrub_freespace", Proc: 116, Since: "1.0.52", Ret: Err,
		Args:    Args{Path("dir")},
		Group:   "scrub",
		Summary: "overwrite the free space of a file system",
		Help: `Makes the folder {dir}, fills the file system that it is on with files of patterns, and removes them. Fails if
{dir} exists.`},
}
