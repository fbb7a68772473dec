package handle

import (
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"gofish/internal/api"
	"gofish/internal/proto"
)

func TestDecodeStructs(t *testing.T) {
	var e proto.Encoder
	var want []api.Dirent
	for i := range 3000 {
		d := api.Dirent{Ino: int64(i), Ftyp: 'r', Name: strings.Repeat("x", i%300)}
		want = append(want, d)
		api.EncodeStruct(&e, d)
	}
	for _, name := range []string{"long", "longer"} { // than the first buffer
		d := api.Dirent{Name: strings.Repeat(name, 50000)}
		want = append(want, d)
		api.EncodeStruct(&e, d)
	}
	text := string(e.Buf)
	got, err := decodeStructs[api.Dirent](strings.NewReader(text), 1<<20)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %d entries, %v; want %d", len(got), err, len(want))
	}
	small := text[:2000]
	if _, err := decodeStructs[api.Dirent](iotest.OneByteReader(strings.NewReader(small)), 1<<20); err == nil || !strings.Contains(err.Error(), "in the middle") {
		t.Errorf("a list that is cut off: %v", err)
	}
	if _, err := decodeStructs[api.Dirent](strings.NewReader(text), 1<<10); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a list that is too long: %v", err)
	}
	if l, err := decodeStructs[api.Dirent](strings.NewReader(""), 0); err != nil || l == nil || len(l) != 0 {
		t.Errorf("an empty list: %v, %v", l, err)
	}
	huge := "\x00\x00\x00\x00\x00\x00\x00\x01" + "\x00\x00\x00r" + "\xff\xff\xff\xff" + strings.Repeat("x", 9<<20)
	if _, err := decodeStructs[api.Dirent](strings.NewReader(huge), 1<<30); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("an entry that is too large: %v", err)
	}
}
