package guestfs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// outside is a program of another module. It works on as many images at once as it is
// told, with a number of calls each.
const outside = `package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"

	"gofish/guestfs"
)

func main() {
	handles, _ := strconv.Atoi(os.Args[2])
	calls, _ := strconv.Atoi(os.Args[3])
	var wait sync.WaitGroup
	errs := make([]error, handles)
	for i := range handles {
		wait.Go(func() { errs[i] = work(os.Args[1], calls) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	fmt.Println("ok")
}

func work(image string, calls int) (err error) {
	ctx := context.Background()
	g, err := guestfs.New()
	if err != nil {
		return err
	}
	defer func() {
		if cerr := g.Close(); err == nil {
			err = cerr
		}
	}()
	// What is written to a read-only drive is gone with the handle.
	disk, err := g.AddDrive(ctx, image, guestfs.AddDriveOptions{ReadOnly: new(true)})
	if err != nil {
		return err
	}
	if err := g.Launch(ctx); err != nil {
		return err
	}
	if err := g.Mount(ctx, guestfs.PartitionName(disk, 1), "/"); err != nil {
		return err
	}
	var wait sync.WaitGroup
	errs := make(chan error, calls)
	for i := range calls {
		wait.Go(func() {
			name := fmt.Sprintf("/var/file%d", i)
			if err := g.WriteFile(ctx, name, []byte(name), 0o600); err != nil {
				errs <- err
				return
			}
			if b, err := g.ReadFile(ctx, name); err != nil || string(b) != name {
				errs <- fmt.Errorf("%q: %w", b, err)
			}
		})
	}
	wait.Wait()
	select {
	case err := <-errs:
		return err
	default:
	}
	entries, err := g.FS(ctx).ReadDir("var")
	if err != nil || len(entries) != calls+1 {
		return fmt.Errorf("%d entries, %w", len(entries), err)
	}
	var archive bytes.Buffer
	if err := g.TarOut(ctx, "/var", &archive); err != nil || archive.Len() < 1024 {
		return fmt.Errorf("%d bytes, %w", archive.Len(), err)
	}
	return nil
}
`

// A module outside of this one builds without C, and its program is the appliance's first
// process itself. Built with the race detector, and so linked dynamically, it finds gofish
// on the PATH.
func TestOutside(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	repo, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(repo, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	text := regexp.MustCompile(`(?m)^module .*$`).ReplaceAllString(string(mod), "module example.org/outside\n\nrequire gofish v0.0.0\n\nreplace gofish => "+repo)
	sums, err := os.ReadFile(filepath.Join(repo, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"go.mod": text, "go.sum": string(sums), "main.go": outside} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	image := sampleImage()
	for _, c := range []struct{ name, cgo, flag, handles, calls, path string }{
		{"static", "0", "-trimpath", "1", "5", "/usr/bin:/bin"},
		{"race", "1", "-race", "8", "50", os.Getenv("PATH")},
	} {
		t.Run(c.name, func(t *testing.T) {
			program := filepath.Join(dir, c.name)
			build := exec.Command("go", "build", c.flag, "-mod=mod", "-o", program, ".")
			build.Dir = dir
			build.Env = append(os.Environ(), "CGO_ENABLED="+c.cgo)
			if out, err := build.CombinedOutput(); err != nil {
				if c.cgo == "1" && strings.Contains(string(out), "C compiler") {
					t.Skip("there is no C compiler for the race detector")
				}
				t.Fatalf("%v: %s", err, out)
			}
			run := exec.Command(program, image, c.handles, c.calls)
			run.Env = append(os.Environ(), "PATH="+c.path)
			if out, err := run.CombinedOutput(); err != nil || string(out) != "ok\n" {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
