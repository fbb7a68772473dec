package fstest

import (
	"time"

	"golang.org/x/sys/unix"
)

// Descriptions of open files, not processes, own these locks, so that one process can judge.
const (
	setLock = unix.F_OFD_SETLK
	askLock = unix.F_OFD_GETLK
	setWait = unix.F_OFD_SETLKW
)

func lockRange(fd, cmd int, typ int16, from, length int64) (unix.Flock_t, error) {
	l := unix.Flock_t{Type: typ, Start: from, Len: length}
	err := unix.FcntlFlock(uintptr(fd), cmd, &l)
	return l, err
}

var lockCases = []oneCase{
	{"lock/flock is exclusive between two descriptors", Locks, func(b *box) {
		one, two := b.open("f", rw|mk, 0o644), b.open("f", rw, 0)
		b.ok("flock", unix.Flock(one, unix.LOCK_EX))
		b.fails("flock", unix.Flock(two, unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
		b.fails("flock", unix.Flock(two, unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
		b.ok("unlock", unix.Flock(one, unix.LOCK_UN))
		b.ok("flock", unix.Flock(two, unix.LOCK_EX|unix.LOCK_NB))
	}},
	{"lock/flock is shared, and ends with close", Locks, func(b *box) {
		one, two, three := b.open("f", rw|mk, 0o644), b.open("f", rd, 0), b.open("f", rw, 0)
		b.ok("flock", unix.Flock(one, unix.LOCK_SH))
		b.ok("flock", unix.Flock(two, unix.LOCK_SH|unix.LOCK_NB))
		b.fails("flock", unix.Flock(three, unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
		b.close(one)
		b.close(two)
		b.ok("flock", unix.Flock(three, unix.LOCK_EX|unix.LOCK_NB))
	}},
	{"lock/flock waits", Locks, func(b *box) {
		one, two := b.open("f", rw|mk, 0o644), b.open("f", rw, 0)
		b.ok("flock", unix.Flock(one, unix.LOCK_EX))
		got := make(chan error, 1)
		go func() { got <- unix.Flock(two, unix.LOCK_EX) }()
		select {
		case <-got:
			b.Fatal("it did not wait")
		case <-time.After(100 * time.Millisecond):
		}
		b.ok("the holder writes meanwhile", func() error { _, err := unix.Write(one, []byte("x")); return err }())
		b.ok("unlock", unix.Flock(one, unix.LOCK_UN))
		select {
		case err := <-got:
			b.ok("flock", err)
		case <-time.After(10 * time.Second):
			b.Fatal("it waits for ever")
		}
	}},
	{"lock/flock of a folder", Locks, func(b *box) {
		one, two := b.open(".", rd|unix.O_DIRECTORY, 0), b.open(".", rd|unix.O_DIRECTORY, 0)
		b.ok("flock", unix.Flock(one, unix.LOCK_EX))
		b.fails("flock", unix.Flock(two, unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
	}},
	{"lock/fcntl of ranges", Locks, func(b *box) {
		one, two := b.open("f", rw|mk, 0o644), b.open("f", rw, 0)
		_, err := lockRange(one, setLock, unix.F_WRLCK, 10, 10)
		b.ok("lock", err)
		_, err = lockRange(two, setLock, unix.F_WRLCK, 15, 1)
		b.fails("lock", err, unix.EAGAIN, unix.EACCES)
		_, err = lockRange(two, setLock, unix.F_WRLCK, 20, 10)
		b.ok("lock beside it", err)
		_, err = lockRange(two, setLock, unix.F_RDLCK, 0, 10)
		b.ok("lock before it", err)
		_, err = lockRange(one, setLock, unix.F_RDLCK, 5, 1)
		b.ok("share", err)
	}},
	{"lock/fcntl says who is in the way", Locks, func(b *box) {
		one, two := b.open("f", rw|mk, 0o644), b.open("f", rw, 0)
		_, err := lockRange(one, setLock, unix.F_WRLCK, 10, 10)
		b.ok("lock", err)
		l, err := lockRange(two, askLock, unix.F_WRLCK, 0, 0)
		b.ok("ask", err)
		same(b, "type", l.Type, unix.F_WRLCK)
		same(b, "from", l.Start, 10)
		same(b, "length", l.Len, 10)
		l, err = lockRange(two, askLock, unix.F_WRLCK, 0, 5)
		b.ok("ask", err)
		same(b, "type", l.Type, unix.F_UNLCK)
	}},
	{"lock/fcntl waits, and a part is unlocked", Locks, func(b *box) {
		one, two := b.open("f", rw|mk, 0o644), b.open("f", rw, 0)
		_, err := lockRange(one, setLock, unix.F_WRLCK, 0, 100)
		b.ok("lock", err)
		got := make(chan error, 1)
		go func() {
			_, err := lockRange(two, setWait, unix.F_WRLCK, 50, 10)
			got <- err
		}()
		time.Sleep(50 * time.Millisecond)
		_, err = lockRange(one, setLock, unix.F_UNLCK, 40, 30)
		b.ok("unlock", err)
		select {
		case err := <-got:
			b.ok("lock", err)
		case <-time.After(10 * time.Second):
			b.Fatal("it waits for ever")
		}
		_, err = lockRange(two, setLock, unix.F_WRLCK, 10, 1)
		b.fails("what is still locked", err, unix.EAGAIN, unix.EACCES)
	}},
	{"lock/is of the file, whatever its name", Locks | HardLinks, func(b *box) {
		one := b.open("f", rw|mk, 0o644)
		b.ok("flock", unix.Flock(one, unix.LOCK_EX))
		b.link("f", "g")
		b.rename("f", "h")
		b.fails("flock", unix.Flock(b.open("g", rw, 0), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
		b.fails("flock", unix.Flock(b.open("h", rw, 0), unix.LOCK_EX|unix.LOCK_NB), unix.EWOULDBLOCK)
		b.file("f", "another")
		b.ok("flock", unix.Flock(b.open("f", rw, 0), unix.LOCK_EX|unix.LOCK_NB))
	}},
	{"lock/of a removed file", Locks, func(b *box) {
		fd := b.orphan()
		b.ok("flock", unix.Flock(fd, unix.LOCK_EX))
		_, err := lockRange(fd, setLock, unix.F_WRLCK, 0, 1)
		b.ok("lock", err)
	}},
}
