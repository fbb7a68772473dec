# XFS; guestfish needs Debian's package libguestfs-xfs for it
sparse xfs-a.img 400M
sparse xfs-b.img 400M
run
mkfs xfs /dev/sda blocksize:1024 label:xfslabel
vfs-type /dev/sda
vfs-label /dev/sda
-mkfs xfs /dev/sda label:toolongxfslabel
-mkfs xfs /dev/sda blocksize:131072
mkfs xfs /dev/sda
echo ---info
xfs-info /dev/sda | grep -v mntpoint
-xfs-info /dev/sdb
-xfs-info /dev/sdz
-xfs-info /zz
mount /dev/sda /
xfs-info / | grep -v mntpoint
xfs-info /dev/sda | grep -v mntpoint
mkdir /d
-xfs-info /zz
-xfs-info /d
umount-all
echo ---admin
xfs-admin /dev/sda
xfs-admin /dev/sda label:foo
vfs-label /dev/sda
-xfs-admin /dev/sda label:toolongxfslabel
xfs-admin /dev/sda label:--
vfs-label /dev/sda
xfs-admin /dev/sda uuid:11111111-2222-3333-4444-555555555555
vfs-uuid /dev/sda
xfs-admin /dev/sda uuid:nil
vfs-uuid /dev/sda
xfs-admin /dev/sda uuid:generate
vfs-uuid /dev/sda | wc -c
-xfs-admin /dev/sda lazycounter:true
-xfs-admin /dev/sda lazycounter:false
-xfs-admin /dev/sda extunwritten:true
-xfs-admin /dev/sda v2log:true
-xfs-admin /dev/sda projid32bit:true
-xfs-admin /dev/sda extunwritten:false imgfile:false v2log:false projid32bit:false
-xfs-admin /dev/sdb label:foo
-xfs-admin /dev/sdb uuid:generate
set-label /dev/sda newxfs
-set-label /dev/sda toolongxfslabel
vfs-label /dev/sda
set-uuid /dev/sda 11111111-2222-3333-4444-555555555555
vfs-uuid /dev/sda
findfs-uuid 11111111-2222-3333-4444-555555555555
set-uuid-random /dev/sda
vfs-uuid /dev/sda | wc -c
-vfs-minimum-size /dev/sda
echo ---repair
xfs-repair /dev/sda
xfs-repair /dev/sda nomodify:true
xfs-repair /dev/sda forcelogzero:true noprefetch:true
xfs-repair /dev/sda forcegeometry:true
xfs-repair /dev/sda maxmem:100
xfs-repair /dev/sda ihashsize:10 bhashsize:1000 agstride:1
-xfs-repair /dev/sda maxmem:-1
-xfs-repair /dev/sda ihashsize:-1
-xfs-repair /dev/sda bhashsize:-1
-xfs-repair /dev/sda agstride:-1
xfs-repair /dev/sdb nomodify:true
-xfs-repair /dev/sdz
-xfs-repair /nofile
mount /dev/sda /
xfs-repair /dev/sda
xfs-repair /d
-xfs-repair / maxmem:-1
echo ---grow
xfs-growfs /
xfs-growfs / datasec:true
-xfs-growfs / logsec:true
-xfs-growfs / rtsec:true
xfs-growfs / datasize:102400
-xfs-growfs / datasize:10
-xfs-growfs / datasize:500000
-xfs-growfs / datasize:-1
-xfs-growfs / logsize:-1
-xfs-growfs / logsize:2000
-xfs-growfs / rtsize:-1
-xfs-growfs / rtsize:100
-xfs-growfs / rtextsize:-1
-xfs-growfs / rtextsize:100
xfs-growfs / maxpct:50
-xfs-growfs / maxpct:-1
-xfs-growfs / maxpct:101
-xfs-growfs /zz
-xfs-growfs /d
xfs-info / | grep -v mntpoint
vfs-minimum-size /dev/sda
-set-uuid /dev/sda 11111111-2222-3333-4444-555555555555
umount-all
echo ---volume
part-disk /dev/sdb mbr
pvcreate /dev/sdb1
vgcreate VG /dev/sdb1
lvcreate LV VG 320
mkfs xfs /dev/VG/LV blocksize:1024 label:lvlab
xfs-info /dev/VG/LV
mount /dev/VG/LV /
lvresize /dev/VG/LV 360
vfs-minimum-size /dev/VG/LV
xfs-growfs /
xfs-info / | grep -v mntpoint
vfs-minimum-size /dev/VG/LV
umount-all
set-label /dev/VG/LV foo
vfs-label /dev/VG/LV
findfs-label foo
list-dm-devices
vfs-type /dev/VG
-zero /dev/VG
