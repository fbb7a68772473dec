package fstest

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// RunFull fills a small file system and wants to be told. dir is on it.
func RunFull(t *testing.T, dir string, can Can) {
	for i, c := range fullCases {
		if c.need&^can == 0 {
			t.Run(c.name, func(t *testing.T) { runCase(t, filepath.Join(dir, "full"+digits(i)), can, c.run) })
		}
	}
}

// fill writes to a descriptor until there is no room, and returns how much was written. That
// it was not is said by write, by fsync, or by both.
func (b *box) fill(fd int) int64 {
	b.Helper()
	chunk := make([]byte, 256<<10)
	for i := range chunk {
		chunk[i] = byte(i)
	}
	at := int64(0)
	again := false // what was removed just before may take a moment to be free
	for at < 1<<30 {
		n, err := unix.Pwrite(fd, chunk, at)
		if err == nil && at%(4<<20) == 0 {
			err = unix.Fsync(fd)
		}
		if err == unix.ENOSPC && again {
			return at
		}
		if again = err == unix.ENOSPC; again {
			time.Sleep(300 * time.Millisecond)
			continue
		}
		b.ok("pwrite", err)
		at += int64(n)
	}
	b.Fatal("it is not small")
	return 0
}

var fullCases = []oneCase{
	{"full/write says ENOSPC, and there is room again after", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.fill(fd)
		b.close(b.open("other", wr|mk, 0o644)) // a name may still fit
		b.unlink("f")
		b.close(fd)
		b.file("g", strings.Repeat("x", 100_000))
		fd = b.open("g", rw, 0)
		b.ok("fsync", unix.Fsync(fd))
		same(b, "content", b.all(fd), strings.Repeat("x", 100_000))
	}},
	{"full/what is told as written is there", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		kept := 0
		for i := 0; ; i++ {
			s := strings.Repeat(letters(i%26), 64<<10)
			_, err := unix.Pwrite(fd, []byte(s), int64(i)*64<<10)
			if err == nil {
				err = unix.Fsync(fd)
			}
			if err != nil {
				b.fails("pwrite and fsync", err, unix.ENOSPC)
				break
			}
			kept++
		}
		b.ok("fadvise", unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
		for i := range kept {
			same(b, "content", b.pread(fd, 64<<10, int64(i)*64<<10), strings.Repeat(letters(i%26), 64<<10))
		}
	}},
	{"full/overwriting needs no room", 0, func(b *box) {
		b.file("keep", strings.Repeat("a", 300_000))
		keep := b.open("keep", rw, 0)
		b.ok("fsync", unix.Fsync(keep))
		b.fill(b.open("f", rw|mk, 0o644))
		b.pwrite(keep, strings.Repeat("b", 300_000), 0)
		b.ok("fsync", unix.Fsync(keep))
		b.ok("fadvise", unix.Fadvise(keep, 0, 0, unix.FADV_DONTNEED))
		same(b, "content", b.all(keep), strings.Repeat("b", 300_000))
	}},
	{"full/close or fsync tells of what the cache could not write", 0, func(b *box) {
		b.fill(b.open("f", rw|mk, 0o644))
		// Small writes fit into the host's cache: somebody must say that they are lost.
		fd := b.open("g", wr|mk, 0o644)
		var err error
		for i := 0; i < 64 && err == nil; i++ {
			_, err = unix.Pwrite(fd, make([]byte, 64<<10), int64(i)*64<<10)
		}
		if err == nil {
			err = unix.Fsync(fd)
		}
		b.fails("pwrite or fsync", err, unix.ENOSPC)
	}},
	{"full/fallocate", Fallocate, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.fails("fallocate", unix.Fallocate(fd, 0, 0, 1<<30), unix.ENOSPC, unix.EFBIG)
		b.write(fd, "x")
		b.ok("fsync", unix.Fsync(fd))
	}},
}

// RunReadOnly wants a file system to refuse every change. dir has a file of that name with a
// content, a folder "folder", and no name "none". Whole says that it is mounted read-only, so that
// access(2) can know; below a mount of FUSE only some folders may be so.
func RunReadOnly(t *testing.T, dir, file, content string, whole bool) {
	b := &box{T: t, dir: dir}
	defer b.closeAll()
	same(b, "content", b.content(file), content)
	b.cannotOpen("none", rd, unix.ENOENT)
	for name, flags := range map[string]int{file: wr, "none": wr | mk} {
		b.cannotOpen(name, flags, unix.EROFS)
	}
	b.cannotOpen(file, rd|unix.O_TRUNC, unix.EROFS)
	b.open(file, rd|mk, 0o644) // it is there
	for what, err := range map[string]error{
		"mkdir":     unix.Mkdir(b.p("none"), 0o755),
		"unlink":    unix.Unlink(b.p(file)),
		"rmdir":     unix.Rmdir(b.p("folder")),
		"rename":    unix.Rename(b.p(file), b.p("none")),
		"link":      unix.Link(b.p(file), b.p("none")),
		"symlink":   unix.Symlink("x", b.p("none")),
		"mkfifo":    unix.Mkfifo(b.p("none"), 0o644),
		"chmod":     unix.Chmod(b.p(file), 0o600),
		"chown":     unix.Chown(b.p(file), 1, 1),
		"truncate":  unix.Truncate(b.p(file), 0),
		"utimensat": unix.UtimesNanoAt(unix.AT_FDCWD, b.p(file), []unix.Timespec{{}, {}}, 0),
		"touch -m":  unix.UtimesNanoAt(unix.AT_FDCWD, b.p(file), []unix.Timespec{{Nsec: unix.UTIME_OMIT}, {Sec: 1e9}}, 0),
		"touch -a":  unix.UtimesNanoAt(unix.AT_FDCWD, b.p(file), []unix.Timespec{{Sec: 1e9}, {Nsec: unix.UTIME_OMIT}}, 0),
		"setxattr":  unix.Setxattr(b.p(file), "user.a", []byte("x"), 0),
	} {
		b.fails(what, err, unix.EROFS)
	}
	if whole {
		b.fails("access", unix.Access(b.p(file), unix.W_OK), unix.EROFS)
	}
	b.fails("mkdir of what exists", unix.Mkdir(b.p("folder"), 0o755), unix.EEXIST)
	same(b, "content", b.content(file), content)
}
