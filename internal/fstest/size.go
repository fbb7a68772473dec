package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

const punch = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE

func zeros(n int) string { return strings.Repeat("\x00", n) }

func (b *box) ftruncate(fd int, size int64) {
	b.Helper()
	b.ok("ftruncate", unix.Ftruncate(fd, size))
	same(b, "size", b.fstat(fd).Size, size)
}

func (b *box) fallocate(fd int, mode uint32, off, length int64) {
	b.Helper()
	err := unix.Fallocate(fd, mode, off, length)
	if err == unix.EOPNOTSUPP && mode&^unix.FALLOC_FL_KEEP_SIZE != 0 {
		b.Skip("not supported here")
	}
	b.ok("fallocate", err)
}

var sizeCases = []oneCase{
	{"size/truncate shrinks", 0, func(b *box) {
		b.file("f", "0123456789")
		b.ok("truncate", unix.Truncate(b.p("f"), 4))
		same(b, "content", b.content("f"), "0123")
		same(b, "size", b.stat("f").Size, 4)
	}},
	{"size/truncate grows by zeros", 0, func(b *box) {
		b.file("f", "ab")
		b.ok("truncate", unix.Truncate(b.p("f"), 5000))
		same(b, "content", b.content("f"), "ab"+zeros(4998))
	}},
	{"size/what was cut off is not seen again", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("x", 10_000), 0)
		b.ftruncate(fd, 5001)
		b.ftruncate(fd, 10_000)
		same(b, "content", b.all(fd), strings.Repeat("x", 5001)+zeros(4999))
		b.ok("fsync", unix.Fsync(fd))
		b.ok("fadvise", unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
		same(b, "content", b.all(fd), strings.Repeat("x", 5001)+zeros(4999))
	}},
	{"size/cut off while in the cache only, then written beyond", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("x", 100_000), 0)
		b.ftruncate(fd, 10)
		b.pwrite(fd, "end", 50_000)
		same(b, "content", b.all(fd), strings.Repeat("x", 10)+zeros(49_990)+"end")
		b.close(fd)
		same(b, "content", b.content("f"), strings.Repeat("x", 10)+zeros(49_990)+"end")
	}},
	{"size/write beyond the end leaves zeros", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "a")
		b.pwrite(fd, "z", 9000)
		same(b, "content", b.all(fd), "a"+zeros(8999)+"z")
	}},
	{"size/read at and beyond the end", 0, func(b *box) {
		b.file("f", "abc")
		fd := b.open("f", rd, 0)
		same(b, "read", b.pread(fd, 10, 2), "c")
		same(b, "read", b.pread(fd, 10, 3), "")
		same(b, "read", b.pread(fd, 10, 1<<40), "")
	}},
	{"size/of a folder and of a link cannot be changed", Symlinks, func(b *box) {
		b.mkdir("d")
		b.fails("folder", unix.Truncate(b.p("d"), 0), unix.EISDIR)
		b.fails("missing", unix.Truncate(b.p("no"), 0), unix.ENOENT)
		b.fails("below zero", unix.Truncate(b.p("d"), -1), unix.EINVAL)
		b.file("f", "abc")
		b.symlink("f", "l")
		b.ok("through a link", unix.Truncate(b.p("l"), 1))
		same(b, "content", b.content("f"), "a")
	}},
	{"size/beyond the largest is EFBIG", 0, func(b *box) {
		b.file("f", "abc")
		if unix.Truncate(b.p("f"), 1<<63-1) == nil { // tmpfs
			same(b, "size", b.stat("f").Size, 1<<63-1)
			return
		}
		b.fails("truncate", unix.Truncate(b.p("f"), 1<<63-1), unix.EFBIG, unix.EINVAL, unix.ENOSPC)
		same(b, "content", b.content("f"), "abc")
	}},
	{"size/beyond 4 GB", Sparse, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, "far", 5<<30)
		same(b, "size", b.fstat(fd).Size, 5<<30+3)
		same(b, "read", b.pread(fd, 10, 5<<30-3), "\x00\x00\x00far")
		same(b, "blocks are few", b.fstat(fd).Blocks < 10_000, true)
		b.ok("fsync", unix.Fsync(fd))
		b.ok("fadvise", unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
		same(b, "read", b.pread(fd, 10, 5<<30-3), "\x00\x00\x00far")
		off, err := unix.Seek(fd, -3, unix.SEEK_END)
		b.ok("lseek", err)
		same(b, "offset", off, 5<<30)
	}},
	{"size/a truncated file by two descriptors and a path", 0, func(b *box) {
		one, two := b.open("f", rw|mk, 0o644), b.open("f", rw, 0)
		b.pwrite(one, "0123456789", 0)
		b.ftruncate(two, 5)
		same(b, "size", b.fstat(one).Size, 5)
		b.pwrite(one, "X", 7)
		same(b, "content", b.all(two), "01234\x00\x00X")
		b.ok("truncate", unix.Truncate(b.p("f"), 2))
		same(b, "content", b.all(one), "01")
	}},
	{"size/SEEK_END follows what others write", 0, func(b *box) {
		one, two := b.open("f", rw|mk, 0o644), b.open("f", rw, 0)
		b.pwrite(one, "0123456789", 0)
		off, err := unix.Seek(two, 0, unix.SEEK_END)
		b.ok("lseek", err)
		same(b, "offset", off, 10)
		b.ftruncate(one, 3)
		off, err = unix.Seek(two, 0, unix.SEEK_END)
		b.ok("lseek", err)
		same(b, "offset", off, 3)
		_, err = unix.Seek(two, -1, unix.SEEK_SET)
		b.fails("lseek", err, unix.EINVAL)
	}},
	{"size/SEEK_DATA and SEEK_HOLE of data only", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "data")
		off, err := unix.Seek(fd, 0, unix.SEEK_DATA)
		b.ok("SEEK_DATA", err)
		same(b, "data", off, 0)
		off, err = unix.Seek(fd, 1, unix.SEEK_HOLE)
		b.ok("SEEK_HOLE", err)
		same(b, "hole", off, 4)
		_, err = unix.Seek(fd, 4, unix.SEEK_DATA)
		b.fails("SEEK_DATA at the end", err, unix.ENXIO)
		_, err = unix.Seek(fd, 100, unix.SEEK_HOLE)
		b.fails("SEEK_HOLE beyond the end", err, unix.ENXIO)
	}},
	{"size/SEEK_DATA and SEEK_HOLE find holes", Holes, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("d", 4096), 1<<20)
		b.ftruncate(fd, 4<<20)
		for _, step := range []struct {
			from, want int64
			whence     int
		}{{0, 1 << 20, unix.SEEK_DATA}, {0, 0, unix.SEEK_HOLE}, {1 << 20, 1<<20 + 4096, unix.SEEK_HOLE}, {1<<20 + 5, 1<<20 + 5, unix.SEEK_DATA}} {
			off, err := unix.Seek(fd, step.from, step.whence)
			b.ok("lseek", err)
			// Blocks may be larger than 4096.
			if step.whence == unix.SEEK_DATA && off > step.want || step.whence == unix.SEEK_HOLE && off < step.want || max(off-step.want, step.want-off) > 64<<10 {
				b.Fatalf("whence %d from %d: got %d, want %d", step.whence, step.from, off, step.want)
			}
		}
		_, err := unix.Seek(fd, 2<<20, unix.SEEK_DATA)
		b.fails("SEEK_DATA in the last hole", err, unix.ENXIO)
	}},
	{"size/holes take no space", Holes, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, "x", 64<<20)
		b.ok("fsync", unix.Fsync(fd))
		b.close(b.open("f", rw, 0))
		if n := b.fstat(fd).Blocks; n > 2048 {
			b.Fatalf("%d blocks of 512 bytes", n)
		}
	}},
	{"size/fallocate grows", Fallocate, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "ab")
		b.fallocate(fd, 0, 0, 100_000)
		same(b, "content", b.all(fd), "ab"+zeros(99_998))
		b.ok("fsync", unix.Fsync(fd))
		if n := b.fstat(fd).Blocks * 512; n < 100_000 {
			b.Fatalf("only %d bytes are allocated", n)
		}
		b.fallocate(fd, 0, 10, 10)
		same(b, "size", b.fstat(fd).Size, 100_000)
	}},
	{"size/fallocate with KEEP_SIZE", Fallocate, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "ab")
		b.fallocate(fd, unix.FALLOC_FL_KEEP_SIZE, 0, 1<<20)
		same(b, "content", b.all(fd), "ab")
		if n := b.fstat(fd).Blocks * 512; n < 1<<20 {
			b.Fatalf("only %d bytes are allocated", n)
		}
	}},
	{"size/fallocate's errors", Fallocate, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.fails("no length", unix.Fallocate(fd, 0, 0, 0), unix.EINVAL)
		b.fails("below zero", unix.Fallocate(fd, 0, -1, 1), unix.EINVAL)
		b.fails("a hole that changes the size", unix.Fallocate(fd, unix.FALLOC_FL_PUNCH_HOLE, 0, 1), unix.EOPNOTSUPP, unix.EINVAL)
		b.fails("to read only", unix.Fallocate(b.open("f", rd, 0), 0, 0, 1), unix.EBADF)
		b.fails("far too much", unix.Fallocate(fd, 0, 0, 1<<50), unix.ENOSPC, unix.EFBIG)
	}},
	{"size/punch a hole", Holes | Fallocate, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("x", 300_000), 0)
		b.ok("fsync", unix.Fsync(fd))
		b.close(b.open("f", rw, 0)) // FUSE counts blocks when a file is closed
		before := b.fstat(fd).Blocks
		b.fallocate(fd, punch, 100_001, 150_000)
		want := strings.Repeat("x", 100_001) + zeros(150_000) + strings.Repeat("x", 49_999)
		same(b, "content", b.all(fd), want)
		if after := b.fstat(fd).Blocks; after >= before {
			b.Fatalf("%d blocks before, %d after", before, after)
		}
		b.ok("fadvise", unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
		same(b, "content", b.all(fd), want)
	}},
	{"size/punch a hole into what is in the cache only", Holes | Fallocate, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("x", 20_000), 0)
		b.fallocate(fd, punch, 5000, 5000)
		b.pwrite(fd, "y", 7000)
		want := strings.Repeat("x", 5000) + zeros(2000) + "y" + zeros(2999) + strings.Repeat("x", 10_000)
		same(b, "content", b.all(fd), want)
		b.close(fd)
		same(b, "content", b.content("f"), want)
	}},
	{"size/punch a hole at the end and beyond", Holes | Fallocate, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("x", 10_000), 0)
		b.fallocate(fd, punch, 9000, 100_000)
		same(b, "content", b.all(fd), strings.Repeat("x", 9000)+zeros(1000))
		b.fallocate(fd, punch, 50_000, 100)
		same(b, "size", b.fstat(fd).Size, 10_000)
	}},
	{"size/zero a range", Fallocate, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("x", 20_000), 0)
		b.fallocate(fd, unix.FALLOC_FL_ZERO_RANGE|unix.FALLOC_FL_KEEP_SIZE, 3000, 10_000)
		same(b, "content", b.all(fd), strings.Repeat("x", 3000)+zeros(10_000)+strings.Repeat("x", 7000))
		b.fallocate(fd, unix.FALLOC_FL_ZERO_RANGE, 15_000, 10_000)
		same(b, "content", b.all(fd), strings.Repeat("x", 3000)+zeros(10_000)+strings.Repeat("x", 2000)+zeros(10_000))
	}},
	{"size/collapse and insert, or neither", Fallocate, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("a", 64<<10)+strings.Repeat("b", 64<<10), 0)
		err := unix.Fallocate(fd, unix.FALLOC_FL_COLLAPSE_RANGE, 0, 64<<10)
		if err == unix.EOPNOTSUPP {
			same(b, "size", b.fstat(fd).Size, 128<<10)
			return
		}
		b.ok("fallocate", err)
		same(b, "content", b.all(fd), strings.Repeat("b", 64<<10))
	}},
}
