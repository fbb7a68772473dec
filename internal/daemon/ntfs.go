package daemon

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"gofish/guestfs/types"
)

func (d Actions) NtfscloneOut(c *Call, device Device, backupfile io.Writer, o types.NtfscloneOutOptions) error {
	b := argBuilder{args: []string{"ntfsclone", "-o", "-", "--save-image"}}
	b.flag("--metadata", o.MetadataOnly)
	b.flag("--rescue", o.Rescue)
	b.flag("--ignore-fs-check", o.IgnoreFSCheck)
	b.flag("--preserve-timestamps", o.PreserveTimestamps)
	b.flag("--force", o.Force)
	t := Tool{Args: append(b.args, string(device)), Stdout: chunked(backupfile)}
	return d.deviceError(t.Run(c), device)
}

func (d Actions) NtfscloneIn(c *Call, backupfile io.Reader, device Device) error {
	t := Tool{Args: []string{"ntfsclone", "-O", string(device), "--restore-image", "-"}, Stdin: backupfile, FoldStdout: true}
	err := d.deviceError(t.Run(c), device)
	d.rereadPartitions(device)
	return err
}

func (d Actions) NtfscatI(c *Call, device Mountable, inode int64, filename io.Writer) error {
	if inode < 0 {
		return fmt.Errorf("inode %d: must not be negative", inode)
	}
	// The tool reads a mounted file system only when it is told to.
	t := Tool{Args: []string{"ntfscat", "--force", "-i", strconv.FormatInt(inode, 10), string(device.Device)}, Stdout: chunked(filename)}
	return d.deviceError(t.Run(c), device.Device)
}

func (d Actions) NtfsChmod(device Device, mode int, path string, o types.NTFSChmodOptions) error {
	if mode < 0 || mode > 0o7777 {
		return fmt.Errorf("mode %#o: permission bits go from 0 to 07777", mode)
	}
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("%s: a path begins with /", path)
	}
	if d.mountPoint(device) != "" {
		return fmt.Errorf("%s: mounted: unmount it first", d.shownDevice(device))
	}
	b := argBuilder{args: []string{"ntfssecaudit"}}
	b.flag("-r", o.Recursive)
	t := Tool{Args: append(b.args, string(device), strconv.FormatInt(int64(mode), 8), path), FoldStdout: true}
	err := t.Run(d.call)
	var te *ToolError
	if errors.As(err, &te) {
		return d.deviceError(fmt.Errorf("%s: %w", path, err), device)
	}
	return err
}
