# encrypted devices; a line after a command that wants a key is the key
sparse luks1.img 32M
sparse luks2.img 64M
run
echo ---format
-luks-format /dev/sda 50
secret
-luks-format /dev/sda -1
secret
luks-format /dev/sda 2
secret
vfs-type /dev/sda
-luks-uuid /dev/sdb
-luks-format /dev/sdz 0
secret
debug sh "cryptsetup luksDump /dev/sda" | grep -E "^Version|cipher:|^  [0-9]+: luks2"
debug sh "cryptsetup luksUUID /dev/sda" | cat > uuid
luks-uuid /dev/sda | diff - uuid
echo ---format with a cipher
-luks-format-cipher /dev/sdb 0 nonsense
secret
luks-format-cipher /dev/sdb 3 aes-cbc-essiv:sha256
other
debug sh "cryptsetup luksDump /dev/sdb" | grep -E "^Version|cipher:|^  [0-9]+: luks2"
list-filesystems
list-dm-devices
echo ---open
# the same with a key that takes no time to check
debug sh "echo -n secret > /tmp/key"
debug sh "cryptsetup -q luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 -S 2 /dev/sda /tmp/key"
-luks-open /dev/sda m
wrong
-luks-open /dev/sda a/b
secret
luks-open /dev/sda m
secret
-luks-open /dev/sda m
secret
-cryptsetup-open /dev/sda m
secret
-cryptsetup-open /dev/sdb b crypttype:nonsense
other
list-dm-devices
list-filesystems
mkfs ext4 /dev/mapper/m label:inside
vfs-label /dev/mapper/m
list-filesystems
canonical-device-name /dev/mapper/m
blockdev-getro /dev/mapper/m
mount /dev/mapper/m /
write /hello world
mountpoints
echo ---close
-luks-close /dev/mapper/m
-cryptsetup-close /dev/mapper/m
umount /
-luks-close /dev/sda
-cryptsetup-close /dev/sda
-luks-close /dev/mapper/none
cryptsetup-close /dev/mapper/m
-luks-close /dev/mapper/m
list-dm-devices
echo ---read only
luks-open-ro /dev/sda ro
secret
blockdev-getro /dev/mapper/ro
mount-ro /dev/mapper/ro /
cat /hello
umount /
-mkfs ext4 /dev/mapper/ro
luks-close /dev/mapper/ro
cryptsetup-open /dev/sda ro readonly:true
secret
blockdev-getro /dev/mapper/ro
cryptsetup-close /dev/mapper/ro
echo ---keys
luks-add-key /dev/sda 1
secret
second
-luks-add-key /dev/sda 1
secret
third
-luks-add-key /dev/sda 99
secret
third
-luks-add-key /dev/sda 5
wrong
third
debug sh "cryptsetup luksDump /dev/sda" | grep -E "^  [0-9]+: luks2"
luks-kill-slot /dev/sda 2
second
-luks-kill-slot /dev/sda 2
second
-luks-kill-slot /dev/sda 99
second
-luks-kill-slot /dev/sdc 1
second
debug sh "cryptsetup luksDump /dev/sda" | grep -E "^  [0-9]+: luks2"
-luks-open /dev/sda m
secret
cryptsetup-open /dev/sda m crypttype:luks2
second
mount /dev/mapper/m /
cat /hello
umount /
cryptsetup-close /dev/mapper/m
echo ---version 1, with volumes inside
debug sh "echo -n old > /tmp/key"
debug sh "cryptsetup -q luksFormat --type luks1 --pbkdf-force-iterations 1000 /dev/sda /tmp/key"
luks-open /dev/sda old
old
pvcreate /dev/mapper/old
vgcreate VG /dev/mapper/old
lvcreate LV VG 8
list-filesystems
-cryptsetup-close /dev/mapper/old
vg-activate-all false
cryptsetup-close /dev/mapper/old
lvs
-cryptsetup-open /dev/sda old crypttype:luks2
old
cryptsetup-open /dev/sda old crypttype:luks1
old
lvm-scan true
lvs
pvs
list-filesystems
echo ---not encrypted
wipefs /dev/sdb
-luks-open /dev/sdb b
other
-cryptsetup-open /dev/sdb b
other
-cryptsetup-open /dev/sdb b crypttype:bitlk
other
-luks-add-key /dev/sdb 1
other
third
list-dm-devices
