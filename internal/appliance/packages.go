package appliance

import (
	"path"
	"strings"
)

// builderVersion changes whenever the builder makes something else of the same
// packages; appliances of another version are then built again.
const builderVersion = 3

// want is something the appliance needs, and what it is needed for. Packages and
// the host are two ways to get it.
type want struct {
	names string // packages: alternatives, the best first, separated by |
	tools string // programs that must then be there, alternatives separated by |
	data  string // what --from host takes besides them: patterns, those without / at the start below the folders of libraries
}

// wants lists what the daemon's actions run, in all areas. What a group of actions cannot
// do without is in api.Groups.
var wants = []want{
	{"linux-image-amd64|linux-image-generic|linux-image-virtual", "", ""},

	// The system itself.
	{"coreutils", "cp mv rm du df dd tail head sort cut stat date base64 md5sum sha1sum sha224sum sha256sum sha384sum sha512sum cksum wc ls ln sync mktemp touch id env chroot sleep readlink basename dirname tr tee cat mkdir rmdir printf timeout truncate", "coreutils/libstdbuf.so"},
	{"bash", "bash", ""},
	{"dash", "sh", ""},
	{"util-linux", "wipefs fstrim blkdiscard blkid blockdev mkswap swapon swapoff swaplabel losetup lsblk findfs findmnt fallocate flock mkfs.minix fsck.minix mkfs.cramfs fsck.cramfs partx unshare setsid getopt", ""},
	{"util-linux-extra|util-linux", "hwclock", ""},
	{"mount", "mount umount", ""},
	{"bsdextrautils|bsdmainutils", "hexdump", ""},
	{"bsdutils", "renice", ""},
	{"kmod", "modprobe kmod insmod lsmod depmod", ""},
	{"libc-bin", "ldconfig iconv getent", "gconv/gconv-modules* gconv/UTF-16.so gconv/UTF-32.so gconv/UTF-7.so gconv/UNICODE.so gconv/ISO8859-1.so gconv/ISO8859-15.so gconv/CP1252.so gconv/IBM437.so gconv/IBM850.so libnss_files.so.2 libnss_dns.so.2 libgcc_s.so.1 /usr/lib/locale/C.utf8 /usr/lib/locale/C.UTF-8"},
	{"netbase", "", "/etc/protocols /etc/services"},
	{"debianutils", "which", ""},
	{"mawk|gawk", "awk", ""},
	{"grep", "grep egrep fgrep", ""},
	{"sed", "sed", ""},
	{"diffutils", "cmp diff", ""},
	{"findutils", "find xargs", ""},
	{"procps", "ps free kill sysctl", ""},
	{"psmisc", "fuser killall", ""},
	{"iproute2", "ip", "/etc/iproute2 /usr/share/iproute2"},
	{"openssh-client", "ssh", ""},
	{"ca-certificates", "", "/etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem"},
	{"openssl", "openssl", "ossl-modules/*.so engines-*/*.so /etc/ssl/openssl.cnf /etc/pki/tls/openssl.cnf"},

	// Partitions and file systems.
	{"fdisk", "sfdisk", ""},
	{"parted", "parted", ""},
	{"gdisk", "sgdisk", ""},
	{"e2fsprogs", "mke2fs mkfs.ext2 mkfs.ext3 mkfs.ext4 e2fsck fsck.ext4 tune2fs dumpe2fs debugfs resize2fs e2label e2image lsattr chattr mklost+found", "/etc/mke2fs.conf"},
	{"xfsprogs", "mkfs.xfs xfs_repair xfs_db xfs_io xfs_growfs xfs_admin xfs_info", "/usr/share/xfsprogs"},
	{"btrfs-progs", "btrfs mkfs.btrfs btrfstune btrfs-image", ""},
	{"ntfs-3g", "ntfs-3g ntfs-3g.probe ntfsfix ntfsresize ntfsclone ntfsinfo ntfslabel ntfscat ntfssecaudit mkntfs", "/usr/sbin/mount.ntfs* ntfs-3g/*"},
	{"dosfstools", "mkfs.vfat fsck.vfat fatlabel", ""},
	{"mtools", "mtools", ""},
	{"exfatprogs", "mkfs.exfat fsck.exfat tune.exfat", ""},
	{"f2fs-tools", "mkfs.f2fs fsck.f2fs resize.f2fs", ""},
	{"hfsprogs", "mkfs.hfsplus fsck.hfsplus", ""},
	{"jfsutils", "mkfs.jfs fsck.jfs jfs_tune", ""},
	{"reiserfsprogs", "mkreiserfs reiserfstune reiserfsck", ""},
	{"nilfs-tools", "mkfs.nilfs2 nilfs-tune", ""},
	{"udftools", "mkudffs udflabel", ""},
	{"squashfs-tools", "mksquashfs unsquashfs", ""},
	{"genisoimage", "isoinfo genisoimage", ""},
	{"xorriso", "xorriso", ""},
	{"zerofree", "zerofree", ""},
	{"scrub", "scrub", ""},

	// Volumes.
	{"lvm2", "lvm", "/etc/lvm/lvm.conf /etc/lvm/profile"},
	{"dmsetup", "dmsetup", ""},
	{"thin-provisioning-tools", "thin_check thin_dump thin_repair cache_check", ""},
	{"mdadm", "mdadm", ""},
	{"ldmtool", "ldmtool", ""},
	{"cryptsetup-bin", "cryptsetup veritysetup integritysetup", "cryptsetup/*.so"},
	{"clevis", "clevis", "/usr/bin/clevis-* /usr/libexec/clevis-*"},
	{"clevis-luks", "clevis-luks-unlock", ""},
	{"clevis-tpm2", "tpm2_unseal tpm2_load tpm2_flushcontext tpm2_createprimary tpm2_create tpm2_pcrread tpm2_createpolicy", "libtss2-tcti-device.so.0 libtss2-tcti-default.so"},
	{"luksmeta", "luksmeta", ""},
	{"jose", "jose", ""},
	{"curl", "curl", ""},

	// Boot loaders.
	{"extlinux", "extlinux", "/usr/lib/EXTLINUX/*.bin"},
	{"syslinux", "syslinux", "/usr/lib/SYSLINUX/*.bin"},
	{"syslinux-common", "", "/usr/lib/syslinux/modules/bios /usr/lib/syslinux/bios /usr/share/syslinux"},
	{"grub2-common", "grub-install|grub2-install grub-probe|grub2-probe grub-mkimage|grub2-mkimage grub-editenv|grub2-editenv grub-file|grub2-file", "/usr/share/grub/unicode.pf2 /usr/share/grub2/unicode.pf2"},
	{"grub-pc-bin", "", "/usr/lib/grub/i386-pc"},

	// Contents of files.
	{"tar", "tar", ""},
	{"cpio", "cpio", ""},
	{"gzip", "gzip gunzip zcat", ""},
	{"bzip2", "bzip2 bunzip2 bzcat", ""},
	{"xz-utils", "xz xzcat", ""},
	{"zstd", "zstd zstdcat", ""},
	{"lzop", "lzop", ""},
	{"lz4", "lz4", ""},
	{"ncompress", "uncompress", ""},
	{"rsync", "rsync", ""},
	{"file", "file", "/etc/magic /usr/share/misc/magic.mgc /usr/share/file/magic.mgc"},
	{"binutils", "strings", ""},
	{"attr", "getfattr setfattr", ""},
	{"acl", "getfacl setfacl", ""},
	{"libcap2-bin", "getcap setcap", ""},
	{"policycoreutils", "setfiles", ""},
	{"selinux-utils", "getenforce matchpathcon", ""},
	{"augeas-tools", "augtool", "libaugeas.so.0"},
	{"augeas-lenses", "", "/usr/share/augeas/lenses"},
	{"libhivex0", "", "libhivex.so.0"},
	{"libhivex-bin", "hivexsh hivexml hivexget", ""},
	{"librpm9|librpm10", "", "librpm.so.9 librpm.so.10"},
	{"rpm-common", "", "/usr/lib/rpm/rpmrc /usr/lib/rpm/macros /usr/lib/rpm/platform"},
	{"yara", "yara yarac", ""},
	{"sleuthkit", "icat blkls fls ifind ils istat fsstat", ""},
	{"libtsk19", "", "libtsk.so.19"},
	{"libsystemd0", "", "libsystemd.so.0"},
	{"systemd", "journalctl", ""},
	{"icoutils", "wrestool icotool", ""},
	{"netpbm", "bmptopnm pngtopnm pnmtopng pamcut", ""},
	{"db-util", "db_dump|db5.3_dump", ""},
	{"db5.3-util|db-util", "db_load|db5.3_load", ""},
	{"ncurses-base", "", "/etc/terminfo/d/dumb /lib/terminfo/d/dumb /usr/share/terminfo/d/dumb /etc/terminfo/l/linux /lib/terminfo/l/linux /usr/share/terminfo/l/linux"},
}

// unneeded packages would come as dependencies but nothing in the appliance uses
// them: there are no maintainer scripts, no services, no perl or python programs.
var unneeded = []string{
	"perl*", "lib*-perl", "libperl5*", "python3*", "libpython3*", "debconf*", "cdebconf*", "dpkg", "adduser", "passwd",
	"initramfs-tools*", "dracut*", "linux-initramfs-tool", "klibc-utils", "libklibc", "linux-base", "usrmerge", "usr-is-merged",
	"sysvinit-utils", "init-system-helpers", "lsb-base", "media-types", "cracklib-runtime", "libcrack2", "libpwquality*",
	"dmidecode", "tpm-udev", "udev", "base-files", "base-passwd", "init", "login", "hostname", "ncurses-bin", "*-microcode", "iucode-tool", "readline-common",
	"libx11-data", "libsemanage-common", "wireless-regdb", "linux-firmware*", "firmware-*", "gcc-*-base", "libgcc-*-base", "libgprofng*", "libnss-*", "apt", "gpgv",
}

// only limits what is taken from packages that are needed for a few of their files.
var only = map[string][]string{
	"systemd":                   {"usr/bin/journalctl", "usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared", "usr/lib/systemd/libsystemd-shared"},
	"binutils":                  {"usr/bin/strings"},
	"binutils-x86-64-linux-gnu": {"usr/bin/x86_64-linux-gnu-strings"},
	"netpbm":                    {"usr/bin/bmptopnm", "usr/bin/winicontoppm", "usr/bin/pngtopam", "usr/bin/pngtopnm", "usr/bin/pnmtopng", "usr/bin/jpegtopnm", "usr/bin/pamcut", "usr/bin/pamtopng", "usr/bin/pamscale", "usr/bin/pnmscale"},
	"icoutils":                  {"usr/bin/wrestool", "usr/bin/icotool"},
	"ncurses-base":              {"lib/terminfo/d/dumb", "lib/terminfo/l/linux", "usr/share/terminfo/d/dumb", "usr/share/terminfo/l/linux"},
	"openssl":                   {"usr/bin/openssl", "etc/ssl/openssl.cnf", "usr/lib/ssl/"},
	"openssh-client":            {"usr/bin/ssh", "usr/bin/scp", "usr/bin/sftp", "etc/ssh/"},
	"rpm-common":                {"usr/lib/rpm/macros", "usr/lib/rpm/rpmrc", "usr/lib/rpm/platform/x86_64-linux"},
	"fuse3":                     {"bin/fusermount3", "usr/bin/fusermount3"},
	"grub-common":               {"usr/bin/grub-mk", "usr/bin/grub-fstest", "usr/sbin/grub-probe", "usr/bin/grub-file", "usr/bin/grub-editenv", "usr/sbin/grub-mkdevicemap", "usr/share/grub/unicode.pf2"},
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
	"usr/lib/x86_64-linux-gnu/e2initrd_helper", "usr/lib/x86_64-linux-gnu/systemd/libsystemd-core-*", "usr/lib/x86_64-linux-gnu/libgprofng*", "usr/lib/x86_64-linux-gnu/libctf*",
	"usr/lib/syslinux/modules/efi*", "usr/lib/SYSLINUX.EFI/", "usr/lib/PXELINUX/", "usr/lib/valgrind/", "usr/share/grub/", "usr/lib/x86_64-linux-gnu/audit/",
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
