package handle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"
)

// cutOff looks whether a qcow2 file ends before the data that it says it holds.
// qemu itself reads zeroes there and says nothing. The end of the data is the last
// cluster with a reference count (docs/interop/qcow2.txt, "Host cluster management").
//
// A qemu that was killed can leave a few counted clusters that it never wrote, so
// a small gap proves nothing.
func cutOff(f *os.File) error {
	fi, err := f.Stat()
	if err != nil || !fi.Mode().IsRegular() {
		return nil
	}
	const headerSize = 104
	h := make([]byte, headerSize)
	if n, _ := f.ReadAt(h, 0); n < 72 {
		return fmt.Errorf("the image is cut off: %d bytes are too few for its header", fi.Size())
	}
	be := binary.BigEndian
	clusterBits := be.Uint32(h[20:])
	table := int64(be.Uint64(h[48:]))
	tableClusters := int64(be.Uint32(h[56:]))
	order := uint32(4)
	if be.Uint32(h[4:]) >= 3 {
		order = be.Uint32(h[96:])
	}
	if clusterBits < 9 || clusterBits > 21 || order > 6 || table <= 0 || tableClusters > 1<<20>>clusterBits*8+64 {
		return nil // qemu reports what is wrong with such a header
	}
	cluster := int64(1) << clusterBits
	truncated := func(end int64) error { return errCutOff(end, fi.Size()) }
	if table+8 > fi.Size() {
		return truncated(table + tableClusters*cluster)
	}
	perBlock := cluster * 8 >> order
	block := make([]byte, cluster)
	// From the end, as the last counted cluster is looked for. A table may be made so
	// that the search takes hours: then it is given up, and qemu opens the image.
	const slack, piece = 1 << 20, 64 << 10
	giveUp := time.Now().Add(cutOffTime)
	for end := min(tableClusters*cluster, fi.Size()-table) &^ 7; end > 0; end -= min(end, piece) {
		begin := max(0, end-piece)
		entries := make([]byte, end-begin)
		if _, err := f.ReadAt(entries, table+begin); err != nil {
			return nil
		}
		for i := len(entries)/8 - 1; i >= 0; i-- {
			at := int64(be.Uint64(entries[i*8:]) &^ 511)
			switch {
			case at == 0:
				continue
			case at < 0:
				return errDamagedTables
			case at >= fi.Size():
				return truncated(at + cluster)
			case time.Now().After(giveUp):
				return nil
			}
			n, _ := f.ReadAt(block, at)
			last := lastCounted(block[:n], order)
			if last < 0 {
				continue
			}
			if end := ((begin/8+int64(i))*perBlock + last + 1) * cluster; end-cluster >= fi.Size()+slack {
				return truncated(end)
			}
			return nil
		}
	}
	return nil
}

func errCutOff(end, size int64) error {
	const largest = 1 << 56
	if end <= size || end > largest {
		return errDamagedTables // no file is that large
	}
	return fmt.Errorf("the image is cut off: it holds data up to byte %d, but the file ends at byte %d (take it from a backup, or look at what is left with qemu-img check)", end, size)
}

var errDamagedTables = errors.New("the image's tables are damaged: they name places that no file has (qemu-img check says more)")

// cutOffTime is how long cutOff looks; an honest image takes milliseconds.
const cutOffTime = time.Second

// lastCounted is the index of the last reference count above zero in a block of
// counts of 1<<order bits, -1 if there is none.
func lastCounted(block []byte, order uint32) int64 {
	for i := len(block) - 1; i >= 0; i-- {
		if block[i] != 0 {
			if order < 3 {
				return int64(i+1)*8>>order - 1
			}
			return int64(i) >> (order - 3)
		}
	}
	return -1
}
