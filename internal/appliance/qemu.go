package appliance

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gofish/internal/newfile"
	"gofish/internal/proto"
)

// Drive is a disk of the virtual machine.
type Drive struct {
	Name         string   // file name for qemu: an absolute path or a qemu file name such as nbd:…
	Remote       *Remote  // if set, used instead of Name
	overlay      bool     // File is a qcow2 on top of Name or Remote
	File         *os.File // if set, an open file that is used instead (a scratch disk without a name)
	ReadOnlyFile bool     // File is only open for reading, and the guest can only read
	Format       string   // empty: qemu probes
	ReadOnly     bool     // writes go to an overlay that vanishes with qemu
	CacheMode    string   // writeback or unsafe; empty is writeback
	Discard      bool
	CopyOnRead   bool
	Label        string // serial number that the guest sees
	BlockSize    int    // 512 or 4096; 0: qemu's own
	Virtio       bool   // virtio-blk instead of SCSI
}

// Overlay puts a file on top of the drive's image, which takes what the guest writes.
func (d *Drive) Overlay(f *os.File) {
	d.File, d.overlay, d.ReadOnly, d.Format, d.CacheMode = f, true, false, "qcow2", "unsafe"
}

// Remote is a disk on a server whose key must not be in an argument list.
type Remote struct {
	Options      map[string]any // of a block driver of qemu's: driver, url, …
	Secret       string
	SecretOption string // the option that says which object holds the secret
}

// FileName is the disk's name for qemu; id names the object that holds the secret.
// Without a format qemu finds it out.
func (r *Remote) FileName(format, id string) string {
	file := maps.Clone(r.Options)
	file[r.SecretOption] = id
	top := map[string]any{"file": file}
	if format != "" {
		top["driver"] = format
	}
	b, err := json.Marshal(top)
	if err != nil {
		panic(err) // texts and numbers can be written
	}
	return "json:" + string(b)
}

// Object is the argument of -object for the secret, which is read from an open file
// of the process.
func (r *Remote) Object(id string, fd int) string {
	return fmt.Sprintf("secret,id=%s,file=/proc/self/fd/%d", id, fd)
}

// SecretFile makes an open file without a name that holds the secret.
func (r *Remote) SecretFile() (*os.File, error) {
	f, err := newfile.Memory(r.Secret)
	if err != nil {
		return nil, fmt.Errorf("memory for a secret: %w", err)
	}
	return f, nil
}

// SecretID names the object that holds the secret of the drive at a SCSI target.
func SecretID(target int) string { return "secret-" + driveID(target) }

// Machine is everything that is passed to qemu.
type Machine struct {
	HV      HV
	Accel   string // kvm or tcg
	Memory  int    // MiB
	CPUs    int
	Network bool
	Verbose bool
	SELinux bool
	Append  string // added to the kernel's command line
	TmpDir  string // where qemu puts overlays
	Drives  []Drive
	Extra   []string // further arguments for qemu
	Image   *Appliance
}

const (
	// cpuModel is the guest's processor. qemu 7's emulation of 57-bit addresses is wrong.
	cpuModel = "max,la57=off"
	// Under emulation some features cost more than they give: with ERMS the kernel,
	// libc and Go copy memory byte by byte; with SMAP each copy to and from user
	// space leaves the translated code twice.
	emulatedCPU = cpuModel + ",erms=off,smap=off"
)

const (
	// Descriptors that qemu inherits: the control channel, its monitor, and the
	// files of drives.
	fdChannel = 3
	fdMonitor = 4
	fdDrives  = 5
)

// Args is qemu's argument vector for a cold boot. Files of drives are passed as
// descriptors from fdDrives in the order of the drives.
func (m *Machine) Args() []string {
	args := m.common("")
	args = append(args, "-drive", "file="+comma(m.Image.Root)+",snapshot=on,id=appliance,cache=unsafe,if=none,format=raw,file.locking=off")
	args = append(args, m.fileArgs()...)
	for i := range m.Drives {
		id := driveID(i)
		args = append(args, "-drive", m.Drives[i].option(m.driveName(i), id), "-device", m.deviceOption(i, id))
	}
	return append(args, m.Extra...)
}

// common is what a cold boot and a template share. ram says where the guest's
// memory is, if not in qemu's own.
func (m *Machine) common(ram string) []string {
	machine := "q35,accel=" + m.Accel
	if ram != "" {
		machine += ",memory-backend=ram"
	}
	cpu := emulatedCPU
	if m.Accel == "kvm" {
		cpu = cpuModel
	}
	args := []string{
		"-no-user-config", "-nodefaults", "-display", "none",
		"-machine", machine,
		"-cpu", cpu,
		"-m", strconv.Itoa(m.Memory),
		"-no-reboot",
		"-rtc", "driftfix=slew",
		"-global", "virtio-blk-pci.scsi=off",
		"-kernel", m.Image.Kernel,
		"-initrd", m.Image.Initrd,
		"-object", "rng-random,filename=/dev/urandom,id=rng0",
		"-device", "virtio-rng-pci,rng=rng0",
		// Without ioeventfd a request is served where the guest makes it, instead
		// of waking another thread; of 31 ports 30 would be polled for nothing.
		"-device", "virtio-serial-pci,max_ports=2,ioeventfd=off",
		"-serial", "stdio",
		"-chardev", fmt.Sprintf("socket,id=channel0,fd=%d", fdChannel),
		"-device", "virtserialport,chardev=channel0,name=" + proto.ChannelPort,
		"-chardev", fmt.Sprintf("socket,id=qmp,fd=%d", fdMonitor), "-mon", "chardev=qmp,mode=control",
		"-device", "virtio-blk-pci,drive=appliance,ioeventfd=off",
		"-device", "virtio-scsi-pci,id=scsi,ioeventfd=off",
		"-append", m.kernelCommandLine(ram != ""),
	}
	if ram != "" {
		args = append(args, "-object", ram)
	}
	if m.CPUs > 1 {
		args = append(args, "-smp", strconv.Itoa(m.CPUs))
	}
	if m.Network {
		args = append(args, "-netdev", "user,id=usernet,net="+proto.Network, "-device", "virtio-net-pci,netdev=usernet")
	}
	return args
}

// fileArgs hands over the open files of drives, each twice: qemu wants a
// descriptor for reading and one for writing (its fdsets match access modes).
func (m *Machine) fileArgs() []string {
	var args []string
	for i, d := range m.Drives {
		fd := m.driveFD(i)
		if d.File != nil {
			args = append(args, "-add-fd", fmt.Sprintf("fd=%d,set=%d", fd, fd), "-add-fd", fmt.Sprintf("fd=%d,set=%d", fd+1, fd))
			fd += 2
		}
		if d.Remote != nil {
			args = append(args, "-object", d.Remote.Object(SecretID(i), fd))
		}
	}
	return args
}

// files opens what qemu inherits for a drive, in the order of fileArgs; the caller
// closes it.
func (d *Drive) files() ([]*os.File, error) {
	l, err := d.fileTwice()
	if err == nil && d.Remote != nil {
		var f *os.File
		if f, err = d.Remote.SecretFile(); err == nil {
			l = append(l, f)
		}
	}
	return l, err
}

// fileTwice opens the drive's file for reading and writing, and for reading.
func (d *Drive) fileTwice() ([]*os.File, error) {
	if d.File == nil {
		return nil, nil
	}
	fd, err := unix.FcntlInt(d.File.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("temporary disk: %w", err)
	}
	l := []*os.File{os.NewFile(uintptr(fd), d.File.Name())}
	read, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	if err != nil {
		return l, fmt.Errorf("temporary disk: %w", err)
	}
	return append(l, read), nil
}

// driveFD is the first descriptor of drive i in qemu.
func (m *Machine) driveFD(i int) int {
	fd := fdDrives
	for _, before := range m.Drives[:i] {
		if before.File != nil {
			fd += 2
		}
		if before.Remote != nil {
			fd++
		}
	}
	return fd
}

// driveName is the file name of drive i for qemu.
func (m *Machine) driveName(i int) string {
	if m.Drives[i].File != nil {
		return fdset(m.driveFD(i))
	}
	return m.Drives[i].Name
}

// fdset names an open file that qemu was given.
func fdset(set int) string { return "/dev/fdset/" + strconv.Itoa(set) }

// driveID is qemu's name for the drive at a SCSI target.
func driveID(target int) string { return "hd" + strconv.Itoa(target) }

func driveTarget(id string) (target int, ok bool) {
	n, err := strconv.Atoi(strings.TrimPrefix(id, "hd"))
	return n, err == nil && id == driveID(n)
}

// property is a property of a qemu device; its value is a string or an int.
type property struct {
	name  string
	value any
}

// device is the guest's side of a drive: a driver and its properties. Drives are
// SCSI targets in the order in which they were added, which is how the daemon
// names them.
func (d *Drive) device(target int, id string) (driver string, props []property) {
	driver, props = "scsi-hd", []property{{"bus", "scsi.0"}, {"scsi-id", target}}
	if d.Virtio {
		driver, props = "virtio-blk-pci", nil
	}
	// Without werror, qemu stops the guest when the host's disk is full, and
	// the caller waits for ever.
	props = append(props, property{"drive", id}, property{"werror", "report"}, property{"rerror", "report"})
	if d.Label != "" {
		props = append(props, property{"serial", d.Label})
	}
	if d.BlockSize != 0 {
		props = append(props, property{"physical_block_size", d.BlockSize}, property{"logical_block_size", d.BlockSize})
	}
	return driver, props
}

// deviceOption is the text after -device for drive i.
func (m *Machine) deviceOption(i int, id string) string {
	o, props := m.Drives[i].device(i, id)
	for _, p := range props {
		o += "," + p.name + "=" + comma(fmt.Sprint(p.value))
	}
	return o
}

func (d *Drive) option(name, id string) string {
	cache := d.CacheMode
	if cache == "" {
		cache = "writeback"
	}
	format := d.Format
	if d.Remote != nil && d.File == nil {
		name, format = d.Remote.FileName(format, "secret-"+id), ""
	}
	o := "file=" + comma(name)
	if d.ReadOnly {
		o += ",snapshot=on,cache=unsafe"
		if d.File == nil && strings.HasPrefix(name, "/") {
			o += ",file.locking=off"
		}
	} else {
		o += ",cache=" + cache
	}
	if d.File != nil {
		// Nobody else knows the file; a lock would stay with it, as this process has it
		// open too, and keep out the qemu that is started after one that failed.
		o += ",file.locking=off"
	}
	if d.overlay && strings.HasPrefix(d.Name, "/") {
		// The image may be in use by somebody else: an examination locks nothing.
		o += ",backing.file.locking=off"
	}
	if d.ReadOnlyFile {
		o += ",readonly=on"
	}
	if format != "" {
		o += ",format=" + comma(format)
	}
	if d.Discard {
		o += ",discard=unmap"
	}
	if d.CopyOnRead {
		o += ",copy-on-read=on"
	}
	return o + ",id=" + id + ",if=none"
}

// comma writes a value for qemu's option syntax, where a comma ends it.
func comma(s string) string { return strings.ReplaceAll(s, ",", ",,") }

// leanKernel are kernel parameters that save work which an appliance has no use
// for (Documentation/admin-guide/kernel-parameters.txt). Its guest is one trusted
// program; what keeps a hostile image in is the virtual machine.
var leanKernel = []string{
	"nohz=off", "highres=off", // else every wait reprograms timers, which wakes qemu's main thread
	"preempt=none", "audit=0", "nokaslr", "noreplace-smp",
	"init_on_alloc=0", "randomize_kstack_offset=off", "hardened_usercopy=off", "mitigations=off",
}

func (m *Machine) kernelCommandLine(template bool) string {
	l := []string{
		// A kernel that has gone wrong ends at once, and qemu with it.
		"panic=-1", "oops=panic", "console=ttyS0", "edd=off", "no_timer_check",
		"printk.time=1", "cgroup_disable=memory", "usbcore.nousb", "cryptomgr.notests",
		"tsc=reliable", "8250.nr_uarts=1", "random.trust_cpu=on",
	}
	l = append(l, leanKernel...)
	p := proto.BootParams{
		Root: m.Image.UUID, Emulated: m.Accel != "kvm", SELinux: m.SELinux, Network: m.Network,
		Template: template, Verbose: m.Verbose && !template, // said later
	}
	l = append(l, p.Words()...)
	if m.SELinux {
		l = append(l, "lsm=selinux", "enforcing=0")
	} else {
		l = append(l, "selinux=0", "lsm=")
	}
	if !p.Verbose {
		l = append(l, "quiet")
	}
	if m.Append != "" {
		l = append(l, m.Append)
	}
	return strings.Join(l, " ")
}

// VM is a running virtual machine.
type VM struct {
	Conn *proto.Conn // to the daemon; its launch word has been read
	PID  int

	name    string
	channel net.Conn
	control net.Conn // qemu's monitor
	mon     *monitor
	done    chan struct{} // closed when qemu has ended
	state   *os.ProcessState
	stderr  *tail
	output  sync.WaitGroup
}

// start starts qemu with the arguments. What the guest prints on its console and
// qemu on its standard error goes to log, in pieces as it comes, from goroutines
// of their own.
//
// qemu gets its sockets and unnamed files as open descriptors, so nothing of it
// has a name on the host, and it dies with the thread that started it: whatever
// ends this process, nothing is left.
func (m *Machine) start(args []string, log func(string)) (*VM, error) {
	vm := &VM{name: m.HV.String(), done: make(chan struct{}), stderr: &tail{}}
	var theirs []*os.File
	for _, ours := range []*net.Conn{&vm.channel, &vm.control} {
		conn, file, err := socketPair()
		if err != nil {
			vm.closeSockets()
			return nil, err
		}
		defer file.Close()
		*ours = conn
		theirs = append(theirs, file)
	}
	vm.Conn = proto.NewConn(vm.channel)
	vm.mon = newMonitor(vm.control)

	c := m.HV.Command(context.Background(), args...)
	c.Env = append(os.Environ(), "LC_ALL=C", "QEMU_AUDIO_DRV=none")
	if m.TmpDir != "" {
		c.Env = append(c.Env, "TMPDIR="+m.TmpDir)
	}
	c.ExtraFiles = theirs
	for _, d := range m.Drives {
		files, err := d.files()
		for _, f := range files {
			defer f.Close()
		}
		if err != nil {
			vm.closeSockets()
			return nil, err
		}
		c.ExtraFiles = append(c.ExtraFiles, files...)
	}
	c.SysProcAttr = &syscall.SysProcAttr{
		Pdeathsig: syscall.SIGKILL,
		Setpgid:   true, // Ctrl-C in the terminal is for us, not for qemu
	}
	stdout, err := c.StdoutPipe()
	if err == nil {
		var stderr io.ReadCloser
		if stderr, err = c.StderrPipe(); err == nil {
			started := make(chan error)
			go vm.run(m, c, started, stdout, stderr, log)
			err = <-started
		}
	}
	if err != nil {
		vm.closeSockets()
		return nil, err
	}
	return vm, nil
}

// addressSpace is how much qemu may map, in bytes; 0 for no limit. An image may be made
// so that opening it takes all the memory there is. Beside the guest's memory qemu has
// mapped 1.5 GB, most of it room for translated code; each drive has its caches.
func (m *Machine) addressSpace() uint64 {
	if len(m.Extra) > 0 {
		return 0 // which may ask for more
	}
	return uint64(m.Memory)<<20 + 4<<30 + uint64(len(m.Drives))<<26
}

// socketPair makes a connection of which one end is for qemu.
func socketPair() (net.Conn, *os.File, error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(pair[1]), "socket")
	defer ours.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, fmt.Errorf("socketpair: %w", err)
	}
	return conn, theirs, nil
}

func (vm *VM) closeSockets() {
	for _, c := range []net.Conn{vm.channel, vm.control} {
		if c != nil {
			c.Close()
		}
	}
}

// run owns the thread that qemu's life hangs on: the kernel signals a child
// when the thread that forked it ends (PR_SET_PDEATHSIG in prctl(2)).
func (vm *VM) run(m *Machine, c *exec.Cmd, started chan<- error, stdout, stderr io.Reader, log func(string)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := c.Start(); err != nil {
		started <- err
		return
	}
	vm.PID = c.Process.Pid
	if n := m.addressSpace(); n > 0 {
		limit := unix.Rlimit{Cur: n, Max: n}
		unix.Prlimit(vm.PID, unix.RLIMIT_AS, &limit, nil)
	}
	vm.output.Add(2)
	go vm.copyOutput(stdout, nil, log)
	go vm.copyOutput(stderr, vm.stderr, log)
	started <- nil
	vm.output.Wait()
	c.Wait()
	vm.state = c.ProcessState
	close(vm.done)
}

func (vm *VM) copyOutput(r io.Reader, keep *tail, log func(string)) {
	defer vm.output.Done()
	buf := make([]byte, 8192)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if keep != nil {
				keep.Write(buf[:n])
			}
			log(string(buf[:n]))
		}
		if err != nil {
			return
		}
	}
}

// Done is closed when qemu has ended.
func (vm *VM) Done() <-chan struct{} { return vm.done }

// Stop asks qemu to end, waits for it, and kills it after a while. The error
// says if it ended other than asked.
func (vm *VM) Stop(ctx context.Context) error {
	vm.closeSockets()
	syscall.Kill(-vm.PID, syscall.SIGTERM)
	select {
	case <-vm.done:
	case <-time.After(10 * time.Second):
		vm.Kill()
	case <-ctx.Done():
		vm.Kill()
	}
	return vm.exitError()
}

// Kill ends qemu at once and waits for it.
func (vm *VM) Kill() {
	vm.closeSockets()
	syscall.Kill(-vm.PID, syscall.SIGKILL)
	<-vm.done
}

func (vm *VM) exitError() error {
	if vm.state.Success() {
		return nil
	}
	ws := vm.state.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		if ws.Signal() == syscall.SIGTERM { // a wrapper that was asked to end
			return nil
		}
		return fmt.Errorf("%s was killed by signal %d (%v)", vm.name, ws.Signal(), ws.Signal())
	}
	return fmt.Errorf("%s exited with error status %d", vm.name, ws.ExitStatus())
}

// Why says why qemu has ended: its last words, else its status. It waits
// for the end.
func (vm *VM) Why() string {
	select {
	case <-vm.done:
	case <-time.After(2 * time.Second):
		vm.Kill()
		return "it closed the connection and went on running"
	}
	text := vm.stderr.String()
	var keep []string
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line != "" && !strings.Contains(line, "terminating on signal") && !strings.Contains(line, ": warning: ") {
			keep = append(keep, line)
		}
	}
	err := vm.exitError()
	switch {
	case len(keep) > 0:
		return strings.Join(keep, ": ")
	case err != nil:
		return err.Error()
	case !vm.mon.greeted.Load():
		return fmt.Sprintf("%s ended at once without a word, as no qemu does (see set-hv and GOFISH_HV)", vm.name)
	}
	return "the appliance shut down"
}

// tail keeps the last few kilobytes written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	const most = 4096
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if n := t.buf.Len() - most; n > 0 {
		t.buf.Next(n)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}
