# attributes, access lists and capabilities
sparse xattr.img 200M
run
mkfs ext4 /dev/sda
mount /dev/sda /
mkdir /d
write /hello "hello world\n"
ln-s /hello /lnk
echo ---xattr
-setxattr user.foo bar 3 /hello
-setxattr user.fox barbar 3 /hello
-setxattr user.foo bar 3 /zz
-setxattr foo bar 3 /hello
-getxattr /hello user.foo
-getxattr /hello user.zz
-getxattr /zz user.foo
-lgetxattr /lnk user.foo
-getxattrs /hello
-getxattrs /lnk
-lgetxattrs /lnk
-getxattrs /zz
-lsetxattr user.foo bar 3 /lnk
-lsetxattr trusted.foo bar 3 /lnk
-lgetxattrs /lnk
-lxattrlist / "hello lnk zz"
-lxattrlist /zz "hello"
-removexattr user.foo /hello
-removexattr user.foo /hello
-lremovexattr user.foo /zz
-acl-get-file /hello access
-acl-get-file /d default
-acl-get-file /d foo
-acl-get-file /zz access
-acl-set-file /hello access u::rwx,g::r-x,o::r-x
-acl-set-file /hello access u::r-x,g::r-x,o::r-x,u:500:rw,m::rwx
-acl-get-file /hello access
-acl-set-file /d default u::rwx,g::r-x,o::r-x
-acl-get-file /d default
-acl-delete-def-file /d
-acl-get-file /d default
-acl-delete-def-file /hello
-acl-delete-def-file /zz
-acl-set-file /hello access foo
-acl-set-file /zz access u::rwx,g::r-x,o::r-x
-acl-set-file /hello default u::rwx,g::r-x,o::r-x
-acl-set-file /hello foo u::rwx,g::r-x,o::r-x
-cap-get-file /hello
-cap-set-file /hello cap_net_raw+ep
-cap-get-file /hello
-cap-set-file /hello foo
-cap-set-file /zz cap_net_raw+ep
-cap-get-file /zz
-cap-set-file /d cap_net_raw+ep
-ll / | grep -v ' \.\.$' | sed -E 's/ [A-Z][a-z]{2} [ 0-9]{2} [ 0-9:]{5} / DATE /'
lgetxattr /hello user.fox | od -c
lremovexattr user.fox /hello
lgetxattrs /hello | grep name | sort
-lremovexattr user.fox /hello
