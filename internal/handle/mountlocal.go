package handle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"gofish/guestfs/types"
	"gofish/internal/api"
)

// localMount is the guest's file system, shown on the host through FUSE. Each
// request of the kernel becomes calls of the handle, one after the other, while
// mount_local_run waits.
type localMount struct {
	server   *fuse.Server
	readonly bool

	mu      sync.Mutex // held for a call, and until mount_local_run has begun
	h       *Handle
	c       *Call
	running atomic.Bool
}

// defaultCacheTimeout is how long the kernel may cache attributes and names.
const defaultCacheTimeout = time.Minute

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
	m := &localMount{h: h.Handle, readonly: o.ReadOnly != nil && *o.ReadOnly}
	m.mu.Lock()
	timeout := defaultCacheTimeout
	if o.CacheTimeout != nil {
		timeout = time.Duration(*o.CacheTimeout) * time.Second
	}
	options := &fs.Options{AttrTimeout: &timeout, EntryTimeout: &timeout}
	options.MountOptions = fuse.MountOptions{
		FsName: "gofish", Name: "gofish", DirectMount: true,
		Debug:        o.DebugCalls != nil && *o.DebugCalls,
		MaxReadAhead: 128 << 10,
	}
	if m.readonly {
		options.Options = append(options.Options, "ro")
	}
	if o.Options != nil && *o.Options != "" {
		options.Options = append(options.Options, strings.Split(*o.Options, ",")...)
	}
	server, err := fs.Mount(localmountpoint, &guestNode{m: m}, options)
	if err != nil {
		m.mu.Unlock()
		return fmt.Errorf("%s: %v (FUSE is needed: /dev/fuse, and fusermount3 for users other than root)", localmountpoint, err)
	}
	m.server = server
	h.setMounted(m)
	return nil
}

// MountLocalRun serves the mount until it is unmounted.
func (h Actions) MountLocalRun(c *Call) error {
	if there, err := c.Exists(c, "/"); err != nil || !there {
		text := "you must call ‘guestfs_mount’ first to mount a filesystem on '/'."
		if h.localMount() != nil {
			text += " The mount on the host is there still; fusermount3 -u takes it away."
		}
		return &CallError{Text: text}
	}
	m := h.localMount()
	if m == nil {
		return errors.New("you must call mount_local first")
	}
	m.c = c
	m.running.Store(true)
	m.mu.Unlock()
	stop := context.AfterFunc(c, func() { m.server.Unmount() })
	m.server.Wait()
	stop()
	m.mu.Lock()
	h.setMounted(nil)
	if c.Err() != nil {
		return errCancelledByUser
	}
	return nil
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

// endLocalMount unmounts what mount_local has mounted, if it has.
func (h *Handle) endLocalMount() {
	if m := h.localMount(); m != nil {
		m.server.Unmount()
	}
}

// UmountLocal ends the mount. It does not wait for its turn: that is held by
// mount_local_run.
func (h Actions) UmountLocal(o types.UmountLocalOptions) error {
	retry := o.Retry != nil && *o.Retry
	m := h.localMount()
	if m == nil {
		return &CallError{Action: "umount_local", Text: "no filesystem is mounted"}
	}
	var err error
	for try := 0; try < 5; try++ {
		if err = m.server.Unmount(); err == nil {
			if !m.running.Load() {
				h.setMounted(nil)
			}
			return nil
		}
		if !retry {
			break
		}
		time.Sleep(time.Duration(try+1) * 200 * time.Millisecond)
	}
	return &CallError{Action: "umount_local", Text: fmt.Sprintf("the mount is in use: %v", err)}
}

// ask does a call for a request of the kernel.
func ask[T any](m *localMount, do func(c *Call) (T, error)) (T, syscall.Errno) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, err := do(m.c)
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
func (m *localMount) change(do func(c *Call) error) syscall.Errno {
	if m.readonly {
		return syscall.EROFS
	}
	_, e := ask(m, func(c *Call) (any, error) { return nil, do(c) })
	return e
}

// guestNode is a file of the guest, known by its path.
type guestNode struct {
	fs.Inode
	m *localMount
}

func (n *guestNode) path(name ...string) string {
	return "/" + strings.Trim(strings.Join(append([]string{n.Path(n.Root())}, name...), "/"), "/")
}

func fillAttr(a *fuse.Attr, s api.StatNS) {
	a.Ino, a.Size, a.Blocks = uint64(s.Ino), uint64(s.Size), uint64(s.Blocks)
	a.Mode, a.Nlink, a.Rdev, a.Blksize = uint32(s.Mode), uint32(s.Nlink), uint32(s.Rdev), uint32(s.Blksize)
	a.Uid, a.Gid = uint32(s.UID), uint32(s.GID)
	a.Atime, a.Mtime, a.Ctime = uint64(s.AtimeSec), uint64(s.MtimeSec), uint64(s.CtimeSec)
	a.Atimensec, a.Mtimensec, a.Ctimensec = uint32(s.AtimeNsec), uint32(s.MtimeNsec), uint32(s.CtimeNsec)
}

// child is the node of a name, as it is now.
func (n *guestNode) child(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	s, e := ask(n.m, func(c *Call) (api.StatNS, error) { return c.LstatNS(c, n.path(name)) })
	if e != 0 {
		return nil, e
	}
	fillAttr(&out.Attr, s)
	return n.NewInode(ctx, &guestNode{m: n.m}, fs.StableAttr{Mode: uint32(s.Mode) & syscall.S_IFMT}), 0
}

func (n *guestNode) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.child(ctx, name, out)
}

func (n *guestNode) Getattr(ctx context.Context, f fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	s, e := ask(n.m, func(c *Call) (api.StatNS, error) { return c.LstatNS(c, n.path()) })
	if e == 0 {
		fillAttr(&out.Attr, s)
	}
	return e
}

func (n *guestNode) Setattr(ctx context.Context, f fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	p := n.path()
	if mode, ok := in.GetMode(); ok {
		if e := n.m.change(func(c *Call) error { return c.Chmod(c, int(mode&0o7777), p) }); e != 0 {
			return e
		}
	}
	uid, hasUID := in.GetUID()
	gid, hasGID := in.GetGID()
	if hasUID || hasGID {
		owner, group := -1, -1
		if hasUID {
			owner = int(uid)
		}
		if hasGID {
			group = int(gid)
		}
		if e := n.m.change(func(c *Call) error { return c.Lchown(c, owner, group, p) }); e != 0 {
			return e
		}
	}
	if size, ok := in.GetSize(); ok {
		if e := n.m.change(func(c *Call) error { return c.TruncateSize(c, p, int64(size)) }); e != 0 {
			return e
		}
	}
	// As utimens has it: -2 leaves a time alone.
	times := [4]int64{0, -2, 0, -2}
	if t, ok := in.GetATime(); ok {
		times[0], times[1] = t.Unix(), int64(t.Nanosecond())
	}
	if t, ok := in.GetMTime(); ok {
		times[2], times[3] = t.Unix(), int64(t.Nanosecond())
	}
	if times[1] != -2 || times[3] != -2 {
		if e := n.m.change(func(c *Call) error { return c.Utimens(c, p, times[0], times[1], times[2], times[3]) }); e != 0 {
			return e
		}
	}
	return n.Getattr(ctx, f, out)
}

func (n *guestNode) Readdir(ctx context.Context) (fs.DirStream, syscall.Errno) {
	l, e := ask(n.m, func(c *Call) ([]api.Dirent, error) { return c.Readdir(c, n.path()) })
	if e != 0 {
		return nil, e
	}
	entries := make([]fuse.DirEntry, 0, len(l))
	for _, d := range l {
		if d.Name == "." || d.Name == ".." {
			continue
		}
		entries = append(entries, fuse.DirEntry{Name: d.Name, Ino: uint64(d.Ino), Mode: direntModes[byte(d.Ftyp)]})
	}
	return fs.NewListDirStream(entries), 0
}

var direntModes = map[byte]uint32{
	'b': syscall.S_IFBLK, 'c': syscall.S_IFCHR, 'd': syscall.S_IFDIR, 'f': syscall.S_IFIFO,
	'l': syscall.S_IFLNK, 'r': syscall.S_IFREG, 's': syscall.S_IFSOCK,
}

func (n *guestNode) Readlink(ctx context.Context) ([]byte, syscall.Errno) {
	s, e := ask(n.m, func(c *Call) (string, error) { return c.Readlink(c, n.path()) })
	return []byte(s), e
}

func (n *guestNode) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if n.m.readonly && flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		return nil, 0, syscall.EROFS
	}
	return nil, 0, 0
}

func (n *guestNode) Read(ctx context.Context, f fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	b, e := ask(n.m, func(c *Call) ([]byte, error) { return c.Pread(c, n.path(), len(dest), off) })
	return fuse.ReadResultData(b[:min(len(b), len(dest))]), e
}

func (n *guestNode) Write(ctx context.Context, f fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	if n.m.readonly {
		return 0, syscall.EROFS
	}
	written, e := ask(n.m, func(c *Call) (int, error) { return c.Pwrite(c, n.path(), data, off) })
	return uint32(max(0, min(written, len(data)))), e
}

func (n *guestNode) Fsync(ctx context.Context, f fs.FileHandle, flags uint32) syscall.Errno {
	_, e := ask(n.m, func(c *Call) (any, error) { return nil, c.Sync(c) })
	return e
}

func (n *guestNode) made(ctx context.Context, e syscall.Errno, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if e != 0 {
		return nil, e
	}
	return n.child(ctx, name, out)
}

func (n *guestNode) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	e := n.m.change(func(c *Call) error { return c.Mknod(c, int(syscall.S_IFREG|mode&0o7777), 0, 0, n.path(name)) })
	if e == syscall.EEXIST && flags&syscall.O_EXCL == 0 {
		e = 0
	}
	inode, e := n.made(ctx, e, name, out)
	return inode, nil, 0, e
}

func (n *guestNode) Mknod(ctx context.Context, name string, mode, dev uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	// The kernel's encoding: 12 bits of the major number between the minor's.
	major, minor := int(dev>>8&0xfff), int(dev&0xff|dev>>12&0xfff00)
	return n.made(ctx, n.m.change(func(c *Call) error { return c.Mknod(c, int(mode), major, minor, n.path(name)) }), name, out)
}

func (n *guestNode) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.made(ctx, n.m.change(func(c *Call) error { return c.MkdirMode(c, n.path(name), int(mode&0o7777)) }), name, out)
}

func (n *guestNode) Symlink(ctx context.Context, target, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.made(ctx, n.m.change(func(c *Call) error { return c.LnS(c, target, n.path(name)) }), name, out)
}

func (n *guestNode) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	from := target.(*guestNode).path()
	return n.made(ctx, n.m.change(func(c *Call) error { return c.Ln(c, from, n.path(name)) }), name, out)
}

func (n *guestNode) Unlink(ctx context.Context, name string) syscall.Errno {
	return n.m.change(func(c *Call) error { return c.Rm(c, n.path(name)) })
}

func (n *guestNode) Rmdir(ctx context.Context, name string) syscall.Errno {
	return n.m.change(func(c *Call) error { return c.Rmdir(c, n.path(name)) })
}

func (n *guestNode) Rename(ctx context.Context, name string, newParent fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	if flags != 0 {
		return syscall.EINVAL // RENAME_EXCHANGE and others
	}
	return n.m.change(func(c *Call) error { return c.Rename(c, n.path(name), newParent.(*guestNode).path(newName)) })
}

func (n *guestNode) Statfs(ctx context.Context, out *fuse.StatfsOut) syscall.Errno {
	s, e := ask(n.m, func(c *Call) (api.StatVFS, error) { return c.StatVFS(c, n.path()) })
	if e == 0 {
		out.Bsize, out.Frsize = uint32(s.Bsize), uint32(s.Frsize)
		out.Blocks, out.Bfree, out.Bavail = uint64(s.Blocks), uint64(s.Bfree), uint64(s.Bavail)
		out.Files, out.Ffree, out.NameLen = uint64(s.Files), uint64(s.Ffree), uint32(s.Namemax)
	}
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

func (n *guestNode) Getxattr(ctx context.Context, attr string, dest []byte) (uint32, syscall.Errno) {
	v, e := ask(n.m, func(c *Call) ([]byte, error) { return c.Lgetxattr(c, n.path(), attr) })
	if e != 0 {
		return 0, e
	}
	return sized(dest, v)
}

func (n *guestNode) Listxattr(ctx context.Context, dest []byte) (uint32, syscall.Errno) {
	l, e := ask(n.m, func(c *Call) ([]api.Xattr, error) { return c.Lgetxattrs(c, n.path()) })
	if e != 0 {
		return 0, e
	}
	var names []byte
	for _, x := range l {
		names = append(append(names, x.Attrname...), 0)
	}
	return sized(dest, names)
}

func (n *guestNode) Setxattr(ctx context.Context, attr string, data []byte, flags uint32) syscall.Errno {
	return n.m.change(func(c *Call) error { return c.Lsetxattr(c, attr, string(data), len(data), n.path()) })
}

func (n *guestNode) Removexattr(ctx context.Context, attr string) syscall.Errno {
	return n.m.change(func(c *Call) error { return c.Lremovexattr(c, attr, n.path()) })
}
