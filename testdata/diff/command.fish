# commands of the guest
! mkdir -p g/bin g/etc g/dev g/proc g/sys g/tmp
! cd g; for b in dash cat ls echo id env printf; do p=$(command -v $b); cp -L $p bin/; for l in $(ldd $p | grep -o '/[^ ]*'); do mkdir -p .$(dirname $l); cp -L $l .$l; done; done; mv bin/dash bin/sh; echo guest > etc/resolv.conf; tar cf ../g.tar .
sparse command.img 200M
run
mkfs ext4 /dev/sda
mount /dev/sda /
-sh "echo hi"
-command "/bin/echo hi"
-tar-in g.tar /
-command "/bin/echo hi there"
-command "/bin/nothing hi"
-command "echo hi there"
-command "/bin/cat /zz"
-command ""
-command "/bin/sh -c 'exit 3'"
-command-lines "/bin/ls /"
-command-lines "/bin/printf 'a\r\nb\n\nc'"
-command-lines "/bin/printf ''"
-sh "echo hi; echo err 1>&2"
-sh "echo hi; exit 3"
-sh "echo hi; echo err 1>&2; exit 4"
-sh-lines "echo hi; echo ho"
-sh "ls /dev | head -5; ls -la /sys/fs/selinux"
-sh "id"
-sh "pwd"
-sh "cat /etc/resolv.conf"
-sh "kill -9 $$"
-sh "zzz"
-sh "cat"
-ls /dev
-ls /proc
-sh "ls /proc/1/status /dev/null"
-sh "echo $PATH $HOME $TERM $LC_ALL $SHELL"
-sh "echo written > /file"
-cat /file
-ls /sys
