// Mkbitlocker writes the image of a volume that BitLocker has encrypted by
// AES-XTS and a password opens. It has no file system inside.
//
//	mkbitlocker FILE PASSWORD
//
// The layout is that of the libbde project's documentation: a boot sector that
// tells where three copies of the metadata are; in these the key of the volume,
// encrypted by a second key, which is encrypted by one that is derived from the
// password. Numbers are little-endian.
package main

import (
	"crypto/aes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"unicode/utf16"
)

const (
	size         = 32 << 20
	metadataSize = 64 << 10
	headerSize   = 112      // of the metadata, before its entries
	movedSize    = 16 << 10 // what stands at the beginning, moved behind the first metadata
	iterations   = 1 << 20
	xts128       = 0x8004
	byPassword   = 0x2000
	encrypted    = 4 // state of the volume, now and next
)

var metadataAt = []uint64{8 << 20, 16 << 20, 24 << 20}

// Types of entries and of their values.
const (
	entryProperty = 0
	entryMaster   = 2
	entryVolume   = 3
	entryHeader   = 15
	valueStretch  = 3
	valueSealed   = 5
	valueMaster   = 8
	valueHeader   = 15
)

var le = binary.LittleEndian

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

func entry(typ, value uint16, parts ...[]byte) []byte {
	b := make([]byte, 8)
	for _, p := range parts {
		b = append(b, p...)
	}
	le.PutUint16(b[0:], uint16(len(b)))
	le.PutUint16(b[2:], typ)
	le.PutUint16(b[4:], value)
	le.PutUint16(b[6:], 1)
	return b
}

// passwordKey derives a key from a password.
func passwordKey(password string, salt []byte) []byte {
	var text []byte
	for _, c := range utf16.Encode([]rune(password)) {
		text = le.AppendUint16(text, c)
	}
	first := sha256.Sum256(text)
	first = sha256.Sum256(first[:])
	state := make([]byte, 88)
	copy(state[32:], first[:])
	copy(state[64:], salt)
	for i := range uint64(iterations) {
		le.PutUint64(state[80:], i)
		sum := sha256.Sum256(state)
		copy(state, sum[:])
	}
	return state[:32]
}

// seal encrypts a key by another (AES-CCM, RFC 3610, with 3 bytes of length): a
// nonce of 12 bytes, a code of 16, the text.
func seal(by, key []byte) []byte {
	text := make([]byte, 12, 12+len(key))
	le.PutUint32(text, uint32(12+len(key)))
	le.PutUint32(text[4:], 1)
	le.PutUint32(text[8:], 0x2003)
	text = append(text, key...)
	block, err := aes.NewCipher(by)
	if err != nil {
		panic(err)
	}
	nonce := random(12)
	word := func(flags byte, n int) []byte {
		return append(append([]byte{flags}, nonce...), byte(n>>16), byte(n>>8), byte(n))
	}
	xor := func(dst, with []byte) {
		for i := range dst {
			dst[i] ^= with[i]
		}
	}
	mac := word(0x3a, len(text))
	block.Encrypt(mac, mac)
	out := append([]byte{}, text...)
	for i := 0; i < len(text); i += 16 {
		piece := make([]byte, 16)
		n := copy(piece, text[i:])
		xor(mac, piece)
		block.Encrypt(mac, mac)
		stream := word(2, i/16+1)
		block.Encrypt(stream, stream)
		xor(out[i:i+n], stream)
	}
	stream := word(2, 0)
	block.Encrypt(stream, stream)
	xor(mac, stream)
	return append(append(nonce, mac...), out...)
}

// metadata makes one copy, which is the same as the others.
func metadata(password string) []byte {
	salt, master, volume := random(16), random(32), random(32)
	head := make([]byte, 28)
	copy(head, random(16))
	le.PutUint16(head[26:], byPassword)
	method := make([]byte, 4)
	le.PutUint32(method, 0x1001)
	moved := make([]byte, 16)
	le.PutUint64(moved, metadataAt[0]+metadataSize)
	le.PutUint64(moved[8:], movedSize)
	entries := entry(entryMaster, valueMaster, head,
		entry(entryProperty, valueStretch, method, salt),
		entry(entryProperty, valueSealed, seal(passwordKey(password, salt), master)))
	entries = append(entries, entry(entryVolume, valueSealed, seal(master, volume))...)
	entries = append(entries, entry(entryHeader, valueHeader, moved)...)

	m := make([]byte, metadataSize)
	copy(m, "-FVE-FS-")
	le.PutUint16(m[8:], headerSize)
	le.PutUint16(m[10:], 2)
	le.PutUint16(m[12:], encrypted)
	le.PutUint16(m[14:], encrypted)
	le.PutUint64(m[16:], size)
	le.PutUint32(m[28:], movedSize)
	for i, at := range metadataAt {
		le.PutUint64(m[32+8*i:], at)
	}
	le.PutUint64(m[56:], metadataAt[0]+metadataSize)
	le.PutUint32(m[64:], uint32(headerSize+len(entries)))
	le.PutUint32(m[68:], 1)
	le.PutUint32(m[72:], 48)
	le.PutUint32(m[76:], uint32(headerSize+len(entries)))
	copy(m[80:], random(16))
	le.PutUint32(m[96:], 3)
	le.PutUint16(m[100:], xts128)
	le.PutUint64(m[104:], 133000000000000000) // 2022
	copy(m[headerSize:], entries)
	return m
}

func write(name, password string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	boot := make([]byte, 512)
	copy(boot, "\xeb\x58\x90-FVE-FS-")
	le.PutUint16(boot[11:], 512)
	boot[13] = 8
	copy(boot[160:], "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01")
	for i, at := range metadataAt {
		le.PutUint64(boot[176+8*i:], at)
	}
	boot[510], boot[511] = 0x55, 0xaa
	if _, err := f.WriteAt(boot, 0); err != nil {
		return err
	}
	m := metadata(password)
	for _, at := range metadataAt {
		if _, err := f.WriteAt(m, int64(at)); err != nil {
			return err
		}
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	return f.Close()
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: mkbitlocker FILE PASSWORD")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "mkbitlocker:", err)
		os.Exit(1)
	}
}
