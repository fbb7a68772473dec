package hive

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
)

// Node is a key to be built, with what is below it.
type Node struct {
	Name    string
	Values  []Value
	Subkeys []Node
}

// Build writes a new hive with the keys of root: for tests, and for judges that are
// to read it.
func Build(root Node) []byte {
	b := &builder{}
	b.alloc(0x20 - 4) // the bin's header is here
	// One security descriptor for all keys: a record that is its own predecessor and
	// successor, with the shortest descriptor there is (MS-DTYP 2.4.6), that of nobody.
	sk := make([]byte, 0x14+20)
	copy(sk, "sk")
	binary.LittleEndian.PutUint32(sk[0x10:], 20)
	sk[0x14], sk[0x17] = 1, 0x80
	b.sk = b.cell(sk)
	b.put(b.sk, 4, b.sk)
	b.put(b.sk, 8, b.sk)
	rootOff := b.node(root, 0xffffffff, 0x2c)
	b.put(b.sk, 0xc, b.keys)
	for len(b.data)%4096 != 0 {
		rest := 4096 - len(b.data)%4096
		free := make([]byte, rest)
		binary.LittleEndian.PutUint32(free, uint32(rest))
		b.data = append(b.data, free...)
	}
	copy(b.data, "hbin")
	binary.LittleEndian.PutUint32(b.data[4:], 0)
	binary.LittleEndian.PutUint32(b.data[8:], uint32(len(b.data)))
	clear(b.data[12:0x20])

	head := make([]byte, headerSize)
	copy(head, "regf")
	for at, v := range map[int]uint32{4: 1, 8: 1, 0x14: 1, 0x18: 3, 0x20: 1, 0x24: rootOff, 0x28: uint32(len(b.data)), 0x2c: 1} {
		binary.LittleEndian.PutUint32(head[at:], v)
	}
	var sum uint32
	for i := 0; i < 0x1fc; i += 4 {
		sum ^= binary.LittleEndian.Uint32(head[i:])
	}
	binary.LittleEndian.PutUint32(head[0x1fc:], sum)
	return append(head, b.data...)
}

type builder struct {
	data []byte
	sk   uint32 // offset of the security descriptor
	keys uint32 // how many have it
}

// alloc makes a cell for n bytes, and returns its offset.
func (b *builder) alloc(n int) uint32 {
	off := len(b.data)
	size := (n + 4 + 7) &^ 7
	b.data = append(b.data, make([]byte, size)...)
	binary.LittleEndian.PutUint32(b.data[off:], uint32(-int32(size)))
	return uint32(off)
}

func (b *builder) cell(content []byte) uint32 {
	off := b.alloc(len(content))
	copy(b.data[off+4:], content)
	return off
}

func (b *builder) put(off uint32, at int, v uint32) {
	binary.LittleEndian.PutUint32(b.data[int(off)+4+at:], v)
}

// narrow reports whether a name has only characters of Latin-1, and its bytes.
func narrow(name string) ([]byte, bool) {
	var l []byte
	for _, c := range name {
		if c > 0xff {
			return UTF16(name)[:2*len(utf16.Encode([]rune(name)))], false
		}
		l = append(l, byte(c))
	}
	return l, true
}

// UTF16 is text as Windows stores it, with a zero at the end.
func UTF16(s string) []byte {
	var b []byte
	for _, c := range append(utf16.Encode([]rune(s)), 0) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return b
}

func (b *builder) node(n Node, parent uint32, flags uint16) uint32 {
	text, thin := narrow(n.Name)
	c := make([]byte, 0x4c+len(text))
	copy(c, "nk")
	if thin {
		flags |= 0x20
	}
	binary.LittleEndian.PutUint16(c[2:], flags)
	for _, at := range []int{0x1c, 0x20, 0x28, 0x30} {
		binary.LittleEndian.PutUint32(c[at:], 0xffffffff)
	}
	binary.LittleEndian.PutUint32(c[0x2c:], b.sk)
	b.keys++
	binary.LittleEndian.PutUint32(c[0x10:], parent)
	binary.LittleEndian.PutUint16(c[0x48:], uint16(len(text)))
	copy(c[0x4c:], text)
	off := b.cell(c)

	if len(n.Values) > 0 {
		var list []byte
		for _, v := range n.Values {
			list = binary.LittleEndian.AppendUint32(list, b.value(v))
		}
		at := b.cell(list)
		b.put(off, 0x24, uint32(len(n.Values)))
		b.put(off, 0x28, at)
	}
	if len(n.Subkeys) > 0 {
		list := binary.LittleEndian.AppendUint16([]byte("lh"), uint16(len(n.Subkeys)))
		for _, s := range n.Subkeys {
			list = binary.LittleEndian.AppendUint32(list, b.node(s, off, 0))
			var hash uint32
			for _, c := range strings.ToUpper(s.Name) {
				hash = hash*37 + uint32(c)
			}
			list = binary.LittleEndian.AppendUint32(list, hash)
		}
		at := b.cell(list)
		b.put(off, 0x14, uint32(len(n.Subkeys)))
		b.put(off, 0x1c, at)
	}
	return off
}

func (b *builder) value(v Value) uint32 {
	text, thin := narrow(v.Name)
	c := make([]byte, 0x14+len(text))
	copy(c, "vk")
	binary.LittleEndian.PutUint16(c[2:], uint16(len(text)))
	binary.LittleEndian.PutUint32(c[0xc:], v.Type)
	if thin {
		c[0x10] = 1
	}
	copy(c[0x14:], text)
	if len(v.Data) <= 4 {
		binary.LittleEndian.PutUint32(c[4:], 0x80000000|uint32(len(v.Data)))
		copy(c[8:12], v.Data)
	} else {
		binary.LittleEndian.PutUint32(c[4:], uint32(len(v.Data)))
		binary.LittleEndian.PutUint32(c[8:], b.cell(v.Data))
	}
	return b.cell(c)
}
