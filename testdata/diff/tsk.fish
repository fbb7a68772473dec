# The Sleuth Kit: what it sees on file systems, deleted files too
sparse t.img 200M
run
part-init /dev/sda mbr
part-add /dev/sda p 2048 131071
part-add /dev/sda p 131072 262143
part-add /dev/sda p 262144 -1
mkfs ext4 /dev/sda1
mkfs ntfs /dev/sda2
mkfs vfat /dev/sda3
mount /dev/sda1 /
mkdir-p /d/e
write /d/f "hello\n"
ln /d/f /d/hard
ln-s /d/f /d/soft
mkfifo 0644 /d/fifo
mknod-c 0600 1 3 /d/chr
mknod-b 0600 8 0 /d/blk
write /d/gone "this is deleted\n"
fill 97 10000 /d/big
chmod 0640 /d/f
utimens /d/f 1000000000 1 1100000000 2
sync
rm /d/gone
umount /
filesystem-walk /dev/sda1 | grep -v time | sed 's/^\[[0-9]*\]/[]/'
filesystem-walk /dev/sda1 | grep -c 'name: d/'
find-inode /dev/sda1 2 | grep -v 'time_'
find-inode /dev/sda1 14 | grep name
-find-inode /dev/sda1 99999999
-find-inode /dev/sda1 -1
-download-inode /dev/sda1 999999999 x
-download-inode /dev/sda1 -1 x
find-inode /dev/sda1 14 | grep -e time_ | grep -v -e tsk_c
download-inode /dev/sda1 14 f
!cat f; wc -c < f
download-blocks /dev/sda1 0 3 b
!wc -c < b
download-blocks /dev/sda1 0 20000 b unallocated:true
!wc -c < b
-download-blocks /dev/sda1 5 3 b
-download-blocks /dev/sda1 -1 3 b
-download-blocks /dev/sda1 0 99999999999 b
mount /dev/sda2 /
write /hello "world\n"
mkdir /dir
write /dir/x "abc"
write /gone "gone"
rm /gone
umount /
filesystem-walk /dev/sda2 | grep -v time_ | grep -A4 -B3 -e 'name: hello' -e 'name: dir' -e gone | sed 's/^\[[0-9]*\]/[]/'
download-inode /dev/sda2 0 mft
!head -c 4 mft
mount /dev/sda3 /
write /HELLO.TXT "fat\n"
mkdir /DIR
write /DIR/LONGER-NAME.TEXT "abc"
write /GONE.TXT "gone"
rm /GONE.TXT
umount /
filesystem-walk /dev/sda3 | grep -v time_ | sed 's/^\[[0-9]*\]/[]/'
-filesystem-walk /dev/sda
-filesystem-walk /dev/nosuch
-find-inode /dev/sda 1
-download-inode /dev/sda 1 x
-download-blocks /dev/sda 1 2 x
mount /dev/sda1 /
filesystem-walk /dev/sda1 | grep -c name
