package fstest

import (
	"fmt"
	"sort"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setGroups sets the groups of the thread.
func setGroups(list []uint32) error {
	var first unsafe.Pointer
	if len(list) > 0 {
		first = unsafe.Pointer(&list[0])
	}
	if _, _, e := unix.RawSyscall(unix.SYS_SETGROUPS, uintptr(len(list)), uintptr(first), 0); e != 0 {
		return e
	}
	return nil
}

func procFD(fd int) string { return fmt.Sprintf("/proc/self/fd/%d", fd) }

// letters is a name made of a number: a, b, … z, ba, bb, …
func letters(i int) string {
	s := string(rune('a' + i%26))
	if i >= 26 {
		return letters(i/26) + s
	}
	return s
}

// entry is what getdents64(2) says of a name.
type entry struct {
	name string
	ino  uint64
	typ  byte
	next int64 // where to seek for what follows
}

// entries does one getdents64(2) with a buffer of the given size. The dots are left out, but for
// their offsets.
func (b *box) entries(fd, size int) []entry {
	b.Helper()
	buf := make([]byte, size)
	n, err := unix.Getdents(fd, buf)
	b.ok("getdents64", err)
	list := []entry{}
	for rec := buf[:n]; len(rec) > 0; {
		length := *(*uint16)(unsafe.Pointer(&rec[16]))
		list = append(list, entry{
			ino:  *(*uint64)(unsafe.Pointer(&rec[0])),
			next: *(*int64)(unsafe.Pointer(&rec[8])),
			typ:  rec[18],
			name: unix.ByteSliceToString(rec[19:length]),
		})
		rec = rec[length:]
	}
	return list
}

// rest is all that is left to read of a folder, in its order, without the dots.
func (b *box) rest(fd, size int) []entry {
	b.Helper()
	var all []entry
	for {
		list := b.entries(fd, size)
		if len(list) == 0 {
			return all
		}
		for _, e := range list {
			if e.name != "." && e.name != ".." {
				all = append(all, e)
			}
		}
	}
}

// listsNothing is for a folder that was removed: the kernel says so before it asks.
func (b *box) listsNothing(fd int) {
	b.Helper()
	if n, err := unix.Getdents(fd, make([]byte, 4096)); err != unix.ENOENT {
		b.Fatalf("getdents64: %d bytes, %s; want ENOENT", n, describe(err))
	}
}

// names lists a folder, sorted.
func (b *box) names(dir string) []string {
	b.Helper()
	fd := b.open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	defer b.close(fd)
	names := []string{}
	for _, e := range b.rest(fd, 32<<10) {
		names = append(names, e.name)
	}
	sort.Strings(names)
	return names
}

func digits(i int) string { return fmt.Sprint(i) }

// futimens sets times through a descriptor.
func futimens(fd int, atime, mtime unix.Timespec) error {
	ts := [2]unix.Timespec{atime, mtime}
	if _, _, e := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&ts)), 0, 0, 0); e != 0 {
		return e
	}
	return nil
}
