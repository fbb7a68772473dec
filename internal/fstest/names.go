package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

// takes wants a file, a folder and a rename of that name to work, and the list to have it.
func (b *box) takes(name string) {
	b.Helper()
	b.file(name, "x")
	same(b, "content", b.content(name), "x")
	same(b, "listed", strings.Join(b.names("."), "\n"), name)
	b.rename(name, "other")
	b.gone(name)
	b.ok("mkdir", unix.Mkdir(b.p(name), 0o755))
	b.rename("other", name+"/"+name)
	same(b, "content", b.content(name+"/"+name), "x")
	b.unlink(name + "/" + name)
	b.ok("rmdir", unix.Rmdir(b.p(name)))
}

var nameCases = []oneCase{
	{"names/255 bytes", 0, func(b *box) { b.takes(strings.Repeat("n", 255)) }},
	{"names/255 bytes of UTF-8", AnyName, func(b *box) { b.takes("x" + strings.Repeat("ä", 127)) }},
	{"names/256 bytes are ENAMETOOLONG", 0, func(b *box) {
		long := strings.Repeat("n", 256)
		b.file("f", "")
		missing := []unix.Errno{unix.ENAMETOOLONG}
		if b.can&Case == 0 { // vfat looks for it, and does not find it
			missing = append(missing, unix.ENOENT)
		}
		b.cannotOpen(long, rd, missing...)
		b.cannotOpen(long, wr|mk, unix.ENAMETOOLONG)
		b.fails("mkdir", unix.Mkdir(b.p(long), 0o755), unix.ENAMETOOLONG)
		b.fails("rename", unix.Rename(b.p("f"), b.p(long)), unix.ENAMETOOLONG)
		b.fails("unlink", unix.Unlink(b.p(long)), missing...)
		b.fails("rmdir", unix.Rmdir(b.p(long)), missing...)
		var st unix.Stat_t
		b.fails("stat", unix.Stat(b.p(long), &st), missing...)
		b.fails("2,000 bytes", unix.Mkdir(b.p(strings.Repeat("n", 2000)), 0o755), unix.ENAMETOOLONG)
	}},
	{"names/256 bytes of links", HardLinks | Symlinks, func(b *box) {
		long := strings.Repeat("n", 256)
		b.file("f", "")
		b.fails("link", unix.Link(b.p("f"), b.p(long)), unix.ENAMETOOLONG)
		b.fails("symlink", unix.Symlink("x", b.p(long)), unix.ENAMETOOLONG)
	}},
	{"names/a path of 4,096 bytes", 0, func(b *box) {
		step := strings.Repeat("p", 200)
		depth := 0
		path := b.dir
		for len(path)+201 < 4000 {
			path += "/" + step
			b.ok("mkdir", unix.Mkdir(path, 0o755))
			depth++
		}
		last := path + "/" + strings.Repeat("l", 4095-len(path)-1)
		if len(last)-len(path)-1 > 255 {
			last = path + "/last"
		}
		fd, err := unix.Open(last, rw|mk|unix.O_CLOEXEC, 0o644)
		b.ok("open", err)
		unix.Close(fd)
		_, err = unix.Open(path+strings.Repeat("/.", 2048), rd, 0)
		b.fails("open", err, unix.ENAMETOOLONG)
		b.ok("unlink", unix.Unlink(last))
	}},
	{"names/deeper than any path", 0, func(b *box) {
		b.ok("chdir", unix.Chdir(b.dir))
		defer unix.Chdir("/")
		const depth, name = 40, "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
		for range depth { // 4,840 bytes
			b.ok("mkdir", unix.Mkdir(name, 0o755))
			b.ok("chdir", unix.Chdir(name))
		}
		fd, err := unix.Open("f", rw|mk|unix.O_CLOEXEC, 0o644)
		b.ok("open", err)
		b.fds = append(b.fds, fd)
		b.write(fd, "deep")
		b.close(fd)
		b.ok("unlink", unix.Unlink("f"))
		for range depth {
			b.ok("chdir", unix.Chdir(".."))
			b.ok("rmdir", unix.Rmdir(name))
		}
	}},
	{"names/not UTF-8", AnyName, func(b *box) { b.takes("\xff\xfe\x80bytes\xc3") }},
	{"names/newline, tab, escape", AnyName, func(b *box) { b.takes("a\nb\tc\x1b[31m") }},
	{"names/backslash, quotes, colon, star", AnyName, func(b *box) { b.takes(`\a"b'c:d*e?f<g>|`) }},
	{"names/leading and trailing blanks", AnyName, func(b *box) { b.takes("  name  ") }},
	{"names/trailing dots", AnyName, func(b *box) { b.takes("name...") }},
	{"names/one blank, one dash, three dots", AnyName, func(b *box) {
		for _, name := range []string{" ", "-", "-rf", "...", ".hidden", "~"} {
			b.takes(name)
		}
	}},
	{"names/all bytes", AnyName, func(b *box) {
		for c := 1; c < 256; c++ {
			if c != '/' && c != '.' {
				b.ok("mkdir", unix.Mkdir(b.p(string([]byte{byte(c)})), 0o755))
			}
		}
		same(b, "names", len(b.names(".")), 253)
	}},
	{"names/two forms of one letter are two names", AnyName, func(b *box) {
		b.file("\u00e4", "one")
		b.file("a\u0308", "two")
		same(b, "content", b.content("\u00e4"), "one")
	}},
	{"names/letters beyond ASCII", 0, func(b *box) { b.takes("größe-日本語-ファイル-🐟") }},
	{"names/case", Case, func(b *box) {
		b.file("name", "small")
		b.file("NAME", "large")
		same(b, "content", b.content("name"), "small")
		same(b, "content", b.content("NAME"), "large")
		b.gone("Name")
	}},
	{"names/libfuse's for hidden files are names like any other", 0, func(b *box) {
		b.takes(".fuse_hidden0000000100000001")
	}},
	{"names/. and ..", 0, func(b *box) {
		b.fails("mkdir .", unix.Mkdir(b.p("."), 0o755), unix.EEXIST)
		b.fails("mkdir ..", unix.Mkdir(b.p(".."), 0o755), unix.EEXIST)
		b.fails("unlink .", unix.Unlink(b.p(".")), unix.EISDIR, unix.EINVAL, unix.EPERM)
		b.mkdir("d")
		same(b, "the same folder", b.stat("d/..").Ino, b.stat(".").Ino)
		same(b, "the same folder", b.stat("d/.").Ino, b.stat("d").Ino)
		b.file("d/../f", "x")
		same(b, "content", b.content("./d/.././f"), "x")
	}},
	{"names/an empty path", 0, func(b *box) {
		_, err := unix.Open("", rd, 0)
		b.fails("open", err, unix.ENOENT)
		b.fails("mkdir", unix.Mkdir("", 0o755), unix.ENOENT)
	}},
	{"names/a folder with trailing slashes", 0, func(b *box) {
		b.ok("mkdir", unix.Mkdir(b.p("d///"), 0o755))
		b.ok("rename", unix.Rename(b.p("d/"), b.p("e/")))
		b.ok("rmdir", unix.Rmdir(b.p("e//")))
	}},
}
