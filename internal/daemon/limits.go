package daemon

import (
	"errors"
	"fmt"

	"gofish/internal/proto"
)

// What fits into a message of the protocol.

// errTooLarge is the error of a result that no reply can hold.
var errTooLarge = errors.New("the result is too large for one message, of 4 MB at most")

// addSize adds to the size of a result and refuses one that no message can hold.
func addSize(size *int, n int) error {
	if *size += n; *size > proto.MaxMessage {
		return errTooLarge
	}
	return nil
}

// checkRange refuses a part of a file or device that cannot be read in one message.
func checkRange(name string, count int, offset int64) error {
	switch {
	case count < 0:
		return errors.New("count is negative")
	case offset < 0:
		return errors.New("offset is negative")
	case count >= proto.MaxMessage:
		return fmt.Errorf("%s: count is too large for the protocol, use smaller reads", name)
	}
	return nil
}
