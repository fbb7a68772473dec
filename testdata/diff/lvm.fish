# logical volumes
sparse one.img 300M
sparse two.img 200M
run
echo ---nothing there
-pvs
-vgs
-lvs
-pvs-full
-vgs-full
-lvs-full
-vgscan
-lvm-remove-all
-vg-activate-all true
echo ---physical volumes
part-init /dev/sda mbr
part-add /dev/sda p 2048 204799
part-add /dev/sda p 204800 -1
-pvcreate /dev/sda1
-pvcreate /dev/sda2
-pvcreate /dev/sdb
-pvcreate /dev/sda
-pvcreate /dev/sdz
-pvs | sort
-pvs-full | sed /uuid/d | grep -v pv_name | head -14
echo ---volume groups
-vgcreate VG1 "/dev/sda1 /dev/sda2"
-vgcreate VG2 /dev/sdb
-vgcreate VG2 /dev/sdb
-vgcreate VG3 ""
-vgcreate "bad name" /dev/sdb
-vgs
-vgs-full | sed /uuid/d | grep vg_name | sort
-pvcreate /dev/sda1
-pvremove /dev/sda1
echo ---logical volumes
-lvcreate LV-1 VG1 50
-lvcreate LV2 VG1 20
-lvcreate-free LV3 VG2 50
-lvcreate-free LV4 VG2 -1
-lvcreate-free LV4 VG2 101
-lvcreate LV4 VG2 10000
-lvcreate LV4 VGno 10
-lvcreate-free LV4 VGno 10
-lvcreate "bad name" VG1 10
-lvcreate LV3 VG2 10
-lvs
-lvs-full | grep lv_name | sort
-lvs-full | grep -v _uuid: | grep -v 'lv_name' | grep -v lv_kernel_minor | sort
-pvs-full | grep pv_size | sort
-vgs-full | grep -v _uuid: | sort
echo ---names
-lvm-canonical-lv-name /dev/mapper/VG1-LV--1
-lvm-canonical-lv-name /dev/VG1/LV-1
-lvm-canonical-lv-name /dev/sda
-lvm-canonical-lv-name /dev/foo
-lvm-canonical-lv-name foo
-is-lv /dev/VG1/LV-1
-is-lv /dev/mapper/VG2-LV3
-is-lv /dev/sda1
-is-lv /dev/VG1/none
-lvrename /dev/VG1/LV2 /dev/VG1/LVnew
-lvrename /dev/VG1/LVno /dev/VG1/LVnew
-vgrename VG2 VG3
-vgrename VG2 VG3
-vgrename VG1 VG3
-lvs
-is-lv /dev/VG3/LV3
-is-lv /dev/VG2/LV3
echo ---sizes
-lvresize /dev/VG1/LV-1 60
-lvs-full | grep lv_size | sort
-lvresize /dev/VG1/LVnew 40
-lvs-full | grep lv_size | sort
-lvresize /dev/VG1/LVnew 30
-lvs-full | grep lv_size | sort
-lvresize /dev/VG1/LVnew 3000
-lvresize /dev/VG1/LVnew 0
-lvresize-free /dev/VG1/LVnew 50
-lvs-full | grep lv_size | sort
-lvresize-free /dev/VG1/LVnew 150
-lvresize-free /dev/VG1/LVnew 0
-pvresize-size /dev/sdb 150M
-pvs-full | grep pv_size | sort
-pvresize-size /dev/sdb 10M
-pvresize-size /dev/sdb 1000G
-pvresize-size /dev/sda 1M
-pvresize /dev/sdb
-pvs-full | grep pv_size | sort
-pvresize /dev/sda
blockdev-getsize64 /dev/VG1/LV-1
echo ---content
mkfs ext2 /dev/VG1/LV-1
mount /dev/VG1/LV-1 /
write /hello world
-lvremove /dev/VG1/LV-1
-vg-activate-all false
-lvm-remove-all
umount-all
-lvs
mount-ro /dev/mapper/VG1-LV--1 /
cat /hello
umount-all
echo ---uuids
-pvuuid /dev/sda1 | wc -c
-vguuid VG1 | wc -c
-lvuuid /dev/VG1/LV-1 | wc -c
-vgpvuuids VG1 | wc -l
-vglvuuids VG1 | wc -l
-pvuuid /dev/sda
-vguuid VGno
-lvuuid /dev/sda
-vgpvuuids VGno
-vglvuuids VGno
-vgmeta VG1 | grep -c LVnew
-vgmeta VG3 | sed -n /extent_size/p
-vgmeta VGno
-pvchange-uuid /dev/sda1
-vgchange-uuid VG1
-vgchange-uuid VGno
-pvchange-uuid /dev/sda
echo ---scan and filter
-vgscan
-lvm-scan true
-lvm-scan false
-lvm-set-filter /dev/sdb
-pvs
-vgs
-lvs
-lvm-set-filter /dev/sda
-pvs
-vgs
-lvs
-lvm-set-filter "/dev/sda1 /dev/sda2 /dev/sdb"
-pvs | sort
-lvm-set-filter /dev/sda2
-pvs
-lvm-set-filter /dev/sdz
-lvm-clear-filter
-pvs | sort
-lvs
echo ---activation
-vg-activate-all false
-lvs-full | grep lv_kernel_major
-lvs
-is-lv /dev/VG1/LV-1
-lvremove /dev/VG1/LV-1
-pvchange-uuid /dev/sda1
-pvchange-uuid-all
-vgchange-uuid VG1
-vgchange-uuid-all
-vg-activate true VG3
-is-lv /dev/VG1/LV-1
-vg-activate true "VG1 VG3"
-is-lv /dev/VG1/LV-1
-vg-activate false VG3
-is-lv /dev/VG3/LV3
-vg-activate true VGno
-vg-activate true ""
-is-lv /dev/VG3/LV3
-list-devices
-list-partitions
echo ---removal
-lvremove /dev/VG1/LV-1
-lvremove /dev/VG1/LV-1
-lvs
-lvremove /dev/VG1
-lvs
-vgremove VG1
-vgremove VG1
-vgs
-pvremove /dev/sda1
-pvremove /dev/sda1
-pvs | sort
-lvm-remove-all
-pvs
-vgs
-lvs
-pvs-full
