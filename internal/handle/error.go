package handle

import (
	"strings"
	"syscall"

	"gofish/internal/proto"
)

// CallError says that an action failed: the handle is as usable as before.
type CallError struct {
	Action string // name of the action, empty if the text stands alone
	Errno  syscall.Errno
	Text   string
	Lines  bool  // the text is one of our own, with line ends
	Cause  error // of a reader or writer of the caller's
}

func (e *CallError) Error() string {
	if e.Action == "" {
		return e.Text
	}
	return e.Action + ": " + e.Text
}

// Unwrap gives the error number, or the cause, to errors.Is.
func (e *CallError) Unwrap() error {
	switch {
	case e.Cause != nil:
		return e.Cause
	case e.Errno != 0:
		return e.Errno
	}
	return nil
}

// LinkError says that the connection to the daemon is lost or out of step. The
// handle has gone back to the config state.
type LinkError struct{ Text string }

func (e *LinkError) Error() string { return e.Text }

// withStrerror replaces Go's text of an error number at the end of a message by
// the C locale's.
func withStrerror(s string, e syscall.Errno) string {
	if t, ok := strings.CutSuffix(s, e.Error()); ok {
		return t + proto.Strerror(e)
	}
	return s
}
