package appliance

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"gofish/internal/newfile"
	"io"
	"os"
	"path/filepath"
	"sort"
	"time"

	"gofish/internal/cpio"

	"golang.org/x/sys/unix"
)

// self is this program, even if its file has been replaced since it was started.
const self = "/proc/self/exe"

// initrdFor returns the initrd of a base with the given program as /init, writing
// it if this program has not used the base before. With anew it is written in any case;
// changed says whether it is another one then.
func initrdFor(dir, binary string, anew bool) (initrd string, changed bool, err error) {
	if binary == "" {
		binary = self
	}
	f, err := os.Open(binary)
	if err != nil {
		return "", false, fmt.Errorf("program for the appliance: %w", err)
	}
	defer f.Close()
	id, err := programID(f)
	if err != nil {
		return "", false, fmt.Errorf("%s cannot be the appliance's init: %w", binary, err)
	}
	initrd = filepath.Join(dir, "initrd-"+id)
	if !anew && hasEnd(initrd) {
		markUsed(initrd)
		return initrd, false, nil
	}
	sum, wrote := fileSum(initrd), modTime(initrd) // of none: nothing
	if err := newfile.Write(initrd, 0o600, func(to *os.File) error { return writeInitrd(to, dir, f) }); err != nil {
		return "", false, fmt.Errorf("write %s: %w", initrd, err)
	}
	if sum == fileSum(initrd) { // to templates it is the one that it was
		return initrd, false, os.Chtimes(initrd, time.Now(), wrote)
	}
	forgetInitrds(dir)
	return initrd, anew, nil
}

// hasEnd reports whether an initrd is there and was not cut off.
func hasEnd(initrd string) bool {
	f, err := os.Open(initrd)
	if err != nil {
		return false
	}
	defer f.Close()
	fi, err := f.Stat()
	return err == nil && cpio.HasEnd(f, fi.Size())
}

// keptInitrds is how many programs may share a base before the oldest initrd goes.
const keptInitrds = 5

func forgetInitrds(dir string) {
	l, _ := filepath.Glob(filepath.Join(dir, "initrd-*"))
	sort.Slice(l, func(i, j int) bool { return lastUse(l[i]).After(lastUse(l[j])) })
	for _, f := range l[min(keptInitrds, len(l)):] {
		// A machine may just be starting with it.
		if time.Since(lastUse(f)) > time.Hour {
			os.Remove(f)
		}
	}
}

// markUsed notes in the time of access that a file is in use. Its time of change is a
// part of what templates are known by.
func markUsed(file string) {
	times := []unix.Timespec{{Nsec: unix.UTIME_NOW}, {Nsec: unix.UTIME_OMIT}}
	unix.UtimesNanoAt(unix.AT_FDCWD, file, times, 0)
}

// lastUse is the later of the times of access and change; zero if there is no such file.
func lastUse(file string) time.Time {
	var st unix.Stat_t
	if unix.Stat(file, &st) != nil {
		return time.Time{}
	}
	a, m := time.Unix(st.Atim.Unix()), time.Unix(st.Mtim.Unix())
	if a.After(m) {
		return a
	}
	return m
}

// programID distinguishes programs without reading them: the Go build ID holds a
// hash of the content. A program without one is read.
func programID(f *os.File) (string, error) {
	e, err := elf.NewFile(f)
	if err != nil {
		return "", err
	}
	for _, p := range e.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("it is not static: build it with CGO_ENABLED=0")
		}
	}
	fi, err := f.Stat()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	if s := e.Section(".note.go.buildid"); s != nil && s.Size > 16+40 && s.Size < 4096 {
		note, err := s.Data()
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%d %x", fi.Size(), note)
	} else if _, err := io.Copy(h, io.NewSectionReader(f, 0, fi.Size())); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// writeInitrd writes the archive: the program, the modules of the base, and the
// folders that are mounted on before the root image is.
func writeInitrd(w io.Writer, dir string, program *os.File) error {
	b := bufio.NewWriterSize(w, 1<<20)
	c := cpio.NewWriter(b)
	for _, d := range []string{"dev", "proc", "sys", "newroot", "sysroot", "tmp", "run", "modules"} {
		c.Dir(d)
	}
	c.Char("dev/console", 0o600, 5, 1)
	c.Char("dev/null", 0o666, 1, 3)
	fi, err := program.Stat()
	if err != nil {
		return err
	}
	c.File("init", 0o755, fi.Size(), io.NewSectionReader(program, 0, fi.Size()))
	mods, err := os.ReadDir(filepath.Join(dir, "boot"))
	if err != nil {
		return err
	}
	for _, m := range mods {
		b, err := os.ReadFile(filepath.Join(dir, "boot", m.Name()))
		if err != nil {
			return err
		}
		b = unsigned(b)
		c.File("modules/"+m.Name(), 0o644, int64(len(b)), bytes.NewReader(b))
	}
	if err := c.Close(); err != nil {
		return err
	}
	return b.Flush()
}

// unsigned cuts the signature off a kernel module: checking it takes an emulated
// processor longer than all else about loading, and who could change the module
// could change the kernel. After the module come the signature, twelve bytes of
// which the last four are its length (big-endian), and a magic text
// (Documentation/admin-guide/module-signing.rst).
func unsigned(module []byte) []byte {
	const trailer = 12
	rest, ok := bytes.CutSuffix(module, []byte("~Module signature appended~\n"))
	if !ok || len(rest) < trailer {
		return module
	}
	n := int64(binary.BigEndian.Uint32(rest[len(rest)-4:]))
	if end := int64(len(rest)-trailer) - n; end > 0 {
		return rest[:end]
	}
	return module
}

// isDynamic reports whether a file is an ELF program that needs a loader.
func isDynamic(file string) bool {
	e, err := elf.Open(file)
	if err != nil {
		return false
	}
	defer e.Close()
	for _, p := range e.Progs {
		if p.Type == elf.PT_INTERP {
			return true
		}
	}
	return false
}
