package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

var syncCases = []oneCase{
	{"sync/fsync and fdatasync of a file, also one to read", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "x")
		b.ok("fsync", unix.Fsync(fd))
		b.pwrite(fd, "y", 1)
		b.ok("fdatasync", unix.Fdatasync(fd))
		b.ok("fsync", unix.Fsync(b.open("f", rd, 0)))
		same(b, "content", b.content("f"), "xy")
	}},
	{"sync/fsync of a folder", 0, func(b *box) {
		b.mkdir("d")
		b.file("d/f", "x")
		b.ok("fsync", unix.Fsync(b.open("d", rd|unix.O_DIRECTORY, 0)))
		b.ok("fdatasync", unix.Fdatasync(b.open("d", rd, 0)))
	}},
	{"sync/syncfs", 0, func(b *box) {
		b.file("f", "x")
		b.ok("syncfs", unix.Syncfs(b.open(".", rd, 0)))
	}},
	{"sync/sync_file_range and what comes back", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		text := strings.Repeat("sync", 10_000)
		b.pwrite(fd, text, 0)
		b.ok("sync_file_range", unix.SyncFileRange(fd, 0, 0, unix.SYNC_FILE_RANGE_WAIT_BEFORE|unix.SYNC_FILE_RANGE_WRITE|unix.SYNC_FILE_RANGE_WAIT_AFTER))
		b.ok("fadvise", unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
		same(b, "content", b.all(fd), text)
	}},
	{"sync/the safe way to replace a file", 0, func(b *box) {
		b.file("f", "old")
		fd := b.open("f.new", wr|mk|unix.O_EXCL, 0o644)
		b.write(fd, "new")
		b.ok("fsync", unix.Fsync(fd))
		b.close(fd)
		b.rename("f.new", "f")
		b.ok("fsync", unix.Fsync(b.open(".", rd|unix.O_DIRECTORY, 0)))
		same(b, "content", b.content("f"), "new")
	}},
}
