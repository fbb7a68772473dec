package fstest

import (
	"golang.org/x/sys/unix"
)

// Users of the cases. None need exist.
const (
	alice, bob = 1001, 1002
	staff      = 2001 // a group
)

// owned makes a file of a user.
func (b *box) owned(name string, uid, gid int, mode uint32) {
	b.Helper()
	b.file(name, "content")
	b.chown(name, uid, gid)
	b.chmod(name, mode)
}

const denied = unix.EACCES

var permissionCases = []oneCase{
	{"permission/who makes it owns it", Owners, func(b *box) {
		b.as(alice, bob, func() {
			b.file("f", "x")
			b.mkdir("d")
			b.symlink("f", "l")
			b.ok("mkfifo", unix.Mkfifo(b.p("p"), 0o644))
		})
		for _, name := range []string{"f", "d", "l", "p"} {
			st := b.stat(name)
			same(b, name, [2]uint32{st.Uid, st.Gid}, [2]uint32{alice, bob})
		}
	}},
	{"permission/owner, group and others to read", Owners | Modes, func(b *box) {
		b.owned("owner", alice, alice, 0o400)
		b.owned("group", bob, staff, 0o040)
		b.owned("others", bob, bob, 0o004)
		b.as(alice, alice, func() {
			same(b, "content", b.content("owner"), "content")
			same(b, "content", b.content("group"), "content")
			same(b, "content", b.content("others"), "content")
			b.cannotOpen("owner", wr, denied)
			b.cannotOpen("group", rw, denied)
		}, staff)
		b.as(bob, bob, func() {
			b.cannotOpen("owner", rd, denied)
			b.cannotOpen("group", rd, denied) // its owner has no right
			b.cannotOpen("others", rd, denied)
		})
	}},
	{"permission/to write and to truncate", Owners | Modes, func(b *box) {
		b.owned("f", alice, alice, 0o644)
		b.as(bob, bob, func() {
			b.cannotOpen("f", wr, denied)
			b.cannotOpen("f", rd|unix.O_TRUNC, denied)
			b.fails("truncate", unix.Truncate(b.p("f"), 0), denied)
			same(b, "content", b.content("f"), "content")
		})
	}},
	{"permission/of a descriptor is that of its opening", Owners | Modes, func(b *box) {
		b.owned("f", alice, alice, 0o600)
		b.as(alice, alice, func() {
			fd := b.open("f", rw, 0)
			b.chmod("f", 0)
			b.pwrite(fd, "C", 0)
			same(b, "content", b.all(fd), "Content")
			b.cannotOpen("f", rd, denied)
		})
	}},
	{"permission/to search a folder", Owners | Modes, func(b *box) {
		b.mkdir("d")
		b.file("d/f", "x")
		b.chmod("d", 0o744) // names, but not what is behind them
		b.as(alice, alice, func() {
			var st unix.Stat_t
			b.fails("stat", unix.Stat(b.p("d/f"), &st), denied)
			b.fails("stat", unix.Stat(b.p("d/no"), &st), denied)
			same(b, "names", len(b.names("d")), 1)
		})
		b.chmod("d", 0o711)
		b.as(alice, alice, func() {
			same(b, "content", b.content("d/f"), "x")
			b.cannotOpen("d", rd, denied)
		})
	}},
	{"permission/to change names in a folder", Owners | Modes, func(b *box) {
		b.mkdir("d")
		b.file("d/f", "")
		b.as(alice, alice, func() {
			b.cannotOpen("d/new", wr|mk, denied)
			b.fails("mkdir", unix.Mkdir(b.p("d/new"), 0o755), denied)
			b.fails("unlink", unix.Unlink(b.p("d/f")), denied)
			b.fails("rename", unix.Rename(b.p("d/f"), b.p("d/g")), denied)
			b.fails("rename", unix.Rename(b.p("d/f"), b.p("g")), denied)
			b.fails("symlink", unix.Symlink("x", b.p("d/l")), denied)
			b.fails("mkfifo", unix.Mkfifo(b.p("d/p"), 0o644), denied)
			b.file("mine", "")
			b.fails("link", unix.Link(b.p("mine"), b.p("d/mine")), denied)
			b.fails("rename", unix.Rename(b.p("mine"), b.p("d/mine")), denied)
		})
		same(b, "names", len(b.names("d")), 1)
	}},
	{"permission/a file without any bits is removed by who owns the folder", Owners | Modes, func(b *box) {
		b.mkdir("d")
		b.chown("d", alice, alice)
		b.owned("d/f", bob, bob, 0)
		b.as(alice, alice, func() { b.unlink("d/f") })
	}},
	{"permission/chmod is for the owner", Owners | Modes, func(b *box) {
		b.owned("f", alice, alice, 0o666)
		b.as(bob, bob, func() { b.fails("chmod", unix.Chmod(b.p("f"), 0o600), unix.EPERM) })
		b.as(alice, alice, func() { b.chmod("f", 0o600) })
		same(b, "mode", b.mode("f"), "600")
	}},
	{"permission/chown is for root, a group of one's own for the owner", Owners, func(b *box) {
		b.owned("f", alice, alice, 0o644)
		b.as(alice, alice, func() {
			b.fails("give away", unix.Chown(b.p("f"), bob, -1), unix.EPERM)
			b.fails("to a strange group", unix.Chown(b.p("f"), -1, 3333), unix.EPERM)
			b.ok("to its own group", unix.Chown(b.p("f"), -1, staff))
			b.ok("to itself", unix.Chown(b.p("f"), alice, -1))
		}, staff)
		b.as(bob, bob, func() { b.fails("of another", unix.Chown(b.p("f"), -1, bob), unix.EPERM) })
		st := b.stat("f")
		same(b, "owner", [2]uint32{st.Uid, st.Gid}, [2]uint32{alice, staff})
	}},
	{"permission/large numbers of owners", Owners, func(b *box) {
		b.file("f", "")
		b.chown("f", 4_000_000_000, 4_000_000_001)
		st := b.stat("f")
		same(b, "owner", [2]uint32{st.Uid, st.Gid}, [2]uint32{4_000_000_000, 4_000_000_001})
		b.ok("chown of the group only", unix.Chown(b.p("f"), -1, 7))
		st = b.stat("f")
		same(b, "owner", [2]uint32{st.Uid, st.Gid}, [2]uint32{4_000_000_000, 7})
	}},
	{"permission/access(2) says what open does", Owners | Modes, func(b *box) {
		b.owned("f", alice, staff, 0o640)
		ask := func(mode uint32) error { return unix.Faccessat2(unix.AT_FDCWD, b.p("f"), mode, unix.AT_EACCESS) }
		b.as(alice, alice, func() {
			b.ok("rw", ask(unix.R_OK|unix.W_OK))
			b.fails("x", ask(unix.X_OK), denied)
		})
		b.as(bob, bob, func() {
			b.ok("r", ask(unix.R_OK))
			b.fails("w", ask(unix.W_OK), denied)
		}, staff)
		b.as(bob, bob, func() { b.fails("r", ask(unix.R_OK), denied) })
	}},
	{"permission/root may all, but not run what nobody may", Modes | Owners, func(b *box) {
		b.owned("f", alice, alice, 0)
		same(b, "content", b.content("f"), "content")
		b.fails("x", unix.Access(b.p("f"), unix.X_OK), denied)
		b.chmod("f", 0o010)
		b.ok("x", unix.Access(b.p("f"), unix.X_OK))
	}},
	{"permission/a sticky folder", Owners | Modes, func(b *box) {
		b.mkdir("d")
		b.chmod("d", 0o1777)
		b.as(alice, alice, func() { b.file("d/hers", "x") })
		b.as(bob, bob, func() {
			b.fails("unlink", unix.Unlink(b.p("d/hers")), unix.EPERM)
			b.fails("rename", unix.Rename(b.p("d/hers"), b.p("d/his")), unix.EPERM)
			b.file("d/his", "y")
			b.fails("rename over", unix.Rename(b.p("d/his"), b.p("d/hers")), unix.EPERM)
			b.unlink("d/his")
		})
		b.as(alice, alice, func() { b.rename("d/hers", "d/moved") })
		same(b, "content", b.content("d/moved"), "x")
	}},
	{"permission/a sticky folder of one's own", Owners | Modes, func(b *box) {
		b.mkdir("d")
		b.chown("d", alice, alice)
		b.chmod("d", 0o1777)
		b.as(bob, bob, func() { b.file("d/his", "x") })
		b.as(alice, alice, func() { b.unlink("d/his") })
	}},
	{"permission/a setgid folder gives its group", Owners | Modes, func(b *box) {
		b.mkdir("d")
		b.chown("d", alice, staff)
		b.chmod("d", 0o2777)
		b.as(bob, bob, func() {
			b.file("d/f", "x")
			b.mkdir("d/e")
			b.symlink("f", "d/l")
		})
		same(b, "group of a file", b.stat("d/f").Gid, staff)
		same(b, "group of a link", b.stat("d/l").Gid, staff)
		same(b, "group of a folder", b.stat("d/e").Gid, staff)
		same(b, "mode of a folder", b.mode("d/e"), "2755")
		same(b, "mode of a file", b.mode("d/f"), "644")
	}},
	{"permission/a setgid file in a setgid folder, by who is not in the group", Owners | Modes, func(b *box) {
		b.mkdir("d")
		b.chown("d", alice, staff)
		b.chmod("d", 0o2777)
		b.as(bob, bob, func() {
			unix.Umask(0)
			b.open("d/f", wr|mk, 0o2755)
		})
		same(b, "group", b.stat("d/f").Gid, staff)
		same(b, "mode", b.mode("d/f"), "755")
	}},
	{"permission/utimensat", Owners | Modes, func(b *box) {
		b.owned("f", alice, alice, 0o666)
		now := []unix.Timespec{{Nsec: unix.UTIME_NOW}, {Nsec: unix.UTIME_NOW}}
		then := []unix.Timespec{{Sec: 1}, {Sec: 1}}
		set := func(ts []unix.Timespec) error { return unix.UtimesNanoAt(unix.AT_FDCWD, b.p("f"), ts, 0) }
		b.as(bob, bob, func() {
			b.ok("now, by who may write", set(now))
			b.fails("then, by who may write", set(then), unix.EPERM)
		})
		b.chmod("f", 0o644)
		b.as(bob, bob, func() { b.fails("now, by who may not", set(now), denied) })
		b.as(alice, alice, func() { b.ok("then, by the owner", set(then)) })
	}},
	{"permission/xattrs", Owners | Modes | Xattrs, func(b *box) {
		b.owned("f", alice, alice, 0o644)
		b.ok("setxattr", unix.Setxattr(b.p("f"), "user.a", []byte("x"), 0))
		b.as(bob, bob, func() {
			_, err := unix.Getxattr(b.p("f"), "user.a", make([]byte, 10))
			b.ok("getxattr", err)
			b.fails("setxattr", unix.Setxattr(b.p("f"), "user.a", []byte("y"), 0), denied)
			b.fails("removexattr", unix.Removexattr(b.p("f"), "user.a"), denied)
			b.fails("trusted", unix.Setxattr(b.p("f"), "trusted.a", []byte("y"), 0), unix.EPERM)
		})
		b.as(alice, alice, func() {
			b.ok("setxattr", unix.Setxattr(b.p("f"), "user.b", []byte("y"), 0))
			b.fails("trusted", unix.Setxattr(b.p("f"), "trusted.a", []byte("y"), 0), unix.EPERM)
		})
	}},
	{"permission/mknod of a device is for root", Owners | Special, func(b *box) {
		b.as(alice, alice, func() {
			b.fails("mknod", unix.Mknod(b.p("c"), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 3))), unix.EPERM)
			b.ok("mkfifo", unix.Mkfifo(b.p("p"), 0o644))
		})
	}},
	{"permission/groups that one is in besides", Owners | Modes, func(b *box) {
		b.mkdir("d")
		b.chown("d", 0, staff)
		b.chmod("d", 0o770)
		b.as(alice, alice, func() { b.file("d/f", "x") }, 5, 6, staff)
		same(b, "owner", b.stat("d/f").Uid, alice)
		b.as(alice, alice, func() { b.cannotOpen("d/f", rd, denied) }, 5, 6)
	}},
	{"permission/one user's cached names are not another's", Owners | Modes, func(b *box) {
		b.mkdir("d")
		b.chown("d", alice, alice)
		b.chmod("d", 0o700)
		b.as(alice, alice, func() {
			b.file("d/f", "secret")
			same(b, "content", b.content("d/f"), "secret")
		})
		b.as(bob, bob, func() {
			b.cannotOpen("d/f", rd, denied)
			b.cannotOpen("d", rd, denied)
		})
	}},
}

// setIDs is whether the bits for setuid and setgid are left after something was done by a
// user to a file of mode 6777.
func setIDs(after string, do func(b *box)) func(b *box) {
	return func(b *box) {
		b.owned("f", alice, alice, 0o6777)
		b.as(bob, bob, func() { do(b) })
		same(b, "mode", b.mode("f"), after)
	}
}

var setIDCases = []oneCase{
	{"setid/kept by chmod and read", Owners | Modes, setIDs("6777", func(b *box) { b.content("f") })},
	{"setid/dropped by a write of another", Owners | Modes, setIDs("777", func(b *box) {
		b.pwrite(b.open("f", wr, 0), "x", 0)
	})},
	{"setid/dropped by truncate of another", Owners | Modes, setIDs("777", func(b *box) {
		b.ok("truncate", unix.Truncate(b.p("f"), 1))
	})},
	{"setid/dropped by O_TRUNC of another", Owners | Modes, setIDs("777", func(b *box) {
		b.open("f", wr|unix.O_TRUNC, 0)
	})},
	{"setid/dropped by ftruncate of another", Owners | Modes, setIDs("777", func(b *box) {
		b.ok("ftruncate", unix.Ftruncate(b.open("f", wr, 0), 3))
	})},
	{"setid/dropped by fallocate of another", Owners | Modes | Fallocate, setIDs("777", func(b *box) {
		b.ok("fallocate", unix.Fallocate(b.open("f", wr, 0), 0, 0, 100))
	})},
	{"setid/dropped for who has it open before the chmod", Owners | Modes, func(b *box) {
		b.owned("f", alice, alice, 0o777)
		var fd int
		b.as(bob, bob, func() {
			fd = b.open("f", wr, 0)
			b.pwrite(fd, "x", 0)
		})
		b.chmod("f", 0o6777)
		b.as(bob, bob, func() { b.pwrite(fd, "y", 1) })
		same(b, "mode", b.mode("f"), "777")
	}},
	{"setid/kept when root writes", Owners | Modes, func(b *box) {
		b.owned("f", alice, alice, 0o6777)
		b.pwrite(b.open("f", wr, 0), "x", 0)
		same(b, "mode", b.mode("f"), "6777")
	}},
	{"setid/dropped by chown of the owner and of root", Owners | Modes, func(b *box) {
		b.owned("f", alice, alice, 0o6755)
		b.as(alice, alice, func() { b.ok("chown", unix.Chown(b.p("f"), -1, staff)) }, staff)
		same(b, "mode", b.mode("f"), "755")
		b.owned("g", alice, alice, 0o6755)
		b.chown("g", bob, bob)
		same(b, "mode", b.mode("g"), "755")
	}},
	{"setid/of a folder is kept by chown", Owners | Modes, func(b *box) {
		b.mkdir("d")
		b.chmod("d", 0o2755)
		b.chown("d", alice, staff)
		same(b, "mode", b.mode("d"), "2755")
	}},
	{"setid/without the group's x, setgid is kept by a write", Owners | Modes, func(b *box) {
		b.owned("f", alice, alice, 0o2666)
		b.as(bob, bob, func() { b.pwrite(b.open("f", wr, 0), "x", 0) }, alice)
		same(b, "mode", b.mode("f"), "2666")
	}},
	{"setid/chmod drops setgid for a group that is not one's own", Owners | Modes, func(b *box) {
		b.owned("f", alice, staff, 0o755)
		b.as(alice, alice, func() { b.chmod("f", 0o2755) })
		same(b, "mode", b.mode("f"), "755")
		b.as(alice, alice, func() { b.chmod("f", 0o2755) }, staff)
		same(b, "mode", b.mode("f"), "2755")
	}},
	{"setid/by a mapping", Owners | Modes, func(b *box) {
		b.owned("f", alice, alice, 0o4777)
		b.as(bob, bob, func() {
			fd := b.open("f", rw, 0)
			mem, err := unix.Mmap(fd, 0, 7, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
			b.ok("mmap", err)
			mem[0] = 'C'
			b.ok("msync", unix.Msync(mem, unix.MS_SYNC))
			b.ok("munmap", unix.Munmap(mem))
		})
		same(b, "content", b.content("f"), "Content") // whether the bits go differs between file systems
	}},
}
