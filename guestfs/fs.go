package guestfs

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"gofish/guestfs/types"
)

// FS is the mounted file systems as an io/fs file system; its root is the guest's root directory.
// Links lead where they would in the guest, and never out of it. Names of methods are
// slash-separated and without a slash in front, as package io/fs has them. Package io/fs
// only knows names in UTF-8: others are listed, but only methods of Handle can open them.
type FS struct {
	g   *Handle
	ctx context.Context
}

var (
	_ fs.ReadDirFS  = (*FS)(nil)
	_ fs.ReadFileFS = (*FS)(nil)
	_ fs.StatFS     = (*FS)(nil)
	_ fs.ReadLinkFS = (*FS)(nil)
)

// FS returns the file system. Its calls, and those of files opened with it, end with ctx.
func (g *Handle) FS(ctx context.Context) *FS { return &FS{g, ctx} }

// guestPath is the path of a valid name in the guest.
func guestPath(op, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return path.Join("/", name), nil
}

// pathError is the error of a method of FS.
func pathError(op, name string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: op, Path: name, Err: err}
}

// Open opens a file or a directory. The file is also an io.ReaderAt, an io.Seeker and an
// io.WriterTo.
func (f *FS) Open(name string) (fs.File, error) {
	p, err := guestPath("open", name)
	if err != nil {
		return nil, err
	}
	st, err := f.g.StatNS(f.ctx, p)
	if err != nil {
		return nil, pathError("open", name, err)
	}
	info := &fileInfo{path.Base(name), st}
	if info.IsDir() {
		return &dir{fs: f, name: name, info: info}, nil
	}
	return &file{fs: f, name: name, path: p, info: info}, nil
}

// Stat follows links.
func (f *FS) Stat(name string) (fs.FileInfo, error) { return f.stat("stat", name, f.g.StatNS) }

// Lstat does not follow a link.
func (f *FS) Lstat(name string) (fs.FileInfo, error) { return f.stat("lstat", name, f.g.LstatNS) }

func (f *FS) stat(op, name string, get func(context.Context, string) (StatNS, error)) (fs.FileInfo, error) {
	p, err := guestPath(op, name)
	if err != nil {
		return nil, err
	}
	st, err := get(f.ctx, p)
	if err != nil {
		return nil, pathError(op, name, err)
	}
	return &fileInfo{path.Base(name), st}, nil
}

// ReadLink returns the target of a link, as it is stored in the guest.
func (f *FS) ReadLink(name string) (string, error) {
	p, err := guestPath("readlink", name)
	if err != nil {
		return "", err
	}
	target, err := f.g.Readlink(f.ctx, p)
	return target, pathError("readlink", name, err)
}

// ReadFile returns the content of a file.
func (f *FS) ReadFile(name string) ([]byte, error) {
	p, err := guestPath("open", name)
	if err != nil {
		return nil, err
	}
	b, err := f.g.ReadFile(f.ctx, p)
	return b, pathError("read", name, err)
}

// ReadDir lists a directory, sorted by name.
func (f *FS) ReadDir(name string) ([]fs.DirEntry, error) {
	p, err := guestPath("open", name)
	if err != nil {
		return nil, err
	}
	entries, err := f.g.Readdir(f.ctx, p)
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	names := []string{}
	for _, e := range entries {
		if e.Name != "." && e.Name != ".." {
			names = append(names, e.Name)
		}
	}
	slices.Sort(names)
	stats, err := f.g.LstatNSList(f.ctx, p, names)
	if err != nil {
		return nil, pathError("readdir", name, err)
	}
	list := make([]fs.DirEntry, 0, len(names))
	for i, st := range stats {
		if st.Ino != -1 { // it is gone since
			list = append(list, fs.FileInfoToDirEntry(&fileInfo{names[i], st}))
		}
	}
	return list, nil
}

// fileInfo is the status of a file.
type fileInfo struct {
	name string
	st   types.StatNS
}

func (i *fileInfo) Name() string       { return i.name }
func (i *fileInfo) Size() int64        { return i.st.Size }
func (i *fileInfo) ModTime() time.Time { return time.Unix(i.st.MtimeSec, i.st.MtimeNsec) }
func (i *fileInfo) IsDir() bool        { return i.Mode().IsDir() }

// Sys is the guest's own status of the file, a *StatNS: numbers of owner and group,
// device, inode, links.
func (i *fileInfo) Sys() any { return &i.st }

func (i *fileInfo) Mode() fs.FileMode {
	m := fs.FileMode(i.st.Mode & 0o777)
	switch i.st.Mode & syscall.S_IFMT {
	case syscall.S_IFDIR:
		m |= fs.ModeDir
	case syscall.S_IFLNK:
		m |= fs.ModeSymlink
	case syscall.S_IFBLK:
		m |= fs.ModeDevice
	case syscall.S_IFCHR:
		m |= fs.ModeDevice | fs.ModeCharDevice
	case syscall.S_IFIFO:
		m |= fs.ModeNamedPipe
	case syscall.S_IFSOCK:
		m |= fs.ModeSocket
	}
	for bit, mode := range map[int64]fs.FileMode{syscall.S_ISUID: fs.ModeSetuid, syscall.S_ISGID: fs.ModeSetgid, syscall.S_ISVTX: fs.ModeSticky} {
		if i.st.Mode&bit != 0 {
			m |= mode
		}
	}
	return m
}

// dir is an open directory.
type dir struct {
	fs     *FS
	name   string
	info   fs.FileInfo
	list   []fs.DirEntry
	read   bool
	closed bool
}

func (d *dir) Stat() (fs.FileInfo, error) {
	if d.closed {
		return nil, pathError("stat", d.name, fs.ErrClosed)
	}
	return d.info, nil
}

func (d *dir) Close() error {
	if d.closed {
		return pathError("close", d.name, fs.ErrClosed)
	}
	d.closed = true
	return nil
}

func (d *dir) Read([]byte) (int, error) { return 0, pathError("read", d.name, syscall.EISDIR) }

func (d *dir) ReadDir(n int) ([]fs.DirEntry, error) {
	if d.closed {
		return nil, pathError("readdir", d.name, fs.ErrClosed)
	}
	if !d.read {
		list, err := d.fs.ReadDir(d.name)
		if err != nil {
			return nil, err
		}
		d.list, d.read = list, true
	}
	if n <= 0 {
		n = len(d.list)
	} else if len(d.list) == 0 {
		return nil, io.EOF
	}
	list := d.list[:min(n, len(d.list))]
	d.list = d.list[len(list):]
	return list, nil
}

// file is an open file, not a directory.
type file struct {
	fs     *FS
	name   string
	path   string
	info   *fileInfo
	at     int64
	closed bool

	buf    []byte        // what was read ahead, from at on
	size   int           // of the next piece to be read
	coming chan readPart // a piece that is on its way
}

// readPart is a piece of a file.
type readPart struct {
	at   int64
	data []byte
	err  error
}

// Pieces begin small, since most files are, and double while a file is read on. The
// largest fits into a message with room to spare.
const (
	firstPiece   = 64 << 10
	largestPiece = 2 << 20
)

func (f *file) Stat() (fs.FileInfo, error) {
	if f.closed {
		return nil, pathError("stat", f.name, fs.ErrClosed)
	}
	return f.info, nil
}

func (f *file) Close() error {
	if f.closed {
		return pathError("close", f.name, fs.ErrClosed)
	}
	f.drop()
	f.closed = true
	return nil
}

// pread reads at most n bytes at a place.
func (f *file) pread(n int, at int64) ([]byte, error) {
	b, err := f.fs.g.Pread(f.fs.ctx, f.path, n, at)
	return b, pathError("read", f.name, err)
}

// drop forgets what was read ahead.
func (f *file) drop() {
	f.buf = nil
	if f.coming != nil {
		<-f.coming
		f.coming = nil
	}
}

// fill reads the next piece, and asks for the one after it.
func (f *file) fill() error {
	f.size = min(max(2*f.size, firstPiece), largestPiece)
	part := readPart{at: f.at}
	if f.coming != nil {
		part = <-f.coming
		f.coming = nil
	} else {
		part.data, part.err = f.pread(f.size, f.at)
	}
	if part.err != nil {
		return part.err
	}
	if len(part.data) == 0 {
		return io.EOF
	}
	f.buf = part.data
	if next, n := part.at+int64(len(part.data)), f.size; n == largestPiece && next < f.info.Size() {
		coming := make(chan readPart, 1)
		f.coming = coming
		go func() {
			data, err := f.pread(n, next)
			coming <- readPart{next, data, err}
		}()
	}
	return nil
}

func (f *file) Read(b []byte) (int, error) {
	if f.closed {
		return 0, pathError("read", f.name, fs.ErrClosed)
	}
	if len(b) == 0 {
		return 0, nil
	}
	if len(f.buf) == 0 {
		if err := f.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(b, f.buf)
	f.buf = f.buf[n:]
	f.at += int64(n)
	return n, nil
}

func (f *file) ReadAt(b []byte, at int64) (n int, err error) {
	if f.closed {
		return 0, pathError("read", f.name, fs.ErrClosed)
	}
	if at < 0 {
		return 0, pathError("read", f.name, errors.New("negative offset"))
	}
	for n < len(b) {
		piece, err := f.pread(min(len(b)-n, largestPiece), at+int64(n))
		if err != nil {
			return n, err
		}
		if len(piece) == 0 {
			return n, io.EOF
		}
		n += copy(b[n:], piece)
	}
	return n, nil
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	if f.closed {
		return 0, pathError("seek", f.name, fs.ErrClosed)
	}
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.info.Size()
	}
	if offset < 0 || whence < io.SeekStart || whence > io.SeekEnd {
		return 0, pathError("seek", f.name, fs.ErrInvalid)
	}
	if offset != f.at {
		f.drop()
		f.size = 0
	}
	f.at = offset
	return offset, nil
}

// WriteTo writes the rest of the file. All of it goes in one call, which is faster than
// reading it in pieces, above all to a regular file.
func (f *file) WriteTo(w io.Writer) (int64, error) {
	if f.closed {
		return 0, pathError("read", f.name, fs.ErrClosed)
	}
	count := &counter{w: w}
	if f.at > 0 {
		_, err := io.Copy(count, struct{ io.Reader }{f})
		return count.n, err
	}
	f.drop()
	var err error
	if host, ok := w.(*os.File); ok && atStart(host) {
		if err = f.fs.g.Download(f.fs.ctx, f.path, host); err == nil {
			count.n, err = host.Seek(0, io.SeekCurrent)
		}
	} else {
		err = f.fs.g.Download(f.fs.ctx, f.path, count)
	}
	f.at = count.n
	return count.n, pathError("read", f.name, err)
}

// atStart reports whether a file knows its position, and that is its start.
func atStart(f *os.File) bool {
	at, err := f.Seek(0, io.SeekCurrent)
	return err == nil && at == 0
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// WriteFile writes a file, which takes its name when it is complete. perm counts for one
// that was not there.
func (g *Handle) WriteFile(ctx context.Context, name string, data []byte, perm fs.FileMode) error {
	there, err := g.calls.Exists(ctx, name)
	if err != nil {
		return err
	}
	if err := g.calls.Write(ctx, name, data); err != nil || there {
		return err
	}
	return g.calls.Chmod(ctx, int(perm.Perm()), name)
}

// MkdirAll makes a directory and those above it that are missing.
func (g *Handle) MkdirAll(ctx context.Context, name string, perm fs.FileMode) error {
	missing := []string{}
	for p := path.Clean(name); p != "/" && strings.HasPrefix(p, "/"); p = path.Dir(p) {
		is, err := g.calls.IsDir(ctx, p, types.IsDirOptions{FollowSymlinks: new(true)})
		if err != nil {
			return err
		}
		if is {
			break
		}
		missing = append(missing, p)
	}
	for _, p := range slices.Backward(missing) {
		if err := g.calls.MkdirMode(ctx, p, int(perm.Perm())); err != nil {
			return err
		}
	}
	return nil
}

// Remove removes a file or an empty directory. RmRf removes a whole tree.
func (g *Handle) Remove(ctx context.Context, name string) error {
	err := g.calls.Rm(ctx, name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if is, derr := g.calls.IsDir(ctx, name); derr == nil && is {
		return g.calls.Rmdir(ctx, name)
	}
	return err
}

// Chtimes sets when a file was read and changed last; a zero time leaves one as it is.
func (g *Handle) Chtimes(ctx context.Context, name string, atime, mtime time.Time) error {
	const omit = -2 // as nanoseconds, for utimens
	nanoseconds := func(t time.Time) (int64, int64) {
		if t.IsZero() {
			return 0, omit
		}
		return t.Unix(), int64(t.Nanosecond())
	}
	as, an := nanoseconds(atime)
	ms, mn := nanoseconds(mtime)
	return g.calls.Utimens(ctx, name, as, an, ms, mn)
}
