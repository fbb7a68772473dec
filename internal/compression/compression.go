// Package compression knows the kinds of compression by the first bytes of a file.
package compression

import "strings"

// HeadSize is how many bytes of a file Of looks at.
const HeadSize = 6

// Of names the kind of compression of a file that begins like this, by the name that
// tar-in takes for it; empty if the compression is not known, or there is none.
func Of(head []byte) string {
	for _, k := range kinds {
		if strings.HasPrefix(string(head), k.magic) {
			return k.name
		}
	}
	// LZMA has no magic number, but the size of its dictionary in bytes 1 to 4: a multiple
	// of 64 kB. A tar archive of a file called "]" has only zeros there.
	if len(head) > 4 && head[0] == 0x5d && head[1] == 0 && head[2] == 0 && (head[3] != 0 || head[4] != 0) {
		return "lzma"
	}
	return ""
}

var kinds = []struct{ magic, name string }{
	{"\x1f\x8b", "gzip"},
	{"BZh", "bzip2"},
	{"\xfd7zXZ\x00", "xz"},
	{"\x28\xb5\x2f\xfd", "zstd"},
	{"\x04\x22\x4d\x18", "lz4"},
	{"\x02\x21\x4c\x18", "lz4"}, // the old format, which the kernel accepts
	{"\x89LZO", "lzop"},
	{"\x1f\x9d", "compress"},
}
