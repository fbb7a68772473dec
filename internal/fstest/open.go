package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

const (
	rd = unix.O_RDONLY
	wr = unix.O_WRONLY
	rw = unix.O_RDWR
	mk = unix.O_CREAT
)

var openCases = []oneCase{
	{"open/O_CREAT makes an empty file", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		same(b, "size", b.fstat(fd).Size, 0)
		same(b, "links", b.fstat(fd).Nlink, 1)
		same(b, "type", b.fstat(fd).Mode&unix.S_IFMT, unix.S_IFREG)
	}},
	{"open/without O_CREAT a missing file is ENOENT", 0, func(b *box) {
		b.cannotOpen("f", rd, unix.ENOENT)
		b.cannotOpen("f", rw, unix.ENOENT)
	}},
	{"open/a missing name is seen once it is made", 0, func(b *box) {
		b.gone("f") // the answer may be cached
		b.file("f", "x")
		same(b, "content", b.content("f"), "x")
		b.gone("d")
		b.mkdir("d")
		b.gone("d/g")
		b.file("d/g", "y")
		same(b, "content", b.content("d/g"), "y")
	}},
	{"open/O_CREAT leaves the content of what exists", 0, func(b *box) {
		b.file("f", "old")
		fd := b.open("f", rw|mk, 0o600)
		same(b, "content", b.all(fd), "old")
	}},
	{"open/O_CREAT leaves the mode of what exists", Modes, func(b *box) {
		b.file("f", "old")
		b.chmod("f", 0o640)
		b.open("f", rw|mk, 0o777)
		same(b, "mode", b.mode("f"), "640")
	}},
	{"open/O_EXCL refuses what exists", 0, func(b *box) {
		b.file("f", "old")
		b.mkdir("d")
		b.cannotOpen("f", rw|mk|unix.O_EXCL, unix.EEXIST)
		b.cannotOpen("d", rw|mk|unix.O_EXCL, unix.EEXIST)
		same(b, "content", b.content("f"), "old")
	}},
	{"open/O_EXCL does not follow a link", Symlinks, func(b *box) {
		b.symlink("nowhere", "l")
		b.cannotOpen("l", rw|mk|unix.O_EXCL, unix.EEXIST)
		b.gone("nowhere")
	}},
	{"open/O_EXCL lets one of many win", 0, func(b *box) {
		const many = 8
		won := make(chan bool, many)
		for range many {
			go func() {
				fd, err := unix.Open(b.p("f"), wr|mk|unix.O_EXCL|unix.O_CLOEXEC, 0o644)
				if err == nil {
					unix.Close(fd)
				}
				won <- err == nil
			}()
		}
		winners := 0
		for range many {
			if <-won {
				winners++
			}
		}
		same(b, "winners", winners, 1)
	}},
	{"open/O_CREAT follows a dangling link", Symlinks, func(b *box) {
		b.symlink("target", "l")
		fd := b.open("l", wr|mk, 0o644)
		b.write(fd, "x")
		same(b, "content", b.content("target"), "x")
	}},
	{"open/O_TRUNC empties", 0, func(b *box) {
		b.file("f", "something long")
		fd := b.open("f", wr|unix.O_TRUNC, 0)
		same(b, "size", b.fstat(fd).Size, 0)
		b.write(fd, "new")
		same(b, "content", b.content("f"), "new")
	}},
	{"open/O_TRUNC empties for who has it open", 0, func(b *box) {
		b.file("f", "something long")
		fd := b.open("f", rw, 0)
		same(b, "content", b.all(fd), "something long")
		b.close(b.open("f", wr|unix.O_TRUNC, 0))
		same(b, "size", b.fstat(fd).Size, 0)
		same(b, "content", b.pread(fd, 100, 0), "")
		b.pwrite(fd, "z", 3)
		same(b, "content", b.content("f"), "\x00\x00\x00z")
	}},
	{"open/O_APPEND writes at the end, wherever the offset is", 0, func(b *box) {
		b.file("f", "abc")
		fd := b.open("f", rw|unix.O_APPEND, 0)
		_, err := unix.Seek(fd, 0, 0)
		b.ok("lseek", err)
		b.write(fd, "d")
		_, err = unix.Seek(fd, 1, 0)
		b.ok("lseek", err)
		b.write(fd, "e")
		same(b, "content", b.content("f"), "abcde")
		off, err := unix.Seek(fd, 0, 1)
		b.ok("lseek", err)
		same(b, "offset", off, 5)
	}},
	{"open/O_APPEND by two writers loses nothing", 0, func(b *box) {
		one, two := b.open("f", wr|mk|unix.O_APPEND, 0o644), b.open("f", wr|unix.O_APPEND, 0)
		for range 50 {
			b.write(one, "one,")
			b.write(two, "two,")
		}
		same(b, "content", b.content("f"), strings.Repeat("one,two,", 50))
	}},
	{"open/O_APPEND after another truncated", 0, func(b *box) {
		fd := b.open("f", wr|mk|unix.O_APPEND, 0o644)
		b.write(fd, "first")
		b.ok("truncate", unix.Truncate(b.p("f"), 0))
		b.write(fd, "second")
		same(b, "content", b.content("f"), "second")
	}},
	{"open/O_APPEND set later by fcntl", 0, func(b *box) {
		b.file("f", "abc")
		fd := b.open("f", wr, 0)
		_, err := unix.FcntlInt(uintptr(fd), unix.F_SETFL, unix.O_APPEND)
		b.ok("F_SETFL", err)
		b.write(fd, "d")
		same(b, "content", b.content("f"), "abcd")
	}},
	{"open/a descriptor to read does not write, and the reverse", 0, func(b *box) {
		b.file("f", "abc")
		_, err := unix.Write(b.open("f", rd, 0), []byte("x"))
		b.fails("write", err, unix.EBADF)
		_, err = unix.Read(b.open("f", wr, 0), make([]byte, 1))
		b.fails("read", err, unix.EBADF)
		b.fails("ftruncate", unix.Ftruncate(b.open("f", rd, 0), 0), unix.EINVAL, unix.EBADF)
		same(b, "content", b.content("f"), "abc")
	}},
	{"open/a write-only descriptor changes parts of pages", 0, func(b *box) {
		text := strings.Repeat("0123456789", 2000)
		b.file("f", text)
		fd := b.open("f", wr, 0)
		b.pwrite(fd, "XY", 5000)
		b.pwrite(fd, "Z", 12345)
		want := []byte(text)
		copy(want[5000:], "XY")
		want[12345] = 'Z'
		same(b, "content", b.content("f"), string(want))
	}},
	{"open/O_DIRECTORY wants a folder", 0, func(b *box) {
		b.file("f", "")
		b.cannotOpen("f", rd|unix.O_DIRECTORY, unix.ENOTDIR)
		b.open(".", rd|unix.O_DIRECTORY, 0)
	}},
	{"open/a folder is not written to", 0, func(b *box) {
		b.mkdir("d")
		b.cannotOpen("d", wr, unix.EISDIR)
		b.cannotOpen("d", rw, unix.EISDIR)
		b.cannotOpen("d", rw|mk, unix.EISDIR)
		_, err := unix.Read(b.open("d", rd, 0), make([]byte, 1))
		b.fails("read", err, unix.EISDIR)
	}},
	{"open/below a file is ENOTDIR", 0, func(b *box) {
		b.file("f", "")
		b.cannotOpen("f/x", rd, unix.ENOTDIR)
		b.cannotOpen("f/x", rw|mk, unix.ENOTDIR)
		b.cannotOpen("f/", rd, unix.ENOTDIR)
		b.fails("mkdir", unix.Mkdir(b.p("f/x"), 0o755), unix.ENOTDIR)
	}},
	{"open/O_NOFOLLOW refuses a link", Symlinks, func(b *box) {
		b.file("f", "")
		b.symlink("f", "l")
		b.cannotOpen("l", rd|unix.O_NOFOLLOW, unix.ELOOP)
	}},
	{"open/O_PATH of a link, and what it allows", Symlinks, func(b *box) {
		b.file("f", "x")
		b.symlink("f", "l")
		fd := b.open("l", unix.O_PATH|unix.O_NOFOLLOW, 0)
		same(b, "type", b.fstat(fd).Mode&unix.S_IFMT, unix.S_IFLNK)
		_, err := unix.Read(fd, make([]byte, 1))
		b.fails("read", err, unix.EBADF)
		buf := make([]byte, 10)
		n, err := unix.Readlinkat(fd, "", buf)
		b.ok("readlinkat", err)
		same(b, "target", string(buf[:n]), "f")
	}},
	{"open/through /proc/self/fd again", 0, func(b *box) {
		b.file("f", "abc")
		fd := b.open("f", rd, 0)
		again, err := unix.Open(procFD(fd), rw|unix.O_CLOEXEC, 0)
		b.ok("open", err)
		b.fds = append(b.fds, again)
		b.pwrite(again, "X", 1)
		same(b, "content", b.all(fd), "aXc")
	}},
	{"open/the umask applies", Modes, func(b *box) {
		unix.Umask(0o027)
		b.open("f", wr|mk, 0o666)
		b.ok("mkdir", unix.Mkdir(b.p("d"), 0o777))
		unix.Umask(0)
		b.open("g", wr|mk, 0o666)
		same(b, "file", b.mode("f"), "640")
		same(b, "folder", b.mode("d"), "750")
		same(b, "file without", b.mode("g"), "666")
	}},
	{"open/a mode of no bits still writes through its own descriptor", Modes, func(b *box) {
		fd := b.open("f", rw|mk|unix.O_EXCL, 0)
		b.write(fd, "x")
		same(b, "content", b.all(fd), "x")
		same(b, "mode", b.mode("f"), "0")
	}},
	{"open/modes of setuid, setgid and sticky at creation", Modes, func(b *box) {
		b.open("f", wr|mk, 0o6755)
		same(b, "mode", b.mode("f"), "6755")
		b.ok("mkdir", unix.Mkdir(b.p("d"), 0o1777))
		same(b, "mode", b.mode("d"), "1755")
	}},
	{"open/dup and two opens: one offset, two offsets", 0, func(b *box) {
		b.file("f", "abcdef")
		one, two := b.open("f", rd, 0), b.open("f", rd, 0)
		dup, err := unix.Dup(one)
		b.ok("dup", err)
		b.fds = append(b.fds, dup)
		buf := make([]byte, 2)
		for _, step := range []struct {
			fd   int
			want string
		}{{one, "ab"}, {dup, "cd"}, {two, "ab"}, {one, "ef"}} {
			_, err := unix.Read(step.fd, buf)
			b.ok("read", err)
			same(b, "read", string(buf), step.want)
		}
	}},
	{"open/what one descriptor writes another reads at once", 0, func(b *box) {
		w, r := b.open("f", wr|mk, 0o644), b.open("f", rd, 0)
		for i := range 20 {
			s := strings.Repeat(string(rune('a'+i)), 777)
			b.pwrite(w, s, int64(i)*777)
			same(b, "read", b.pread(r, 777, int64(i)*777), s)
			same(b, "size", b.fstat(r).Size, int64(i+1)*777)
		}
	}},
	{"open/O_TMPFILE has no name and no link", Tmpfile, func(b *box) {
		fd := b.open(".", rw|unix.O_TMPFILE, 0o600)
		b.write(fd, "hidden")
		same(b, "links", b.fstat(fd).Nlink, 0)
		same(b, "content", b.all(fd), "hidden")
		same(b, "names", len(b.names(".")), 0)
	}},
	{"open/O_TMPFILE gets a name by linkat", Tmpfile | HardLinks, func(b *box) {
		fd := b.open(".", rw|unix.O_TMPFILE, 0o640)
		b.write(fd, "complete")
		b.ok("linkat", unix.Linkat(unix.AT_FDCWD, procFD(fd), unix.AT_FDCWD, b.p("f"), unix.AT_SYMLINK_FOLLOW))
		same(b, "content", b.content("f"), "complete")
		same(b, "mode", b.mode("f"), "640")
		same(b, "links", b.fstat(fd).Nlink, 1)
		same(b, "inode", b.stat("f").Ino, b.fstat(fd).Ino)
		b.pwrite(fd, "C", 0)
		same(b, "content", b.content("f"), "Complete")
	}},
	{"open/O_TMPFILE with O_EXCL gets none", Tmpfile | HardLinks, func(b *box) {
		fd := b.open(".", rw|unix.O_TMPFILE|unix.O_EXCL, 0o640)
		b.fails("linkat", unix.Linkat(unix.AT_FDCWD, procFD(fd), unix.AT_FDCWD, b.p("f"), unix.AT_SYMLINK_FOLLOW), unix.ENOENT)
	}},
	{"open/O_TMPFILE does not replace", Tmpfile | HardLinks, func(b *box) {
		b.file("f", "old")
		fd := b.open(".", rw|unix.O_TMPFILE, 0o640)
		b.fails("linkat", unix.Linkat(unix.AT_FDCWD, procFD(fd), unix.AT_FDCWD, b.p("f"), unix.AT_SYMLINK_FOLLOW), unix.EEXIST)
		same(b, "content", b.content("f"), "old")
	}},
	{"open/O_TMPFILE belongs to who made it", Tmpfile | Owners, func(b *box) {
		b.as(1001, 1002, func() {
			st := b.fstat(b.open(".", rw|unix.O_TMPFILE, 0o640))
			same(b, "owner", [2]uint32{st.Uid, st.Gid}, [2]uint32{1001, 1002})
		})
	}},
	{"open/O_DIRECT writes and reads whole blocks", 0, func(b *box) {
		fd, err := unix.Open(b.p("f"), rw|mk|unix.O_DIRECT|unix.O_CLOEXEC, 0o644)
		if err == unix.EINVAL {
			b.Skip("no O_DIRECT here")
		}
		b.ok("open", err)
		b.fds = append(b.fds, fd)
		mem, err := unix.Mmap(-1, 0, 64<<10, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		b.ok("mmap", err)
		defer unix.Munmap(mem)
		for i := range mem {
			mem[i] = byte(i / 100)
		}
		_, err = unix.Pwrite(fd, mem, 0)
		b.ok("pwrite", err)
		want := string(mem)
		same(b, "through the cache", b.content("f"), want)
		clear(mem)
		_, err = unix.Pread(fd, mem, 0)
		b.ok("pread", err)
		same(b, "directly", string(mem), want)
	}},
	{"open/O_DIRECT sees what the cache holds, and the reverse", 0, func(b *box) {
		b.file("f", strings.Repeat("a", 8192))
		fd, err := unix.Open(b.p("f"), rw|unix.O_DIRECT|unix.O_CLOEXEC, 0)
		if err == unix.EINVAL {
			b.Skip("no O_DIRECT here")
		}
		b.ok("open", err)
		b.fds = append(b.fds, fd)
		cached := b.open("f", rw, 0)
		b.pwrite(cached, "bcd", 100)
		mem, err := unix.Mmap(-1, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		b.ok("mmap", err)
		defer unix.Munmap(mem)
		_, err = unix.Pread(fd, mem, 0)
		b.ok("pread", err)
		same(b, "directly", string(mem[99:104]), "abcda")
		copy(mem, "direct")
		_, err = unix.Pwrite(fd, mem, 4096)
		b.ok("pwrite", err)
		same(b, "through the cache", b.pread(cached, 7, 4096), "directa")
	}},
	{"open/O_SYNC and O_DSYNC", 0, func(b *box) {
		b.write(b.open("f", wr|mk|unix.O_SYNC, 0o644), "sync")
		b.pwrite(b.open("f", wr|unix.O_DSYNC, 0), "S", 0)
		same(b, "content", b.content("f"), "Sync")
	}},
	{"open/close(2) loses nothing of many small files", 0, func(b *box) {
		for i := range 50 {
			b.file(letters(i), strings.Repeat(letters(i), i))
		}
		for i := range 50 {
			same(b, "content", b.content(letters(i)), strings.Repeat(letters(i), i))
		}
	}},
	{"open/openat2 beneath a folder", Symlinks, func(b *box) {
		b.mkdir("d")
		b.file("f", "")
		b.file("d/in", "in")
		b.symlink("../f", "d/out")
		dir := b.open("d", rd|unix.O_DIRECTORY, 0)
		how := &unix.OpenHow{Flags: rd | unix.O_CLOEXEC, Resolve: unix.RESOLVE_BENEATH}
		fd, err := unix.Openat2(dir, "in", how)
		b.ok("openat2", err)
		unix.Close(fd)
		_, err = unix.Openat2(dir, "out", how)
		b.fails("openat2", err, unix.EXDEV)
	}},
	{"open/writev and readv, in pieces", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		n, err := unix.Writev(fd, [][]byte{[]byte("one"), {}, []byte("two"), []byte(strings.Repeat("3", 5000))})
		b.ok("writev", err)
		same(b, "written", n, 5006)
		one, two := make([]byte, 4), make([]byte, 3)
		_, err = unix.Preadv(fd, [][]byte{one, two}, 1)
		b.ok("preadv", err)
		same(b, "read", string(one)+string(two), "netwo33")
	}},
	{"open/large reads and writes at odd offsets", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		s := strings.Repeat("0123456789abcdef!", 200_000) // 3.4 MB
		b.pwrite(fd, s, 12345)
		same(b, "read", b.pread(fd, len(s), 12345), s)
		same(b, "hole", b.pread(fd, 12345, 0), strings.Repeat("\x00", 12345))
		b.close(fd)
		same(b, "content", b.content("f")[12345:], s)
	}},
}
