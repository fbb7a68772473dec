# Unix, DOS and unusual Linux systems, as far as the files in their root tell: mkdistros writes them, each to a partition of its own.
!mkdistros d.img freebsd freebsd-with-os-release netbsd openbsd openbsd-without-a-version hurd minix freedos ms-dos nixos void gentoo gentoo-with-os-release alpine arch arch-with-a-line frugalware coreos-usr coreos-root
add d.img readonly:true
run
inspect-os | sort
<! for i in $(seq 19); do echo "echo --- $i"; for q in type distro product-name product-variant major-version minor-version arch hostname package-format package-management filesystems mountpoints osinfo; do echo "-inspect-get-$q /dev/sda$i"; done; done
