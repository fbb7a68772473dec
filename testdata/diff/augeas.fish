# The guest's configuration as a tree
sparse a.img 60M
run
mkfs ext4 /dev/sda
-aug-init / 0
mount /dev/sda /
mkdir /etc
write /etc/hosts "127.0.0.1 localhost\n::1 six\n"
write /etc/fstab "/dev/sda / ext4 defaults 0 1\n"
write /etc/passwd "root:x:0:0:root:/root:/bin/bash\n"
-aug-get /files
-aug-set /files/x y
-aug-clear /files/x
-aug-setm /files x y
-aug-label /files
-aug-rm /files
-aug-mv /files /x
-aug-match /files
-aug-ls /files
-aug-defvar x y
-aug-defnode x y z
-aug-insert /files x true
-aug-load
-aug-save
-aug-transform Hosts.lns /x
-aug-close
-aug-init rel 0
aug-init / 0
aug-ls /
aug-ls ""
aug-ls /files/etc
aug-ls /nosuch
-aug-ls /files/
-aug-ls /files/etc/hosts[1]
-aug-ls /files/*
-aug-ls "/x["
aug-match /files/etc/hosts/*
aug-match /files/etc/*
aug-match /nosuch
-aug-match "/files["
aug-get /files/etc/hosts/1/ipaddr
aug-get /augeas/version
-aug-get /nosuch
-aug-get /augeas
-aug-get /files/etc/hosts/*
-aug-get "/files["
aug-label /files/etc/hosts/1
aug-label /files/etc/hosts/1/ipaddr
-aug-label /nosuch
-aug-label /
-aug-label /files/etc/*
aug-defvar h /files/etc/hosts/*
aug-match $h/ipaddr
aug-defvar text "'abc'"
aug-defvar h ""
-aug-match $h/ipaddr
-aug-defvar "1 x" /files/etc/hosts/*
aug-defnode n /files/etc/hosts/1/alias foo
aug-defnode m /files/etc/hosts/2/alias bar
aug-defnode k /files/etc/hosts/03/ipaddr 1.2.3.4
-aug-defnode v "/files/a[" x
aug-set /files/etc/hosts/03/canonical three
-aug-set /files/etc/hosts/*/canonical three
aug-setm /files/etc/hosts/* canonical all
aug-setm /files/etc/hosts/*/ipaddr "" 9.9.9.9
-aug-setm "/files[" a b
aug-get /files/etc/hosts/2/ipaddr
aug-insert /files/etc/hosts/1 04 true
aug-insert /files/etc/hosts/1 05 false
-aug-insert /files/nosuch 01 true
-aug-insert /files/etc/hosts/1 a/b true
aug-ls /files/etc/hosts
aug-rm /files/etc/hosts/04
aug-rm /files/etc/hosts/05
aug-rm /nosuch
-aug-rm "/files["
aug-mv /files/etc/hosts/2 /files/etc/hosts/06
-aug-mv /nosuch /x
-aug-mv /files/etc/hosts/1 /files/etc/hosts/1/x
aug-rm /files/etc/hosts/1/x
-aug-mv /files/etc/hosts/* /x
aug-clear /files/etc/hosts/1/alias
-aug-clear /files/etc/hosts/*
-aug-get /files/etc/hosts/1/alias
aug-rm /files/etc/hosts/1/alias
aug-save
cat /etc/hosts
aug-set /files/etc/hosts/1/nonsense 1
-aug-save
aug-match /augeas//error
-aug-get /augeas/files/etc/hosts/error
aug-load
aug-match /augeas//error
aug-match /files/etc/hosts/*
-aug-transform nosuch /etc/x
-aug-transform nosuch.lns /etc/x
aug-transform Hosts.lns /etc/other
aug-match /augeas/load/Hosts/*
write /etc/other "1.1.1.1 other\n"
aug-load
aug-get /files/etc/other/1/canonical
aug-transform Hosts.lns /etc/other remove:true
aug-match /augeas/load/Hosts/*
umount-all
-aug-ls /
mount /dev/sda /
# a copy of the original stays, the changed file is a new one, or nothing is saved
aug-init / 1
aug-set /files/etc/fstab/1/passno 2
aug-save
cat /etc/fstab.augsave
cat /etc/fstab
aug-set /augeas/save newfile
aug-set /files/etc/fstab/1/passno 3
aug-save
cat /etc/fstab.augnew
cat /etc/fstab
aug-set /augeas/save noop
aug-set /files/etc/fstab/1/passno 4
aug-save
cat /etc/fstab
aug-match /augeas/events/saved
umount /
-aug-save
aug-close
-aug-close
mount-ro /dev/sda /
aug-init /etc 32
aug-ls /files
aug-close
