package daemon

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// UUIDs as text and as file systems and tables of partitions store them.

func formatUUID(b []byte) string {
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// checkUUID is for tools that succeed with a bad UUID.
func checkUUID(uuid string) error {
	if !plainUUID.MatchString(uuid) {
		return fmt.Errorf("%s: not a UUID", uuid)
	}
	return nil
}

// guidBytes reads a GUID as it is written, in braces or not; nil if it is not one. On a
// disk its first three numbers are little-endian.
func guidBytes(guid string) []byte {
	b, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(guid, "{}"), "-", ""))
	if err != nil || len(b) != 16 {
		return nil
	}
	return swapGUID(b)
}

// shownGUID writes a GUID as partition tools do.
func shownGUID(b []byte) string { return strings.ToUpper(formatUUID(swapGUID(bytes.Clone(b[:16])))) }

func swapGUID(b []byte) []byte {
	slices.Reverse(b[:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	return b
}

// newGUID makes a random one (RFC 9562, version 4), as it is on a disk.
func newGUID() []byte {
	b := make([]byte, 16)
	rand.Read(b)
	b[7] = b[7]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return b
}
