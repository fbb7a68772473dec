package types

import (
	"errors"
	"syscall"
)

// Causes of errors, for errors.Is.
var (
	ErrNotLaunched = errors.New("the appliance has not been launched")
	ErrNoDrives    = errors.New("no drive has been added")
)

// Error is the error of an action that failed. The handle is as usable as before.
type Error struct {
	Action string        // the action's name in the catalogue, such as "mkdir_p"; empty if Text stands alone
	Errno  syscall.Errno // of the guest's kernel; 0 if there is none
	Text   string
	Cause  error // the error of a reader or writer that was given, if that failed
	Lines  bool  // Text has several lines
}

func (e *Error) Error() string {
	if e.Action == "" {
		return e.Text
	}
	return e.Action + ": " + e.Text
}

// Unwrap gives the cause, or else the error number, so that errors.Is finds
// fs.ErrNotExist and its like.
func (e *Error) Unwrap() error {
	switch {
	case e.Cause != nil:
		return e.Cause
	case e.Errno != 0:
		return e.Errno
	}
	return nil
}

// Is makes errors.Is find the error number beside a cause: a call that was cancelled is
// both EINTR and the error of its context.
func (e *Error) Is(target error) bool {
	return e.Errno != 0 && (target == error(e.Errno) || e.Errno.Is(target))
}

// LinkError says that the connection to the appliance is lost, and why. The handle is
// back where it was before Launch, without its drives, unless it was given up because it
// did not heed a cancelled context.
type LinkError struct {
	Action string // the action that found it, as in [Error]
	Text   string
}

func (e *LinkError) Error() string {
	if e.Action == "" {
		return e.Text
	}
	return e.Action + ": " + e.Text
}
