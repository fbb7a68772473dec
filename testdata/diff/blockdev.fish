# block devices
sparse blockdev-a.img 500M
sparse blockdev-b.img 10M
run
echo ---ioctls
blockdev-getro /dev/sda
blockdev-setro /dev/sda
blockdev-getro /dev/sda
-mkfs ext4 /dev/sda
-pwrite-device /dev/sda abc 0
-zero-device /dev/sda
blockdev-setrw /dev/sda
blockdev-getro /dev/sda
blockdev-getss /dev/sda
blockdev-getbsz /dev/sda
blockdev-setbsz /dev/sda 1024
blockdev-getbsz /dev/sda
-blockdev-setbsz /dev/sda 1000
blockdev-getsz /dev/sda
blockdev-getsize64 /dev/sda
-blockdev-getsize64 /dev/sdz
-blockdev-getsize64 /foo
blockdev-flushbufs /dev/sda
blockdev-rereadpt /dev/sda
blockdev-setra /dev/sda 1024
-blockdev-setra /dev/sda -1
debug sh "blockdev --getra /dev/sda" | grep .
mkfs ext4 /dev/sda
mount /dev/sda /
-blockdev-rereadpt /dev/sda
umount-all
echo ---zero
is-zero-device /dev/sda
is-zero-device /dev/sdb
zero-device /dev/sda
is-zero-device /dev/sda
mkfs ext4 /dev/sda
zero /dev/sda
vfs-type /dev/sda
is-zero-device /dev/sda
echo ---content
pwrite-device /dev/sda hello 1000
pread-device /dev/sda 10 998 | hexdump -C
-pread-device /dev/sda 10 -1
-pread-device /dev/sda -1 0
pread-device /dev/sda 0 0 | wc -c
pread-device /dev/sda 10 524287995 | hexdump -C
pread-device /dev/sda 10 524288000 | wc -c
pread-device /dev/sda 10 600000000 | wc -c
-pread-device /dev/sda 5000000 0
pread-device /dev/sda 4000000 0 | wc -c
-pread-device /dev/sdz 10 0
-pwrite-device /dev/sda hello -1
pwrite-device /dev/sda hello 524287998
-pwrite-device /dev/sda hello 524288000
-pwrite-device /dev/sda hello 600000000
pwrite-device /dev/sda "" 0
-pwrite-device /dev/sdz hello 0
echo ---discard
blkdiscardzeroes /dev/sda
blkdiscard /dev/sda
-blkdiscard /dev/sdz
echo ---blkid
mkfs ext4 /dev/sda
set-uuid /dev/sda 11111111-2222-3333-4444-555555555555
set-label /dev/sda "a b c"
blkid /dev/sda
set-label /dev/sda "x\"y$`\\'z="
blkid /dev/sda
vfs-label /dev/sda
set-label /dev/sda ""
blkid /dev/sda
blkid /dev/sdb
-blkid /dev/sdz
wipefs /dev/sda
blkid /dev/sda
vfs-type /dev/sda
wipefs /dev/sda
mkswap /dev/sda uuid:11111111-2222-3333-4444-555555555555 label:swp
blkid /dev/sda
part-disk /dev/sda mbr
blkid /dev/sda | grep -v UUID
blkid /dev/sda1 | grep -v UUID
mkfs vfat /dev/sda1 label:FOO
blkid /dev/sda1 | grep -v UUID
mkfs ntfs /dev/sda1 label:FOO
blkid /dev/sda1 | grep -v UUID
zero-device /dev/sda1
blkid /dev/sda1 | grep -v UUID
list-partitions
-wipefs /dev/sdz
wipefs /dev/sda
vfs-type /dev/sda
blockdev-rereadpt /dev/sda
list-partitions
echo ---lists
list-md-devices
list-dm-devices
checksum-device md5 /dev/sdb
checksum-device crc /dev/sdb
-checksum-device nosuch /dev/sdb
