# Run by guestfish and by gofish, each against its own and the other's
# appliance: four transcripts that must be one. Needs ./big of 100 MB.
-list-devices
sparse disk.img 600M
sparse disk2.img 100M
run
ping-daemon
list-devices
list-partitions
-mount /dev/sda1 /
-ls /
part-disk /dev/sda gpt
part-get-parttype /dev/sda
part-list /dev/sda
list-partitions
blockdev-getsize64 /dev/sda
blockdev-getss /dev/sdb
mkfs ext4 /dev/sda1 label:WIRE blocksize:4096
set-uuid /dev/sda1 0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f
vfs-type /dev/sda1
vfs-label /dev/sda1
vfs-uuid /dev/vda1
list-filesystems
mount /dev/sda1 /
mounts
mountpoints
mkdir /d
mkdir-p /d/e/f
mkdir-mode /m 0700
-mkdir /d
-mkdir d
write /d/hello "hello world\n"
write-append /d/hello "second\n"
cat /d/hello
read-lines /d/hello
head-n 1 /d/hello
filesize /d/hello
checksum md5 /d/hello
checksum sha256 /d/hello
-checksum nosuch /d/hello
-cat /nosuch
-download /nosuch out
-download /d out
touch /d/empty
is-file /d/empty
is-dir /d
exists /nosuch
ln-s hello /d/link
readlink /d/link
-readlink /d/hello
chmod 0640 /d/hello
chown 10 20 /d/hello
statns /d/hello | grep -E 'st_(mode|uid|gid|size|nlink):'
lstatns /d/link | grep st_mode
ls /d
find /d
readdir /d | grep name: | sort
cp /d/hello /d/copy
mv /d/copy /d/moved
equal /d/hello /d/moved
grep second /d/hello
grep hello /d/hello
wc-l /d/hello
setxattr user.a value 5 /d/hello
getxattr /d/hello user.a
echo
getxattrs /d/hello | grep user
-getxattr /d/hello user.nosuch
upload big /big
checksum sha1 /big
filesize /big
download /big big.back
!cmp big big.back && rm big.back && echo same
-upload nosuchfile /x
-upload big /nodir/x
ping-daemon
-upload big /d
ping-daemon
-download /big /nodir/out
ping-daemon
tar-out /d - | tar tf - | sort
tar-out /d d.tar.gz compress:gzip
mkdir /t
tar-in d.tar.gz /t compress:gzip
find /t
pread /d/hello 5 6
echo
fill 65 10 /filled
cat /filled
truncate-size /filled 5
cat /filled
rm /filled
-rm /filled
-rmdir /d
rm-rf /t
du /m
get-umask
pvcreate /dev/sdb
vgcreate VG /dev/sdb
lvcreate LV VG 40
lvs
vgs
pvs
lvs-full | grep -E 'lv_(name|size|attr)|percent|origin'
mkfs ext3 /dev/VG/LV
vfs-type /dev/VG/LV
mkdir /mnt
mount /dev/VG/LV /mnt
df | awk 'NR>1 && $6 ~ "sysroot" {print $6}'
statvfs /mnt | grep namemax
umount /mnt
lvremove /dev/VG/LV
available "lvm2 mknod"
feature-available "lvm2 mknod"
-available nosuchgroup
available-all-groups | head -3
-debug nosuchcommand ""
umount-all
-ls /
zero /dev/sda
list-filesystems
