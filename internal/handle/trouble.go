package handle

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// hostTrouble says what went wrong on the host's side of the drives since it was asked
// last, empty if nothing: the guest only sees that a request failed. With lostOnly it
// speaks of writes alone.
func (h *Handle) hostTrouble(lostOnly bool) string {
	if h.link == nil || h.link.vm == nil {
		return ""
	}
	var l []string
	told := map[int]bool{}
	for _, e := range h.link.vm.IOErrors() {
		if told[e.Target] || lostOnly && !e.Write {
			continue
		}
		for _, d := range h.drives {
			if d.target != e.Target {
				continue
			}
			told[e.Target] = true
			l = append(l, d.trouble(e.Write, e.NoSpace, e.Reason, h.Settings.tmpDir()))
		}
	}
	return strings.Join(l, "; ")
}

// trouble says what the host could not do for a drive. tmp is where overlays are.
func (d *Drive) trouble(write, noSpace bool, reason, tmp string) string {
	what, dir := d.title(), filepath.Dir(d.abs)
	switch {
	case d.Scratch > 0:
		what, dir = "a scratch drive", tmp
	case d.ReadOnly && write:
		what, dir = "the overlay for changes to "+what, tmp
	}
	switch {
	case noSpace:
		return fmt.Sprintf("%s: the host's disk is full: make room in %s", what, dir)
	case write:
		return fmt.Sprintf("%s: the host could not write to it: %s", what, reason)
	}
	return fmt.Sprintf("%s: the host could not read it: %s", what, reason)
}

// join adds a reason to an error that may be nil.
func join(err error, why string) error {
	if err == nil {
		return &CallError{Text: why + " (what was written last is lost)"}
	}
	var ce *CallError
	if errors.As(err, &ce) {
		ce.Text += ": " + why
	}
	return err
}
