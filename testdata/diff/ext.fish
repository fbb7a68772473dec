# ext2, ext3 and ext4
sparse ext-a.img 200M
sparse ext-b.img 64M
run
echo ---mke2fs
mke2fs /dev/sda
tune2fs-l /dev/sda | grep -v -e UUID -e time -e created -e hecked -e Seed -e "Reserved blocks"
-tune2fs-l /dev/sdb
mke2fs /dev/sda blockscount:100000 blocksize:1024 blockspergroup:8192 bytesperinode:8192 inodesize:128 label:lab lastmounteddir:/lm creatoros:hurd fstype:ext2 uuid:11111111-2222-3333-4444-555555555555 reservedblockspercentage:3
tune2fs-l /dev/sda | grep -v -e time -e created -e hecked -e Seed -e "Reserved blocks"
mke2fs /dev/sda fstype:ext4 numberofgroups:4 numberofinodes:2000 journalsize:8 usagetype:small lazyitableinit:true lazyjournalinit:true discard:true
tune2fs-l /dev/sda | grep -v -e UUID -e time -e created -e hecked -e Seed -e "Reserved blocks" -e Checksum:
-mke2fs /dev/sda fstype:ext4 extent:false
mke2fs /dev/sda fstype:ext2 extent:false filetype:true hasjournal:false largefile:true resizeinode:false sparsesuper:false uninitbg:true
tune2fs-l /dev/sda | grep features
mke2fs /dev/sda fstype:ext4 quota:true
tune2fs-l /dev/sda | grep -e features -e quota
mke2fs /dev/sda fstype:ext4 extent:true uninitbg:false
tune2fs-l /dev/sda | grep features
mke2fs /dev/sda fstype:ext4 stripewidth:8
tune2fs-l /dev/sda | grep RAID
mke2fs /dev/sda fstype:ext4 testfs:true
tune2fs-l /dev/sda | grep flags
-mke2fs /dev/sda blockscount:-1
-mke2fs /dev/sda blockscount:0
-mke2fs /dev/sda blocksize:-1
-mke2fs /dev/sda blocksize:1000
-mke2fs /dev/sda fragsize:-1
-mke2fs /dev/sda fragsize:1024
-mke2fs /dev/sda blockspergroup:-1
-mke2fs /dev/sda numberofgroups:-1
-mke2fs /dev/sda bytesperinode:-1
-mke2fs /dev/sda inodesize:-1
-mke2fs /dev/sda journalsize:-1
-mke2fs /dev/sda numberofinodes:-1
-mke2fs /dev/sda stridesize:-1
-mke2fs /dev/sda stripewidth:-1
-mke2fs /dev/sda maxonlineresize:-1
-mke2fs /dev/sda reservedblockspercentage:-1
-mke2fs /dev/sda mmpupdateinterval:-1
-mke2fs /dev/sda fstype:xfs
-mke2fs /dev/sda fstype:nosuch
-mke2fs /dev/sda uuid:foo
-mke2fs /dev/sda creatoros:foo
mke2fs /dev/sda label:toolonglabel01234
vfs-label /dev/sda
mke2fs /dev/sda writesbandgrouponly:true forcecreate:true
vfs-type /dev/sda
echo ---journal
mke2fs /dev/sdb journaldev:true blocksize:1024 uuid:21111111-2222-3333-4444-555555555555 label:jl
vfs-type /dev/sdb
vfs-label /dev/sdb
mke2fs /dev/sda fstype:ext4 blocksize:1024 journaldevice:/dev/sdb
tune2fs-l /dev/sda | grep Journal
-mke2fs /dev/sda fstype:ext4 blocksize:1024 journaldevice:/dev/sdz
-mke2fs /dev/sda fstype:ext4 blocksize:1024 journaldevice:/foo
mke2fs /dev/sda fstype:ext4 blocksize:1024 journaldevice:UUID=21111111-2222-3333-4444-555555555555
mke2fs /dev/sda fstype:ext4 blocksize:1024 journaldevice:LABEL=jl
tune2fs-l /dev/sda | grep Journal
-mke2fs /dev/sda fstype:ext4 blocksize:1024 journaldevice:LABEL=nojl
mke2journal 1024 /dev/sdb
mke2fs-J ext4 1024 /dev/sda /dev/sdb
mke2journal-L 1024 JL /dev/sdb
mke2fs-JL ext4 1024 /dev/sda JL
-mke2fs-JL ext4 1024 /dev/sda JX
-mke2fs-JL ext4 1024 /dev/sda 12345678901234567
mke2journal-U 1024 31111111-2222-3333-4444-555555555555 /dev/sdb
vfs-uuid /dev/sdb
mke2fs-JU ext4 1024 /dev/sda 31111111-2222-3333-4444-555555555555
tune2fs-l /dev/sda | grep Journal
-mke2fs-JU ext4 1024 /dev/sda 41111111-2222-3333-4444-555555555555
-mke2fs-J ext4 4096 /dev/sda /dev/sdb
-mke2fs-J ext4 1000 /dev/sda /dev/sdb
-mke2journal -5 /dev/sdb
-mke2journal-U 1024 foo /dev/sdb
-mke2journal-L 1024 12345678901234567 /dev/sdb
zero-device /dev/sdb
echo ---label
mkfs ext4 /dev/sda
set-e2label /dev/sda hello
get-e2label /dev/sda
-set-e2label /dev/sda 12345678901234567
-set-e2label /dev/sdb foo
set-e2uuid /dev/sda 11111111-2222-3333-4444-555555555555
get-e2uuid /dev/sda
set-e2uuid /dev/sda clear
get-e2uuid /dev/sda
set-e2uuid /dev/sda time
-set-e2uuid /dev/sda foo
-set-e2uuid /dev/sdb clear
get-e2label /dev/sdb
echo ---e2fsck
-e2fsck /dev/sda
e2fsck /dev/sda correct:true
e2fsck /dev/sda forceall:true
-e2fsck /dev/sda correct:true forceall:true
-e2fsck /dev/sda correct:false
-e2fsck /dev/sdb correct:true
e2fsck-f /dev/sda
-e2fsck-f /dev/sdb
mke2fs /dev/sda blocksize:1024
pwrite-device /dev/sda "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" 270336
-e2fsck /dev/sda correct:true
e2fsck /dev/sda forceall:true
e2fsck /dev/sda correct:true
echo ---tune2fs
-tune2fs /dev/sda
tune2fs /dev/sda force:true maxmountcount:10 mountcount:3 errorbehavior:panic group:7 intervalbetweenchecks:86400 reservedblockspercentage:2 lastmounteddirectory:/foo user:9
tune2fs-l /dev/sda | grep -v -e UUID -e time -e created -e hecked -e check -e Seed
tune2fs /dev/sda reservedblockscount:100
tune2fs-l /dev/sda | grep Reserved
-tune2fs /dev/sda errorbehavior:foo
-tune2fs /dev/sda maxmountcount:-1
-tune2fs /dev/sda mountcount:-1
-tune2fs /dev/sda group:-1
-tune2fs /dev/sda user:-1
-tune2fs /dev/sda intervalbetweenchecks:-1
tune2fs /dev/sda intervalbetweenchecks:0
-tune2fs /dev/sda reservedblockspercentage:-1
-tune2fs /dev/sda reservedblockspercentage:101
-tune2fs /dev/sda reservedblockscount:-1
-tune2fs /dev/sda reservedblockscount:1000000
-tune2fs /dev/sdb mountcount:1
tune2fs /dev/sda errorbehavior:remount-ro lastmounteddirectory:
tune2fs-l /dev/sda | egrep "Errors|mounted|Maximum|interval|Mount"
tune2fs /dev/sda errorbehavior:continue
echo ---resize
mkfs ext4 /dev/sda blocksize:1024
-resize2fs-size /dev/sda 100000000
resize2fs-size /dev/sda 102400000
tune2fs-l /dev/sda | grep "Block count"
-resize2fs-size /dev/sda 0
-resize2fs-size /dev/sda -1024
-resize2fs-size /dev/sda 1024
-resize2fs-size /dev/sda 1024000000
resize2fs-M /dev/sda
tune2fs-l /dev/sda | grep "Block count"
resize2fs /dev/sda
tune2fs-l /dev/sda | grep "Block count"
resize2fs /dev/sda
-resize2fs /dev/sdb
-resize2fs-M /dev/sdb
resize2fs-size /dev/sda 102400000
mount /dev/sda /
resize2fs /dev/sda
tune2fs-l /dev/sda | grep "Block count"
-resize2fs-M /dev/sda
-e2fsck-f /dev/sda
echo ---attrs
touch /f
mkdir /d
ln-s f /l
mkfifo 0644 /fifo
get-e2attrs /f
get-e2attrs /d
-get-e2attrs /zz
-get-e2attrs /l
-get-e2attrs /fifo
set-e2attrs /f ia
get-e2attrs /f
-rm /f
set-e2attrs /f ia clear:true
get-e2attrs /f
-set-e2attrs /f aa
-set-e2attrs /f Q
-set-e2attrs /f E
-set-e2attrs /f I
-set-e2attrs /f N
-set-e2attrs /f h
-set-e2attrs /f V
-set-e2attrs /f R
-set-e2attrs /f v
-set-e2attrs /f p
-set-e2attrs /f 1
-set-e2attrs /f ""
-set-e2attrs /f "i a"
-set-e2attrs /f e
-set-e2attrs /f c
-set-e2attrs /f m
-set-e2attrs /f F
-set-e2attrs /f P
-set-e2attrs /f x
-set-e2attrs /f C
-set-e2attrs /f D
get-e2attrs /f
-set-e2attrs /f suSdAjtc
-set-e2attrs /f SdAs
get-e2attrs /f
set-e2attrs /d DT
get-e2attrs /d
-set-e2attrs /f e clear:true
get-e2attrs /f
-set-e2attrs /zz i
-set-e2attrs /l i
-set-e2attrs /fifo i
get-e2generation /f | grep -c .
-set-e2generation /f 12345
-set-e2generation /f 4294967296
-set-e2generation /f -1
-get-e2generation /zz
-get-e2generation /fifo
-set-e2generation /zz 1
-set-e2generation /fifo 3
echo ---lost+found
-mklost-and-found /
rmdir /lost+found
mklost-and-found /
stat /lost+found | egrep "mode|size"
mklost-and-found /d
-mklost-and-found /f
-mklost-and-found /zz
ls /
ls /d
umount-all
mkfs ext2 /dev/sda blocksize:1024
mount /dev/sda /
touch /f
set-e2generation /f 12345
get-e2generation /f
set-e2generation /f 4294967295
get-e2generation /f
get-e2attrs /f
umount-all
mkfs vfat /dev/sda
mount /dev/sda /
touch /f
-get-e2attrs /f
-set-e2attrs /f i
-get-e2generation /f
-tune2fs-l /dev/sda
