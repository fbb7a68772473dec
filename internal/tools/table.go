package tools

// Table is every tool.
var Table = []*Tool{
	{
		Name: "mount", Programs: []string{"guestmount"},
		Summary: "mount what is inside a disk image on the host",
		Synopsis: []string{
			"[options] IMAGE DIR",
			"[options] -a IMAGE -i DIR",
			"[options] -a IMAGE -m DEVICE[:PATH] … DIR",
			"[options] -d DOMAIN -i DIR",
		},
		New: newMount,
		Manual: []Section{
			{"DESCRIPTION", `Shows the file systems of a disk image at an empty directory of the host, where every program can work with them. No root is needed: the image is opened in a small virtual machine, and FUSE carries the files to the directory. DIR must belong to you.

 PROG disk.qcow2 /mnt
 PROG -w disk.qcow2 /mnt
 PROG -a disk.img -m /dev/sda2 -m /dev/sda1:/boot --ro /mnt
 PROG -d domain -i --ro /mnt

With IMAGE (or the name of a libvirt domain) and DIR, the image is only read, and its operating system is mounted, or its only file system; -w opens it for writing, and -m says what is mounted instead. Without IMAGE, disks are named by -a and -d, they are opened for writing unless --ro is given, and -i or -m must say what is mounted.

An image that is used by a running virtual machine must not be opened for writing: that destroys what is on it. Reading it is safe, though what is read may be older than what the machine sees.

PROG returns when the mount can be used, and goes on serving it in the background. Unmount it with guestunmount, which waits until everything has reached the image; fusermount3 -u and umount do not wait. A signal (SIGINT, SIGTERM) unmounts, too. If the virtual machine dies, the mount is taken away; what a process in the background has to say then goes to the system log.`, nil},
			{"FSTAB", `A line of /etc/fstab has the image, the directory, and the type fuse.guestmount. Options follow -o there, so the options of PROG that say what is opened and how may be written without their dashes among the others: mount=, format=, add=, domain=, key=, blocksize=, inspector, untrusted, dir-cache-timeout= and the rest. With rw, which is what "defaults" means, the image is opened for writing.

 /srv/disk.qcow2 /mnt fuse.guestmount ro,allow_other,noauto 0 0
 /srv/data.img /data fuse.guestmount rw,format=raw,mount=/dev/sda2,noauto,user 0 0

The same words serve in the maps of autofs:

 disk -fstype=fuse.guestmount,ro,allow_other :/srv/disk.qcow2`, nil},
			{"NOTES", `Only you see the mount, not even root does, unless -o allow_other is given. Users other than root may give it if /etc/fuse.conf has the line user_allow_other.

With --untrusted, an image from a stranger cannot make the virtual machine open other files of the host.`, nil},
			{"EXIT STATUS", "0 if the mount can be used, and with --no-fork if it has been unmounted and everything has reached the image; 1 if something failed; 128 plus the signal's number if a signal came before the mount could be used.", nil},
		},
	},
	{
		Name: "unmount", Programs: []string{"guestunmount"},
		Summary:  "unmount what guestmount has mounted",
		Synopsis: []string{"[options] DIR", "--fd=NUMBER [options] DIR"},
		New:      newUnmount,
		Manual: []Section{
			{"DESCRIPTION", `Unmounts DIR, and waits until the process that serves the mount has written everything to the image and released it. After that, the image can be used at once. If the process cannot write everything, PROG says so and fails. It waits for at most 5 minutes.

While a program uses the mount, PROG tries again after 1, 2, 4, 8 and 16 seconds. If it is in use even then, the error names the programs.

The mount of another program, such as that of libguestfs, is unmounted as well, but then nothing is waited for.`, nil},
			{"FOR PROGRAMS", `With --fd=NUMBER, PROG first waits until the pipe whose reading end has that number is closed at its other end. A program that holds the writing end, and lets no other process have it, can be sure that the directory is unmounted when it ends, for whatever reason. PROG stays in the foreground.

In a shell script a trap does the same:

 trap 'PROG DIR' EXIT`, nil},
			{"EXIT STATUS", "", [][2]string{
				{"0", "It is unmounted, and the image is released."},
				{"1", "The options are wrong, or the process that served the mount could not write everything, was killed, or has not released the image in time. The error says which."},
				{"2", "It could not be unmounted, even after trying again."},
				{"3", "Nothing is mounted there that PROG could unmount."},
			}},
		},
	},
}

const fuseHelp = `What may follow -o, separated by commas:

  ro, rw                 do not change the disks; open them for writing
  allow_other            let other users see the mount
  default_permissions    let the host check modes and owners of files
  uid=N, gid=N           show all files as those of this user, this group
  umask=MASK             show all files without these permission bits (octal)
  attr_timeout=SECONDS   how long the host may rely on attributes of files
  entry_timeout=SECONDS  how long it may rely on names
  negative_timeout=SECONDS
                         how long it may rely on names that are not there
  nodev, nosuid, noexec  as in mount(8); dev, suid and exec for root
  fsname=NAME            what lists of mounts show as mounted
  subtype=NAME           what they show as the type, after fuse.
  debug                  print every request of the host's kernel

Other options of FUSE (kernel_cache, use_ino, big_writes, …) and of fstab (user,
nofail, _netdev, …) are accepted; they change nothing here. What says which disks
are opened, and how, may be written here without dashes, for /etc/fstab:
mount=/dev/sda2, format=raw, key=all:file:/etc/key and so on.
`
