package daemon

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
	"gofish/internal/nodexattr"
)

// Nodes: files of the guest by number, for the handle's file system on the host. A number
// means one file for as long as the handle has references to it, whatever happens to its
// names; that is what programs rely on which unlink or replace a file that they have open.
//
// A node is held by an O_PATH descriptor, so that its inode cannot be used for another file.
// Where there are very many nodes, some are held by a handle of the file system
// (name_to_handle_at(2)) instead, which includes the generation of the inode.

// maxPins is how many nodes are held by descriptors. Each keeps an inode in memory.
var maxPins = 32 << 10

// maxContents is how many files are open for their content at a time.
const maxContents = 512

// fileID identifies a file while it exists.
type fileID struct{ dev, ino uint64 }

type node struct {
	id      int64
	file    fileID
	typ     uint32 // S_IFMT part of its mode
	refs    int64  // that the handle has
	pin     int    // O_PATH descriptor, -1 if there is only the handle
	handle  *unix.FileHandle
	content int // descriptor for its content, -1: none
	writes  bool
	appends bool  // it can only be added to, and content not be read
	at      int64 // position of content, for directories
	exact   exactness
}

// exactness says whether a name in a directory is found only as it is written. Elsewhere, that a
// directory has no such name in its list does not mean that there is none.
type exactness int8

const (
	unknown exactness = iota
	exact
	inexact
)

// nodeFS is a file system on which there are nodes.
type nodeFS struct {
	number  int64
	top     int  // descriptor of a directory on it, which file handles refer to; -1: none yet
	handles bool // can be relied on
	direct  bool // large contents go past the cache
	paths   bool // it knows files by their paths, as ntfs-3g does: one without a name is only there while its content is open
	exact   bool // names are as they were made, unless case does not count
}

type nodes struct {
	byID     map[int64]*node
	byFile   map[fileID]*node
	systems  map[uint64]*nodeFS
	last     int64
	pins     int
	contents int
	busy     *node // whose content is in use, beside that of the node in question
	evicted  bool  // some node has been held by a handle
	window   *os.File
	buf      []byte // on its way to or from the window
}

// ownFS are the file systems of the kernel's own whose handles stay valid for as long as the file
// exists, and which keep names byte by byte, unless they are told to ignore case: statfs(2)'s numbers.
var ownFS = map[int64]bool{unix.EXT4_SUPER_MAGIC: true, unix.XFS_SUPER_MAGIC: true, unix.BTRFS_SUPER_MAGIC: true, unix.F2FS_SUPER_MAGIC: true}

// probe finds out whether case counts in a directory that has an entry of this name.
func (n *nodes) probe(dir *node, name string) exactness {
	if !n.systems[dir.file.dev].exact {
		return inexact
	}
	other := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r ^ 0x20
		}
		return r
	}, name)
	var st, otherSt unix.Stat_t
	switch {
	case other == name:
		return unknown
	case unix.Fstatat(dir.pin, other, &otherSt, unix.AT_SYMLINK_NOFOLLOW) == unix.ENOENT:
		return exact
	case unix.Fstatat(dir.pin, name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil && st.Ino != otherSt.Ino && otherSt.Ino != 0:
		return exact
	}
	return inexact
}

func (d Actions) InternalNodesBegin(target int) (api.InternalNode, error) {
	d.endNodes()
	n := &nodes{byID: map[int64]*node{}, byFile: map[fileID]*node{}, systems: map[uint64]*nodeFS{}}
	if !d.mounted() {
		return api.InternalNode{}, errNotMounted
	}
	if target >= 0 {
		w, err := d.openBulkDisk(target, os.O_RDWR)
		if err != nil {
			return api.InternalNode{}, err
		}
		n.window, n.buf = w, alignedBuffer(bulkBuffer)
	}
	d.nodes = n
	raiseFileLimit()
	fd, err := unix.Open(d.root.Dir()+"/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		d.endNodes()
		return api.InternalNode{}, err
	}
	e, err := n.found(fd)
	if err != nil {
		d.endNodes()
	}
	return e, err
}

// raiseFileLimit lets this process, and not the tools that it starts, open as many files as
// nodes need: package os/exec gives them the limit of before.
func raiseFileLimit() {
	enough := uint64(maxPins + 4*maxContents)
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) == nil && l.Cur < enough {
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: enough, Max: max(enough, l.Max)})
	}
}

func (d Actions) InternalNodesClock(seconds, nanoseconds int64) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_REALTIME, &now); err != nil {
		return err
	}
	host := time.Unix(seconds, nanoseconds)
	if off := host.Sub(time.Unix(now.Unix())).Abs(); d.cfg.Live || off < 2*time.Millisecond {
		return nil // a live guest's clock is its own
	}
	return unix.ClockSettime(unix.CLOCK_REALTIME, &unix.Timespec{Sec: seconds, Nsec: nanoseconds})
}

func (d Actions) InternalNodesEnd() error {
	d.endNodes()
	return nil
}

func (d *Daemon) endNodes() {
	n := d.nodes
	d.nodes = nil
	if n == nil {
		return
	}
	for _, x := range n.byID {
		n.drop(x)
	}
	for _, s := range n.systems {
		if s.top >= 0 {
			unix.Close(s.top)
		}
	}
	if n.window != nil {
		n.window.Close()
	}
}

// drop releases what a node holds.
func (n *nodes) drop(x *node) {
	n.closeContent(x)
	if x.pin >= 0 {
		unix.Close(x.pin)
		n.pins--
	}
	delete(n.byID, x.id)
	if n.byFile[x.file] == x {
		delete(n.byFile, x.file)
	}
}

func (d Actions) InternalNodesForget(references []byte) error {
	if d.nodes == nil {
		return errNoNodes
	}
	for ; len(references) >= 16; references = references[16:] {
		x := d.nodes.byID[int64(binary.BigEndian.Uint64(references))]
		if x == nil || x.id == 1 {
			continue
		}
		if x.refs -= int64(binary.BigEndian.Uint64(references[8:])); x.refs <= 0 {
			d.nodes.drop(x)
		}
	}
	return nil
}

var errNoNodes = errors.New("internal_nodes_begin was not called")

// node is the node of a number, held by a descriptor.
func (d *Daemon) node(id int64) (*nodes, *node, error) {
	if d.nodes == nil {
		return nil, nil, errNoNodes
	}
	x := d.nodes.byID[id]
	if x == nil {
		return nil, nil, unix.ESTALE
	}
	return d.nodes, x, d.nodes.hold(x)
}

// directory is node for a directory in which name is to be found.
func (d *Daemon) directory(id int64, name string) (*nodes, *node, error) {
	n, x, err := d.node(id)
	switch {
	case err != nil:
	case name == "" || name == "." || name == ".." || strings.Contains(name, "/"):
		err = unix.EINVAL
	case x.typ != unix.S_IFDIR:
		err = unix.ENOTDIR
	}
	return n, x, err
}

// hold makes sure that a node has its descriptor.
func (n *nodes) hold(x *node) error {
	if x.pin >= 0 {
		return nil
	}
	fd, err := unix.OpenByHandleAt(n.systems[x.file.dev].top, *x.handle, unix.O_PATH|unix.O_CLOEXEC|unix.O_NOFOLLOW)
	if err != nil {
		return err
	}
	n.pins++
	x.pin = fd
	n.evict(x)
	return nil
}

// evict makes room for more descriptors. Which nodes lose theirs is left to the order of the map.
func (n *nodes) evict(except *node) {
	if n.pins <= maxPins {
		return
	}
	for x := range maps.Values(n.byID) {
		s := n.systems[x.file.dev]
		if x == except || x.pin < 0 || x.content >= 0 || x.id == 1 || !s.handles || s.top < 0 {
			continue
		}
		var st unix.Stat_t
		if unix.Fstat(x.pin, &st) != nil || st.Nlink == 0 {
			continue // only the descriptor keeps it
		}
		h, _, err := unix.NameToHandleAt(x.pin, "", unix.AT_EMPTY_PATH)
		if err != nil {
			s.handles = false
			continue
		}
		x.handle = &h
		unix.Close(x.pin)
		x.pin = -1
		n.evicted = true
		if n.pins--; n.pins <= maxPins*7/8 {
			return
		}
	}
}

// system is the file system with a device number.
func (n *nodes) system(dev uint64, fd int) *nodeFS {
	s := n.systems[dev]
	if s == nil {
		s = &nodeFS{number: int64(len(n.systems)), top: -1}
		var st unix.Statfs_t
		known := unix.Fstatfs(fd, &st) == nil
		s.handles = known && ownFS[int64(st.Type)]
		s.direct = known && directFS[int64(st.Type)]
		s.paths = known && st.Type == unix.FUSE_SUPER_MAGIC
		s.exact = known && ownFS[int64(st.Type)]
		n.systems[dev] = s
	}
	return s
}

// found is the node of a file that an O_PATH descriptor, which it takes over, refers to.
// The handle gets a reference.
func (n *nodes) found(fd int) (api.InternalNode, error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return api.InternalNode{}, err
	}
	id := fileID{uint64(st.Dev), st.Ino}
	s := n.system(id.dev, fd)
	x := n.byFile[id]
	if x != nil && x.pin < 0 {
		// Is it the file of then, or another one that got its inode?
		h, _, err := unix.NameToHandleAt(fd, "", unix.AT_EMPTY_PATH)
		if err != nil || h.Type() != x.handle.Type() || string(h.Bytes()) != string(x.handle.Bytes()) {
			delete(n.byFile, id)
			x = nil
		} else {
			x.pin = fd
			n.pins++
		}
	}
	if x != nil && x.pin != fd && s.paths && x.gone() {
		delete(n.byFile, id) // its number is another file's now
		x = nil
	}
	if x == nil {
		n.last++
		x = &node{id: n.last, file: id, typ: st.Mode & unix.S_IFMT, pin: fd, content: -1}
		n.byID[x.id], n.byFile[id] = x, x
		n.pins++
		if x.typ == unix.S_IFDIR && s.top < 0 && s.handles {
			// An O_PATH descriptor would not do.
			if top, err := unix.Open(procPath(fd), unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0); err == nil {
				s.top = top
			}
		}
		n.evict(x)
	} else if x.pin != fd {
		unix.Close(fd)
	}
	x.refs++
	e := n.entry(x, &st)
	e.Xattrs = x.xattrs()
	return e, nil
}

// xattrs lists a node's extended attributes if they are few and small.
func (x *node) xattrs() []byte {
	const few = 4096
	var names, value [few]byte
	path := procPath(x.pin)
	k, err := unix.Listxattr(path, names[:])
	switch {
	case err == unix.EOPNOTSUPP:
		return nodexattr.Unsupported()
	case err != nil:
		return nil
	}
	list := nodexattr.None()
	for _, name := range strings.FieldsFunc(string(names[:k]), func(r rune) bool { return r == 0 }) {
		k, err := unix.Getxattr(path, name, value[:])
		if err != nil || len(list)+k > few {
			return nil
		}
		list = nodexattr.Append(list, name, value[:k])
	}
	return list
}

// gone reports whether a file has no name any longer.
func (x *node) gone() bool {
	var st unix.Stat_t
	return unix.Fstat(x.pin, &st) != nil || st.Nlink == 0
}

func (n *nodes) entry(x *node, st *unix.Stat_t) api.InternalNode {
	return api.InternalNode{
		ID: x.id, FS: n.systems[x.file.dev].number, Ino: int64(st.Ino),
		Mode: int64(st.Mode), Nlink: int64(st.Nlink), UID: int64(st.Uid), GID: int64(st.Gid), Rdev: int64(st.Rdev),
		Size: st.Size, Blksize: int64(st.Blksize), Blocks: st.Blocks,
		AtimeSec: st.Atim.Sec, AtimeNsec: st.Atim.Nsec, MtimeSec: st.Mtim.Sec, MtimeNsec: st.Mtim.Nsec,
		CtimeSec: st.Ctim.Sec, CtimeNsec: st.Ctim.Nsec,
	}
}

// procPath names an open file, an O_PATH descriptor of a link too, for calls that take paths.
func procPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// lookup opens a name of a directory.
func (n *nodes) lookup(dir *node, name string) (api.InternalNode, error) {
	fd, err := openat(dir.pin, name, unix.O_PATH|unix.O_NOFOLLOW, 0)
	if err != nil {
		return api.InternalNode{}, err
	}
	return n.found(fd)
}

func openat(dir int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC|unix.O_LARGEFILE, mode)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// open opens a node for its content. Only files and directories have one.
func (n *nodes) open(x *node, write bool) (int, error) {
	if x.content >= 0 && (write && x.writes || !write && !x.appends) {
		return x.content, nil
	}
	flags := unix.O_RDWR
	switch {
	case x.typ == unix.S_IFDIR && !write:
		flags = unix.O_RDONLY | unix.O_DIRECTORY
	case x.typ == unix.S_IFDIR:
		return -1, unix.EISDIR
	case x.typ != unix.S_IFREG:
		return -1, unix.EINVAL
	}
	// What the host reads, and reads ahead, is not what a user of the guest has read; and while
	// times stay as they are, the handle need not ask for them again.
	flags |= unix.O_NOATIME
	fd, err := openat(unix.AT_FDCWD, procPath(x.pin), flags, 0)
	switch {
	case err == unix.EPERM && write: // a file that may only grow (chattr +a)?
		flags = unix.O_WRONLY | unix.O_APPEND
		fd, err = openat(unix.AT_FDCWD, procPath(x.pin), flags, 0)
	case err != nil && !write:
		flags = unix.O_RDONLY | unix.O_NOATIME
		fd, err = openat(unix.AT_FDCWD, procPath(x.pin), flags, 0)
	}
	if err != nil {
		return -1, err
	}
	n.closeContent(x)
	n.setContent(x, fd, flags&unix.O_ACCMODE == unix.O_RDWR || write)
	x.appends = flags&unix.O_APPEND != 0
	return fd, nil
}

func (n *nodes) setContent(x *node, fd int, writes bool) {
	for _, y := range n.byID {
		if n.contents < maxContents {
			break
		}
		if y != x && y != n.busy {
			n.closeContent(y)
		}
	}
	x.content, x.writes, x.appends, x.at = fd, writes, false, 0
	n.contents++
}

func (n *nodes) closeContent(x *node) {
	if x.content >= 0 {
		unix.Close(x.content)
		x.content = -1
		n.contents--
	}
}

func (d Actions) InternalNodeLookup(parent int64, name string) (api.InternalNode, error) {
	n, dir, err := d.directory(parent, name)
	if err != nil {
		return api.InternalNode{}, err
	}
	return n.lookup(dir, name)
}

func (d Actions) InternalNodeGetattr(id int64) (api.InternalNode, error) {
	n, x, err := d.node(id)
	if err != nil {
		return api.InternalNode{}, err
	}
	return n.attributes(x)
}

func (n *nodes) attributes(x *node) (api.InternalNode, error) {
	var st unix.Stat_t
	if err := unix.Fstat(x.pin, &st); err != nil {
		return api.InternalNode{}, err
	}
	e := n.entry(x, &st)
	e.Exact = int64(x.exact)
	return e, nil
}

func (d Actions) InternalNodeSetattr(id int64, which, mode int, uid, gid, size, atsecs, atnsecs, mtsecs, mtnsecs int64) (api.InternalNode, error) {
	n, x, err := d.node(id)
	if err != nil {
		return api.InternalNode{}, err
	}
	has := func(bit int) bool { return which&bit != 0 }
	if has(api.NodeSetUID | api.NodeSetGID) { // before the mode: it removes bits
		owner, group := -1, -1
		if has(api.NodeSetUID) {
			owner = int(uid)
		}
		if has(api.NodeSetGID) {
			group = int(gid)
		}
		err = unix.Fchownat(x.pin, "", owner, group, unix.AT_EMPTY_PATH)
	}
	if err == nil && has(api.NodeSetSize) {
		var fd int
		if fd, err = n.open(x, true); err == nil {
			err = unix.Ftruncate(fd, size)
		}
	}
	if err == nil && has(api.NodeDropSetID) {
		err = x.dropSetID()
	}
	if err == nil && has(api.NodeSetMode) {
		err = unix.Chmod(procPath(x.pin), uint32(mode&0o7777))
	}
	if err == nil && has(api.NodeSetAtime|api.NodeSetMtime) {
		err = unix.UtimesNanoAt(x.pin, "", []unix.Timespec{
			timeOf(has(api.NodeSetAtime), has(api.NodeAtimeNow), atsecs, atnsecs),
			timeOf(has(api.NodeSetMtime), has(api.NodeMtimeNow), mtsecs, mtnsecs),
		}, unix.AT_EMPTY_PATH)
	}
	if err != nil {
		return api.InternalNode{}, err
	}
	return n.attributes(x)
}

func timeOf(set, now bool, sec, nsec int64) unix.Timespec {
	switch {
	case !set:
		return unix.Timespec{Nsec: unix.UTIME_OMIT}
	case now:
		return unix.Timespec{Nsec: unix.UTIME_NOW}
	}
	return unix.Timespec{Sec: sec, Nsec: nsec}
}

// dropSetID does what the kernel does when a user without privileges writes to a file, which
// for us it does not do: we are root.
func (x *node) dropSetID() error {
	var st unix.Stat_t
	if err := unix.Fstat(x.pin, &st); err != nil {
		return err
	}
	mode := st.Mode &^ unix.S_ISUID
	if mode&unix.S_IXGRP != 0 {
		mode &^= unix.S_ISGID
	}
	if mode == st.Mode || x.typ != unix.S_IFREG {
		return nil
	}
	return unix.Chmod(procPath(x.pin), mode&0o7777)
}

func (d Actions) InternalNodeOpen(id int64) error {
	n, x, err := d.node(id)
	if err == nil {
		_, err = n.open(x, true)
	}
	return err
}

func (d Actions) InternalNodeCreate(parent int64, name string, mode, umask int, uid, gid int64, exclusive bool, seconds, nanoseconds int64) (api.InternalNode, error) {
	d.InternalNodesClock(seconds, nanoseconds)
	var n *nodes
	var dir *node
	var err error
	flags := unix.O_RDWR | unix.O_CREAT | unix.O_EXCL | unix.O_NOFOLLOW | unix.O_NOATIME
	at := name
	if name == "" {
		n, dir, err = d.node(parent)
		flags, at = unix.O_RDWR|unix.O_TMPFILE|unix.O_NOATIME, "."
		if exclusive {
			flags |= unix.O_EXCL
		}
	} else {
		n, dir, err = d.directory(parent, name)
	}
	if err != nil {
		return api.InternalNode{}, err
	}
	content, err := d.masked(umask, func() (int, error) { return openat(dir.pin, at, flags, uint32(mode&0o7777)) })
	if err == unix.EEXIST && !exclusive {
		return n.lookup(dir, name)
	}
	if err != nil {
		return api.InternalNode{}, err
	}
	if err = dir.own(content, "", mode, uid, gid); err == nil {
		var pin int
		if pin, err = openat(unix.AT_FDCWD, procPath(content), unix.O_PATH, 0); err == nil {
			var e api.InternalNode
			if e, err = n.found(pin); err == nil {
				x := n.byID[e.ID]
				n.closeContent(x)
				n.setContent(x, content, true)
				return e, nil
			}
		}
	}
	unix.Close(content)
	if name != "" {
		unix.Unlinkat(dir.pin, name, 0)
	}
	return api.InternalNode{}, err
}

// masked does something with the umask of a program on the host. The guest's file system
// applies it, since it may have a default ACL that is used in its place.
func (d *Daemon) masked(umask int, fn func() (int, error)) (int, error) {
	d.umaskMu.Lock()
	defer d.umaskMu.Unlock()
	defer unix.Umask(unix.Umask(umask & 0o777))
	return fn()
}

// own gives a new file in a directory to its owner. A negative uid leaves it to root.
func (dir *node) own(at int, name string, mode int, uid, gid int64) error {
	if uid < 0 {
		return nil
	}
	var st, parent unix.Stat_t
	err := unix.Fstat(dir.pin, &parent)
	if err != nil {
		return err
	}
	if name == "" {
		err = unix.Fstat(at, &st)
	} else {
		err = unix.Fstatat(at, name, &st, unix.AT_SYMLINK_NOFOLLOW)
	}
	if err != nil {
		return err
	}
	group := int(gid)
	if parent.Mode&unix.S_ISGID != 0 {
		group = -1 // it has the directory's
	}
	if int64(st.Uid) == uid && (group < 0 || int64(st.Gid) == gid) {
		return nil
	}
	flags := unix.AT_EMPTY_PATH
	if name != "" {
		flags = unix.AT_SYMLINK_NOFOLLOW
	}
	switch err := unix.Fchownat(at, name, int(uid), group, flags); err {
	case nil:
	case unix.EPERM, unix.EOPNOTSUPP: // root may do it, but vfat has no owners
		return nil
	default:
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFREG && st.Mode&(unix.S_ISUID|unix.S_ISGID) != 0 { // they are gone now
		if name == "" {
			return unix.Fchmod(at, st.Mode&0o7777)
		}
		return unix.Fchmodat(at, name, st.Mode&0o7777, 0)
	}
	return nil
}

func (d Actions) InternalNodeMknod(parent int64, name string, mode, umask int, uid, gid, device int64, target string, seconds, nanoseconds int64) (api.InternalNode, error) {
	d.InternalNodesClock(seconds, nanoseconds)
	n, dir, err := d.directory(parent, name)
	if err != nil {
		return api.InternalNode{}, err
	}
	perm := uint32(mode & 0o7777)
	removal := 0
	_, err = d.masked(umask, func() (int, error) {
		switch typ := uint32(mode) & unix.S_IFMT; typ {
		case unix.S_IFDIR:
			removal = unix.AT_REMOVEDIR
			return 0, unix.Mkdirat(dir.pin, name, perm)
		case unix.S_IFLNK:
			return 0, unix.Symlinkat(target, dir.pin, name)
		default:
			return 0, unix.Mknodat(dir.pin, name, typ|perm, int(device))
		}
	})
	if err != nil {
		return api.InternalNode{}, err
	}
	err = dir.own(dir.pin, name, mode, uid, gid)
	var e api.InternalNode
	if err == nil {
		e, err = n.lookup(dir, name)
	}
	if err != nil {
		unix.Unlinkat(dir.pin, name, removal)
		return e, err
	}
	if removal != 0 { // a new directory is as its parent
		if dir.exact == unknown {
			dir.exact = n.probe(dir, name)
		}
		x := n.byID[e.ID]
		x.exact = dir.exact
		e.Exact = int64(x.exact)
	}
	return e, nil
}

func (d Actions) InternalNodeLink(id, parent int64, name string) (api.InternalNode, error) {
	n, dir, err := d.directory(parent, name)
	if err != nil {
		return api.InternalNode{}, err
	}
	_, x, err := d.node(id)
	if err == nil {
		err = n.hold(dir)
	}
	if err == nil {
		err = unix.Linkat(x.pin, "", dir.pin, name, unix.AT_EMPTY_PATH)
	}
	if err != nil {
		return api.InternalNode{}, err
	}
	return n.lookup(dir, name)
}

// keep makes sure that a file whose name is about to go can still be used by programs on the
// host that have it open: its node gets its descriptor back. Where that does not keep it, its content
// stays open, or is closed if no program has it open: such a file system would hide it in
// place of removing it.
func (n *nodes) keep(dir *node, name string, open bool) {
	paths := n.systems[dir.file.dev].paths
	var st unix.Stat_t
	if !n.evicted && !paths || unix.Fstatat(dir.pin, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return
	}
	x := n.byFile[fileID{uint64(st.Dev), st.Ino}]
	switch {
	case x == nil:
	case n.hold(x) != nil || !paths:
	case open:
		n.open(x, false)
	default:
		n.closeContent(x)
	}
}

func (d Actions) InternalNodeUnlink(parent int64, name string, directory, open bool) error {
	n, dir, err := d.directory(parent, name)
	if err != nil {
		return err
	}
	n.keep(dir, name, open)
	flags := 0
	if directory {
		flags = unix.AT_REMOVEDIR
	}
	return unix.Unlinkat(dir.pin, name, flags)
}

func (d Actions) InternalNodeRename(parent int64, name string, newparent int64, newname string, flags int64, open bool) error {
	n, from, err := d.directory(parent, name)
	if err != nil {
		return err
	}
	_, to, err := d.directory(newparent, newname)
	if err == nil {
		err = n.hold(from)
	}
	if err != nil {
		return err
	}
	n.keep(to, newname, open)
	return unix.Renameat2(from.pin, name, to.pin, newname, uint(flags))
}

func (d Actions) InternalNodeReadlink(id int64) (string, error) {
	_, x, err := d.node(id)
	if err != nil {
		return "", err
	}
	buf := make([]byte, unix.PathMax)
	k, err := unix.Readlinkat(x.pin, "", buf)
	return string(buf[:max(k, 0)]), err
}

func (d Actions) InternalNodeReaddir(id, position int64, most int, attributes bool) ([]api.InternalNode, error) {
	n, x, err := d.node(id)
	if err != nil {
		return nil, err
	}
	fd, err := n.open(x, false)
	if err == nil && x.typ != unix.S_IFDIR {
		err = unix.ENOTDIR
	}
	if err == nil && (position == 0 || position != x.at) {
		_, err = unix.Seek(fd, position, io.SeekStart)
	}
	if err != nil {
		return nil, err
	}
	list := []api.InternalNode{}
	size := 0
	buf := make([]byte, 32<<10)
	for len(list) < most {
		k, err := unix.Getdents(fd, buf)
		if err != nil {
			return nil, err
		}
		if k == 0 {
			break
		}
		for rec := buf[:k]; len(rec) > direntHead; {
			raw, rest, err := parseDirent(rec)
			if err != nil {
				return nil, err
			}
			e := n.dirent(x, raw, attributes)
			rec = rest
			x.at = e.Position
			if e.Name == "" {
				continue // it is gone
			}
			list = append(list, e)
			if size += 160 + len(e.Name) + len(e.Xattrs); size > maxInline {
				x.at = -1 // what follows in the buffer must be read again
				return list, nil
			}
		}
	}
	return list, nil
}

// dirent is what the handle is told of an entry; without a name, it has gone meanwhile.
func (n *nodes) dirent(dir *node, raw rawDirent, attributes bool) api.InternalNode {
	e := api.InternalNode{Ino: int64(raw.ino), Mode: int64(raw.typ) << 12} // DT_* is the type of a mode
	if attributes && raw.name != "." && raw.name != ".." {
		switch found, err := n.lookup(dir, raw.name); err {
		case nil:
			e = found
		case unix.ENOENT:
			raw.name = ""
		} // otherwise the name is there, and what is wrong with it a lookup will say
	}
	if dir.exact == unknown && raw.name != "" {
		dir.exact = n.probe(dir, raw.name)
	}
	e.Name, e.Position = raw.name, raw.next
	return e
}

// maxInline is what is read or written at most in one message.
const maxInline = 2 << 20

func (d Actions) InternalNodeRead(id, offset int64, count int) ([]byte, error) {
	n, x, err := d.node(id)
	if err != nil {
		return nil, err
	}
	fd, err := n.open(x, false)
	if err == nil && (count < 0 || count > maxInline) {
		err = unix.EINVAL
	}
	if err != nil {
		return nil, err
	}
	buf := make([]byte, count)
	k, err := preadAll(fd, buf, offset)
	return buf[:k], err
}

// preadAll reads until the buffer is full or the file ends.
func preadAll(fd int, buf []byte, offset int64) (int, error) {
	done := 0
	for done < len(buf) {
		k, err := unix.Pread(fd, buf[done:], offset+int64(done))
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return done, err
		case k == 0:
			return done, nil
		}
		done += k
	}
	return done, nil
}

func pwriteAll(fd int, buf []byte, offset int64) error {
	for len(buf) > 0 {
		k, err := unix.Pwrite(fd, buf, offset)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		}
		buf, offset = buf[k:], offset+int64(k)
	}
	return nil
}

// directly does one read or write of a node's content, past the guest's cache if that is
// possible and has no drawbacks: copying is what an emulated processor is slowest at.
func (n *nodes) directly(x *node, fd int, piece []byte, offset int64, op func() error) error {
	const least = 64 << 10
	if !n.systems[x.file.dev].direct || len(piece) < least || len(piece)%windowBlock != 0 || offset%windowBlock != 0 {
		return op()
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags|unix.O_DIRECT)
	}
	if err != nil {
		return op()
	}
	err = op()
	unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags)
	if err == unix.EINVAL {
		return op()
	}
	return err
}

func (d Actions) InternalNodeReadWindow(id, offset int64, count int, at int64) (int64, error) {
	n, x, err := d.node(id)
	if err != nil {
		return 0, err
	}
	fd, err := n.open(x, false)
	if err == nil && (n.window == nil || count < 0 || at%windowBlock != 0) {
		err = unix.EINVAL
	}
	if err != nil {
		return 0, err
	}
	total := int64(0)
	for total < int64(count) {
		piece := n.buf[:min(int64(len(n.buf)), int64(count)-total)]
		var k int
		err := n.directly(x, fd, piece, offset+total, func() (err error) {
			k, err = preadAll(fd, piece, offset+total)
			return err
		})
		if err != nil && total+int64(k) == 0 {
			return 0, err
		}
		if _, werr := n.window.WriteAt(n.buf[:roundUp(k)], at+total); werr != nil {
			return 0, fmt.Errorf("window: %w", errnoOf(werr))
		}
		if total += int64(k); err != nil || k < len(piece) {
			break // an error is met again by the read that begins there
		}
	}
	return total, nil
}

// windowBlock is what the window is read and written in units of.
const windowBlock = 4096

func roundUp(n int) int { return (n + windowBlock - 1) &^ (windowBlock - 1) }

// lost reports whether err is about a file that has no name, and is therefore not there any
// longer: what the host's kernel still writes nobody will read.
func (n *nodes) lost(x *node, err error) bool {
	return err == unix.ENOENT && n.systems[x.file.dev].paths
}

func (d Actions) InternalNodeWrite(id, offset int64, content []byte, drop bool) error {
	n, x, err := d.node(id)
	if err != nil {
		return err
	}
	fd, err := n.open(x, true)
	if n.lost(x, err) {
		return nil
	}
	if err == nil {
		err = pwriteAll(fd, content, offset)
	}
	if err == nil && drop {
		err = x.dropSetID()
	}
	return err
}

func (d Actions) InternalNodeWriteWindow(id, offset int64, count int, at int64, drop bool) error {
	n, x, err := d.node(id)
	if err != nil {
		return err
	}
	fd, err := n.open(x, true)
	if n.lost(x, err) {
		return nil
	}
	if err == nil && (n.window == nil || count < 0 || at%windowBlock != 0) {
		err = unix.EINVAL
	}
	for done := 0; err == nil && done < count; {
		piece := n.buf[:min(len(n.buf), count-done)]
		if _, rerr := n.window.ReadAt(n.buf[:roundUp(len(piece))], at+int64(done)); rerr != nil {
			return fmt.Errorf("window: %w", errnoOf(rerr))
		}
		err = n.directly(x, fd, piece, offset+int64(done), func() error { return pwriteAll(fd, piece, offset+int64(done)) })
		done += len(piece)
	}
	if err == nil && drop {
		err = x.dropSetID()
	}
	return err
}

func (d Actions) InternalNodeFsync(id int64, dataonly bool) error {
	n, x, err := d.node(id)
	if err != nil {
		return err
	}
	fd, err := n.open(x, false)
	switch {
	case err != nil:
		return err
	case dataonly:
		return unix.Fdatasync(fd)
	}
	return unix.Fsync(fd)
}

func (d Actions) InternalNodeFallocate(id, flags, offset, length int64, drop bool) error {
	n, x, err := d.node(id)
	if err != nil {
		return err
	}
	fd, err := n.open(x, true)
	if err != nil {
		return err
	}
	err = unix.Fallocate(fd, uint32(flags), offset, length)
	if err == nil && drop {
		err = x.dropSetID()
	}
	return err
}

func (d Actions) InternalNodeSeek(id, offset int64, whence int) (int64, error) {
	n, x, err := d.node(id)
	if err != nil {
		return 0, err
	}
	fd, err := n.open(x, false)
	if err == nil && whence != unix.SEEK_DATA && whence != unix.SEEK_HOLE {
		err = unix.EINVAL
	}
	if err != nil {
		return 0, err
	}
	return unix.Seek(fd, offset, whence)
}

func (d Actions) InternalNodeCopy(from, fromoffset, to, tooffset, length int64) (int64, error) {
	n, x, err := d.node(from)
	if err != nil {
		return 0, err
	}
	_, y, err := d.node(to)
	if err != nil {
		return 0, err
	}
	out, err := n.open(y, true)
	if err != nil {
		return 0, err
	}
	n.busy = y
	defer func() { n.busy = nil }()
	in, err := n.open(x, false)
	if err != nil {
		return 0, err
	}
	const most = 64 << 20 // other requests wait meanwhile
	k, err := unix.CopyFileRange(in, &fromoffset, out, &tooffset, int(min(length, most)), 0)
	return int64(max(k, 0)), err
}

func (d Actions) InternalNodeGetxattr(id int64, name string) ([]byte, error) {
	_, x, err := d.node(id)
	if err != nil {
		return nil, err
	}
	// The path is a link of /proc to the node, and only that link is followed.
	value, err := sized(func(b []byte) (int, error) {
		if name == "" {
			return unix.Listxattr(procPath(x.pin), b)
		}
		return unix.Getxattr(procPath(x.pin), name, b)
	})
	if value == nil {
		value = []byte{}
	}
	return value, err
}

func (d Actions) InternalNodeSetxattr(id int64, name string, value []byte, flags int) error {
	_, x, err := d.node(id)
	if err != nil {
		return err
	}
	return unix.Setxattr(procPath(x.pin), name, value, flags)
}

func (d Actions) InternalNodeRemovexattr(id int64, name string) error {
	_, x, err := d.node(id)
	if err != nil {
		return err
	}
	return unix.Removexattr(procPath(x.pin), name)
}

func (d Actions) InternalNodeStatvfs(id int64) (api.StatVFS, error) {
	_, x, err := d.node(id)
	if err != nil {
		return api.StatVFS{}, err
	}
	return fstatvfs(x.pin)
}
