package handle

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"gofish/internal/api"
	"gofish/internal/calls"
	"gofish/internal/nodexattr"
)

// nodeFS serves the kernel's requests with the daemon's nodes: the kernel's node ids are the
// daemon's, so that a request means the same file whatever its name is by now. The protocol is
// that of linux/fuse.h.
//
// While nobody else changes the guest, what the kernel has been told stays true, and it may
// cache everything. After a call of another user of the handle it is told to forget.
type nodeFS struct {
	fuse.RawFileSystem // ENOSYS for everything else
	m                  *localMount
	window             *window // nil: none

	mu       sync.Mutex
	nodes    map[uint64]*knownNode
	dirs     map[uint64]*dirNames
	streams  map[uint64]*dirStream
	lastFh   uint64
	removed  time.Time // when a name was last removed
	version  uint64    // of all attributes: counts what may have changed some
	released []byte    // references to give back
	timer    bool      // that gives them back is set
}

// dirNames is what is known of the names in a directory.
type dirNames struct {
	there    map[string]uint64 // their nodes, 0: not there; the kernel may have cached that
	complete bool              // no others are there
	exact    int64             // as in an InternalNode
	changes  uint64
}

// absent reports whether it is known that a name is not there.
func (d *dirNames) absent(name string) bool {
	return d != nil && d.complete && d.exact == 1 && d.there[name] == 0
}

// maxName is the longest name, in bytes, that a file can have: NAME_MAX. Longer ones are an error of
// their own.
const maxName = 255

// unknownNode stands for the node of a name that was seen in a list.
const unknownNode = 1

// knownNode is a node that the handle has references to.
type knownNode struct {
	references uint64 // from the daemon
	lookups    uint64 // of the kernel
	streams    int    // that hold it in their buffer
	opens      int
	writers    int        // of these
	writable   bool       // some of what was written may still be in the kernel
	told       *time.Time // when its content was changed, as the kernel has told
	unnamed    bool       // a name of it was removed
	full       time.Time  // when there was last no room for its content
	xattrs     []byte
	changes    atomic.Uint64
	ahead      *readAhead
	attr       api.InternalNode // what is known of its attributes
	current    bool             // attr is how they are
	unwritten  bool             // the content, and so attr's time of that, is as it was then
	mtime      *time.Time       // that is still to be set
	times      sync.Mutex       // held while times are set: f.mu is taken within it, not the other way round
}

func newNodeFS(m *localMount) *nodeFS {
	return &nodeFS{RawFileSystem: fuse.NewDefaultRawFileSystem(), m: m,
		nodes: map[uint64]*knownNode{}, dirs: map[uint64]*dirNames{}, streams: map[uint64]*dirStream{}}
}

// begin takes the root, before any request is answered.
func (f *nodeFS) begin(root api.InternalNode, w *window) {
	f.window = w
	f.nodes[fuse.FUSE_ROOT_ID] = &knownNode{references: 1, lookups: 1, xattrs: root.Xattrs}
}

// close releases the window, once no request uses it.
func (f *nodeFS) close() {
	if f.window != nil {
		f.window.close()
		f.window = nil
	}
}

func (f *nodeFS) String() string { return "gofish" }

// do makes a call of the daemon for a request.
func (f *nodeFS) do(fn func(ctx context.Context, c calls.Client) error) fuse.Status {
	_, e := ask(f.m, func(ctx context.Context, c calls.Client) (any, error) { return nil, fn(ctx, c) })
	return fuse.Status(e)
}

// change is do for a call that changes something.
func (f *nodeFS) change(fn func(ctx context.Context, c calls.Client) error) fuse.Status {
	errno := f.m.change(fn)
	// A file that was removed takes space until the kernel has forgotten it, which it says when
	// it has time, and we have given it back.
	if errno == syscall.ENOSPC && f.reclaim() {
		errno = f.m.change(fn)
	}
	for wait := 10 * time.Millisecond; errno == syscall.ENOSPC && f.removedLately() && wait < 500*time.Millisecond; wait *= 2 {
		time.Sleep(wait)
		f.giveBack()
		errno = f.m.change(fn)
	}
	return fuse.Status(errno)
}

// reclaim empties files that no name and no program leads to any longer, and reports whether
// there were some.
func (f *nodeFS) reclaim() (some bool) {
	f.mu.Lock()
	var ids []int64
	for id, n := range f.nodes {
		if n.unnamed && n.opens <= 0 && n.attr.Mode&syscall.S_IFMT == syscall.S_IFREG {
			ids = append(ids, int64(id))
			n.unnamed = false
		}
	}
	f.mu.Unlock()
	for _, id := range ids {
		f.do(func(ctx context.Context, c calls.Client) error {
			e, err := c.InternalNodeGetattr(ctx, id)
			if err == nil && e.Nlink == 0 {
				_, err = c.InternalNodeSetattr(ctx, id, api.NodeSetSize, 0, 0, 0, 0, 0, 0, 0, 0)
				some = some || err == nil
			}
			return err
		})
	}
	return some
}

func (f *nodeFS) removedLately() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(f.removed) < 2*time.Second
}

// known is what is kept of a node, which the kernel refers to.
func (f *nodeFS) known(id uint64) *knownNode {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.nodes[id]; n != nil {
		return n
	}
	return &knownNode{} // it was forgotten meanwhile
}

// touched drops what is kept of a node's content.
func (f *nodeFS) touched(id uint64) {
	n := f.known(id)
	n.changes.Add(1)
	f.mu.Lock()
	n.ahead, n.unwritten = nil, false
	f.stale(id)
	if n.mtime == nil && n.told != nil { // the guest has another one now
		n.mtime = n.told
		time.AfterFunc(timeDelay, func() { f.setTime(id) })
	}
	f.mu.Unlock()
}

// received counts a reference that came from the daemon. f.mu is held.
func (f *nodeFS) received(e *api.InternalNode, version uint64) *knownNode {
	n := f.nodes[uint64(e.ID)]
	if n == nil {
		n = &knownNode{}
		f.nodes[uint64(e.ID)] = n
	}
	n.references++
	n.xattrs = e.Xattrs
	f.now(n, e, version)
	return n
}

// now takes a node's attributes. version is what it was before the daemon was asked; if
// something changed meanwhile, they may be older than that. f.mu is held.
func (f *nodeFS) now(n *knownNode, e *api.InternalNode, version uint64) {
	if n.mtime != nil { // the guest will have it soon
		e.MtimeSec, e.MtimeNsec = n.mtime.Unix(), int64(n.mtime.Nanosecond())
	}
	n.attr, n.current = *e, f.version == version
	n.unwritten = n.current
}

// stale says that a node's attributes may have changed. f.mu is held.
func (f *nodeFS) stale(id uint64) {
	f.version++
	if n := f.nodes[id]; n != nil {
		n.current = false
	}
}

func (f *nodeFS) currentVersion() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.version
}

// unused gives a node back if nobody refers to it. f.mu is held.
func (f *nodeFS) unused(id uint64, n *knownNode) {
	if n.lookups > 0 || n.streams > 0 || n.mtime != nil || id == fuse.FUSE_ROOT_ID || f.nodes[id] != n {
		return
	}
	delete(f.nodes, id)
	delete(f.dirs, id)
	f.released = binary.BigEndian.AppendUint64(f.released, id)
	f.released = binary.BigEndian.AppendUint64(f.released, n.references)
	if !f.timer {
		f.timer = true
		time.AfterFunc(50*time.Millisecond, f.giveBack)
	}
}

// giveBack tells the daemon which references are no longer needed.
func (f *nodeFS) giveBack() {
	const atOnce = 1 << 20
	f.mu.Lock()
	list := f.released
	f.released, f.timer = nil, false
	f.mu.Unlock()
	for len(list) > 0 {
		n := min(len(list), atOnce)
		f.do(func(ctx context.Context, c calls.Client) error { return c.InternalNodesForget(ctx, list[:n]) })
		list = list[n:]
	}
}

func (f *nodeFS) Forget(id, lookups uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.nodes[id]; n != nil {
		n.lookups -= min(lookups, n.lookups)
		f.unused(id, n)
	}
}

// reply fills in the entry that a request asked for.
func (f *nodeFS) reply(parent uint64, name string, e *api.InternalNode, version uint64, out *fuse.EntryOut) {
	f.mu.Lock()
	n := f.received(e, version)
	n.lookups++
	f.cached(parent, name, uint64(e.ID))
	f.mu.Unlock()
	f.fill(e, out)
}

func (f *nodeFS) fill(e *api.InternalNode, out *fuse.EntryOut) {
	out.NodeId = uint64(e.ID)
	out.SetEntryTimeout(f.m.options.entryTimeout)
	out.SetAttrTimeout(f.m.options.attrTimeout)
	f.attr(e, &out.Attr)
}

// dir is what is known of the names in a directory. f.mu is held.
func (f *nodeFS) dir(id uint64) *dirNames {
	d := f.dirs[id]
	if d == nil {
		d = &dirNames{there: map[string]uint64{}}
		f.dirs[id] = d
	}
	return d
}

// cached notes a name that the kernel may remember, or remember that it is not there. f.mu is held.
func (f *nodeFS) cached(parent uint64, name string, id uint64) {
	if name != "" {
		f.dir(parent).there[name] = id
	}
}

// changed notes the outcome of a request that was to make a name, or to remove it (id is 0).
func (f *nodeFS) changed(parent uint64, name string, id uint64, status fuse.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.dir(parent)
	d.changes++
	f.stale(parent)
	if old := f.nodes[d.there[name]]; old != nil && d.there[name] != id {
		old.unnamed = true
	}
	f.stale(d.there[name]) // which had that name before
	f.stale(id)
	if status.Ok() {
		if id == 0 || d.there[name] != 0 {
			f.removed = time.Now()
		}
		f.cached(parent, name, id)
	} else {
		d.complete = false // who knows
	}
}

func (f *nodeFS) attr(e *api.InternalNode, a *fuse.Attr) {
	// All files are on one device for the host. Its inode numbers must differ.
	a.Ino = uint64(e.Ino) ^ uint64(e.FS)<<52
	a.Size, a.Blocks = uint64(e.Size), uint64(e.Blocks)
	a.Mode, a.Nlink, a.Rdev, a.Blksize = uint32(e.Mode), uint32(e.Nlink), uint32(e.Rdev), uint32(e.Blksize)
	a.Uid, a.Gid = uint32(e.UID), uint32(e.GID)
	a.Atime, a.Mtime, a.Ctime = uint64(e.AtimeSec), uint64(e.MtimeSec), uint64(e.CtimeSec)
	a.Atimensec, a.Mtimensec, a.Ctimensec = uint32(e.AtimeNsec), uint32(e.MtimeNsec), uint32(e.CtimeNsec)
	f.m.options.show(a)
}

// entry does a call that returns an entry.
func (f *nodeFS) entry(parent uint64, name string, out *fuse.EntryOut, fn func(ctx context.Context, c calls.Client) (api.InternalNode, error)) fuse.Status {
	version := f.currentVersion()
	var e api.InternalNode
	status := f.change(func(ctx context.Context, c calls.Client) (err error) {
		e, err = fn(ctx, c)
		return err
	})
	quiet := f.currentVersion() == version
	f.changed(parent, name, uint64(e.ID), status)
	if quiet {
		version = f.currentVersion()
	}
	if status.Ok() {
		f.reply(parent, name, &e, version, out)
	}
	if status.Ok() && e.Exact == 1 { // a new directory
		f.mu.Lock()
		d := f.dir(uint64(e.ID))
		d.complete, d.exact = true, 1
		f.mu.Unlock()
	}
	return status
}

func (f *nodeFS) Lookup(cancel <-chan struct{}, h *fuse.InHeader, name string, out *fuse.EntryOut) fuse.Status {
	f.mu.Lock()
	absent, version := len(name) <= maxName && f.dirs[h.NodeId].absent(name), f.version
	f.mu.Unlock()
	errno := syscall.ENOENT
	if !absent {
		var e api.InternalNode
		e, errno = ask(f.m, func(ctx context.Context, c calls.Client) (api.InternalNode, error) {
			return c.InternalNodeLookup(ctx, int64(h.NodeId), name)
		})
		if errno == 0 {
			f.reply(h.NodeId, name, &e, version, out)
			return fuse.OK
		}
	}
	if errno != syscall.ENOENT || f.m.options.negativeTimeout <= 0 {
		return fuse.Status(errno)
	}
	f.mu.Lock()
	f.cached(h.NodeId, name, 0)
	d := f.dir(h.NodeId)
	ask := d.complete && d.exact == 0
	f.mu.Unlock()
	if ask {
		f.askExact(h.NodeId)
	}
	out.NodeId = 0
	out.SetEntryTimeout(f.m.options.negativeTimeout)
	return fuse.OK
}

// askExact finds out whether a directory's list says what is not there.
func (f *nodeFS) askExact(id uint64) {
	e, errno := ask(f.m, func(ctx context.Context, c calls.Client) (api.InternalNode, error) {
		return c.InternalNodeGetattr(ctx, int64(id))
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dir(id).exact = e.Exact; errno != 0 || e.Exact == 0 {
		f.dir(id).exact = 2
	}
}

func (f *nodeFS) attributes(id uint64, out *fuse.AttrOut, fn func(ctx context.Context, c calls.Client) (api.InternalNode, error)) fuse.Status {
	version := f.currentVersion()
	e, errno := ask(f.m, fn)
	if errno == 0 {
		n := f.known(id)
		f.mu.Lock()
		f.now(n, &e, version)
		f.mu.Unlock()
		if timeout := f.m.options.attrTimeout; !f.full(id) { // otherwise it is to ask again
			out.SetTimeout(timeout)
		}
		f.attr(&e, &out.Attr)
	}
	return fuse.Status(errno)
}

func (f *nodeFS) GetAttr(cancel <-chan struct{}, in *fuse.GetAttrIn, out *fuse.AttrOut) fuse.Status {
	if in.NodeId == fuse.FUSE_ROOT_ID && f.m.waits(in.Pid, &out.Attr) {
		return fuse.OK // for no time
	}
	if in.Flags()&fuse.FUSE_GETATTR_FH != 0 && f.full(in.NodeId) {
		return fuse.Status(syscall.ENOSPC)
	}
	if e, ok := f.currentAttr(in.NodeId); ok {
		out.SetTimeout(f.m.options.attrTimeout)
		f.attr(&e, &out.Attr)
		return fuse.OK
	}
	f.setTime(in.NodeId)
	return f.attributes(in.NodeId, out, func(ctx context.Context, c calls.Client) (api.InternalNode, error) {
		return c.InternalNodeGetattr(ctx, int64(in.NodeId))
	})
}

// currentAttr returns a node's attributes if nothing can have changed them since they came.
func (f *nodeFS) currentAttr(id uint64) (api.InternalNode, bool) {
	n := f.known(id)
	f.mu.Lock()
	defer f.mu.Unlock()
	return n.attr, n.current && n.mtime == nil
}

// The kernel keeps the time at which a file that it writes was changed, and passes it on when
// the file is closed, whether or not the program sets another one next, as cp -a does. Nothing
// depends on it, so it is set a little later, or together with what else is set.

const timeDelay = 100 * time.Millisecond

// putOff takes a request that only sets that time for later, and reports whether it did.
func (f *nodeFS) putOff(in *fuse.SetAttrIn, out *fuse.AttrOut) bool {
	if in.Valid&^(fuse.FATTR_FH|fuse.FATTR_LOCKOWNER) != fuse.FATTR_MTIME|fuse.FATTR_CTIME {
		return false
	}
	n := f.known(in.NodeId)
	f.mu.Lock()
	defer f.mu.Unlock()
	if n.writers == 0 { // no program writes it: this is a time that one sets, and may fail
		return false
	}
	f.attr(&n.attr, &out.Attr) // which the kernel does not look at
	t := time.Unix(int64(in.Mtime), int64(in.Mtimensec))
	n.told = &t
	if n.mtime == nil {
		if n.unwritten && t.Equal(time.Unix(n.attr.MtimeSec, n.attr.MtimeNsec)) {
			return true
		}
		time.AfterFunc(timeDelay, func() { f.setTime(in.NodeId) })
	}
	n.mtime = &t
	return true
}

// setTime sets the time of a node that was put off, if one was.
func (f *nodeFS) setTime(id uint64) {
	n := f.known(id)
	n.times.Lock()
	defer n.times.Unlock()
	f.mu.Lock()
	t := n.mtime
	f.mu.Unlock()
	if t == nil {
		return
	}
	f.do(func(ctx context.Context, c calls.Client) error {
		_, err := c.InternalNodeSetattr(ctx, int64(id), api.NodeSetMtime, 0, 0, 0, 0, 0, 0, t.Unix(), int64(t.Nanosecond()))
		return err
	})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stale(id)
	n.unwritten = false
	if n.mtime == t {
		n.mtime = nil
		f.unused(id, n)
	} else if n.mtime != nil { // another one came meanwhile
		time.AfterFunc(timeDelay, func() { f.setTime(id) })
	}
}

// setTimes sets all times that were put off.
func (f *nodeFS) setTimes() {
	f.mu.Lock()
	var late []uint64
	for id, n := range f.nodes {
		if n.mtime != nil {
			late = append(late, id)
		}
	}
	f.mu.Unlock()
	for _, id := range late {
		f.setTime(id)
	}
}

func (f *nodeFS) SetAttr(cancel <-chan struct{}, in *fuse.SetAttrIn, out *fuse.AttrOut) fuse.Status {
	if f.m.options.readonly {
		return fuse.EROFS
	}
	if f.putOff(in, out) {
		return fuse.OK
	}
	which := 0
	for from, to := range map[uint32]int{
		fuse.FATTR_MODE: api.NodeSetMode, fuse.FATTR_UID: api.NodeSetUID, fuse.FATTR_GID: api.NodeSetGID,
		fuse.FATTR_SIZE: api.NodeSetSize, fuse.FATTR_ATIME: api.NodeSetAtime, fuse.FATTR_MTIME: api.NodeSetMtime,
		fuse.FATTR_ATIME_NOW: api.NodeAtimeNow, fuse.FATTR_MTIME_NOW: api.NodeMtimeNow, fuse.FATTR_KILL_SUIDGID: api.NodeDropSetID,
	} {
		if in.Valid&from != 0 {
			which |= to
		}
	}
	mtime := time.Unix(int64(in.Mtime), int64(in.Mtimensec))
	n := f.known(in.NodeId)
	n.times.Lock()
	defer n.times.Unlock()
	f.mu.Lock()
	if n.mtime != nil && which&api.NodeSetMtime == 0 {
		which |= api.NodeSetMtime
		mtime = *n.mtime
	}
	n.mtime = nil
	if which&api.NodeSetMtime != 0 && which&api.NodeMtimeNow == 0 {
		n.told = &mtime
	}
	f.mu.Unlock()
	status := f.attributes(in.NodeId, out, func(ctx context.Context, c calls.Client) (api.InternalNode, error) {
		return c.InternalNodeSetattr(ctx, int64(in.NodeId), which, int(in.Mode&0o7777), int64(in.Uid), int64(in.Gid), int64(in.Size),
			int64(in.Atime), int64(in.Atimensec), mtime.Unix(), int64(mtime.Nanosecond()))
	})
	if which&api.NodeSetSize != 0 {
		f.touched(in.NodeId)
	}
	if which&(api.NodeSetMode|api.NodeSetUID|api.NodeSetGID|api.NodeSetSize) != 0 {
		if names, ok := nodexattr.Names(f.knownXattrs(in.NodeId)); !ok || len(names) > 0 {
			f.forgetXattrs(in.NodeId) // ACLs follow the mode, capabilities the owner and the content
		}
	}
	return status
}

// owner is who a new file belongs to: root, as all that the handle makes, unless the mount has
// the host's kernel check permissions, which makes no sense for others' files.
func (f *nodeFS) owner(h *fuse.InHeader) (uid, gid int64) {
	if !f.m.options.permissions {
		return -1, -1
	}
	return int64(h.Uid), int64(h.Gid)
}

func (f *nodeFS) Create(cancel <-chan struct{}, in *fuse.CreateIn, name string, out *fuse.CreateOut) fuse.Status {
	return f.create(in, name, in.Flags&syscall.O_EXCL != 0, out)
}

func (f *nodeFS) Tmpfile(cancel <-chan struct{}, in *fuse.CreateIn, out *fuse.CreateOut) fuse.Status {
	return f.create(in, "", in.Flags&syscall.O_EXCL != 0, out)
}

func (f *nodeFS) create(in *fuse.CreateIn, name string, exclusive bool, out *fuse.CreateOut) fuse.Status {
	uid, gid := f.owner(&in.InHeader)
	status := f.entry(in.NodeId, name, &out.EntryOut, func(ctx context.Context, c calls.Client) (api.InternalNode, error) {
		now := time.Now()
		return c.InternalNodeCreate(ctx, int64(in.NodeId), name, int(in.Mode&0o7777), int(in.Umask&0o777), uid, gid, exclusive, now.Unix(), int64(now.Nanosecond()))
	})
	if status.Ok() {
		f.opened(out.NodeId, in.Flags)
		out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	}
	return status
}

func (f *nodeFS) mknod(h *fuse.InHeader, name string, mode, umask, device uint32, target string, out *fuse.EntryOut) fuse.Status {
	uid, gid := f.owner(h)
	return f.entry(h.NodeId, name, out, func(ctx context.Context, c calls.Client) (api.InternalNode, error) {
		now := time.Now()
		return c.InternalNodeMknod(ctx, int64(h.NodeId), name, int(mode), int(umask&0o777), uid, gid, int64(device), target, now.Unix(), int64(now.Nanosecond()))
	})
}

func (f *nodeFS) Mknod(cancel <-chan struct{}, in *fuse.MknodIn, name string, out *fuse.EntryOut) fuse.Status {
	return f.mknod(&in.InHeader, name, in.Mode, in.Umask, in.Rdev, "", out)
}

func (f *nodeFS) Mkdir(cancel <-chan struct{}, in *fuse.MkdirIn, name string, out *fuse.EntryOut) fuse.Status {
	return f.mknod(&in.InHeader, name, syscall.S_IFDIR|in.Mode&0o7777, in.Umask, 0, "", out)
}

func (f *nodeFS) Symlink(cancel <-chan struct{}, h *fuse.InHeader, target, name string, out *fuse.EntryOut) fuse.Status {
	return f.mknod(h, name, syscall.S_IFLNK|0o777, 0, 0, target, out)
}

func (f *nodeFS) Link(cancel <-chan struct{}, in *fuse.LinkIn, name string, out *fuse.EntryOut) fuse.Status {
	return f.entry(in.NodeId, name, out, func(ctx context.Context, c calls.Client) (api.InternalNode, error) {
		return c.InternalNodeLink(ctx, int64(in.Oldnodeid), int64(in.NodeId), name)
	})
}

func (f *nodeFS) Unlink(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return f.unlink(h.NodeId, name, false)
}

func (f *nodeFS) Rmdir(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	return f.unlink(h.NodeId, name, true)
}

// isOpen reports whether a program has the file of a name open.
func (f *nodeFS) isOpen(parent uint64, name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.nodes[f.dir(parent).there[name]]
	return n != nil && n.opens > 0
}

func (f *nodeFS) unlink(parent uint64, name string, directory bool) fuse.Status {
	status := f.change(func(ctx context.Context, c calls.Client) error {
		return c.InternalNodeUnlink(ctx, int64(parent), name, directory, f.isOpen(parent, name))
	})
	f.changed(parent, name, 0, status)
	return status
}

func (f *nodeFS) Rename(cancel <-chan struct{}, in *fuse.RenameIn, name, newName string) fuse.Status {
	status := f.change(func(ctx context.Context, c calls.Client) error {
		return c.InternalNodeRename(ctx, int64(in.NodeId), name, int64(in.Newdir), newName, int64(in.Flags), f.isOpen(in.Newdir, newName))
	})
	f.mu.Lock()
	id, other := f.dir(in.NodeId).there[name], f.dir(in.Newdir).there[newName]
	f.mu.Unlock()
	switch {
	case in.Flags&unix.RENAME_WHITEOUT != 0:
		other = unknownNode
	case in.Flags&unix.RENAME_EXCHANGE == 0:
		other = 0
	}
	f.changed(in.NodeId, name, other, status)
	f.changed(in.Newdir, newName, max(id, unknownNode), status)
	return status
}

func (f *nodeFS) Readlink(cancel <-chan struct{}, h *fuse.InHeader) ([]byte, fuse.Status) {
	s, errno := ask(f.m, func(ctx context.Context, c calls.Client) (string, error) {
		return c.InternalNodeReadlink(ctx, int64(h.NodeId))
	})
	return []byte(s), fuse.Status(errno)
}

// opened counts a program that has a file open.
func (f *nodeFS) opened(id uint64, flags uint32) {
	n := f.known(id)
	f.mu.Lock()
	defer f.mu.Unlock()
	n.opens++
	if flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		n.writers++
		n.writable = true
	}
}

// Open needs no call to read: the node is held, and its content is opened when it is read.
func (f *nodeFS) Open(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	if in.Flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		status := f.change(func(ctx context.Context, c calls.Client) error { return c.InternalNodeOpen(ctx, int64(in.NodeId)) })
		if !status.Ok() {
			return status
		}
	}
	f.opened(in.NodeId, in.Flags)
	out.OpenFlags = fuse.FOPEN_KEEP_CACHE
	return fuse.OK
}

func (f *nodeFS) Release(cancel <-chan struct{}, in *fuse.ReleaseIn) {
	n := f.known(in.NodeId)
	f.mu.Lock()
	defer f.mu.Unlock()
	if in.Flags&syscall.O_ACCMODE != syscall.O_RDONLY {
		n.writers--
	}
	if n.opens--; n.opens <= 0 {
		n.ahead = nil
	}
}

// Flush has nothing to do: the kernel has written what it cached.
func (f *nodeFS) Flush(cancel <-chan struct{}, in *fuse.FlushIn) fuse.Status { return fuse.ENOSYS }

func (f *nodeFS) Fsync(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	if f.m.options.readonly {
		return fuse.OK
	}
	f.setTime(in.NodeId)
	return f.do(func(ctx context.Context, c calls.Client) error {
		return c.InternalNodeFsync(ctx, int64(in.NodeId), in.FsyncFlags&1 != 0)
	})
}

func (f *nodeFS) FsyncDir(cancel <-chan struct{}, in *fuse.FsyncIn) fuse.Status {
	return f.Fsync(cancel, in)
}

func (f *nodeFS) Fallocate(cancel <-chan struct{}, in *fuse.FallocateIn) fuse.Status {
	// The kernel does not say that it left setuid and setgid bits to us.
	drop := in.Uid != 0
	if drop {
		defer f.forgetXattrs(in.NodeId)
	}
	status := f.change(func(ctx context.Context, c calls.Client) error {
		return c.InternalNodeFallocate(ctx, int64(in.NodeId), int64(in.Mode), int64(in.Offset), int64(in.Length), drop)
	})
	f.touched(in.NodeId)
	return status
}

func (f *nodeFS) Lseek(cancel <-chan struct{}, in *fuse.LseekIn, out *fuse.LseekOut) fuse.Status {
	// What programs have written may be in the kernel's cache only, where the guest does not
	// see it: it would take data for a hole. To forget it, the kernel has to write it first.
	n := f.known(in.NodeId)
	f.mu.Lock()
	dirty := n.writable
	n.writable = n.writers > 0
	f.mu.Unlock()
	if dirty {
		f.m.server.InodeNotify(in.NodeId, 0, 0)
	}
	at, errno := ask(f.m, func(ctx context.Context, c calls.Client) (int64, error) {
		return c.InternalNodeSeek(ctx, int64(in.NodeId), int64(in.Offset), int(in.Whence))
	})
	out.Offset = uint64(at)
	return fuse.Status(errno)
}

func (f *nodeFS) CopyFileRange(cancel <-chan struct{}, in *fuse.CopyFileRangeIn) (uint32, fuse.Status) {
	var n int64
	status := f.change(func(ctx context.Context, c calls.Client) (err error) {
		n, err = c.InternalNodeCopy(ctx, int64(in.NodeId), int64(in.OffIn), int64(in.NodeIdOut), int64(in.OffOut), int64(min(in.Len, 1<<30)))
		return err
	})
	f.touched(in.NodeIdOut)
	return uint32(n), status
}

func (f *nodeFS) StatFs(cancel <-chan struct{}, h *fuse.InHeader, out *fuse.StatfsOut) fuse.Status {
	f.giveBack() // a file that is gone takes no space
	s, errno := ask(f.m, func(ctx context.Context, c calls.Client) (api.StatVFS, error) {
		return c.InternalNodeStatVFS(ctx, int64(h.NodeId))
	})
	if errno == 0 {
		fillStatfs(&s, out)
	}
	return fuse.Status(errno)
}

// Access is left to the kernel.
func (f *nodeFS) Access(cancel <-chan struct{}, in *fuse.AccessIn) fuse.Status { return fuse.ENOSYS }

func (f *nodeFS) knownXattrs(id uint64) []byte {
	n := f.known(id)
	f.mu.Lock()
	defer f.mu.Unlock()
	return n.xattrs
}

func (f *nodeFS) forgetXattrs(id uint64) {
	n := f.known(id)
	f.mu.Lock()
	n.xattrs = nil
	f.mu.Unlock()
}

// xattrChanged is forgetXattrs after a request that may have set one: an ACL is part of the mode.
func (f *nodeFS) xattrChanged(id uint64) {
	f.forgetXattrs(id)
	f.mu.Lock()
	f.stale(id)
	f.mu.Unlock()
}

func (f *nodeFS) getxattr(id uint64, name string) ([]byte, syscall.Errno) {
	return ask(f.m, func(ctx context.Context, c calls.Client) ([]byte, error) {
		return c.InternalNodeGetxattr(ctx, int64(id), name)
	})
}

func (f *nodeFS) GetXAttr(cancel <-chan struct{}, h *fuse.InHeader, name string, dest []byte) (uint32, fuse.Status) {
	v, err, ok := nodexattr.Get(f.knownXattrs(h.NodeId), name)
	errno, _ := err.(syscall.Errno)
	if !ok {
		v, errno = f.getxattr(h.NodeId, name)
	}
	if errno != 0 {
		return 0, fuse.Status(errno)
	}
	n, e := sized(dest, v)
	return n, fuse.Status(e)
}

func (f *nodeFS) ListXAttr(cancel <-chan struct{}, h *fuse.InHeader, dest []byte) (uint32, fuse.Status) {
	names, ok := nodexattr.Names(f.knownXattrs(h.NodeId))
	if !ok {
		var errno syscall.Errno
		if names, errno = f.getxattr(h.NodeId, ""); errno != 0 {
			return 0, fuse.Status(errno)
		}
	}
	n, e := sized(dest, names)
	return n, fuse.Status(e)
}

func (f *nodeFS) SetXAttr(cancel <-chan struct{}, in *fuse.SetXAttrIn, name string, data []byte) fuse.Status {
	defer f.xattrChanged(in.NodeId)
	return f.change(func(ctx context.Context, c calls.Client) error {
		return c.InternalNodeSetxattr(ctx, int64(in.NodeId), name, data, int(in.Flags))
	})
}

func (f *nodeFS) RemoveXAttr(cancel <-chan struct{}, h *fuse.InHeader, name string) fuse.Status {
	defer f.xattrChanged(h.NodeId)
	return f.change(func(ctx context.Context, c calls.Client) error {
		return c.InternalNodeRemovexattr(ctx, int64(h.NodeId), name)
	})
}

// dirStream is an open directory.
type dirStream struct {
	mu      sync.Mutex
	entries []api.InternalNode // read, and not yet passed on
	at      int64              // position that entries begin at
	end     bool               // nothing comes after them
	plus    bool               // they hold references
	batches int
	whole   bool   // it was read from the beginning
	changes uint64 // of the directory, before that
}

func (f *nodeFS) OpenDir(cancel <-chan struct{}, in *fuse.OpenIn, out *fuse.OpenOut) fuse.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.lastFh++
	f.streams[f.lastFh] = &dirStream{}
	out.Fh = f.lastFh
	out.OpenFlags = fuse.FOPEN_CACHE_DIR | fuse.FOPEN_KEEP_CACHE
	return fuse.OK
}

func (f *nodeFS) ReleaseDir(in *fuse.ReleaseIn) {
	f.mu.Lock()
	s := f.streams[in.Fh]
	delete(f.streams, in.Fh)
	f.mu.Unlock()
	if s != nil {
		s.mu.Lock()
		f.discard(s)
		s.mu.Unlock()
	}
}

// discard drops entries that were not passed on. s.mu is held.
func (f *nodeFS) discard(s *dirStream) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range s.entries {
		f.passed(uint64(s.entries[i].ID))
	}
	s.entries, s.end = nil, false
}

// passed says that a stream does not hold a node any longer. f.mu is held.
func (f *nodeFS) passed(id uint64) {
	if n := f.nodes[id]; n != nil {
		n.streams--
		f.unused(id, n)
	}
}

// next makes sure that the entries from a position on are there, and returns the first; nil
// at the end. s.mu is held.
func (f *nodeFS) next(s *dirStream, id uint64, at int64, plus bool) (*api.InternalNode, syscall.Errno) {
	if at != s.at || at == 0 || plus && !s.plus {
		f.discard(s)
		s.at, s.batches, s.whole = at, 0, at == 0
		f.mu.Lock()
		s.changes = f.dir(id).changes
		f.mu.Unlock()
	}
	if len(s.entries) == 0 && !s.end {
		// Many directories are small, and of the large ones all is wanted.
		most := 100
		if s.batches++; s.batches > 1 {
			most = 4000
		}
		version := f.currentVersion()
		l, errno := ask(f.m, func(ctx context.Context, c calls.Client) ([]api.InternalNode, error) {
			return c.InternalNodeReaddir(ctx, int64(id), at, most, plus)
		})
		if errno != 0 {
			return nil, errno
		}
		f.mu.Lock()
		d := f.dir(id)
		for i := range l {
			if l[i].ID != 0 {
				f.received(&l[i], version).streams++
			}
			if id := uint64(l[i].ID); id != 0 {
				d.there[l[i].Name] = id
			} else if d.there[l[i].Name] == 0 {
				d.there[l[i].Name] = unknownNode
			}
		}
		if len(l) == 0 && s.whole && d.changes == s.changes {
			d.complete = true
		}
		f.mu.Unlock()
		s.entries, s.plus, s.end = l, plus, len(l) == 0
	}
	if len(s.entries) == 0 {
		return nil, 0
	}
	return &s.entries[0], 0
}

// advance takes the first entry off. s.mu is held.
func (s *dirStream) advance() {
	s.at = s.entries[0].Position
	s.entries = s.entries[1:]
}

func (f *nodeFS) stream(fh uint64) *dirStream {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.streams[fh]; s != nil {
		return s
	}
	return &dirStream{}
}

func (f *nodeFS) ReadDir(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return f.readdir(in, false, func(e *api.InternalNode, d fuse.DirEntry) bool {
		if !out.AddDirEntry(d) {
			return false
		}
		if e.ID != 0 {
			f.mu.Lock()
			f.passed(uint64(e.ID))
			f.mu.Unlock()
		}
		return true
	})
}

func (f *nodeFS) ReadDirPlus(cancel <-chan struct{}, in *fuse.ReadIn, out *fuse.DirEntryList) fuse.Status {
	return f.readdir(in, true, func(e *api.InternalNode, d fuse.DirEntry) bool {
		entry := out.AddDirLookupEntry(d)
		if entry == nil || e.ID == 0 {
			return entry != nil
		}
		f.mu.Lock()
		n := f.nodes[uint64(e.ID)]
		n.lookups++
		n.streams--
		f.cached(in.NodeId, e.Name, uint64(e.ID))
		f.mu.Unlock()
		f.fill(e, entry)
		return true
	})
}

func (f *nodeFS) readdir(in *fuse.ReadIn, plus bool, add func(*api.InternalNode, fuse.DirEntry) bool) fuse.Status {
	s := f.stream(in.Fh)
	s.mu.Lock()
	defer s.mu.Unlock()
	if in.Offset != 0 {
		plus = plus && (s.plus || len(s.entries) == 0)
	}
	for at, first := int64(in.Offset), true; ; first = false {
		e, errno := f.next(s, in.NodeId, at, plus)
		if errno != 0 {
			if !first {
				return fuse.OK // what was found before is not lost; the next request meets the error again
			}
			return fuse.Status(errno)
		}
		if e == nil {
			return fuse.OK
		}
		ino := uint64(e.Ino) ^ uint64(e.FS)<<52
		if !add(e, fuse.DirEntry{Name: e.Name, Ino: ino, Mode: uint32(e.Mode), Off: uint64(e.Position)}) {
			return fuse.OK
		}
		at = e.Position
		s.advance()
	}
}

// maxMessage is the largest content of a request of the kernel.
const maxMessage = 1 << 20

// inlineSize is the content up to which a message is quicker than the window.
const inlineSize = 32 << 10

func (f *nodeFS) Read(cancel <-chan struct{}, in *fuse.ReadIn, buf []byte) (fuse.ReadResult, fuse.Status) {
	n := f.known(in.NodeId)
	size := min(len(buf), int(in.Size))
	f.mu.Lock()
	a := n.ahead
	if a == nil {
		a = &readAhead{f: f, id: int64(in.NodeId), n: n}
		n.ahead = a
	}
	f.mu.Unlock()
	data, errno := a.read(buf[:size], int64(in.Offset))
	return fuse.ReadResultData(data), fuse.Status(errno)
}

// get reads from a node, by whatever is quicker.
func (f *nodeFS) get(id int64, buf []byte, offset int64) (int, syscall.Errno) {
	if len(buf) > inlineSize && f.window != nil {
		return ask(f.m, func(ctx context.Context, c calls.Client) (int, error) {
			at := f.window.take()
			defer f.window.give(at)
			n, err := c.InternalNodeReadWindow(ctx, id, offset, len(buf), at)
			if err != nil || n < 0 || n > int64(len(buf)) {
				return 0, err
			}
			return copy(buf, f.window.mem[at:at+n]), nil
		})
	}
	done := 0
	for done < len(buf) {
		count := min(len(buf)-done, 1<<20)
		b, errno := ask(f.m, func(ctx context.Context, c calls.Client) ([]byte, error) {
			return c.InternalNodeRead(ctx, id, offset+int64(done), count)
		})
		if errno != 0 {
			return done, errno
		}
		done += copy(buf[done:], b)
		if len(b) < count {
			break
		}
	}
	return done, 0
}

func (f *nodeFS) Writev(cancel <-chan struct{}, in *fuse.WriteIn, data [][]byte) (uint32, fuse.Status) {
	total := 0
	for _, b := range data {
		total += len(b)
	}
	drop := in.WriteFlags&fuse.WRITE_KILL_SUIDGID != 0
	defer f.touched(in.NodeId)
	if drop {
		defer f.forgetXattrs(in.NodeId)
	}
	status := f.change(func(ctx context.Context, c calls.Client) error {
		if total > inlineSize && total <= windowSlot && f.window != nil {
			at := f.window.take()
			defer f.window.give(at)
			to := f.window.mem[at:]
			for _, b := range data {
				to = to[copy(to, b):]
			}
			return c.InternalNodeWriteWindow(ctx, int64(in.NodeId), int64(in.Offset), total, at, drop)
		}
		var all []byte
		for _, b := range data {
			all = append(all, b...)
		}
		return c.InternalNodeWrite(ctx, int64(in.NodeId), int64(in.Offset), all, drop)
	})
	if status == fuse.Status(syscall.ENOSPC) {
		n := f.known(in.NodeId)
		f.mu.Lock()
		n.full = time.Now()
		f.mu.Unlock()
		go f.m.server.InodeNotify(in.NodeId, -1, 0)
	}
	if !status.Ok() {
		return 0, status
	}
	return uint32(total), fuse.OK
}

// The kernel takes what programs write into its cache, and would do so for ever: that the
// guest's disk is full, it tells them when they close the file. But it asks for the attributes of an
// open file before it takes more, if it does not know them; that is where it can be refused.

// full reports whether there is no room for more of a file's content.
func (f *nodeFS) full(id uint64) bool {
	const while = time.Second
	n := f.known(id)
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Since(n.full) < while && f.removed.Before(n.full)
}

// invalidate makes the kernel forget what it knows of the guest, after somebody else may have
// changed it. What programs have written is not lost: the kernel writes it first.
func (f *nodeFS) invalidate(server *fuse.Server) {
	f.mu.Lock()
	dirs := f.dirs
	f.dirs = map[uint64]*dirNames{}
	ids := make([]uint64, 0, len(f.nodes))
	for id, n := range f.nodes {
		ids = append(ids, id)
		n.xattrs, n.ahead, n.current, n.unwritten, n.told = nil, nil, false, false, nil
		n.changes.Add(1)
	}
	f.mu.Unlock()
	for parent, d := range dirs {
		for name := range d.there {
			server.EntryNotify(parent, name)
		}
	}
	for _, id := range ids {
		server.InodeNotify(id, 0, 0)
	}
}

// fillStatfs converts the size of a file system.
func fillStatfs(s *api.StatVFS, out *fuse.StatfsOut) {
	out.Bsize, out.Frsize = uint32(s.Bsize), uint32(s.Frsize)
	out.Blocks, out.Bfree, out.Bavail = uint64(s.Blocks), uint64(s.Bfree), uint64(s.Bavail)
	out.Files, out.Ffree, out.NameLen = uint64(s.Files), uint64(s.Ffree), uint32(s.Namemax)
}

// window is memory that is plugged into the appliance as a disk. What is put there by one side
// is read by the other without passing through the connection.
type window struct {
	mem   []byte
	slots chan int64
}

const (
	windowSlots = 4
	windowSlot  = 4 << 20
)

func (w *window) take() int64   { return <-w.slots }
func (w *window) give(at int64) { w.slots <- at }

// close waits until no slot is in use.
func (w *window) close() {
	for range cap(w.slots) {
		w.take()
	}
	unix.Munmap(w.mem)
}
