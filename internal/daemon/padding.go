package daemon

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"gofish/internal/api"

	"golang.org/x/sys/unix"
)

// The kernel answers a request that starts on a device and continues past its end with
// zeros for the rest, and calls it done. A file system that checks the size of its device
// is not mounted then; the others return files with zeros in place of the missing part.
// So that reading there is an error, they are mounted from a mapped device which has the
// missing part, and on which that part always fails.

// paddedName is how such a device is called; what follows is the kernel's name of the real one.
const paddedName = "gofish-cut-"

// fileSystemEnd is the number of bytes that a file system takes of its device; 0 for file
// systems that the kernel does not mount on a device that is too short.
func fileSystemEnd(r io.ReaderAt) int64 {
	var b [512]byte
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return 0
	}
	end := isoEnd(r)
	switch {
	case string(b[3:11]) == "EXFAT   ": // exFAT file system specification, 3.1
		if shift := b[108]; shift >= 9 && shift <= 12 {
			end = clampShift(le.Uint64(b[72:]), shift)
		}
	case b[510] == 0x55 && b[511] == 0xaa && (b[0] == 0xeb || b[0] == 0xe9) && string(b[3:11]) != "NTFS    ": // FAT specification, BPB
		sector, sectors := int64(le.Uint16(b[11:])), int64(le.Uint16(b[19:]))
		if sectors == 0 {
			sectors = int64(le.Uint32(b[32:]))
		}
		if sector >= 512 && sector <= 4096 && sector&(sector-1) == 0 && b[16] > 0 && b[16] <= 2 {
			end = max(end, sector*sectors)
		}
	}
	return max(end, udfEnd(r))
}

// isoEnd is the end of an ISO 9660 file system.
func isoEnd(r io.ReaderAt) int64 {
	info, err := isoDescriptor(r)
	if err != nil {
		return 0
	}
	return int64(info.VolumeSpaceSize) * int64(info.LogicalBlockSize)
}

// udfEnd is the end of a UDF file system: that of its partition, which the volume
// descriptors name (ECMA-167, 3/10.2 and 3/10.5; the anchor is in block 256).
func udfEnd(r io.ReaderAt) int64 {
	const anchor, partition, terminating = 2, 5, 8
	for _, block := range []int64{2048, 512, 4096} {
		b := make([]byte, 512)
		if _, err := r.ReadAt(b, 256*block); err != nil || le.Uint16(b) != anchor {
			continue
		}
		n, at := int64(le.Uint32(b[16:]))/block, int64(le.Uint32(b[20:]))
		for i := range min(n, 64) {
			if _, err := r.ReadAt(b, (at+i)*block); err != nil {
				break
			}
			switch le.Uint16(b) {
			case partition:
				return (int64(le.Uint32(b[188:])) + int64(le.Uint32(b[192:]))) * block
			case terminating:
				return 0
			}
		}
	}
	return 0
}

func clampShift(n uint64, shift byte) int64 { return int64(min(n, 1<<50)) << shift }

// padded returns the device to mount for a file system, and its type: the one given,
// or a device as large as the file system expects. The caller calls mounted when it
// has tried.
func (d *Daemon) padded(source, fstype string) (device, typ string, mounted func()) {
	nothing := func() {}
	f, err := os.Open(source)
	if err != nil {
		return source, fstype, nothing
	}
	defer f.Close()
	have, err := f.Seek(0, io.SeekEnd)
	real, linkErr := filepath.EvalSymlinks(source)
	end := fileSystemEnd(f)
	if err != nil || linkErr != nil || have == 0 || end <= have {
		return source, fstype, nothing
	}
	typ = d.probeType(source)
	switch typ {
	case "iso9660", "udf", "vfat", "exfat":
	default:
		return source, fstype, nothing // a boot sector may look like FAT
	}
	d.warn("%s: the image ends too early: its file system has %d bytes, of which %d are there", d.shownDevice(Device(source)), end, have)
	name := paddedName + filepath.Base(real)
	if !isPadded(name) {
		const sector = 512
		args := []string{"dmsetup", "create", name, "--addnodeoncreate"}
		if ro, err := unix.IoctlGetInt(int(f.Fd()), unix.BLKROGET); err == nil && ro != 0 {
			args = append(args, "--readonly")
		}
		table := fmt.Sprintf("0 %d linear %s 0\n%d %d error\n", have/sector, real, have/sector, (end-have+sector-1)/sector)
		t := &Tool{Args: args, Stdin: strings.NewReader(table)}
		if t.Run(d.call) != nil {
			return source, fstype, nothing
		}
	}
	// It is removed automatically when it is unmounted.
	return api.MapperDir + name, cmp.Or(fstype, typ), func() { runAnyway("dmsetup", "remove", "--deferred", name) }
}

// isPadded reports whether a mapped device supplies the missing part of a file system.
func isPadded(name string) bool {
	for _, dm := range allMappers() {
		if dm.name == name {
			return true
		}
	}
	return false
}

// paddedFor is the device that was mounted in place of another, or that other one itself.
func paddedFor(source string) string {
	real, err := filepath.EvalSymlinks(source)
	if name := paddedName + filepath.Base(real); err == nil && isPadded(name) {
		return api.MapperDir + name
	}
	return source
}

// withoutPadding is the real device in whose place another was mounted.
func withoutPadding(source string) string {
	kernel, ok := strings.CutPrefix(source, api.MapperDir+paddedName)
	if !ok {
		return source
	}
	for _, dm := range allMappers() {
		if dm.kernel == kernel {
			return api.MapperDir + dm.name
		}
	}
	return "/dev/" + kernel
}
