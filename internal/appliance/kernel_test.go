package appliance

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"strings"
	"testing"
)

// A kernel that somebody else made: whatever its numbers are, looking at it ends.
func FuzzHasPVH(f *testing.F) {
	f.Add(fakeVmlinux(true))
	f.Add(fakeVmlinux(false))
	wraps := bytes.Clone(fakeVmlinux(true))
	binary.LittleEndian.PutUint64(wraps[32:], ^uint64(55)) // the table of segments lies 56 bytes before 2⁶⁴
	f.Add(wraps)
	f.Fuzz(func(t *testing.T, b []byte) { hasPVH(b) })
}

func TestUnpackingHasALimit(t *testing.T) {
	if testing.Short() {
		t.Skip("unpacks half a gigabyte")
	}
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	io.CopyN(z, zeros{}, maxUnpacked+1)
	z.Close()
	r, err := decompressor(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readUnpacked(r); err == nil || !strings.Contains(err.Error(), "512 MB") {
		t.Error("a small file unpacked to more than the limit:", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
