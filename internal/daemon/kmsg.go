package daemon

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
)

// kmsg listens to the kernel's log from a given moment on (Documentation/ABI/testing/dev-kmsg).
type kmsg struct{ fd int }

func listenKmsg() *kmsg {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return &kmsg{-1}
	}
	k := &kmsg{fd}
	k.forget()
	return k
}

// forget skips what was logged so far.
func (k *kmsg) forget() { unix.Seek(k.fd, 0, unix.SEEK_END) }

func (k *kmsg) Close() { unix.Close(k.fd) }

// Levels of the kernel's messages; the number in a record has others above its 3 bits.
const (
	kmsgError   = 3
	kmsgWarning = 4
	kmsgLevel   = 7
)

// each passes on the warnings and errors that were logged since, with their levels.
func (k *kmsg) each(fn func(level int, text string)) {
	buf := make([]byte, 8192) // a record is never larger
	for {
		n, err := unix.Read(k.fd, buf)
		if err == unix.EPIPE || err == unix.EINTR {
			continue // records were overwritten before they were read
		}
		if err != nil || n <= 0 {
			return
		}
		level, text, ok := parseKmsg(string(buf[:n]))
		level &= kmsgLevel
		// A record that ends in a colon only introduces others, such as a dump of bytes.
		if ok && level <= kmsgWarning && !strings.HasSuffix(text, ":") {
			fn(level, text)
		}
	}
}

// kmsgMost is how many of the kernel's messages are reported.
const kmsgMost = 3

// about returns the first warnings and errors, of what was logged since, about a block
// device, or else about a type of file system.
func (k *kmsg) about(device, fstype string) []string {
	var ofDevice, ofType []string
	k.each(func(_ int, text string) {
		switch {
		case hasWord(text, device):
			ofDevice = addNew(ofDevice, text)
		case fstype != "" && strings.Contains(strings.ToLower(text), fstype):
			ofType = addNew(ofType, text)
		}
	})
	if len(ofDevice) == 0 {
		return ofType
	}
	return ofDevice
}

// addNew adds one of the first few different texts.
func addNew(l []string, text string) []string {
	if len(l) < kmsgMost && !slices.Contains(l, text) {
		l = append(l, text)
	}
	return l
}

// parseKmsg takes a record apart: LEVEL,NUMBER,TIME,FLAGS;TEXT, and lines that begin
// with a blank.
func parseKmsg(record string) (level int, text string, ok bool) {
	head, text, ok := strings.Cut(record, ";")
	number, _, _ := strings.Cut(head, ",")
	level, err := strconv.Atoi(number)
	text, _, _ = strings.Cut(text, "\n")
	text, _, _ = strings.Cut(text, `\x0a`) // a line break within a message
	return level, strings.TrimSpace(text), ok && err == nil
}

// renamed replaces a device's name in a message of the kernel.
func renamed(text, device, shown string) string {
	word := regexp.MustCompile(`\b` + regexp.QuoteMeta(device) + `\b`)
	return word.ReplaceAllLiteralString(text, strings.TrimPrefix(shown, "/dev/"))
}

// hasWord reports whether a text contains a word that is not part of a longer one.
func hasWord(text, word string) bool {
	part := func(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
	for i := 0; ; {
		j := strings.Index(text[i:], word)
		if j < 0 || word == "" {
			return false
		}
		from, to := i+j, i+j+len(word)
		if (from == 0 || !part(text[from-1])) && (to == len(text) || !part(text[to])) {
			return true
		}
		i = to
	}
}

// Some file systems continue after a block of a directory that cannot be read or makes
// no sense: its names are missing, without an error for the reader, whether a tool or this
// program. Only the kernel's log says so. So every call is followed by a look at that.

// damage is what the kernel has logged about the mounted file systems during a call.
type damage struct {
	said []string
	lost bool // something that was read is not complete
}

// heard reports the damage that was logged during a call. It makes a call fail that should
// copy everything; a listing is useful even if it is incomplete.
func (d *Daemon) heard(a *api.Action, args []any, err error) error {
	found := d.damage() // always: the next call must not hear of this one
	if err != nil || takesDevice(a) || len(found.said) == 0 {
		return err
	}
	about := ""
	if path := firstPath(args); path != "" {
		about = path + ": "
	}
	said := strings.Join(found.said, "; ")
	if a.Whole && found.lost {
		return fmt.Errorf("%snot all of it could be read, what was made is incomplete: the kernel says: %s", about, said)
	}
	d.warn("%ssomething may be missing: the kernel says: %s", about, said)
	return nil
}

// firstPath is the first of a call's arguments that is a path of the guest.
func firstPath(args []any) string {
	for _, arg := range args {
		path := ""
		switch v := arg.(type) {
		case Path:
			path = string(v)
		case string: // tar_out and similar actions
			path = v
		case DevOrPath:
			path = string(v.Path)
		case MountableOrPath:
			path = string(v.Path)
		}
		if strings.HasPrefix(path, "/") {
			return path
		}
	}
	return ""
}

// takesDevice reports whether an action is about a device rather than mounted files.
func takesDevice(a *api.Action) bool {
	return slices.ContainsFunc(a.Args, func(p api.Param) bool {
		return p.Kind == api.KDevice || p.Kind == api.KDeviceList || p.Kind == api.KMountable
	})
}

func (d *Daemon) damage() (found damage) {
	var shown map[string]string // of mounted devices, by their kernel names
	d.kernel.each(func(level int, text string) {
		if shown == nil {
			shown = d.mountedDevices()
		}
		for device, name := range shown {
			if !hasWord(text, device) {
				continue
			}
			// A sector that is only read ahead may fail, and btrfs returns an error to
			// the reader of data that it cannot repair.
			if level <= kmsgError && !strings.HasPrefix(text, "I/O error, dev ") && !strings.HasPrefix(text, "BTRFS ") {
				found.lost = true
			}
			found.said = addNew(found.said, guestNames(renamed(text, device, name)))
			return
		}
	})
	return found
}

// mountedDevices are the devices of the mounted file systems as the client names them,
// by the names that the kernel gives them in its log.
func (d *Daemon) mountedDevices() map[string]string {
	devices := map[string]string{}
	l, _ := d.mountsBelow()
	for _, m := range l {
		if name := kernelName(m.Source); name != "" {
			devices[name] = d.shownDevice(Device(volumeName(m.Source)))
		}
	}
	return devices
}

// tellAllErrors makes ext4 log every error: it suppresses the 11th within 5 seconds,
// and a later call would not see its own.
func tellAllErrors(device string) {
	for _, kind := range []string{"err", "warning"} {
		os.WriteFile("/sys/fs/ext4/"+kernelName(device)+"/"+kind+"_ratelimit_interval_ms", []byte("0"), 0)
	}
}
