# making file systems, their types, labels and UUIDs
sparse filesystems-a.img 400M
sparse filesystems-b.img 400M
run
echo ---arguments
-mkfs ext4 /dev/sda blocksize:3000
-mkfs ext4 /dev/sda blocksize:0
-mkfs ext4 /dev/sda blocksize:-1
-mkfs ext4 /dev/sda blocksize:131072
-mkfs nosuch /dev/sda
-mkfs ufs /dev/sda
-mkfs "" /dev/sda
-mkfs "ext4 foo" /dev/sda
-mkfs ../../bin/sh /dev/sda
-mkfs ext4 /dev/sda inode:0
-mkfs vfat /dev/sda inode:256
-mkfs ext4 /dev/sda sectorsize:512
-mkfs vfat /dev/sda features:foo
-mkfs ext4 /dev/sda features:foo
-mkfs ext4 /nosuch
-mkfs ext4 /dev/sdz
-mkfs ext4 /dev/sda label:toolonglabel01234
-mkfs minix /dev/sda label:foo
vfs-type /dev/sda
echo ---ext
mkfs ext4 /dev/sda features:^has_journal inode:256 blocksize:1024 label:16byteslabel0123
vfs-type /dev/sda
vfs-label /dev/sda
vfs-minimum-size /dev/sda
set-uuid /dev/sda 11111111-2222-3333-4444-555555555555
vfs-uuid /dev/sda
get-uuid /dev/sda
-set-uuid /dev/sda nonsense
-set-label /dev/sda toolonglabel01234
set-label /dev/sda "a b"
vfs-label /dev/sda
set-label /dev/sda ""
vfs-label /dev/sda
set-label /dev/sda ok
vfs-label /dev/sda
echo ---nothing
vfs-type /dev/sdb
vfs-label /dev/sdb
vfs-uuid /dev/sdb
-vfs-minimum-size /dev/sdb
-set-label /dev/sdb foo
-set-uuid /dev/sdb 11111111-2222-3333-4444-555555555555
-set-uuid-random /dev/sdb
-vfs-type /dev/sdz
echo ---findfs
findfs-uuid 11111111-2222-3333-4444-555555555555
findfs-label ok
-findfs-uuid 21111111-2222-3333-4444-555555555555
-findfs-label nosuch
set-uuid-random /dev/sda
vfs-uuid /dev/sda | wc -c
echo ---zerofree
zerofree /dev/sda
-zerofree /dev/sdb
-zero-free-space /
echo ---fat
mkfs vfat /dev/sda label:FATTY
vfs-type /dev/sda
vfs-label /dev/sda
vfs-uuid /dev/sda | wc -c
-vfs-minimum-size /dev/sda
set-label /dev/sda lower
vfs-label /dev/sda
-set-label /dev/sda toolongfatlabel
-set-uuid /dev/sda 1234-5678
-set-uuid-random /dev/sda
-mkfs vfat /dev/sda blocksize:1024
-mkfs vfat /dev/sda blocksize:131072
-mkfs vfat /dev/sda blocksize:256
-mkfs vfat /dev/sda blocksize:8192
vfs-type /dev/sda
mkfs fat /dev/sda
vfs-type /dev/sda
mkfs msdos /dev/sda
vfs-type /dev/sda
echo ---ntfs
mkfs ntfs /dev/sda label:hello blocksize:2048
vfs-type /dev/sda
vfs-label /dev/sda
vfs-uuid /dev/sda | wc -c
vfs-minimum-size /dev/sda
set-label /dev/sda "other one"
vfs-label /dev/sda
-set-uuid /dev/sda 0123456789ABCDEF
-set-uuid-random /dev/sda
-mkfs ntfs /dev/sda blocksize:256
mkfs ntfs /dev/sda blocksize:4096
ntfs-3g-probe true /dev/sda
ntfs-3g-probe false /dev/sda
ntfs-3g-probe true /dev/sdb
ntfsresize /dev/sda size:100000000
-ntfsresize /dev/sda size:0
-ntfsresize /dev/sda size:-5
-ntfsresize /dev/sda size:200000000
ntfsfix /dev/sda
ntfsresize /dev/sda size:200000000 force:true
ntfsfix /dev/sda clearbadsectors:true
-ntfsresize-size /dev/sda 300000000
-ntfsresize-opts /dev/sda force:true
vfs-minimum-size /dev/sda
-ntfsresize /dev/sdb
-ntfsfix /dev/sdb
mount /dev/sda /
write /foo bar
-ntfsfix /dev/sda
umount-all
ntfs-3g-probe true /dev/sda
echo ---btrfs
-mkfs btrfs /dev/sda label:btr blocksize:4096
-mkfs btrfs /dev/sda features:nosuch
mkfs btrfs /dev/sda label:btr
vfs-type /dev/sda
vfs-label /dev/sda
-vfs-minimum-size /dev/sda
set-label /dev/sda newbtr
vfs-label /dev/sda
set-uuid /dev/sda 11111111-2222-3333-4444-555555555555
vfs-uuid /dev/sda
set-uuid-random /dev/sda
vfs-uuid /dev/sda | wc -c
mount /dev/sda /
vfs-minimum-size /dev/sda
umount-all
-vfs-type btrfsvol:/dev/sda/nosuch
-vfs-type btrfsvol:/dev/sdz/sub
-vfs-type btrfsvol:foo
echo ---swap
-mkfs swap /dev/sda
mkswap /dev/sda label:swp
vfs-type /dev/sda
vfs-label /dev/sda
-vfs-minimum-size /dev/sda
set-label /dev/sda newswap
vfs-label /dev/sda
set-uuid /dev/sda 11111111-2222-3333-4444-555555555555
vfs-uuid /dev/sda
set-uuid-random /dev/sda
vfs-uuid /dev/sda | wc -c
echo ---other
mkfs f2fs /dev/sda label:f2fslab
vfs-type /dev/sda
vfs-label /dev/sda
-set-label /dev/sda foo
mkfs exfat /dev/sda
vfs-type /dev/sda
mkfs minix /dev/sda
vfs-type /dev/sda
mkfs bfs /dev/sda
vfs-type /dev/sda
-mkfs cramfs /dev/sda
-mkfs gfs2 /dev/sda
echo ---old
mkfs-b ext2 1024 /dev/sda
-mkfs-b ext2 1000 /dev/sda
mkfs-opts ext3 /dev/sda blocksize:4096
vfs-type /dev/sda
echo ---partitions
part-disk /dev/sda mbr
vfs-type /dev/sda
vfs-type /dev/sda1
vfs-uuid /dev/sda
mkfs ext4 /dev/sda1 label:part
vfs-type /dev/sda1
findfs-label part
mount /dev/sda1 /
write /file foo
zero-free-space /
-zero-free-space /nosuch
-zero-free-space /file
ls /
vfs-minimum-size /dev/sda1
set-label /dev/sda1 mounted
vfs-label /dev/sda1
-mkfs ext4 /dev/sda1
-zerofree /dev/sda1
cat /file
umount-all
mkfs ext2 /dev/sda
vfs-type /dev/sda
list-partitions
mkfs ntfs /dev/sda
ntfsresize-size /dev/sda 300000000
vfs-minimum-size /dev/sda
-ntfsresize-size /dev/sda 1
