package api

// inspectTable: which operating systems are there, and how they are put together.
var inspectTable = []Action{
	{Name: "inspect_os", Proc: 480, Since: "1.5.3", Ret: RetMountables("roots"),
		Summary: "look for operating systems",
		Help: `Looks at every file system for an operating system, and returns the file systems that are root directories
of one. Installation media are included, see inspect_get_format. Everything is unmounted first. The result is
remembered: the other inspect_get_ actions use it, until the next call. File systems that cannot be mounted are
skipped, and so are snapshots of a system; encrypted ones must be opened first (see cryptsetup_open).

A root directory may be a subvolume of btrfs, btrfsvol:DEVICE/SUBVOLUME, or a folder, dir:DEVICE/FOLDER, as with
OSTree: both can be mounted. A warning names anything in a system's fstab that does not exist, and any choice that
was not clear, such as a label that two disks have.

Fails if something cannot be unmounted.`},
	{Name: "inspect_get_roots", Proc: 481, Since: "1.7.3", Ret: RetMountables("roots"),
		Summary: "get the roots that inspection found",
		Help:    `Returns what the last inspect_os returned, without looking again. Empty if there was none.`},
	{Name: "inspect_get_format", Proc: 482, Since: "1.9.4", Ret: RetString("format"),
		Args:       Args{Mountable("root")},
		Deprecated: "true",
		Summary:    "get the format of an operating system",
		Help: `Returns installer if {root} is a medium, such as a CD, from which a system is installed or runs without being installed;
otherwise installed.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_type", Proc: 483, Since: "1.5.3", Ret: RetString("name"),
		Args:    Args{Mountable("root")},
		Summary: "get the type of an operating system",
		Help: `Returns the kind of system on {root}: linux, windows, freebsd, netbsd, openbsd, hurd, minix or dos. The result is unknown if that
cannot be determined.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_distro", Proc: 484, Since: "1.5.3", Ret: RetString("distro"),
		Args:    Args{Mountable("root")},
		Summary: "get the distribution of an operating system",
		Help: `Returns the distribution on {root}, such as debian, fedora, rhel, opensuse, alpinelinux, archlinux, windows or
freedos. A distribution that only says which other one it resembles is reported as that one. The result is unknown if that
cannot be determined.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_package_format", Proc: 485, Since: "1.7.5", Ret: RetString("packageformat"),
		Args:    Args{Mountable("root")},
		Summary: "get the format of packages",
		Help: `Returns how packages of the system on {root} are stored: rpm, deb, pacman, ebuild, pisi, pkgsrc, apk or
xbps. The result is unknown if that
cannot be determined.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_package_management", Proc: 486, Since: "1.7.5", Ret: RetString("packagemanagement"),
		Args:    Args{Mountable("root")},
		Summary: "get the package manager",
		Help: `Returns the program that manages packages of the system on {root}: dnf, yum, up2date, apt, pacman, portage,
pisi, pkgsrc, urpmi, zypper, apk or xbps. The result is unknown if that
cannot be determined.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_product_name", Proc: 487, Since: "1.5.3", Ret: RetString("product"),
		Args:    Args{Mountable("root")},
		Summary: "get the name of an operating system",
		Help: `Returns what the system on {root} calls itself, for people: the text has no fixed form. The result is unknown if that
cannot be determined.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_product_variant", Proc: 488, Since: "1.9.13", Ret: RetString("variant"),
		Args:    Args{Mountable("root")},
		Summary: "get the variant of an operating system",
		Help: `Returns the variant of a Windows on {root}: Client, Server or Server Core, for instance. The result is unknown if that
cannot be determined.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_major_version", Proc: 489, Since: "1.5.3", Ret: RetInt("major"),
		Args:    Args{Mountable("root")},
		Summary: "get the major version of an operating system",
		Help: `Returns the first number of the version of the system on {root}; 0 if it is not known or there is none.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_minor_version", Proc: 490, Since: "1.5.3", Ret: RetInt("minor"),
		Args:    Args{Mountable("root")},
		Summary: "get the minor version of an operating system",
		Help: `Returns the second number of the version of the system on {root}; 0 if it is not known or there is none.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_arch", Proc: 491, Since: "1.5.3", Ret: RetString("arch"),
		Args:    Args{Mountable("root")},
		Summary: "get the architecture of an operating system",
		Help: `Returns the processor architecture of the programs on {root}, by the names of file_architecture. The result is unknown if that
cannot be determined.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_hostname", Proc: 492, Since: "1.7.9", Ret: RetString("hostname"),
		Args:    Args{Mountable("root")},
		Summary: "get the host name of an operating system",
		Help: `Returns the host name that is configured on {root}. The result is unknown if that
cannot be determined.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_windows_systemroot", Proc: 493, Since: "1.5.25", Ret: RetString("systemroot"),
		Args:    Args{Mountable("root")},
		Summary: "get the system directory of Windows",
		Help: `Returns the directory of Windows on {root}, as a path of the guest, such as /Windows.

Fails if there is none, or it is not Windows.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_windows_software_hive", Proc: 494, Since: "1.35.26", Ret: RetString("path"),
		Args:    Args{Mountable("root")},
		Summary: "get the path of the SOFTWARE hive of Windows",
		Help: `Returns the path of the file with HKEY_LOCAL_MACHINE\SOFTWARE on {root}, for hivex_open.

Fails if there is none, or it is not Windows.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_windows_system_hive", Proc: 495, Since: "1.35.26", Ret: RetString("path"),
		Args:    Args{Mountable("root")},
		Summary: "get the path of the SYSTEM hive of Windows",
		Help: `Returns the path of the file with HKEY_LOCAL_MACHINE\SYSTEM on {root}, for hivex_open.

Fails if there is none, or it is not Windows.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_windows_current_control_set", Proc: 496, Since: "1.9.17", Ret: RetString("controlset"),
		Args:    Args{Mountable("root")},
		Summary: "get the control set of Windows",
		Help: `Returns the name of the control set in use in the SYSTEM hive on {root}, such as ControlSet001.

Fails if there is none, or it is not Windows.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_is_live", Proc: 497, Since: "1.9.4", Ret: RetBool("live"),
		Args:       Args{Mountable("root")},
		Deprecated: "true",
		Summary:    "test whether a system runs from a medium",
		Help: `Returns true if {root} is a medium with a system on it that runs from there, without being installed.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_is_netinst", Proc: 498, Since: "1.9.4", Ret: RetBool("netinst"),
		Args:       Args{Mountable("root")},
		Deprecated: "true",
		Summary:    "test whether a medium installs from the network",
		Help: `Returns true if {root} is a medium that holds only the first stage of an installer: the rest comes from a
network.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_is_multipart", Proc: 499, Since: "1.9.4", Ret: RetBool("multipart"),
		Args:       Args{Mountable("root")},
		Deprecated: "true",
		Summary:    "test whether a medium is one of several",
		Help: `Returns true if {root} is a medium that is one of a set.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_mountpoints", Proc: 500, Since: "1.5.3", Ret: RetHash("mountpoints", Plain, MountableName),
		Args:    Args{Mountable("root")},
		Summary: "get the mount points of an operating system",
		Help: `Returns where the file systems of the system on {root} belong: each path with its mountable. / is {root} itself. The
others come from its fstab, its mount units, and the types of partitions; each path appears once. Mount them in the order of the length of the path, shortest first.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_filesystems", Proc: 501, Since: "1.5.3", Ret: RetMountables("filesystems"),
		Args:    Args{Mountable("root")},
		Summary: "get the file systems of an operating system",
		Help: `Returns all file systems of the system on {root}, swap space included.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_drive_mappings", Proc: 502, Since: "1.9.17", Ret: RetHash("drives", Plain, DeviceName),
		Args:    Args{Mountable("root")},
		Summary: "get the drive letters of Windows",
		Help: `Returns the drive letters and their devices in the Windows on {root}; nothing for other systems.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_build_id", Proc: 513, Since: "1.49.8", Ret: RetString("buildid"),
		Args:    Args{Mountable("root")},
		Summary: "get the build of an operating system",
		Help: `Returns the build of the system on {root}: the build number of Windows, or what os-release calls BUILD_ID. The result is unknown if that
cannot be determined.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_windows_group_policy", Proc: 521, Since: "1.57.6", Ret: RetBool("hasgrouppolicy"),
		Args:    Args{Mountable("root")},
		Summary: "test whether Windows has a group policy",
		Help: `Returns true if the Windows on {root} has a group policy, false for one without, and for other systems.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "inspect_get_osinfo", Since: "1.39.1", Ret: RetString("id"),
		Args:    Args{Mountable("root")},
		Summary: "get the name of an operating system in osinfo's database",
		Help: `Returns the short identifier that libosinfo's database has for the system on {root}, such as debian12,
fedora38, ubuntu22.04 or win10; unknown if there is none. It is composed of distribution and
version, and may be newer than the installed database.

Fails if {root} is not one of the roots that inspect_os returned.`},
	{Name: "internal_list_rpm_applications", Proc: 510, Since: "1.45.3", Library: "RPM", Ret: RetStructs("applications2", "application2"),
		Visibility: Internal,
		Summary:    "list the packages of RPM",
		Help:       `Returns the packages of the database of RPM in the mounted guest, for inspect_list_applications2.`},
	{Name: "inspect_list_applications2", Since: "1.19.56", Ret: RetStructs("applications2", "application2"),
		Args:    Args{Mountable("root")},
		Summary: "list installed packages",
		Help: `Returns the packages that are installed in the system on {root}, by name: those of dpkg, RPM, pacman and apk, and
the applications that Windows lists as removable. The list is empty for systems without packages. The file systems of the system must be mounted first, as
inspect_get_mountpoints shows. Fields that do not apply to a kind of package are empty.

Fails if {root} is not one of the roots that inspect_os returned, if the package database is damaged or
unreasonably large.`},
	{Name: "inspect_get_icon", Since: "1.11.12", Ret: RetBuffer("icon"),
		Args:    Args{Mountable("root")},
		Opts:    Args{Bool("favicon"), Bool("highquality")},
		Summary: "get the logo of an operating system",
		Help: `Returns the logo of the system on {root} as a PNG file, as the system itself stores it: for many Linux distributions
a file, for Windows XP and 7 a picture in its explorer. The result is empty if none is known or present. The file systems
of the system must be mounted first, as inspect_get_mountpoints shows. {favicon}, which is true if not given, allows
/etc/favicon.png; {highquality} leaves that and other small pictures out. The file comes from the guest: what shows
it must expect any content.

Fails if {root} is not one of the roots that inspect_os returned, or if the file is unreasonably large.`},
	{Name: "inspect_list_applications", Since: "1.7.8", Ret: RetStructs("applications", "application"),
		Args:       Args{Mountable("root")},
		Deprecated: "inspect_list_applications2",
		Summary:    "list installed packages, with less detail",
		Help:       `Does what inspect_list_applications2 does for {root}, without the architecture of packages.`},
}
