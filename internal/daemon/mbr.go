package daemon

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// tableDisk is a disk whose partition table is changed in place: only the bytes
// that a change affects are written.
type tableDisk struct {
	disk interface {
		io.ReaderAt
		io.WriterAt
	}
	sector  int64 // bytes
	sectors int64
}

func (d *tableDisk) read(at, n int64) ([]byte, error) {
	b := make([]byte, n*d.sector)
	_, err := d.disk.ReadAt(b, at*d.sector)
	return b, err
}

func (d *tableDisk) write(at int64, b []byte) error {
	_, err := d.disk.WriteAt(b, at*d.sector)
	return err
}

// check refuses a partition that is not on the disk. A negative end counts from the
// disk's end: -1 is its last sector.
func (d *tableDisk) check(start, end int64) (int64, error) {
	if end < 0 {
		end += d.sectors
	}
	switch {
	case end < start:
		return 0, fmt.Errorf("sector %d: the end is before the start, sector %d", end, start)
	case end >= d.sectors:
		return 0, fmt.Errorf("sector %d: outside of the disk, which has %d sectors", end, d.sectors)
	}
	return end, nil
}

// An MBR: four entries of 16 bytes at the end of the first sector, before a mark. The
// extended partition begins with a sector like it, with an entry for one logical
// partition and one for the next such sector, and so on.
const (
	mbrEntries   = 446
	mbrEntrySize = 16
	mbrMark      = 510

	entryBoot = 0 // 0x80: bootable
	entryCHS  = 1
	entryType = 4
	entryEnd  = 5 // CHS of the last sector
	entryLBA  = 8
	entrySize = 12

	typeLinux    = 0x83
	typeExtended = 0x0f
	typeLink     = 0x05
	typeGPT      = 0xee // protects a GPT from programs that do not know it

	maxLogical = 256 // a chain may contain a cycle
)

func isExtended(typ byte) bool { return typ == 0x05 || typ == 0x0f || typ == 0x85 }

// mbrPart is a partition of an MBR, with the place of its entry.
type mbrPart struct {
	num        int
	typ        byte
	bootable   bool
	start, end int64 // first and last sector, on the disk

	table int64 // the sector that has the entry
	index int   // of the entry in that sector
}

// mbrLink is a sector of the chain of logical partitions in an extended one.
type mbrLink struct {
	ext                mbrPart
	at, next           int64 // this one and the next, 0 for none
	dataIndex, toIndex int   // entries of the partition and of the link; -1 where there is none
}

type mbr struct {
	tableDisk
	parts  []mbrPart
	chain  []mbrLink // of all extended partitions, one after the other
	ring   bool      // a chain comes back to where it was
	beyond bool      // a chain goes on outside of the disk
}

func entryAt(sector []byte, i int) []byte {
	return sector[mbrEntries+i*mbrEntrySize:][:mbrEntrySize]
}

func entryRange(e []byte, base int64) (start, end int64) {
	start = base + int64(binary.LittleEndian.Uint32(e[entryLBA:]))
	return start, start + int64(binary.LittleEndian.Uint32(e[entrySize:])) - 1
}

// readMBR reads the table as the kernel does: an entry without sectors is none, and several
// extended partitions each have their chain.
func readMBR(d tableDisk) (*mbr, error) {
	m := &mbr{tableDisk: d}
	b, err := m.read(0, 1)
	if err != nil {
		return nil, err
	}
	if !isTable(b) {
		return nil, errors.New("there is no MBR")
	}
	for i := range 4 {
		if e := entryAt(b, i); usedEntry(e) {
			m.parts = append(m.parts, partOf(e, i+1, 0, i, 0))
		}
	}
	for _, ext := range m.extended() {
		if err := m.readChain(ext); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// isTable reports whether a sector has the mark of an MBR, or of a sector of the chain.
func isTable(sector []byte) bool { return sector[mbrMark] == 0x55 && sector[mbrMark+1] == 0xaa }

func usedEntry(e []byte) bool {
	return e[entryType] != 0 && binary.LittleEndian.Uint32(e[entrySize:]) != 0
}

func partOf(e []byte, num int, table int64, index int, base int64) mbrPart {
	p := mbrPart{num: num, typ: e[entryType], bootable: e[entryBoot]&0x80 != 0, table: table, index: index}
	p.start, p.end = entryRange(e, base)
	return p
}

// readChain reads the logical partitions of an extended one.
func (m *mbr) readChain(ext mbrPart) error {
	first := len(m.chain)
	for at := ext.start; len(m.chain) < maxLogical; {
		if at >= m.sectors {
			m.beyond = true
			return nil
		}
		b, err := m.read(at, 1)
		if err != nil {
			return err
		}
		if !isTable(b) {
			return nil
		}
		link := mbrLink{ext: ext, at: at, dataIndex: -1, toIndex: -1}
		for i := range 4 {
			e := entryAt(b, i)
			switch {
			case !usedEntry(e):
			case !isExtended(e[entryType]):
				p := partOf(e, 5+m.logicals(), at, i, at)
				if i >= 2 && (p.start < ext.start || p.end > ext.end) {
					continue // other systems have had something else there
				}
				if link.dataIndex < 0 {
					link.dataIndex = i
				}
				m.parts = append(m.parts, p)
			case link.toIndex < 0:
				link.toIndex = i
				link.next, _ = entryRange(e, ext.start)
			}
		}
		m.chain = append(m.chain, link)
		if slices.ContainsFunc(m.chain[first:], func(l mbrLink) bool { return l.at == link.next }) {
			m.ring = true
			return nil
		}
		if at = link.next; at <= ext.start {
			return nil
		}
	}
	return nil
}

func (m *mbr) logicals() (n int) {
	for _, p := range m.parts {
		if p.num > 4 {
			n++
		}
	}
	return n
}

func (p *mbrPart) isExtended() bool { return p.num <= 4 && isExtended(p.typ) }

func (m *mbr) extended() (l []mbrPart) {
	for _, p := range m.parts {
		if p.isExtended() {
			l = append(l, p)
		}
	}
	return l
}

// chainOf is the part of the chain that is in an extended partition.
func (m *mbr) chainOf(ext mbrPart) (l []mbrLink) {
	for _, link := range m.chain {
		if link.ext.num == ext.num {
			l = append(l, link)
		}
	}
	return l
}

func (m *mbr) part(n int) (*mbrPart, error) {
	for i := range m.parts {
		if m.parts[i].num == n {
			return &m.parts[i], nil
		}
	}
	return nil, errNoPart(n)
}

// change lets fn change an entry.
func (m *mbr) change(table int64, index int, fn func(entry []byte)) error {
	b, err := m.read(table, 1)
	if err != nil {
		return err
	}
	fn(entryAt(b, index))
	return m.write(table, b)
}

// chs is the old way to name a sector, of a disk with 255 heads and 63 sectors a track.
func chs(sector int64) [3]byte {
	const heads, track = 255, 63
	c, h, s := sector/(heads*track), sector/track%heads, sector%track+1
	if c > 1023 {
		return [3]byte{0xfe, 0xff, 0xff}
	}
	return [3]byte{byte(h), byte(s) | byte(c>>8<<6), byte(c)}
}

// setRange puts a partition's first and last sector into its entry.
func setRange(e []byte, base, start, end int64) {
	first, last := chs(start), chs(end)
	copy(e[entryCHS:], first[:])
	copy(e[entryEnd:], last[:])
	binary.LittleEndian.PutUint32(e[entryLBA:], uint32(start-base))
	binary.LittleEndian.PutUint32(e[entrySize:], uint32(end-start+1))
}

// free reports whether no other partition of the same level has any of the sectors;
// each logical partition also has a sector of the chain.
func (m *mbr) free(start, end int64, logical bool, but int) error {
	for _, p := range m.parts {
		if p.num != but && (p.num > 4) == logical && start <= p.end && end >= p.start {
			return fmt.Errorf("sectors %d to %d: partition %d has sectors %d to %d", start, end, p.num, p.start, p.end)
		}
	}
	for _, l := range m.chain {
		if logical && start <= l.at && end >= l.at {
			return fmt.Errorf("sectors %d to %d: sector %d is a part of the table", start, end, l.at)
		}
	}
	if end >= 1<<32 {
		return fmt.Errorf("sector %d: an MBR has no larger numbers than %d", end, 1<<32-1)
	}
	return nil
}

func (m *mbr) add(kind string, start, end int64) error {
	end, err := m.check(start, end)
	if err != nil {
		return err
	}
	if kind == "logical" {
		return m.addLogical(start, end)
	}
	if start == 0 {
		return errors.New("sector 0: the table is there")
	}
	if err := m.free(start, end, false, 0); err != nil {
		return err
	}
	if kind == "extended" && len(m.extended()) > 0 {
		return errors.New("there is an extended partition already, and can be only one")
	}
	for i := range 4 {
		if _, err := m.part(i + 1); err == nil {
			continue
		}
		typ := byte(typeLinux)
		if kind == "extended" {
			// Remains of an earlier use must not be mistaken for a chain.
			typ = typeExtended
			if err := m.write(start, m.emptyTable()); err != nil {
				return err
			}
		}
		return m.change(0, i, func(e []byte) {
			clear(e)
			e[entryType] = typ
			setRange(e, 0, start, end)
		})
	}
	return errors.New("all four entries of the table are in use")
}

func (m *mbr) emptyTable() []byte {
	b := make([]byte, m.sector)
	b[mbrMark], b[mbrMark+1] = 0x55, 0xaa
	return b
}

func (m *mbr) addLogical(start, end int64) error {
	all := m.extended()
	if len(all) == 0 {
		return errors.New("there is no extended partition for a logical one")
	}
	fits := func(ext mbrPart) bool { return start > ext.start && end <= ext.end }
	ext := all[max(0, slices.IndexFunc(all, fits))]
	if !fits(ext) {
		return fmt.Errorf("sectors %d to %d: the extended partition, of which the first is the table's, has sectors %d to %d", start, end, ext.start, ext.end)
	}
	chain := m.chainOf(ext)
	if err := m.free(start, end, true, 0); err != nil {
		return err
	}
	if len(m.chain) >= maxLogical {
		return errors.New("the chain of logical partitions has no end")
	}
	fill := func(table int64) func(e []byte) {
		return func(e []byte) {
			clear(e)
			e[entryType] = typeLinux
			setRange(e, table, start, end)
		}
	}
	// The first sector of the extended partition, if it has no partition yet.
	if len(chain) == 0 {
		if err := m.write(ext.start, m.emptyTable()); err != nil {
			return err
		}
		return m.change(ext.start, 0, fill(ext.start))
	}
	if first := chain[0]; first.dataIndex < 0 {
		return m.change(first.at, other(first.toIndex), fill(first.at))
	}
	// Else a sector before the partition, and a link to it from the chain's end, so
	// that all others keep their numbers.
	table := start - 1
	if err := m.free(table, table, true, 0); err != nil {
		return fmt.Errorf("sector %d, before the partition, is for the table: %w", table, err)
	}
	b := m.emptyTable()
	fill(table)(entryAt(b, 0))
	if err := m.write(table, b); err != nil {
		return err
	}
	last := chain[len(chain)-1]
	return m.change(last.at, other(last.dataIndex), func(e []byte) {
		clear(e)
		e[entryType] = typeLink
		setRange(e, ext.start, table, end)
	})
}

// other is the one of the first two entries that is not this one, usually the first
// for a partition and the second for a link.
func other(index int) int {
	if index == 0 {
		return 1
	}
	return 0
}

// link is the place of a logical partition in the chain.
func (m *mbr) link(p *mbrPart) int {
	for i, l := range m.chain {
		if l.at == p.table {
			return i
		}
	}
	return -1
}

func (m *mbr) del(n int) error {
	p, err := m.part(n)
	if err != nil {
		return err
	}
	i := m.link(p)
	switch {
	case n <= 4 || len(m.chainOf(m.chain[i].ext)) == 1 || m.shared(p):
		return m.change(p.table, p.index, func(e []byte) { clear(e) })
	case p.table == m.chain[i].ext.start:
		return m.delFirst(i)
	}
	// The one before gets the link that this one has.
	var next []byte
	if l := m.chain[i]; l.toIndex >= 0 {
		b, err := m.read(l.at, 1)
		if err != nil {
			return err
		}
		next = entryAt(b, l.toIndex)
	}
	return m.change(m.chain[i-1].at, m.chain[i-1].toIndex, func(e []byte) {
		clear(e)
		copy(e, next)
	})
}

// shared reports whether the sector of the table that has a partition has another one too.
func (m *mbr) shared(p *mbrPart) bool {
	return slices.ContainsFunc(m.parts, func(o mbrPart) bool { return o.num != p.num && o.table == p.table })
}

// delFirst removes the first logical partition of an extended one, if there are others, from
// the i-th sector of the chain. That is where it begins: the next one moves there.
func (m *mbr) delFirst(i int) error {
	first, second := m.chain[i], m.chain[i+1]
	from, err := m.read(second.at, 1)
	if err != nil {
		return err
	}
	to, err := m.read(first.at, 1)
	if err != nil {
		return err
	}
	for i := range 4 {
		clear(entryAt(to, i))
	}
	if i := second.dataIndex; i >= 0 {
		e := entryAt(to, 0)
		copy(e, entryAt(from, i))
		start, _ := entryRange(e, second.at)
		binary.LittleEndian.PutUint32(e[entryLBA:], uint32(start-first.at))
	}
	if i := second.toIndex; i >= 0 {
		copy(entryAt(to, 1), entryAt(from, i))
	}
	return m.write(first.at, to)
}

func (m *mbr) resize(n int, end int64) error {
	p, err := m.part(n)
	if err != nil {
		return err
	}
	if end, err = m.check(p.start, end); err != nil {
		return err
	}
	if end < p.end {
		return errShrinks(end, p.end)
	}
	if err := m.free(p.start, end, n > 4, n); err != nil {
		return err
	}
	i := m.link(p)
	if n > 4 && end > m.chain[i].ext.end {
		return fmt.Errorf("sector %d: the extended partition ends at sector %d", end, m.chain[i].ext.end)
	}
	if err := m.change(p.table, p.index, func(e []byte) { setEnd(e, p.table, end) }); err != nil {
		return err
	}
	if n > 4 && p.table != m.chain[i].ext.start {
		return m.change(m.chain[i-1].at, m.chain[i-1].toIndex, func(e []byte) { setEnd(e, m.chain[i].ext.start, end) })
	}
	return nil
}

// setEnd moves the end of what an entry describes.
func setEnd(e []byte, base, end int64) {
	start, _ := entryRange(e, base)
	last := chs(end)
	copy(e[entryEnd:], last[:])
	binary.LittleEndian.PutUint32(e[entrySize:], uint32(end-start+1))
}

// setBootable marks a partition; it clears the mark of all others, since only one may have it.
func (m *mbr) setBootable(n int, on bool) error {
	if _, err := m.part(n); err != nil {
		return err
	}
	for _, p := range m.parts {
		if p.num != n && !on {
			continue
		}
		err := m.change(p.table, p.index, func(e []byte) {
			if e[entryBoot] &^= 0x80; p.num == n && on {
				e[entryBoot] |= 0x80
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *mbr) setType(n int, typ byte) error {
	p, err := m.part(n)
	if err != nil {
		return err
	}
	// The logical partitions depend on that type.
	switch is := p.isExtended(); {
	case isExtended(typ) && !is && (n > 4 || len(m.extended()) > 0):
		return fmt.Errorf("partition %d: type %#x is that of the extended partition, of which a table has one", n, typ)
	case is && !isExtended(typ) && slices.ContainsFunc(m.chainOf(*p), func(l mbrLink) bool { return l.dataIndex >= 0 }):
		return fmt.Errorf("partition %d: its logical partitions would be lost: delete them first", n)
	}
	return m.change(p.table, p.index, func(e []byte) { e[entryType] = typ })
}

func (m *mbr) rows() []partitionRow {
	var l []partitionRow
	for _, p := range m.parts {
		r := partitionRow{num: p.num, start: p.start * m.sector, end: (p.end+1)*m.sector - 1, bootable: p.bootable}
		r.size = r.end - r.start + 1
		r.extended = p.isExtended()
		l = append(l, r)
	}
	return byPlace(l)
}

func byPlace(l []partitionRow) []partitionRow {
	slices.SortStableFunc(l, func(a, b partitionRow) int { return cmp.Compare(a.start, b.start) })
	return l
}
