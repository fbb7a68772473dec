package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// kmsg listens to the kernel's log from a moment on (Documentation/ABI/testing/dev-kmsg).
type kmsg struct{ fd int }

func listenKmsg() *kmsg {
	fd, err := unix.Open("/dev/kmsg", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return &kmsg{-1}
	}
	unix.Seek(fd, 0, unix.SEEK_END)
	return &kmsg{fd}
}

func (k *kmsg) Close() { unix.Close(k.fd) }

// Levels of the kernel's messages; the number in a record has others above its 3 bits.
const (
	kmsgWarning = 4
	kmsgLevel   = 7
)

// about returns the first warnings and errors, of what was logged since, about a block
// device, or else about a type of file system.
func (k *kmsg) about(device, fstype string) []string {
	const most = 3
	var ofDevice, ofType []string
	buf := make([]byte, 8192) // a record is no larger
	for {
		n, err := unix.Read(k.fd, buf)
		if err == unix.EPIPE || err == unix.EINTR {
			continue // records were overwritten before we came to them
		}
		if err != nil || n <= 0 {
			break
		}
		level, text, ok := parseKmsg(string(buf[:n]))
		// What ends in a colon says something in other records only, such as bytes.
		if !ok || level&kmsgLevel > kmsgWarning || strings.HasSuffix(text, ":") {
			continue
		}
		switch {
		case slices.Contains(ofDevice, text) || slices.Contains(ofType, text):
		case hasWord(text, device):
			ofDevice = append(ofDevice, text)
		case fstype != "" && strings.Contains(strings.ToLower(text), fstype):
			ofType = append(ofType, text)
		}
	}
	if len(ofDevice) == 0 {
		ofDevice = ofType
	}
	return ofDevice[:min(most, len(ofDevice))]
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

// hasWord reports whether a text has a word with neither letters nor digits beside it.
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

// hearing listens for what the kernel says of the file system that a directory is on, until
// heard tells it: some file systems go on after a block that cannot be read, and what is
// in it is missing without an error.
func (d *Daemon) hearing(dir *os.File, path Path) (heard func()) {
	var st unix.Stat_t
	if unix.Fstat(int(dir.Fd()), &st) != nil {
		return func() {}
	}
	to, err := os.Readlink(fmt.Sprintf("/sys/dev/block/%d:%d", unix.Major(uint64(st.Dev)), unix.Minor(uint64(st.Dev))))
	if err != nil {
		return func() {} // on no device of its own
	}
	device := filepath.Base(to)
	kernel := listenKmsg()
	return func() {
		defer kernel.Close()
		if said := kernel.about(device, ""); len(said) > 0 {
			d.warn("%s: something may be missing: the kernel says: %s", path, strings.Join(said, "; "))
		}
	}
}
