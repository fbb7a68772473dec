# files and archives in and out
! seq 1 30 > hostfile
! printf 'one two\nthree\r\nfour' > nonl
! seq 1 20000 | md5sum | head -c 20 > rnd; seq 1 9000 | gzip -nc >> rnd
! printf 'foo\nFoo bar\nbaz\n' > w.txt; gzip -nc w.txt > w.gz; xz -c w.txt > w.xz; echo a | gzip -nc > a.gz
! mkdir -p tree/sub tree/empty; echo hi > tree/f; ln -s f tree/l; echo script > tree/sub/x; chmod 755 tree/sub/x; touch tree/.hid
! cd tree; find . | cpio --quiet -o -H newc | gzip -n > ../i.gz
! tar cf t.tar tree; base64 rnd > rnd.b64; echo 'bad!!!' > bad.b64
sparse transfer.img 200M
sparse second.img 10M
run
mkfs ext4 /dev/sda
mount /dev/sda /
-mkdir /d
-mkfifo 0644 /fifo
-write /hello "hello world\n"
-ln-s /hello /lnk
-upload hostfile /d
-upload hostfile /nodir/x
-upload hostfile /lnk
-cat /hello
-upload-offset nonl /hello 5
-cat /hello
-upload-offset nonl /zz 5
-hexdump /zz
-upload hostfile /dev/sdb
-download /zz out1
-download /hello /nodir/out
-download-offset /hello - 2 5
-download-offset /hello - 2000 5
-download-offset /hello - -2 5
-download-offset /hello - 2 -5
-download-offset /dev/sdb - 5 5
-download-offset /d - 2 5
echo ---tar
-tar-in t.tar /d
-find /d
-ll /d/tree | grep -v ' \.\.$' | sed -E 's/ [A-Z][a-z]{2} [ 0-9]{2} [ 0-9:]{5} / DATE /'
-tar-in t.tar /zz
-tar-in t.tar /hello
-tar-in rnd /d
-tar-in a.gz /d
-tar-in t.tar /d xattrs:true selinux:true acls:true
-tar-out /d/tree - numericowner:true "excludes:f sub" | tar tf - | sort
-tar-out /zz -
-tar-out /hello -
-tar-out zz -
-tar-out /d - compress:gzip | tar tzf - | sort
-tar-out /d - compress:foo
-tar-out /d/tree - xattrs:true selinux:true acls:true | tar tf - | sort
-tgz-in t.tar /d
-tgz-out /d/tree out.tgz
-tgz-in out.tgz /d
-txz-out /d/tree out.txz
-txz-in out.txz /d
-base64-in rnd.b64 /rnd
-checksum md5 /rnd
-base64-in bad.b64 /bad
-base64-in rnd.b64 /nodir/bad
-base64-in rnd.b64 /d
-base64-out /hello -
-base64-out /zz -
-base64-out /d -
-base64-out /rnd - | md5sum
-cpio-out /d - | cpio -t | sort
-cpio-out /d - format:crc | file -
-cpio-out /d - format:newc | file -
-cpio-out /d - format:foo
-cpio-out /zz -
-cpio-out /hello -
-compress-out gzip /hello - | zcat
-compress-out gzip /hello - level:3 | zcat
-compress-out gzip /hello - level:30
-compress-out foo /hello -
-compress-out bzip2 /hello - | bzcat
-compress-out xz /hello - | xzcat
-copy-in nofile /d
-copy-in hostfile /zz
-find /d
-copy-out /zz .
-copy-out /d nodir
-download /hello copy
! cmp copy copy && wc -c copy
-tar-out /d - | tar -tvf - | awk '{print $1, $2, $6, $7, $8}' | sort
! mkdir -p out
-copy-in tree /d
-copy-in hostfile tree/f /d
-find /d
-copy-out /d /hello out
! cd out; find . | sort
-copy-out /d/tree/l out
-compress-device-out gzip /dev/sdb - | zcat | md5sum
-compress-out gzip /zz - | zcat | od -c | head -3
echo ---copydev
-copy-device-to-device /dev/sdb /dev/sdb size:512 destoffset:4096
-copy-device-to-file /dev/sdb /df
-filesize /df
-copy-device-to-file /dev/sdb /df2 size:1000 srcoffset:10
-filesize /df2
-copy-device-to-file /dev/sdb /df2 size:1000 append:true
-filesize /df2
-copy-device-to-file /dev/sdb /df3 size:100M
-copy-device-to-file /dev/sdb /d
-copy-device-to-file /dev/sdb /nodir/x
-copy-device-to-file /dev/sdb /df2 size:-1
-copy-device-to-file /dev/sdb /df2 size:-2
-copy-device-to-file /dev/sdb /df2 srcoffset:-2
-copy-device-to-file /dev/sdb /df2 destoffset:-2
-copy-file-to-device /hello /dev/sdb
-copy-file-to-device /hello /dev/sdb append:true
-copy-file-to-device /zz /dev/sdb
-copy-file-to-file /hello /h2
-cat /h2
-copy-file-to-file /hello /h2 append:true
-filesize /h2
-copy-file-to-file /hello /h2 destoffset:3 append:true
-copy-file-to-file /hello /h2 destoffset:3
-filesize /h2
-copy-file-to-file /hello /h2 size:5
-filesize /h2
-filesize /h2
-copy-file-to-file /d /h2
-copy-file-to-file /zz /h2
-copy-size /hello /h3 5
-filesize /h3
-copy-size /hello /h3 5000
-copy-size /zz /h3 5
-copy-size /hello /h3 -5
-dd /hello /h4
-cat /h4
-dd /zz /h4
