// Mkdistros writes a disk image with a partition for each named tree of distros.txtar, for
// tests of inspection:
//
//	mkdistros FILE TREE...
package main

import (
	_ "embed"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/txtar"
)

//go:embed distros.txtar
var distros []byte

// A partition of 4 MB, on a boundary of 1 MB.
const (
	first = 1 << 20
	size  = 4 << 20
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: mkdistros FILE TREE...")
		os.Exit(2)
	}
	if err := write(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "mkdistros:", err)
		os.Exit(1)
	}
}

func write(image string, trees []string) error {
	dir, err := os.MkdirTemp("", "mkdistros-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, f := range txtar.Parse(distros).Files {
		name := filepath.Join(dir, f.Name)
		if strings.HasSuffix(f.Name, "/") {
			err = os.MkdirAll(name, 0o755)
		} else if err = os.MkdirAll(filepath.Dir(name), 0o755); err == nil {
			err = os.WriteFile(name, f.Data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	if err := os.WriteFile(image, nil, 0o644); err != nil {
		return err
	}
	if err := os.Truncate(image, first+int64(len(trees)+1)*size); err != nil {
		return err
	}
	table := "label: gpt\n"
	for i, tree := range trees {
		at := first + i*size
		table += fmt.Sprintf("start=%d, size=%d\n", at/512, size/512)
		if _, err := os.Stat(filepath.Join(dir, tree, "bin")); err == nil {
			if err := os.WriteFile(filepath.Join(dir, tree, "bin/ls"), program(), 0o755); err != nil {
				return err
			}
		}
		if err := run("", "mke2fs", "-q", "-F", "-d", filepath.Join(dir, tree), "-E", fmt.Sprintf("offset=%d", at), image, fmt.Sprintf("%dk", size>>10)); err != nil {
			return err
		}
	}
	return run(table, "sfdisk", "-q", image)
}

func run(stdin string, args ...string) error {
	c := exec.Command(args[0], args[1:]...)
	c.Stdin = strings.NewReader(stdin)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", args[0], err, out)
	}
	return nil
}

// program is the header of an ELF program for x86-64: enough to tell its architecture.
func program() []byte {
	b := make([]byte, 64)
	copy(b, "\x7fELF\x02\x01\x01")
	le := binary.LittleEndian
	le.PutUint16(b[16:], 2)  // a program
	le.PutUint16(b[18:], 62) // x86-64
	le.PutUint32(b[20:], 1)
	le.PutUint16(b[52:], 64) // the header's size
	return b
}
