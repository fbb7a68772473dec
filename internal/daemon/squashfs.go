package daemon

import (
	"fmt"
	"io"
	"os"
	"strings"

	"gofish/guestfs/types"
)

// compressors are those that squashfs has.
var compressors = map[string]bool{"gzip": true, "lzma": true, "lzo": true, "lz4": true, "xz": true, "zstd": true}

func (d Actions) Mksquashfs(c *Call, path Path, filename io.Writer, o types.MksquashfsOptions) error {
	if o.Compress != nil && !compressors[*o.Compress] {
		return fmt.Errorf("compress %q: squashfs does not have this", *o.Compress)
	}
	from, err := d.root.Host(path)
	if err != nil {
		return wrap(err, "%s", path)
	}
	// The beginning is written last, so the image cannot be sent while it is being made.
	image, err := os.CreateTemp("", "squashfs-")
	if err != nil {
		return errnoOf(err)
	}
	defer os.Remove(image.Name())
	defer image.Close()
	b := argBuilder{args: []string{"mksquashfs", from, image.Name(), "-noappend", "-no-progress", "-exit-on-error"}}
	b.text("-comp", o.Compress)
	t := Tool{}
	if len(o.Excludes) > 0 {
		list, err := memoryFile(strings.Join(o.Excludes, "\n") + "\n")
		if err != nil {
			return err
		}
		defer list.Close()
		t.Files = append(t.Files, list)
		b.args = append(b.args, "-wildcards", "-ef", toolFile(0))
	}
	t.Args = b.args
	if err := t.Run(c); err != nil {
		return prefixed(err, string(path))
	}
	_, err = io.Copy(filename, d.until(image))
	return err
}
