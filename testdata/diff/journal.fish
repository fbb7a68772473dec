# systemd's journal, written by systemd-journal-remote on the host
sparse j.img 40M
!mkdir j; for i in 1 2 3 4 5; do printf '__REALTIME_TIMESTAMP=160000000%d000000\n__MONOTONIC_TIMESTAMP=%d000\n_BOOT_ID=0123456789abcdef0123456789abcdef\n_MACHINE_ID=fedcba9876543210fedcba9876543210\nMESSAGE=entry %d = good\nPRIORITY=%d\n' $i $i $i $i; [ $i != 3 ] || printf 'BINARY\n\005\0\0\0\0\0\0\0a\nb\001c\nEMPTY=\nLONG=%03000d\nSHORT=%070d\n' 7 8; echo; done > export
!/lib/systemd/systemd-journal-remote -o j/system.journal - < export >/dev/null 2>&1
run
mkfs ext4 /dev/sda
mount /dev/sda /
mkdir-p /var/log
copy-in j /var/log/
-journal-next
-journal-close
-journal-skip 1
-journal-get
-journal-get-realtime-usec
-journal-get-data-threshold
-journal-set-data-threshold 5
-journal-open /nosuch
-journal-open rel
journal-open /var
-journal-next
journal-open /var/log/j
-journal-get
-journal-get-realtime-usec
journal-get-data-threshold
journal-skip 0
journal-skip -1
journal-next
journal-get
journal-get-realtime-usec
journal-skip 1
journal-get-realtime-usec
journal-get | cut -c 1-60
journal-get | wc -c
journal-set-data-threshold 40
journal-get-data-threshold
journal-get | awk 'length() > 200 { print length() }'
journal-set-data-threshold 0
journal-get-data-threshold
-journal-set-data-threshold -1
journal-get | wc -c
journal-skip -2
journal-get-realtime-usec
journal-skip 100
journal-get-realtime-usec
journal-next
journal-next
journal-get-realtime-usec
journal-skip -100
journal-get-realtime-usec
journal-skip -1
journal-skip 2
journal-get-realtime-usec
-umount /
journal-close
-journal-close
umount /
mount /dev/sda /
journal-open /var/log/j
journal-next
umount-all
-journal-next
mount /dev/sda /
write /var/log/j/bad.journal "no journal"
journal-open /var/log/j
journal-skip 1000
journal-close
