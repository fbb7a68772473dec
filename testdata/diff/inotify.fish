# watching for changes
sparse l.img 20M
run
mkfs ext2 /dev/sda
mount /dev/sda /
mkdir /d
mkdir /e
write /d/a hello
-inotify-read
-inotify-files
-inotify-close
-inotify-add-watch /d 256
-inotify-rm-watch 1
inotify-init 0
-inotify-init 0
inotify-add-watch /d 4095
-inotify-add-watch /nosuch 4095
-inotify-add-watch /d 0
touch /d/b
write /d/b "xx"
rm /d/b
rename /d/a /d/c
inotify-read | sed /cookie/d
touch /d/zz
inotify-files
inotify-rm-watch 1
-inotify-rm-watch 7
touch /d/yy
inotify-read | sed /cookie/d
inotify-close
-inotify-close
inotify-init 100
inotify-close
-inotify-init -1
