package fstest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Exercising is what Exercise does.
type Exercising struct {
	Seed   uint64        // what the operations follow from
	Most   int           // operations
	Length time.Duration // 0: as long as it takes
	Size   int           // of the file at most; 0: 300,000
	Two    bool          // two descriptors, whose operations mix, each in its turn
	Can    Can           // Holes, Fallocate, and whether it may be renamed and linked meanwhile
}

// Exercise does random operations on one file: reads and writes, through descriptors and through memory,
// with holes, changes of size, copies, and opening again. After each the file must be what a
// model in memory is. It returns how many were done, and leaves the file with what the model has.
func Exercise(t *testing.T, path string, o Exercising) (done int, content []byte) {
	t.Helper()
	if o.Size == 0 {
		o.Size = 300_000
	}
	x := &exercise{T: t, o: o, path: path, rng: rand.New(rand.NewPCG(o.Seed, 0)), page: unix.Getpagesize()}
	defer func() {
		for _, fd := range x.fds {
			unix.Close(fd)
		}
		if t.Failed() {
			t.Logf("seed %d; the last operations before %d:\n%s", o.Seed, done, strings.Join(x.log, "\n"))
		}
	}()
	x.fds = append(x.fds, x.open(unix.O_CREAT|unix.O_TRUNC))
	if o.Two {
		x.fds = append(x.fds, x.open(0))
	}
	begin := time.Now()
	for done < o.Most && (o.Length == 0 || time.Since(begin) < o.Length) {
		done++
		x.step()
		if done%200 == 0 {
			x.compare()
		}
	}
	x.compare()
	return done, x.model
}

type exercise struct {
	*testing.T
	o     Exercising
	path  string
	rng   *rand.Rand
	page  int
	fds   []int
	model []byte
	log   []string
	last  byte
}

// note keeps the last operations.
func (x *exercise) note(format string, args ...any) {
	const most = 30
	if len(x.log) == most {
		x.log = x.log[1:]
	}
	x.log = append(x.log, fmt.Sprintf(format, args...))
}

func (x *exercise) ok(what string, err error) {
	if x.Helper(); err != nil {
		x.Fatalf("%s: %v", what, err)
	}
}

func (x *exercise) open(flags int) int {
	fd, err := unix.Open(x.path, unix.O_RDWR|unix.O_CLOEXEC|flags, 0o644)
	x.ok("open", err)
	return fd
}

// fd is one of the descriptors.
func (x *exercise) fd() int { return x.fds[x.rng.IntN(len(x.fds))] }

// within is a range somewhere in a size, of up to 64 KB, often at pages' borders.
func (x *exercise) within(size int) (at, n int) {
	if size == 0 {
		return 0, 0
	}
	at = x.rng.IntN(size)
	if x.rng.IntN(4) == 0 {
		at &^= x.page - 1
	}
	n = 1 + x.rng.IntN(64<<10)
	switch x.rng.IntN(4) {
	case 0:
		n = 1 + x.rng.IntN(100)
	case 1:
		n = (n + x.page - 1) &^ (x.page - 1)
	}
	return at, min(n, size-at)
}

// fresh is new content, which says where and when it was written.
func (x *exercise) fresh(at, n int) []byte {
	x.last++
	b := make([]byte, n)
	for i := range b {
		b[i] = x.last ^ byte((at+i)>>3)
	}
	return b
}

// grow makes the model that long.
func (x *exercise) grow(size int) {
	if size > len(x.model) {
		x.model = append(x.model, make([]byte, size-len(x.model))...)
	}
}

func (x *exercise) put(b []byte, at int) {
	x.grow(at + len(b))
	copy(x.model[at:], b)
}

func (x *exercise) step() {
	size := len(x.model)
	fd := x.fd()
	which := -1
	for i, f := range x.fds {
		if f == fd {
			which = i
		}
	}
	switch op := x.rng.IntN(24); op {
	case 0, 1, 2, 3:
		at, n := x.within(size)
		x.note("%d: read %d at %d", which, n, at)
		x.expect(fd, at, n)
	case 4, 5, 6, 7, 8:
		at, n := x.within(x.o.Size)
		b := x.fresh(at, n)
		x.note("%d: write %d at %d", which, n, at)
		x.write(fd, b, at)
		x.put(b, at)
	case 9:
		n := 1 + x.rng.IntN(5000)
		if size+n > x.o.Size {
			return
		}
		b := x.fresh(size, n)
		x.note("append %d at %d", n, size)
		a := x.open(unix.O_APPEND)
		x.write(a, b, 0)
		x.ok("close", unix.Close(a))
		x.put(b, size)
	case 10, 11:
		to := x.rng.IntN(x.o.Size)
		if x.rng.IntN(2) == 0 && size > 0 {
			to = x.rng.IntN(size)
		}
		x.note("%d: truncate %d to %d", which, size, to)
		x.ok("ftruncate", unix.Ftruncate(fd, int64(to)))
		if to < size {
			x.model = x.model[:to:to] // what is cut off does not come back
		}
		x.grow(to)
	case 12, 13:
		x.mapped(which, fd, false)
	case 14, 15, 16:
		x.mapped(which, fd, true)
	case 17:
		if x.o.Can&Holes == 0 || x.o.Can&Fallocate == 0 {
			return
		}
		at, n := x.within(x.o.Size)
		x.note("%d: punch %d at %d", which, n, at)
		x.ok("punch", unix.Fallocate(fd, punch, int64(at), int64(n)))
		if at < size {
			clear(x.model[at:min(at+n, size)])
		}
	case 18:
		if x.o.Can&Fallocate == 0 {
			return
		}
		at, n := x.within(x.o.Size)
		mode := [...]uint32{0, unix.FALLOC_FL_KEEP_SIZE, unix.FALLOC_FL_ZERO_RANGE, unix.FALLOC_FL_ZERO_RANGE | unix.FALLOC_FL_KEEP_SIZE}[x.rng.IntN(4)]
		x.note("%d: fallocate %#x %d at %d", which, mode, n, at)
		err := unix.Fallocate(fd, mode, int64(at), int64(n))
		if err == unix.EOPNOTSUPP && mode&unix.FALLOC_FL_ZERO_RANGE != 0 {
			return
		}
		x.ok("fallocate", err)
		if mode&unix.FALLOC_FL_KEEP_SIZE == 0 {
			x.grow(at + n)
		}
		if mode&unix.FALLOC_FL_ZERO_RANGE != 0 && at < len(x.model) {
			clear(x.model[at:min(at+n, len(x.model))])
		}
	case 19:
		x.note("%d: close and open", which)
		x.ok("close", unix.Close(fd))
		x.fds[which] = x.open(0)
	case 20:
		x.copyRange(which, fd)
	case 21:
		x.note("%d: fsync", which)
		x.ok("fsync", unix.Fsync(fd))
	case 22:
		x.note("%d: fsync, drop the cache", which)
		x.ok("fsync", unix.Fsync(fd))
		x.ok("fadvise", unix.Fadvise(fd, 0, 0, unix.FADV_DONTNEED))
	case 23:
		x.data(which, fd)
	}
	var st unix.Stat_t
	x.ok("fstat", unix.Fstat(x.fd(), &st))
	if st.Size != int64(len(x.model)) {
		x.Fatalf("the file has %d bytes, and should have %d", st.Size, len(x.model))
	}
}

func (x *exercise) write(fd int, b []byte, at int) {
	x.Helper()
	for done := 0; done < len(b); {
		n, err := unix.Pwrite(fd, b[done:], int64(at+done))
		x.ok("pwrite", err)
		done += n
	}
}

// expect reads a range, and wants what the model has.
func (x *exercise) expect(fd, at, n int) {
	x.Helper()
	b := make([]byte, n)
	for done := 0; done < n; {
		k, err := unix.Pread(fd, b[done:], int64(at+done))
		x.ok("pread", err)
		if k == 0 {
			x.Fatalf("the file ends at %d, and should have %d bytes", at+done, len(x.model))
		}
		done += k
	}
	x.equal(b, at)
}

func (x *exercise) equal(b []byte, at int) {
	x.Helper()
	if want := x.model[at : at+len(b)]; !bytes.Equal(b, want) {
		x.Fatalf("from %d on: %s", at, difference(string(b), string(want)))
	}
}

// mapped reads or writes a range through memory.
func (x *exercise) mapped(which, fd int, write bool) {
	at, n := x.within(len(x.model))
	if n == 0 {
		return
	}
	base := at &^ (x.page - 1)
	mem, err := unix.Mmap(fd, int64(base), at-base+n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	x.ok("mmap", err)
	part := mem[at-base : at-base+n]
	if write {
		sync := x.rng.IntN(2) == 0
		x.note("%d: write %d at %d through memory, msync: %v", which, n, at, sync)
		b := x.fresh(at, n)
		copy(part, b)
		x.put(b, at)
		if sync {
			x.ok("msync", unix.Msync(mem, unix.MS_SYNC))
		}
	} else {
		x.note("%d: read %d at %d through memory", which, n, at)
		x.equal(part, at)
	}
	x.ok("munmap", unix.Munmap(mem))
}

// copyRange copies a range to elsewhere in the file.
func (x *exercise) copyRange(which, fd int) {
	from, n := x.within(len(x.model))
	to := x.rng.IntN(x.o.Size)
	n = min(n, x.o.Size-to)
	if n == 0 || from < to+n && to < from+n {
		return
	}
	out := x.fd()
	x.note("%d: copy_file_range %d from %d to %d", which, n, from, to)
	in, at := int64(from), int64(to)
	for left := n; left > 0; {
		k, err := unix.CopyFileRange(fd, &in, out, &at, left, 0)
		x.ok("copy_file_range", err)
		if k == 0 {
			x.Fatal("copy_file_range: the file ends too soon")
		}
		left -= k
	}
	x.put(append([]byte(nil), x.model[from:from+n]...), to)
}

// data asks for data from somewhere on: what is skipped must be zeros.
func (x *exercise) data(which, fd int) {
	if len(x.model) == 0 {
		return
	}
	from := x.rng.IntN(len(x.model))
	at, err := unix.Seek(fd, int64(from), unix.SEEK_DATA)
	x.note("%d: SEEK_DATA from %d: %d, %v", which, from, at, err)
	end := int(at)
	if err == unix.ENXIO {
		end = len(x.model)
	} else {
		x.ok("SEEK_DATA", err)
	}
	for i := from; i < end; i++ {
		if x.model[i] != 0 {
			x.Fatalf("SEEK_DATA from %d skips the data at %d", from, i)
		}
	}
}

// compare reads the whole file anew.
func (x *exercise) compare() {
	x.Helper()
	if x.o.Two { // the two go on as they are, and a third reads
		fd := x.open(0)
		defer unix.Close(fd)
		x.expect(fd, 0, len(x.model))
		return
	}
	x.ok("close", unix.Close(x.fds[0]))
	x.fds[0] = x.open(0)
	if x.rng.IntN(2) == 0 {
		x.ok("fsync", unix.Fsync(x.fds[0]))
		x.ok("fadvise", unix.Fadvise(x.fds[0], 0, 0, unix.FADV_DONTNEED))
	}
	x.expect(x.fds[0], 0, len(x.model))
}
