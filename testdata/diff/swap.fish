# swap space
sparse swap-a.img 100M
sparse swap-b.img 100M
run
echo ---mkswap
mkswap /dev/sda label:sw1 uuid:11111111-2222-3333-4444-555555555555
vfs-type /dev/sda
vfs-label /dev/sda
vfs-uuid /dev/sda
-mkswap /dev/sda label:toolongswaplabel01234
vfs-label /dev/sda
-mkswap /dev/sda uuid:foo
mkswap-opts /dev/sda
vfs-label /dev/sda
mkswap-L sw2 /dev/sda
vfs-label /dev/sda
mkswap-U 21111111-2222-3333-4444-555555555555 /dev/sda
vfs-uuid /dev/sda
-mkswap-U foo /dev/sda
-mkswap-L toolongswaplabel01234 /dev/sda
-mkswap /dev/sdz
echo ---device
mkswap /dev/sda label:sw3
swapon-device /dev/sda
-swapon-device /dev/sda
-mkswap /dev/sda
debug sh "cat /proc/swaps" | grep .
swapoff-device /dev/sda
-swapoff-device /dev/sda
-swapon-device /dev/sdb
-swapon-device /dev/sdz
debug sh "cat /proc/swaps" | grep .
echo ---label and UUID
mkswap /dev/sda label:sw3
swapon-label sw3
debug sh "cat /proc/swaps" | grep .
swapoff-label sw3
-swapoff-label sw3
-swapon-label nosuch
-swapoff-label nosuch
-swapon-uuid 31111111-2222-3333-4444-555555555555
-swapoff-uuid 31111111-2222-3333-4444-555555555555
-swapon-uuid foo
echo ---file
mkfs ext4 /dev/sdb
-swapon-device /dev/sdb
mount /dev/sdb /
fill 0 20000000 /swap
mkdir /d
mkswap-file /swap
-mkswap-file /zz
-mkswap-file /d
swapon-file /swap
debug sh "cat /proc/swaps" | grep .
-swapon-file /swap
swapoff-file /swap
-swapoff-file /swap
-swapon-file /zz
-swapoff-file /zz
touch /hole
truncate-size /hole 20000000
-mkswap-file /hole
-swapon-file /hole
fill 0 4096 /tiny
-mkswap-file /tiny
fill 0 1000000 /noswap
-swapon-file /noswap
-swapon-file /d
swapon-file /swap
-umount /
swapoff-file /swap
umount /
echo ---set
-set-label /dev/sda l12345678901234567
vfs-label /dev/sda
set-uuid-random /dev/sda
set-label /dev/sda ok
vfs-label /dev/sda
set-uuid /dev/sda 11111111-2222-3333-4444-555555555555
vfs-uuid /dev/sda
mkswap /dev/sda uuid:51111111-2222-3333-4444-555555555555
swapon-uuid 51111111-2222-3333-4444-555555555555
debug sh "cat /proc/swaps" | grep -c partition
swapoff-uuid 51111111-2222-3333-4444-555555555555
debug sh "cat /proc/swaps" | grep -c partition
