package fstest

import (
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// orphan is an open file that has lost its name, with the content "orphan".
func (b *box) orphan() int {
	b.Helper()
	fd := b.open("f", rw|mk, 0o644)
	b.write(fd, "orphan")
	b.unlink("f")
	b.gone("f")
	return fd
}

var unlinkedCases = []oneCase{
	{"unlinked/read", 0, func(b *box) {
		fd := b.orphan()
		same(b, "content", b.all(fd), "orphan")
	}},
	{"unlinked/read what no cache has", 0, func(b *box) {
		text := strings.Repeat("0123456789abcdef", 20_000)
		b.file("f", text)
		fd := b.open("f", rw, 0)
		b.unlink("f")
		b.ok("fsync", unix.Fsync(fd))
		b.ok("fadvise", unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
		same(b, "content", b.all(fd), text)
	}},
	{"unlinked/write and grow", 0, func(b *box) {
		fd := b.orphan()
		s := strings.Repeat("x", 100_000)
		b.pwrite(fd, s, 6)
		b.ok("fsync", unix.Fsync(fd))
		same(b, "content", b.all(fd), "orphan"+s)
	}},
	{"unlinked/fstat", Orphans, func(b *box) {
		fd := b.orphan()
		same(b, "links", b.fstat(fd).Nlink, 0)
		same(b, "size", b.fstat(fd).Size, 6)
	}},
	{"unlinked/ftruncate", 0, func(b *box) {
		fd := b.orphan()
		b.ok("ftruncate", unix.Ftruncate(fd, 3))
		same(b, "content", b.all(fd), "orp")
		b.ok("ftruncate", unix.Ftruncate(fd, 5))
		same(b, "content", b.all(fd), "orp\x00\x00")
	}},
	{"unlinked/fchmod", Modes, func(b *box) {
		fd := b.orphan()
		b.ok("fchmod", unix.Fchmod(fd, 0o400))
		same(b, "mode", b.fstat(fd).Mode&0o7777, 0o400)
	}},
	{"unlinked/fchown", Owners, func(b *box) {
		fd := b.orphan()
		b.ok("fchown", unix.Fchown(fd, 1001, 1002))
		same(b, "owner", [2]uint32{b.fstat(fd).Uid, b.fstat(fd).Gid}, [2]uint32{1001, 1002})
	}},
	{"unlinked/futimens", 0, func(b *box) {
		fd := b.orphan()
		b.ok("futimens", futimens(fd, unix.Timespec{Sec: 1e9}, unix.Timespec{Sec: 1.1e9}))
		same(b, "mtime", b.fstat(fd).Mtim.Sec, 1.1e9)
	}},
	{"unlinked/xattrs", Xattrs, func(b *box) {
		fd := b.orphan()
		b.ok("fsetxattr", unix.Fsetxattr(fd, "user.a", []byte("value"), 0))
		buf := make([]byte, 100)
		n, err := unix.Fgetxattr(fd, "user.a", buf)
		b.ok("fgetxattr", err)
		same(b, "value", string(buf[:n]), "value")
		n, err = unix.Flistxattr(fd, buf)
		b.ok("flistxattr", err)
		same(b, "listed", strings.Contains(string(buf[:n]), "user.a\x00"), true)
		b.ok("fremovexattr", unix.Fremovexattr(fd, "user.a"))
	}},
	{"unlinked/mmap", 0, func(b *box) {
		fd := b.orphan()
		mem, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		b.ok("mmap", err)
		defer unix.Munmap(mem)
		same(b, "mapped", string(mem[:6]), "orphan")
		mem[0] = 'O'
		b.ok("msync", unix.Msync(mem, unix.MS_SYNC))
		same(b, "content", b.all(fd), "Orphan")
	}},
	{"unlinked/mapped, and the descriptor closed", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "orphan")
		mem, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		b.ok("mmap", err)
		defer unix.Munmap(mem)
		b.close(fd)
		b.unlink("f")
		same(b, "mapped", string(mem[:6]), "orphan")
		mem[0] = 'O'
		b.ok("msync", unix.Msync(mem, unix.MS_SYNC))
		same(b, "mapped", string(mem[:6]), "Orphan")
	}},
	{"unlinked/punch a hole and allocate", Fallocate | Holes, func(b *box) {
		fd := b.orphan()
		b.ok("fallocate", unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, 1, 2))
		same(b, "content", b.all(fd), "o\x00\x00han")
		b.ok("fallocate", unix.Fallocate(fd, 0, 0, 10))
		same(b, "size", b.fstat(fd).Size, 10)
	}},
	{"unlinked/copy_file_range from it", 0, func(b *box) {
		fd := b.orphan()
		out := b.open("g", rw|mk, 0o644)
		n, err := unix.CopyFileRange(fd, new(int64), out, nil, 6, 0)
		b.ok("copy_file_range", err)
		same(b, "copied", n, 6)
		same(b, "content", b.all(out), "orphan")
	}},
	{"unlinked/through /proc/self/fd", 0, func(b *box) {
		fd := b.orphan()
		again, err := unix.Open(procFD(fd), rw|unix.O_CLOEXEC, 0)
		b.ok("open", err)
		b.fds = append(b.fds, again)
		b.pwrite(again, "O", 0)
		same(b, "content", b.all(fd), "Orphan")
	}},
	{"unlinked/cannot be linked again", HardLinks | Orphans, func(b *box) {
		fd := b.orphan()
		b.fails("linkat", unix.Linkat(unix.AT_FDCWD, procFD(fd), unix.AT_FDCWD, b.p("g"), unix.AT_SYMLINK_FOLLOW), unix.ENOENT)
	}},
	{"unlinked/the name is another file now", 0, func(b *box) {
		fd := b.orphan()
		b.file("f", "another")
		b.pwrite(fd, "still me", 0)
		same(b, "old", b.all(fd), "still me")
		same(b, "new", b.content("f"), "another")
		if b.stat("f").Ino == b.fstat(fd).Ino {
			b.Fatal("two files with one inode number")
		}
	}},
	{"unlinked/many at once", 0, func(b *box) {
		var fds []int
		for i := range 100 {
			fd := b.open("f", rw|mk|unix.O_EXCL, 0o644)
			b.write(fd, letters(i))
			b.unlink("f")
			fds = append(fds, fd)
		}
		for i, fd := range fds {
			same(b, "content", b.all(fd), letters(i))
		}
	}},
	{"unlinked/its folder is removed too", Orphans, func(b *box) {
		b.mkdir("d")
		fd := b.open("d/f", rw|mk, 0o644)
		b.write(fd, "x")
		b.unlink("d/f")
		b.ok("rmdir", unix.Rmdir(b.p("d")))
		b.pwrite(fd, "y", 1)
		same(b, "content", b.all(fd), "xy")
	}},
	{"unlinked/one of two links", HardLinks | Orphans, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.link("f", "g")
		b.unlink("f")
		same(b, "links", b.fstat(fd).Nlink, 1)
		b.write(fd, "x")
		same(b, "content", b.content("g"), "x")
		b.unlink("g")
		same(b, "links", b.fstat(fd).Nlink, 0)
		same(b, "content", b.all(fd), "x")
	}},
	{"unlinked/a folder that is open", Orphans, func(b *box) {
		b.mkdir("d")
		fd := b.open("d", rd|unix.O_DIRECTORY, 0)
		b.ok("rmdir", unix.Rmdir(b.p("d")))
		b.fstat(fd)
		b.listsNothing(fd)
		_, err := unix.Openat(fd, "f", wr|mk|unix.O_CLOEXEC, 0o644)
		b.fails("openat", err, unix.ENOENT)
		b.fails("mkdirat", unix.Mkdirat(fd, "x", 0o755), unix.ENOENT)
	}},
	{"unlinked/a folder that is the current one", Orphans, func(b *box) {
		b.mkdir("d")
		b.ok("chdir", unix.Chdir(b.p("d")))
		defer unix.Chdir("/")
		b.ok("rmdir", unix.Rmdir(b.p("d")))
		var st unix.Stat_t
		b.ok("stat", unix.Stat(".", &st))
		fd, err := unix.Open("f", wr|mk|unix.O_CLOEXEC, 0o644)
		if err == nil {
			unix.Close(fd)
		}
		b.fails("open", err, unix.ENOENT)
	}},
	{"unlinked/never seen again in the folder", Orphans, func(b *box) {
		b.file("stays", "")
		b.orphan()
		same(b, "names", strings.Join(b.names("."), " "), "stays")
	}},
	{"unlink/a folder is EISDIR, rmdir of a file ENOTDIR", 0, func(b *box) {
		b.mkdir("d")
		b.file("f", "")
		b.fails("unlink", unix.Unlink(b.p("d")), unix.EISDIR)
		b.fails("rmdir", unix.Rmdir(b.p("f")), unix.ENOTDIR)
		b.fails("unlink", unix.Unlink(b.p("g")), unix.ENOENT)
		b.fails("rmdir", unix.Rmdir(b.p("g")), unix.ENOENT)
	}},
	{"unlink/a link, not what it points to", Symlinks, func(b *box) {
		b.file("f", "x")
		b.symlink("f", "l")
		b.unlink("l")
		same(b, "content", b.content("f"), "x")
		b.mkdir("d")
		b.symlink("d", "m")
		b.fails("rmdir", unix.Rmdir(b.p("m")), unix.ENOTDIR)
	}},
	{"rmdir/not empty, . and ..", 0, func(b *box) {
		b.mkdir("d")
		b.file("d/f", "")
		b.fails("rmdir", unix.Rmdir(b.p("d")), unix.ENOTEMPTY, unix.EEXIST)
		b.fails("rmdir .", unix.Rmdir(b.p("d/.")), unix.EINVAL)
		b.fails("rmdir ..", unix.Rmdir(b.p("d/..")), unix.ENOTEMPTY, unix.EEXIST, unix.EINVAL)
		b.unlink("d/f")
		b.ok("rmdir", unix.Rmdir(b.p("d")))
		b.gone("d")
	}},
	{"unlinked/the space comes back", 0, func(b *box) {
		free := func() uint64 {
			var sf unix.Statfs_t
			b.ok("statfs", unix.Statfs(b.dir, &sf))
			return sf.Bfree * uint64(sf.Bsize)
		}
		before := free()
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("0123456789abcdef", 2<<20/16), 0)
		b.ok("fsync", unix.Fsync(fd))
		if free() >= before {
			b.Skip("others write here too")
		}
		b.unlink("f")
		b.close(fd)
		for range 100 {
			if free()+1<<20 >= before {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
		b.Fatalf("of %d bytes free only %d are after 10 s", before, free())
	}},
}
