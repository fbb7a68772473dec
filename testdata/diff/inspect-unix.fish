# Unix, DOS and unusual Linux systems, as far as the files in their root
# tell: mkdistros writes them, each to a partition of its own. guestfish mixes up BSDs on one disk, so there is one.
!mkdistros d.img freebsd hurd minix freedos ms-dos void gentoo gentoo-with-os-release alpine arch frugalware coreos-usr coreos-root
add d.img readonly:true
run
inspect-os | sort
<! for i in $(seq 13); do echo "echo --- $i"; for q in type distro product-name product-variant major-version minor-version arch hostname package-format package-management filesystems mountpoints osinfo; do echo "-inspect-get-$q /dev/sda$i"; done; done
