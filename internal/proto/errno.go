package proto

import (
	"errors"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Error numbers travel as names. These differ between x/sys/unix and the wire,
// where of several names for one number a fixed one is used.
var wireAlias = map[string]string{
	"EDEADLK":     "EDEADLOCK",
	"EWOULDBLOCK": "EAGAIN",
	"EOPNOTSUPP":  "ENOTSUP",
}

// EHWPOISON is newer than the protocol's list, which ends at ENOTRECOVERABLE.
const lastErrno = 132

var (
	errnoName   [lastErrno + 1]string
	errnoNumber = map[string]syscall.Errno{}
)

func init() {
	for i := 1; i <= lastErrno; i++ {
		name := unix.ErrnoName(syscall.Errno(i))
		if a, ok := wireAlias[name]; ok {
			name = a
		}
		if name != "" {
			errnoName[i] = name
			errnoNumber[name] = syscall.Errno(i)
		}
	}
}

// ErrnoName is the name sent for an error number: empty for zero, EINVAL for a
// number the protocol does not know.
func ErrnoName(e syscall.Errno) string {
	if e == 0 {
		return ""
	}
	if int(e) > lastErrno || errnoName[e] == "" {
		return "EINVAL"
	}
	return errnoName[e]
}

// ErrnoNumber is the number of a received name: zero for none, EINVAL for one
// that is unknown.
func ErrnoNumber(name string) syscall.Errno {
	if name == "" {
		return 0
	}
	if n, ok := errnoNumber[name]; ok {
		return n
	}
	return syscall.EINVAL
}

// Strerror is the C locale's text for an error number. Go's texts are the same
// with a small first letter.
func Strerror(e syscall.Errno) string {
	s := e.Error()
	if s != "" && s[0] >= 'a' && s[0] <= 'z' {
		s = string(s[0]-'a'+'A') + s[1:]
	}
	return s
}

// ErrnoOf is the error number in an error, 0 if there is none.
func ErrnoOf(err error) (e syscall.Errno) {
	errors.As(err, &e)
	return e
}

// WithStrerror replaces Go's text of an error number at the end of a message by that of
// the C locale.
func WithStrerror(s string, e syscall.Errno) string {
	if text, ok := strings.CutSuffix(s, e.Error()); ok {
		return text + Strerror(e)
	}
	return s
}
