package fstest

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

func (b *box) utimens(name string, atime, mtime unix.Timespec) {
	b.Helper()
	b.ok("utimensat "+name, unix.UtimesNanoAt(unix.AT_FDCWD, b.p(name), []unix.Timespec{atime, mtime}, 0))
}

func stamp(ts unix.Timespec) string { return fmt.Sprintf("%d.%09d", ts.Sec, ts.Nsec) }

// changes wants a function to make one of the times of a name another one.
func (b *box) changes(what, name string, which func(st unix.Stat_t) unix.Timespec, do func()) {
	b.Helper()
	before := which(b.stat(name))
	b.tick()
	do()
	if after := which(b.stat(name)); after == before {
		b.Fatalf("%s: the time of %s is still %s", what, name, stamp(before))
	}
}

// keeps wants it to stay.
func (b *box) keeps(what, name string, which func(st unix.Stat_t) unix.Timespec, do func()) {
	b.Helper()
	before := which(b.stat(name))
	b.tick()
	do()
	same(b, what+": time of "+name, stamp(which(b.stat(name))), stamp(before))
}

// tick lets the clock of file systems, which is that of the kernel's timer, go on.
func (b *box) tick() {
	if b.can&Nanoseconds != 0 {
		time.Sleep(20 * time.Millisecond)
	} else {
		time.Sleep(2100 * time.Millisecond)
	}
}

func mtime(st unix.Stat_t) unix.Timespec { return st.Mtim }
func ctime(st unix.Stat_t) unix.Timespec { return st.Ctim }

var timeCases = []oneCase{
	{"times/set, in whole even seconds", 0, func(b *box) {
		b.file("f", "")
		b.utimens("f", unix.Timespec{Sec: 1_000_000_000}, unix.Timespec{Sec: 1_100_000_000})
		same(b, "mtime", b.stat("f").Mtim.Sec, 1_100_000_000)
	}},
	{"times/set to the nanosecond", Nanoseconds, func(b *box) {
		b.file("f", "")
		b.utimens("f", unix.Timespec{Sec: 1_000_000_000, Nsec: 123_456_789}, unix.Timespec{Sec: 1_100_000_001, Nsec: 999_999_999})
		same(b, "atime", stamp(b.stat("f").Atim), "1000000000.123456789")
		same(b, "mtime", stamp(b.stat("f").Mtim), "1100000001.999999999")
	}},
	{"times/of a folder", DirTimes | Nanoseconds, func(b *box) {
		b.mkdir("d")
		b.utimens("d", unix.Timespec{Sec: 5, Nsec: 6}, unix.Timespec{Sec: 7, Nsec: 8})
		same(b, "mtime", stamp(b.stat("d").Mtim), "7.000000008")
	}},
	{"times/UTIME_OMIT", Nanoseconds, func(b *box) {
		b.file("f", "")
		b.utimens("f", unix.Timespec{Sec: 11, Nsec: 1}, unix.Timespec{Sec: 22, Nsec: 2})
		b.utimens("f", unix.Timespec{Nsec: unix.UTIME_OMIT}, unix.Timespec{Sec: 33, Nsec: 3})
		same(b, "atime", stamp(b.stat("f").Atim), "11.000000001")
		b.utimens("f", unix.Timespec{Sec: 44, Nsec: 4}, unix.Timespec{Nsec: unix.UTIME_OMIT})
		same(b, "atime", stamp(b.stat("f").Atim), "44.000000004")
		same(b, "mtime", stamp(b.stat("f").Mtim), "33.000000003")
		b.utimens("f", unix.Timespec{Nsec: unix.UTIME_OMIT}, unix.Timespec{Nsec: unix.UTIME_OMIT})
		same(b, "mtime", stamp(b.stat("f").Mtim), "33.000000003")
	}},
	{"times/UTIME_NOW is about now", 0, func(b *box) {
		b.file("f", "")
		b.utimens("f", unix.Timespec{Sec: 11}, unix.Timespec{Sec: 22})
		b.utimens("f", unix.Timespec{Nsec: unix.UTIME_NOW}, unix.Timespec{Nsec: unix.UTIME_NOW})
		b.about("mtime", b.stat("f").Mtim)
	}},
	{"times/of what is made are about now", 0, func(b *box) {
		b.file("f", "x")
		b.mkdir("d")
		b.file("empty", "")
		for _, name := range []string{"f", "d", "empty"} {
			b.about("mtime of "+name, b.stat(name).Mtim)
			b.about("ctime of "+name, b.stat(name).Ctim)
		}
	}},
	{"times/what is made later is not older", Nanoseconds | Symlinks, func(b *box) {
		// make(1) depends on it, whatever each is made by.
		var names []string
		add := func(name string, do func()) {
			do()
			names = append(names, name)
			time.Sleep(20 * time.Millisecond)
		}
		for round := range 3 {
			r := digits(round)
			add("written"+r, func() { b.file("written"+r, "x") })
			add("empty"+r, func() { b.file("empty"+r, "") })
			add("folder"+r, func() { b.mkdir("folder" + r) })
			add("link"+r, func() { b.symlink("x", "link"+r) })
			add("touched"+r, func() {
				b.file("touched"+r, "y")
				b.utimens("touched"+r, unix.Timespec{Nsec: unix.UTIME_NOW}, unix.Timespec{Nsec: unix.UTIME_NOW})
			})
			add("appended"+r, func() {
				b.file("appended"+r, "")
				b.write(b.open("appended"+r, wr|unix.O_APPEND, 0), "z")
			})
			add("cut"+r, func() {
				b.file("cut"+r, "long")
				b.ok("truncate", unix.Truncate(b.p("cut"+r), 1))
			})
		}
		for i := 1; i < len(names); i++ {
			one, two := b.stat(names[i-1]).Mtim, b.stat(names[i]).Mtim
			if two.Nano() < one.Nano() {
				b.Fatalf("%s has %s, and %s, made after it, %s", names[i-1], stamp(one), names[i], stamp(two))
			}
		}
	}},
	{"times/before 1970", Nanoseconds, func(b *box) {
		b.file("f", "")
		b.utimens("f", unix.Timespec{Sec: -1, Nsec: 500_000_000}, unix.Timespec{Sec: -1_000_000_000})
		same(b, "atime", stamp(b.stat("f").Atim), "-1.500000000")
		same(b, "mtime", stamp(b.stat("f").Mtim), "-1000000000.000000000")
	}},
	{"times/0 and 1", Nanoseconds, func(b *box) {
		b.file("f", "")
		b.utimens("f", unix.Timespec{}, unix.Timespec{Nsec: 1})
		same(b, "atime", stamp(b.stat("f").Atim), "0.000000000")
		same(b, "mtime", stamp(b.stat("f").Mtim), "0.000000001")
	}},
	{"times/after 2038 and 2106", Nanoseconds, func(b *box) {
		b.file("f", "")
		b.utimens("f", unix.Timespec{Sec: 1 << 31}, unix.Timespec{Sec: 1<<32 + 5, Nsec: 7})
		same(b, "atime", b.stat("f").Atim.Sec, 1<<31)
		same(b, "mtime", stamp(b.stat("f").Mtim), fmt.Sprintf("%d.000000007", 1<<32+5))
	}},
	{"times/beyond what is kept become the nearest", Nanoseconds, func(b *box) {
		b.file("f", "")
		b.utimens("f", unix.Timespec{}, unix.Timespec{Sec: 1 << 40})
		if got := b.stat("f").Mtim.Sec; got < 1<<33 {
			b.Fatalf("mtime became %d", got)
		}
	}},
	{"times/set, then written to, then closed: as set last", 0, func(b *box) {
		fd := b.open("f", wr|mk, 0o644)
		b.write(fd, "x")
		b.utimens("f", unix.Timespec{Sec: 1e9}, unix.Timespec{Sec: 1.1e9}) // as cp -p, tar and rsync do
		b.close(fd)
		same(b, "mtime", b.stat("f").Mtim.Sec, 1.1e9)
		fd = b.open("f", wr, 0)
		b.pwrite(fd, "yz", 0)
		b.ok("futimens", futimens(fd, unix.Timespec{Sec: 1e9}, unix.Timespec{Sec: 1.2e9}))
		b.ok("fsync", unix.Fsync(fd))
		b.close(fd)
		same(b, "mtime", b.stat("f").Mtim.Sec, 1.2e9)
		same(b, "content", b.content("f"), "yz")
		same(b, "mtime after reading", b.stat("f").Mtim.Sec, 1.2e9)
	}},
	{"times/set, then a mapping is written: not as set", Nanoseconds, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "x")
		mem, err := unix.Mmap(fd, 0, 1, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		b.ok("mmap", err)
		b.utimens("f", unix.Timespec{Sec: 1e9}, unix.Timespec{Sec: 1.1e9})
		mem[0] = 'y'
		b.ok("msync", unix.Msync(mem, unix.MS_SYNC))
		b.ok("munmap", unix.Munmap(mem))
		b.close(fd)
		b.about("mtime", b.stat("f").Mtim)
	}},
	{"times/chmod after utimensat keeps mtime", Modes, func(b *box) {
		fd := b.open("f", wr|mk, 0o644)
		b.write(fd, "x")
		b.utimens("f", unix.Timespec{Sec: 1e9}, unix.Timespec{Sec: 1.1e9})
		b.ok("fchmod", unix.Fchmod(fd, 0o600))
		b.close(fd)
		same(b, "mtime", b.stat("f").Mtim.Sec, 1.1e9)
	}},
	{"times/write changes mtime and ctime", 0, func(b *box) {
		b.file("f", "x")
		fd := b.open("f", wr, 0)
		b.changes("write", "f", mtime, func() { b.pwrite(fd, "y", 0) })
		b.changes("write", "f", ctime, func() { b.pwrite(fd, "z", 0) })
	}},
	{"times/truncate changes mtime", 0, func(b *box) {
		b.file("f", "xyz")
		b.changes("truncate", "f", mtime, func() { b.ok("truncate", unix.Truncate(b.p("f"), 1)) })
		b.changes("grow", "f", mtime, func() { b.ok("truncate", unix.Truncate(b.p("f"), 100)) })
		b.changes("O_TRUNC", "f", mtime, func() { b.close(b.open("f", wr|unix.O_TRUNC, 0)) })
	}},
	{"times/a write of nothing changes none", Nanoseconds, func(b *box) {
		b.file("f", "x")
		fd := b.open("f", wr, 0)
		b.keeps("write of nothing", "f", mtime, func() { b.write(fd, "") })
		b.keeps("open and close", "f", mtime, func() { b.close(b.open("f", wr, 0)) })
		b.keeps("fsync", "f", mtime, func() { b.ok("fsync", unix.Fsync(fd)) })
	}},
	{"times/chmod, chown and xattrs change ctime and not mtime", Nanoseconds | Owners | Modes | Xattrs, func(b *box) {
		b.file("f", "x")
		for what, do := range map[string]func(){
			"chmod":    func() { b.chmod("f", 0o600) },
			"chown":    func() { b.chown("f", alice, alice) },
			"setxattr": func() { b.ok("setxattr", unix.Setxattr(b.p("f"), "user.a", []byte("x"), 0)) },
		} {
			m := b.stat("f").Mtim
			b.changes(what, "f", ctime, do)
			same(b, "mtime after "+what, stamp(b.stat("f").Mtim), stamp(m))
		}
	}},
	{"times/link, unlink and rename change ctime and not mtime", Nanoseconds | HardLinks, func(b *box) {
		b.file("f", "x")
		for _, step := range []struct {
			what string
			do   func()
		}{
			{"link", func() { b.link("f", "g") }},
			{"unlink of the other", func() { b.unlink("g") }},
			{"rename", func() { b.rename("f", "h"); b.rename("h", "f") }},
			{"link and rename over the other", func() { b.link("f", "g"); b.file("new", ""); b.rename("new", "g") }},
		} {
			m := b.stat("f").Mtim
			b.changes(step.what, "f", ctime, step.do)
			same(b, "mtime after "+step.what, stamp(b.stat("f").Mtim), stamp(m))
		}
	}},
	{"times/a folder's change with its names", DirTimes | Nanoseconds | HardLinks | Symlinks, func(b *box) {
		b.mkdir("d")
		b.mkdir("e")
		for _, step := range []struct {
			what string
			do   func()
		}{
			{"create", func() { b.file("d/f", "") }},
			{"link", func() { b.link("d/f", "d/g") }},
			{"symlink", func() { b.symlink("x", "d/l") }},
			{"mkdir", func() { b.mkdir("d/sub") }},
			{"rename", func() { b.rename("d/f", "d/h") }},
			{"rename away", func() { b.rename("d/h", "e/h") }},
			{"rename here", func() { b.rename("e/h", "d/h") }},
			{"unlink", func() { b.unlink("d/h") }},
			{"rmdir", func() { b.ok("rmdir", unix.Rmdir(b.p("d/sub"))) }},
		} {
			b.changes(step.what, "d", mtime, step.do)
		}
		b.file("d/f", "")
		b.keeps("write to a file in it", "d", mtime, func() { b.file("d/f", "x") })
	}},
	{"times/what fails changes none", DirTimes | Nanoseconds, func(b *box) {
		b.mkdir("d")
		b.file("d/f", "x")
		b.keeps("mkdir", "d", mtime, func() { b.fails("mkdir", unix.Mkdir(b.p("d/f"), 0o755), unix.EEXIST) })
		b.keeps("unlink", "d", mtime, func() { b.fails("unlink", unix.Unlink(b.p("d/g")), unix.ENOENT) })
		b.keeps("rename", "d", mtime, func() { b.fails("rename", unix.Rename(b.p("d/g"), b.p("d/h")), unix.ENOENT) })
	}},
	{"times/fstat of an open file follows", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "x")
		b.utimens("f", unix.Timespec{Sec: 1e9}, unix.Timespec{Sec: 1.3e9})
		same(b, "mtime", b.fstat(fd).Mtim.Sec, 1.3e9)
	}},
	{"times/wrong nanoseconds are EINVAL", 0, func(b *box) {
		b.file("f", "")
		b.fails("utimensat", unix.UtimesNanoAt(unix.AT_FDCWD, b.p("f"), []unix.Timespec{{Nsec: 1_000_000_000}, {}}, 0), unix.EINVAL)
	}},
}

// about wants a time to be that of the host, with some leave for clocks of a coarse step.
func (b *box) about(what string, ts unix.Timespec) {
	b.Helper()
	if away := time.Since(time.Unix(ts.Unix())).Abs(); away > 10*time.Second {
		b.Fatalf("%s is %v away from now", what, away)
	}
}
