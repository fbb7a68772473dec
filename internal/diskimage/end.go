package diskimage

import (
	"bytes"
	"io"
	"time"
)

// End is where the data of an image must at least end, as its own tables say: a file that
// is shorter was cut off, and qemu reads zeros there without a word. 0: not known. A table
// may be made so that the search never ends, so it is given up after a while.
func End(format string, r io.ReaderAt, patience time.Duration) (end int64) {
	head := make([]byte, 512)
	n, _ := r.ReadAt(head, 0)
	clear(head[n:])
	s := &search{r: r, until: time.Now().Add(patience)}
	switch format {
	case "vdi":
		// Blocks are made one after the other, whole.
		return clampEnd(uint64(le.Uint32(head[0x158:])) + uint64(le.Uint32(head[0x184:]))*uint64(le.Uint32(head[0x178:])))
	case "qcow":
		// Two levels of tables; a compressed cluster has its size in
		// the upper bits of its place.
		clusterBits, tableBits := uint(head[32]), uint(head[33])
		if clusterBits < 9 || clusterBits > 16 || tableBits < 6 || tableBits > 13 {
			return 0
		}
		entries := (be.Uint64(head[24:]) + 1<<(clusterBits+tableBits) - 1) >> (clusterBits + tableBits)
		s.table(int64(be.Uint64(head[40:])), entries, 8, func(b []byte) {
			s.table(int64(be.Uint64(b)), 1<<tableBits, 8, func(b []byte) {
				if at := be.Uint64(b); at>>63 == 0 {
					s.note(at, 1<<clusterBits)
				} else {
					s.note(at&(1<<(63-clusterBits)-1), 1)
				}
			})
		})
	case "qed":
		cluster := uint64(le.Uint32(head[4:]))
		entries := cluster * uint64(le.Uint32(head[8:])) / 8
		if cluster < 4096 || cluster > 64<<20 || entries == 0 || entries > 1<<24 {
			return 0
		}
		s.table(int64(le.Uint64(head[40:])), entries, 8, func(b []byte) {
			s.table(int64(le.Uint64(b)), entries, 8, func(b []byte) { s.note(le.Uint64(b), cluster) })
		})
	case "vmdk":
		// A sparse extent: a directory of tables of grains; all numbers count sectors.
		if !bytes.HasPrefix(head, []byte("KDMV")) || IsStream(format, r) {
			return 0
		}
		capacity, grain, perTable := le.Uint64(head[12:]), le.Uint64(head[20:]), uint64(le.Uint32(head[44:]))
		if grain == 0 || perTable == 0 || perTable > 1<<16 || grain > 1<<20 || capacity > 1<<52 {
			return 0
		}
		tables := (capacity + grain*perTable - 1) / (grain * perTable)
		s.table(int64(le.Uint64(head[56:]))*sector, tables, 4, func(b []byte) {
			s.table(int64(le.Uint32(b))*sector, perTable, 4, func(b []byte) {
				s.note(uint64(le.Uint32(b))*sector, grain*sector)
			})
		})
	case "parallels":
		unit := uint64(sector)
		block := uint64(le.Uint32(head[28:])) * sector
		if bytes.HasPrefix(head, []byte("WithouFreSpacExt")) {
			unit = block
		}
		s.table(64, uint64(le.Uint32(head[32:])), 4, func(b []byte) { s.note(uint64(le.Uint32(b))*unit, block) })
	}
	return s.end
}

// search looks for the highest place in tables.
type search struct {
	r     io.ReaderAt
	until time.Time
	end   int64
}

// table calls fn for each entry of a table that is not empty.
func (s *search) table(at int64, entries, size uint64, fn func(entry []byte)) {
	const piece = 64 << 10
	const leastHeader = 48
	if at < leastHeader || entries > 1<<28 {
		return // there is none
	}
	empty := make([]byte, size)
	for left := entries * size; left > 0 && time.Now().Before(s.until); {
		b := make([]byte, min(left, piece))
		n, err := s.r.ReadAt(b, at)
		for i := 0; i+int(size) <= n; i += int(size) {
			if e := b[i : i+int(size)]; !bytes.Equal(e, empty) {
				fn(e)
			}
		}
		if err != nil {
			s.note(uint64(at), left) // the table itself is cut off
			return
		}
		at, left = at+int64(len(b)), left-uint64(len(b))
	}
}

// note records data; places 0 and 1 mean zeros.
func (s *search) note(at, size uint64) {
	if at > 1 {
		s.end = max(s.end, clampEnd(at+size))
	}
}

func clampEnd(n uint64) int64 { return int64(min(n, 1<<62)) }
