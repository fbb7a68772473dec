package handle

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
	"gofish/internal/appliance"
	"gofish/internal/untar"
)

// Bulk transfer: a large regular file is not sent in chunks but plugged into the
// appliance as a disk for the time of the call. The daemon's side explains it.

const (
	// bulkTarget is the SCSI target for it, above those of 255 drives.
	bulkTarget = 255
	// bulkMinimum is the size from which it pays to plug a disk in.
	bulkMinimum = 8 << 20
)

// bulkIn plugs a file in as the source of the next call. It reports false if that
// is not possible here. That is not a failure: the file then goes in chunks.
func (h *Handle) bulkIn(ctx context.Context, in *source) (bool, error) {
	if in.file == nil || in.size == 0 || !h.canBulk() {
		return false, nil
	}
	if at, err := in.file.Seek(0, io.SeekCurrent); err != nil || at != 0 {
		return false, nil
	}
	// Chunks have no holes: also a small file that has some is better plugged in.
	data := dataList(untar.Data(in.file, int64(in.size)), int64(in.size))
	if _, err := in.file.Seek(0, io.SeekStart); err != nil || in.size < bulkMinimum && data == nil {
		return false, nil
	}
	d := appliance.Drive{File: in.file, ReadOnlyFile: true, Format: "raw"}
	return h.plugBulk(d, func() error { return h.quietly().InternalBulkIn(ctx, bulkTarget, int64(in.size), data) })
}

// dataList describes a file's data to the daemon; nil if that is not worth it or
// too many for a message. They begin and end where a disk can be read.
func dataList(pieces [][2]int64, size int64) (list []byte) {
	const block, worthIt, most = 4096, 64 << 10, 100_000
	holes, last := size, int64(0)
	for _, p := range pieces {
		from, to := max(last, p[0]&^(block-1)), min(size, (p[0]+p[1]+block-1)&^(block-1))
		if from >= to {
			continue
		}
		list = binary.BigEndian.AppendUint64(list, uint64(from))
		list = binary.BigEndian.AppendUint64(list, uint64(to-from))
		holes, last = holes-(to-from), to
	}
	switch {
	case pieces == nil || holes < worthIt || len(list) > 16*most:
		return nil
	case list == nil: // all is a hole, which an empty list would not say
		return make([]byte, 16)
	}
	return list
}

// bulkOut plugs a new host file in as the sink of the next call, if the file is
// known to be large.
func (h *Handle) bulkOut(ctx context.Context, a *api.Action, args []any, out *dest) (bool, error) {
	if !a.Bulk || !h.canBulk() {
		return false, nil
	}
	if !out.plain() {
		return false, nil
	}
	size, err := h.remoteSize(ctx, args[0].(string))
	if err != nil || size < bulkMinimum {
		return false, nil // the call itself reports the error
	}
	if err := out.open(os.O_RDWR); err != nil {
		return false, err
	}
	// The last buffer is written whole.
	if err := out.f.Truncate(size&^(bulkMinimum-1) + 2*bulkMinimum); err != nil {
		return false, out.failure("truncate", err)
	}
	ok, err := h.plugBulk(appliance.Drive{File: out.f, Format: "raw", CacheMode: "unsafe"}, func() error { return h.quietly().InternalBulkOut(ctx, bulkTarget) })
	if !ok && err == nil {
		if terr := out.f.Truncate(0); terr != nil {
			err = out.failure("truncate", terr)
		}
	}
	return ok, err
}

// remoteSize is the size of a file or device of the guest.
func (h *Handle) remoteSize(ctx context.Context, name string) (int64, error) {
	if strings.HasPrefix(name, "/dev/") {
		return h.quietly().BlockdevGetsize64(ctx, name)
	}
	return h.quietly().Filesize(ctx, name)
}

func (h *Handle) canBulk() bool {
	return h.link != nil && h.link.vm != nil && !h.link.foreign && !h.link.window
}

// plugBulk plugs a file in and notifies the daemon.
func (h *Handle) plugBulk(d appliance.Drive, tell func() error) (bool, error) {
	if err := h.link.vm.Plug(d, bulkTarget); err != nil {
		h.log("bulk transfer: %v", err)
		return false, nil
	}
	err := tell()
	if err == nil {
		return true, nil
	}
	var le *LinkError
	if errors.As(err, &le) {
		return false, err
	}
	if isUnknownProcedure(err) {
		h.link.foreign = true
	}
	h.unplugBulk()
	return false, nil
}

func (h *Handle) unplugBulk() {
	if h.link == nil {
		return // the appliance is gone
	}
	if err := h.link.vm.Unplug(bulkTarget); err != nil {
		h.log("bulk transfer: %v", err)
		h.link.foreign = true // not again: the target is taken
	}
}

// bulkSize is the chunk with which a daemon says how much it has written.
func bulkSize(data []byte) (int64, error) {
	if len(data) != 8 {
		return 0, &CallError{Text: "the daemon did not say how much it wrote"}
	}
	n := int64(binary.BigEndian.Uint64(data))
	if n < 0 || n > 1<<62 {
		return 0, &CallError{Text: fmt.Sprintf("the daemon says that it wrote %d bytes", n)}
	}
	return n, nil
}

// fullDisk reports whether the file system of f has no room left, which the guest
// only sees as a failing disk.
func fullDisk(f *os.File) bool {
	var st unix.Statfs_t
	return unix.Fstatfs(int(f.Fd()), &st) == nil && st.Bavail*uint64(st.Bsize) < 1<<20
}
