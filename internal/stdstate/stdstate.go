// Package stdstate keeps closed standard streams closed. Go's runtime opens /dev/null in their
// place before any code of a program runs: what is written there is lost without an error, and what
// is read there passes for an empty file.
//
// The linker has to be told to begin at this package's entry point: -ldflags '-E gofish_start'.
// Otherwise it is a guess for standard input, and the others count as open.
package stdstate

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// closed has a bit for each of the descriptors 0 to 2, and one that says that it was set. The
// entry point does it, before the runtime's.
var closed uint8

const asked = 1 << 3

// Closed reports whether a standard stream was closed when the program was started.
func Closed(fd int) bool {
	if closed&asked == 0 && fd == 0 {
		return LooksClosed(0)
	}
	return closed>>fd&1 != 0
}

// LooksClosed guesses whether a descriptor, which may come from another program, stands for a
// closed standard input: it is /dev/null and can be written. Few open it like that.
func LooksClosed(fd int) bool {
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return true
	}
	var st unix.Stat_t
	null := unix.Fstat(fd, &st) == nil && st.Mode&unix.S_IFMT == unix.S_IFCHR && st.Rdev == unix.Mkdev(1, 3)
	return null && flags&unix.O_ACCMODE != unix.O_RDONLY
}

// A descriptor that is only open the wrong way round fails as a closed one does: EBADF.
func init() {
	if os.Getpid() == 1 {
		return // a kernel without a console starts it like that
	}
	for fd, mode := range []int{os.O_WRONLY, os.O_RDONLY} {
		if closed>>fd&1 == 0 {
			continue
		}
		if null, err := syscall.Open(os.DevNull, mode|syscall.O_CLOEXEC, 0); err == nil {
			syscall.Dup3(null, fd, 0)
			syscall.Close(null)
		}
	}
}
