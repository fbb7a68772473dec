package daemon

import (
	"bytes"
	"debug/elf"
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"gofish/internal/cpio"

	"golang.org/x/sys/unix"
)

func (d Actions) File(path DevOrPath) (string, error) {
	if path.Device != "" {
		return d.fileType("-zbs", string(path.Device), nil)
	}
	st, err := d.root.Lstat(path.Path)
	if err != nil {
		return "", wrap(err, "lstat: %s", path.Path)
	}
	// Only the content of regular files is examined.
	switch typ := st.Mode & unix.S_IFMT; typ {
	case unix.S_IFREG:
	case unix.S_IFDIR:
		return "directory", nil
	case unix.S_IFLNK:
		return "symbolic link", nil
	default:
		return notFiles[typ], nil
	}
	f, err := d.openContent(path.Path)
	if err != nil {
		return "", wrap(err, "%s", path.Path)
	}
	defer f.Close()
	text, err := d.fileType("-zbL", toolFile(0), nil, f)
	var te *ToolError
	if errors.As(err, &te) {
		te.Text = strings.ReplaceAll(te.Text, toolFile(0), string(path.Path))
	}
	return text, err
}

// fileType runs file(1) on a file, or on the data from r if the name is "-". A message that it cannot
// read the file is an error, not a result.
func (d *Daemon) fileType(options, name string, r io.Reader, files ...*os.File) (string, error) {
	t := Tool{Args: []string{"file", "-E", options, "--", name}, Stdin: r, Env: []string{"LC_ALL=C"}, Files: files}
	out, err := t.Output(d.call)
	if err = folded(out, err); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out, "\n"), nil
}

func (d Actions) Zfile(meth string, path Path) (string, error) {
	switch meth {
	case "gzip", "compress", "bzip2":
	default:
		return "", errors.New("unknown method")
	}
	f, err := d.openContent(path)
	if err != nil {
		return "", wrap(err, "%s", path)
	}
	defer f.Close()
	r, err := d.decompress(f, "gzip", "compress", "bzip2")
	if err != nil {
		return "", wrap(err, "%s", path)
	}
	defer r.Close()
	text, err := d.fileType("-bsL", "-", r)
	return text, prefixed(err, string(path))
}

// names of architectures, as libguestfs has them.
var elfArch = map[elf.Machine]string{
	elf.EM_386: "i386", elf.EM_486: "i386", elf.EM_X86_64: "x86_64", elf.EM_IA_64: "ia64",
	elf.EM_AARCH64: "aarch64", elf.EM_ARM: "arm", elf.EM_RISCV: "riscv",
	elf.EM_SPARC: "sparc", elf.EM_SPARC32PLUS: "sparc", elf.EM_SPARCV9: "sparc64",
	elf.EM_PPC: "ppc", elf.EM_PPC64: "ppc64", elf.EM_S390: "s390x", elf.EM_MIPS: "mips",
	elf.EM_ALPHA: "alpha", elf.EM_PARISC: "parisc", elf.EM_68K: "m68k", elf.EM_LOONGARCH: "loongarch64",
}

var peArch = map[uint16]string{
	pe.IMAGE_FILE_MACHINE_I386: "i386", pe.IMAGE_FILE_MACHINE_AMD64: "x86_64",
	pe.IMAGE_FILE_MACHINE_IA64: "ia64", pe.IMAGE_FILE_MACHINE_ARM64: "aarch64",
	pe.IMAGE_FILE_MACHINE_ARM: "arm", pe.IMAGE_FILE_MACHINE_ARMNT: "arm",
}

// archiveProbes are programs that an initrd may hold, all of one architecture.
var archiveProbes = []string{"bin/ls", "bin/rm", "bin/modprobe", "sbin/modprobe", "bin/sh", "bin/bash", "bin/dash", "bin/nash", "init"}

func (d Actions) FileArchitecture(filename Path) (string, error) {
	if _, err := d.root.Lstat(filename); err != nil {
		return "", wrap(err, "lstat: %s", filename)
	}
	unknown := fmt.Errorf("unknown architecture: %s", filename)
	f, err := d.openContent(filename)
	if err != nil {
		return "", wrap(err, "%s", filename)
	}
	defer f.Close()
	if _, err := f.ReadAt(make([]byte, 512), 0); err != nil && err != io.EOF {
		return "", wrap(err, "%s", filename)
	}
	if arch := archOf(f); arch != "" {
		return arch, nil
	}
	// A compressed module or program, or an initrd.
	head, archive, err := d.archiveHead(f)
	if err != nil {
		return "", unknown
	}
	if !archive {
		if arch := archOf(bytes.NewReader(head)); arch != "" {
			return arch, nil
		}
		return "", unknown
	}
	arch, err := d.archiveArch(f)
	if err != nil || arch == "" {
		return "", fmt.Errorf("could not determine architecture of cpio archive: %s", filename)
	}
	return arch, nil
}

// archOf returns the architecture of an ELF or PE file, empty for anything else.
func archOf(r io.ReaderAt) string {
	if e, err := elfHeader(r); err == nil {
		arch := elfArch[e.Machine]
		switch {
		case arch == "riscv" && e.Class == elf.ELFCLASS64:
			arch = "riscv64"
		case arch == "riscv":
			arch = "riscv32"
		case arch == "ppc64" && e.Data == elf.ELFDATA2LSB:
			arch = "ppc64le"
		case arch == "s390x" && e.Class == elf.ELFCLASS32:
			arch = "s390"
		}
		return arch
	}
	if p, err := pe.NewFile(r); err == nil {
		return peArch[p.Machine]
	}
	return ""
}

// elfHeader reads only the start of an ELF file, so that a prefix of the file
// is enough and a damaged one does no harm.
func elfHeader(r io.ReaderAt) (h elf.FileHeader, err error) {
	var b [20]byte
	if _, err := r.ReadAt(b[:], 0); err != nil {
		return h, err
	}
	if string(b[:4]) != elf.ELFMAG {
		return h, errors.New("not ELF")
	}
	h.Class, h.Data = elf.Class(b[elf.EI_CLASS]), elf.Data(b[elf.EI_DATA])
	h.Machine = elf.Machine(uint16(b[18]) | uint16(b[19])<<8)
	if h.Data == elf.ELFDATA2MSB {
		h.Machine = elf.Machine(uint16(b[19]) | uint16(b[18])<<8)
	}
	return h, nil
}

// archiveHead reads the start of a file, decompressed, and says if it is a cpio archive.
func (d *Daemon) archiveHead(f *os.File) (head []byte, archive bool, err error) {
	r, err := d.decompress(io.NewSectionReader(f, 0, 1<<62))
	if err != nil {
		return nil, false, err
	}
	defer r.Close()
	head = make([]byte, 4096)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return nil, false, err
	}
	return head[:n], cpio.Is(head[:n]), nil
}

func (d *Daemon) archiveArch(f *os.File) (string, error) {
	r, err := d.decompress(io.NewSectionReader(f, 0, 1<<62))
	if err != nil {
		return "", err
	}
	defer r.Close()
	arch := ""
	err = cpio.Each(r, func(name string, mode uint32, _ int64, content io.Reader) error {
		if mode&unix.S_IFMT != unix.S_IFREG || arch != "" {
			return nil
		}
		for _, p := range archiveProbes {
			if name == p || name == "usr/"+p {
				head := make([]byte, 64)
				n, _ := io.ReadFull(content, head)
				arch = archOf(bytes.NewReader(head[:n]))
			}
		}
		return nil
	})
	if err == cpio.ErrNoEnd {
		err = nil
	}
	return arch, err
}
