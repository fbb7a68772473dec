# files and directories
sparse files.img 200M
run
mkfs ext4 /dev/sda
mount /dev/sda /
-get-umask
echo ---touch
-touch /nodir/a
-touch nothing
-touch /a
-mkfifo 0644 /fifo
-touch /fifo
-mknod-c 0600 1 3 /null
-mknod-b 0600 7 0 /loop
-mknod 0100644 0 0 /mkn
-mknod -1 0 0 /mkn2
-mknod 010644 0 0 /mkn3
-mknod-b 0040644 0 0 /mkn4
-touch /null
-mkdir /d
-mkdir /d
-mkdir /x/y
-touch /d
-mkdir-p /p/q/r
-mkdir-p /p/q/r
-mkdir-p /a/b
-mkdir-p /a
-mkdir-mode /m -1
-mkdir-mode /m 0777
-ll / | grep -v ' \.\.$' | sed -E 's/ [A-Z][a-z]{2} [ 0-9]{2} [ 0-9:]{5} / DATE /'
-ll /d | grep -v ' \.\.$' | sed -E 's/ [A-Z][a-z]{2} [ 0-9]{2} [ 0-9:]{5} / DATE /'
-ll /nonexist | grep -v ' \.\.$' | sed -E 's/ [A-Z][a-z]{2} [ 0-9]{2} [ 0-9:]{5} / DATE /'
-ll /a | grep -v ' \.\.$' | sed -E 's/ [A-Z][a-z]{2} [ 0-9]{2} [ 0-9:]{5} / DATE /'
-ls /nonexist
-ls /a
-find /nonexist
-find /a
-find /
-find /p
-ln-s /a /sl
-ln-s nowhere /dang
-ln-s /d /sd
-ln-s ../../../etc/passwd /esc
-ln-s x /a
-ln /nothere /x
-ln /a /d
-ln /a /sl
-ln-f /a /d
-ln-s /a /d
-ln-sf /a /sl
-ln-sf q /d
-ls /d
-ln-f /a /sl2
-ln rel /x9
-ls /sl
-ls /sd
-readlink /a
-readlink /sl
-readlink /zz
-realpath /sl
-realpath /dang
-realpath /sd/..
-realpath /zz
echo ---rm
-rm /zz
-rm /d
-rm-f /zz
-rm-f /d
-rm-f /x/y/z
-rm-rf /zz
-rm-rf /
-rmdir /a
-rmdir /zz
-rmdir /p
-rmdir /
-mkdtemp /tmpXXXXXX | sed 's/......$//'
-glob rm-rf /tmp*
-mkdtemp /tmp/fooXXXXXX | sed 's/......$//'
-mktemp /tmp/fooXXXXXX
-mktemp /foo
-mktemp /foo suffix:.txt
-chmod -1 /a
-chmod 0777 /zz
-chmod 070000 /a
-chmod 04755 /a
-chmod 0600 /sl
-chmod 0600 /dang
-ll / | grep -v ' \.\.$' | sed -E 's/ [A-Z][a-z]{2} [ 0-9]{2} [ 0-9:]{5} / DATE /'
-chown 1000 1000 /zz
-chown 1000 1001 /sl
-chown -1 5 /a
-lchown 7 8 /sl
-lchown 7 8 /zz
-ll / | grep -v ' \.\.$' | sed -E 's/ [A-Z][a-z]{2} [ 0-9]{2} [ 0-9:]{5} / DATE /'
echo ---is
-exists /zz
-exists /dang
-exists /a/b
-is-file /dang
-is-file /sl
-is-file /sl followsymlinks:true
-is-dir /sd
-is-dir /sd followsymlinks:true
-is-dir /zz
-is-dir /a/x
-is-file /zz followsymlinks:true
-is-fifo /fifo
-is-chardev /null
-is-blockdev /loop
-is-symlink /sl
-is-socket /fifo
-is-symlink /zz
-is-symlink /a/b
-stat /zz
-lstat /zz
-statns /zz
-lstatnslist / "a zz d" | grep -v 'ino\|dev\|time'
-lstatlist /zz "a b"
-lstatlist / "a/b"
-readdir /zz
-readdir /a
-readlinklist / "sl a zz dang"
-readlinklist /zz "a"
echo ---cp
-cp /zz /b
-cp /a /b
-cp /d /e
-ls /d
-cp-a /d /e
-cp-r /d /f
-cp-r /zz /f
-cp-a /zz /f
-cp-a /d /e
-find /e
-mv /zz /y
-mv /b /b2
-mv /b2 /nodir/
-mv /d /a
-mv /d /d
-mv /d /d/x
-rename /zz /y
-rename /b2 /d
-rename /d /a
-case-sensitive-path /D/A
-case-sensitive-path /zz/a
-case-sensitive-path /zz
-case-sensitive-path /P/Q/R/new
-case-sensitive-path /
-case-sensitive-path /A/
-case-sensitive-path /a/b
-glob-expand /*
-glob-expand /* directoryslash:false
-glob-expand /{a,d,zz}
-glob-expand /zz*
-glob-expand /p/*/r
-glob-expand [
-glob-expand /[a-d]*
-glob-expand /s?
-glob-expand /d
-glob-expand /dang
-du /
-du /zz
-du /a
-du /p
-utimens /a 1000000000 5 1100000000 7
-lstatns /a | grep -v 'ino\|dev\|ctime'
-utimens /zz 1 1 1 1
-utimens /a -1 -1 -1 -2
-utimens /a 1 2000000000 1 1
-copy-attributes /a /zz
-copy-attributes /zz /a
-copy-attributes /a /d
-umask 0077
-umask -1
-umask 01000
-umask 07777
-umask 022
-get-umask
-ll / | grep -v ' \.\.$' | sed -E 's/ [A-Z][a-z]{2} [ 0-9]{2} [ 0-9:]{5} / DATE /'
echo ---and these succeed
ln /a /hard
lstatlist / "a hard" | grep -E "nlink|size"
lstat /hard | grep -E "nlink|mode"
readdir /p | grep name | sort
mktemp /tXXXXXX | sed s/......$//
mktemp /tXXXXXX suffix:.txt | sed s/t.......txt/t.txt/
glob is-file /t??????
llz /p | wc -l
ls0 /p - | tr "\\0" "\n"
find0 /p - | tr "\\0" "\n" | sort
