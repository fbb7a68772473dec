// Package hive reads Windows registry hives. The format has no document of
// Microsoft's; this follows what is known of it: a header of 4096 bytes beginning
// with "regf", then bins of cells. A cell begins with its size, negative while it is
// in use; offsets count from the end of the header. Nothing in a hive is believed:
// every offset, count and length is checked, and loops end.
package hive

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf16"
)

// Hive is a registry hive in memory.
type Hive struct {
	data []byte // after the header
	root uint32
}

// Key is the offset of a key's cell.
type Key uint32

// Value is one value of a key.
type Value struct {
	Name string
	Type uint32
	Data []byte
}

// Types of values that hold text.
const (
	TypeString       = 1
	TypeExpandString = 2
	TypeMultiString  = 7
)

var errHive = errors.New("this is no registry hive, or it is damaged")

const (
	headerSize = 4096
	// Limits that no real hive comes near.
	maxSubkeys = 100000
	maxValues  = 10000
	maxData    = 16 << 20
	maxDepth   = 8 // of lists of subkeys
)

// Open takes a hive's content.
func Open(b []byte) (*Hive, error) {
	if len(b) < headerSize+32 || string(b[:4]) != "regf" {
		return nil, errHive
	}
	h := &Hive{data: b[headerSize:], root: binary.LittleEndian.Uint32(b[0x24:])}
	if h.key(Key(h.root)) == nil {
		return nil, errHive
	}
	return h, nil
}

func (h *Hive) Root() Key { return Key(h.root) }

// cell returns the content of the cell at an offset, nil if there is none in use.
func (h *Hive) cell(off uint32) []byte {
	if uint64(off)+8 > uint64(len(h.data)) || off%8 != 0 {
		return nil
	}
	size := -int64(int32(binary.LittleEndian.Uint32(h.data[off:])))
	if size < 8 || int64(off)+size > int64(len(h.data)) {
		return nil
	}
	return h.data[off+4 : int64(off)+size]
}

// key returns the cell of a key.
func (h *Hive) key(k Key) []byte {
	c := h.cell(uint32(k))
	if len(c) < 0x4c || string(c[:2]) != "nk" {
		return nil
	}
	return c
}

func u16(b []byte, at int) int    { return int(binary.LittleEndian.Uint16(b[at:])) }
func u32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }

// Name is a key's name.
func (h *Hive) Name(k Key) string {
	c := h.key(k)
	if c == nil {
		return ""
	}
	return name(c, 0x4c, u16(c, 0x48), u16(c, 2)&0x20 != 0)
}

// name reads a name of n bytes: Latin-1 if it is narrow, else UTF-16.
func name(c []byte, at, n int, narrow bool) string {
	if at+n > len(c) {
		return ""
	}
	b := c[at : at+n]
	if !narrow {
		return Text(b)
	}
	r := make([]rune, len(b))
	for i, ch := range b {
		r[i] = rune(ch)
	}
	return string(r)
}

// Text turns UTF-16 (little-endian) into text, up to the first zero.
func Text(b []byte) string {
	u := make([]uint16, 0, len(b)/2)
	for ; len(b) >= 2; b = b[2:] {
		c := binary.LittleEndian.Uint16(b)
		if c == 0 {
			break
		}
		u = append(u, c)
	}
	return string(utf16.Decode(u))
}

// Subkeys lists the keys below a key.
func (h *Hive) Subkeys(k Key) []Key {
	c := h.key(k)
	if c == nil || u32(c, 0x14) == 0 {
		return nil
	}
	var l []Key
	steps := maxSubkeys
	h.collect(u32(c, 0x1c), 0, &steps, &l)
	return l
}

// collect walks a list of subkeys: lf and lh hold offsets with hashes, li offsets,
// ri offsets of further lists. A list may name itself: steps is how many entries of
// lists may still be looked at.
func (h *Hive) collect(off uint32, depth int, steps *int, l *[]Key) {
	c := h.cell(off)
	if len(c) < 4 || depth > maxDepth {
		return
	}
	step := 4
	switch string(c[:2]) {
	case "lf", "lh":
		step = 8
	case "li", "ri":
	default:
		return
	}
	for i, n := 0, u16(c, 2); i < n && 4+(i+1)*step <= len(c) && *steps > 0; i++ {
		*steps--
		at := u32(c, 4+i*step)
		if string(c[:2]) == "ri" {
			h.collect(at, depth+1, steps, l)
		} else if h.key(Key(at)) != nil {
			*l = append(*l, Key(at))
		}
	}
}

// Find follows names separated by backslashes, in any case, from the root.
func (h *Hive) Find(path string) (Key, bool) {
	k := h.Root()
next:
	for _, want := range strings.Split(path, `\`) {
		if want == "" {
			continue
		}
		for _, sub := range h.Subkeys(k) {
			if strings.EqualFold(h.Name(sub), want) {
				k = sub
				continue next
			}
		}
		return 0, false
	}
	return k, true
}

// Values lists the values of a key. Of their data no more than maxData bytes are
// read altogether: many may name the same large one.
func (h *Hive) Values(k Key) []Value {
	var l []Value
	room := maxData
	for _, off := range h.valueCells(k) {
		if v, ok := h.value(off, room); ok {
			room -= len(v.Data)
			l = append(l, v)
		}
	}
	return l
}

// ValueNames lists the names of the values of a key.
func (h *Hive) ValueNames(k Key) []string {
	var l []string
	for _, off := range h.valueCells(k) {
		if c := h.valueCell(off); c != nil {
			l = append(l, valueName(c))
		}
	}
	return l
}

// Value finds a value by its name, in any case.
func (h *Hive) Value(k Key, name string) (Value, bool) {
	for _, off := range h.valueCells(k) {
		if c := h.valueCell(off); c != nil && strings.EqualFold(valueName(c), name) {
			return h.value(off, maxData)
		}
	}
	return Value{}, false
}

// Texts returns what text the values of a key hold, by their names in lower case; of
// two with one name the first. room is how many bytes may still be looked at, and
// becomes smaller; below zero something was left out.
func (h *Hive) Texts(k Key, room *int) map[string]string {
	const each = 64 // for a value without data, which takes time too
	m := map[string]string{}
	for _, off := range h.valueCells(k) {
		if *room -= each; *room < 0 {
			break
		}
		c := h.valueCell(off)
		if c == nil || u32(c, 0xc) != TypeString && u32(c, 0xc) != TypeExpandString {
			continue
		}
		*room -= u16(c, 2)
		v, ok := h.value(off, max(*room, 0))
		if !ok {
			if n := u32(c, 4); n < maxData && int(n) > *room { // it is the room that is missing
				*room = -1
			}
			continue
		}
		*room -= len(v.Data)
		if name := strings.ToLower(v.Name); *room >= 0 {
			if _, double := m[name]; !double {
				m[name] = Text(v.Data)
			}
		}
	}
	return m
}

// valueCells lists the offsets of a key's values.
func (h *Hive) valueCells(k Key) []uint32 {
	c := h.key(k)
	if c == nil {
		return nil
	}
	n := int(min(u32(c, 0x24), maxValues))
	list := h.cell(u32(c, 0x28))
	var l []uint32
	for i := 0; i < n && (i+1)*4 <= len(list); i++ {
		l = append(l, u32(list, i*4))
	}
	return l
}

func (h *Hive) valueCell(off uint32) []byte {
	c := h.cell(off)
	if len(c) < 0x14 || string(c[:2]) != "vk" {
		return nil
	}
	return c
}

func valueName(c []byte) string { return name(c, 0x14, u16(c, 2), u16(c, 0x10)&1 != 0) }

// value reads a value with at most room bytes of data.
func (h *Hive) value(off uint32, room int) (Value, bool) {
	c := h.valueCell(off)
	if c == nil {
		return Value{}, false
	}
	v := Value{Name: valueName(c), Type: u32(c, 0xc)}
	n := u32(c, 4)
	if n&0x80000000 != 0 { // up to four bytes replace the offset
		n &= 0x7fffffff
		if n > 4 {
			return Value{}, false
		}
		v.Data = c[8 : 8+n]
		return v, true
	}
	if n == 0 {
		return v, true
	}
	if int64(n) > int64(room) {
		return Value{}, false
	}
	d := h.cell(u32(c, 8))
	if len(d) >= 8 && string(d[:2]) == "db" && n > 16344 {
		d = h.pieces(d, int(n))
	}
	if int(n) > len(d) {
		return Value{}, false
	}
	v.Data = d[:n]
	return v, true
}

// pieces puts together a value that is too large for one cell.
func (h *Hive) pieces(db []byte, n int) []byte {
	list := h.cell(u32(db, 4))
	var all []byte
	for i := 0; i < u16(db, 2) && (i+1)*4 <= len(list) && len(all) < n; i++ {
		p := h.cell(u32(list, i*4))
		all = append(all, p[:min(len(p), 16344)]...)
	}
	return all
}
