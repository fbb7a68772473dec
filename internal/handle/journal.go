package handle

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"gofish/internal/api"
)

func (h Actions) JournalGet(c *Call) ([]api.Xattr, error) {
	return listFrom(decodeFields, func(w io.Writer) error { return c.InternalJournalGet(c, w) })
}

// decodeFields reads the fields of an entry: NAME=VALUE after its length, a big-endian
// number of 64 bits.
func decodeFields(r io.Reader, max int) ([]api.Xattr, error) {
	in := bufio.NewReader(r)
	list := []api.Xattr{}
	for room := uint64(max); ; {
		var n uint64
		if err := binary.Read(in, binary.BigEndian, &n); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("the fields end in the middle of a length")
		}
		if n > room {
			return nil, fmt.Errorf("the entry is larger than %d MB", max>>20)
		}
		room -= n
		// Do not trust a length beyond the data that is there.
		var field bytes.Buffer
		if m, err := io.CopyN(&field, in, int64(n)); err != nil {
			return nil, fmt.Errorf("a field of %d bytes ends after %d", n, m)
		}
		name, value, ok := bytes.Cut(field.Bytes(), []byte("="))
		if !ok {
			return nil, fmt.Errorf("a field has no name: %.40q", field.String())
		}
		list = append(list, api.Xattr{Attrname: string(name), Attrval: value})
	}
}
