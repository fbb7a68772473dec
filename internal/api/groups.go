package api

// Group is an optional group of actions, with what they need. The builder of
// an appliance provides it; the daemon uses it to answer whether they work.
type Group struct {
	Tools      []string // programs, alternatives separated by |
	Files      []string // patterns of files, those without a slash at the start below the folders of libraries
	FileSystem string   // of the kernel
	Kernel     string   // a file that exists if the kernel supports it
	Library    string   // a library server
}

// Groups has every optional group by its name. One that needs nothing works with any kernel.
var Groups = map[string]Group{
	"acl":              {},
	"blkdiscard":       {Tools: []string{"blkdiscard"}},
	"blkdiscardzeroes": {Tools: []string{"blkdiscard"}},
	"btrfs":            {Tools: []string{"btrfs", "mkfs.btrfs", "btrfstune"}, FileSystem: "btrfs"},
	"clevisluks":       {Tools: []string{"clevis", "clevis-luks-unlock", "luksmeta", "jose", "curl"}},
	"extlinux":         {Tools: []string{"extlinux"}},
	"f2fs":             {Tools: []string{"resize.f2fs"}},
	"fstrim":           {Tools: []string{"fstrim"}},
	"gdisk":            {Tools: []string{"sgdisk"}},
	"grub":             {Tools: []string{"grub-install|grub2-install"}, Files: []string{"/usr/lib/grub/i386-pc"}},
	"hivex":            {Files: []string{"libhivex.so.0"}, Library: "hivex"},
	"inotify":          {},
	"journal":          {Files: []string{"libsystemd.so.0"}, Library: "journal"},
	"ldm":              {Tools: []string{"ldmtool"}},
	"libtsk":           {Files: []string{"libtsk.so.19"}, Library: "tsk"},
	"libyara":          {Tools: []string{"yara"}},
	"linuxcaps":        {Tools: []string{"setcap"}},
	"linuxfsuuid":      {},
	"linuxmodules":     {Tools: []string{"modprobe"}, Kernel: "/proc/modules"},
	"linuxxattrs":      {},
	"luks":             {Tools: []string{"cryptsetup"}},
	"lvm2":             {Tools: []string{"lvm"}},
	"mdadm":            {Tools: []string{"mdadm"}},
	"mknod":            {},
	"ntfs3g":           {Tools: []string{"ntfs-3g", "ntfs-3g.probe"}},
	"ntfsprogs":        {Tools: []string{"ntfsfix", "ntfsresize", "ntfsclone", "ntfsinfo", "ntfslabel", "ntfscat", "mkntfs"}},
	"rsync":            {Tools: []string{"rsync"}},
	"scrub":            {Tools: []string{"scrub"}},
	"selinux":          {Kernel: "/sys/fs/selinux/load"},
	"selinuxrelabel":   {Tools: []string{"setfiles"}},
	"sleuthkit":        {Tools: []string{"icat", "blkls"}},
	"squashfs":         {Tools: []string{"mksquashfs", "unsquashfs"}},
	"syslinux":         {Tools: []string{"syslinux"}},
	"wipefs":           {Tools: []string{"wipefs"}},
	"xfs":              {Tools: []string{"mkfs.xfs", "xfs_repair", "xfs_db", "xfs_io", "xfs_growfs"}, FileSystem: "xfs"},
	"xz":               {Tools: []string{"xz"}},
	"zerofree":         {Tools: []string{"zerofree"}},
	"augeas":           {Files: []string{"/usr/share/augeas/lenses"}}, // libguestfs retired it and answers yes
	"realpath":         {},                                            // the same
}
