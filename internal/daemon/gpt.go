package daemon

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"unicode/utf16"
)

// A GUID partition table (UEFI specification, chapter 5): a header in the second
// sector, an array of entries where it says, and a copy of both at the disk's end.
// Offsets in a header and in an entry:
const (
	headerSize     = 12
	headerCRC      = 16
	headerSelf     = 24
	headerCopy     = 32
	headerFirst    = 40
	headerLast     = 48
	headerDiskGUID = 56
	headerArray    = 72
	headerCount    = 80
	headerEach     = 84
	headerArrayCRC = 88
	leastHeader    = 92

	gptType       = 0
	gptGUID       = 16
	gptStart      = 32
	gptEnd        = 40
	gptAttributes = 48
	gptName       = 56
	gptNameUnits  = 36
	leastEntry    = 128

	maxGPTArray = 4 << 20
)

const (
	guidLinux = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
	guidESP   = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
)

type gpt struct {
	tableDisk
	main    gptHalf
	damaged bool // main is really the copy
}

// gptHalf is a header with its array.
type gptHalf struct {
	at      int64
	header  []byte // its sector
	entries []byte
}

var le = binary.LittleEndian

func (h *gptHalf) each() int { return int(le.Uint32(h.header[headerEach:])) }

func (h *gptHalf) number(at int) int64 { return int64(le.Uint64(h.header[at:])) }

func (h *gptHalf) put(at int, n int64) { le.PutUint64(h.header[at:], uint64(n)) }

// entry is the n-th entry, from 1; nil if there is none.
func (h *gptHalf) entry(n int) []byte {
	if n < 1 || n > len(h.entries)/h.each() {
		return nil
	}
	return h.entries[(n-1)*h.each():][:h.each()]
}

func used(entry []byte) bool {
	return len(entry) > 0 && !bytes.Equal(entry[gptType:gptGUID], make([]byte, 16))
}

var errGPTDamaged = errors.New("the GPT is damaged (part-expand-gpt restores it from its copy)")

// readHalf reads the header at a sector and its array, checked.
func (d *tableDisk) readHalf(at int64) (h gptHalf, err error) {
	h.at = at
	if h.header, err = d.read(at, 1); err != nil {
		return h, err
	}
	if !d.isHeader(h.header) {
		return h, errGPTDamaged
	}
	n := int64(le.Uint32(h.header[headerCount:])) * int64(h.each())
	array := h.number(headerArray)
	if h.number(headerSelf) != at || h.each() < leastEntry || h.each()%8 != 0 || n <= 0 || n > maxGPTArray || array <= 0 || array >= d.sectors {
		return h, errGPTDamaged
	}
	if h.entries, err = d.read(array, (n+d.sector-1)/d.sector); err != nil {
		return h, err
	}
	h.entries = h.entries[:n]
	if crc32.ChecksumIEEE(h.entries) != le.Uint32(h.header[headerArrayCRC:]) {
		return h, errGPTDamaged
	}
	return h, nil
}

// headerSum is the checksum of a header; its own field counts as zero.
func headerSum(header []byte) uint32 {
	b := bytes.Clone(header[:le.Uint32(header[headerSize:])])
	clear(b[headerCRC:][:4])
	return crc32.ChecksumIEEE(b)
}

// readGPT reads the table, from its copy if necessary.
func readGPT(d tableDisk) (*gpt, error) {
	g := &gpt{tableDisk: d}
	var err error
	if g.main, err = d.readHalf(1); err == nil {
		return g, nil
	}
	g.damaged = true
	// The disk may have grown: then a header whose entries are damaged knows where the copy is.
	at := d.copyOf(g.main.header)
	if g.main, err = d.readHalf(d.sectors - 1); err != nil && at > 0 {
		g.main, err = d.readHalf(at)
	}
	return g, err
}

// copyOf is where a header says that its copy is, 0 if it is no whole header.
func (d *tableDisk) copyOf(header []byte) int64 {
	if !d.isHeader(header) {
		return 0
	}
	if at := int64(le.Uint64(header[headerCopy:])); at > 1 && at < d.sectors {
		return at
	}
	return 0
}

// isHeader reports whether a sector is a header as it was written.
func (d *tableDisk) isHeader(b []byte) bool {
	if !bytes.HasPrefix(b, []byte("EFI PART")) {
		return false
	}
	size := int64(le.Uint32(b[headerSize:]))
	return size >= leastHeader && size <= d.sector && headerSum(b) == le.Uint32(b[headerCRC:])
}

// save writes what has changed: the copy first, so that one half is always whole.
func (g *gpt) save() error {
	at := g.main.number(headerCopy)
	if g.damaged || at <= 1 || at >= g.sectors {
		return errGPTDamaged
	}
	second, err := g.readHalf(at)
	if err != nil {
		return fmt.Errorf("the copy at the end of the disk: %w", err)
	}
	for _, h := range []*gptHalf{&second, &g.main} {
		copy(h.entries, g.main.entries)
		copy(h.header[headerDiskGUID:][:16], g.main.header[headerDiskGUID:])
		if err := g.writeHalf(h); err != nil {
			return err
		}
	}
	return nil
}

// writeHalf writes a header with its array, and their checksums.
func (d *tableDisk) writeHalf(h *gptHalf) error {
	le.PutUint32(h.header[headerArrayCRC:], crc32.ChecksumIEEE(h.entries))
	le.PutUint32(h.header[headerCRC:], headerSum(h.header))
	if _, err := d.disk.WriteAt(h.entries, h.number(headerArray)*d.sector); err != nil {
		return err
	}
	return d.write(h.at, h.header)
}

// expand puts the copy at the disk's end, where it belongs after the disk has grown, and
// lets partitions have all sectors before it. A damaged first half is rewritten, and so is
// what is lost of the first sector. An MBR with entries of its own beside the one for the GPT stays as it is.
func (g *gpt) expand() error {
	mbr, err := g.read(0, 1)
	if err != nil {
		return err
	}
	protective, lost := protectiveEntry(mbr), !isTable(mbr)
	if lost && protective == nil { // boot code may have survived
		clear(mbr[mbrEntries:mbrMark])
		protective = entryAt(mbr, 0)
		copy(protective, []byte{0, 0, 2, 0, typeGPT, 0xff, 0xff, 0xff, 1, 0, 0, 0})
	}
	if protective == nil {
		return errors.New("the first sector does not say that the disk has a GPT")
	}
	arraySectors := (int64(len(g.main.entries)) + g.sector - 1) / g.sector
	second := gptHalf{at: g.sectors - 1, header: bytes.Clone(g.main.header), entries: g.main.entries}
	array := second.at - arraySectors
	first := g.main.number(headerFirst)
	if g.damaged {
		g.main.at = 1
		g.main.put(headerArray, 2)
	}
	if end := g.main.number(headerArray) + arraySectors; first < end || array <= first {
		return fmt.Errorf("there is no room for both halves of the table: partitions begin at sector %d, the copy would at sector %d", first, array)
	}
	for _, r := range g.rows() {
		if end := r.end / g.sector; end >= array {
			return fmt.Errorf("partition %d ends at sector %d, and the copy of the table is to have sectors %d to %d", r.num, end, array, second.at)
		}
	}
	second.put(headerArray, array)
	for _, h := range []*gptHalf{&second, &g.main} {
		h.put(headerSelf, h.at)
		h.put(headerCopy, second.at+1-h.at)
		h.put(headerLast, array-1)
		if err := g.writeHalf(h); err != nil {
			return err
		}
	}
	g.damaged = false
	if size := uint32(min(g.sectors-1, math.MaxUint32)); onlyEntry(mbr, protective) && le.Uint32(protective[entrySize:]) != size {
		le.PutUint32(protective[entrySize:], size)
	} else if !lost {
		return nil
	}
	mbr[mbrMark], mbr[mbrMark+1] = 0x55, 0xaa
	return g.write(0, mbr)
}

// protectiveEntry is the entry of an MBR that protects a GPT; nil if there is none.
func protectiveEntry(mbr []byte) []byte {
	for i := range 4 {
		if e := entryAt(mbr, i); e[entryType] == typeGPT {
			return e
		}
	}
	return nil
}

// onlyEntry reports whether an MBR has no other entry.
func onlyEntry(mbr, entry []byte) bool {
	n := 0
	for i := range 4 {
		if entryAt(mbr, i)[entryType] != 0 {
			n++
		}
	}
	return n == 1 && le.Uint32(entry[entryLBA:]) == 1
}

func (g *gpt) part(n int) ([]byte, error) {
	e := g.main.entry(n)
	if !used(e) {
		return nil, errNoPart(n)
	}
	return e, nil
}

// change lets fn change the entry of a partition.
func (g *gpt) change(n int, fn func(entry []byte) error) error {
	e, err := g.part(n)
	if err != nil {
		return err
	}
	if err := fn(e); err != nil {
		return err
	}
	return g.save()
}

// free reports whether no other partition and no part of the table has any of the sectors.
func (g *gpt) free(start, end int64, but int) error {
	first, last := g.main.number(headerFirst), g.main.number(headerLast)
	if start < first || end > last {
		return fmt.Errorf("sectors %d to %d: the table has sectors %d to %d for partitions", start, end, first, last)
	}
	for n := 1; ; n++ {
		e := g.main.entry(n)
		if e == nil {
			return nil
		}
		from, to := int64(le.Uint64(e[gptStart:])), int64(le.Uint64(e[gptEnd:]))
		if used(e) && n != but && start <= to && end >= from {
			return fmt.Errorf("sectors %d to %d: partition %d has sectors %d to %d", start, end, n, from, to)
		}
	}
}

func (g *gpt) add(kind string, start, end int64) error {
	end, err := g.check(start, end)
	if err == nil {
		err = g.free(start, end, 0)
	}
	if err != nil {
		return err
	}
	n := 1
	for used(g.main.entry(n)) {
		n++
	}
	e := g.main.entry(n)
	if e == nil {
		return fmt.Errorf("all %d entries of the table are in use", n-1)
	}
	clear(e)
	copy(e[gptType:], guidBytes(guidLinux))
	copy(e[gptGUID:], newGUID())
	le.PutUint64(e[gptStart:], uint64(start))
	le.PutUint64(e[gptEnd:], uint64(end))
	if err := setGPTName(e, kind); err != nil {
		return err
	}
	return g.save()
}

func (g *gpt) del(n int) error {
	return g.change(n, func(e []byte) error {
		clear(e)
		return nil
	})
}

func (g *gpt) resize(n int, end int64) error {
	return g.change(n, func(e []byte) error {
		start := int64(le.Uint64(e[gptStart:]))
		end, err := g.check(start, end)
		if was := int64(le.Uint64(e[gptEnd:])); err == nil && end < was {
			err = errShrinks(end, was)
		}
		if err == nil {
			err = g.free(start, end, n)
		}
		if err == nil {
			le.PutUint64(e[gptEnd:], uint64(end))
		}
		return err
	})
}

// setBootable makes a partition the one that firmware starts from, as parted does.
func (g *gpt) setBootable(n int, on bool) error {
	return g.change(n, func(e []byte) error {
		switch esp := shownGUID(e[gptType:]) == guidESP; {
		case on:
			copy(e[gptType:], guidBytes(guidESP))
		case esp:
			copy(e[gptType:], guidBytes(guidLinux))
		}
		return nil
	})
}

// setGUID sets the type or the identity of a partition.
func (g *gpt) setGUID(n, at int, guid string) error {
	b := guidBytes(guid)
	if b == nil {
		return fmt.Errorf("%s: not a GUID", guid)
	}
	return g.change(n, func(e []byte) error {
		copy(e[at:], b)
		return nil
	})
}

func setGPTName(e []byte, name string) error {
	units := utf16.Encode([]rune(name))
	if len(units) > gptNameUnits {
		return fmt.Errorf("%s: names of partitions have %d characters at most", name, gptNameUnits)
	}
	clear(e[gptName:][:2*gptNameUnits])
	for i, u := range units {
		le.PutUint16(e[gptName+2*i:], u)
	}
	return nil
}

// gptEntry is an entry that is in use, in sectors.
type gptEntry struct {
	num        int
	start, end int64 // -1 for what no disk has
	entry      []byte
}

// backwards reports whether an entry describes nothing.
func (e gptEntry) backwards() bool { return e.start < 0 || e.end < e.start }

func (g *gpt) used() (l []gptEntry) {
	sector := func(e []byte) int64 {
		if n := le.Uint64(e); n < uint64(math.MaxInt64/g.sector) {
			return int64(n)
		}
		return -1
	}
	for n := 1; ; n++ {
		e := g.main.entry(n)
		if e == nil {
			return l
		}
		if used(e) {
			l = append(l, gptEntry{n, sector(e[gptStart:]), sector(e[gptEnd:]), e})
		}
	}
}

func (g *gpt) rows() []partitionRow {
	var l []partitionRow
	for _, p := range g.used() {
		if p.backwards() {
			continue
		}
		var name []uint16
		for i := range gptNameUnits {
			u := le.Uint16(p.entry[gptName+2*i:])
			if u == 0 {
				break
			}
			name = append(name, u)
		}
		r := partitionRow{num: p.num, name: string(utf16.Decode(name)), bootable: shownGUID(p.entry[gptType:]) == guidESP}
		r.start, r.end = p.start*g.sector, (p.end+1)*g.sector-1
		r.size = r.end - r.start + 1
		l = append(l, r)
	}
	return byPlace(l)
}
