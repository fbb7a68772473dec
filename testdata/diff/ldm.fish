# Windows dynamic disks
! mkldm win-a.img win-b.img
sparse none.img 32M
add win-a.img
add win-b.img
run
echo ---what launch has made
list-ldm-volumes
list-ldm-partitions
list-partitions
echo ---groups
ldmtool-scan
ldmtool-scan-devices /dev/sdb
ldmtool-scan-devices "/dev/sdb /dev/sdc"
ldmtool-scan-devices ""
-ldmtool-scan-devices /dev/sdz
ldmtool-diskgroup-name a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01
ldmtool-diskgroup-volumes a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01
ldmtool-diskgroup-disks a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01
-ldmtool-diskgroup-name a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b99
-ldmtool-diskgroup-volumes nonsense
-ldmtool-diskgroup-disks nonsense
echo ---volumes
ldmtool-volume-type a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01 Volume1
ldmtool-volume-type a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01 Volume2
ldmtool-volume-type a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01 Stripe1
ldmtool-volume-type a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01 Mirror1
ldmtool-volume-hint a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01 Mirror1
ldmtool-volume-partitions a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01 Volume1
ldmtool-volume-partitions a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01 Volume2
ldmtool-volume-partitions a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01 Mirror1
-ldmtool-volume-type a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01 None
-ldmtool-volume-hint nonsense Volume1
-ldmtool-volume-partitions a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01 None
echo ---content
mkfs ext2 /dev/mapper/ldm_vol_DESKTOP-Dg0_Stripe1
mkfs ext4 /dev/mapper/ldm_vol_DESKTOP-Dg0_Volume2
blockdev-getsize64 /dev/mapper/ldm_vol_DESKTOP-Dg0_Volume2
blockdev-getsize64 /dev/mapper/ldm_vol_DESKTOP-Dg0_Stripe1
vfs-type /dev/mapper/ldm_vol_DESKTOP-Dg0_Stripe1
mount /dev/mapper/ldm_vol_DESKTOP-Dg0_Stripe1 /
write /hello world
umount /
echo ---gone and back
ldmtool-remove-all
list-ldm-volumes
list-ldm-partitions
list-dm-devices
ldmtool-remove-all
ldmtool-create-all
ldmtool-create-all
list-ldm-volumes
mount /dev/mapper/ldm_vol_DESKTOP-Dg0_Stripe1 /
cat /hello
umount /
list-dm-devices
# guestfish lists volumes of dynamic disks twice
list-filesystems | sort -u
