package fstest

import (
	"strings"

	"golang.org/x/sys/unix"
)

// mapped maps a file until the case ends.
func (b *box) mapped(fd, length, flags int) []byte {
	b.Helper()
	mem, err := unix.Mmap(fd, 0, length, unix.PROT_READ|unix.PROT_WRITE, flags)
	b.ok("mmap", err)
	b.maps = append(b.maps, mem)
	return mem
}

var mapCases = []oneCase{
	{"mmap/shared writes are seen by read at once", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.ftruncate(fd, 20_000)
		mem := b.mapped(fd, 20_000, unix.MAP_SHARED)
		copy(mem[8000:], "through memory")
		same(b, "read", b.pread(fd, 14, 8000), "through memory")
		other := b.open("f", rd, 0)
		same(b, "read", b.pread(other, 14, 8000), "through memory")
	}},
	{"mmap/writes are seen in the mapping at once", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.ftruncate(fd, 10_000)
		mem := b.mapped(fd, 10_000, unix.MAP_SHARED)
		same(b, "zero", mem[5000], 0)
		b.pwrite(fd, "by write", 5000)
		same(b, "mapped", string(mem[5000:5008]), "by write")
	}},
	{"mmap/shared writes stay after msync, munmap and close", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("x", 12_000), 0)
		mem, err := unix.Mmap(fd, 0, 12_000, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		b.ok("mmap", err)
		copy(mem[4094:], "ABCD")
		b.ok("msync", unix.Msync(mem, unix.MS_SYNC))
		copy(mem[11_990:], "0123456789")
		b.ok("munmap", unix.Munmap(mem))
		b.close(fd)
		fd = b.open("f", rd, 0)
		b.ok("fsync", unix.Fsync(fd))
		b.ok("fadvise", unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
		same(b, "content", b.all(fd), strings.Repeat("x", 4094)+"ABCD"+strings.Repeat("x", 7892)+"0123456789")
	}},
	{"mmap/written after the descriptor was closed", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.ftruncate(fd, 4096)
		mem, err := unix.Mmap(fd, 0, 4096, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		b.ok("mmap", err)
		b.close(fd)
		copy(mem, "late")
		b.ok("munmap", unix.Munmap(mem))
		same(b, "content", b.content("f")[:4], "late")
	}},
	{"mmap/private writes stay private", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "original")
		mem := b.mapped(fd, 8, unix.MAP_PRIVATE)
		copy(mem, "changed!")
		same(b, "content", b.all(fd), "original")
	}},
	{"mmap/two mappings of one file are one memory", 0, func(b *box) {
		one, two := b.open("f", rw|mk, 0o644), b.open("f", rw, 0)
		b.ftruncate(one, 4096)
		m, n := b.mapped(one, 4096, unix.MAP_SHARED), b.mapped(two, 4096, unix.MAP_SHARED)
		copy(m, "shared")
		same(b, "mapped", string(n[:6]), "shared")
	}},
	{"mmap/of two links of one file", HardLinks, func(b *box) {
		one := b.open("f", rw|mk, 0o644)
		b.ftruncate(one, 4096)
		b.link("f", "g")
		two := b.open("g", rw, 0)
		m, n := b.mapped(one, 4096, unix.MAP_SHARED), b.mapped(two, 4096, unix.MAP_SHARED)
		copy(m, "shared")
		same(b, "mapped", string(n[:6]), "shared")
	}},
	{"mmap/the rest of the last page is zero, and is not written", Tails, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "abc")
		mem := b.mapped(fd, 4096, unix.MAP_SHARED)
		same(b, "rest", string(mem[3:10]), zeros(7))
		copy(mem[100:], "beyond")
		b.ok("msync", unix.Msync(mem, unix.MS_SYNC))
		same(b, "size", b.fstat(fd).Size, 3)
		b.ftruncate(fd, 200)
		same(b, "content", b.all(fd), "abc"+zeros(197))
	}},
	{"mmap/a file that grows under its mapping", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.write(fd, "a")
		mem := b.mapped(fd, 16_384, unix.MAP_SHARED)
		b.pwrite(fd, "grown", 10_000)
		same(b, "mapped", string(mem[10_000:10_005]), "grown")
		copy(mem[5000:], "hole")
		same(b, "content", b.all(fd), "a"+zeros(4999)+"hole"+zeros(4996)+"grown")
	}},
	{"mmap/a file that is cut and grows again under its mapping", 0, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("x", 12_288), 0)
		mem := b.mapped(fd, 12_288, unix.MAP_SHARED)
		mem[0], mem[12_000] = 'X', 'Y'
		b.ftruncate(fd, 5000)
		b.ftruncate(fd, 12_288)
		same(b, "mapped", string(mem[4998:5003])+string(mem[12_000:12_003]), "xx"+zeros(6))
		same(b, "content", b.all(fd), "X"+strings.Repeat("x", 4999)+zeros(7288))
	}},
	{"mmap/punch a hole under a mapping", Holes | Fallocate, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("x", 16_384), 0)
		mem := b.mapped(fd, 16_384, unix.MAP_SHARED)
		mem[5000] = 'Y'
		b.fallocate(fd, punch, 4096, 8192)
		same(b, "mapped", string(mem[4095:4098]), "x"+zeros(2))
		same(b, "mapped", string(mem[5000:5001]), zeros(1))
		same(b, "content", b.all(fd), strings.Repeat("x", 4096)+zeros(8192)+strings.Repeat("x", 4096))
	}},
	{"mmap/copied by a read into itself", 0, func(b *box) {
		// A write whose source is the file's own mapping makes the kernel fault while it
		// holds pages of the file.
		fd := b.open("f", rw|mk, 0o644)
		b.pwrite(fd, strings.Repeat("0123456789abcdef", 4096), 0)
		b.ok("fsync", unix.Fsync(fd))
		b.ok("fadvise", unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
		mem := b.mapped(fd, 65_536, unix.MAP_SHARED)
		n, err := unix.Pwrite(fd, mem[32_768:], 0)
		b.ok("pwrite", err)
		same(b, "written", n, 32_768)
		same(b, "content", b.all(fd), strings.Repeat("0123456789abcdef", 4096))
	}},
	{"mmap/of a file to read only", 0, func(b *box) {
		b.file("f", "abc")
		fd := b.open("f", rd, 0)
		_, err := unix.Mmap(fd, 0, 3, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		b.fails("mmap", err, unix.EACCES)
		mem, err := unix.Mmap(fd, 0, 3, unix.PROT_READ, unix.MAP_SHARED)
		b.ok("mmap", err)
		same(b, "mapped", string(mem), "abc")
		b.ok("munmap", unix.Munmap(mem))
	}},
}
