package handle

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gofish/internal/api"
)

const (
	// standstill is how long a call may go without a sign of life. A guest that works,
	// however slowly, gives some.
	standstill = 10 * time.Minute
	// closeTime is the same for calls made while the appliance is shut down.
	closeTime = 8 * time.Second
	// socketCloseTime is the same for a daemon at the other end of a socket, where only the
	// traffic is visible.
	socketCloseTime = 10 * time.Second
	// spinTime is how long it may compute without moving data: writing back may take time,
	// but a kernel that spins is not waited for.
	spinTime = 30 * time.Second
)

// watch ends the appliance when a call stands still: no byte has come or gone, and,
// unless the caller has set the limit, qemu has neither computed nor moved data. rests says
// that the call may have to wait for another program of the host.
func (h *Handle) watch(a *api.Action, l *link, rests bool) (stop func()) {
	limit, strict := h.Settings.timeout()
	closing := l.closing
	switch {
	case closing:
		limit, strict = closeTime, false
	case strict && limit == 0, !strict && (rests || a.Rests):
		return func() {}
	}
	pid := 0
	if l.vm != nil {
		pid = l.vm.PID
	}
	switch {
	case closing && l.vm == nil:
		limit = socketCloseTime
	case !strict && !isQemu(pid):
		return func() {} // behind a socket or a wrapper, nothing is known
	}
	done := make(chan struct{})
	go func() {
		const interval = 500 * time.Millisecond
		tick := time.NewTicker(interval)
		defer tick.Stop()
		w := activity{pid: pid}
		last := time.Now()
		lastMoved := last
		moved := l.conn.Moved()
		for {
			select {
			case <-done:
				return
			case now := <-tick.C:
				computes, moves := w.sample()
				if n := l.conn.Moved(); moves || n != moved {
					moved, last, lastMoved = n, now, now
				} else if computes && !strict {
					last = now
				}
				if closing && now.Sub(lastMoved) >= spinTime {
					limit, last = spinTime, lastMoved
				}
				if now.Sub(last) >= limit {
					l.stalled.Store(&limit)
					l.abort()
					return
				}
			}
		}
	}()
	return func() { close(done) }
}

// stallText is the error for a call that was given up.
func stallText(limit time.Duration) string {
	return fmt.Sprintf("the appliance did not move for %v and was given up (--timeout or GOFISH_TIMEOUT, in seconds, change that)", limit)
}

// timeout is how long a call may stand still, and whether that was set; 0: forever.
func (s *Settings) timeout() (limit time.Duration, set bool) {
	if v, ok := s.setting("timeout"); ok {
		if d, err := parseTimeout(v); err == nil {
			return d, true
		}
	}
	if s.Timeout != nil {
		return *s.Timeout, true
	}
	return standstill, false
}

func parseTimeout(s string) (time.Duration, error) {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n < 0 || n > 1e9 {
		return 0, fmt.Errorf("timeout: %q is not a number of seconds", s)
	}
	return time.Duration(n * float64(time.Second)), nil
}

// activity finds out whether a qemu is working. It looks at a window of samples: idle, qemu wakes
// up now and then too.
type activity struct {
	pid  int
	busy []bool
	io   int64
}

// sample is called at regular intervals.
func (w *activity) sample() (computes, moves bool) {
	const (
		window = 10
		most   = 3        // samples in which an idle one may be running
		bytes  = 64 << 10 // that it may read and write in that time
	)
	if w.pid == 0 {
		return false, false
	}
	w.busy = append(w.busy, running(w.pid))
	if len(w.busy) < window {
		return false, false
	}
	n := 0
	for _, b := range w.busy {
		if b {
			n++
		}
	}
	w.busy = w.busy[:0]
	io := ioBytes(w.pid)
	moves = io-w.io > bytes
	w.io = io
	return n > most, moves
}

// isQemu reports whether a process is a qemu, not a wrapper around one.
func isQemu(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return err == nil && bytes.Contains(b, []byte("qemu"))
}

// running reports whether a thread of a process computes or waits for a processor.
func running(pid int) bool {
	stats, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	for _, name := range stats {
		b, _ := os.ReadFile(name)
		// PID (NAME) STATE …, and the name may hold anything.
		if _, rest, ok := bytes.Cut(b[bytes.LastIndexByte(b, ')')+1:], []byte(" ")); ok && len(rest) > 0 && rest[0] == 'R' {
			return true
		}
	}
	return false
}

// ioBytes is how many bytes a process has read and written.
func ioBytes(pid int) (sum int64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	for _, line := range strings.Split(string(b), "\n") {
		if name, v, ok := strings.Cut(line, ": "); ok && (name == "rchar" || name == "wchar") {
			n, _ := strconv.ParseInt(v, 10, 64)
			sum += n
		}
	}
	return sum
}
