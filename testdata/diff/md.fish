# RAID arrays
sparse a.img 32M
sparse b.img 32M
sparse c.img 32M
sparse d.img 32M
run
echo ---nothing there
list-md-devices
-md-create r1 "/dev/sda /dev/sdz"
-md-create r1 ""
-md-create r1 "/dev/sda /dev/sdb" level:nonsense
-md-create "" "/dev/sda /dev/sdb"
-md-create r1 "/dev/sda /dev/sdb" nrdevices:0
-md-create r1 "/dev/sda /dev/sdb" spare:-1
-md-create r1 "/dev/sda /dev/sdb" nrdevices:3
-md-create r1 "/dev/sda /dev/sdb" level:stripe chunk:100
-md-create r1 "/dev/sda /dev/sdb" missingbitmap:0x3
md-stat /dev/md127
md-stop /dev/md127
-md-create r1 "/dev/sda /dev/sdb" missingbitmap:0x100
-md-create r1 "/dev/sda /dev/sdb" nrdevices:2 spare:1
list-md-devices
-md-stat /dev/sda
-md-detail /dev/sda
-md-stop /dev/sda
-md-stat /dev/md0
echo ---mirror
md-create r1 "/dev/sda /dev/sdb"
list-md-devices
md-stat /dev/md127
md-detail /dev/md127 | sed /^uuid/d
md-detail /dev/md127 | grep -c ^uuid
list-filesystems
list-partitions
list-devices
mkfs ext2 /dev/md127
mount /dev/md127 /
write /hello world
cat /hello
list-filesystems
-md-stop /dev/md127
umount /
-md-create r1 "/dev/sdc /dev/sdd"
-md-create r2 "/dev/sda /dev/sdd"
md-stop /dev/md127
-md-stop /dev/md127
list-md-devices
list-filesystems
echo ---with a spare
md-create r2 "/dev/sda /dev/sdb /dev/sdc" nrdevices:2 spare:1
list-md-devices
md-stat /dev/md127
md-detail /dev/md127 | sed /^uuid/d
debug sh "mdadm --detail /dev/md127" | grep -E "Raid Level|Spare Devices|Raid Devices"
md-stop /dev/md127
echo ---stripe
md-create st "/dev/sda /dev/sdb" level:raid0 chunk:65536
md-stat /dev/md127
md-detail /dev/md127 | sed /^uuid/d
debug sh "mdadm --detail /dev/md127" | grep -E "Raid Level|Chunk|Array Size"
md-create five "/dev/sdc /dev/sdd" level:5 missingbitmap:0x4 nrdevices:3
list-md-devices
md-stat /dev/md126
md-detail /dev/md126 | sed /^uuid/d
pvcreate /dev/md126
vgcreate VG /dev/md126
lvcreate LV VG 8
part-init /dev/md127 mbr
part-add /dev/md127 p 2048 32767
list-md-devices
list-partitions
list-filesystems
pvs
part-add /dev/md127 p 32768 65535
part-list /dev/md127
mkfs ext3 /dev/md127p2
list-partitions
list-filesystems
-md-stop /dev/md126
-md-detail /dev/md125
vg-activate-all false
md-stop /dev/md126
md-stop /dev/md127
list-md-devices
echo ---as a guest calls it
md-create one "/dev/sda /dev/sdb"
md-create two "/dev/sdc /dev/sdd"
mkfs ext2 /dev/md127
mkfs ext2 /dev/md126
md-detail /dev/md127 | awk '/^uuid/ { print "ARRAY /dev/md7 metadata=1.2 UUID=" $2 }' > conf
md-detail /dev/md126 | awk '/^uuid/ { print "ARRAY /dev/md8 UUID=" $2 }' >> conf
mount /dev/md127 /
mkdir /etc
mkdir /bin
upload conf /etc/mdadm.conf
write /etc/os-release "ID=debian\nVERSION_ID=12\n"
write /etc/debian_version "12.1\n"
write /etc/fstab "/dev/md7 / ext2 defaults 0 1\n/dev/md8 /data ext2 defaults 0 1\n"
inspect-os
inspect-get-mountpoints /dev/md127
