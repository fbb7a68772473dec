# A folder of the host, shared by qemu itself.
!mkdir shared && echo hello >shared/file
sparse a.img 10M
config -fsdev local,id=f0,path=shared,security_model=none
config -device virtio-9p-pci,fsdev=f0,mount_tag=share
config -fsdev local,id=f1,path=shared,security_model=none
config -device virtio-9p-pci,fsdev=f1,mount_tag=other
run
list-9p
mkfs ext2 /dev/sda
mount /dev/sda /
mkdir /m
mount-9p share /m
cat /m/file
write /m/back there
umount /m
!cat shared/back
mount-9p other /m options:ro
-write /m/third x
cat /m/back
umount /m
mount-9p other /m options:version=9p2000.L,msize=8192
ll /m | grep -c file
umount-all
-mount-9p none /m
-mount-9p share /
