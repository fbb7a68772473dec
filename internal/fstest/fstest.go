// Package fstest judges a file system by what programs rely on: Run does small cases with the
// calls of Linux, each in a folder of its own, and Exercise does random operations on one file
// and compares it with a model in memory. Neither knows what is below the folder it is given.
//
// The cases want a file system that is a local one for the program: what one call has done the
// next one sees. What it need not be able to do is said by Can.
package fstest

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// Can is what a file system can do beyond the least: files and folders with names.
type Can uint

const (
	HardLinks   Can = 1 << iota
	Symlinks        // and other names for files
	Owners          // chown; the test must be root, and other users must be let in
	Modes           // all bits of chmod are kept
	Xattrs          // user.* and trusted.*
	LargeXattrs     // of 64 KB
	ACLs            // of POSIX
	Holes           // files have holes, which can be found and made
	Fallocate       // without KEEP_SIZE, and with it
	Special         // FIFOs, sockets, devices
	Tmpfile         // O_TMPFILE
	NoReplace       // RENAME_NOREPLACE
	Exchange        // RENAME_EXCHANGE
	AnyName         // names of any bytes but / and NUL
	Case            // a is not A
	Nanoseconds     // times are kept exactly, also those before 1970
	Sparse          // sizes far beyond the device
	StableInode     // a file has its number for as long as it exists
	DirTimes        // a folder's mtime is when its names changed
	Locks           // flock(2), fcntl(2)
	Orphans         // an open file or folder that is removed goes on without a name, not under another
	Many            // so fast that a folder may have 10,000 names rather than 1,000
	Tails           // what is mapped beyond the end of a file never becomes part of it; only tmpfs fails

	// All is what a file system of Linux can do.
	All Can = 1<<iota - 1
)

// oneCase is one row of the table.
type oneCase struct {
	name string
	need Can
	run  func(b *box)
}

// cases is all areas in the order in which they run.
func cases() []oneCase {
	var all []oneCase
	for _, area := range [][]oneCase{
		openCases, unlinkedCases, renameCases, linkCases, permissionCases, setIDCases, aclCases, timeCases, nameCases,
		specialCases, dirCases, xattrCases, sizeCases, copyCases, mapCases, lockCases, syncCases,
	} {
		all = append(all, area...)
	}
	return all
}

// Run runs every case that the file system can do in a folder of dir, which is removed again.
func Run(t *testing.T, dir string, can Can) {
	if os.Geteuid() != 0 {
		can &^= Owners
	}
	skipped := 0
	for i, c := range cases() {
		if c.need&^can != 0 {
			skipped++
			continue
		}
		folder := filepath.Join(dir, fmt.Sprintf("case%03d", i))
		t.Run(c.name, func(t *testing.T) { runCase(t, folder, can, c.run) })
	}
	t.Logf("%d cases, %d of them do not apply", len(cases()), skipped)
}

func runCase(t *testing.T, folder string, can Can, run func(b *box)) {
	// Users and the umask of a case are those of its thread, which ends with it.
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_FS); err == nil {
		unix.Umask(0o022)
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if can&Modes != 0 {
		if err := os.Chmod(folder, 0o777); err != nil {
			t.Fatal(err)
		}
	}
	b := &box{T: t, dir: folder, can: can}
	defer func() {
		b.closeAll()
		if err := os.RemoveAll(folder); err != nil {
			t.Error(err)
		}
	}()
	run(b)
}

// box is a case at work: its folder, and short words for what cases do all the time. What
// fails ends the case.
type box struct {
	*testing.T
	dir  string
	can  Can
	fds  []int
	maps [][]byte
}

// p is the path of a name in the folder.
func (b *box) p(name string) string { return b.dir + "/" + name }

func (b *box) ok(what string, err error) {
	if b.Helper(); err != nil {
		b.Fatalf("%s: %v", what, err)
	}
}

// fails wants one of some errors.
func (b *box) fails(what string, err error, want ...unix.Errno) {
	b.Helper()
	for _, w := range want {
		if err == w {
			return
		}
	}
	b.Fatalf("%s: got %v, want %v", what, describe(err), want)
}

func describe(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

// same wants two values to be equal.
func same[T comparable](b *box, what string, got, want T) {
	if b.Helper(); got == want {
		return
	}
	g, isText := any(got).(string)
	if w := fmt.Sprint(want); isText && len(g)+len(w) > 200 {
		b.Fatalf("%s: %s", what, difference(g, w))
	}
	b.Fatalf("%s: got %s, want %s", what, short(got), short(want))
}

// difference says where large contents begin to differ.
func difference(got, want string) string {
	at := 0
	for at < len(got) && at < len(want) && got[at] == want[at] {
		at++
	}
	last := 0
	for last < len(got)-at && last < len(want)-at && got[len(got)-1-last] == want[len(want)-1-last] {
		last++
	}
	around := func(s string) string { return fmt.Sprintf("%q", s[at:min(at+40, len(s))]) }
	return fmt.Sprintf("got %d bytes, want %d; they differ from byte %d on, %s instead of %s, and not in the last %d",
		len(got), len(want), at, around(got), around(want), last)
}

func short(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}

func (b *box) open(name string, flags int, mode uint32) int {
	b.Helper()
	fd, err := unix.Open(b.p(name), flags|unix.O_CLOEXEC, mode)
	b.ok("open "+name, err)
	b.fds = append(b.fds, fd)
	return fd
}

// cannotOpen wants open to fail.
func (b *box) cannotOpen(name string, flags int, want ...unix.Errno) {
	b.Helper()
	fd, err := unix.Open(b.p(name), flags|unix.O_CLOEXEC, 0o644)
	if err == nil {
		unix.Close(fd)
	}
	b.fails("open "+name, err, want...)
}

func (b *box) close(fd int) {
	b.Helper()
	for i, have := range b.fds {
		if have == fd {
			b.fds = append(b.fds[:i], b.fds[i+1:]...)
			break
		}
	}
	b.ok("close", unix.Close(fd))
}

func (b *box) closeAll() {
	for _, fd := range b.fds {
		unix.Close(fd)
	}
	for _, mem := range b.maps {
		unix.Munmap(mem)
	}
	b.fds, b.maps = nil, nil
}

// file makes a file with a content.
func (b *box) file(name, content string) {
	b.Helper()
	fd := b.open(name, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, 0o644)
	b.pwrite(fd, content, 0)
	b.close(fd)
}

func (b *box) mkdir(name string) {
	b.Helper()
	b.ok("mkdir "+name, unix.Mkdir(b.p(name), 0o755))
}

func (b *box) write(fd int, s string) {
	b.Helper()
	n, err := unix.Write(fd, []byte(s))
	b.ok("write", err)
	same(b, "written", n, len(s))
}

func (b *box) pwrite(fd int, s string, at int64) {
	b.Helper()
	for done := 0; done < len(s); {
		n, err := unix.Pwrite(fd, []byte(s[done:]), at+int64(done))
		b.ok("pwrite", err)
		done += n
	}
}

// pread reads up to n bytes.
func (b *box) pread(fd, n int, at int64) string {
	b.Helper()
	buf := make([]byte, n)
	done := 0
	for done < n {
		k, err := unix.Pread(fd, buf[done:], at+int64(done))
		b.ok("pread", err)
		if k == 0 {
			break
		}
		done += k
	}
	return string(buf[:done])
}

// all is what a descriptor's file has.
func (b *box) all(fd int) string {
	b.Helper()
	return b.pread(fd, int(b.fstat(fd).Size)+1, 0)
}

// content is what is in a file of that name.
func (b *box) content(name string) string {
	b.Helper()
	fd := b.open(name, unix.O_RDONLY, 0)
	defer b.close(fd)
	return b.all(fd)
}

func (b *box) stat(name string) unix.Stat_t {
	b.Helper()
	var st unix.Stat_t
	b.ok("lstat "+name, unix.Lstat(b.p(name), &st))
	return st
}

func (b *box) fstat(fd int) unix.Stat_t {
	b.Helper()
	var st unix.Stat_t
	b.ok("fstat", unix.Fstat(fd, &st))
	return st
}

func (b *box) mode(name string) string {
	b.Helper()
	return fmt.Sprintf("%o", b.stat(name).Mode&0o7777)
}

func (b *box) chmod(name string, mode uint32) {
	b.Helper()
	b.ok("chmod "+name, unix.Chmod(b.p(name), mode))
}

func (b *box) chown(name string, uid, gid int) {
	b.Helper()
	b.ok("chown "+name, unix.Lchown(b.p(name), uid, gid))
}

func (b *box) unlink(name string) {
	b.Helper()
	b.ok("unlink "+name, unix.Unlink(b.p(name)))
}

func (b *box) rename(from, to string) {
	b.Helper()
	b.ok("rename "+from+" "+to, unix.Rename(b.p(from), b.p(to)))
}

func (b *box) link(from, to string) {
	b.Helper()
	b.ok("link "+from+" "+to, unix.Link(b.p(from), b.p(to)))
}

func (b *box) symlink(target, name string) {
	b.Helper()
	b.ok("symlink "+name, unix.Symlink(target, b.p(name)))
}

// gone wants a name not to exist.
func (b *box) gone(name string) {
	b.Helper()
	var st unix.Stat_t
	b.fails("lstat "+name, unix.Lstat(b.p(name), &st), unix.ENOENT)
}

// as does something as another user with these groups. The thread's credentials are changed,
// not those of the process as the functions of syscall do.
func (b *box) as(uid, gid int, fn func(), groups ...int) {
	b.Helper()
	const keep = ^uintptr(0)
	var list []uint32
	for _, g := range groups {
		list = append(list, uint32(g))
	}
	if err := setGroups(list); err != nil {
		b.Fatalf("setgroups: %v", err)
	}
	unix.RawSyscall(unix.SYS_SETRESGID, keep, uintptr(gid), keep)
	if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, keep, uintptr(uid), keep); e != 0 {
		b.Fatalf("setresuid: %v", e)
	}
	defer func() {
		unix.RawSyscall(unix.SYS_SETRESUID, keep, 0, keep)
		unix.RawSyscall(unix.SYS_SETRESGID, keep, 0, keep)
		setGroups(nil)
	}()
	fn()
}
