package peicon

import (
	"encoding/binary"
	"slices"
)

// Build writes a program that has nothing but bitmaps, by their numbers: for tests, and
// for judges that are to read it. One for 64 bits has larger headers.
func Build(is64 bool, bitmaps map[int][]byte) []byte {
	const fileAt, memoryAt = 0x400, 0x1000
	le := binary.LittleEndian
	ids := []int{}
	for id := range bitmaps {
		ids = append(ids, id)
	}
	slices.Sort(ids)

	// The directory of types, that of numbers, one of languages for each number, one
	// entry for each of those, then the data.
	directory := func(entries ...uint32) []byte {
		b := make([]byte, 14)
		b = le.AppendUint16(b, uint16(len(entries)/2))
		for _, e := range entries {
			b = le.AppendUint32(b, e)
		}
		return b
	}
	numbersAt := uint32(24)
	languagesAt := numbersAt + 16 + 8*uint32(len(ids))
	entriesAt := languagesAt + 24*uint32(len(ids))
	dataAt := entriesAt + 16*uint32(len(ids))
	tree := directory(2, below|numbersAt)
	var numbers []uint32
	var languages, entries, data []byte
	for i, id := range ids {
		numbers = append(numbers, uint32(id), below|(languagesAt+24*uint32(i)))
		languages = append(languages, directory(1033, entriesAt+16*uint32(i))...)
		for _, v := range []uint32{memoryAt + dataAt + uint32(len(data)), uint32(len(bitmaps[id])), 0, 0} {
			entries = le.AppendUint32(entries, v)
		}
		data = append(data, bitmaps[id]...)
		data = append(data, make([]byte, -len(data)&7)...)
	}
	tree = slices.Concat(tree, directory(numbers...), languages, entries, data)
	tree = append(tree, make([]byte, -len(tree)&0x1ff)...)

	machine, magic, optional, directories := uint16(0x14c), uint16(0x10b), 96+16*8, 96
	if is64 {
		machine, magic, optional, directories = 0x8664, 0x20b, 112+16*8, 112
	}
	file := make([]byte, fileAt)
	copy(file, "MZ")
	le.PutUint32(file[0x3c:], 0x40)
	copy(file[0x40:], "PE\x00\x00")
	le.PutUint16(file[0x44:], machine)
	le.PutUint16(file[0x46:], 1)
	le.PutUint16(file[0x54:], uint16(optional))
	le.PutUint16(file[0x56:], 2) // it is a program
	opt := file[0x58:]
	le.PutUint16(opt, magic)
	le.PutUint32(opt[32:], memoryAt)
	le.PutUint32(opt[36:], 0x200)
	le.PutUint32(opt[56:], memoryAt+uint32(len(tree)))
	le.PutUint32(opt[60:], fileAt)
	le.PutUint32(opt[directories-4:], 16)
	le.PutUint32(opt[directories+16:], memoryAt)
	le.PutUint32(opt[directories+20:], uint32(len(tree)))
	sec := opt[optional:]
	copy(sec, ".rsrc")
	for at, v := range map[int]uint32{8: uint32(len(tree)), 12: memoryAt, 16: uint32(len(tree)), 20: fileAt, 36: 0x40000040} {
		le.PutUint32(sec[at:], v)
	}
	return append(file, tree...)
}

// BuildBitmap writes the bitmap that at gives the red, green and blue of, with 24 bits
// for each pixel.
func BuildBitmap(width, height int, at func(x, y int) [3]byte) []byte {
	b := Header(width, height, 24, 0)
	for y := height - 1; y >= 0; y-- {
		for x := range width {
			c := at(x, y)
			b = append(b, c[2], c[1], c[0])
		}
		b = append(b, make([]byte, -3*width&3)...)
	}
	return b
}

// Header precedes the palette and the rows of a bitmap.
func Header(width, height, bits, colors int) []byte {
	b := make([]byte, 40)
	le := binary.LittleEndian
	le.PutUint32(b, 40)
	le.PutUint32(b[4:], uint32(int32(width)))
	le.PutUint32(b[8:], uint32(int32(height)))
	le.PutUint16(b[12:], 1)
	le.PutUint16(b[14:], uint16(bits))
	le.PutUint32(b[32:], uint32(colors))
	return b
}
