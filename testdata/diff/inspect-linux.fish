# Other Linux systems, as far as the files in their root tell: mkdistros writes them, each to a partition
# of its own.
!mkdistros d.img alt mageia openmandriva mint ubuntu-8 debian-5 debian-sid pardus meego slackware ttylinux cirros buildroot kali nobodys nobodys-with-a-name
add d.img readonly:true
run
inspect-os | sort
<! for i in $(seq 16); do echo "echo --- $i"; for q in type distro product-name product-variant major-version minor-version arch hostname package-format package-management filesystems mountpoints osinfo; do echo "-inspect-get-$q /dev/sda$i"; done; done
