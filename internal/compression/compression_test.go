package compression

import (
	"bytes"
	"compress/gzip"
	"testing"
)

func TestOf(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte("text"))
	z.Close()
	for head, want := range map[string]string{
		b.String():                      "gzip",
		"BZh91AY":                       "bzip2",
		"\xfd7zXZ\x00":                  "xz",
		"\x28\xb5\x2f\xfd\x04\x00":      "zstd",
		"\x02\x21\x4c\x18\x00\x00":      "lz4",
		"\x04\x22\x4d\x18":              "lz4",
		"\x89LZO\x00\r":                 "lzop",
		"\x1f\x9d\x90":                  "compress",
		"\x5d\x00\x00\x80\x00\xff":      "lzma",
		"\x5d\x00\x00\x00\x01\xff":      "lzma",
		"\x5d\x00\x00\x00\x00\x00":      "", // a tar archive with a file called "]"
		"\x5d\x00\x00":                  "",
		"\x1f":                          "",
		"":                              "",
		"070701":                        "",
		"\x7fELF\x02\x01":               "",
		"BZ":                            "",
		"plain text that says BZh gzip": "",
	} {
		if got := Of([]byte(head)); got != want {
			t.Errorf("%q is %q, not %q", head, got, want)
		}
	}
}
