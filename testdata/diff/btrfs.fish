# btrfs
sparse a.img 300M
sparse b.img 300M
sparse c.img 400M
run
echo ---mkfs
-mkfs-btrfs ""
-mkfs-btrfs /dev/sdz
-mkfs-btrfs /dev/sda bytecount:-1
-mkfs-btrfs /dev/sda bytecount:1M
-mkfs-btrfs /dev/sda leafsize:-1
-mkfs-btrfs /dev/sda nodesize:3000
-mkfs-btrfs /dev/sda metadata:foo
-mkfs-btrfs /dev/sda datatype:bar
-mkfs-btrfs /dev/sda metadata:raid1
-vfs-type /dev/sda
mkfs-btrfs /dev/sda bytecount:260M nodesize:32768 sectorsize:4096 label:lab metadata:single
vfs-label /dev/sda
vfs-type /dev/sda
debug sh "btrfs inspect-internal dump-super /dev/sda" | grep -E "^(nodesize|sectorsize|label|total_bytes|num_devices)"
mkfs-btrfs "/dev/sda /dev/sdb" datatype:single metadata:raid1
btrfs-filesystem-show /dev/sda
btrfs-filesystem-show /dev/sdb
-btrfs-filesystem-show /dev/sdc
list-filesystems
echo ---subvolumes
mount /dev/sda /
mkdir /dir
btrfs-subvolume-create /sub
-btrfs-subvolume-create /sub
-btrfs-subvolume-create /no/sub
btrfs-subvolume-create /dir/sub2 qgroupid:0/1000
btrfs-subvolume-list /
btrfs-subvolume-list /dir
btrfs-subvolume-list /dev/sdb
btrfs-subvolume-list btrfsvol:/dev/sda/sub
-btrfs-subvolume-list /dev/sdc
-btrfs-subvolume-list /none
list-filesystems
write /sub/file hello
btrfs-subvolume-snapshot /sub /snap
btrfs-subvolume-snapshot /sub /snapro ro:true
btrfs-subvolume-snapshot-opts /sub /snap3 ro:false
-btrfs-subvolume-snapshot /sub /dir
-btrfs-subvolume-snapshot /sub /no/snap
-btrfs-subvolume-snapshot /dir /snap4
find /
cat /snap/file
write /snap/file changed
cat /sub/file
-write /snapro/file x
btrfs-subvolume-show /sub | grep -v -E "UUID|time|^Gen"
btrfs-subvolume-show /snapro | grep -v -E "UUID|time|^Gen"
btrfs-subvolume-show /sub | grep -c -E "UUID|time"
-btrfs-subvolume-show /dir
-btrfs-subvolume-show /none
btrfs-subvolume-get-default /
btrfs-subvolume-get-default /dev/sda
btrfs-subvolume-get-default /dir
-btrfs-subvolume-get-default /dev/sdc
btrfs-subvolume-set-default 257 /
btrfs-subvolume-get-default btrfsvol:/dev/sda/sub
-btrfs-subvolume-set-default 999 /
btrfs-subvolume-set-default 5 /
-btrfs-subvolume-delete /snap3
-btrfs-subvolume-delete /snap3
-btrfs-subvolume-delete /dir
-btrfs-subvolume-delete /
btrfs-subvolume-list / | grep path
umount /
mount btrfsvol:/dev/sda/snap /
cat /file
mountpoints
umount /
mount /dev/sdb /
echo ---devices
btrfs-filesystem-sync /
-btrfs-filesystem-sync /none
btrfs-balance-status /
-btrfs-balance-status /none
-btrfs-balance-pause /
-btrfs-balance-cancel /
-btrfs-balance-resume /
btrfs-device-add /dev/sdc /
-btrfs-device-add /dev/sdc /
btrfs-filesystem-show /dev/sda
btrfs-filesystem-balance /
btrfs-balance /
debug sh "btrfs filesystem usage /sysroot" | grep -c "/dev/sdc"
btrfs-device-delete /dev/sdc /
-btrfs-device-delete /dev/sdc /
btrfs-device-add "" /
btrfs-device-delete "" /
btrfs-filesystem-show /dev/sda
btrfs-replace /dev/sda /dev/sdc /
-btrfs-replace /dev/sdb /dev/sdc /
-btrfs-replace /dev/sda /dev/sda /
btrfs-filesystem-show /dev/sdb
cat /snap/file
echo ---size
btrfs-filesystem-resize /
debug sh "btrfs filesystem show --raw /dev/sdb" | grep -o "size [0-9]*"
btrfs-filesystem-resize / size:290M
debug sh "btrfs filesystem show --raw /dev/sdb" | grep -o "size [0-9]*"
-btrfs-filesystem-resize / size:1000G
-btrfs-filesystem-resize / size:1
-btrfs-filesystem-resize / size:-1
fill-pattern aaaaaaaaaaaaaaaab 3000000 /big
btrfs-filesystem-defragment /
btrfs-filesystem-defragment /big flush:true compress:zlib
btrfs-filesystem-defragment /big flush:true
sync
debug sh "btrfs filesystem du --raw -s /sysroot/big" | tail -1
-btrfs-filesystem-defragment /big compress:foo
-btrfs-filesystem-defragment /none
checksum md5 /big
umount /
echo ---quota
mkfs-btrfs /dev/sda
mount /dev/sda /
btrfs-subvolume-create /sub
-btrfs-qgroup-show /
-btrfs-quota-rescan /
btrfs-quota-enable / true
btrfs-quota-enable /dev/sda true
-btrfs-quota-enable /none true
-btrfs-quota-enable /dev/sdz true
btrfs-quota-rescan /
btrfs-quota-rescan /dev/sda
btrfs-qgroup-show /
btrfs-qgroup-show /sub
-btrfs-qgroup-show /none
-btrfs-qgroup-create 0/1000 /
btrfs-qgroup-create 1/1000 /
-btrfs-qgroup-create 1/1000 /
-btrfs-qgroup-create foo /
btrfs-qgroup-assign 0/256 1/1000 /
-btrfs-qgroup-assign 0/256 1/1001 /
-btrfs-qgroup-assign 0/256 1/1000 /
debug sh "btrfs qgroup show -p --raw /sysroot" | grep ^0/256
btrfs-qgroup-remove 0/256 1/1000 /
-btrfs-qgroup-remove 0/256 1/1000 /
btrfs-qgroup-limit /sub 10M
btrfs-qgroup-limit / 100M
-btrfs-qgroup-limit /none 100M
-btrfs-qgroup-limit /sub -1
debug sh "btrfs qgroup show -r --raw /sysroot" | cut -c 1-70
btrfs-qgroup-show /
-fill 1 20000000 /sub/toobig
-btrfs-qgroup-destroy 0/1000 /
btrfs-qgroup-destroy 1/1000 /
-btrfs-qgroup-destroy 1/1000 /
btrfs-qgroup-show / | grep id
btrfs-subvolume-show /sub | grep -E "Quota|Limit"
btrfs-quota-enable / false
-btrfs-qgroup-show /
-btrfs-quota-rescan /
echo ---scrub
btrfs-scrub-status /
-btrfs-scrub-status /none
btrfs-scrub-start /
sleep 3
btrfs-scrub-status / | grep error
-btrfs-scrub-cancel /
-btrfs-scrub-cancel /none
-btrfs-scrub-resume /
-btrfs-scrub-start /none
umount /
echo ---offline
-btrfs-rescue-super-recover /dev/sda
debug sh "dd if=/dev/zero of=/dev/sda bs=1 seek=67108928 count=8 conv=notrunc 2>/dev/null"
-debug sh "btrfs inspect-internal dump-super -s 1 /dev/sda" | grep magic
-btrfs-rescue-super-recover /dev/sda
debug sh "btrfs inspect-internal dump-super -s 1 /dev/sda" | grep magic
-btrfs-rescue-super-recover /dev/sdz
-btrfs-rescue-chunk-recover /dev/sda
wipefs /dev/sdc
-btrfs-rescue-super-recover /dev/sdc
-btrfs-rescue-chunk-recover /dev/sdc
btrfs-set-seeding /dev/sda true
mount /dev/sda /
-write /x y
umount /
mkfs-btrfs /dev/sda
btrfstune-seeding /dev/sda true
-btrfstune-seeding /dev/sda true
debug sh "btrfs inspect-internal dump-super /dev/sda" | grep ^flags
-btrfstune-seeding /dev/sdc false
mkfs-btrfs /dev/sda
btrfstune-enable-extended-inode-refs /dev/sda
-btrfstune-enable-extended-inode-refs /dev/sdc
btrfstune-enable-skinny-metadata-extent-refs /dev/sda
-btrfstune-enable-skinny-metadata-extent-refs /dev/sdc
btrfs-fsck /dev/sda
btrfs-fsck /dev/sda superblock:0
-btrfs-fsck /dev/sda superblock:-1
-btrfs-fsck /dev/sdc
debug sh "mkfs.btrfs -q -f -O ^extref,^skinny-metadata /dev/sda > /dev/null"
debug sh "btrfs inspect-internal dump-super /dev/sda" | grep -c -E "EXTENDED_IREF|SKINNY_METADATA"
btrfstune-enable-extended-inode-refs /dev/sda
btrfstune-enable-skinny-metadata-extent-refs /dev/sda
debug sh "btrfs inspect-internal dump-super /dev/sda" | grep -c -E "EXTENDED_IREF|SKINNY_METADATA"
