package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

func (b *box) rename2(from, to string, flags uint) error {
	return unix.Renameat2(unix.AT_FDCWD, b.p(from), unix.AT_FDCWD, b.p(to), flags)
}

var renameCases = []oneCase{
	{"rename/a file", 0, func(b *box) {
		b.file("f", "x")
		ino := b.stat("f").Ino
		b.rename("f", "g")
		b.gone("f")
		same(b, "content", b.content("g"), "x")
		if b.can&StableInode != 0 {
			same(b, "inode", b.stat("g").Ino, ino)
		}
	}},
	{"rename/over a file", 0, func(b *box) {
		b.file("f", "new")
		b.file("g", "old")
		b.rename("f", "g")
		b.gone("f")
		same(b, "content", b.content("g"), "new")
		same(b, "names", strings.Join(b.names("."), " "), "g")
	}},
	{"rename/over an open file, which then goes on by itself", 0, func(b *box) {
		log := b.open("log", rw|mk, 0o644)
		b.write(log, "old line\n")
		b.file("new", "new\n")
		b.rename("new", "log")
		b.write(log, "late line\n")
		b.ok("fsync", unix.Fsync(log))
		same(b, "the new file", b.content("log"), "new\n")
		same(b, "the old one", b.all(log), "old line\nlate line\n")
		if b.can&Orphans != 0 {
			same(b, "links", b.fstat(log).Nlink, 0)
		}
	}},
	{"rename/over an open file, read without the cache", 0, func(b *box) {
		old := strings.Repeat("old", 30_000)
		b.file("f", old)
		fd := b.open("f", rd, 0)
		b.file("new", strings.Repeat("new", 30_000))
		b.rename("new", "f")
		b.ok("fadvise", unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
		same(b, "content", b.all(fd), old)
	}},
	{"rename/an open file is still open", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "before,")
		b.rename("f", "g")
		b.write(fd, "after")
		b.file("f", "another")
		same(b, "content", b.content("g"), "before,after")
		same(b, "content", b.all(fd), "before,after")
	}},
	{"rename/many times over the same name", 0, func(b *box) {
		for i := range 50 {
			b.file("new", letters(i))
			b.rename("new", "f")
			same(b, "content", b.content("f"), letters(i))
		}
	}},
	{"rename/onto itself", 0, func(b *box) {
		b.file("f", "x")
		b.rename("f", "f")
		same(b, "content", b.content("f"), "x")
	}},
	{"rename/onto another link of the same file does nothing", HardLinks, func(b *box) {
		b.file("f", "x")
		b.link("f", "g")
		b.rename("f", "g")
		same(b, "names", strings.Join(b.names("."), " "), "f g")
		same(b, "links", b.stat("f").Nlink, 2)
	}},
	{"rename/into another folder", 0, func(b *box) {
		b.mkdir("d")
		b.mkdir("e")
		b.file("d/f", "x")
		b.rename("d/f", "e/g")
		b.gone("d/f")
		same(b, "content", b.content("e/g"), "x")
		same(b, "names", len(b.names("d")), 0)
	}},
	{"rename/a folder with what is in it", 0, func(b *box) {
		b.mkdir("d")
		b.mkdir("d/sub")
		b.file("d/sub/f", "x")
		fd := b.open("d/sub/f", rw, 0)
		dir := b.open("d/sub", rd|unix.O_DIRECTORY, 0)
		b.rename("d", "e")
		b.gone("d/sub/f")
		b.gone("d")
		b.pwrite(fd, "y", 1)
		same(b, "content", b.content("e/sub/f"), "xy")
		made, err := unix.Openat(dir, "g", wr|mk|unix.O_CLOEXEC, 0o644)
		b.ok("openat", err)
		b.ok("close", unix.Close(made))
		same(b, "names", strings.Join(b.names("e/sub"), " "), "f g")
	}},
	{"rename/a folder changes what .. is", 0, func(b *box) {
		b.mkdir("d")
		b.mkdir("e")
		b.mkdir("d/sub")
		b.file("e/mark", "x")
		b.rename("d/sub", "e/sub")
		same(b, "content", b.content("e/sub/../mark"), "x")
		if b.can&HardLinks != 0 { // btrfs counts no folders, and these are always 1 there
			if n := b.stat("d").Nlink; n > 2 {
				b.Fatalf("an empty folder has %d links", n)
			}
		}
	}},
	{"rename/a folder into itself is EINVAL", 0, func(b *box) {
		b.mkdir("d")
		b.mkdir("d/sub")
		b.fails("rename", unix.Rename(b.p("d"), b.p("d/sub/d")), unix.EINVAL)
		b.fails("rename", unix.Rename(b.p("d"), b.p("d/new")), unix.EINVAL)
	}},
	{"rename/a folder over an empty one", 0, func(b *box) {
		b.mkdir("d")
		b.file("d/f", "x")
		b.mkdir("e")
		b.rename("d", "e")
		same(b, "content", b.content("e/f"), "x")
		b.gone("d")
	}},
	{"rename/a folder over a full one", 0, func(b *box) {
		b.mkdir("d")
		b.mkdir("e")
		b.file("e/f", "x")
		b.fails("rename", unix.Rename(b.p("d"), b.p("e")), unix.ENOTEMPTY, unix.EEXIST)
		same(b, "content", b.content("e/f"), "x")
	}},
	{"rename/a folder over an open empty one", Orphans, func(b *box) {
		b.mkdir("d")
		b.file("d/f", "x")
		b.mkdir("e")
		fd := b.open("e", rd|unix.O_DIRECTORY, 0)
		b.rename("d", "e")
		b.listsNothing(fd)
		_, err := unix.Openat(fd, "f", rd|unix.O_CLOEXEC, 0)
		b.fails("openat", err, unix.ENOENT)
	}},
	{"rename/files and folders do not mix", 0, func(b *box) {
		b.mkdir("d")
		b.file("f", "")
		b.fails("file over folder", unix.Rename(b.p("f"), b.p("d")), unix.EISDIR)
		b.fails("folder over file", unix.Rename(b.p("d"), b.p("f")), unix.ENOTDIR)
		b.fails("missing", unix.Rename(b.p("g"), b.p("h")), unix.ENOENT)
		b.fails("to nowhere", unix.Rename(b.p("f"), b.p("no/h")), unix.ENOENT)
		b.fails("below a file", unix.Rename(b.p("d"), b.p("f/h")), unix.ENOTDIR)
		b.fails("onto ..", unix.Rename(b.p("d"), b.p("d/..")), unix.ENOTEMPTY, unix.EBUSY, unix.EINVAL, unix.EEXIST)
	}},
	{"rename/a link, not what it points to", Symlinks, func(b *box) {
		b.file("f", "x")
		b.symlink("f", "l")
		b.rename("l", "m")
		same(b, "target", b.readlink("m"), "f")
		b.file("g", "y")
		b.rename("g", "m")
		same(b, "content", b.content("m"), "y")
		same(b, "content", b.content("f"), "x")
	}},
	{"rename/only the case of letters", Case, func(b *box) {
		b.file("name", "x")
		b.rename("name", "Name")
		same(b, "names", strings.Join(b.names("."), " "), "Name")
		same(b, "content", b.content("Name"), "x")
	}},
	{"rename/RENAME_NOREPLACE", NoReplace, func(b *box) {
		b.file("f", "f")
		b.file("g", "g")
		b.fails("renameat2", b.rename2("f", "g", unix.RENAME_NOREPLACE), unix.EEXIST)
		b.ok("renameat2", b.rename2("f", "h", unix.RENAME_NOREPLACE))
		same(b, "content", b.content("h"), "f")
		same(b, "content", b.content("g"), "g")
		b.gone("f")
	}},
	{"rename/RENAME_EXCHANGE of files", Exchange, func(b *box) {
		b.file("f", "f")
		b.file("g", "g")
		fd := b.open("f", rw, 0)
		b.ok("renameat2", b.rename2("f", "g", unix.RENAME_EXCHANGE))
		same(b, "content", b.content("f"), "g")
		same(b, "content", b.content("g"), "f")
		b.pwrite(fd, "F", 0)
		same(b, "content", b.content("g"), "F")
	}},
	{"rename/RENAME_EXCHANGE of a file and a folder", Exchange, func(b *box) {
		b.file("f", "f")
		b.mkdir("d")
		b.file("d/x", "x")
		b.ok("renameat2", b.rename2("f", "d", unix.RENAME_EXCHANGE))
		same(b, "content", b.content("f/x"), "x")
		same(b, "content", b.content("d"), "f")
		b.fails("with nothing", b.rename2("f", "no", unix.RENAME_EXCHANGE), unix.ENOENT)
		b.fails("with both flags", b.rename2("f", "d", unix.RENAME_EXCHANGE|unix.RENAME_NOREPLACE), unix.EINVAL)
	}},
	{"rename/RENAME_EXCHANGE across folders", Exchange, func(b *box) {
		b.mkdir("d")
		b.mkdir("e")
		b.mkdir("d/in")
		b.file("d/in/a", "a")
		b.mkdir("e/in")
		b.file("e/in/b", "b")
		b.ok("renameat2", b.rename2("d/in", "e/in", unix.RENAME_EXCHANGE))
		same(b, "names", strings.Join(b.names("d/in"), " "), "b")
		same(b, "names", strings.Join(b.names("e/in"), " "), "a")
		b.gone("d/in/a")
	}},
	{"rename/a busy swap of two names never misses", 0, func(b *box) {
		b.file("f", "one")
		stop := make(chan struct{})
		done := make(chan error, 1)
		go func() {
			defer close(done)
			for {
				select {
				case <-stop:
					return
				default:
				}
				fd, err := unix.Open(b.p("new"), wr|mk|unix.O_TRUNC|unix.O_CLOEXEC, 0o644)
				if err == nil {
					unix.Write(fd, []byte("one"))
					unix.Close(fd)
					err = unix.Rename(b.p("new"), b.p("f"))
				}
				if err != nil {
					done <- err
					return
				}
			}
		}()
		for range 200 {
			fd, err := unix.Open(b.p("f"), rd|unix.O_CLOEXEC, 0)
			b.ok("open", err)
			buf := make([]byte, 10)
			n, err := unix.Read(fd, buf)
			unix.Close(fd)
			b.ok("read", err)
			same(b, "content", string(buf[:n]), "one")
		}
		close(stop)
		b.ok("the one who renames", <-done)
	}},
	{"rename/a locked and mapped file", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "mapped")
		mem, err := unix.Mmap(fd, 0, 6, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		b.ok("mmap", err)
		defer unix.Munmap(mem)
		b.rename("f", "g")
		mem[0] = 'M'
		same(b, "content", b.content("g"), "Mapped")
	}},
}
