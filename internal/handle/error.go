package handle

import (
	"strings"
	"syscall"

	"gofish/guestfs/types"
	"gofish/internal/proto"
)

// The errors of calls.
type (
	CallError = types.Error
	LinkError = types.LinkError
)

// withStrerror replaces Go's text of an error number at the end of a message by
// the C locale's.
func withStrerror(s string, e syscall.Errno) string {
	if t, ok := strings.CutSuffix(s, e.Error()); ok {
		return t + proto.Strerror(e)
	}
	return s
}
