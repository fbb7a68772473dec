package daemon

import (
	"fmt"
	"io"
	"strconv"

	"gofish/guestfs/types"
)

func (d Actions) DownloadInode(c *Call, device Mountable, inode int64, filename io.Writer) error {
	if inode < 0 {
		return fmt.Errorf("inode %d: must not be negative", inode)
	}
	return d.sleuth(c, device, filename, "icat", "-r", string(device.Device), strconv.FormatInt(inode, 10))
}

func (d Actions) DownloadBlocks(c *Call, device Mountable, start, stop int64, filename io.Writer, o types.DownloadBlocksOptions) error {
	if start < 0 || stop < start {
		return fmt.Errorf("blocks %d to %d: the first must not be negative or after the last", start, stop)
	}
	which := "-e" // every block
	if isTrue(o.Unallocated) {
		which = "-A"
	}
	return d.sleuth(c, device, filename, "blkls", which, string(device.Device), fmt.Sprintf("%d-%d", start, stop))
}

// sleuth runs a tool of The Sleuth Kit whose output is a file.
func (d Actions) sleuth(c *Call, device Mountable, filename io.Writer, args ...string) error {
	t := Tool{Args: args, Stdout: chunked(filename)}
	return d.deviceError(t.Run(c), device.Device)
}
