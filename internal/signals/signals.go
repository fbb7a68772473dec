// Package signals ends a program in order when a signal asks it to.
package signals

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Stopped is the cause of a context that a signal has ended.
type Stopped struct{ syscall.Signal }

func (s Stopped) Error() string {
	return fmt.Sprintf("stopped by signal %d (%v)", int(s.Signal), s.Signal)
}

// ExitStatus is the status that shells give to a program which a signal has ended.
func (s Stopped) ExitStatus() int { return 128 + int(s.Signal) }

// patience is how long further signals mean the same as the first: a terminal sends them to
// several processes, and these may pass them on.
const patience = time.Second

// Context ends when a signal asks the program to end. A later one ends it at once. release
// frees what it takes.
func Context() (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		select {
		case s := <-c:
			time.AfterFunc(patience, func() { signal.Stop(c) })
			cancel(Stopped{s.(syscall.Signal)})
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil); signal.Stop(c) }
}
