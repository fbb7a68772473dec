package handle

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"gofish/internal/api"
	"gofish/internal/calls"
)

// A daemon that is not ours knows files by their paths only. A file that is removed while a
// program has it open is renamed, and removed when it is closed.

// guestNode is a file of the guest, known by its path.
type guestNode struct {
	fs.Inode
	m      *localMount
	opens  atomic.Int32
	hidden atomic.Bool // it is to go when it is closed
}

// hide renames an open file that is about to lose its name, and reports whether it was open.
func (n *guestNode) hide(name string) (bool, syscall.Errno) {
	inode := n.GetChild(name)
	if inode == nil {
		return false, 0
	}
	file, ok := inode.Operations().(*guestNode)
	if !ok || file.opens.Load() <= 0 {
		return false, 0
	}
	hidden := fmt.Sprintf(".fuse_hidden%016x", hiddenNames.Add(1))
	e := n.m.change(func(ctx context.Context, c calls.Client) error { return c.Rename(ctx, n.path(name), n.path(hidden)) })
	if e == 0 {
		n.MvChild(name, &n.Inode, hidden, true)
		file.hidden.Store(true)
	}
	return true, e
}

var hiddenNames atomic.Uint64

// openFile is a file that a program has open.
type openFile struct{ n *guestNode }

func (n *guestNode) opened() fs.FileHandle {
	n.opens.Add(1)
	return openFile{n}
}

func (f openFile) Release(ctx context.Context) syscall.Errno {
	n := f.n
	if n.opens.Add(-1) > 0 || !n.hidden.Load() {
		return 0
	}
	return n.m.change(func(ctx context.Context, c calls.Client) error { return c.Rm(ctx, n.path()) })
}

func (n *guestNode) path(name ...string) string {
	return "/" + strings.Trim(strings.Join(append([]string{n.Path(n.Root())}, name...), "/"), "/")
}

func (m *localMount) fillAttr(a *fuse.Attr, s api.StatNS) {
	a.Ino, a.Size, a.Blocks = uint64(s.Ino), uint64(s.Size), uint64(s.Blocks)
	a.Mode, a.Nlink, a.Rdev, a.Blksize = uint32(s.Mode), uint32(s.Nlink), uint32(s.Rdev), uint32(s.Blksize)
	a.Uid, a.Gid = uint32(s.UID), uint32(s.GID)
	a.Atime, a.Mtime, a.Ctime = uint64(s.AtimeSec), uint64(s.MtimeSec), uint64(s.CtimeSec)
	a.Atimensec, a.Mtimensec, a.Ctimensec = uint32(s.AtimeNsec), uint32(s.MtimeNsec), uint32(s.CtimeNsec)
	m.options.show(a)
}

// child is the node of a name, as it is now.
func (n *guestNode) child(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	s, e := ask(n.m, func(ctx context.Context, c calls.Client) (api.StatNS, error) { return c.LstatNS(ctx, n.path(name)) })
	if e != 0 {
		return nil, e
	}
	n.m.fillAttr(&out.Attr, s)
	// By its number, a file is known again, and under each of its names.
	id := uint64(s.Ino) ^ uint64(s.Dev)<<48
	return n.NewInode(ctx, &guestNode{m: n.m}, fs.StableAttr{Mode: uint32(s.Mode) & syscall.S_IFMT, Ino: id}), 0
}

func (n *guestNode) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.child(ctx, name, out)
}

func (n *guestNode) Getattr(ctx context.Context, f fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	if caller, ok := fuse.FromContext(ctx); ok && n.IsRoot() && n.m.waits(caller.Pid, &out.Attr) {
		out.SetTimeout(time.Nanosecond) // zero would be the mount's
		return 0
	}
	s, e := ask(n.m, func(ctx context.Context, c calls.Client) (api.StatNS, error) { return c.LstatNS(ctx, n.path()) })
	if e == 0 {
		n.m.fillAttr(&out.Attr, s)
	}
	return e
}

func (n *guestNode) Setattr(ctx context.Context, f fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	p := n.path()
	if mode, ok := in.GetMode(); ok {
		if e := n.m.change(func(ctx context.Context, c calls.Client) error { return c.Chmod(ctx, int(mode&0o7777), p) }); e != 0 {
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
		if e := n.m.change(func(ctx context.Context, c calls.Client) error { return c.Lchown(ctx, owner, group, p) }); e != 0 {
			return e
		}
	}
	if size, ok := in.GetSize(); ok {
		if e := n.m.change(func(ctx context.Context, c calls.Client) error { return c.TruncateSize(ctx, p, int64(size)) }); e != 0 {
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
		if e := n.m.change(func(ctx context.Context, c calls.Client) error {
			return c.Utimens(ctx, p, times[0], times[1], times[2], times[3])
		}); e != 0 {
			return e
		}
	}
	return n.Getattr(ctx, f, out)
}

func (n *guestNode) Readdir(ctx context.Context) (fs.DirStream, syscall.Errno) {
	l, e := ask(n.m, func(ctx context.Context, c calls.Client) ([]api.Dirent, error) { return c.Readdir(ctx, n.path()) })
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
	s, e := ask(n.m, func(ctx context.Context, c calls.Client) (string, error) { return c.Readlink(ctx, n.path()) })
	return []byte(s), e
}

func (n *guestNode) Open(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if n.m.options.readonly && flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		return nil, 0, syscall.EROFS
	}
	return n.opened(), 0, 0
}

func (n *guestNode) Read(ctx context.Context, f fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	b, e := ask(n.m, func(ctx context.Context, c calls.Client) ([]byte, error) {
		return c.Pread(ctx, n.path(), len(dest), off)
	})
	return fuse.ReadResultData(b[:min(len(b), len(dest))]), e
}

func (n *guestNode) Write(ctx context.Context, f fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	if n.m.options.readonly {
		return 0, syscall.EROFS
	}
	written, e := ask(n.m, func(ctx context.Context, c calls.Client) (int, error) { return c.Pwrite(ctx, n.path(), data, off) })
	return uint32(max(0, min(written, len(data)))), e
}

func (n *guestNode) Fsync(ctx context.Context, f fs.FileHandle, flags uint32) syscall.Errno {
	_, e := ask(n.m, func(ctx context.Context, c calls.Client) (any, error) { return nil, c.Sync(ctx) })
	return e
}

func (n *guestNode) made(ctx context.Context, e syscall.Errno, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	if e != 0 {
		return nil, e
	}
	return n.child(ctx, name, out)
}

func (n *guestNode) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	e := n.m.change(func(ctx context.Context, c calls.Client) error {
		return c.Mknod(ctx, int(syscall.S_IFREG|mode&0o7777), 0, 0, n.path(name))
	})
	if e == syscall.EEXIST && flags&syscall.O_EXCL == 0 {
		e = 0
	}
	inode, e := n.made(ctx, e, name, out)
	if e != 0 {
		return nil, nil, 0, e
	}
	return inode, inode.Operations().(*guestNode).opened(), 0, 0
}

func (n *guestNode) Mknod(ctx context.Context, name string, mode, dev uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	// The kernel's encoding: 12 bits of the major number between the minor's.
	major, minor := int(dev>>8&0xfff), int(dev&0xff|dev>>12&0xfff00)
	return n.made(ctx, n.m.change(func(ctx context.Context, c calls.Client) error {
		return c.Mknod(ctx, int(mode), major, minor, n.path(name))
	}), name, out)
}

func (n *guestNode) Mkdir(ctx context.Context, name string, mode uint32, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.made(ctx, n.m.change(func(ctx context.Context, c calls.Client) error {
		return c.MkdirMode(ctx, n.path(name), int(mode&0o7777))
	}), name, out)
}

func (n *guestNode) Symlink(ctx context.Context, target, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	return n.made(ctx, n.m.change(func(ctx context.Context, c calls.Client) error { return c.LnS(ctx, target, n.path(name)) }), name, out)
}

func (n *guestNode) Link(ctx context.Context, target fs.InodeEmbedder, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	from := target.(*guestNode).path()
	return n.made(ctx, n.m.change(func(ctx context.Context, c calls.Client) error { return c.Ln(ctx, from, n.path(name)) }), name, out)
}

func (n *guestNode) Unlink(ctx context.Context, name string) syscall.Errno {
	if hidden, e := n.hide(name); hidden {
		return e
	}
	return n.m.change(func(ctx context.Context, c calls.Client) error { return c.Rm(ctx, n.path(name)) })
}

func (n *guestNode) Rmdir(ctx context.Context, name string) syscall.Errno {
	return n.m.change(func(ctx context.Context, c calls.Client) error { return c.Rmdir(ctx, n.path(name)) })
}

func (n *guestNode) Rename(ctx context.Context, name string, newParent fs.InodeEmbedder, newName string, flags uint32) syscall.Errno {
	if flags != 0 {
		return syscall.EINVAL // RENAME_EXCHANGE and others
	}
	if hidden, e := newParent.(*guestNode).hide(newName); hidden && e != 0 {
		return e
	}
	return n.m.change(func(ctx context.Context, c calls.Client) error {
		return c.Rename(ctx, n.path(name), newParent.(*guestNode).path(newName))
	})
}

func (n *guestNode) Statfs(ctx context.Context, out *fuse.StatfsOut) syscall.Errno {
	s, e := ask(n.m, func(ctx context.Context, c calls.Client) (api.StatVFS, error) { return c.StatVFS(ctx, n.path()) })
	if e == 0 {
		fillStatfs(&s, out)
	}
	return e
}

func (n *guestNode) Getxattr(ctx context.Context, attr string, dest []byte) (uint32, syscall.Errno) {
	v, e := ask(n.m, func(ctx context.Context, c calls.Client) ([]byte, error) { return c.Lgetxattr(ctx, n.path(), attr) })
	if e != 0 {
		return 0, e
	}
	return sized(dest, v)
}

func (n *guestNode) Listxattr(ctx context.Context, dest []byte) (uint32, syscall.Errno) {
	l, e := ask(n.m, func(ctx context.Context, c calls.Client) ([]api.Xattr, error) { return c.Lgetxattrs(ctx, n.path()) })
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
	if flags != 0 {
		_, e := ask(n.m, func(ctx context.Context, c calls.Client) ([]byte, error) { return c.Lgetxattr(ctx, n.path(), attr) })
		switch {
		case e == 0 && flags&unix.XATTR_CREATE != 0:
			return syscall.EEXIST
		case e != 0 && flags&unix.XATTR_REPLACE != 0:
			return e
		}
	}
	return n.m.change(func(ctx context.Context, c calls.Client) error {
		return c.Lsetxattr(ctx, attr, string(data), len(data), n.path())
	})
}

func (n *guestNode) Removexattr(ctx context.Context, attr string) syscall.Errno {
	return n.m.change(func(ctx context.Context, c calls.Client) error { return c.Lremovexattr(ctx, attr, n.path()) })
}
