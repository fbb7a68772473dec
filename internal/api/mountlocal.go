package api

// mountLocalTable: the guest's file system on the host.
var mountLocalTable = []Action{
	{Name: "mount_local", Since: "1.17.22", Ret: Err,
		Args:    Args{String("localmountpoint")},
		Opts:    Args{Bool("readonly"), String("options"), Int("cachetimeout", Seconds), Bool("debugcalls")},
		Summary: "mount the guest's file system on the host",
		Help: `Shows what is mounted in the guest at the empty directory {localmountpoint} of the host, through FUSE.
Nothing can be read there before mount_local_run serves it. {readonly} forbids changes; {options} are
further FUSE mount options, separated by commas; the kernel caches what it knows about a file for
{cachetimeout} seconds, by default 60; {debugcalls} writes each request to standard error.

Fails if FUSE is not available, the directory does not exist, or something is mounted already.`},
	{Name: "mount_local_run", Since: "1.17.22", Ret: Err, Cancel: true,
		Summary: "serve the mount made by mount_local",
		Help: `Serves the file system that mount_local has mounted, until it is unmounted: by fusermount3 -u on the host,
by umount_local from another thread, or by cancelling the call. Fails if mount_local was not called before.`},
	{Name: "umount_local", Since: "1.17.22", Ret: Err,
		Immediate: true,
		Opts:      Args{Bool("retry")},
		Summary:   "unmount the guest's file system from the host",
		Help: `Unmounts what mount_local mounted. {retry} tries several times while something there is in use. Fails
if it is still in use, or nothing is mounted.`},
}
