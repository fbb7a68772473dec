package guestfs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"

	"gofish/guestfs"
)

// Files of an image are listed as those of any fs.FS.
func Example() {
	ctx := context.Background()
	g, err := guestfs.Open(ctx, sampleImage(), guestfs.ReadOnly)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	err = fs.WalkDir(g.FS(ctx), "etc", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			fmt.Println(name)
		}
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// etc/debian_version
	// etc/fstab
	// etc/hostname
	// etc/os-release
}

// A file is read, and one that is not there is told apart from other failures.
func ExampleHandle_ReadFile() {
	ctx := context.Background()
	g, err := guestfs.Open(ctx, sampleImage(), guestfs.ReadOnly)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	hostname, err := g.ReadFile(ctx, "/etc/hostname")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", hostname)
	_, err = g.ReadFile(ctx, "/etc/machine-id")
	fmt.Println(errors.Is(err, fs.ErrNotExist))
	// Output:
	// sample
	// true
}

// A file is written: Close reports whether all of it has reached the disk.
func ExampleHandle_WriteFile() {
	ctx := context.Background()
	image := copyOfSample()
	defer os.Remove(image)
	g, err := guestfs.Open(ctx, image)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	if err := g.WriteFile(ctx, "/etc/motd", []byte("Welcome\n"), 0o644); err != nil {
		log.Fatal(err)
	}
	w, err := g.Create(ctx, "/var/log/large.log")
	if err != nil {
		log.Fatal(err)
	}
	defer w.Discard()
	for i := range 3 {
		fmt.Fprintln(w, "line", i)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	text, err := g.Cat(ctx, "/var/log/large.log")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
	fmt.Println(g.Close())
	// Output:
	// line 0
	// line 1
	// line 2
	// <nil>
}

// A tree goes out and in as a tar archive, through any writer and reader.
func ExampleHandle_TarIn() {
	ctx := context.Background()
	image := copyOfSample()
	defer os.Remove(image)
	g, err := guestfs.Open(ctx, image)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	var archive bytes.Buffer
	if err := g.TarOut(ctx, "/etc", &archive, guestfs.TarOutOptions{Excludes: []string{"./fstab"}}); err != nil {
		log.Fatal(err)
	}
	if err := g.Mkdir(ctx, "/copy"); err != nil {
		log.Fatal(err)
	}
	if err := g.TarIn(ctx, &archive, "/copy"); err != nil {
		log.Fatal(err)
	}
	names, err := g.Ls(ctx, "/copy")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(names)
	// Output: [debian_version hostname os-release]
}

// A disk is made, divided and given file systems.
func ExampleHandle_AddDrive() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	image := filepath.Join(dir, "new.qcow2")

	g, err := guestfs.New()
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	if err := g.DiskCreate(ctx, image, "qcow2", 1<<30); err != nil {
		log.Fatal(err)
	}
	disk, err := g.AddDrive(ctx, image, guestfs.AddDriveOptions{Format: new("qcow2")})
	if err != nil {
		log.Fatal(err)
	}
	if err := g.Launch(ctx); err != nil {
		log.Fatal(err)
	}
	if err := g.PartInit(ctx, disk, "gpt"); err != nil {
		log.Fatal(err)
	}
	const sectorsOfMiB = 2048
	for _, p := range []struct {
		from, to      int64 // MiB; the last one ends before the table's copy
		fstype, label string
	}{{1, 100, "vfat", "EFI"}, {100, 1023, "ext4", "root"}} {
		if err := g.PartAdd(ctx, disk, "primary", p.from*sectorsOfMiB, p.to*sectorsOfMiB-1); err != nil {
			log.Fatal(err)
		}
		parts, err := g.PartList(ctx, disk)
		if err != nil {
			log.Fatal(err)
		}
		device := guestfs.PartitionName(disk, int(parts[len(parts)-1].Num))
		if err := g.Mkfs(ctx, p.fstype, device, guestfs.MkfsOptions{Label: &p.label}); err != nil {
			log.Fatal(err)
		}
	}
	filesystems, err := g.ListFilesystems(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for device, fstype := range filesystems.All() {
		fmt.Println(device, fstype)
	}
	// Output:
	// /dev/sda1 vfat
	// /dev/sda2 ext4
}

// An image of which nothing is known is looked into.
func ExampleHandle_Inspect() {
	ctx := context.Background()
	g, err := guestfs.New()
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	if _, err := g.AddDrive(ctx, sampleImage(), guestfs.AddDriveOptions{ReadOnly: new(true)}); err != nil {
		log.Fatal(err)
	}
	if err := g.Launch(ctx); err != nil {
		log.Fatal(err)
	}
	systems, err := g.Inspect(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range systems {
		fmt.Println(s.Type, s.Distro, s.Version[0], s.Hostname, s.Root)
		for path, mountable := range s.Mountpoints.All() {
			fmt.Println(path, "is", mountable)
		}
	}
	// Output:
	// linux debian 12 sample /dev/sda1
	// / is /dev/sda1
}

// A program of the guest runs, and its outputs and its status are told apart.
func ExampleHandle_Command() {
	ctx := context.Background()
	g, err := guestfs.Open(ctx, sampleImage(), guestfs.ReadOnly)
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	out, err := g.Command(ctx, "/bin/hello", "hello").Output()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s", out)

	cmd := g.Command(ctx, "hello", "goodbye", "more")
	cmd.Env, cmd.Dir, cmd.Stdin = []string{"NAME=to "}, "/etc", bytes.NewReader([]byte("all"))
	out, err = cmd.Output()
	var exit *guestfs.ExitError
	if !errors.As(err, &exit) {
		log.Fatal(err)
	}
	fmt.Printf("%s%d %s", out, exit.Status, exit.Stderr)
	// Output:
	// hello  in /
	// goodbye to all in /etc
	// 1 a complaint
}

// Handles are independent of each other.
func Example_several() {
	ctx := context.Background()
	names := make([]string, 3)
	var wait sync.WaitGroup
	for i := range names {
		wait.Go(func() {
			g, err := guestfs.Open(ctx, sampleImage(), guestfs.ReadOnly)
			if err != nil {
				log.Print(err)
				return
			}
			defer g.Close()
			names[i] = g.Systems()[0].Hostname
		})
	}
	wait.Wait()
	fmt.Println(names)
	// Output: [sample sample sample]
}

// A call tells how far it is, and a context ends it; the handle can be used again.
func ExampleOnProgress() {
	g, err := guestfs.New(guestfs.OnProgress(func(p guestfs.Progress) {
		fmt.Fprintf(os.Stderr, "%s: %d of %d\n", p.Action, p.Position, p.Total)
	}))
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	ctx := context.Background()
	if err := g.AddDriveScratch(ctx, 64<<20); err != nil {
		log.Fatal(err)
	}
	if err := g.Launch(ctx); err != nil {
		log.Fatal(err)
	}
	soon, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	err = g.Upload(soon, endless{}, "/dev/sda")
	fmt.Println(err, errors.Is(err, context.DeadlineExceeded))
	devices, err := g.ListDevices(ctx)
	fmt.Println(devices, err)
	// Output:
	// operation cancelled by user true
	// [/dev/sda] <nil>
}

// A daemon that runs already, in a live system, is used through its socket.
func ExampleAttach() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "socket")
	if err := os.WriteFile(filepath.Join(dir, "file"), []byte("here\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	// In a guest, this is started by its service manager.
	daemon := exec.Command("gofish", "daemon", "--listen", socket, "--sysroot", dir)
	if err := daemon.Start(); err != nil {
		log.Fatal(err)
	}
	defer daemon.Process.Kill()
	for _, err := os.Stat(socket); err != nil; _, err = os.Stat(socket) {
		time.Sleep(10 * time.Millisecond)
	}

	g, err := guestfs.New(guestfs.Attach(socket))
	if err != nil {
		log.Fatal(err)
	}
	defer g.Close()
	if err := g.Launch(ctx); err != nil {
		log.Fatal(err)
	}
	text, err := g.Cat(ctx, "/file")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
	// Output: here
}

// endless is a reader without an end.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// copyOfSample is the image to write to.
func copyOfSample() string {
	b, err := os.ReadFile(sampleImage())
	if err != nil {
		log.Fatal(err)
	}
	f, err := os.CreateTemp("", "sample*.qcow2")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := f.Write(b); err != nil {
		log.Fatal(err)
	}
	f.Close()
	return f.Name()
}
