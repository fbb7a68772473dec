libguestfs: warning: /etc/fstab:4: /dev/disk/by-id/ata-Some…onandonandonandon-part7 for /xxxxxxxxxxxxxxx…xxxxxxxxxxxxxxx is left out: something is mounted there already
libguestfs: error: mount_ro: mount: /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: mount point is not a directory
gofish: some filesystems could not be mounted (ignored)
