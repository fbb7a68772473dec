package daemon

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
	"gofish/internal/guestroot"
)

// watcher is the one inotify(7) queue that a daemon has.
type watcher struct{ fd int }

func (d *Daemon) watching() (int, error) {
	if d.inotify == nil {
		return -1, errors.New("you must call 'inotify_init' first to initialize inotify")
	}
	return d.inotify.fd, nil
}

func (d Actions) InotifyInit(maxevents int) error {
	if !d.mounted() {
		return errNotMounted
	}
	if maxevents < 0 {
		return errors.New("max_events < 0")
	}
	if maxevents > 0 {
		const limit = "/proc/sys/fs/inotify/max_queued_events"
		if err := writeSys(limit, fmt.Sprint(maxevents)); err != nil {
			return wrap(err, "%s", limit)
		}
	}
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return err
	}
	if d.inotify != nil {
		unix.Close(d.inotify.fd)
	}
	d.inotify = &watcher{fd}
	return nil
}

func (d Actions) InotifyClose() error {
	fd, err := d.watching()
	if err != nil {
		return err
	}
	d.inotify = nil
	return unix.Close(fd)
}

func (d Actions) InotifyAddWatch(path Path, mask int) (int64, error) {
	fd, err := d.watching()
	if err != nil {
		return 0, err
	}
	f, err := d.root.Handle(path, mask&unix.IN_DONT_FOLLOW != 0)
	if err != nil {
		return 0, wrap(err, "%s", path)
	}
	defer f.Close()
	wd, err := unix.InotifyAddWatch(fd, guestroot.FDPath(f), uint32(mask)&^uint32(unix.IN_DONT_FOLLOW))
	return int64(wd), wrap(err, "%s", path)
}

func (d Actions) InotifyRmWatch(wd int) error {
	fd, err := d.watching()
	if err != nil {
		return err
	}
	_, err = unix.InotifyRmWatch(fd, uint32(wd))
	return wrap(err, "%d", wd)
}

// mostEvents keeps a reply within one message.
const mostEvents = 1 << 20

func (d Actions) InotifyRead() ([]api.InotifyEvent, error) {
	fd, err := d.watching()
	if err != nil {
		return nil, err
	}
	events := []api.InotifyEvent{}
	buf := make([]byte, 64<<10)
	for total := 0; total < mostEvents; {
		n, err := unix.Read(fd, buf)
		if err == unix.EAGAIN || n == 0 && err == nil {
			break
		}
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		total += n
		events = append(events, parseInotify(buf[:n])...)
	}
	return events, nil
}

// parseInotify parses the result of a read: watch, mask, cookie and the length of
// the name that follows, filled up with zeroes (inotify(7)).
func parseInotify(b []byte) []api.InotifyEvent {
	var l []api.InotifyEvent
	for len(b) >= unix.SizeofInotifyEvent {
		n := int(binary.NativeEndian.Uint32(b[12:]))
		if n < 0 || n > len(b)-unix.SizeofInotifyEvent {
			break
		}
		name, _, _ := strings.Cut(string(b[unix.SizeofInotifyEvent:unix.SizeofInotifyEvent+n]), "\x00")
		l = append(l, api.InotifyEvent{
			Wd: int64(int32(binary.NativeEndian.Uint32(b))), Mask: binary.NativeEndian.Uint32(b[4:]),
			Cookie: binary.NativeEndian.Uint32(b[8:]), Name: name,
		})
		b = b[unix.SizeofInotifyEvent+n:]
	}
	return l
}

// InotifyFiles is the names of InotifyRead, each once.
func (d Actions) InotifyFiles() ([]string, error) {
	if _, err := d.watching(); err != nil {
		return nil, err
	}
	events, err := d.InotifyRead()
	names := map[string]bool{}
	for _, e := range events {
		if e.Name != "" {
			names[e.Name] = true
		}
	}
	l := []string{}
	for n := range names {
		l = append(l, n)
	}
	sort.Strings(l)
	return l, err
}
