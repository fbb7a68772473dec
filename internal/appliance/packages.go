package appliance

import (
	"path"
	"strings"
)

// builderVersion changes whenever the builder makes something else of the same
// packages; appliances of another version are then built again.
const builderVersion = 1

// want is a package that the appliance needs, and what it is needed for.
type want struct {
	names  string // alternatives, the best first, separated by |
	groups string // optional groups (actions.jsonl) that are off without it
	tools  string // programs that must then be there; also what --from host gathers
}

// wants lists what the daemon's actions run, in all areas and groups.
var wants = []want{
	{"linux-image-amd64|linux-image-generic|linux-image-virtual", "", ""},

	// The system itself.
	{"coreutils", "", "cp mv rm du df dd tail head sort cut stat date base64 md5sum sha1sum sha224sum sha256sum sha384sum sha512sum cksum wc ls ln sync mktemp touch id env chroot sleep readlink basename dirname tr tee cat mkdir rmdir printf timeout truncate"},
	{"bash", "", "bash"},
	{"dash", "", "dash"},
	{"util-linux", "linuxfsuuid wipefs fstrim blkdiscard blkdiscardzeroes", "blkid blockdev wipefs fstrim blkdiscard mkswap swapon swapoff swaplabel losetup lsblk findfs findmnt fallocate flock mkfs.minix fsck.minix mkfs.cramfs fsck.cramfs partx unshare setsid getopt"},
	{"util-linux-extra|util-linux", "", "hwclock"},
	{"mount", "", "mount umount"},
	{"bsdextrautils|bsdmainutils", "", "hexdump"},
	{"bsdutils", "", "renice"},
	{"kmod", "linuxmodules", "kmod modprobe insmod lsmod depmod"},
	{"libc-bin", "", "ldconfig iconv getent"},
	{"debianutils", "", "which.debianutils"},
	{"mawk|gawk", "", ""},
	{"grep", "", "grep egrep fgrep"},
	{"sed", "", "sed"},
	{"diffutils", "", "cmp diff"},
	{"findutils", "", "find xargs"},
	{"procps", "", "ps free kill sysctl"},
	{"psmisc", "", "fuser killall"},
	{"iproute2", "", "ip"},
	{"isc-dhcp-client|dhcpcd-base|udhcpc", "", ""},
	{"openssh-client", "", "ssh"},
	{"ca-certificates", "", ""},

	// Partitions and file systems.
	{"fdisk", "", "sfdisk"},
	{"parted", "", "parted"},
	{"gdisk", "gdisk", "sgdisk"},
	{"e2fsprogs", "", "mke2fs mkfs.ext2 mkfs.ext3 mkfs.ext4 e2fsck fsck.ext4 tune2fs dumpe2fs debugfs resize2fs e2label e2image lsattr chattr mklost+found"},
	{"xfsprogs", "xfs", "mkfs.xfs xfs_repair xfs_db xfs_io xfs_growfs"},
	{"xfsprogs", "xfs", "xfs_admin xfs_info"},
	{"btrfs-progs", "btrfs", "btrfs mkfs.btrfs btrfstune btrfs-image"},
	{"ntfs-3g", "ntfs3g ntfsprogs", "ntfs-3g ntfs-3g.probe ntfsfix ntfsresize ntfsclone ntfsinfo ntfslabel ntfscat mkntfs"},
	{"dosfstools", "", "mkfs.vfat fsck.vfat fatlabel"},
	{"mtools", "", "mtools"},
	{"exfatprogs", "", "mkfs.exfat fsck.exfat tune.exfat"},
	{"f2fs-tools", "f2fs", "mkfs.f2fs fsck.f2fs resize.f2fs"},
	{"hfsprogs", "", "mkfs.hfsplus fsck.hfsplus"},
	{"jfsutils", "", "mkfs.jfs fsck.jfs jfs_tune"},
	{"reiserfsprogs", "", "mkreiserfs reiserfstune reiserfsck"},
	{"nilfs-tools", "", "mkfs.nilfs2 nilfs-tune"},
	{"udftools", "", "mkudffs udflabel"},
	{"squashfs-tools", "squashfs", "mksquashfs unsquashfs"},
	{"genisoimage", "", "isoinfo genisoimage"},
	{"xorriso", "", "xorriso"},
	{"zerofree", "zerofree", "zerofree"},
	{"scrub", "scrub", "scrub"},

	// Volumes.
	{"lvm2", "lvm2", "lvm"},
	{"dmsetup", "", "dmsetup"},
	{"thin-provisioning-tools", "", "thin_check thin_dump thin_repair cache_check"},
	{"mdadm", "mdadm", "mdadm"},
	{"ldmtool", "ldm", "ldmtool"},
	{"cryptsetup-bin", "luks", "cryptsetup veritysetup integritysetup"},
	{"clevis", "clevisluks", "clevis"},
	{"clevis-luks", "clevisluks", "clevis-luks-unlock"},
	{"clevis-tpm2", "", "tpm2_unseal"},
	{"luksmeta", "clevisluks", "luksmeta"},
	{"jose", "clevisluks", "jose"},
	{"curl", "clevisluks", "curl"},

	// Boot loaders.
	{"extlinux", "extlinux", "extlinux"},
	{"syslinux", "syslinux", "syslinux"},
	{"grub2-common", "grub", "grub-install"},
	{"grub-pc-bin", "grub", ""},

	// Contents of files.
	{"tar", "", "tar"},
	{"cpio", "", "cpio"},
	{"gzip", "", "gzip gunzip zcat"},
	{"bzip2", "", "bzip2 bunzip2 bzcat"},
	{"xz-utils", "xz", "xz xzcat"},
	{"zstd", "", "zstd zstdcat"},
	{"lzop", "", "lzop"},
	{"lz4", "", "lz4"},
	{"ncompress", "", ""},
	{"rsync", "rsync", "rsync"},
	{"file", "", "file"},
	{"binutils", "", "strings"},
	{"attr", "linuxxattrs", "getfattr setfattr"},
	{"acl", "acl", "getfacl setfacl"},
	{"libcap2-bin", "linuxcaps", "getcap setcap"},
	{"policycoreutils", "selinuxrelabel", "setfiles"},
	{"selinux-utils", "selinux", "getenforce matchpathcon"},
	{"augeas-tools", "augeas", "augtool"},
	{"augeas-lenses", "augeas", ""},
	{"libhivex-bin", "hivex", "hivexsh hivexml hivexget"},
	{"yara", "libyara", "yara yarac"},
	{"sleuthkit", "sleuthkit libtsk", "icat fls blkls ifind ils istat fsstat"},
	{"systemd", "journal", "journalctl"},
	{"icoutils", "", "wrestool icotool"},
	{"netpbm", "", "bmptopnm pngtopnm pnmtopng pamcut"},
	{"db-util", "", ""},
	{"db5.3-util|db-util", "", "db5.3_dump"},
}

// unneeded packages would come as dependencies but nothing in the appliance uses
// them: there are no maintainer scripts, no services, no perl or python programs.
var unneeded = []string{
	"perl*", "lib*-perl", "libperl5*", "python3*", "libpython3*", "debconf*", "cdebconf*", "dpkg", "adduser", "passwd",
	"initramfs-tools*", "dracut*", "linux-initramfs-tool", "klibc-utils", "libklibc", "linux-base", "usrmerge", "usr-is-merged",
	"sysvinit-utils", "init-system-helpers", "lsb-base", "media-types", "cracklib-runtime", "libcrack2", "libpwquality*",
	"dmidecode", "tpm-udev", "udev", "base-files", "base-passwd", "init", "login", "hostname", "ncurses-base", "ncurses-bin", "readline-common",
	"libx11-data", "libsemanage-common", "wireless-regdb", "linux-firmware", "gcc-*-base", "libgcc-*-base", "libgprofng*", "libnss-*", "apt", "gpgv",
}

// only limits what is taken from a package that is wanted for a few of its files.
var only = map[string][]string{
	"systemd":                   {"usr/bin/journalctl", "usr/lib/x86_64-linux-gnu/systemd/"},
	"binutils":                  {"usr/bin/strings"},
	"binutils-x86-64-linux-gnu": {"usr/bin/x86_64-linux-gnu-strings"},
	"netpbm":                    {"usr/bin/bmptopnm", "usr/bin/winicontoppm", "usr/bin/pngtopam", "usr/bin/pngtopnm", "usr/bin/pnmtopng", "usr/bin/jpegtopnm", "usr/bin/pamcut", "usr/bin/pamtopng", "usr/bin/pamscale", "usr/bin/pnmscale"},
	"icoutils":                  {"usr/bin/wrestool", "usr/bin/icotool"},
	"openssl":                   {"usr/bin/openssl", "etc/ssl/openssl.cnf", "usr/lib/ssl/"},
	"openssh-client":            {"usr/bin/ssh", "usr/bin/scp", "usr/bin/sftp", "etc/ssh/"},
	"fuse3":                     {"bin/fusermount3", "usr/bin/fusermount3"},
	"grub-common":               {"usr/bin/grub-mk", "usr/bin/grub-fstest", "usr/sbin/grub-probe", "usr/bin/grub-file", "usr/bin/grub-editenv", "usr/sbin/grub-mkdevicemap"},
	"sleuthkit":                 {"usr/bin/icat", "usr/bin/fls", "usr/bin/blkls", "usr/bin/blkcat", "usr/bin/ifind", "usr/bin/ffind", "usr/bin/ils", "usr/bin/istat", "usr/bin/fsstat", "usr/bin/mmls", "usr/bin/img_stat"},
	"libc-bin":                  {"sbin/ldconfig", "usr/sbin/ldconfig", "usr/bin/iconv", "usr/bin/getent", "usr/bin/ldd", "etc/", "usr/lib/locale/C"},
}

// pruned paths are never unpacked, whatever package they are in. A name that ends
// in / is a folder with all below; others are patterns of path.Match.
var pruned = []string{
	"usr/share/doc/", "usr/share/man/", "usr/share/info/", "usr/share/locale/", "usr/share/lintian/", "usr/share/bug/",
	"usr/share/bash-completion/", "usr/share/zsh/", "usr/share/fish/", "usr/share/doc-base/", "usr/share/menu/", "usr/share/applications/",
	"usr/share/pixmaps/", "usr/share/icons/", "usr/share/metainfo/", "usr/share/mime/", "usr/share/gdb/", "usr/share/initramfs-tools/",
	"usr/share/perl/", "usr/share/perl5/", "usr/share/python3/", "usr/share/pam/", "usr/share/pam-configs/", "usr/share/polkit-1/",
	"usr/share/X11/", "usr/share/reportbug/", "usr/share/vim/", "usr/share/emacs/", "usr/share/awk/", "usr/share/gettext/", "usr/share/common-licenses/",
	"usr/share/debconf/", "usr/share/dict/", "usr/share/i18n/", "usr/share/apport/", "usr/share/dbus-1/", "usr/share/glib-2.0/",
	"usr/share/libgcrypt20/", "usr/share/readline/", "usr/share/tabset/", "usr/share/base-files/", "usr/share/keyutils/",
	"usr/src/", "usr/include/", "usr/games/", "boot/System.map-*", "boot/config-*", "boot/initrd*",
	"usr/lib/python3/", "usr/lib/python3.*", "usr/lib/klibc/", "usr/lib/udev/", "usr/lib/systemd/", "usr/lib/initramfs-tools/", "usr/lib/init/",
	"usr/lib/modules-load.d/", "usr/lib/sysctl.d/", "usr/lib/tmpfiles.d/", "usr/lib/sysusers.d/", "usr/lib/pm-utils/", "usr/lib/pkgconfig/", "usr/lib/bfd-plugins/",
	"usr/lib/debug/", "usr/lib/dracut/", "usr/lib/lintian/", "usr/lib/mime/", "usr/lib/firmware/", "usr/lib/tc/", "usr/lib/apt/",
	"usr/lib/x86_64-linux-gnu/perl*", "usr/lib/x86_64-linux-gnu/pkgconfig/", "usr/lib/x86_64-linux-gnu/security/", "usr/lib/x86_64-linux-gnu/bfd-plugins/",
	"usr/lib/x86_64-linux-gnu/libicutest*", "usr/lib/x86_64-linux-gnu/libicutu*", "usr/lib/x86_64-linux-gnu/libicuio*", "usr/lib/x86_64-linux-gnu/libicui18n*",
	"usr/lib/x86_64-linux-gnu/e2initrd_helper", "usr/lib/x86_64-linux-gnu/libgprofng*", "usr/lib/x86_64-linux-gnu/libctf*",
	"usr/lib/syslinux/", "usr/lib/SYSLINUX/", "usr/lib/valgrind/", "usr/share/syslinux/", "usr/share/grub/", "usr/lib/x86_64-linux-gnu/audit/",
	"usr/bin/python3*", "usr/bin/perl*", "usr/bin/systemd-*", "usr/bin/grub-mkrescue", "usr/bin/tpm2_*", "usr/bin/tss2_*",
	"usr/sbin/xfs_scrub*", "usr/lib/x86_64-linux-gnu/tc/", "usr/lib/ssl/misc/", "etc/rmt",
	"etc/init.d/", "etc/cron*", "etc/default/", "etc/logrotate.d/", "etc/apt/", "etc/dpkg/", "etc/kernel/", "etc/initramfs-tools/", "etc/pam.d/",
	"etc/systemd/", "etc/udev/", "etc/grub.d/", "etc/bash_completion.d/", "etc/alternatives/", "etc/rc*.d/", "etc/skel/", "etc/network/", "etc/perl/", "etc/python3*",
	"etc/X11/", "etc/security/", "etc/runit/", "etc/sv/", "etc/update-motd.d/", "etc/dbus-1/", "etc/modprobe.d/", "etc/modules-load.d/",
	"var/", "run/", "usr/local/", "home/", "srv/", "media/", "mnt/", "opt/",
}

// exempt paths are taken although pruned matches them.
var exempt = []string{
	"usr/bin/tpm2_unseal", "usr/bin/tpm2_load", "usr/bin/tpm2_flushcontext", "usr/bin/tpm2_createprimary", "usr/bin/tpm2_create",
	"usr/bin/tpm2_pcrread", "usr/bin/tpm2_createpolicy", "usr/bin/tpm2", "usr/bin/tpm2_policypcr", "usr/bin/tpm2_startauthsession",
	"usr/lib/tmpfiles.d/lvm2.conf",
}

// keptCharsets of the C library's conversions; the others are 8 MB of their own.
var keptCharsets = []string{"UTF-16", "UTF-32", "UTF-7", "UNICODE", "ISO8859-1", "ISO8859-15", "CP1252", "IBM437", "IBM850", "CP437", "CP850", "gconv-modules"}

// selectFile decides whether a file of a package is unpacked. Its name is relative
// and has bin, sbin and lib already moved below usr.
func selectFile(pkg, name string) bool {
	if l, ok := only[pkg]; ok {
		for _, p := range l {
			if p = movedToUsr(p); strings.HasPrefix(name, p) || strings.HasPrefix(p, name+"/") {
				return true
			}
		}
		return false
	}
	if dir, base := path.Split(name); strings.HasSuffix(dir, "/gconv/") {
		stem := strings.TrimSuffix(base, ".so")
		for _, c := range keptCharsets {
			if stem == c || strings.HasPrefix(base, "gconv-modules") {
				return true
			}
		}
		return false
	}
	if strings.HasSuffix(name, ".a") || strings.HasSuffix(name, ".la") || strings.HasSuffix(name, ".pyc") || strings.HasSuffix(name, ".o") {
		return false
	}
	for _, p := range exempt {
		if name == p || strings.HasPrefix(p, name+"/") {
			return true
		}
	}
	for _, p := range pruned {
		if strings.HasSuffix(p, "/") {
			if strings.HasPrefix(name+"/", p) {
				return false
			}
		} else if matchPrefix(p, name) {
			return false
		}
	}
	return true
}

// matchPrefix reports whether the pattern matches name or a folder above it.
func matchPrefix(pattern, name string) bool {
	n := strings.Count(pattern, "/") + 1
	parts := strings.SplitN(name, "/", n+1)
	if len(parts) < n {
		return false
	}
	ok, _ := path.Match(pattern, strings.Join(parts[:n], "/"))
	return ok
}

// movedToUsr is where a path lies once /bin, /sbin, /lib* are links into /usr.
func movedToUsr(name string) string {
	top, _, _ := strings.Cut(name, "/")
	switch top {
	case "bin", "sbin", "lib", "lib64", "lib32", "libx32":
		return "usr/" + name
	}
	return name
}

func isUnneeded(pkg string) bool {
	for _, w := range wants {
		for _, n := range strings.Split(w.names, "|") {
			if n == pkg {
				return false
			}
		}
	}
	for _, p := range unneeded {
		if ok, _ := path.Match(p, pkg); ok {
			return true
		}
	}
	return false
}
