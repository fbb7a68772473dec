package fstest

import (
	"time"

	"golang.org/x/sys/unix"
)

var specialCases = []oneCase{
	{"special/a FIFO carries bytes between programs of the host", Special, func(b *box) {
		b.ok("mkfifo", unix.Mkfifo(b.p("p"), 0o640))
		same(b, "type", b.stat("p").Mode&unix.S_IFMT, unix.S_IFIFO)
		same(b, "mode", b.mode("p"), "640")
		r := b.open("p", rd|unix.O_NONBLOCK, 0)
		w := b.open("p", wr, 0)
		b.write(w, "through")
		buf := make([]byte, 20)
		n, err := unix.Read(r, buf)
		b.ok("read", err)
		same(b, "read", string(buf[:n]), "through")
	}},
	{"special/a FIFO without a reader", Special, func(b *box) {
		b.ok("mkfifo", unix.Mkfifo(b.p("p"), 0o644))
		b.cannotOpen("p", wr|unix.O_NONBLOCK, unix.ENXIO)
		b.unlink("p")
	}},
	{"special/a socket that programs of the host talk through", Special, func(b *box) {
		server, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		b.ok("socket", err)
		b.fds = append(b.fds, server)
		b.ok("chdir", unix.Chdir(b.dir)) // names of sockets are short
		defer unix.Chdir("/")
		b.ok("bind", unix.Bind(server, &unix.SockaddrUnix{Name: "s"}))
		same(b, "type", b.stat("s").Mode&unix.S_IFMT, unix.S_IFSOCK)
		b.ok("listen", unix.Listen(server, 1))
		client, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		b.ok("socket", err)
		b.fds = append(b.fds, client)
		b.ok("connect", unix.Connect(client, &unix.SockaddrUnix{Name: "s"}))
		b.fails("bind", unix.Bind(client, &unix.SockaddrUnix{Name: "s"}), unix.EADDRINUSE, unix.EINVAL)
		_, err = unix.Open("s", rd, 0)
		b.fails("open", err, unix.ENXIO)
		b.unlink("s")
		b.fails("connect", unix.Connect(client, &unix.SockaddrUnix{Name: "s"}), unix.ENOENT, unix.EISCONN)
	}},
	{"special/devices keep their numbers", Special | Owners, func(b *box) {
		for i, dev := range []uint64{unix.Mkdev(1, 3), unix.Mkdev(8, 1), unix.Mkdev(259, 300), unix.Mkdev(500, 200_000)} {
			for typ, letter := range map[uint32]string{unix.S_IFCHR: "c", unix.S_IFBLK: "b"} {
				name := letter + digits(i)
				b.ok("mknod", unix.Mknod(b.p(name), typ|0o600, int(dev)))
				st := b.stat(name)
				same(b, "type", st.Mode&unix.S_IFMT, typ)
				same(b, "major", unix.Major(st.Rdev), unix.Major(dev))
				same(b, "minor", unix.Minor(st.Rdev), unix.Minor(dev))
			}
		}
	}},
	{"special/mknod makes files too", Special, func(b *box) {
		b.ok("mknod", unix.Mknod(b.p("f"), unix.S_IFREG|0o640, 0))
		same(b, "mode", b.mode("f"), "640")
		b.file("f", "x")
		b.fails("again", unix.Mknod(b.p("f"), unix.S_IFREG|0o640, 0), unix.EEXIST)
		b.fails("a FIFO", unix.Mkfifo(b.p("f"), 0o640), unix.EEXIST)
	}},
	{"special/types in the list", Special | Symlinks, func(b *box) {
		b.file("file", "")
		b.mkdir("folder")
		b.symlink("x", "link")
		b.ok("mkfifo", unix.Mkfifo(b.p("fifo"), 0o644))
		want := map[string]byte{"file": unix.DT_REG, "folder": unix.DT_DIR, "link": unix.DT_LNK, "fifo": unix.DT_FIFO}
		fd := b.open(".", rd|unix.O_DIRECTORY, 0)
		for _, e := range b.rest(fd, 4096) {
			if e.typ != unix.DT_UNKNOWN {
				same(b, e.name, e.typ, want[e.name])
			}
			delete(want, e.name)
		}
		same(b, "missing", len(want), 0)
	}},
	{"special/times, mode and owner of a FIFO", Special | Owners | Modes, func(b *box) {
		b.ok("mkfifo", unix.Mkfifo(b.p("p"), 0o644))
		done := make(chan struct{})
		go func() { // nothing may wait for the other end
			defer close(done)
			unix.Chmod(b.p("p"), 0o600)
			unix.Chown(b.p("p"), alice, bob)
			unix.UtimesNanoAt(unix.AT_FDCWD, b.p("p"), []unix.Timespec{{Sec: 1e9}, {Sec: 1e9}}, 0)
		}()
		select {
		case <-done:
		case <-time.After(20 * time.Second):
			b.Fatal("waits for somebody to open the FIFO")
		}
		st := b.stat("p")
		same(b, "mode", st.Mode&0o7777, 0o600)
		same(b, "owner", st.Uid, alice)
		same(b, "mtime", st.Mtim.Sec, 1e9)
	}},
}
