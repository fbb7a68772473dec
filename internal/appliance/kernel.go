package appliance

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"gofish/internal/compression"

	"github.com/klauspost/compress/zstd"
	"github.com/xi2/xz"
)

// errNotCompressed: the data is in no format that this program unpacks by itself.
var errNotCompressed = errors.New("unknown compression")

// kernelTools unpack what some distributions pack their kernels with and hardly
// anybody else still uses: how the data starts, and the command.
var kernelTools = []struct{ magic, name, args string }{
	{"\x02\x21\x4c\x18", "lz4", "-dcq"},
	{"\x5d\x00\x00", "xz", "--format=lzma -dcq"},
	{"\x89LZO", "lzop", "-dcq"},
}

// unpackKernel returns the ELF vmlinux inside a bzImage, so that qemu can enter it
// directly (PVH): under emulation the kernel's own decompressor takes seconds.
// An image that is an ELF file already is returned as it is. Rare formats are left
// to tools, which command finds.
//
// Where the payload lies is told by the setup header
// (Documentation/x86/boot.rst: setup_sects 0x1f1, payload_offset 0x248,
// payload_length 0x24c, both counted from the end of the setup sectors).
func unpackKernel(image []byte, command func(name string, args ...string) (*exec.Cmd, error)) ([]byte, error) {
	if bytes.HasPrefix(image, []byte("\x7fELF")) {
		return image, nil
	}
	if len(image) < 0x250 || string(image[0x202:0x206]) != "HdrS" {
		return nil, errors.New("neither a bzImage nor an ELF kernel")
	}
	if v := binary.LittleEndian.Uint16(image[0x206:]); v < 0x208 {
		return nil, fmt.Errorf("boot protocol %d.%d does not say where the payload is", v>>8, v&0xff)
	}
	sects := int64(image[0x1f1])
	if sects == 0 {
		sects = 4
	}
	off := (sects+1)*512 + int64(binary.LittleEndian.Uint32(image[0x248:]))
	n := int64(binary.LittleEndian.Uint32(image[0x24c:]))
	if off+n > int64(len(image)) || n == 0 {
		return nil, errors.New("payload reaches beyond the end of the file")
	}
	payload := image[off : off+n]
	// The payload ends with the unpacked size, which is not part of the stream;
	// errors of a decompressor after the complete ELF file do not matter.
	var out []byte
	r, err := decompressor(bytes.NewReader(payload))
	if err == nil {
		out, err = readUnpacked(r)
	}
	for _, t := range kernelTools {
		if !bytes.HasPrefix(payload, []byte(t.magic)) {
			continue
		}
		c, cerr := command(t.name, strings.Fields(t.args)...)
		if cerr != nil {
			return nil, fmt.Errorf("it is packed with %s: %w", t.name, cerr)
		}
		c.Stdin = bytes.NewReader(payload[:max(0, len(payload)-4)])
		if out, err = outputUnpacked(c); err != nil {
			err = fmt.Errorf("unpack it with %s: %w", t.name, err)
		}
	}
	if !bytes.HasPrefix(out, []byte("\x7fELF")) {
		if err == nil {
			err = errors.New("the payload is not an ELF file")
		}
		return nil, err
	}
	size := int64(binary.LittleEndian.Uint32(image[off+n-4:]))
	if err != nil && int64(len(out)) < size {
		return nil, err
	}
	return out, nil
}

// hasPVH reports whether an ELF kernel carries the note with its PVH entry point
// (XEN_ELFNOTE_PHYS32_ENTRY, type 18, name "Xen").
func hasPVH(vmlinux []byte) bool {
	le := binary.LittleEndian
	if len(vmlinux) < 64 || vmlinux[4] != 2 {
		return false
	}
	size := uint64(len(vmlinux))
	phoff, phentsize, phnum := le.Uint64(vmlinux[32:]), uint64(le.Uint16(vmlinux[54:])), uint64(le.Uint16(vmlinux[56:]))
	if phoff > size {
		return false // else the sum below would wrap around
	}
	for i := uint64(0); i < phnum; i++ {
		o := phoff + i*phentsize
		if o+56 > size {
			return false
		}
		if le.Uint32(vmlinux[o:]) != 4 { // PT_NOTE
			continue
		}
		off, length := le.Uint64(vmlinux[o+8:]), le.Uint64(vmlinux[o+32:])
		if off > size || length > size-off {
			return false
		}
		for n := vmlinux[off : off+length]; len(n) >= 12; {
			nlen, dlen, typ := uint64(le.Uint32(n)), uint64(le.Uint32(n[4:])), le.Uint32(n[8:])
			total := 12 + (nlen+3)&^3 + (dlen+3)&^3
			if total > uint64(len(n)) {
				break
			}
			if typ == 18 && nlen == 4 && string(n[12:15]) == "Xen" {
				return true
			}
			n = n[total:]
		}
	}
	return false
}

// decompressor looks at the first bytes of r and returns a reader of what was
// packed. errNotCompressed if it does not know the format.
func decompressor(r io.Reader) (io.Reader, error) {
	head := make([]byte, compression.HeadSize)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	head = head[:n]
	all := io.MultiReader(bytes.NewReader(head), r)
	switch compression.Of(head) {
	case "gzip":
		z, err := gzip.NewReader(all)
		if err != nil {
			return nil, err
		}
		z.Multistream(false)
		return z, nil
	case "xz":
		z, err := xz.NewReader(all, 0)
		if err != nil {
			return nil, err
		}
		z.Multistream(false)
		return z, nil
	case "zstd":
		z, err := zstd.NewReader(all)
		if err != nil {
			return nil, err
		}
		return z.IOReadCloser(), nil
	case "bzip2":
		return bzip2.NewReader(all), nil
	}
	return nil, fmt.Errorf("%w (starts with % x)", errNotCompressed, head)
}

// maxUnpacked limits the size of an unpacked kernel or module: a Debian kernel with all its
// symbols has 70 MB. A few kilobytes can claim to be terabytes.
const maxUnpacked = 512 << 20

func readUnpacked(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxUnpacked+1))
	if len(b) > maxUnpacked {
		return nil, fmt.Errorf("unpacks to more than %d MB", maxUnpacked>>20)
	}
	return b, err
}

// outputUnpacked runs a program that unpacks to its standard output.
func outputUnpacked(c *exec.Cmd) ([]byte, error) {
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	b, err := readUnpacked(out)
	if err != nil {
		c.Process.Kill()
	}
	if werr := c.Wait(); err == nil {
		err = werr
	}
	return b, err
}

// readModule reads a kernel module, unpacked.
func readModule(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil || bytes.HasPrefix(b, []byte("\x7fELF")) {
		return b, err
	}
	r, err := decompressor(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if b, err = readUnpacked(r); err != nil {
		return nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	return b, nil
}
