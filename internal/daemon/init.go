package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"gofish/internal/proto"
)

// Init is PID 1 of the appliance: it brings the guest up, serves, and ends the
// machine. It does not return.
//
// The kernel starts it from the initrd, which holds this program and the modules
// that reach the root disk. It finds the root image by the UUID on the kernel's
// command line, makes it the root, and continues as the daemon: no shell, no udev,
// nothing else runs on the way.
func Init() {
	isInit = true
	err := boot()
	if err != nil {
		fmt.Fprintln(os.Stderr, proto.InitPrefix, err)
	}
	unix.Sync()
	time.Sleep(10 * time.Millisecond) // let the console drain
	unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	select {}
}

type mountStep struct {
	source, target, fstype string
	flags                  uintptr
	data                   string
}

func doMounts(steps []mountStep) error {
	for _, m := range steps {
		if err := os.MkdirAll(m.target, 0o755); err != nil && !errors.Is(err, unix.EROFS) {
			return err
		}
		if err := unix.Mount(m.source, m.target, m.fstype, m.flags, m.data); err != nil && err != unix.EBUSY {
			return fmt.Errorf("mount %s on %s: %w", m.fstype, m.target, err)
		}
	}
	return nil
}

// gcPercent lets the daemon's heap, a few megabytes, grow further before it
// is collected: collections are slow under emulation.
const gcPercent = 400

func boot() error {
	debug.SetGCPercent(gcPercent)
	// Foreign clients take this text on the console as a milestone of the launch.
	fmt.Println(proto.InitStarts, "...")
	const noexec = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := doMounts([]mountStep{
		{"proc", "/proc", "proc", noexec, ""},
		{"sysfs", "/sys", "sysfs", noexec, ""},
		{"devtmpfs", "/dev", "devtmpfs", unix.MS_NOSUID, "mode=0755"},
	}); err != nil {
		return err
	}
	cmdline, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	p := proto.ParseBootParams(string(cmdline))
	events, err := listenKernel()
	if err != nil {
		return err
	}
	if err := loadModules("/modules"); err != nil {
		return err
	}
	if p.Root != "" {
		if err := switchRoot(events, p.Root); err != nil {
			return err
		}
	}
	if err := settle(p); err != nil {
		return err
	}
	ch, err := openPort(events, proto.ChannelPort, time.Minute)
	if err != nil {
		return err
	}
	d := New(Config{Sysroot: sysroot, Verbose: p.Verbose, Network: p.Network})
	conn := proto.NewConn(ch)
	if p.Template {
		preload()
		events.drain()
		start, err := awaitStart(conn)
		if err == nil {
			err = begin(conn, start, events)
		}
		if err != nil {
			return err
		}
		d.cfg.Verbose = start.Verbose
	}
	d.events = events
	d.activateVolumes()
	if d.cfg.Verbose {
		b, _ := os.ReadFile("/proc/uptime")
		fmt.Printf("%s ready after %s s\n", proto.InitPrefix, strings.Fields(string(b))[0])
	}
	return serve(d, ch, conn)
}

// loadModules loads every module of a directory, in the order of their names.
func loadModules(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.ko"))
	if err != nil {
		return err
	}
	sort.Strings(files)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), moduleParameters(name), 0)
		f.Close()
		// A module that this kernel does not accept is no reason to give up:
		// if something is really missing, the root disk does not appear.
		if err != nil && err != unix.EEXIST {
			fmt.Fprintf(os.Stderr, "%s %s: %v\n", proto.InitPrefix, filepath.Base(name), err)
		}
	}
	return nil
}

// moduleParameters makes the SCSI layer scan while its driver loads. Together with
// the disk driver, which is loaded after it and waits for its probes, all disks
// and their partitions are there when loadModules returns.
func moduleParameters(file string) string {
	if strings.HasSuffix(file, "scsi_mod.ko") {
		return "scan=sync"
	}
	return ""
}

// switchRoot finds the root image, mounts it and makes it the root directory.
// The initrd's files stay in memory, hidden; this program runs from there.
func switchRoot(events *kernelEvents, uuid string) error {
	var dev string
	if !events.until(time.Minute, func() bool { dev = findExt(uuid); return dev != "" }) {
		return fmt.Errorf("no disk with an ext file system of UUID %s appeared: the root image is missing, or its bus needs a driver that the initrd lacks", uuid)
	}
	if err := os.MkdirAll("/newroot", 0o755); err != nil {
		return err
	}
	if err := unix.Mount(dev, "/newroot", "ext4", unix.MS_RDONLY|unix.MS_NOATIME, ""); err != nil {
		return fmt.Errorf("mount %s: %w", dev, err)
	}
	for _, dir := range []string{"/proc", "/sys", "/dev"} {
		if err := unix.Mount(dir, "/newroot"+dir, "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("move %s: %w", dir, err)
		}
	}
	if err := unix.Chdir("/newroot"); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the root: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return unix.Chdir("/")
}

// findExt returns the block device whose ext2/3/4 superblock has the UUID
// (Documentation/filesystems/ext4/super.rst: magic at 0x38, UUID at 0x68 of the
// superblock at byte 1024).
func findExt(uuid string) string {
	entries, _ := os.ReadDir("/sys/class/block")
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, "loop") || strings.HasPrefix(name, "ram") {
			continue
		}
		f, err := os.Open("/dev/" + name)
		if err != nil {
			continue
		}
		sb := make([]byte, 0x78)
		_, err = f.ReadAt(sb, 1024)
		f.Close()
		if err == nil && sb[0x38] == 0x53 && sb[0x39] == 0xef && formatUUID(sb[0x68:0x78]) == uuid {
			return "/dev/" + name
		}
	}
	return ""
}

// Environment of the daemon and everything it runs. There is no udev to make
// device links, so device-mapper and mdadm must make them themselves.
var environment = map[string]string{
	"PATH":            "/sbin:/usr/sbin:/bin:/usr/bin",
	"SHELL":           "/bin/sh",
	"HOME":            "/root",
	"LC_ALL":          "C",
	"TERM":            "dumb",
	"LVM_SYSTEM_DIR":  lvmSystemDir,
	"DM_DISABLE_UDEV": "1",
	"MDADM_NO_UDEV":   "1",
	"BLKID_FILE":      "/dev/null", // no cache of labels and UUIDs: it would be wrong for seconds after a change
	"TMPDIR":          "/tmp",
}

const lvmSystemDir = "/run/lvm"

// lvmConf makes LVM work without udev and without state on the root image.
const lvmConf = `devices {
    dir = "/dev"
    scan = [ "/dev" ]
    obtain_device_list_from_udev = 0
    external_device_info_source = "none"
    use_devicesfile = 0
}
activation {
    udev_sync = 0
    udev_rules = 0
    monitoring = 0
}
global {
    locking_dir = "/run/lock/lvm"
    use_lvmpolld = 0
}
backup {
    backup = 0
    archive = 0
}
`

// emulatedModules keeps out modules that are slower than the kernel's plain code when the
// processor is emulated: its instruction for CRC-32C goes bit by bit, and every
// block of metadata has such a checksum (modprobe.d(5)).
const emulatedModules = "install crc32c_intel /bin/true\n"

// settle sets up the rest of a running system, once the root is mounted.
func settle(p proto.BootParams) error {
	unix.Umask(0)
	steps := []mountStep{
		{"devpts", "/dev/pts", "devpts", unix.MS_NOSUID | unix.MS_NOEXEC, "gid=5,mode=0620"},
		{"tmpfs", "/dev/shm", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
		{"tmpfs", "/run", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755"},
		{"tmpfs", "/tmp", "tmpfs", 0, "mode=1777"},
		{"tmpfs", "/var/tmp", "tmpfs", 0, "mode=1777"},
		{"tmpfs", "/var/lib", "tmpfs", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755"}, // records of btrfs scrub
		{sysrootBase, sysroot, "tmpfs", 0, "mode=0755"},
	}
	if p.SELinux {
		steps = append(steps, mountStep{"selinuxfs", "/sys/fs/selinux", "selinuxfs", 0, ""})
	}
	if err := doMounts(steps); err != nil {
		return err
	}
	for _, dir := range []string{"/run/lock/lvm", lvmSystemDir, "/run/mdadm", "/run/cryptsetup", "/run/lock"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(lvmSystemDir+"/lvm.conf", []byte(lvmConf), 0o644); err != nil {
		return err
	}
	if p.Emulated {
		os.MkdirAll("/run/modprobe.d", 0o755)
		if err := os.WriteFile("/run/modprobe.d/gofish.conf", []byte(emulatedModules), 0o644); err != nil {
			return err
		}
	}
	os.Symlink("/proc/self/fd", "/dev/fd")
	os.Symlink("/proc/self/fd/0", "/dev/stdin")
	os.Symlink("/proc/self/fd/1", "/dev/stdout")
	os.Symlink("/proc/self/fd/2", "/dev/stderr")
	staticNodes()
	unix.Umask(0o022)
	os.Clearenv()
	for k, v := range environment {
		os.Setenv(k, v)
	}
	unix.Sethostname([]byte("guestfs"))
	loopbackUp()
	for _, disk := range blockDevices("sd") {
		setTimeout(disk)
	}
	if p.Network {
		if err := startNetwork(); err != nil {
			fmt.Fprintln(os.Stderr, proto.InitPrefix, "network:", err)
		}
	}
	return nil
}

// isInit says that this program is the appliance's, not a daemon in a live guest.
var isInit bool

// machineID is generated when the first program is run, since some ask for
// it: most sessions run none before their first reply.
var machineID sync.Once

func newMachineID() {
	if !isInit {
		return // a live guest has its own
	}
	if id, err := os.ReadFile("/proc/sys/kernel/random/uuid"); err == nil {
		os.WriteFile("/run/machine-id", append(bytes.ReplaceAll(bytes.TrimSpace(id), []byte("-"), nil), '\n'), 0o644)
	}
}

// staticNodes makes the device nodes by which the kernel finds modules that are
// not loaded yet (modules.devname: MODULE NODE TYPEMAJOR:MINOR).
func staticNodes() {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return
	}
	b, _ := os.ReadFile("/lib/modules/" + unix.ByteSliceToString(u.Release[:]) + "/modules.devname")
	for _, line := range lines(string(b)) {
		f := strings.Fields(line)
		if len(f) != 3 || strings.HasPrefix(line, "#") || strings.Contains(f[1], "..") {
			continue
		}
		var major, minor uint32
		if _, err := fmt.Sscanf(f[2][1:], "%d:%d", &major, &minor); err != nil {
			continue
		}
		mode := uint32(unix.S_IFCHR | 0o600)
		if f[2][0] == 'b' {
			mode = unix.S_IFBLK | 0o600
		}
		path := filepath.Join("/dev", f[1])
		os.MkdirAll(filepath.Dir(path), 0o755)
		unix.Mknod(path, mode, int(unix.Mkdev(major, minor)))
	}
}

func loopbackUp() {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	ifr, err := unix.NewIfreq("lo")
	if err != nil {
		return
	}
	ifr.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, ifr)
}

// startNetwork gives the first network card its address. DHCP is not
// needed: qemu's user network, which both gofish and libguestfs lay out as
// 169.254.0.0/16, always has the guest at 2.15, the way out at 2.2 and a name
// server at 2.3. The root image's /etc/resolv.conf leads to /run/resolv.conf.
func startNetwork() error {
	if err := runAnyway("modprobe", "virtio_net"); err != nil {
		return err
	}
	cards := globAll("/sys/class/net/*/device")
	if len(cards) == 0 {
		return errors.New("no network card")
	}
	name := filepath.Base(filepath.Dir(cards[0]))
	for _, args := range [][]string{
		{"link", "set", name, "up"},
		{"addr", "add", proto.GuestAddress, "dev", name},
		{"route", "add", "default", "via", proto.GatewayOfHost},
	} {
		if err := runAnyway(append([]string{"ip"}, args...)...); err != nil {
			return err
		}
	}
	return os.WriteFile("/run/resolv.conf", []byte(resolvConfText), 0o644)
}

var portName = regexp.MustCompile(`^vport\d+p\d+$`)

// openPort opens a virtio-serial port by its name, waiting until it is there.
func openPort(events *kernelEvents, name string, limit time.Duration) (*Port, error) {
	var dev string
	try := func() bool {
		for _, p := range globAll("/sys/class/virtio-ports/*/name") {
			b, _ := os.ReadFile(p)
			if node := filepath.Base(filepath.Dir(p)); strings.TrimSpace(string(b)) == name && portName.MatchString(node) {
				dev = "/dev/" + node
				return true
			}
		}
		return false
	}
	if events == nil {
		try()
	} else {
		events.until(limit, try)
	}
	if dev == "" {
		return nil, fmt.Errorf("no virtio-serial port %s", name)
	}
	return OpenPort(dev)
}
