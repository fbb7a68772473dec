package api

// tskTable: file systems as The Sleuth Kit reads them, mounted or not, including
// deleted files.
var tskTable = []Action{
	{Name: "download_inode", Proc: 464, Since: "1.33.14", Ret: Err,
		Args:  Args{Mountable("device"), Int64("inode"), FileOut("filename")},
		Group: "sleuthkit", Progress: true, Cancel: true,
		Summary: "copy a file by the number of its inode",
		Help: `Copies the content of the file of number {inode} on {device} to the host's file {filename}, even if the file was
deleted, as long as its content is still there. The file system need not be mounted. Fails if there is no file of that number, or
The Sleuth Kit cannot read this kind of file system.`},
	{Name: "internal_filesystem_walk", Proc: 466, Since: "1.33.39", Library: "tsk", Ret: Err,
		Args:       Args{Mountable("device"), FileOut("filename")},
		Group:      "libtsk",
		Visibility: Internal,
		Summary:    "send all names of a file system",
		Help:       `Sends a tsk_dirent for each name, for filesystem_walk.`},
	{Name: "filesystem_walk", Since: "1.33.39", Ret: RetStructs("dirents", "tsk_dirent"),
		Args:  Args{Mountable("device")},
		Group: "libtsk", Progress: true, Cancel: true,
		Summary: "list all files of a file system, including deleted ones",
		Help: `Returns every name on {device} with what is known about its file: the number of its inode, a letter for its type
(r file, d directory, l link, b and c devices, f FIFO, s socket, u unknown), size in bytes, times in seconds since 1970 and
nanoseconds, links, and flags: 1 the name is in use, 2 it is not and its inode belongs to another file, 4 the file
is compressed. Unknown numbers are -1. The file system need not be mounted. Fails if The Sleuth Kit cannot read this kind of file
system.`},
	{Name: "download_blocks", Proc: 468, Since: "1.33.45", Ret: Err,
		Args:  Args{Mountable("device"), Int64("start", Blocks), Int64("stop", Blocks), FileOut("filename")},
		Opts:  Args{Bool("unallocated")},
		Group: "sleuthkit", Progress: true, Cancel: true,
		Summary: "copy blocks of a file system",
		Help: `Copies the blocks (for FAT the sectors, for NTFS the clusters) {start} to {stop} of the file system on {device} to
the host's file {filename}; with {unallocated} only those that belong to no file. Fails if a number is out of range, or The Sleuth
Kit cannot read this kind of file system.`},
	{Name: "internal_find_inode", Proc: 470, Since: "1.35.6", Library: "tsk", Ret: Err,
		Args:       Args{Mountable("device"), Int64("inode"), FileOut("filename")},
		Group:      "libtsk",
		Visibility: Internal,
		Summary:    "send the names of an inode",
		Help:       `Sends a tsk_dirent for each name of the inode, for find_inode.`},
	{Name: "find_inode", Since: "1.35.6", Ret: RetStructs("dirents", "tsk_dirent"),
		Args:  Args{Mountable("device"), Int64("inode")},
		Group: "libtsk", Progress: true, Cancel: true,
		Summary: "list the names of an inode",
		Help: `Returns those entries of filesystem_walk on {device} that lead to the inode of number {inode}; the list is empty if no name does. Fails
if The Sleuth Kit cannot read this kind of file system.`},
}
