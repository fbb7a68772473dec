# Logos of distributions: the file where each keeps it, and what is no logo.
sparse d.img 50M
!echo iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR4nGMQUDAgCTGMahjVMHw1AADrnmAB0TUKfAAAAABJRU5ErkJggg== | base64 -d > logo.png
!echo iVBORw0KGgoAAAANSUhEUgAAADAAAAAwCAIAAADYYG7QAAAAQ0lEQVR4nO3OQQ0AIAwAsUlAAhLwrw4XHI8mFdBZ+3xl8oGQkJBQPRASEhKqB0JCQkL1QEhISKgeCAkJCdUDISGhxy6rbmAuZ5HPIQAAAABJRU5ErkJggg== | base64 -d > favicon.png
!echo iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR4nGMQUDDAihiGlgQAWU8YATsut5kAAAAASUVORK5CYII= | base64 -d > tiny.png
!echo iVBORw0KGgoAAAANSUhEUgAABAEAAAAQCAIAAADoJPFiAAAAc0lEQVR4nO3XQQ0AIBDAsJOABCTgXx0u4LEmFbDvZu0DAAB0zPcCAADgJQ8AAAAtHgAAAFo8AAAAtHgAAABo8QAAANDiAQAAoMUDAABAiwcAAIAWDwAAAC0eAAAAWjwAAAC0eAAAAGjxAAAA0OIBAACg5QLUgAdpirGFqAAAAABJRU5ErkJggg== | base64 -d > wide.png
run
mkfs ext2 /dev/sda
mount /dev/sda /
mkdir /etc
mkdir /bin
mkdir /usr
write /etc/fstab "\n"
write /etc/os-release "ID=debian\nVERSION_ID=12\n"
inspect-os
mount /dev/sda /
mkdir-p /usr/share/pixmaps
inspect-get-icon /dev/sda | wc -c
upload logo.png /usr/share/pixmaps/debian-logo.png
inspect-get-icon /dev/sda | md5sum
inspect-get-icon /dev/sda highquality:true | md5sum
upload tiny.png /usr/share/pixmaps/debian-logo.png
-inspect-get-icon /dev/sda | wc -c
upload wide.png /usr/share/pixmaps/debian-logo.png
-inspect-get-icon /dev/sda | wc -c
write /usr/share/pixmaps/debian-logo.png "no picture"
inspect-get-icon /dev/sda | wc -c
rm /usr/share/pixmaps/debian-logo.png
upload logo.png /etc/alternative.png
ln-s /etc/alternative.png /usr/share/pixmaps/debian-logo.png
inspect-get-icon /dev/sda | md5sum
rm /usr/share/pixmaps/debian-logo.png
ln-s /dev/zero /usr/share/pixmaps/debian-logo.png
inspect-get-icon /dev/sda | wc -c
rm /usr/share/pixmaps/debian-logo.png
mkfifo 0644 /usr/share/pixmaps/debian-logo.png
inspect-get-icon /dev/sda | wc -c
rm /usr/share/pixmaps/debian-logo.png
upload logo.png /usr/share/pixmaps/debian-logo.png
upload favicon.png /etc/favicon.png
inspect-get-icon /dev/sda | md5sum
inspect-get-icon /dev/sda favicon:true highquality:true | md5sum
inspect-get-icon /dev/sda favicon:false | md5sum
rm /etc/favicon.png
write /etc/os-release "ID=rhel\nVERSION_ID=9\n"
inspect-os
mount /dev/sda /
mkdir-p /usr/share/icons/hicolor/96x96/apps
inspect-get-icon /dev/sda | wc -c
upload logo.png /usr/share/icons/hicolor/96x96/apps/system-logo-icon.png
inspect-get-icon /dev/sda | md5sum
inspect-get-icon /dev/sda highquality:true | md5sum
write /etc/os-release "ID=ubuntu\nVERSION_ID=22.04\n"
inspect-os
mount /dev/sda /
mkdir-p /usr/share/help/C/ubuntu-help/figures
inspect-get-icon /dev/sda | wc -c
upload logo.png /usr/share/help/C/ubuntu-help/figures/ubuntu-logo.png
inspect-get-icon /dev/sda | md5sum
inspect-get-icon /dev/sda highquality:true | md5sum
write /etc/os-release "ID=opensuse-leap\nVERSION_ID=15\n"
inspect-os
mount /dev/sda /
mkdir-p /usr/share/icons/hicolor/24x24/apps
inspect-get-icon /dev/sda | wc -c
upload logo.png /usr/share/icons/hicolor/24x24/apps/distributor.png
inspect-get-icon /dev/sda | md5sum
inspect-get-icon /dev/sda highquality:true | md5sum
write /etc/os-release "ID=arch\nVERSION_ID=1\n"
inspect-os
mount /dev/sda /
inspect-get-icon /dev/sda highquality:true | md5sum
upload favicon.png /etc/favicon.png
inspect-get-icon /dev/sda | md5sum
inspect-get-icon /dev/sda favicon:false | wc -c
-inspect-get-icon /dev/nosuch
umount /
-inspect-get-icon /dev/sda | wc -c
