package untar

import (
	"archive/tar"
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"strconv"
	"strings"
	"time"
)

// reader parses an archive: v7, ustar, star, GNU and POSIX.1-2001 (pax)
// headers, and the four forms of sparse files. archive/tar reads the same, but
// does not say where the holes are, and returns each of their bytes.
type reader struct {
	r      io.Reader
	left   int64 // data of the member that was not read yet
	pad    int64 // what follows it up to the next block
	global map[string]string
	any    bool // a block was read
	ended  bool // by the archive's end mark, not by the file's end
}

// member is a header with what archive/tar does not expose.
type member struct {
	*tar.Header
	// spans are where the data goes; nil: it is the whole file. Everything between
	// them is a hole; Size includes the holes.
	spans []span
}

type span struct{ off, n int64 }

func (s span) end() int64 { return s.off + s.n }

const blockSize = 512

// Limits for what one header may load into memory.
const (
	maxSpecial = 1 << 20 // a long name, or pax records
	maxSpans   = 4 << 20 // pieces of a sparse file: 64 MB
)

var errManySpans = fmt.Errorf("the file has more than %d holes", maxSpans)

func newReader(r io.Reader) *reader {
	return &reader{r: bufio.NewReaderSize(r, 64<<10)}
}

// Read reads data of the member.
func (r *reader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.r.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if err == io.EOF && r.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// block reads 512 bytes. io.EOF says that there is nothing more.
func (r *reader) block(b *[blockSize]byte) error {
	_, err := io.ReadFull(r.r, b[:])
	if err == nil {
		r.any = true
	}
	return err
}

// next goes to the next member; io.EOF is the archive's end.
func (r *reader) next() (*member, error) {
	pax := map[string]string{}
	maps.Copy(pax, r.global)
	var longName, longLink string
	special := false // a header that belongs to the next one was read
	for {
		if _, err := io.CopyN(io.Discard, r.r, r.left+r.pad); err != nil {
			return nil, unexpected(err)
		}
		r.left, r.pad = 0, 0
		var b [blockSize]byte
		err := r.block(&b)
		if err == nil && zero(b[:]) {
			// The end is two blocks of zeros; other programs also accept one.
			if err = r.block(&b); err == nil && !zero(b[:]) {
				return nil, tar.ErrHeader
			}
			r.ended = err == nil || err == io.EOF
			if r.ended {
				err = io.EOF
			}
		}
		if err == io.EOF && special {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		f := fields{b: b[:]}
		if !f.sumFits() {
			return nil, tar.ErrHeader
		}
		size := f.number(124, 12)
		if f.err != nil || size < 0 {
			return nil, tar.ErrHeader
		}
		typ := b[156]
		switch typ {
		case tar.TypeXHeader, tar.TypeXGlobalHeader, tar.TypeGNULongName, tar.TypeGNULongLink:
			text, err := r.special(size)
			if err != nil {
				return nil, err
			}
			switch typ {
			case tar.TypeXGlobalHeader:
				if r.global == nil {
					r.global = map[string]string{}
				}
				if err := paxRecords(text, r.global); err != nil {
					return nil, err
				}
				if total(r.global) > maxSpecial {
					return nil, tar.ErrFieldTooLong
				}
				maps.Copy(pax, r.global)
				continue
			case tar.TypeXHeader:
				if err := paxRecords(text, pax); err != nil {
					return nil, err
				}
			case tar.TypeGNULongName:
				longName = upToZero(text)
			case tar.TypeGNULongLink:
				longLink = upToZero(text)
			}
			special = true
			continue
		}
		h := f.header()
		if f.err != nil {
			return nil, tar.ErrHeader
		}
		h.Size = size
		if longName != "" {
			h.Name = longName
		}
		if longLink != "" {
			h.Linkname = longLink
		}
		m := &member{Header: h}
		if err := m.applyPax(pax); err != nil {
			return nil, err
		}
		if strings.HasSuffix(h.Name, "/") && (typ == 0 || typ == tar.TypeReg) {
			h.Typeflag = tar.TypeDir
		}
		switch h.Typeflag {
		case tar.TypeLink, tar.TypeSymlink, tar.TypeChar, tar.TypeBlock, tar.TypeDir, tar.TypeFifo:
			h.Size = 0 // there is no data, whatever the field holds
		}
		r.left, r.pad = h.Size, -h.Size&(blockSize-1)
		return m, r.sparse(m, f, pax)
	}
}

// special reads the data of a header that belongs to the next one.
func (r *reader) special(size int64) (string, error) {
	if size > maxSpecial {
		return "", tar.ErrFieldTooLong
	}
	text := make([]byte, (size+blockSize-1)&^(blockSize-1))
	if _, err := io.ReadFull(r.r, text); err != nil {
		return "", unexpected(err)
	}
	return string(text[:size]), nil
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func total(m map[string]string) (n int) {
	for k, v := range m {
		n += len(k) + len(v)
	}
	return n
}

func upToZero(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}

// fields reads the fields of a header block. The first one that is invalid
// sets err.
type fields struct {
	b   []byte
	err error
}

func (f *fields) text(off, n int) string { return upToZero(string(f.b[off : off+n])) }

// number reads octal digits, or with the first bit set a binary number.
func (f *fields) number(off, n int) int64 {
	b := f.b[off : off+n]
	if b[0]&0x80 != 0 {
		negative := b[0]&0x40 != 0
		var fill byte
		if negative {
			fill = 0xff
		}
		var v uint64
		for i, c := range b {
			if i == 0 && !negative {
				c &= 0x7f
			}
			if i < n-8 && c != fill {
				f.err = tar.ErrHeader // more than 64 bits
				return 0
			}
			v = v<<8 | uint64(c)
		}
		if (int64(v) < 0) != negative {
			f.err = tar.ErrHeader
		}
		return int64(v)
	}
	s := strings.Trim(upToZero(string(bytes.TrimLeft(b, " \x00"))), " ")
	if s == "" {
		return 0
	}
	v, err := strconv.ParseUint(s, 8, 63)
	if err != nil {
		f.err = tar.ErrHeader
	}
	return int64(v)
}

// sumFits checks the sum of the header's bytes, which some programs compute with signed bytes.
func (f *fields) sumFits() bool {
	var plain, signed int64
	for i, c := range f.b {
		if i >= 148 && i < 156 {
			c = ' '
		}
		plain += int64(c)
		signed += int64(int8(c))
	}
	want := f.number(148, 8)
	return f.err == nil && (want == plain || want == signed)
}

func (f *fields) header() *tar.Header {
	h := &tar.Header{
		Typeflag: f.b[156],
		Name:     f.text(0, 100),
		Linkname: f.text(157, 100),
		Mode:     f.number(100, 8),
		Uid:      int(f.number(108, 8)),
		Gid:      int(f.number(116, 8)),
		ModTime:  time.Unix(f.number(136, 12), 0),
	}
	if h.Typeflag == 0 {
		h.Typeflag = tar.TypeReg
	}
	magic := string(f.b[257:265])
	if !strings.HasPrefix(magic, "ustar") {
		return h
	}
	if h.Typeflag == tar.TypeChar || h.Typeflag == tar.TypeBlock {
		h.Devmajor, h.Devminor = f.number(329, 8), f.number(337, 8)
	}
	prefix := ""
	switch {
	case magic == "ustar  \x00": // GNU
		if f.b[345] != 0 {
			h.AccessTime = time.Unix(f.number(345, 12), 0)
		}
	case string(f.b[508:512]) == "tar\x00": // star
		prefix = f.text(345, 131)
		h.AccessTime = time.Unix(f.number(476, 12), 0)
	default:
		prefix = f.text(345, 155)
	}
	if prefix != "" {
		h.Name = prefix + "/" + h.Name
	}
	return h
}

// The pax records of sparse files, which GNU tar writes in three forms.
const (
	sparseMajor    = "GNU.sparse.major"
	sparseMinor    = "GNU.sparse.minor"
	sparseName     = "GNU.sparse.name"
	sparseSize     = "GNU.sparse.size"
	sparseRealSize = "GNU.sparse.realsize"
	sparseMap      = "GNU.sparse.map"
	sparseOffset   = "GNU.sparse.offset"
	sparseBytes    = "GNU.sparse.numbytes"
)

// paxRecords reads records of the form "LENGTH KEY=VALUE\n". The repeated records
// of form 0.0 of a sparse file become the list of form 0.1.
func paxRecords(text string, into map[string]string) error {
	var list []string
	for text != "" {
		digits, rest, ok := strings.Cut(text, " ")
		n, err := strconv.ParseUint(digits, 10, 31)
		if !ok || err != nil || int(n) > len(text) || int(n) < len(digits)+len(" =\n") {
			return tar.ErrHeader
		}
		record := rest[:int(n)-len(digits)-1]
		text = text[n:]
		record, ok = strings.CutSuffix(record, "\n")
		key, value, eq := strings.Cut(record, "=")
		if !ok || !eq || key == "" {
			return tar.ErrHeader
		}
		switch {
		case key == sparseOffset || key == sparseBytes:
			if (key == sparseOffset) != (len(list)%2 == 0) {
				return tar.ErrHeader
			}
			list = append(list, value)
		case value == "":
			delete(into, key)
		default:
			into[key] = value
		}
	}
	if list != nil {
		into[sparseMap] = strings.Join(list, ",")
	}
	return nil
}

// applyPax lets records override fields.
func (m *member) applyPax(pax map[string]string) (err error) {
	number := func(s string) int64 {
		n, e := strconv.ParseInt(s, 10, 64)
		if e != nil {
			err = tar.ErrHeader
		}
		return n
	}
	for key, value := range pax {
		switch key {
		case "path":
			m.Name = value
		case "linkpath":
			m.Linkname = value
		case "size":
			m.Size = number(value)
		case "uid":
			m.Uid = int(number(value))
		case "gid":
			m.Gid = int(number(value))
		case "mtime":
			m.ModTime, err = paxTime(value, err)
		case "atime":
			m.AccessTime, err = paxTime(value, err)
		default:
			if !strings.HasPrefix(key, "GNU.sparse.") {
				if m.PAXRecords == nil {
					m.PAXRecords = map[string]string{}
				}
				m.PAXRecords[key] = value
			}
		}
	}
	if m.Size < 0 {
		err = tar.ErrHeader
	}
	return err
}

// paxTime reads seconds with a fraction.
func paxTime(s string, err error) (time.Time, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	sec, e := strconv.ParseInt(whole, 10, 64)
	if e != nil {
		return time.Time{}, tar.ErrHeader
	}
	nsec, e := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if e != nil || nsec < 0 {
		return time.Time{}, tar.ErrHeader
	}
	if strings.HasPrefix(whole, "-") {
		nsec = -nsec
	}
	return time.Unix(sec, nsec), err
}

// sparse works out where the data of a sparse file goes.
func (r *reader) sparse(m *member, f fields, pax map[string]string) (err error) {
	var numbers []int64
	var size int64
	switch {
	case m.Typeflag == tar.TypeGNUSparse:
		size = f.number(483, 12)
		if numbers, err = r.oldMap(f); err != nil {
			return err
		}
	case m.Typeflag != tar.TypeReg:
		return nil
	case pax[sparseMajor] == "1" && pax[sparseMinor] == "0":
		size, err = strconv.ParseInt(pax[sparseRealSize], 10, 64)
		if err == nil {
			numbers, err = r.dataMap()
		}
	case pax[sparseSize] != "":
		size, err = strconv.ParseInt(pax[sparseSize], 10, 64)
		for rest, more := pax[sparseMap], pax[sparseMap] != ""; more && err == nil; {
			var word string
			word, rest, more = strings.Cut(rest, ",")
			var n int64
			n, err = strconv.ParseInt(word, 10, 64)
			numbers = append(numbers, n)
		}
	default:
		return nil
	}
	if err != nil {
		if errors.Is(err, strconv.ErrSyntax) || errors.Is(err, strconv.ErrRange) {
			err = tar.ErrHeader
		}
		return err
	}
	if name := pax[sparseName]; name != "" {
		m.Name = name
	}
	if len(numbers)%2 != 0 || size < 0 {
		return tar.ErrHeader
	}
	m.spans = []span{}
	var end, data int64
	for i := 0; i < len(numbers); i += 2 {
		s := span{numbers[i], numbers[i+1]}
		if s.off < end || s.n < 0 || s.n > math.MaxInt64-s.off || s.end() > size {
			return tar.ErrHeader
		}
		end, data = s.end(), data+s.n
		if s.n > 0 {
			m.spans = append(m.spans, s)
		}
	}
	if data != r.left {
		return tar.ErrHeader
	}
	m.Size = size
	return nil
}

// oldMap reads the list of GNU tar's own format: in the header, and in blocks
// that follow it.
func (r *reader) oldMap(f fields) ([]int64, error) {
	var numbers []int64
	at, count, more := 386, 4, f.b[482] != 0
	for {
		for i := range count {
			o := at + 24*i
			if f.b[o] == 0 {
				break
			}
			numbers = append(numbers, f.number(o, 12), f.number(o+12, 12))
		}
		switch {
		case f.err != nil:
			return nil, tar.ErrHeader
		case len(numbers) > 2*maxSpans:
			return nil, errManySpans
		case !more:
			return numbers, nil
		}
		var b [blockSize]byte
		if err := r.block(&b); err != nil {
			return nil, unexpected(err)
		}
		f = fields{b: b[:]}
		at, count, more = 0, 21, b[504] != 0
	}
}

// dataMap reads the list of form 1.0: lines of decimal numbers in front of the
// data, filled up to a block.
func (r *reader) dataMap() ([]int64, error) {
	var numbers []int64
	want := int64(1)
	digits := []byte{}
	for int64(len(numbers)) < want {
		var b [blockSize]byte
		if r.left < blockSize {
			return nil, tar.ErrHeader
		}
		if err := r.block(&b); err != nil {
			return nil, unexpected(err)
		}
		r.left -= blockSize
		for _, c := range b {
			if c != '\n' {
				if digits = append(digits, c); len(digits) > 20 {
					return nil, tar.ErrHeader
				}
				continue
			}
			n, err := strconv.ParseInt(string(digits), 10, 64)
			if err != nil || n < 0 {
				return nil, tar.ErrHeader
			}
			digits = digits[:0]
			if len(numbers) == 0 {
				if n > maxSpans {
					return nil, errManySpans
				}
				want = 1 + 2*n
			}
			if numbers = append(numbers, n); int64(len(numbers)) == want {
				break
			}
		}
	}
	return numbers[1:], nil
}
