package api

// ntfsTable: what only NTFS has and its own tools do.
var ntfsTable = []Action{
	{Name: "ntfsclone_out", Proc: 308, Since: "1.17.9", Ret: Err,
		Args:    Args{Device("device"), FileOut("backupfile")},
		Opts:    Args{Bool("metadataonly"), Bool("rescue"), Bool("ignorefscheck"), Bool("preservetimestamps"), Bool("force")},
		Group:   "ntfs3g",
		Cancel:  true,
		Summary: "save an NTFS file system",
		Help: `Saves the unmounted NTFS file system on {device} in the host's file {backupfile}, in a form that omits free
space and that ntfsclone_in reads. {metadataonly} omits the content of files as well. {rescue} continues after sectors that cannot be read, {ignorefscheck} does not check the file system first, {force} saves a
file system that was not unmounted cleanly. {preservetimestamps} keeps the times of last access. Fails if {device} does not hold NTFS.`},
	{Name: "ntfsclone_in", Proc: 309, Since: "1.17.9", Ret: Err,
		Args:    Args{FileIn("backupfile"), Device("device")},
		Group:   "ntfs3g",
		Cancel:  true,
		Summary: "restore a saved NTFS file system",
		Help: `Writes the NTFS file system that ntfsclone_out saved in the host's file {backupfile} to {device}. The
previous content of {device} is lost. Fails if it is too small, or {backupfile} has another format.`},
	{Name: "ntfscat_i", Proc: 463, Since: "1.33.14", Ret: Err,
		Args:     Args{Mountable("device"), Int64("inode"), FileOut("filename")},
		Progress: true, Cancel: true,
		Summary: "copy a file of NTFS by its number",
		Help: `Copies the content of the file of number {inode} on the NTFS file system {device} to the host's file
{filename}, mounted or not. This also reaches files without a name: 0 is the $MFT. Fails if there is none.`},
	{Name: "ntfs_chmod", Proc: 520, Since: "1.55.13", Ret: Err,
		Args:    Args{Device("device"), Int("mode", Octal), String("path")},
		Opts:    Args{Bool("recursive")},
		Group:   "ntfs3g",
		Summary: "set the access rights of a file on NTFS",
		Help: `Gives {path} on the unmounted NTFS file system {device} the Windows rights that correspond to the permission
bits {mode}, and with {recursive} everything below it. Fails if {path} does not exist.`},
}
