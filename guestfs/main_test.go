package guestfs_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"gofish/guestfs"
)

// TestMain builds gofish, which becomes the appliance's first process: a test program is
// linked dynamically where there is a C compiler.
func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "gofish-guestfs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", filepath.Join(dir, "gofish"), "gofish/cmd/gofish")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v: %s", err, out)
		return 1
	}
	os.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	os.Setenv("TMPDIR", dir)
	return m.Run()
}

// guestProgram is a program for a guest: it says something to both of its outputs, and
// what it was given.
const guestProgram = `package main

import (
	"fmt"
	"io"
	"os"
)

func main() {
	in, _ := io.ReadAll(os.Stdin)
	dir, _ := os.Getwd()
	fmt.Printf("%s %s%s in %s\n", os.Args[1], os.Getenv("NAME"), in, dir)
	fmt.Fprintln(os.Stderr, "a complaint")
	os.Exit(len(os.Args) - 2)
}
`

// sampleImage is a disk with a small Linux system, made once.
var sampleImage = sync.OnceValue(func() string {
	image, err := makeSample()
	if err != nil {
		panic(err)
	}
	return image
})

func makeSample() (string, error) {
	ctx := context.Background()
	dir := os.Getenv("TMPDIR")
	image, program := filepath.Join(dir, "sample.qcow2"), filepath.Join(dir, "hello")
	if err := os.WriteFile(program+".go", []byte(guestProgram), 0o600); err != nil {
		return "", err
	}
	build := exec.Command("go", "build", "-o", program, program+".go")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	g, err := guestfs.New()
	if err != nil {
		return "", err
	}
	defer g.Close()
	if err := g.DiskCreate(ctx, image, "qcow2", 200<<20); err != nil {
		return "", err
	}
	dev, err := g.AddDrive(ctx, image, guestfs.AddDriveOptions{Format: new("qcow2")})
	if err != nil {
		return "", err
	}
	root := guestfs.PartitionName(dev, 1)
	for _, do := range []func() error{
		func() error { return g.Launch(ctx) },
		func() error { return g.PartDisk(ctx, dev, "gpt") },
		func() error { return g.Mkfs(ctx, "ext4", root) },
		func() error { return g.Mount(ctx, root, "/") },
		func() error { return g.MkdirAll(ctx, "/etc", 0o755) },
		func() error { return g.MkdirAll(ctx, "/bin", 0o755) },
		func() error { return g.MkdirAll(ctx, "/var/log", 0o755) },
		func() error {
			return g.Write(ctx, "/etc/os-release", []byte("ID=debian\nVERSION_ID=12\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n"))
		},
		func() error { return g.Write(ctx, "/etc/debian_version", []byte("12.5\n")) },
		func() error { return g.Write(ctx, "/etc/hostname", []byte("sample\n")) },
		func() error { return g.Write(ctx, "/etc/fstab", []byte("/dev/sda1 / ext4 defaults 0 1\n")) },
		func() error { return g.Upload(ctx, guestfs.HostFile(program), "/bin/hello") },
		func() error { return g.Chmod(ctx, 0o755, "/bin/hello") },
	} {
		if err := do(); err != nil {
			return "", err
		}
	}
	return image, g.Close()
}
