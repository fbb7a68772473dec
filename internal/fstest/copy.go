package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

// copyRange copies all of a range, in as many calls as it takes.
func (b *box) copyRange(in int, at int64, out int, to int64, length int) int {
	b.Helper()
	done := 0
	for done < length {
		n, err := unix.CopyFileRange(in, &at, out, &to, length-done, 0)
		b.ok("copy_file_range", err)
		if n == 0 {
			break
		}
		done += n
	}
	return done
}

var copyCases = []oneCase{
	{"copy/copy_file_range of a whole file", 0, func(b *box) {
		text := strings.Repeat("0123456789abcdef!", 20_000)
		in, out := b.open("f", rw|mk, 0o644), b.open("g", rw|mk, 0o644)
		b.pwrite(in, text, 0)
		same(b, "copied", b.copyRange(in, 0, out, 0, len(text)+1000), len(text))
		same(b, "copy", b.all(out), text)
		same(b, "content", b.content("g"), text)
	}},
	{"copy/copy_file_range of a part, over what is there", 0, func(b *box) {
		in, out := b.open("f", rw|mk, 0o644), b.open("g", rw|mk, 0o644)
		b.pwrite(in, strings.Repeat("i", 50_000), 0)
		b.pwrite(out, strings.Repeat("o", 50_000), 0)
		b.copyRange(in, 1234, out, 4321, 20_000)
		same(b, "copy", b.all(out), strings.Repeat("o", 4321)+strings.Repeat("i", 20_000)+strings.Repeat("o", 25_679))
	}},
	{"copy/copy_file_range beyond the end of the target", 0, func(b *box) {
		in, out := b.open("f", rw|mk, 0o644), b.open("g", rw|mk, 0o644)
		b.pwrite(in, "abc", 0)
		b.pwrite(out, "x", 0)
		b.copyRange(in, 0, out, 10_000, 3)
		same(b, "copy", b.all(out), "x"+zeros(9999)+"abc")
		same(b, "size", b.stat("g").Size, 10_003)
	}},
	{"copy/copy_file_range within a file", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("a", 8192)+strings.Repeat("b", 8192), 0)
		b.copyRange(fd, 0, fd, 8192, 5000)
		same(b, "content", b.all(fd), strings.Repeat("a", 13_192)+strings.Repeat("b", 3192))
		_, err := unix.CopyFileRange(fd, new(int64), fd, ptr(100), 1000, 0)
		b.fails("onto itself", err, unix.EINVAL)
	}},
	{"copy/copy_file_range of what is in the cache only, over what is too", 0, func(b *box) {
		in, out := b.open("f", rw|mk, 0o644), b.open("g", rw|mk, 0o644)
		for i := range 10 {
			b.pwrite(in, strings.Repeat(letters(i), 3000), 0)
			b.pwrite(out, strings.Repeat("-", 4000), 0)
			b.copyRange(in, 0, out, 500, 3000)
			same(b, "copy", b.all(out), strings.Repeat("-", 500)+strings.Repeat(letters(i), 3000)+strings.Repeat("-", 500))
		}
	}},
	{"copy/copy_file_range's offsets", 0, func(b *box) {
		in, out := b.open("f", rw|mk, 0o644), b.open("g", rw|mk, 0o644)
		b.pwrite(in, "0123456789", 0)
		_, err := unix.Seek(in, 4, 0)
		b.ok("lseek", err)
		n, err := unix.CopyFileRange(in, nil, out, nil, 3, 0)
		b.ok("copy_file_range", err)
		same(b, "copied", n, 3)
		b.write(out, "!")
		same(b, "copy", b.all(out), "456!")
		off, err := unix.Seek(in, 0, 1)
		b.ok("lseek", err)
		same(b, "offset", off, 7)
	}},
	{"copy/copy_file_range's errors", 0, func(b *box) {
		b.file("f", "abc")
		in, out := b.open("f", rd, 0), b.open("g", wr|mk, 0o644)
		_, err := unix.CopyFileRange(out, nil, out, nil, 3, 0)
		b.fails("from what is not read", err, unix.EBADF, unix.EINVAL)
		_, err = unix.CopyFileRange(in, nil, in, nil, 3, 0)
		b.fails("to what is not written", err, unix.EBADF, unix.EINVAL)
		_, err = unix.CopyFileRange(in, nil, out, nil, 3, 1)
		b.fails("flags", err, unix.EINVAL)
		_, err = unix.CopyFileRange(in, nil, b.open("g", wr|unix.O_APPEND, 0), nil, 3, 0)
		b.fails("to append", err, unix.EBADF)
		same(b, "at the end", b.copyRange(in, 3, out, 0, 10), 0)
	}},
	{"copy/sendfile and splice", 0, func(b *box) {
		text := strings.Repeat("0123456789", 10_000)
		b.file("f", text)
		in, out := b.open("f", rd, 0), b.open("g", rw|mk, 0o644)
		for done := 0; done < len(text); {
			n, err := unix.Sendfile(out, in, nil, len(text)-done)
			b.ok("sendfile", err)
			same(b, "moved", n > 0, true)
			done += n
		}
		same(b, "copy", b.all(out), text)
		var pipe [2]int
		b.ok("pipe", unix.Pipe2(pipe[:], unix.O_CLOEXEC))
		b.fds = append(b.fds, pipe[0], pipe[1])
		n, err := unix.Splice(in, ptr(10), pipe[1], nil, 4096, 0)
		b.ok("splice from", err)
		m, err := unix.Splice(pipe[0], nil, out, ptr(0), int(n), 0)
		b.ok("splice to", err)
		same(b, "moved", m, n)
		same(b, "spliced", b.pread(out, int(n), 0), text[10:10+n])
	}},
	{"copy/a file onto itself by read and write, growing", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, "x", 0)
		for size := 1; size < 100_000; size *= 2 {
			b.pwrite(fd, b.pread(fd, size, 0), int64(size))
		}
		same(b, "content", b.all(fd), strings.Repeat("x", 131_072))
	}},
}

func ptr(n int64) *int64 { return &n }
