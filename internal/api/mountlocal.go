package api

// mountLocalTable: the guest's file system on the host.
var mountLocalTable = []Action{
	{Name: "mount_local", Since: "1.17.22", Ret: Err,
		Args:    Args{String("localmountpoint")},
		Opts:    Args{Bool("readonly"), String("options"), Int("cachetimeout", Seconds), Bool("debugcalls")},
		Summary: "mount the guest's file system on the host",
		Help: `Shows what is mounted in the guest at the empty directory {localmountpoint} of the host, through FUSE.
Nothing can be read there before mount_local_run serves it. {readonly} forbids changes; {options} are
further mount options, separated by commas: allow_other, default_permissions, uid=, gid=, umask=, fsname=, nosuid,
nodev, noexec and others. Without default_permissions, who can reach the mount can do everything in it, and new files
belong to root. The kernel caches what it knows about a file for {cachetimeout} seconds, by default an hour: it is told of
changes that another call makes. {debugcalls} writes each request to standard error.

Fails if FUSE is not available, the directory does not exist, an option is not known, or something is mounted already.`},
	{Name: "mount_local_run", Since: "1.17.22", Ret: Err, Cancel: true,
		Summary: "serve the mount made by mount_local",
		Help: `Serves the file system that mount_local has mounted, until it is unmounted: by fusermount3 -u on the host,
by umount_local from another thread, or by cancelling the call. In the last case it is unmounted even if programs
use it, with a warning that names them. Other calls may be made from other threads meanwhile.

Fails if mount_local was not called before, nothing is mounted in the guest, or the appliance ends.`},
	{Name: "umount_local", Since: "1.17.22", Ret: Err,
		Immediate: true,
		Opts:      Args{Bool("retry")},
		Summary:   "unmount the guest's file system from the host",
		Help: `Unmounts what mount_local mounted, and returns when mount_local_run has ended. {retry} tries several times
while something there is in use. Fails, with the names of the programs, if it is still in use, or nothing is mounted.`},
}
