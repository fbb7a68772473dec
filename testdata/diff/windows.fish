# A Windows as far as its files and hives tell: a test's own program writes them.
sparse win.img 40M
!mkhives . "Windows 7 Professional" 12345678 65536
run
part-disk /dev/sda mbr
pwrite-device /dev/sda "\x78\x56\x34\x12" 440
part-set-mbr-id /dev/sda 1 7
blockdev-rereadpt /dev/sda
mkfs ntfs /dev/sda1
mount /dev/sda1 /
mkdir-p /Windows/System32/config
mkdir /Users
upload software /Windows/System32/config/SOFTWARE
upload system /Windows/System32/config/SYSTEM
upload cmd.exe /Windows/System32/cmd.exe
write /Users/hello.txt "hi\n"
inspect-os
inspect-get-type /dev/sda1
inspect-get-distro /dev/sda1
inspect-get-product-name /dev/sda1
inspect-get-product-variant /dev/sda1
inspect-get-major-version /dev/sda1
inspect-get-minor-version /dev/sda1
inspect-get-arch /dev/sda1
inspect-get-hostname /dev/sda1
inspect-get-osinfo /dev/sda1
inspect-get-mountpoints /dev/sda1
inspect-get-drive-mappings /dev/sda1
inspect-get-windows-systemroot /dev/sda1
inspect-get-windows-software-hive /dev/sda1
inspect-get-windows-system-hive /dev/sda1
inspect-get-windows-current-control-set /dev/sda1
mount /dev/sda1 /
cat win:c:\users\HELLO.TXT
ls win:c:\windows
-cat win:d:\x
inspect-list-applications2 /dev/sda1
inspect-list-applications /dev/sda1
inspect-get-icon /dev/sda1 | wc -c
upload cmd.exe /Windows/Explorer.exe
inspect-get-icon /dev/sda1 | wc -c
mkdir /Windows/SysWOW64
upload explorer.exe /Windows/SysWOW64/explorer.EXE
inspect-get-icon /dev/sda1 | pngtopnm | md5sum
inspect-get-icon /dev/sda1 favicon:false highquality:true | pngtopnm | md5sum
umount /
-inspect-list-applications2 /dev/sda1
