package diskimage

import (
	"errors"
	"io"
)

// ErrNameTooLong: the name of a backing file does not fit into a header.
var ErrNameTooLong = errors.New("the name is too long for a qcow2 header")

// WriteOverlay writes an empty qcow2 of a virtual size in bytes to w, which must be
// empty. What it does not hold is read from the image with a name, as qemu is told
// it, and a format.
func WriteOverlay(w io.WriterAt, name, format string, size int64) error {
	const (
		clusterBits = 16
		cluster     = 1 << clusterBits
		header      = 104
		extBacking  = 0xE2792ACA
		perL2       = cluster / 8 // clusters that an entry of the first table covers
	)
	if len(name) > maxName {
		return ErrNameTooLong
	}
	entries := (size + cluster*perL2 - 1) / (cluster * perL2)
	tables := (entries*8 + cluster - 1) / cluster
	used := 3 + tables // header, table of reference counts, a block of those
	if used > cluster/2 {
		return errors.New("too large for an overlay")
	}
	h := make([]byte, header)
	copy(h, "QFI\xfb")
	be.PutUint32(h[4:], 3)
	be.PutUint32(h[16:], uint32(len(name)))
	be.PutUint32(h[20:], clusterBits)
	be.PutUint64(h[24:], uint64(size))
	be.PutUint32(h[36:], uint32(entries))
	be.PutUint64(h[40:], 3*cluster) // first table
	be.PutUint64(h[48:], 1*cluster) // reference counts
	be.PutUint32(h[56:], 1)
	be.PutUint32(h[96:], 4) // counts of 16 bits
	be.PutUint32(h[100:], header)
	ext := be.AppendUint32(nil, extBacking)
	ext = be.AppendUint32(ext, uint32(len(format)))
	ext = append(ext, format...)
	ext = append(ext, make([]byte, (8-len(format)%8)%8+8)...) // padding, and the end of extensions
	h = append(h, ext...)
	be.PutUint64(h[8:], uint64(len(h)))
	h = append(h, name...)
	counts := []byte{}
	for range used {
		counts = be.AppendUint16(counts, 1)
	}
	for _, part := range []struct {
		b  []byte
		at int64
	}{{h, 0}, {be.AppendUint64(nil, 2*cluster), cluster}, {counts, 2 * cluster}, {make([]byte, 1), used*cluster - 1}} {
		if _, err := w.WriteAt(part.b, part.at); err != nil {
			return err
		}
	}
	return nil
}

// VirtualSize is the size in bytes of the disk in an image of a format, as its header
// says; false for formats that do not simply say so.
func VirtualSize(format string, r io.ReaderAt) (int64, bool) {
	head := make([]byte, 512)
	n, _ := r.ReadAt(head, 0)
	clear(head[n:])
	var size uint64
	switch format {
	case "qcow2", "qcow":
		size = be.Uint64(head[24:])
	case "qed":
		size = le.Uint64(head[48:])
	case "vdi":
		size = le.Uint64(head[0x170:])
	default:
		return 0, false
	}
	return int64(size), size < 1<<62
}
