package daemon

import (
	"errors"
	"fmt"

	"gofish/internal/proto"
)

// What fits into a message of the protocol.

// tooLarge is the error of a result that no reply to the current call can hold.
func (d *Daemon) tooLarge() error {
	return fmt.Errorf("the result is too large for one message, of %d MB at most", d.maxResult>>20)
}

// addSize adds to the size of a result and refuses one that no reply can hold.
func (d *Daemon) addSize(size *int, n int) error {
	if *size += n; *size > d.maxResult {
		return d.tooLarge()
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
