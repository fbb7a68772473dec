package commands

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"gofish/internal/api"
)

// same is what gofish and guestfish must do alike. None of it needs a launch.
// Either args or script is given; files are made in the working folder first.
var same = []struct {
	name   string
	args   []string
	script string
	env    []string
	needs  string // an action that the catalogue must have
}{
	{name: "words", args: []string{"echo", "a", "b", ":", "echo", "c"}},
	{name: "words are literal", args: []string{"echo", `"a`, "~", "|", "#x", `\n`, "'"}},
	{name: "words trailing colon", args: []string{"echo", "a", ":"}},
	{name: "words leading colon", args: []string{":", "echo", "a"}},
	{name: "words double colon", args: []string{"echo", "a", ":", ":", "echo", "b"}},
	{name: "words fail", args: []string{"echo", "a", ":", "nosuch", ":", "echo", "b"}},
	{name: "words forgiven", args: []string{"--", "-nosuch", ":", "echo", "b"}},
	{name: "words lone dash", args: []string{"--", "-"}},
	{name: "words bang", args: []string{"!echo x"}},
	{name: "words quit", args: []string{"echo", "a", ":", "quit", ":", "echo", "b"}},
	{name: "first unknown", args: []string{"nosuch"}},
	{name: "options mix", args: []string{"echo", "-x", "a"}},
	{name: "options end", args: []string{"echo", "--", "-x", "a"}},
	{name: "posixly", args: []string{"echo", "-x", "a"}, env: []string{"POSIXLY_CORRECT=1"}},
	{name: "version", args: []string{"-V"}},
	{name: "version prefix", args: []string{"--vers"}},
	{name: "glued flags", args: []string{"-rxV"}},
	{name: "unknown option", args: []string{"--bogus"}},
	{name: "unknown letter", args: []string{"-Z"}},
	{name: "missing argument", args: []string{"-a"}},
	{name: "missing long argument", args: []string{"--add"}},
	{name: "argument too many", args: []string{"--verbose=x"}},
	{name: "ambiguous", args: []string{"--f"}},
	{name: "not ambiguous", args: []string{"--p", "echo", "hi"}},
	{name: "ro rw", args: []string{"--ro", "--rw"}},
	{name: "rw ro", args: []string{"--rw", "--ro", "echo", "x"}},
	{name: "format unused", args: []string{"--format=raw", "echo"}},
	{name: "format empty unused", args: []string{"--format", "echo"}},
	{name: "format unused again", args: []string{"--format=raw", "-a", "disk", "--format", "echo"}},
	{name: "blocksize unused", args: []string{"--blocksize=512", "echo"}},
	{name: "blocksize text", args: []string{"--blocksize=abc", "-a", "disk"}},
	{name: "blocksize odd", args: []string{"--blocksize=12x", "-a", "disk", "echo"}},
	{name: "add missing", args: []string{"-a", "nosuch.img"}},
	{name: "add", args: []string{"-a", "disk", "--format=raw", "-a", "disk", "echo", "ok"}},
	{name: "add file URI", args: []string{"-a", "file:///nonexistent/x"}},
	{name: "two files", args: []string{"-f", "script", "-f", "script"}},
	{name: "file missing", args: []string{"-f", "nosuch"}},
	{name: "file", args: []string{"-f", "script"}},
	{name: "file error", args: []string{"-f", "script-bad"}},
	{name: "file and words", args: []string{"-f", "script", "echo", "words"}},
	{name: "key type", args: []string{"--key", "foo", "echo"}},
	{name: "key string", args: []string{"--key", "foo:key", "echo"}},
	{name: "key fields", args: []string{"--key", "foo:key:a:b", "echo"}},
	{name: "key file", args: []string{"--key", "foo:file", "echo"}},
	{name: "key kind", args: []string{"--key", "foo:bar:x", "echo"}},
	{name: "key clevis", args: []string{"--key", "foo:clevis:x", "echo"}},
	{name: "key good", args: []string{"--key", "/dev/sda1:key:x", "--key", "a-b:file:/nosuch", "echo", "ok"}},
	{name: "live", args: []string{"--live", "echo"}},
	{name: "csh alone", args: []string{"--csh", "echo", "x"}},
	{name: "remote no server", args: []string{"--remote", "echo", "x"}},
	{name: "remote dead", args: []string{"--remote=99999999", "echo", "x"}},
	{name: "listen words", args: []string{"--listen", "echo", "x"}},
	{name: "listen file", args: []string{"--listen", "-f", "script"}},
	{name: "listen remote", args: []string{"--listen", "--remote=1"}},
	{name: "listen no disk", args: []string{"--listen", "-a", "nosuch.img"}},
	{name: "domain", args: []string{"-c", "test:///DIR/domains.xml", "-d", "off", "max-disks"}},
	{name: "domain UUID", args: []string{"-c", "test:///DIR/domains.xml", "-d", "11111111-2222-3333-4444-555555555555", "max-disks"}},
	{name: "domain live", args: []string{"-c", "test:///DIR/domains.xml", "-d", "live"}},
	{name: "domain live ro", args: []string{"-c", "test:///DIR/domains.xml", "-d", "live", "--ro", "max-disks"}},
	{name: "domain missing", args: []string{"-d", "nosuch", "-c", "test:///default", "echo"}},
	{name: "domain test", args: []string{"-c", "test:///default", "-d", "test", "--ro", "max-disks"}},
	{name: "connect alone", args: []string{"-c", "bogus", "echo", "x"}},
	{name: "domain action", args: []string{"add-domain", "off", "libvirturi:test:///DIR/domains.xml", ":", "domain", "off", "libvirturi:test:///DIR/domains.xml", "readonlydisk:ignore",
		":", "--", "-add-domain", "off", "libvirturi:test:///DIR/domains.xml", "readonlydisk:x", ":", "-add-domain", "off", "live:true",
		":", "-add-domain", "off", "libvirturi:test:///DIR/domains.xml", "readonlydisk:error",
		":", "-add-domain", "11111111-2222-3333-4444-555555555555", "libvirturi:test:///DIR/domains.xml", ":", "-set-libvirt-supported-credentials", "cnonce x"}},
	{name: "credentials outside of the event", args: []string{"-get-libvirt-requested-credentials", ":", "-get-libvirt-requested-credential-prompt", "0",
		":", "-get-libvirt-requested-credential-challenge", "0", ":", "-get-libvirt-requested-credential-defresult", "0",
		":", "-set-libvirt-requested-credential", "0", "x", ":", "echo", "on"}},
	{name: "mount no disk", args: []string{"-m", "/dev/sda1"}},
	{name: "new no disk type", args: []string{"-N", "bogus"}},
	{name: "new bad size", args: []string{"-N", "fs:ext2:x"}},
	{name: "new bad lv", args: []string{"-N", "lv:foo"}},
	{name: "new with file", args: []string{"-N", "x.img=zzz"}},
	{name: "new disk", args: []string{"-x", "-N", "disk:1M", "-V"}},
	{name: "help unknown", args: []string{"-h", "nosuch"}},
	{name: "help glued", args: []string{"-hnosuch"}},
	{name: "help long", args: []string{"--cmd-help=nosuch"}},
	{name: "no sync", args: []string{"-n", "get-autosync"}},
	{name: "no sync prefix", args: []string{"--no-s", "get-autosync"}},
	{name: "network", args: []string{"--network", "get-network"}},
	{name: "trace", args: []string{"-x", "get-memsize", ":", "set-append", "a b"}},
	{name: "deprecated D", args: []string{"-D", "echo"}},
	{name: "unused", args: []string{"--selinux", "--keys-from-stdin", "--echo-keys", "--pipe-error", "--progress-bars", "--no-progress-bars", "echo", "x"}},
	{name: "full disk", args: []string{"echo", "x"}, env: []string{"OUT=/dev/full"}},

	{name: "empty script", script: ""},
	{name: "no newline", script: "echo a"},
	{name: "comments and blanks", script: "# c\n\n  \t# d\n \v\f echo x # y\n"},
	{name: "quotes", script: `echo "a b" 'c "d' "e'f" "" x` + "\n"},
	{name: "escapes", script: `echo "\a\b\f\n\r\t\v\\\"\'\?|\101\x41\xff\377"` + "\n"},
	{name: "bad escape", script: `echo "abc\tx\q"` + "\n"},
	{name: "bad escape octal", script: `echo "\09"` + "\n"},
	{name: "bad escape octal short", script: `echo "\17"` + "\n"},
	{name: "octal zero", script: `echo "\000"` + "\n"},
	{name: "octal large", script: `echo "\777"` + "\n"},
	{name: "hex zero", script: `echo "\x00"` + "\n"},
	{name: "hex short", script: `echo "\x4"` + "\n"},
	{name: "hex odd", script: `echo "\x+1"` + "\n"},
	{name: "escape at end", script: `echo "a\` + "\n"},
	{name: "escape then junk", script: `echo "a\q"b` + "\n"},
	{name: "unterminated double", script: "echo \"abc\n"},
	{name: "unterminated single", script: "echo 'abc\n"},
	{name: "not separated", script: "echo 'a'b\n"},
	{name: "not separated pipe", script: `echo "a"| cat` + "\n"},
	{name: "bare word", script: `echo a"b a'b a\b a|b a#b [x] {y} a~` + "\n"},
	{name: "tilde", script: "echo ~ ~/x ~root ~root/y ~nosuchuser a~ \"~\" name:~\n"},
	{name: "tilde home", script: "echo ~ ~/x\n", env: []string{"HOME=/h"}},
	{name: "tilde empty home", script: "echo ~/x\n", env: []string{"HOME="}},
	{name: "arguments 63", script: "echo" + strings.Repeat(" a", 63) + "\n"},
	{name: "arguments 64", script: "echo" + strings.Repeat(" a", 64) + "\n"},
	{name: "quoted command", script: "\"echo\" x\n"},
	{name: "redirection", script: "< !x\n"},
	{name: "semicolon", script: "echo a ; echo b : c # d\n"},
	{name: "case", script: "ECHO a\nGet-Memsize\nget_MEMSIZE\n"},
	{name: "mixed spelling", script: "get_backend-settings\n"},
	{name: "internal", script: "-internal-autosync\n-is-ready\n-get-state\nis-config\n"},
	{name: "unknown later", script: "echo\n-nosuch\n"},
	{name: "unknown after host", script: "!true\n# x\n-nosuch\n-nosuch\n"},
	{name: "unknown in time", script: "time nosuch\n"},
	{name: "forgive", script: "-nosuch\n- - nosuch\n-!false\n-echo \"\\q\"\necho end\n"},
	{name: "host", script: "!echo a b\n! exit 3\necho no\n"},
	{name: "host killed", script: "!kill -9 $$\necho yes\n"},
	{name: "host interrupted", script: "!kill -2 $$\necho no\n"},
	{name: "host empty", script: "!\necho yes\n"},
	{name: "generated", script: "<!echo echo a; echo echo b\necho c\n"},
	{name: "generated nested", script: "<!echo '<!echo echo deep'\n"},
	// In one write: a second one may find that nobody reads any more.
	{name: "generated fails", script: "<!printf 'nosuch\\necho b\\n'\necho c\n"},
	{name: "generated forgiven", script: "-<!echo nosuch; echo echo b\necho c\n"},
	{name: "generated forgives", script: "<!echo -nosuch; echo echo b\necho c\n"},
	{name: "generated quit", script: "<!echo quit; echo echo b\necho c\n"},
	{name: "generated fails status", script: "<!echo echo a; exit 3\n"},
	{name: "carriage return", script: "echo a\r\n"},
	{name: "NUL", script: "echo a\x00b\n"},
	{name: "pipe", script: "echo a b | tr a-z A-Z | sed s/A/x/\n"},
	{name: "pipe status", script: "echo a | (cat >/dev/null; false)\necho b\n"},
	{name: "pipe unknown", script: "nosuch | cat\n"},
	{name: "pipe quoted bar", script: "echo a \"|\" cat\n"},
	{name: "pipe time", script: "time echo a | wc -l\n"},
	{name: "quit", script: "echo a\nquit x\necho b\n"},
	{name: "exit status", script: "exit 3\n"},
	{name: "last fails", script: "echo a\nmount /dev/sda1 /\necho b\n"},
	{name: "count", script: "set-memsize\n"},
	{name: "count alias", script: "memsize 1 2\n"},
	{name: "count options", script: "add\n"},
	{name: "count too many", script: "get-memsize 1\n"},
	{name: "usage", script: "-lcd\n-more\n-LESS\n-copy-in a\n-copy-out\n-glob\n-time\n-edit\n-Vi a b\n-setenv a\n-unsetenv\n-list-events x\n-event a b\n-delete-event\n-reopen x\n-alloc a\n-sparse\n-hexedit\n-display\n-man x\n-manual x y\n"},
	{name: "help words", script: "-help a b\n-help nosuch\nhelp quit\nhelp EXIT\n"},
	{name: "lcd", script: "lcd /\n!pwd\nlcd /nosuch\n"},
	{name: "setenv", script: "setenv A b\n!echo $A\nunsetenv A\n!echo x$A\nsetenv a=b c\n"},
	{name: "unsetenv bad", script: "unsetenv a=b\n"},
	{name: "echo", script: "echo\necho a 'b  c'\n"},
	{name: "int forms", script: forms("set-memsize", "get-memsize",
		"1280", "0x500", "02400", "+700", "1000000B", "\" 900\"", "", "abc", "12Q", "1g", "1m", "1Kb", "1B", "08", "0x", "\"900 \"",
		"2147483647", "2147483648", "-2147483649", "99999999999999999999999", "99999999999999999999999x", "9Ex", "1KiBx",
		"iB", "-k", "+", "-", "0x1g", "1KK")},
	{name: "int forms of bytes", script: forms("disk-create d.img raw", "disk-virtual-size d.img",
		"1280", "1K", "k", "1KiB", "1MB", "1kD", "1M", "\" 900\"", "2MiB", "1g", "0x10K", "9Ex")},
	{name: "int64", script: "-disk-create d.img raw 1Q\n-disk-create d.img raw 9999999999999999999999\n-disk-create d.img raw z\n"},
	{name: "sizes", script: "-sparse s.img -1\n-sparse s.img \"\"\n-sparse s.img 1g\n-alloc nodir/x 1M\n-sparse s.img 99999999999999999999999\n"},
	{name: "bools", script: forms("set-autosync", "get-autosync", "true", "T", "yes", "Y", "ON", "1", "false", "f", "No", "n", "off", "0",
		"maybe", "", "2", "tru", "00", "\" true\"")},
	{name: "lists", script: forms("set-backend-settings", "get-backend-settings",
		`"a 'c d' e\\'f g''h '' x'y z'w"`, `"a 'b"`, `""`, `"  "`, `"a{1..3} b"`, `'a\b "c d"'`, `"a\tb"`, `"a\nb c"`, `"\\"`, `"'a\\'b'"`)},
	{name: "settings", script: `get-attach-method
get-backend
set-backend direct
get-backend
get-direct
get-identifier
set-identifier one
get-identifier
get-pgroup
set-pgroup true
get-pgroup
get-program
set-program other
get-program
get-recovery-proc
set-recovery-proc false
get-recovery-proc
get-selinux
set-selinux true
get-selinux
get-smp
set-smp 2
get-smp
-set-smp 0
-get-state
get-trace
get-verbose
set-verbose false
-is-busy
-is-config
-is-launching
-is-ready
-wait-ready
-kill-subprocess
parse-environment
-parse-environment-list "LIBGUESTFS_SMP=3"
get-smp
set-backend-setting a b
get-backend-setting a
clear-backend-setting a
clear-backend-setting a
-get-backend-setting a
set-cachedir /tmp
get-cachedir
set-tmpdir /tmp
get-tmpdir
-set-attach-method direct
get-attach-method
set-hv /usr/bin/true
get-hv
get-qemu
set-path /tmp
get-path
get-sockdir
user-cancel
`},
	{name: "drives", script: `disk-format disk
disk-has-backing-file disk
disk-virtual-size disk
add-drive-ro disk
add-cdrom disk
add-drive-with-if disk ide
add-drive-ro-with-if disk virtio
-add-drive nosuch
-add-drive-ro nosuch
-add-cdrom nosuch
-add-drive-with-if nosuch ide
-add-drive-ro-with-if nosuch ide
-add-drive-with-if disk "a b"
-add-drive-scratch 1M label:a/b
max-disks
debug-drives
`},
	{name: "settings that are refused", script: "-set-backend nosuch\n-get-backend\n-set-attach-method nosuch\n-get-attach-method\n-set-program\n-set-path\n-set-network x\n-set-selinux x\n-set-pgroup x\n-set-recovery-proc x\n-set-trace x\n-set-verbose x\n-set-direct x\n-set-backend-setting a\n-set-identifier\n-set-hv\n-set-qemu\n-shutdown x\n-get-hv x\n"},
	{name: "environment that is refused", script: "-parse-environment\n-get-smp\n", env: []string{"LIBGUESTFS_SMP=many"}},
	{name: "debug-drives", script: `-debug-drives
-add-drive disk format:raw readonly:true iface:ide name:hda label:lab cachemode:unsafe discard:besteffort copyonread:true
-add-drive disk readonly:false discard:enable cachemode:writeback
-add-drive disk blocksize:4096 discard:disable
-add-drive disk copyonread:true format:qcow2 blocksize:512
-add-drive x protocol:nbd server:host:1234
-add-drive pool/x protocol:rbd "server:host:1234 tcp:h2:9" username:u
-add-drive x/y protocol:iscsi server:host username:me
debug-drives
`},
	{name: "nullable", script: "set-append \"\"\nget-append\nset-append abc\nget-append\nset-append ''\nget-append\n"},
	{name: "options unknown", script: "-disk-create x raw 1K foo:bar\n-disk-create x raw 1K bogus\n-disk-create x raw 1K Preallocation:off\n"},
	{name: "options twice", script: "disk-create x raw 1K preallocation:sparse preallocation:off\n"},
	{name: "options bad", script: "-add-drive x blocksize:q\n-add-drive x readonly:q\n-add-drive x \"server:a 'b\"\n"},
	{name: "options good", script: "disk-create x raw 1K \"preallocation:sparse\"\ndisk-create y raw 10\n"},
	{name: "old names", script: "add-drive-opts disk\nAdd-Drive-Opts disk\nADD_DRIVE_OPTS disk\n"},
	{name: "results", script: "version\nmax-disks\nget-program\nget-path | wc -l\nget-qemu | wc -l\ndevice-index /dev/sdc\ncanonical-device-name /dev/vda\nis-config\nget-pgroup\n"},
	{name: "heredoc no end", script: "-upload -<<END /x\nabc\nEND \n"},
	{name: "heredoc no marker", script: "-upload -<< /x\necho next\n"},
	{name: "heredoc", script: "-upload -<<END /x\necho no\nEND\necho next\n-upload \"-<<E F\" /x\nmore\n END\nE F\necho last\nnosuch-really\n-mount a b\n"},
	{name: "heredoc line numbers", script: "-upload -<<END /x\necho no\nEND\nmount /dev/sda1 /\n"},
	{name: "before launch", script: "-mount /dev/sda1 /\n-cat /x\n-ls /\n-echo-daemon \"a b\"\n-get-pid\n-supported\n-glob echo /x*\n-edit /x\n-copy-in a /\n-copy-out a /\n-hexedit /x\n-more /x\n-run\n"},
	{name: "before launch, without arguments", script: "-list-partitions\n-list-devices\n-list-filesystems\n-list-md-devices\n-list-dm-devices\n-list-ldm-volumes\n-list-ldm-partitions\n-list-9p\n-list-disk-labels\n" +
		"-nr-devices\n-pvs\n-vgs\n-lvs\n-pvs-full\n-vgs-full\n-lvs-full\n-vgscan\n-lvm-scan true\n-lvm-clear-filter\n-pvchange-uuid-all\n-vgchange-uuid-all\n-lvm-remove-all\n" +
		"-mounts\n-mountpoints\n-umount-all\n-df\n-df-h\n-dmesg\n-sync\n-sleep 0\n-ping-daemon\n-drop-caches 3\n-utsname\n-get-umask\n-available-all-groups\n-filesystem-available ext4\n" +
		"-ldmtool-create-all\n-ldmtool-remove-all\n-ldmtool-scan\n-inspect-os\n-inspect-get-roots\n-inotify-close\n-canonical-device-name /dev/vda\n-device-index /dev/sdb\n-mountable-device /dev/sda\n-debug-upload disk /x 0644\n"},
	{name: "windows path", script: "-cat win:c\n-ls WIN:\n"},
	{name: "events", script: "event a trace 'echo [$0] $EVENT $# $1'\nlist-events\ntrace true\nget-memsize\ndelete-event a\ntrace false\nlist-events\n-delete-event a\n"},
	{name: "events sets", script: "event b * 'true'\nevent c close,launch_done ''\nevent d '' x\n-event e bogus,close x\n-event e close,bogus,x x\nevent f cl 'echo closed $#'\nlist-events | sort\n"},
	{name: "events shell", script: "event a close 'echo [$0] $EVENT $#'\n"},
	{name: "config", args: []string{"--ro", "echo"}, env: []string{"XDG_CONFIG_HOME=conf"}},
	{name: "config rw", args: []string{"--rw", "echo"}, env: []string{"XDG_CONFIG_HOME=conf"}},
	{name: "config bad", args: []string{"-V"}, env: []string{"XDG_CONFIG_HOME=conf-bad"}},
	{name: "reopen", script: "set-path /x\ntrace true\nset-memsize 999\nreopen\ntrace false\nget-memsize\n"},
	{name: "glob plain", script: "glob echo a* b\nglob nosuch x\n"},
	{name: "glob quit", script: "glob quit\necho no\n"},
	{name: "key no input", script: "-luks-open /dev/sda1 x\n", needs: "luks_open"},
}

// domains are virtual machines for libvirt's test driver: one that is off and one that runs.
const domains = `<node>
<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><test:runstate>5</test:runstate>
  <name>off</name><uuid>11111111-2222-3333-4444-555555555555</uuid><memory>1024</memory><os><type>hvm</type></os>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='DIR/disk'/><target dev='vda'/></disk>
    <disk type='file' device='cdrom'><source file='DIR/disk'/><target dev='hdc'/><readonly/></disk>
    <disk type='file' device='cdrom'><target dev='hdd'/><readonly/></disk>
    <disk type='network' device='disk'><source protocol='nbd' name='x'><host name='h' port='10809'/></source><target dev='vdb'/></disk>
  </devices>
</domain>
<domain type='test'>
  <name>live</name><memory>1024</memory><os><type>hvm</type></os>
  <devices>
    <disk type='file' device='disk'><source file='DIR/disk'/><target dev='vda'/></disk>
  </devices>
</domain>
</node>
`

// forms runs set with each value, and get after it.
func forms(set, get string, values ...string) string {
	var b strings.Builder
	for _, v := range values {
		b.WriteString("-" + set + " " + v + "\n-" + get + "\n")
	}
	return b.String()
}

// accepted has the differences that are wanted, by the name of the test: the
// reason, and lines of guestfish's output with ours in their place.
var accepted = map[string]struct {
	reason   string
	replaced []string
}{
	"tilde home": {"a script does not touch the history",
		[]string{"/h/.guestfish: No such file or directory\n", ""}},
	"generated fails status": {"the accident of C's error number is not copied",
		[]string{"pclose: Inappropriate ioctl for device", "<!echo echo a; exit 3: exit status 3"}},
	"carriage return": {"files from Windows are understood",
		[]string{"a\r\n", "a\n"}},
	"NUL": {"a NUL byte is refused, not taken for the end of the line",
		[]string{"stdout:\na\n", "stdout:\n", "stderr:\n", "stderr:\nguestfish: a command line cannot hold a NUL byte\n", "status 0", "status 1"}},
	"before launch": {"an error has the name that the user typed",
		[]string{"*stdin*:2: libguestfs: error: download:", "*stdin*:2: libguestfs: error: cat:", "error: ls0:", "error: ls:",
			"error: available_all_groups:", "error: supported:", "8: libguestfs: error: download:", "8: libguestfs: error: edit:",
			"error: is_file:", "error: copy_out:", "error: filesize:", "error: hexedit:", "12: libguestfs: error: download:", "12: libguestfs: error: more:"}},
	"before launch, without arguments": {"an error has the name that the user typed",
		[]string{"error: internal_parse_mountable:", "error: mountable_device:"}},
	"key fields": {"a passphrase may hold colons",
		[]string{"stdout:\nstderr:\nguestfish: selector 'foo:key:a:b': missing KEY_STRING, or too many fields\nexit status 1", "stdout:\n\nstderr:\nexit status 0"}},
	"key no input": {"the accident of C's error number is not copied",
		[]string{"getline: Inappropriate ioctl for device", "guestfish: no key: the input has ended; give the key as a line of its own"}},
}

func TestLikeGuestfish(t *testing.T) {
	if testing.Short() {
		t.Skip("runs guestfish many times")
	}
	guestfish, err := exec.LookPath("guestfish")
	if err != nil {
		t.Skip("guestfish is not installed")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range same {
		t.Run(c.name, func(t *testing.T) {
			if c.needs != "" && api.All.Lookup(c.needs) == nil {
				t.Skip("there is no " + c.needs + " yet")
			}
			run := func(program string, env ...string) string {
				dir := t.TempDir()
				for name, text := range map[string]string{
					"disk":                                  strings.Repeat("\x00", 4096),
					"script":                                "#!guestfish -f\necho one\n",
					"conf/libguestfs/libguestfs-tools.conf": "# c\nother = (1, \"a\", { x: 1; });\nread_only = True",
					"conf-bad/libguestfs/libguestfs-tools.conf": "# c\n\nread_only true;\n",
					"script-bad":  "echo one\n\nmount /dev/sda1 /\necho two\n",
					"domains.xml": strings.ReplaceAll(domains, "DIR", dir),
				} {
					os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700)
					if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				cmd := exec.Command(program, c.args...)
				cmd.Args[0] = "guestfish"
				for i := range cmd.Args {
					cmd.Args[i] = strings.ReplaceAll(cmd.Args[i], "/DIR", dir)
				}
				cmd.Dir = dir
				cmd.Stdin = strings.NewReader(c.script)
				cmd.Env = append(os.Environ(), "LIBGUESTFS_BACKEND=direct", "HOME=/root", "TERM=dumb", "LC_ALL=C.UTF-8", "SHELL=/bin/sh")
				cmd.Env = append(append(cmd.Env, env...), c.env...)
				var out, errs bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &errs
				for _, e := range c.env {
					if name, ok := strings.CutPrefix(e, "OUT="); ok {
						f, err := os.OpenFile(name, os.O_WRONLY, 0)
						if err != nil {
							t.Fatal(err)
						}
						defer f.Close()
						cmd.Stdout = f
					}
				}
				err := cmd.Run()
				if _, ok := err.(*exec.ExitError); err != nil && !ok {
					t.Fatal(err)
				}
				return strings.ReplaceAll("stdout:\n"+out.String()+"stderr:\n"+errs.String()+cmd.ProcessState.String()+"\n", dir, "DIR")
			}
			want := run(guestfish)
			a := accepted[c.name]
			for i := 0; i < len(a.replaced); i += 2 {
				if !strings.Contains(want, a.replaced[i]) {
					t.Errorf("the accepted difference %q is not there", a.replaced[i])
				}
				want = strings.ReplaceAll(want, a.replaced[i], a.replaced[i+1])
			}
			// Ours name the line for errors of the shell too.
			if got := nearNames.ReplaceAllString(ownPlace.ReplaceAllString(run(self, asShell+"=guestfish"), "$1"), "$1"); got != ownPlace.ReplaceAllString(want, "$1") {
				t.Errorf("script %q args %q\n got %s\nwant %s", c.script, c.args, got, want)
			}
		})
	}
}

// nearNames is what only we add to an unknown name.
var nearNames = regexp.MustCompile(`(?m)(: unknown command|: command not known: .*) \(did you mean .*\)$`)

// ownPlace is the place of an error in a script, where guestfish tells none: in
// front of anything but an error of the library.
var ownPlace = regexp.MustCompile(`(?m)^(?:\*stdin\*|script-bad|script):\d+: ((?:[^l]|l[^i]|li[^b]).*)$`)
