package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

func (b *box) readlink(name string) string {
	b.Helper()
	buf := make([]byte, 5000)
	n, err := unix.Readlink(b.p(name), buf)
	b.ok("readlink "+name, err)
	return string(buf[:n])
}

var linkCases = []oneCase{
	{"link/two names are one file", HardLinks, func(b *box) {
		b.file("f", "x")
		b.link("f", "g")
		f, g := b.stat("f"), b.stat("g")
		same(b, "inode", f.Ino, g.Ino)
		same(b, "device", f.Dev, g.Dev)
		same(b, "links", f.Nlink, 2)
		same(b, "links", g.Nlink, 2)
		fd := b.open("f", wr, 0)
		b.write(fd, "changed")
		same(b, "content", b.content("g"), "changed")
		same(b, "size", b.stat("g").Size, 7)
	}},
	{"link/a change of one is seen in the other at once", HardLinks | Modes, func(b *box) {
		b.file("f", "x")
		b.link("f", "g")
		b.stat("g")
		b.chmod("f", 0o600)
		same(b, "mode", b.mode("g"), "600")
		b.ok("truncate", unix.Truncate(b.p("f"), 100))
		same(b, "size", b.stat("g").Size, 100)
	}},
	{"link/count when names come and go", HardLinks, func(b *box) {
		b.file("f", "x")
		for i := range 10 {
			b.link("f", "l"+letters(i))
		}
		same(b, "links", b.stat("f").Nlink, 11)
		for i := range 5 {
			b.unlink("l" + letters(i))
		}
		same(b, "links", b.stat("f").Nlink, 6)
		b.file("new", "y")
		b.rename("new", "lf")
		same(b, "links", b.stat("f").Nlink, 5)
		same(b, "links of the new one", b.stat("lf").Nlink, 1)
	}},
	{"link/across folders, while open", HardLinks, func(b *box) {
		b.mkdir("d")
		fd := b.open("f", rw|mk, 0o644)
		b.link("f", "d/g")
		b.write(fd, "x")
		same(b, "content", b.content("d/g"), "x")
		same(b, "links", b.fstat(fd).Nlink, 2)
	}},
	{"link/errors", HardLinks, func(b *box) {
		b.file("f", "")
		b.file("g", "")
		b.mkdir("d")
		b.fails("onto what exists", unix.Link(b.p("f"), b.p("g")), unix.EEXIST)
		b.fails("onto a folder", unix.Link(b.p("f"), b.p("d")), unix.EEXIST)
		b.fails("a folder", unix.Link(b.p("d"), b.p("h")), unix.EPERM)
		b.fails("what is missing", unix.Link(b.p("no"), b.p("h")), unix.ENOENT)
		b.fails("to nowhere", unix.Link(b.p("f"), b.p("no/h")), unix.ENOENT)
	}},
	{"link/of a symbolic link", HardLinks | Symlinks, func(b *box) {
		b.symlink("nowhere", "l")
		b.ok("linkat", unix.Linkat(unix.AT_FDCWD, b.p("l"), unix.AT_FDCWD, b.p("m"), 0))
		same(b, "inode", b.stat("l").Ino, b.stat("m").Ino)
		same(b, "target", b.readlink("m"), "nowhere")
		b.file("f", "x")
		b.symlink("f", "n")
		b.ok("linkat", unix.Linkat(unix.AT_FDCWD, b.p("n"), unix.AT_FDCWD, b.p("o"), unix.AT_SYMLINK_FOLLOW))
		same(b, "inode", b.stat("o").Ino, b.stat("f").Ino)
	}},
	{"link/of a FIFO and a device", HardLinks | Special, func(b *box) {
		b.ok("mkfifo", unix.Mkfifo(b.p("f"), 0o644))
		b.link("f", "g")
		same(b, "inode", b.stat("g").Ino, b.stat("f").Ino)
		same(b, "links", b.stat("f").Nlink, 2)
	}},
	{"link/the numbers in the folder are those of stat", StableInode, func(b *box) {
		for i := range 20 {
			b.file(letters(i), "")
		}
		b.mkdir("folder")
		fd := b.open(".", rd|unix.O_DIRECTORY, 0)
		for _, e := range b.rest(fd, 4096) {
			same(b, e.name, e.ino, b.stat(e.name).Ino)
		}
	}},
	{"link/inode numbers differ and stay", StableInode, func(b *box) {
		seen := map[uint64]string{}
		for i := range 50 {
			b.file(letters(i), "")
			ino := b.stat(letters(i)).Ino
			if other, twice := seen[ino]; twice {
				b.Fatalf("%s and %s have number %d", other, letters(i), ino)
			}
			seen[ino] = letters(i)
		}
		for ino, name := range seen {
			same(b, name, b.stat(name).Ino, ino)
		}
	}},
	{"link/links of folders", StableInode, func(b *box) {
		b.mkdir("d")
		empty := b.stat("d").Nlink
		b.mkdir("d/e")
		b.mkdir("d/f")
		with := b.stat("d").Nlink
		if with != empty && with != empty+2 { // btrfs does not count folders
			b.Fatalf("%d links, and %d with two folders", empty, with)
		}
		b.ok("rmdir", unix.Rmdir(b.p("d/e")))
		b.ok("rmdir", unix.Rmdir(b.p("d/f")))
		same(b, "links", b.stat("d").Nlink, empty)
	}},
	{"symlink/what it says is what readlink says", Symlinks, func(b *box) {
		for i, target := range []string{"x", "../a/b", "/etc/passwd", "with blank ", "new\nline", "..", "//", "\xff\xfe"} {
			if b.can&AnyName == 0 && target == "\xff\xfe" {
				continue
			}
			name := "l" + letters(i)
			b.symlink(target, name)
			same(b, "target", b.readlink(name), target)
			same(b, "size", b.stat(name).Size, int64(len(target)))
			same(b, "type", b.stat(name).Mode&unix.S_IFMT, unix.S_IFLNK)
		}
	}},
	{"symlink/short, long and too long", Symlinks, func(b *box) {
		var longest int
		for _, n := range []int{59, 60, 61, 255, 256, 1000, 1023} {
			target := strings.Repeat("t", n)
			b.symlink(target, "l"+target[:1]+letters(n))
			same(b, "target", b.readlink("l"+target[:1]+letters(n)), target)
		}
		for _, n := range []int{4095, 4000} { // a block of the file system is the limit of some
			target := strings.Repeat("abcd/", n/5) + strings.Repeat("x", n%5)
			if unix.Symlink(target, b.p("long")) == nil {
				same(b, "target", b.readlink("long"), target)
				longest = n
				break
			}
		}
		if longest == 0 {
			b.Log("targets of 4,000 bytes are refused here")
		}
		b.fails("4,096 bytes", unix.Symlink(strings.Repeat("t", 4096), b.p("more")), unix.ENAMETOOLONG)
		b.fails("no target", unix.Symlink("", b.p("more")), unix.ENOENT)
	}},
	{"symlink/dangling", Symlinks, func(b *box) {
		b.symlink("nowhere", "l")
		var st unix.Stat_t
		b.fails("stat", unix.Stat(b.p("l"), &st), unix.ENOENT)
		b.cannotOpen("l", rd, unix.ENOENT)
		b.file("nowhere", "now")
		same(b, "content", b.content("l"), "now")
		b.unlink("nowhere")
		b.cannotOpen("l", rd, unix.ENOENT)
	}},
	{"symlink/loops", Symlinks, func(b *box) {
		b.symlink("b", "a")
		b.symlink("a", "b")
		b.symlink("self", "self")
		b.cannotOpen("a", rd, unix.ELOOP)
		b.cannotOpen("self", rd, unix.ELOOP)
		b.cannotOpen("self/x", rd, unix.ELOOP)
		b.stat("self")
	}},
	{"symlink/a chain of forty and one more", Symlinks, func(b *box) {
		b.file("l0", "end")
		for i := 1; i <= 41; i++ {
			b.symlink("l"+digits(i-1), "l"+digits(i))
		}
		same(b, "content", b.content("l"+digits(40)), "end")
		b.cannotOpen("l"+digits(41), rd, unix.ELOOP)
	}},
	{"symlink/to a folder, with and without a slash", Symlinks, func(b *box) {
		b.mkdir("d")
		b.file("d/f", "x")
		b.symlink("d", "l")
		same(b, "content", b.content("l/f"), "x")
		same(b, "type", b.stat("l").Mode&unix.S_IFMT, unix.S_IFLNK)
		same(b, "type", b.stat("l/").Mode&unix.S_IFMT, unix.S_IFDIR)
		b.file("l/g", "y")
		same(b, "content", b.content("d/g"), "y")
		b.cannotOpen("l", rd|unix.O_NOFOLLOW, unix.ELOOP)
	}},
	{"symlink/replaced, and the new target is used", Symlinks, func(b *box) {
		b.file("one", "1")
		b.file("two", "2")
		b.symlink("one", "l")
		same(b, "content", b.content("l"), "1")
		b.symlink("two", "new")
		b.rename("new", "l")
		same(b, "target", b.readlink("l"), "two")
		same(b, "content", b.content("l"), "2")
		b.unlink("l")
		b.symlink("one", "l")
		same(b, "content", b.content("l"), "1")
	}},
	{"symlink/readlink of what is none", 0, func(b *box) {
		b.file("f", "")
		_, err := unix.Readlink(b.p("f"), make([]byte, 10))
		b.fails("readlink", err, unix.EINVAL)
		_, err = unix.Readlink(b.p("."), make([]byte, 10))
		b.fails("readlink", err, unix.EINVAL)
	}},
	{"symlink/readlink into a small buffer", Symlinks, func(b *box) {
		b.symlink("0123456789", "l")
		buf := make([]byte, 4)
		n, err := unix.Readlink(b.p("l"), buf)
		b.ok("readlink", err)
		same(b, "target", string(buf[:n]), "0123")
	}},
	{"symlink/onto what exists", Symlinks, func(b *box) {
		b.file("f", "")
		b.mkdir("d")
		b.symlink("no", "l")
		for _, name := range []string{"f", "d", "l"} {
			b.fails("symlink", unix.Symlink("x", b.p(name)), unix.EEXIST)
		}
	}},
	{"symlink/owner by lchown, and times by utimensat", Symlinks | Owners, func(b *box) {
		b.symlink("nowhere", "l")
		b.chown("l", 1001, 1002)
		st := b.stat("l")
		same(b, "owner", [2]uint32{st.Uid, st.Gid}, [2]uint32{1001, 1002})
		ts := []unix.Timespec{{Sec: 1e9}, {Sec: 1.2e9}}
		b.ok("utimensat", unix.UtimesNanoAt(unix.AT_FDCWD, b.p("l"), ts, unix.AT_SYMLINK_NOFOLLOW))
		same(b, "mtime", b.stat("l").Mtim.Sec, 1.2e9)
	}},
}
