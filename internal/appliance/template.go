package appliance

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gofish/internal/proto"
)

// A template is a virtual machine, saved after its boot and before its daemon
// announced itself, without disks. Restoring it takes a fraction of a boot.
//
//	templates/KEY/ram            the guest's memory, sparse
//	templates/KEY/state          qemu's device state
//	templates/KEY/manifest.json  checksums of both; written last
//	templates/KEY/refused        qemu has once refused the state
//	templates/KEY.lock           held while the template is made
//	templates/tmp-KEY-*          being made
//
// The memory is mapped privately by every machine that is restored, so that they
// share its pages until they write to them. What is in these files is run: the
// folder is the user's alone.

// errNoTemplate: there is none, and it cannot be made now.
var errNoTemplate = errors.New("no template")

// DriveError is a drive that qemu refuses.
type DriveError struct {
	Drive int
	Text  string
}

func (e *DriveError) Error() string { return e.Text }

// errDamaged: the files of a template are not what was saved.
var errDamaged = errors.New("the saved machine is damaged")

const (
	// restoreLimit bounds the time until the state is back. It is 0.1 s on an idle
	// machine; of 16 at once on two busy cores the last took 5 s.
	restoreLimit = 30 * time.Second
	// restorePatience is how long it may stand still before we say so.
	restorePatience = 5 * time.Second
	// plugInLimit bounds what follows: drives are opened, which may be far away, and
	// the daemon answers.
	plugInLimit = time.Minute
	// templateSpace is how much disk space templates may take together.
	templateSpace = 2 << 30
)

// templatable: only our own daemon can wait to be saved, and only SCSI disks can be plugged
// in later.
func (m *Machine) templatable() bool {
	if m.Image.Fixed || len(m.Extra) > 0 {
		return false
	}
	for _, d := range m.Drives {
		if d.Virtio {
			return false
		}
	}
	return true
}

type templateManifest struct {
	State  string // SHA-256 of the state
	RAM    uint32 // CRC-32C of the memory's data and its positions
	Bytes  int64  // size of the memory
	HV     string // what it was made with, for people
	Kernel string
}

type template struct {
	dir string // of this template
	top string // of all templates
	key string
}

// template returns the place of the template for this machine. Its key covers
// everything that the saved state depends on.
func (m *Machine) template(top string) template {
	h := sha256.New()
	fmt.Fprintln(h, "gofish template 1", m.HV.identity(), m.TmpDir == "")
	for _, f := range []string{m.Image.Kernel, m.Image.Initrd, m.Image.Root} {
		fmt.Fprintln(h, identity(f))
	}
	fmt.Fprintln(h, strings.Join(m.common("ram"), "\n"))
	if m.Accel == "kvm" {
		fmt.Fprintln(h, hostCPU())
	}
	key := hex.EncodeToString(h.Sum(nil)[:12])
	return template{filepath.Join(top, key), top, key}
}

// hostCPU identifies the processor and its features.
func hostCPU() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	first, _, _ := strings.Cut(string(b), "\n\n")
	var keep []string
	for _, line := range strings.Split(first, "\n") {
		for _, k := range []string{"model name", "stepping", "microcode", "flags"} {
			if strings.HasPrefix(line, k) {
				keep = append(keep, line)
			}
		}
	}
	return strings.Join(keep, "\n")
}

func (t template) ram() string      { return filepath.Join(t.dir, "ram") }
func (t template) state() string    { return filepath.Join(t.dir, "state") }
func (t template) manifest() string { return filepath.Join(t.dir, "manifest.json") }
func (t template) refused() string  { return filepath.Join(t.dir, "refused") }

func (m *Machine) ramObject(path string, share bool) string {
	s := "off"
	if share {
		s = "on"
	}
	return fmt.Sprintf("memory-backend-file,id=ram,size=%dM,mem-path=%s,share=%s", m.Memory, comma(path), s)
}

// templateArgs is the argument vector for making or restoring a template.
func (m *Machine) templateArgs(ram string, share bool) []string {
	args := m.common(m.ramObject(ram, share))
	return append(args,
		"-drive", "file="+comma(m.Image.Root)+",id=appliance,if=none,format=raw,readonly=on,file.locking=off")
}

// fromTemplate restores the template of this machine, making it first if there
// is none.
func (m *Machine) fromTemplate(ctx context.Context, limit time.Duration, o LaunchOptions) (*VM, error) {
	if _, err := openCache(o.Templates); err != nil {
		return nil, err
	}
	sweepTemplates(o.Templates)
	t := m.template(o.Templates)
	if _, err := os.Stat(t.manifest()); err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if err := m.makeTemplate(ctx, t, limit, o); err != nil {
			o.Log("no template: %v", err)
			return nil, errNoTemplate
		}
	}
	vm, err := m.restore(ctx, t, o)
	// A restore may fail because the machine is busy, out of memory or descriptors, or
	// because somebody killed qemu. Removing the template for that would make everybody who
	// shares the cache boot: it is only removed if it is proved to be bad.
	switch refused := errors.Is(err, errRefused); {
	case err == nil:
		os.Remove(t.refused())
	case errors.Is(err, errDamaged), errors.Is(err, fs.ErrNotExist), refused && exists(t.refused()):
		o.Log("template %s is not usable and is removed", t.key)
		os.RemoveAll(t.dir)
	case refused:
		os.WriteFile(t.refused(), nil, 0o600)
	}
	return vm, err
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// makeTemplate boots the machine without drives and saves it.
func (m *Machine) makeTemplate(ctx context.Context, t template, limit time.Duration, o LaunchOptions) error {
	lock, err := os.OpenFile(t.dir+".lock", os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close()
	if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return errNoTemplate // another process is making it: boot instead
	}
	if _, err := os.Stat(t.manifest()); err == nil {
		return nil // they have just finished
	}
	removeGlob(filepath.Join(t.top, "tmp-"+t.key+"-*")) // of a maker that died: we hold the lock
	tmp, err := os.MkdirTemp(t.top, "tmp-"+t.key+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	began := time.Now()
	if err := m.saveTo(ctx, template{dir: tmp, top: t.top, key: t.key}, limit, o); err != nil {
		return err
	}
	if err := os.Rename(tmp, t.dir); err != nil {
		return err
	}
	if d, err := os.Open(t.top); err == nil {
		d.Sync()
		d.Close()
	}
	o.Log("template %s made in %v", t.key, time.Since(began).Round(time.Millisecond))
	PruneTemplates(t.top, templateSpace, t.key)
	return nil
}

// saveTo boots the machine without drives and writes the files of a template.
func (m *Machine) saveTo(ctx context.Context, t template, limit time.Duration, o LaunchOptions) error {
	state, err := create(t.state())
	if err != nil {
		return err
	}
	defer state.Close()
	ram, err := create(t.ram())
	if err != nil {
		return err
	}
	defer ram.Close()
	if err := ram.Truncate(int64(m.Memory) << 20); err != nil {
		return err
	}
	driveless := *m
	driveless.Drives = nil
	args := driveless.templateArgs(t.ram(), true)
	o.Log("making template %s: %s %s", t.key, m.HV, pasteable(args))
	vm, err := driveless.start(args, o.Console)
	if err != nil {
		return err
	}
	err = vm.await(ctx, limit, func() error {
		ev, frame, err := vm.Conn.Next(&proto.Progress{})
		if err != nil {
			return err
		}
		if !isWaiting(ev, frame) {
			return errors.New("the daemon does not wait to be saved")
		}
		return save(vm.mon, state)
	})
	if err != nil {
		return err
	}
	vm.Kill()
	return m.seal(t, state, ram)
}

// seal writes the manifest of a template whose other files are complete, and sees to it
// that all are on the disk.
func (m *Machine) seal(t template, state, ram *os.File) error {
	manifest := templateManifest{Bytes: int64(m.Memory) << 20, HV: m.HV.String(), Kernel: m.Image.Kernel}
	var err error
	if manifest.State, err = sumState(state); err != nil {
		return err
	}
	if manifest.RAM, err = sumMemory(ram); err != nil {
		return err
	}
	b, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	f, err := create(t.manifest())
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.Write(b)
	for _, f := range []*os.File{f, state, ram} {
		if serr := f.Sync(); err == nil {
			err = serr
		}
	}
	return err
}

func create(name string) (*os.File, error) {
	return os.OpenFile(name, os.O_CREATE|os.O_RDWR|syscall.O_CLOEXEC, 0o600)
}

// prepareMigration makes qemu leave the memory out of what it saves and restores,
// and report when it has done so.
func (m *monitor) prepareMigration() error {
	if err := m.negotiate(); err != nil {
		return err
	}
	type capability struct {
		Name  string `json:"capability"`
		State bool   `json:"state"`
	}
	return m.do("migrate-set-capabilities", map[string]any{"capabilities": []capability{{"x-ignore-shared", true}, {"events", true}}}, nil)
}

// save stops the guest and writes the state of its devices; its memory is in its
// file already.
func save(mon *monitor, state *os.File) error {
	if err := mon.prepareMigration(); err != nil {
		return err
	}
	if err := mon.do("stop", nil, nil); err != nil {
		return err
	}
	if err := mon.sendFile("state", state); err != nil {
		return err
	}
	if err := mon.do("migrate", map[string]string{"uri": "fd:state"}, nil); err != nil {
		return err
	}
	return mon.awaitMigration()
}

// saved is a template that is open, to be restored.
type saved struct {
	state, ram *os.File
	checked    chan error // holds the result of checking the memory, once it is known
}

// open opens a template whose machine has this much memory, in MiB. Checking the memory
// takes about as long as qemu's start, so both go side by side.
func (t template) open(memory int) (*saved, error) {
	b, err := os.ReadFile(t.manifest())
	if err != nil {
		return nil, err
	}
	var manifest templateManifest
	if err := json.Unmarshal(b, &manifest); err != nil {
		return nil, fmt.Errorf("%w: %s: %v", errDamaged, t.manifest(), err)
	}
	s := &saved{checked: make(chan error, 1)}
	if s.state, err = os.Open(t.state()); err != nil {
		return nil, err
	}
	if s.ram, err = os.Open(t.ram()); err != nil {
		s.state.Close()
		return nil, err
	}
	sum, err := sumState(s.state)
	if err == nil && sum != manifest.State {
		err = fmt.Errorf("%w: its state is not what was saved", errDamaged)
	}
	if err == nil {
		var fi os.FileInfo
		if fi, err = s.ram.Stat(); err == nil && (fi.Size() != manifest.Bytes || fi.Size() != int64(memory)<<20) {
			err = fmt.Errorf("%w: its memory has another size", errDamaged)
		}
	}
	if err != nil {
		s.checked <- err
		s.close()
		return nil, err
	}
	go func() {
		sum, err := sumMemory(s.ram)
		if err == nil && sum != manifest.RAM {
			err = fmt.Errorf("%w: its memory is not what was saved", errDamaged)
		}
		s.checked <- err
	}()
	return s, nil
}

// check waits until the memory has been checked.
func (s *saved) check() error {
	err := <-s.checked
	s.checked <- err
	return err
}

func (s *saved) close() {
	s.check() // it must not outlive the files
	s.state.Close()
	s.ram.Close()
}

// restore brings a saved machine back and gives it its drives.
func (m *Machine) restore(ctx context.Context, t template, o LaunchOptions) (*VM, error) {
	step := stopwatch(o.Log)
	s, err := t.open(m.Memory)
	if err != nil {
		return nil, err
	}
	defer s.close()
	args := append(m.templateArgs(t.ram(), false), m.fileArgs()...)
	args = append(args, "-incoming", "defer")
	o.Log("restoring template %s: %s %s", t.key, m.HV, pasteable(args))
	vm, err := m.start(args, o.Console)
	if err != nil {
		return nil, err
	}
	step("qemu was started")
	limit := cmp.Or(o.RestoreLimit, restoreLimit)
	if err := m.loadState(ctx, vm, s, limit, o, step); err != nil {
		return nil, err
	}
	if err := m.resume(ctx, vm, max(limit, plugInLimit), step); err != nil {
		return nil, err
	}
	now := time.Now()
	os.Chtimes(t.manifest(), now, now) // for PruneTemplates: this one is in use
	return vm, nil
}

// loadState loads the saved state into a fresh qemu and checks the saved memory.
func (m *Machine) loadState(ctx context.Context, vm *VM, s *saved, limit time.Duration, o LaunchOptions, step func(string)) error {
	patience := time.AfterFunc(restorePatience, func() {
		o.note("the saved appliance is not back after %v; another one will be booted if that takes longer than %v", restorePatience, limit)
	})
	defer patience.Stop()
	return vm.await(ctx, limit, func() error {
		if err := vm.mon.prepareMigration(); err != nil {
			return err
		}
		step("qemu answered")
		if err := vm.mon.sendFile("state", s.state); err != nil {
			return err
		}
		if err := vm.mon.do("migrate-incoming", map[string]string{"uri": "fd:state"}, nil); err != nil {
			return err
		}
		if err := vm.mon.awaitMigration(); err != nil {
			return err
		}
		step("the state was restored")
		if err := s.check(); err != nil {
			return err
		}
		step("the memory was checked")
		return nil
	})
}

// resume lets a restored machine run and plugs its drives in.
func (m *Machine) resume(ctx context.Context, vm *VM, limit time.Duration, step func(string)) error {
	opening := -1 // the drive that qemu is opening
	plug := func(i int) error {
		opening = i
		err := vm.mon.plug(&m.Drives[i], i, m.driveName(i))
		if err == nil {
			opening = -1
		}
		return err
	}
	err := vm.await(ctx, limit, func() error {
		if len(m.Drives) > 0 {
			if err := plug(0); err != nil {
				return err
			}
		}
		step("the first drive was plugged in")
		if err := vm.mon.do("cont", nil, nil); err != nil {
			return err
		}
		step("the guest ran")
		err := m.begin(vm.Conn, plug)
		step("the daemon was ready")
		return err
	})
	var late *lateError
	if errors.As(err, &late) && opening >= 0 {
		return &DriveError{opening, notOpened(late.limit)} // another qemu would not open it either
	}
	return err
}

// stopwatch returns a function that logs how long each step of something took.
func stopwatch(log func(format string, args ...any)) func(step string) {
	last := time.Now()
	return func(step string) {
		now := time.Now()
		log("%s after %.1f ms", step, now.Sub(last).Seconds()*1000)
		last = now
	}
}

// errRefused: qemu does not take the state, or does not give it.
var errRefused = errors.New("qemu could not save or restore the machine")

// awaitMigration waits until a migration, in either direction, has ended.
func (m *monitor) awaitMigration() error {
	for m.moved == "" {
		msg, err := m.next()
		if err != nil {
			return err
		}
		m.noteEvent(msg)
	}
	if m.moved != "completed" {
		return fmt.Errorf("%w: migration %s", errRefused, m.moved)
	}
	return nil
}

// noteMigration remembers the end of a migration.
func (m *monitor) noteMigration(msg qmpMessage) {
	var data struct {
		Status string `json:"status"`
	}
	if msg.Event != "MIGRATION" || json.Unmarshal(msg.Data, &data) != nil {
		return
	}
	switch data.Status {
	case "completed", "failed", "cancelled":
		m.moved = data.Status
	}
}

func isWaiting(ev proto.Event, frame []byte) bool {
	var h proto.Header
	d := proto.NewDecoder(frame)
	h.Decode(d)
	return ev == proto.EventFrame && d.Err == nil && h.Proc == proto.ProcWaiting
}

// begin sends the waiting daemon what is specific to this launch, plugs in the drives after
// the first when it asks for them, and waits for its launch word.
func (m *Machine) begin(conn *proto.Conn, plug func(int) error) error {
	now := time.Now()
	s := proto.Start{
		Seconds: now.Unix(), Nanoseconds: int64(now.Nanosecond()),
		Entropy: make([]byte, 256), Verbose: m.Verbose, Disks: uint32(len(m.Drives)),
	}
	rand.Read(s.Entropy)
	e := &proto.Encoder{}
	h := proto.CallHeader(proto.ProcStart, 0, 0, 0)
	h.Encode(e)
	s.Encode(e)
	if err := conn.WriteFrame(e.Buf); err != nil {
		return err
	}
	if err := conn.Flush(); err != nil {
		return err
	}
	for next := 1; ; next++ {
		ev, frame, err := conn.Next(&proto.Progress{})
		switch {
		case err != nil:
			return err
		case ev == proto.EventLaunch:
			return nil
		case !isWaiting(ev, frame) || next >= len(m.Drives):
			return errors.New("the restored daemon does not answer with the launch word")
		}
		if err := plug(next); err != nil {
			return err
		}
	}
}

func sumState(f *os.File) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, io.NewSectionReader(f, 0, 1<<40))
	return hex.EncodeToString(h.Sum(nil)), err
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sumMemory is a checksum of the parts of a sparse file that hold data, and of
// where they are.
func sumMemory(f *os.File) (uint32, error) {
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, int(fi.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return 0, err
	}
	defer unix.Munmap(mem)
	var sum uint32
	for at := int64(0); at < fi.Size(); {
		from, err := unix.Seek(int(f.Fd()), at, unix.SEEK_DATA)
		if err == unix.ENXIO {
			break
		}
		if err != nil {
			return 0, err
		}
		to, err := unix.Seek(int(f.Fd()), from, unix.SEEK_HOLE)
		if err != nil {
			return 0, err
		}
		sum = crc32.Update(sum, castagnoli, fmt.Appendf(nil, "%d-%d", from, to))
		sum = crc32.Update(sum, castagnoli, mem[from:to])
		at = to
	}
	return sum, nil
}

// sweepTemplates removes what makers left that were killed: those that live hold the
// lock of their key.
func sweepTemplates(top string) {
	l, _ := os.ReadDir(top)
	for _, e := range l {
		rest, ok := strings.CutPrefix(e.Name(), "tmp-")
		if !ok {
			continue
		}
		key, _, _ := strings.Cut(rest, "-")
		lock, err := os.OpenFile(filepath.Join(top, key+".lock"), os.O_RDWR|syscall.O_CLOEXEC, 0)
		if err == nil && syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			lock.Close()
			continue // it is being made
		}
		os.RemoveAll(filepath.Join(top, e.Name()))
		lock.Close()
	}
}

func removeGlob(pattern string) {
	l, _ := filepath.Glob(pattern)
	for _, name := range l {
		os.RemoveAll(name)
	}
}

// PruneTemplates removes templates, the least recently used first, until they take
// no more than space bytes. The one with the key keep stays. It returns the bytes freed.
func PruneTemplates(top string, space int64, keep string) int64 {
	sweepTemplates(top)
	type entry struct {
		dir  string
		size int64
		used time.Time
	}
	var all []entry
	var total, freed int64
	l, _ := filepath.Glob(filepath.Join(top, "*", "manifest.json"))
	for _, f := range l {
		dir, derr := os.Lstat(filepath.Dir(f))
		fi, err := os.Lstat(f)
		if err != nil || derr != nil || !dir.IsDir() {
			continue
		}
		e := entry{filepath.Dir(f), 0, fi.ModTime()}
		for _, name := range []string{"ram", "state"} {
			var st unix.Stat_t
			if unix.Stat(filepath.Join(e.dir, name), &st) == nil {
				e.size += st.Blocks * 512
			}
		}
		total += e.size
		all = append(all, e)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].used.Before(all[j].used) })
	for _, e := range all {
		if total-freed <= space {
			break
		}
		if filepath.Base(e.dir) == keep {
			continue
		}
		// The manifest first: without it the rest is nothing.
		os.Remove(filepath.Join(e.dir, "manifest.json"))
		os.RemoveAll(e.dir)
		os.Remove(e.dir + ".lock")
		freed += e.size
	}
	return freed
}

// isClosed reports whether an error means that the other side is gone.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET)
}

// pasteable writes an argument vector so that a shell reads it back.
func pasteable(args []string) string {
	q := make([]string, len(args))
	for i, a := range args {
		if strings.ContainsAny(a, " '\"$`\\&|;<>()*?[]#~=%") || a == "" {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		q[i] = a
	}
	return strings.Join(q, " ")
}
