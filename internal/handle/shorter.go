package handle

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// hostFile is a file of the host that a drive is made of: the image, and what that names.
type hostFile struct {
	path  string
	id    fileID
	size  int64
	short string // what has become of it, empty while it is as long as it was
}

// errShorter is the cause of errors about an image that has become shorter.
var errShorter = errors.New("shorter")

// shorter says which file of a drive has become shorter since it was opened, empty if none.
// qemu reads zeroes beyond the end of it and takes what is written there, so that no call
// fails by itself. It is checked before a call too, as what is written then may make it
// long again.
func (h *Handle) shorter(writableOnly bool) string {
	for _, d := range h.drives {
		if d.ReadOnly && writableOnly {
			continue
		}
		for i := range d.files {
			f := &d.files[i]
			var st unix.Stat_t
			if unix.Stat(f.path, &st) != nil || f.id != (fileID{st.Dev, st.Ino}) {
				st.Size = f.size // qemu has the one that had the name
			}
			if f.short == "" && st.Size < f.size {
				f.short = fmt.Sprintf("%s has become shorter while it was open, from %d to %d bytes: what was read or written since may be wrong or lost", d.called(f), f.size, st.Size)
			}
			if f.short != "" {
				return f.short
			}
			f.size = max(f.size, st.Size)
		}
	}
	return ""
}

// called is how messages call a file of a drive.
func (d *Drive) called(f *hostFile) string {
	if f.path == d.abs {
		return d.Name
	}
	return fmt.Sprintf("%s, which is a part of %s,", f.path, d.Name)
}

// withShorter is the error of a call after which an image was found shorter; err is what the
// call itself says.
func (h *Handle) withShorter(err error, writableOnly bool) error {
	if errors.Is(err, errShorter) || errors.As(err, new(*LinkError)) {
		return err
	}
	why := h.shorter(writableOnly)
	if why == "" {
		return err
	}
	e := CallError{Errno: syscall.EIO, Text: why}
	if ce := new(CallError); errors.As(err, &ce) {
		e = *ce
		e.Text += ": " + why
	} else if err != nil {
		e.Text = err.Error() + ": " + why
	}
	if e.Cause == nil {
		e.Cause = errShorter
	}
	return &e
}

// sized takes the sizes of files again that qemu may have mended as it opened them.
func (d *Drive) sized() {
	for i := range d.files {
		var st unix.Stat_t
		if f := &d.files[i]; !d.ReadOnly && unix.Stat(f.path, &st) == nil && f.id == (fileID{st.Dev, st.Ino}) {
			f.size = st.Size
		}
	}
}

// warnOfGone warns about files that no longer have the name by which a drive was opened for
// writing: what was written cannot be found there.
func (h *Handle) warnOfGone(d *Drive) {
	for i := range d.files {
		f := &d.files[i]
		var st unix.Stat_t
		err := unix.Stat(f.path, &st)
		gone := errors.Is(err, unix.ENOENT) || err == nil && f.id != (fileID{st.Dev, st.Ino})
		if !d.ReadOnly && gone {
			h.Warn("%s was removed, renamed or replaced while it was open: what was written to it is in the file that had this name, and lost if that is gone", d.called(f))
		}
	}
}
