package handle

import (
	"gofish/guestfs/types"
)

// The errors of calls.
type (
	CallError = types.Error
	LinkError = types.LinkError
)
