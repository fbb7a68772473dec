# the appliance itself
sparse app.img 10M
run
-ping-daemon
-echo-daemon "a b c"
-echo-daemon ""
-sleep 0
-debug nope ""
-debug sh "echo hello"
-debug sh "false"
-debug sh "echo err >&2; exit 3"
-debug ls "/sysroot"
-debug ls "/nope"
-debug progress "1"
-debug progress ""
-debug progress "-1"
-debug progress "1 100000"
-debug sh ""
-drop-caches 3
-drop-caches 9
-modprobe loop
-modprobe nosuchmodule
-available "lvm2 ntfs3g"
-feature-available "lvm2"
-feature-available "foo"
-available "foo"
-filesystem-available ext4
-filesystem-available nosuchfs
-filesystem-available "a-b"
utsname | grep sysname
-ping-daemon
-list-devices
-nr-devices
-is-whole-device /dev/sda
-part-disk /dev/sda mbr
-is-whole-device /dev/sda1
-is-whole-device /dev/sdz
-device-index /dev/sda
-list-disk-labels
dmesg | grep -c "Linux version"
! echo uploaded > host
debug-upload host /tmp/uploaded 0600
debug sh "cat /tmp/uploaded; stat -c %a /tmp/uploaded"
-debug-upload host /nosuch/uploaded 0600
-debug-upload nosuch /tmp/uploaded 0600
