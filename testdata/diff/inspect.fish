# Linux guests: Debian on LVM, Fedora on a whole disk, Ubuntu in btrfs subvolumes,
# Alpine, Arch, an unknown one like Debian, and a volume that is broken.
sparse a.img 300M
sparse b.img 60M
sparse c.img 200M
sparse d.img 200M
run
part-init /dev/sda gpt
part-add /dev/sda p 2048 100000
part-add /dev/sda p 102400 600000
pvcreate /dev/sda2
vgcreate vg /dev/sda2
lvcreate root vg 64
lvcreate home vg 32
lvcreate swap vg 32
mkfs ext4 /dev/sda1 label:BOOT
mkfs ext4 /dev/vg/root
mkfs ext2 /dev/vg/home
mkswap /dev/vg/swap
set-uuid /dev/sda1 11111111-1111-4111-8111-111111111111
mkfs ext4 /dev/sdb
set-uuid /dev/sdb 22222222-2222-4222-8222-222222222222
mkfs btrfs /dev/sdc
part-init /dev/sdd mbr
part-add /dev/sdd p 2048 80000
part-add /dev/sdd p 81920 160000
part-add /dev/sdd p 161792 240000
part-add /dev/sdd p 241664 400000
mkfs ext4 /dev/sdd1
mkfs ext4 /dev/sdd2
mkfs ext4 /dev/sdd3
mkfs ext4 /dev/sdd4
# What says that it is a file system, and cannot be mounted.
pwrite-device /dev/sdd4 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" 1024 | cat >/dev/null
debug sh "dd if=/dev/urandom of=/dev/sdd4 bs=1k seek=2 count=2000 2>/dev/null" | cat >/dev/null
mount /dev/vg/root /
mkdir /etc
mkdir-p /usr/bin
ln-s usr/bin /bin
upload /bin/true /usr/bin/ls
mkdir /home
mkdir /boot
write /etc/os-release "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"\nID=debian\n"
write /etc/debian_version "12.5\n"
write /etc/hostname "deb.example.org\n"
write /etc/fstab "# comment\n/dev/mapper/vg-root / ext4 errors=remount-ro 0 1\nUUID=11111111-1111-4111-8111-111111111111 /boot ext4 defaults 0 2\n/dev/vg/home /home/ ext2 defaults 0 2\n/dev/mapper/vg-swap none swap sw 0 0\n/dev/sr0 /media/cdrom0 udf,iso9660 user,noauto 0 0\nproc /proc proc defaults 0 0\n/dev/nowhere1 /nowhere ext4 defaults 0 0\n"
mkdir-p /var/lib/dpkg
write /var/lib/dpkg/status "Package: zlib1g\nStatus: install ok installed\nPriority: optional\nArchitecture: amd64\nSource: zlib (1.2.13)\nVersion: 1:1.2.13.dfsg-1\nHomepage: http://zlib.net/\nDescription: compression library\n zlib is a library.\n .\n More of it.\nTag: x\n\nPackage: adduser\nStatus: install ok installed\nArchitecture: all\nVersion: 3.134\nDescription: add and remove users\n\nPackage: gone\nStatus: deinstall ok config-files\nArchitecture: all\nVersion: 1.0-2\n\nPackage: dashes\nStatus: install ok installed\nArchitecture: arm64\nVersion: 1.2-3-4\nDescription: two dashes\n\nPackage: held\nStatus: hold ok installed\nVersion: 2\nDescription: held\n\nPackage: half\nStatus: install ok half-configured\nVersion: 2\nDescription: half\n\n"
umount-all
mount /dev/sdb /
mkdir /etc
mkdir /bin
upload /bin/true /bin/ls
write /etc/os-release "NAME=\"Fedora Linux\"\nVERSION=\"38 (Server Edition)\"\nID=fedora\nVERSION_ID=38\nPRETTY_NAME='Fedora Linux 38 (Server Edition)'\nVARIANT_ID=server\n"
write /etc/redhat-release "Fedora release 38 (Thirty Eight)\n"
write /etc/hostname "# comment\n\nfed\n"
write /etc/fstab "/dev/disk/by-uuid/22222222-2222-4222-8222-222222222222 / ext4 defaults 1 1\nLABEL=BOOT /boot ext4 defaults 1 2\n/dev/sda1 /one ext4 defaults 0 0\n/dev/vdd1 /two ext4 defaults 0 0\n/dev/hdd2 /three ext4 defaults 0 0\n/dev/cciss/c0d3p1 /four ext4 defaults 0 0\n/dev/xvdd3 /with\\040blank ext4 defaults 0 0\n"
umount-all
mount /dev/sdc /
btrfs-subvolume-create /@
btrfs-subvolume-create /@home
mkdir /@/etc
mkdir /@/bin
upload /bin/true /@/bin/ls
write /@/etc/lsb-release "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=22.04\nDISTRIB_CODENAME=jammy\nDISTRIB_DESCRIPTION=\"Ubuntu 22.04.3 LTS\"\n"
write /@/etc/hostname "ub\n"
write /@/etc/fstab "/dev/sdc / btrfs defaults,subvol=@ 0 1\n/dev/sdc /home btrfs defaults,subvol=@home 0 2\n"
umount-all
mount /dev/sdd1 /
mkdir /etc
mkdir /bin
upload /bin/true /bin/ls
write /etc/alpine-release "3.18.4\n"
write /etc/os-release "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.18.4\nPRETTY_NAME=\"Alpine Linux v3.18\"\n"
write /etc/hostname "localhost"
write /etc/fstab "PARTUUID=none / ext4 rw 0 1\n"
mkdir-p /lib/apk/db
write /lib/apk/db/installed "C:Q1abc=\nP:musl\nV:1.2.4-r2\nA:x86_64\nS:383459\nI:622592\nT:the musl c library (libc) implementation\nU:https://musl.libc.org/\nL:MIT\no:musl\nm:Timo <t@example.org>\nF:lib\nR:ld-musl-x86_64.so.1\n\nC:Q1def=\nP:busybox\nV:1.36.1-r2\nA:x86_64\nT:Size optimized toolbox\nU:https://busybox.net/\no:busybox\nm:Somebody\n\n"
umount-all
mount /dev/sdd2 /
mkdir /etc
mkdir /bin
upload /bin/true /bin/ls
write /etc/os-release "NAME=\"Arch Linux\"\nPRETTY_NAME=\"Arch Linux\"\nID=arch\nBUILD_ID=rolling\n"
write /etc/fstab "\n"
mkdir-p /var/lib/pacman/local/zsh-5.9-4
mkdir-p /var/lib/pacman/local/bash-1:5.2-1
write /var/lib/pacman/local/zsh-5.9-4/desc "%NAME%\nzsh\n\n%VERSION%\n5.9-4\n\n%BASE%\nzsh\n\n%DESC%\nA shell\n\n%URL%\nhttps://www.zsh.org/\n\n%ARCH%\nx86_64\n\n%PACKAGER%\nSomebody <a@b>\n"
write "/var/lib/pacman/local/bash-1:5.2-1/desc" "%NAME%\nbash\n\n%VERSION%\n1:5.2-1\n\n%DESC%\nThe GNU shell\n\n%ARCH%\nx86_64\n\n%URL%\nhttp://x/\n"
umount-all
mount /dev/sdd3 /
mkdir /etc
mkdir /bin
upload /bin/true /bin/ls
write /etc/os-release "NAME=\"Odd\"\nPRETTY_NAME=\"Odd OS 3.2\"\nID=odd\nID_LIKE=\"foo debian\"\nVERSION_ID=3.2\n"
write /etc/fstab "\n"
write /etc/HOSTNAME "odd\n"
umount-all
-inspect-get-type /dev/sdb
-inspect-get-roots
inspect-os
inspect-get-roots
echo --- /dev/vg/root
-inspect-get-type /dev/vg/root
-inspect-get-distro /dev/vg/root
-inspect-get-product-name /dev/vg/root
-inspect-get-product-variant /dev/vg/root
-inspect-get-major-version /dev/vg/root
-inspect-get-minor-version /dev/vg/root
-inspect-get-arch /dev/vg/root
-inspect-get-hostname /dev/vg/root
-inspect-get-package-format /dev/vg/root
-inspect-get-package-management /dev/vg/root
-inspect-get-format /dev/vg/root
-inspect-get-mountpoints /dev/vg/root
-inspect-get-filesystems /dev/vg/root
-inspect-get-drive-mappings /dev/vg/root
-inspect-get-osinfo /dev/vg/root
echo --- /dev/sdb
-inspect-get-type /dev/sdb
-inspect-get-distro /dev/sdb
-inspect-get-product-name /dev/sdb
-inspect-get-product-variant /dev/sdb
-inspect-get-major-version /dev/sdb
-inspect-get-minor-version /dev/sdb
-inspect-get-arch /dev/sdb
-inspect-get-hostname /dev/sdb
-inspect-get-package-format /dev/sdb
-inspect-get-package-management /dev/sdb
-inspect-get-format /dev/sdb
inspect-get-mountpoints /dev/sdb | grep -v -E "^(/:|/four|/with)"
-inspect-get-drive-mappings /dev/sdb
-inspect-get-osinfo /dev/sdb
echo --- btrfsvol:/dev/sdc/@
-inspect-get-type btrfsvol:/dev/sdc/@
-inspect-get-distro btrfsvol:/dev/sdc/@
-inspect-get-product-name btrfsvol:/dev/sdc/@
-inspect-get-product-variant btrfsvol:/dev/sdc/@
-inspect-get-major-version btrfsvol:/dev/sdc/@
-inspect-get-minor-version btrfsvol:/dev/sdc/@
-inspect-get-arch btrfsvol:/dev/sdc/@
-inspect-get-hostname btrfsvol:/dev/sdc/@
-inspect-get-package-format btrfsvol:/dev/sdc/@
-inspect-get-package-management btrfsvol:/dev/sdc/@
-inspect-get-format btrfsvol:/dev/sdc/@
-inspect-get-mountpoints btrfsvol:/dev/sdc/@
-inspect-get-filesystems btrfsvol:/dev/sdc/@
-inspect-get-drive-mappings btrfsvol:/dev/sdc/@
-inspect-get-osinfo btrfsvol:/dev/sdc/@
echo --- /dev/sdd1
-inspect-get-type /dev/sdd1
-inspect-get-distro /dev/sdd1
-inspect-get-product-name /dev/sdd1
-inspect-get-product-variant /dev/sdd1
-inspect-get-major-version /dev/sdd1
-inspect-get-minor-version /dev/sdd1
-inspect-get-arch /dev/sdd1
-inspect-get-hostname /dev/sdd1
-inspect-get-package-format /dev/sdd1
-inspect-get-package-management /dev/sdd1
-inspect-get-format /dev/sdd1
-inspect-get-mountpoints /dev/sdd1
-inspect-get-filesystems /dev/sdd1
-inspect-get-drive-mappings /dev/sdd1
-inspect-get-osinfo /dev/sdd1
echo --- /dev/sdd2
-inspect-get-type /dev/sdd2
-inspect-get-distro /dev/sdd2
-inspect-get-product-name /dev/sdd2
-inspect-get-product-variant /dev/sdd2
-inspect-get-major-version /dev/sdd2
-inspect-get-minor-version /dev/sdd2
-inspect-get-arch /dev/sdd2
-inspect-get-hostname /dev/sdd2
-inspect-get-package-format /dev/sdd2
-inspect-get-package-management /dev/sdd2
-inspect-get-format /dev/sdd2
-inspect-get-mountpoints /dev/sdd2
-inspect-get-filesystems /dev/sdd2
-inspect-get-drive-mappings /dev/sdd2
-inspect-get-osinfo /dev/sdd2
echo --- others
-inspect-get-type /dev/sda1
-inspect-get-windows-systemroot /dev/sdb
-inspect-get-windows-current-control-set /dev/sdb
-inspect-is-live /dev/sdb
-inspect-is-netinst /dev/sdb
-inspect-is-multipart /dev/sdb
echo --- applications
mount-ro /dev/vg/root /
inspect-list-applications2 /dev/vg/root
inspect-list-applications /dev/vg/root
umount-all
mount-ro /dev/sdd1 /
inspect-list-applications2 /dev/sdd1
umount-all
mount-ro /dev/sdd2 /
inspect-list-applications2 /dev/sdd2
umount-all
-inspect-list-applications2 /dev/sda1
