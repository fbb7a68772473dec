// Package peicon takes bitmaps out of the resources of Windows programs. A program of a
// guest is untrusted: every offset and count is checked, and sizes are bounded. (Package
// debug/pe reads all relocations that a file claims to have, which may be gigabytes.)
package peicon

import (
	"encoding/binary"
	"errors"
)

var (
	errProgram = errors.New("this is no Windows program, or it is damaged")
	errNone    = errors.New("the program has no such resource")
)

// section says where a part of the program in memory is in the file.
type section struct{ address, size, offset uint32 }

// program is a file in the Portable Executable format (Microsoft, "PE Format").
type program struct {
	file      []byte
	sections  []section
	resources uint32 // address of the directory, 0: none
}

func u16(b []byte, at int) uint16 { return binary.LittleEndian.Uint16(b[at:]) }
func u32(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }

// part returns n bytes of b from an offset on, nil if it has fewer.
func part(b []byte, at, n uint32) []byte {
	if uint64(at)+uint64(n) > uint64(len(b)) {
		return nil
	}
	return b[at : at+n]
}

const (
	maxSections = 96 // the loader of Windows takes no more
	coffSize    = 20
	sectionSize = 40
)

func parse(file []byte) (*program, error) {
	dos := part(file, 0, 0x40)
	if dos == nil || string(dos[:2]) != "MZ" {
		return nil, errProgram
	}
	start := u32(dos, 0x3c)
	head := part(file, start, 4+coffSize)
	if head == nil || string(head[:4]) != "PE\x00\x00" {
		return nil, errProgram
	}
	count, optional := int(u16(head, 4+2)), uint32(u16(head, 4+16))
	opt := part(file, start+4+coffSize, optional)
	table := part(file, start+4+coffSize+optional, uint32(count)*sectionSize)
	if opt == nil || table == nil || len(opt) < 2 || count > maxSections {
		return nil, errProgram
	}
	p := &program{file: file}
	for ; len(table) > 0; table = table[sectionSize:] {
		p.sections = append(p.sections, section{u32(table, 12), u32(table, 16), u32(table, 20)})
	}
	directories := map[uint16]int{0x10b: 96, 0x20b: 112}[u16(opt, 0)] // PE32, PE32+
	const resource = 2
	if at := directories + 8*resource; directories != 0 && len(opt) >= at+8 && u32(opt, directories-4) > resource {
		p.resources = u32(opt, at)
	}
	return p, nil
}

// memory returns what the file holds for an address, to the end of the section.
func (p *program) memory(address uint32) []byte {
	for _, s := range p.sections {
		if address >= s.address && address-s.address < s.size {
			if b := part(p.file, s.offset, s.size); b != nil {
				return b[address-s.address:]
			}
		}
	}
	return nil
}

// below marks an entry of a directory that leads to another directory.
const below = 1 << 31

// find looks for an entry by its number; negative means any. Names are passed over.
func find(tree []byte, directory uint32, id int) (offset uint32, ok bool) {
	head := part(tree, directory, 16)
	if head == nil {
		return 0, false
	}
	named, numbered := uint32(u16(head, 12)), uint32(u16(head, 14))
	for i := range named + numbered {
		e := part(tree, directory+16+8*i, 8)
		if e == nil {
			return 0, false
		}
		if id < 0 || i >= named && u32(e, 0) == uint32(id) {
			return u32(e, 4), true
		}
	}
	return 0, false
}

// resource returns a resource by its type and number, in any language.
func (p *program) resource(typ, id int) ([]byte, error) {
	tree := p.memory(p.resources)
	if p.resources == 0 || tree == nil {
		return nil, errNone
	}
	var at uint32 = below
	for _, want := range []int{typ, id, -1} {
		var ok bool
		if at&below == 0 {
			return nil, errProgram
		}
		if at, ok = find(tree, at&^below, want); !ok {
			return nil, errNone
		}
	}
	entry := part(tree, at, 16)
	if entry == nil {
		return nil, errProgram
	}
	data := part(p.memory(u32(entry, 0)), 0, u32(entry, 4))
	if data == nil {
		return nil, errProgram
	}
	return data, nil
}
