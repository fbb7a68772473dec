package handle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/api"
	"gofish/internal/appliance"
	"gofish/internal/calls"
	"gofish/internal/hostmount"
	"gofish/internal/newfile"
)

// localMount is the guest's file system, shown on the host through FUSE. Requests of the
// kernel become calls of the handle, which take turns with those of its other users, while
// mount_local_run waits.
type localMount struct {
	h       *Handle
	link    *link // through which it was made
	dir     string
	options mountOptions
	server  *fuse.Server
	nodes   *nodeFS // nil: the daemon is not ours, and requests go by path

	begun    chan struct{} // closed by mount_local_run
	start    sync.Once
	running  atomic.Bool
	cancel   func()        // ends mount_local_run, once it is running
	asked    atomic.Bool   // a request has come
	over     atomic.Bool   // there is nothing behind it any longer
	done     chan struct{} // closed when mount_local_run is over
	failOnce sync.Once
	failure  error         // why it ended, nil if it was unmounted
	failed   chan struct{} // closed when there is a failure
}

func (h Actions) MountLocal(c *Call, localmountpoint string, o types.MountLocalOptions) error {
	if h.State() != Ready {
		return notLaunched(c.Action)
	}
	if h.localMount() != nil {
		return &CallError{Text: "filesystem is already mounted in another thread"}
	}
	if fi, err := os.Stat(localmountpoint); err != nil || !fi.IsDir() {
		return fmt.Errorf("%s: not a directory of the host", localmountpoint)
	}
	options, err := parseMountOptions(o)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(localmountpoint)
	if err == nil {
		dir, err = filepath.EvalSymlinks(dir)
	}
	if err != nil {
		return err
	}
	m := &localMount{h: h.Handle, link: h.link, dir: dir, options: options,
		begun: make(chan struct{}), done: make(chan struct{}), failed: make(chan struct{})}
	if !h.link.ours.Load() {
		h.quietly().PingDaemon(c) // its answer says whose it is
	}
	if err := m.mount(); err != nil {
		return err
	}
	h.setMounted(m)
	return nil
}

// mount makes the mount. Requests wait until mount_local_run.
func (m *localMount) mount() error {
	fd, err := hostmount.Make(m.dir, hostmount.Options{Source: m.options.source, Type: m.options.name, Words: m.options.kernel, MaxRead: maxMessage})
	if err != nil {
		return fmt.Errorf("%s: cannot be mounted on: %w", m.dir, err)
	}
	var requests fuse.RawFileSystem
	o := m.options.fuseByPath()
	if m.link.ours.Load() {
		m.nodes = newNodeFS(m)
		requests, o = m.nodes, m.options.fuse()
	} else {
		requests = fs.NewNodeFS(&guestNode{m: m}, &fs.Options{AttrTimeout: &m.options.attrTimeout, EntryTimeout: &m.options.entryTimeout, NegativeTimeout: &m.options.negativeTimeout})
	}
	m.server, err = fuse.NewServer(requests, fmt.Sprintf("/dev/fd/%d", fd), o)
	if err != nil {
		hostmount.Unmount(m.dir, true)
		return fmt.Errorf("%s: %w", m.dir, err)
	}
	go m.server.Serve()
	// Before anybody can open a file there, this process first of all.
	hostmount.RefusePolls(m.dir)
	return nil
}

// waits reports whether a request for the root's attributes is our own, while all others
// still wait for mount_local_run. Then a stands for them.
func (m *localMount) waits(thread uint32, a *fuse.Attr) bool {
	select {
	case <-m.begun:
		return false
	default:
	}
	if _, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", thread)); err != nil {
		return false
	}
	*a = fuse.Attr{Ino: fuse.FUSE_ROOT_ID, Mode: syscall.S_IFDIR | 0o755, Nlink: 2, Owner: fuse.Owner{Uid: uint32(os.Geteuid()), Gid: uint32(os.Getegid())}}
	return true
}

// begin makes the daemon ready for requests. The turn is held.
func (m *localMount) begin(ctx context.Context) error {
	if m.nodes == nil {
		return nil
	}
	w, target := m.h.plugWindow()
	root, err := m.h.quietly().InternalNodesBegin(ctx, target)
	if err != nil {
		return err
	}
	m.nodes.begin(root, w)
	return m.setClock(silent{m.h})
}

// setClock gives the guest the host's time.
func (m *localMount) setClock(caller calls.Caller) error {
	now := time.Now()
	c := calls.Client{Caller: caller}
	return c.InternalNodesClock(context.Background(), now.Unix(), int64(now.Nanosecond()))
}

// keepClock sets the guest's clock again and again while requests come.
func (m *localMount) keepClock(stop <-chan struct{}) {
	const interval = 5 * time.Second
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			if m.asked.Swap(false) {
				m.setClock(turn{m})
				m.asked.Store(false)
			}
		}
	}
}

// plugWindow plugs the window in, and returns its target; nil and -1 if there can be none.
func (h *Handle) plugWindow() (*window, int) {
	if !h.canBulk() {
		return nil, -1
	}
	w, err := newWindow(func(f *os.File) error {
		return h.link.vm.Plug(appliance.Drive{File: f, Format: "raw", CacheMode: "unsafe"}, bulkTarget)
	})
	if err != nil {
		h.log("mount-local: %v", err)
		return nil, -1
	}
	h.link.window = true
	return w, bulkTarget
}

// newWindow makes a window of memory, and passes the file that it is to plug.
func newWindow(plug func(*os.File) error) (*window, error) {
	const size = windowSlots * windowSlot
	f, err := newfile.Memory("")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		return nil, err
	}
	mem, err := unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	if err := plug(f); err != nil {
		unix.Munmap(mem)
		return nil, err
	}
	w := &window{mem: mem, slots: make(chan int64, windowSlots)}
	for i := range int64(windowSlots) {
		w.give(i * windowSlot)
	}
	return w, nil
}

// endNodes releases what the mount holds in the guest. The turn is held.
func (h *Handle) endNodes(ctx context.Context, m *localMount) {
	if m.nodes == nil {
		return
	}
	defer m.nodes.close()
	if h.link == nil || h.link != m.link {
		return
	}
	if err := h.quietly().InternalNodesEnd(ctx); err != nil {
		h.log("mount-local: %v", err)
	}
	if h.link != nil && h.link.window {
		h.link.window = false
		h.unplugBulk()
	}
}

// MountLocalRun serves the mount until it is unmounted. Other calls go on meanwhile: it
// does not keep its turn.
func (h Actions) MountLocalRun(c *Call) error {
	m := h.localMount()
	if there, err := c.Exists(c, "/"); err != nil || !there {
		if m != nil { // nobody would serve it
			m.end()
			h.setMounted(nil)
		}
		return &CallError{Text: "you must call ‘guestfs_mount’ first to mount a filesystem on '/'."}
	}
	if m == nil {
		return errors.New("you must call mount_local first")
	}
	if err := m.begin(c); err != nil {
		h.endNodes(context.Background(), m)
		return err
	}
	ctx, cancel := context.WithCancel(c)
	defer cancel()
	m.cancel = cancel
	m.running.Store(true)
	m.start.Do(func() { close(m.begun) })
	if m.nodes != nil {
		go m.keepClock(ctx.Done())
	}
	h.callMu.Unlock()
	err := m.wait(ctx)
	if m.nodes != nil {
		m.nodes.setTimes()
	}
	h.callMu.Lock()
	m.over.Store(true)
	h.endNodes(context.Background(), m)
	h.setMounted(nil)
	close(m.done)
	return err
}

// wait returns when the mount has ended, for whatever reason.
func (m *localMount) wait(ctx context.Context) error {
	unmounted := make(chan struct{})
	go func() {
		m.server.Wait()
		close(unmounted)
	}()
	var dead <-chan struct{}
	if m.link.vm != nil {
		dead = m.link.vm.Done()
	}
	select {
	case <-unmounted:
		return nil
	case <-ctx.Done():
		m.leave(unmounted)
		return errCancelledByUser
	case <-dead:
		m.h.callMu.Lock()
		if m.h.link == m.link {
			m.fail(m.h.lost(api.All.Lookup("mount_local_run"), nil))
		}
		m.h.callMu.Unlock()
	case <-m.failed:
	}
	<-m.failed
	m.over.Store(true)
	m.leave(unmounted)
	return m.failure
}

// fail ends the mount: there is no appliance any longer.
func (m *localMount) fail(err error) {
	m.failOnce.Do(func() {
		m.failure = err
		close(m.failed)
	})
}

// leave unmounts, in spite of programs that use the mount. unmounted is closed when the
// kernel has let go.
func (m *localMount) leave(unmounted <-chan struct{}) {
	if hostmount.Unmount(m.dir, false) == nil {
		<-unmounted
		return
	}
	users := hostmount.Users(m.dir)
	if !m.over.Load() {
		hostmount.WriteBack(m.dir)
	}
	m.over.Store(true)
	if at, err := hostmount.Find(m.dir); err == nil && at.FUSE() {
		at.Abort()
	}
	if err := hostmount.Unmount(m.dir, true); err != nil && !errors.Is(err, syscall.EINVAL) {
		m.h.Warn("%s is still mounted: %v", m.dir, err)
	} else if users != "" {
		m.h.Warn("%s is unmounted, although it is in use by %s", m.dir, users)
	}
	select {
	case <-unmounted:
	case <-time.After(time.Second): // where the connection cannot be ended: it goes with this process
	}
}

func (h *Handle) setMounted(m *localMount) {
	h.cancelMu.Lock()
	h.mounted = m
	h.cancelMu.Unlock()
}

// localMount returns the mount made by mount_local, or nil.
func (h *Handle) localMount() *localMount {
	h.cancelMu.Lock()
	defer h.cancelMu.Unlock()
	return h.mounted
}

// end unmounts, and waits until mount_local_run is over.
func (m *localMount) end() {
	if !m.running.Load() {
		m.over.Store(true)
		m.start.Do(func() { close(m.begun) }) // what waits fails now
	}
	unmounted := make(chan struct{})
	go func() {
		m.server.Wait()
		close(unmounted)
	}()
	m.leave(unmounted)
	if m.running.Load() {
		<-m.done
	}
}

// endLocalMount unmounts what mount_local has mounted, if it has.
func (h *Handle) endLocalMount() {
	if m := h.localMount(); m != nil {
		m.end()
		h.setMounted(nil)
	}
}

// UmountLocal ends the mount. It does not wait for its turn: requests of the kernel need it,
// and so does mount_local_run.
func (h Actions) UmountLocal(o types.UmountLocalOptions) error {
	retry := o.Retry != nil && *o.Retry
	m := h.localMount()
	if m == nil {
		return &CallError{Action: "umount_local", Text: "no filesystem is mounted"}
	}
	tries := 1
	if retry {
		tries = 5
	}
	var err error
	for try := range tries {
		if try > 0 {
			time.Sleep(time.Duration(try) * 200 * time.Millisecond)
		}
		if err = hostmount.Unmount(m.dir, false); err == nil {
			break
		}
	}
	switch {
	case err == nil && m.running.Load():
		<-m.done
	case err == nil:
		m.end()
		h.setMounted(nil)
	case errors.Is(err, syscall.EBUSY):
		text := "it is in use"
		if users := hostmount.Users(m.dir); users != "" {
			text += " by " + users
		}
		return &CallError{Action: "umount_local", Errno: syscall.EBUSY, Text: fmt.Sprintf("%s: %s", m.dir, text)}
	default:
		return &CallError{Action: "umount_local", Text: fmt.Sprintf("%s: %v", m.dir, err)}
	}
	return nil
}

// besideMount keeps the mount and the guest the same for a call that another user of the handle
// makes while the mount is served: what programs have written goes to the guest before, and
// what the kernel has cached of the guest is forgotten after. The turn is not held.
func (h *Handle) besideMount(a *api.Action) (after func()) {
	m := h.localMount()
	if m == nil || m.nodes == nil || !m.running.Load() || m.over.Load() {
		return func() {}
	}
	hostmount.WriteBack(m.dir)
	m.nodes.setTimes()
	if looksOnly(a.Name) {
		return func() {}
	}
	return func() {
		if !m.over.Load() {
			m.nodes.invalidate(m.server)
		}
	}
}

// looksOnly reports whether an action is one of the frequent ones that change nothing in
// the guest.
func looksOnly(name string) bool {
	for _, prefix := range []string{"get_", "is_", "list_", "stat", "lstat", "read", "exists", "ls", "ll", "find", "cat", "head", "tail", "file", "checksum", "download", "df", "du", "version", "ping_daemon", "inspect_get_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}

// turn makes calls for requests of the kernel.
type turn struct{ m *localMount }

func (t turn) Call(ctx context.Context, a *api.Action, args, opts []any) (any, error) {
	m := t.m
	<-m.begun
	h := m.h
	gone := &CallError{Errno: syscall.ENOTCONN, Text: "there is no appliance behind the mount"}
	if m.over.Load() { // who ends the mount may hold the turn
		return nil, gone
	}
	m.asked.Store(true)
	h.callMu.Lock()
	defer h.callMu.Unlock()
	if m.over.Load() || h.link == nil || h.link != m.link {
		return nil, gone
	}
	v, err := h.invoke(ctx, a, args, opts)
	var le *LinkError
	if errors.As(err, &le) {
		whole := *le // of the mount, not of the request that met it
		whole.Action = "mount_local_run"
		m.fail(&whole)
	}
	return v, err
}

// ask does a call for a request of the kernel.
func ask[T any](m *localMount, do func(ctx context.Context, c calls.Client) (T, error)) (T, syscall.Errno) {
	v, err := do(context.Background(), calls.Client{Caller: turn{m}})
	if err == nil {
		return v, 0
	}
	var ce *CallError
	if errors.As(err, &ce) && ce.Errno != 0 {
		return v, ce.Errno
	}
	return v, syscall.EIO
}

// change is ask for a call that changes something.
func (m *localMount) change(do func(ctx context.Context, c calls.Client) error) syscall.Errno {
	if m.options.readonly {
		return syscall.EROFS
	}
	_, e := ask(m, func(ctx context.Context, c calls.Client) (any, error) { return nil, do(ctx, c) })
	return e
}

// sized copies a value out, or returns how much room it needs.
func sized(dest, value []byte) (uint32, syscall.Errno) {
	if len(dest) > 0 && len(value) > len(dest) {
		return uint32(len(value)), syscall.ERANGE
	}
	copy(dest, value)
	return uint32(len(value)), 0
}
