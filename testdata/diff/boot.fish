# NTFS images, squashfs, scrubbing, F2FS and boot loaders
sparse a.img 100M
sparse b.img 100M
sparse c.img 60M
run
echo ---ntfs
part-disk /dev/sda mbr
mkfs ntfs /dev/sda1 label:win
mount /dev/sda1 /
write /hello world
mkdir /dir
write /dir/x y
umount /
ntfsclone-out /dev/sda1 clone.img
ntfsclone-out /dev/sda1 meta.img metadataonly:true ignorefscheck:true
ntfsclone-out /dev/sda1 clone2.img rescue:true preservetimestamps:true force:true
-ntfsclone-out /dev/sdb bad.img
-ntfsclone-out /dev/sdz bad.img
! test $(stat -c %s meta.img) -lt $(stat -c %s clone.img) && echo metadata is less
! head -c 16 clone.img | tr -d "\\0"
ntfsclone-in clone.img /dev/sdb
vfs-type /dev/sdb
vfs-label /dev/sdb
mount /dev/sdb /
cat /hello
cat /dir/x
umount /
-ntfsclone-in /etc/passwd /dev/sdb
-ntfsclone-in /none/nothing /dev/sdb
-ntfsclone-in clone.img /dev/sdc
ntfscat-i /dev/sda1 10 upcase
! md5sum < upcase
-ntfscat-i /dev/sda1 5 none
-ntfscat-i /dev/sda1 9999 none
-ntfscat-i /dev/sda1 -1 none
-ntfscat-i /dev/sdc 10 none
echo ---squashfs
mkfs ext4 /dev/sdb
mount /dev/sdb /
mkdir-p /t/sub
write /t/one 1
write /t/sub/two.tmp 22
write /t/sub/three 333
ln-s /t/one /t/link
mksquashfs /t sq1.img
mksquashfs /t sq2.img compress:xz excludes:sub/two.tmp
mksquashfs /t sq3.img compress:zstd "excludes:sub/*.tmp one"
mksquashfs /t sq4.img "excludes:*.tmp"
mksquashfs /t sq5.img "excludes:... *.tmp"
mksquashfs /t/one sq6.img
mksquashfs /t/link sq7.img
-mksquashfs /none sq8.img
-mksquashfs /t sq8.img compress:foo
! for i in 1 2 3 4 5 6; do echo $i; unsquashfs -l sq$i.img | tail -n +4 | sort; unsquashfs -s sq$i.img | grep ^Compression; done
echo ---scrub
fill 65 3000 /victim
fill 65 3000 /victim2
ln-s /victim2 /link
scrub-file /victim
is-file /victim
scrub-file /link
is-file /victim2
-scrub-file /link
-scrub-file /none
-scrub-file /t
-scrub-freespace /t
-scrub-freespace /none/x
umount /
mkfs ext2 /dev/sdc
mount /dev/sdc /
scrub-freespace /free
find /
umount /
part-disk /dev/sdc mbr
mkfs ext2 /dev/sdc1
scrub-device /dev/sdc1
vfs-type /dev/sdc1
-scrub-device /dev/sdz
echo ---f2fs
-f2fs-expand /dev/sdc1
mkfs f2fs /dev/sdc1
part-del /dev/sdc 1
part-add /dev/sdc p 128 121000
mount-vfs ro f2fs /dev/sdc1 /
umount /
f2fs-expand /dev/sdc1
-f2fs-expand /dev/sdz
echo ---boot
mkfs ext4 /dev/sdb
mount /dev/sdb /
mkdir /boot
extlinux /boot
find /boot
-extlinux /none
-extlinux /boot/ldlinux.sys
umount /
-extlinux /boot
mkfs vfat /dev/sdc
syslinux /dev/sdc
-syslinux /dev/sdb
-syslinux /dev/sdz
mount /dev/sdc /
mkdir /sub
find /
umount /
syslinux /dev/sdc directory:/sub
mount /dev/sdc /
find /
