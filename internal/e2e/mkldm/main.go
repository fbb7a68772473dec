// Mkldm writes two disk images that Windows could have made: a group of dynamic
// disks with a volume of each type that needs no third disk.
//
//	mkldm A.img B.img
//
// The layout is that of the Linux-NTFS project's LDM documentation: an MBR with
// one partition of type 0x42, PRIVHEAD in sector 6, and in the last MiB a table of
// contents (TOCBLOCK), the database header (VMDB) and its records (VBLK).
// Numbers are big-endian.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

const (
	sector      = 512
	diskSectors = 64 << 20 / sector
	dataStart   = 63                       // first sector of partitions
	configSize  = 2048                     // sectors at the end of a disk
	configStart = diskSectors - configSize //
	dataSize    = configStart - dataStart  //
	group       = "DESKTOP-Dg0"            //
	groupGUID   = "a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b01"
	hostGUID    = "a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b02"
	volumeGUID  = "a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4c%02x"
	mib         = 1 << 20 / sector
	vblkSize    = 128
	vmdbSector  = 17 // of the database, behind both copies of the contents
)

var diskGUIDs = []string{"a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b11", "a0c5a6a3-5a7e-4f0e-9b5d-0f6f6f3d4b12"}

// record is a VBLK's content under construction.
type record struct{ bytes.Buffer }

func (r *record) fixed(n int, v uint64) {
	b := binary.BigEndian.AppendUint64(nil, v)
	r.Write(b[8-n:])
}

// number is a length byte and as many bytes.
func (r *record) number(v uint64) {
	b := bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, v), "\x00")
	r.WriteByte(byte(len(b)))
	r.Write(b)
}

func (r *record) text(s string) {
	r.WriteByte(byte(len(s)))
	r.WriteString(s)
}

// Types of records, with their versions in the upper half.
const (
	recVolume    = 0x51
	recComponent = 0x32
	recPartition = 0x33
	recDisk      = 0x34
	recGroup     = 0x35
)

type database struct {
	records [][]byte
	counts  map[byte]uint32
	lastID  uint64
}

func (db *database) add(typ, flags byte, r *record) {
	var rec bytes.Buffer
	binary.Write(&rec, binary.BigEndian, uint16(0)) // state: committed
	rec.WriteByte(flags)
	rec.WriteByte(typ)
	binary.Write(&rec, binary.BigEndian, uint32(r.Len()))
	rec.Write(r.Bytes())
	const room = vblkSize - 16
	if rec.Len() > room {
		panic("record does not fit")
	}
	rec.Write(make([]byte, room-rec.Len()))
	db.records = append(db.records, rec.Bytes())
	db.counts[typ]++
}

func (db *database) id() uint64 { db.lastID++; return db.lastID }

// part is where a piece of a volume lies.
type part struct {
	disk        uint64
	start, size uint64 // sectors, from the beginning of the data
}

// Layouts of a component.
const (
	striped = 1
	spanned = 2
)

// volume adds a volume of components, each of parts.
func (db *database) volume(name, hint string, size uint64, layout byte, components ...[]part) {
	vol := db.id()
	var v record
	v.number(vol)
	v.text(name)
	v.text("gen")
	v.text("8000000000000000")
	v.WriteString("ACTIVE" + strings.Repeat("\x00", 8))
	v.WriteByte(3)                // general, not RAID 5
	v.Write([]byte{0, byte(vol)}) // number
	v.fixed(3, 0)
	v.WriteByte(0)
	v.number(uint64(len(components)))
	v.fixed(8, 1)
	v.fixed(8, 0)
	v.number(size)
	v.fixed(4, 0)
	v.WriteByte(7) // NTFS
	guid, _ := hex.DecodeString(strings.ReplaceAll(fmt.Sprintf(volumeGUID, vol), "-", ""))
	v.Write(guid)
	var flags byte
	if hint != "" {
		flags = 2
		v.text(hint)
	}
	db.add(recVolume, flags, &v)
	for i, parts := range components {
		comp := db.id()
		var c record
		c.number(comp)
		c.text(fmt.Sprintf("%s-%02d", name, i+1))
		c.text("ACTIVE")
		c.WriteByte(layout)
		c.fixed(4, 0)
		c.number(uint64(len(parts)))
		c.fixed(8, 1)
		c.fixed(8, 0)
		c.number(vol)
		c.WriteByte(0)
		flags = 0
		if layout == striped {
			flags = 0x10
			c.number(128) // sectors of a stripe
			c.number(uint64(len(parts)))
		}
		db.add(recComponent, flags, &c)
		offset := uint64(0)
		for j, p := range parts {
			id := db.id()
			var r record
			r.number(id)
			r.text(fmt.Sprintf("Disk%d-%02d", p.disk, id))
			r.fixed(4, 0)
			r.fixed(8, 1)
			r.fixed(8, p.start)
			r.fixed(8, offset)
			r.number(p.size)
			r.number(comp)
			r.number(p.disk)
			flags = 0
			if len(parts) > 1 {
				flags = 8
				r.number(uint64(j))
			}
			db.add(recPartition, flags, &r)
			offset += p.size
		}
	}
}

func newDatabase() *database {
	db := &database{counts: map[byte]uint32{}}
	for i, guid := range diskGUIDs {
		var r record
		r.number(db.id()) // 1 and 2
		r.text(fmt.Sprintf("Disk%d", i+1))
		r.text(guid)
		r.WriteByte(0)
		r.fixed(4, 0)
		r.fixed(8, 1)
		db.add(recDisk, 0, &r)
	}
	var g record
	g.number(db.id())
	g.text(group)
	g.text(groupGUID)
	g.fixed(4, 0)
	g.fixed(8, 1)
	db.add(recGroup, 0, &g)
	db.volume("Volume1", "E:", 8*mib, spanned, []part{{1, 0, 8 * mib}})
	db.volume("Volume2", "", 12*mib, spanned, []part{{1, 8 * mib, 8 * mib}, {2, 0, 4 * mib}})
	db.volume("Stripe1", "F:", 16*mib, striped, []part{{1, 16 * mib, 8 * mib}, {2, 4 * mib, 8 * mib}})
	db.volume("Mirror1", "G:", 8*mib, spanned, []part{{1, 24 * mib, 8 * mib}}, []part{{2, 12 * mib, 8 * mib}})
	return db
}

// config is the last MiB of each disk.
func (db *database) config() []byte {
	c := make([]byte, configSize*sector)
	be := binary.BigEndian
	const bitmap = 36
	for _, at := range []int{2, configSize - 2} {
		t := c[at*sector:]
		copy(t, "TOCBLOCK")
		be.PutUint32(t[8:], 1)
		be.PutUint32(t[16:], 1)
		copy(t[bitmap:], "config")
		be.PutUint64(t[bitmap+10:], vmdbSector)
		be.PutUint64(t[bitmap+18:], 1024)
		copy(t[bitmap+34:], "log")
		be.PutUint64(t[bitmap+44:], 1041)
		be.PutUint64(t[bitmap+52:], 128)
	}
	h := c[vmdbSector*sector:]
	copy(h, "VMDB")
	be.PutUint32(h[4:], uint32(len(db.records))+4)
	be.PutUint32(h[8:], vblkSize)
	be.PutUint32(h[12:], sector)
	be.PutUint16(h[16:], 1) // consistent
	be.PutUint16(h[18:], 4)
	be.PutUint16(h[20:], 10)
	copy(h[22:], group)
	copy(h[53:], groupGUID)
	be.PutUint64(h[117:], 1)
	be.PutUint64(h[125:], 1)
	for i, typ := range []byte{recVolume, recComponent, recPartition, recDisk} {
		be.PutUint32(h[133+4*i:], db.counts[typ])
	}
	for i, rec := range db.records {
		b := h[sector+i*vblkSize:]
		copy(b, "VBLK")
		be.PutUint32(b[4:], uint32(i)+4)
		be.PutUint32(b[8:], uint32(i)+1)
		be.PutUint16(b[12:], 0)
		be.PutUint16(b[14:], 1)
		copy(b[16:], rec)
	}
	return c
}

func privhead(diskGUID string) []byte {
	p := make([]byte, sector)
	be := binary.BigEndian
	copy(p, "PRIVHEAD")
	be.PutUint16(p[12:], 2)
	be.PutUint16(p[14:], 12)
	copy(p[48:], diskGUID)
	copy(p[112:], hostGUID)
	copy(p[176:], groupGUID)
	copy(p[240:], group)
	for i, v := range []uint64{dataStart, dataSize, configStart, configSize, 2, configSize - 2} {
		be.PutUint64(p[283+8*i:], v)
	}
	be.PutUint32(p[331:], 1)
	be.PutUint32(p[335:], 1)
	be.PutUint64(p[339:], 1024)
	be.PutUint64(p[347:], 128)
	return p
}

func write(name, guid string, config []byte) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	mbr := make([]byte, sector)
	entry := mbr[446:]
	entry[4] = 0x42
	binary.LittleEndian.PutUint32(entry[8:], dataStart)
	binary.LittleEndian.PutUint32(entry[12:], diskSectors-dataStart)
	mbr[510], mbr[511] = 0x55, 0xaa
	head := privhead(guid)
	for _, w := range []struct {
		at   int64
		data []byte
	}{{0, mbr}, {6, head}, {configStart, config}, {diskSectors - 1, head}} {
		if _, err := f.WriteAt(w.data, w.at*sector); err != nil {
			return err
		}
	}
	return f.Close()
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: mkldm A.img B.img")
		os.Exit(2)
	}
	config := newDatabase().config()
	for i, name := range os.Args[1:] {
		if err := write(name, diskGUIDs[i], config); err != nil {
			fmt.Fprintln(os.Stderr, "mkldm:", err)
			os.Exit(1)
		}
	}
}
