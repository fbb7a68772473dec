# Systems of the families of Red Hat and SUSE, as far as the files in their root
# tell: mkdistros writes them, each to a partition of its own. guestfish mixes up BSDs on one disk, so there is one.
!mkdistros d.img netbsd opensuse-13 sles-11 sled-10 suse-9 leap tumbleweed rhel-9 rhel-7 rhel-5 rhel-4-with-an-update red-hat-linux-9 centos-5 centos-7 scientific fedora-14 rawhide like-red-hat oracle-6 rocky
add d.img readonly:true
run
inspect-os | sort
<! for i in $(seq 20); do echo "echo --- $i"; for q in type distro product-name product-variant major-version minor-version arch hostname package-format package-management filesystems mountpoints osinfo; do echo "-inspect-get-$q /dev/sda$i"; done; done
