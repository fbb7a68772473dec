// Package diskimage reads what a disk image says about itself and about other files:
// its format, and the files of the host that are opened with it. It only
// reads headers, and believes no number in them.
//
// Formats: qcow2 and qcow (docs/interop/qcow2.rst and block/qcow.c of QEMU), QED
// (docs/interop/qed_spec.rst), and VMDK ("Virtual Disk Format 5.0" by VMware).
package diskimage

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
)

// Kind is what a file is to the image that names it.
type Kind string

const (
	Backing Kind = "backing file" // holds what the image does not
	Data    Kind = "data file"    // holds the data of a qcow2, and takes what is written
	Extent  Kind = "extent"       // is a part of a VMDK, and takes what is written
)

// Ref is a file that an image names.
type Ref struct {
	Kind   Kind
	Name   string // as written in the image: a path, or one of qemu's names with a protocol
	Format string // that the image gives for it; empty if it gives none
}

// magics are beginnings of formats, by qemu's names for these.
var magics = []struct{ format, magic string }{
	{"qcow2", "QFI\xfb\x00\x00\x00\x02"}, {"qcow2", "QFI\xfb\x00\x00\x00\x03"}, {"qcow", "QFI\xfb\x00\x00\x00\x01"},
	{"qcow2", "QFI\xfb"}, // of a version that is unknown: qemu says so
	{"qed", "QED\x00"},
	{"vmdk", "KDMV"}, {"vmdk", "COWD"}, {"vmdk", "# Disk Desc"},
	{"vhdx", "vhdxfile"}, {"vpc", "conectix"},
	{"parallels", "WithoutFreeSpace"}, {"parallels", "WithouFreSpacExt"},
	{"bochs", "Bochs Virtual HD"}, {"cloop", "#!/bin/sh\n#V2.0 Format\n"},
}

const sector = 512

// Probe finds the format of an image from its first bytes, as qemu does: raw where nothing
// speaks for another.
func Probe(r io.ReaderAt) string {
	head := make([]byte, 2048) // as much as qemu looks at
	n, _ := r.ReadAt(head, 0)
	head = head[:n]
	for _, m := range magics {
		if bytes.HasPrefix(head, []byte(m.magic)) {
			return m.format
		}
	}
	if len(head) >= 0x44 && bytes.Equal(head[0x40:0x44], []byte{0x7f, 0x10, 0xda, 0xbe}) {
		return "vdi"
	}
	if isDescriptor(head) {
		return "vmdk"
	}
	return "raw"
}

// isDescriptor reports whether a text is the descriptor of a VMDK: after comments and
// empty lines comes its version.
func isDescriptor(head []byte) bool {
	for line := range bytes.Lines(head) {
		line = bytes.TrimLeft(line, " \r\n")
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		version, ok := bytes.CutPrefix(line, []byte("version="))
		return ok && len(version) > 0 && version[0] >= '1' && version[0] <= '3'
	}
	return false
}

// GPTSectors is the size of the sectors that the partition table of a disk was made
// for (UEFI 2.10 §5.3.2: its header is the second sector), 0 if it has no GPT.
func GPTSectors(r io.ReaderAt) int {
	for _, size := range []int{512, 4096} {
		mark := make([]byte, 8)
		if n, _ := r.ReadAt(mark, int64(size)); n == len(mark) && string(mark) == "EFI PART" {
			return size
		}
	}
	return 0
}

// IsStream reports whether an image is a VMDK that was made to be sent, with its data
// packed ("streamOptimized"): what is in it cannot be changed.
func IsStream(format string, r io.ReaderAt) bool {
	const compressed = 1 << 16
	head := make([]byte, 12)
	n, _ := r.ReadAt(head, 0)
	return format == "vmdk" && n == len(head) && string(head[:4]) == "KDMV" && le.Uint32(head[8:])&compressed != 0
}

// Extensions are how files of a format are called.
var Extensions = map[string][]string{
	"qcow2": {".qcow2", ".qcow"}, "qcow": {".qcow"}, "qed": {".qed"}, "vmdk": {".vmdk"}, "vhdx": {".vhdx", ".avhdx"},
	"vpc": {".vhd", ".vpc"}, "vdi": {".vdi"}, "dmg": {".dmg"}, "parallels": {".hdd", ".hds", ".parallels"},
	"bochs": {".bochs"}, "cloop": {".cloop"},
}

var (
	be = binary.BigEndian
	le = binary.LittleEndian
)

// maxName is the longest name that qemu reads from a header.
const maxName = 1023

// text reads a name of a header.
func text(r io.ReaderAt, at, length uint64, what Kind) (string, error) {
	if length > maxName || at > 1<<62 {
		return "", fmt.Errorf("the name of its %s has %d bytes, more than %d: the header is damaged", what, length, maxName)
	}
	b := make([]byte, length)
	if _, err := r.ReadAt(b, int64(at)); err != nil {
		return "", fmt.Errorf("the name of its %s cannot be read: the header is damaged or the image is cut off", what)
	}
	name, _, _ := bytes.Cut(b, []byte{0})
	return string(name), nil
}

// Refs lists the files that an image of a format names. A header that cannot be read
// is an error only if a name is lost; qemu reports the rest.
func Refs(format string, r io.ReaderAt) ([]Ref, error) {
	head := make([]byte, 112)
	n, _ := r.ReadAt(head, 0)
	clear(head[n:])
	switch format {
	case "qcow2":
		return qcow2Refs(head, r)
	case "qcow":
		return backing(r, be.Uint64(head[8:]), uint64(be.Uint32(head[16:])), "")
	case "qed":
		const hasBacking, rawBacking = 1, 4
		features := le.Uint64(head[16:])
		if features&hasBacking == 0 {
			return nil, nil
		}
		format := ""
		if features&rawBacking != 0 {
			format = "raw"
		}
		return backing(r, uint64(le.Uint32(head[56:])), uint64(le.Uint32(head[60:])), format)
	case "vmdk":
		return vmdkRefs(head, r)
	}
	return nil, nil
}

func backing(r io.ReaderAt, at, length uint64, format string) ([]Ref, error) {
	if at == 0 || length == 0 {
		return nil, nil
	}
	name, err := text(r, at, length, Backing)
	if err != nil || name == "" {
		return nil, err
	}
	return []Ref{{Backing, name, format}}, nil
}

// qcow2Refs reads a header and its extensions.
func qcow2Refs(head []byte, r io.ReaderAt) ([]Ref, error) {
	const (
		externalData = 1 << 2 // an incompatible feature
		extBacking   = 0xE2792ACA
		extData      = 0x44415441
	)
	at, features := uint64(72), uint64(0)
	if be.Uint32(head[4:]) >= 3 {
		at, features = uint64(be.Uint32(head[100:])), be.Uint64(head[72:])
	}
	refs, err := backing(r, be.Uint64(head[8:]), uint64(be.Uint32(head[16:])), "")
	if err != nil {
		return nil, err
	}
	// Extensions lie in the first cluster, which has 2 MB at most.
	for end := uint64(2 << 20); at < end; {
		var ext [8]byte
		if _, err := r.ReadAt(ext[:], int64(at)); err != nil {
			break
		}
		kind, length := be.Uint32(ext[:]), uint64(be.Uint32(ext[4:]))
		if kind == 0 {
			break
		}
		at += 8
		switch kind {
		case extBacking:
			if len(refs) > 0 && refs[0].Kind == Backing {
				if refs[0].Format, err = text(r, at, length, Backing); err != nil {
					return nil, err
				}
			}
		case extData:
			if features&externalData == 0 {
				break
			}
			name, err := text(r, at, length, Data)
			if err != nil {
				return nil, err
			}
			refs = append(refs, Ref{Data, name, "raw"})
		}
		at += (length + 7) &^ 7
	}
	return refs, nil
}

// vmdkRefs reads a descriptor: a file of its own, or a part of a sparse extent, whose
// lines for extents count only if the extent itself has no capacity.
func vmdkRefs(head []byte, r io.ReaderAt) ([]Ref, error) {
	at, extents := int64(0), true
	switch {
	case bytes.HasPrefix(head, []byte("KDMV")):
		extents = le.Uint64(head[12:]) == 0
		start := le.Uint64(head[28:])
		if start == 0 {
			return nil, nil
		}
		if start > 1<<50 {
			return nil, errors.New("its descriptor lies beyond any file: the header is damaged")
		}
		at = int64(start) * sector
	case bytes.HasPrefix(head, []byte("COWD")):
		return nil, nil // it has no descriptor
	}
	// qemu reads so much at most, up to a zero byte.
	b := make([]byte, 1<<20-1)
	n, _ := r.ReadAt(b, at)
	desc, _, _ := bytes.Cut(b[:n], []byte{0})
	var refs []Ref
	if parent := vmdkParent(desc); parent != "" {
		refs = append(refs, Ref{Backing, parent, ""})
	}
	if extents {
		refs = append(refs, vmdkExtents(desc)...)
	}
	return refs, nil
}

// vmdkParent finds the name of the parent as qemu does: from the second byte after the
// key (an = and a quote) to the next quote.
func vmdkParent(desc []byte) string {
	const key = "parentFileNameHint"
	_, rest, ok := bytes.Cut(desc, []byte(key))
	if !ok || len(rest) < 2 {
		return ""
	}
	name, _, ok := bytes.Cut(rest[2:], []byte{'"'})
	if !ok {
		return ""
	}
	return string(name)
}

// FlatEnd is where the data of a flat extent must end, as the descriptor that names it
// says: its sectors, from the one that its line ends with; 0 if it says nothing.
func FlatEnd(r io.ReaderAt, name string) (end int64) {
	b := make([]byte, 1<<20-1)
	n, _ := r.ReadAt(b, 0)
	for _, m := range flatLine.FindAllSubmatch(b[:n], -1) {
		if string(m[2]) != name {
			continue
		}
		sectors, _ := strconv.ParseInt(string(m[1]), 10, 48)
		from, _ := strconv.ParseInt(string(m[3]), 10, 48)
		end = max(end, (sectors+from)*sector)
	}
	return end
}

var flatLine = regexp.MustCompile(`(?m)^RW (\d+) (?:FLAT|VMFS) "([^"\r\n]*)"(?: (\d+))?`)

// vmdkExtents finds the names of files in lines such as
//
//	RW 4096 FLAT "disk-flat.vmdk" 0
//
// qemu reads them by sscanf, to which a line's end is a blank like others. So each quote
// is looked at that has a number and a word before it.
func vmdkExtents(desc []byte) []Ref {
	const longestType, longestName = 10, 511
	blank := " \t\n\v\f\r"
	var refs []Ref
	seen := map[Ref]bool{}
	for i, c := range desc {
		if c != '"' {
			continue
		}
		before := bytes.TrimRight(desc[:i], blank)
		start := bytes.LastIndexAny(before[max(0, len(before)-longestType-1):], blank) + max(0, len(before)-longestType-1) + 1
		typ := string(before[start:])
		before = bytes.TrimRight(before[:start], blank)
		if typ == "" || len(typ) > longestType || len(before) == start || len(before) == 0 || before[len(before)-1] < '0' || before[len(before)-1] > '9' {
			continue
		}
		name := desc[i+1:]
		if end := bytes.IndexAny(name, "\"\r\n"); end >= 0 {
			name = name[:end]
		}
		ref := Ref{Extent, string(name[:min(len(name), longestName)]), "vmdk"}
		if typ == "FLAT" || typ == "VMFS" {
			ref.Format = "raw"
		}
		if ref.Name != "" && !seen[ref] {
			seen[ref] = true
			refs = append(refs, ref)
		}
	}
	return refs
}
