package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"github.com/ebitengine/purego"
	"golang.org/x/sys/unix"
)

// clib is a loaded C library.
type clib struct {
	handle  uintptr
	symbols map[string]uintptr
}

// load opens the first library of names that exists.
func load(names ...string) (*clib, error) {
	var first error
	for _, name := range names {
		h, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err == nil {
			return &clib{handle: h, symbols: map[string]uintptr{}}, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, fmt.Errorf("a library cannot be loaded: %w", first)
}

// address finds a symbol; that of a function or of data.
func (l *clib) address(symbol string) uintptr {
	p, known := l.symbols[symbol]
	if !known {
		var err error
		if p, err = purego.Dlsym(l.handle, symbol); err != nil {
			panic(err) // the library is older or newer than its name says
		}
		l.symbols[symbol] = p
	}
	return p
}

// call calls a function of C with integers, booleans, texts (char *, NULL for a nil
// *string), bytes (their address) and pointers to Go values. It returns what a function
// leaves in its register, and errno.
func (l *clib) call(symbol string, args ...any) (uintptr, syscall.Errno) {
	words := make([]uintptr, len(args))
	var pin runtime.Pinner
	defer pin.Unpin()
	text := func(s string) uintptr {
		b := append([]byte(s), 0)
		pin.Pin(&b[0])
		return uintptr(unsafe.Pointer(&b[0]))
	}
	for i, a := range args {
		switch a := a.(type) {
		case uintptr:
			words[i] = a
		case int:
			words[i] = uintptr(a)
		case int64:
			words[i] = uintptr(a)
		case uint64:
			words[i] = uintptr(a)
		case bool:
			if a {
				words[i] = 1
			}
		case string:
			words[i] = text(a)
		case *string:
			if a != nil {
				words[i] = text(*a)
			}
		case *uintptr:
			pin.Pin(a)
			words[i] = uintptr(unsafe.Pointer(a))
		case *int32:
			pin.Pin(a)
			words[i] = uintptr(unsafe.Pointer(a))
		case *uint64:
			pin.Pin(a)
			words[i] = uintptr(unsafe.Pointer(a))
		case []byte:
			if len(a) > 0 {
				pin.Pin(&a[0])
				words[i] = uintptr(unsafe.Pointer(&a[0]))
			}
		case nil:
		default:
			panic(fmt.Sprintf("%s: argument %d is a %T", symbol, i, a))
		}
	}
	errno := l.errno()
	*errno = 0
	r, _, _ := purego.SyscallN(l.address(symbol), words...)
	return r, syscall.Errno(*errno)
}

// errno is where this thread's error number is.
func (l *clib) errno() *int32 {
	p, _, _ := purego.SyscallN(l.address("__errno_location"))
	return (*int32)(at(p))
}

// number calls a function that returns an int.
func (l *clib) number(symbol string, args ...any) (int, syscall.Errno) {
	r, errno := l.call(symbol, args...)
	return int(int32(r)), errno
}

// at is the memory at an address of C.
func at(p uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&p)) }

// word reads the word at an address.
func word(p uintptr) uintptr { return *(*uintptr)(at(p)) }

// bytesAt copies n bytes.
func bytesAt(p uintptr, n int) []byte {
	if p == 0 || n <= 0 {
		return []byte{}
	}
	return bytes.Clone(unsafe.Slice((*byte)(at(p)), n))
}

// textAt copies a text; NULL is empty.
func textAt(p uintptr) string {
	if p == 0 {
		return ""
	}
	n := 0
	for *(*byte)(at(p + uintptr(n))) != 0 {
		n++
	}
	return string(bytesAt(p, n))
}

// takeText copies a text that the caller owns, and frees it.
func (l *clib) takeText(p uintptr) string {
	s := textAt(p)
	l.call("free", p)
	return s
}

// guest is where the guest's files are.
type guest struct{ sysroot string }

// inside runs fn, which calls a library that opens files by their names, with the
// guest's root as root directory: links stay in the guest. The library must not load
// anything (plug-ins, conversions of text) while it is inside.
func (g *guest) inside(fn func()) error {
	old, err := unix.Open("/", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(old)
	if err := unix.Chroot(g.sysroot + "/"); err != nil {
		return fmt.Errorf("chroot: %w", err)
	}
	unix.Chdir("/")
	defer func() {
		if err := errors.Join(unix.Fchdir(old), unix.Chroot("."), unix.Chdir("/")); err != nil {
			fmt.Fprintln(os.Stderr, "libserver: cannot leave the guest:", err)
			os.Exit(1)
		}
	}()
	fn()
	return nil
}

const wordSize = unsafe.Sizeof(uintptr(0))

// object is what a library has open between calls: a tree, a hive, a journal. p is 0
// while there is none.
type object struct {
	*clib
	guest  *guest
	p      uintptr
	closer string // the function that closes it
	none   error  // the error of a call that needs one
}

func (o *object) close() {
	if o.p != 0 {
		o.call(o.closer, o.p)
		o.p = 0
	}
}

// end is close for an action: it fails if nothing is open.
func (o *object) end() error {
	if o.p == 0 {
		return o.none
	}
	o.close()
	return nil
}
