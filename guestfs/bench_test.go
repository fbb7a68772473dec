package guestfs_test

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gofish/guestfs"
)

// BenchmarkRead compares ways to read a file of 256 MB. MB/s are of one machine; what
// counts is how they compare.
func BenchmarkRead(b *testing.B) {
	g := withDisk(b, 1<<30)
	ctx := context.Background()
	const size = 256 << 20
	if err := g.Fill(ctx, 'x', size, "/file"); err != nil {
		b.Fatal(err)
	}
	host := filepath.Join(b.TempDir(), "host")
	for _, way := range []struct {
		name string
		read func() error
	}{
		{"download to a name", func() error { return g.Download(ctx, "/file", guestfs.HostFile(host)) }},
		{"download to a writer", func() error { return g.Download(ctx, "/file", struct{ io.Writer }{io.Discard}) }},
		{"io.Copy", func() error {
			return fromFS(g, func(f io.Reader) error { _, err := io.Copy(io.Discard, f); return err })
		}},
		{"io.Copy to a file", func() error {
			return fromFS(g, func(f io.Reader) error {
				out, err := os.Create(host)
				if err != nil {
					return err
				}
				defer out.Close()
				_, err = io.Copy(out, f)
				return err
			})
		}},
		{"Read", func() error {
			return fromFS(g, func(f io.Reader) error { _, err := io.Copy(io.Discard, struct{ io.Reader }{f}); return err })
		}},
	} {
		b.Run(way.name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if err := way.read(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func fromFS(g *guestfs.Handle, use func(io.Reader) error) error {
	f, err := g.FS(context.Background()).Open("file")
	if err != nil {
		return err
	}
	defer f.Close()
	return use(f)
}

// BenchmarkCall is the cost of small calls.
func BenchmarkCall(b *testing.B) {
	g := withDisk(b, 100<<20)
	ctx := context.Background()
	if err := g.Write(ctx, "/small", bytes.Repeat([]byte("x"), 100)); err != nil {
		b.Fatal(err)
	}
	for name, call := range map[string]func() error{
		"stat": func() error { _, err := g.StatNS(ctx, "/small"); return err },
		"cat":  func() error { _, err := g.Cat(ctx, "/small"); return err },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := call(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
