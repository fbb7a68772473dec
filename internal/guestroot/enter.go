package guestroot

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// Enter runs fn with the guest's root as the root directory, so that ordinary
// system calls on ordinary paths stay inside, with the kernel's own rules for
// links, dots and trailing slashes. It is for operations on names; to read or
// write content use Open.
//
// Only one thread changes its root: it leaves the others' file system context
// and dies with fn. Inside, /proc and /dev are the guest's (FDPath does not
// work), and no other goroutine that fn starts is inside.
func (r *Root) Enter(fn func() error) error {
	type outcome struct {
		err   error
		panic any
	}
	done := make(chan outcome, 1)
	offMainThread(func() {
		var o outcome
		defer func() {
			if p := recover(); p != nil {
				o.panic = fmt.Sprintf("%v\n%s", p, debug.Stack())
			}
			done <- o
		}()
		o.err = r.chroot()
		if o.err == nil {
			o.err = fn()
		}
	})
	o := <-done
	if o.panic != nil {
		panic(o.panic)
	}
	return o.err
}

func (r *Root) chroot() error {
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return err
	}
	if err := unix.Chroot(r.dir + "/"); err != nil {
		return err
	}
	return unix.Chdir("/")
}

// offMainThread runs fn on a thread that ends with it. The main thread is never
// taken: /proc/self shows the main thread's root and mounts.
func offMainThread(fn func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			fn() // still locked at the end: the thread is thrown away
			return
		}
		// While this goroutine holds the main thread, another cannot get it.
		done := make(chan struct{})
		offMainThread(func() { defer close(done); fn() })
		<-done
		runtime.UnlockOSThread()
	}()
}
