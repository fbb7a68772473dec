package api

// watchTable: notification of changes.
var watchTable = []Action{
	{Name: "inotify_init", Proc: 179, Since: "1.0.66", Ret: Err, Group: "inotify",
		Args:    Args{Int("maxevents")},
		Summary: "begin to watch for changes",
		Help: `Creates the queue of events that inotify_add_watch fills; earlier watches are removed. {maxevents} is the
number of events kept until they are read, 0 for the kernel's limit. Fails if it is negative.`},
	{Name: "inotify_add_watch", Proc: 180, Since: "1.0.66", Ret: RetInt64("wd"), Group: "inotify",
		Args:    Args{Path("path"), Int("mask")},
		Summary: "watch a file or directory",
		Help: `Watches {path}, and if it is a directory also its content, and returns a number for this watch. {mask} selects events,
by the bits of inotify(7): 1 read, 2 changed, 4 attributes, 8 closed after writing, 32 opened, 64 and
128 renamed from and to, 256 made, 512 removed; 4095 is all. Fails before inotify_init, if {path} does not
exist, or if no bit is set.`},
	{Name: "inotify_rm_watch", Proc: 181, Since: "1.0.66", Ret: Err, Group: "inotify",
		Args:    Args{Int("wd")},
		Summary: "stop watching a file or directory",
		Help:    `Removes the watch with the number {wd}, which inotify_add_watch returned. Fails if there is none.`},
	{Name: "inotify_read", Proc: 182, Since: "1.0.66", Ret: RetStructs("events", "inotify_event"), Group: "inotify",
		Rests:   true,
		Summary: "get the changes since the last time",
		Help: `Returns the events that have come, without waiting: the watch, the bits of what happened, a number that
two events of one renaming share, and the name in the directory. At most about 1 MB is returned; the rest stays in the queue.
Fails before inotify_init.`},
	{Name: "inotify_files", Proc: 183, Since: "1.0.66", Ret: RetStrings("paths"), Group: "inotify",
		Summary: "get the names of what has changed",
		Help:    `Returns the names in the events that have come, sorted and each once. Fails before inotify_init.`},
	{Name: "inotify_close", Proc: 184, Since: "1.0.66", Ret: Err, Group: "inotify",
		Summary: "stop watching for changes",
		Help:    `Drops the queue and all watches. Fails before inotify_init.`},
}

// copyingTable: copying trees by rsync, directories of the host, labels.
var copyingTable = []Action{
	{Name: "rsync", Proc: 344, Since: "1.19.29", Ret: Err, Group: "rsync",
		Whole:   true,
		Args:    Args{Path("src"), Path("dest")},
		Opts:    Args{Bool("archive"), Bool("deletedest")},
		Summary: "make one tree of the guest like another",
		Help: `Copies {src} to {dest} with rsync, which transfers only differences. A slash at the end of {src} means its content, not
itself. {archive} copies directories with all their content, owners, permissions and times;
{deletedest} removes from {dest} whatever {src} does not have. Fails if {src} does not exist or the disk is full.`},
	{Name: "rsync_in", Proc: 345, Since: "1.19.29", Ret: Err, Group: "rsync",
		Whole:   true,
		Args:    Args{String("remote"), Path("dest")},
		Opts:    Args{Bool("archive"), Bool("deletedest")},
		Summary: "copy from an rsync server into the guest",
		Help: `Copies {remote}, such as rsync://host/module/dir or user@host:dir, to {dest}. The appliance needs its
network (set-network). {archive} and {deletedest} are those of rsync. Fails if the server refuses or cannot be reached.`},
	{Name: "rsync_out", Proc: 346, Since: "1.19.29", Ret: Err, Group: "rsync",
		Whole:   true,
		Args:    Args{Path("src"), String("remote")},
		Opts:    Args{Bool("archive"), Bool("deletedest")},
		Summary: "copy from the guest to an rsync server",
		Help: `Copies {src} to {remote}, such as rsync://host/module/dir. The appliance needs its network (set-network).
{archive} and {deletedest} are those of rsync. Fails if the server refuses or cannot be reached.`},
	{Name: "list_9p", Proc: 285, Since: "1.11.12", Ret: RetStrings("mounttags"), Deprecated: "true",
		Summary: "list the directories that the host shares",
		Help:    `Returns the tags of the directories that qemu shares by 9p (see config).`},
	{Name: "mount_9p", Proc: 286, Since: "1.11.12", Ret: Err, Deprecated: "true",
		Args:    Args{String("mounttag"), String("mountpoint")},
		Opts:    Args{String("options")},
		Summary: "mount a directory that the host shares",
		Help: `Mounts the directory with the tag {mounttag} at {mountpoint}, with mount {options} in addition to trans=virtio. Fails
if there is no such tag.`},
	{Name: "isoinfo", Proc: 314, Since: "1.17.19", Ret: RetStruct("isodata", "isoinfo"),
		Args:    Args{Path("isofile")},
		Summary: "describe an ISO image",
		Help: `Returns what the primary volume descriptor in the file {isofile} says: names, sizes in blocks, and times
(seconds since 1970, -1 for none). Fails if it is not an ISO 9660 image.`},
	{Name: "isoinfo_device", Proc: 313, Since: "1.17.19", Ret: RetStruct("isodata", "isoinfo"),
		Args:    Args{Device("device")},
		Summary: "describe an ISO file system",
		Help:    `Returns the same as isoinfo, for {device}. Fails if it does not hold an ISO 9660 file system.`},
	{Name: "setcon", Proc: 185, Since: "1.0.67", Ret: Err, Group: "selinux", Deprecated: "setfiles",
		Args:    Args{String("context")},
		Summary: "set the SELinux context of the daemon",
		Help:    `Sets the daemon's context to {context}. Fails if the policy forbids it or there is no SELinux.`},
	{Name: "getcon", Proc: 186, Since: "1.0.67", Ret: RetString("context"), Group: "selinux", Deprecated: "setfiles",
		Summary: "get the SELinux context of the daemon",
		Help:    `Returns the daemon's own context. Fails if there is no SELinux.`},
	{Name: "selinux_relabel", Proc: 467, Since: "1.33.43", Ret: Err, Group: "selinuxrelabel", Deprecated: "setfiles",
		Args:    Args{String("specfile"), Path("path")},
		Opts:    Args{Bool("force")},
		Summary: "set the SELinux labels of files",
		Help: `Labels {path} and everything below it according to the list of contexts in {specfile}, a file of the guest. Labels that
administrators have chosen are kept unless {force} is true. Fails if the list cannot be read.`},
	{Name: "setfiles", Proc: 519, Since: "1.57.1", Ret: Err, Group: "selinuxrelabel",
		Args:    Args{String("specfile"), Paths("paths")},
		Opts:    Args{Bool("force"), Strings("excludes")},
		Summary: "set the SELinux labels of files",
		Help: `Labels each of {paths} and everything below according to the list of contexts in {specfile}, a file of the guest, except
the directories in {excludes}. Labels that administrators have chosen are kept unless {force} is true. Fails if
the list cannot be read.`},
}
