package daemon

import (
	"bufio"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	pathpkg "path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

var checksums = map[string]func() hash.Hash{
	"crc":    func() hash.Hash { return &cksum{} },
	"md5":    md5.New,
	"sha1":   sha1.New,
	"sha224": sha256.New224,
	"sha256": sha256.New,
	"sha384": sha512.New384,
	"sha512": sha512.New,
}

var errChecksumType = errors.New("unknown checksum type, expecting crc|md5|sha1|sha224|sha256|sha384|sha512")

func (d Actions) Checksum(c *Call, csumtype string, path Path) (string, error) {
	f, err := d.openContent(path)
	if err != nil {
		return "", wrap(err, "%s", path)
	}
	defer f.Close()
	sum, _, err := checksumOf(c, csumtype, f)
	return sum, err
}

func (d Actions) ChecksumDevice(c *Call, csumtype string, device Device) (string, error) {
	f, err := os.Open(string(device))
	if err != nil {
		return "", wrap(err, "%s", device)
	}
	defer f.Close()
	sum, _, err := checksumOf(c, csumtype, f)
	return sum, err
}

// compiledSum uses a program for a large file: an emulated processor runs what a
// C compiler makes of the SHA-2 functions nearly twice as fast as Go's versions for
// the vector units of real ones. It is empty if the file is small or the program fails.
func compiledSum(c *Call, csumtype string, f *os.File) string {
	const worthwhile = 4 << 20
	end, err := f.Seek(0, io.SeekEnd)
	if _, serr := f.Seek(0, io.SeekStart); err != nil || serr != nil || end < worthwhile || !strings.HasPrefix(csumtype, "sha") || csumtype == "sha1" {
		return ""
	}
	out, err := (&Tool{Args: []string{csumtype + "sum"}, Stdin: f}).Output(c)
	sum, _, ok := strings.Cut(out, " ")
	if err != nil || !ok {
		f.Seek(0, io.SeekStart)
		return ""
	}
	return sum
}

func checksumOf(c *Call, csumtype string, f *os.File) (sum string, size int64, err error) {
	newHash := checksums[csumtype]
	if newHash == nil {
		return "", 0, errChecksumType
	}
	if sum := compiledSum(c, csumtype, f); sum != "" {
		return sum, size, nil
	}
	h := newHash()
	size, err = copyAll(h, f, func(int64) error { return c.Progress(0, 1) })
	if err != nil {
		return "", 0, wrap(err, "%s", f.Name())
	}
	if crc, ok := h.(*cksum); ok {
		return strconv.FormatUint(uint64(crc.value()), 10), size, nil
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}

// copyAll copies a file, and reports after each piece how much was copied, until a report fails.
func copyAll(w io.Writer, r io.Reader, tell func(done int64) error) (done int64, err error) {
	size := 256 << 10
	if _, ok := r.(*directFile); ok {
		size = bulkBuffer
	}
	buf := alignedBuffer(size)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return done, err
			}
			done += int64(n)
			if err := tell(done); err != nil {
				return done, err
			}
		}
		if err == io.EOF {
			return done, nil
		}
		if err != nil {
			return done, err
		}
	}
}

func (d Actions) ChecksumsOut(c *Call, csumtype string, directory Path, sumsfile io.Writer) error {
	if checksums[csumtype] == nil {
		return errChecksumType
	}
	top, err := d.openTree(directory)
	if err != nil {
		return err
	}
	defer top.Close()
	w := bufio.NewWriter(sumsfile)
	err = d.walk(top, directory, "./", func(e *entry) error {
		if e.typ != unix.DT_REG {
			return nil
		}
		name := pathpkg.Join(string(directory), e.rel)
		f, err := e.open()
		if err != nil {
			return wrap(err, "%s", name)
		}
		defer f.Close()
		sum, size, err := checksumOf(c, csumtype, f)
		if err != nil {
			return wrap(err, "%s", name)
		}
		_, err = w.WriteString(checksumLine(csumtype, sum, size, e.rel))
		return err
	})
	if err != nil {
		return err
	}
	return w.Flush()
}

// checksumLine is a line of md5sum or cksum; the former marks and escapes a name
// that would break the line.
func checksumLine(csumtype, sum string, size int64, name string) string {
	if csumtype == "crc" {
		return sum + " " + strconv.FormatInt(size, 10) + " " + name + "\n"
	}
	mark := ""
	if strings.ContainsAny(name, "\\\n\r") {
		mark = `\`
		name = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(name)
	}
	return mark + sum + "  " + name + "\n"
}

// cksum is the checksum of POSIX cksum: a CRC-32 whose bits go the other way
// than in package crc32, computed over the content and then over its length.
type cksum struct {
	crc uint32
	len uint64
}

// crcTable[k][b] is the checksum of byte b followed by k zero bytes.
var crcTable = func() (t [8][256]uint32) {
	for b := range t[0] {
		crc := uint32(b) << 24
		for range 8 {
			if crc&(1<<31) != 0 {
				crc = crc<<1 ^ 0x04c11db7
			} else {
				crc <<= 1
			}
		}
		t[0][b] = crc
	}
	for k := 1; k < 8; k++ {
		for b, crc := range t[k-1] {
			t[k][b] = crc<<8 ^ t[0][crc>>24]
		}
	}
	return t
}()

func (c *cksum) Write(p []byte) (int, error) {
	n := len(p)
	c.len += uint64(n)
	crc := c.crc
	for ; len(p) >= 8; p = p[8:] { // eight bytes at once, by "slicing"
		crc ^= uint32(p[0])<<24 | uint32(p[1])<<16 | uint32(p[2])<<8 | uint32(p[3])
		crc = crcTable[7][crc>>24] ^ crcTable[6][crc>>16&255] ^ crcTable[5][crc>>8&255] ^ crcTable[4][crc&255] ^
			crcTable[3][p[4]] ^ crcTable[2][p[5]] ^ crcTable[1][p[6]] ^ crcTable[0][p[7]]
	}
	for _, b := range p {
		crc = crc<<8 ^ crcTable[0][byte(crc>>24)^b]
	}
	c.crc = crc
	return n, nil
}

func (c *cksum) value() uint32 {
	crc := c.crc
	for n := c.len; n > 0; n >>= 8 {
		crc = crc<<8 ^ crcTable[0][byte(crc>>24)^byte(n)]
	}
	return ^crc
}

func (c *cksum) Sum(b []byte) []byte { return b }
func (c *cksum) Reset()              { *c = cksum{} }
func (c *cksum) Size() int           { return 4 }
func (c *cksum) BlockSize() int      { return 1 }
