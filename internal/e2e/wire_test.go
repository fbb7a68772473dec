package e2e

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// ourExport is a folder with our appliance, in the form libguestfs takes.
var ourExport = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "export")
	return dir, runQuiet(gofishBin, "appliance", "export", dir)
})

// theirExport is an appliance that libguestfs built, with the real guestfsd.
var theirExport = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(scratch, "libguestfs")
	return dir, runQuiet("libguestfs-make-fixed-appliance", dir)
})

// wireNoise is what differs between runs of the same program: how the program is
// called, and the words of the two library versions where there is no fact.
var wireNoise = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`(?m)^.*wire\.fish:`), "wire.fish:"},
	// Ours have the name that was typed, and no name of what is behind it.
	{regexp.MustCompile(`(?m)^(wire\.fish:\d+: libguestfs: error: )(?:\w+: )?(?:\w+_stub: )?`), "$1"},
	// Ours name the file.
	{regexp.MustCompile(`error: /d/hello: getxattr: `), "error: getxattr: "},
	// guestfish says twice that a download failed here; gofish says why, once.
	{regexp.MustCompile(`(?m)^wire\.fish:\d+: libguestfs: error: file receive cancelled by daemon\n`), ""},
}

func TestWireBothWays(t *testing.T) {
	t.Parallel()
	need(t, "guestfish", "libguestfs-make-fixed-appliance")
	ours, err := ourExport()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := theirExport()
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs(repo + "/testdata/wire/wire.fish")
	if err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 100<<20)
	rng := rand.NewChaCha8([32]byte{1})
	rng.Read(big)
	sum := fmt.Sprintf("%x", sha1.Sum(big))

	transcript := func(t *testing.T, program, appliance string) string {
		dir := t.TempDir()
		if err := os.WriteFile(dir+"/big", big, 0o644); err != nil {
			t.Fatal(err)
		}
		out, status := combined(t, dir, []string{"LIBGUESTFS_PATH=" + appliance}, program, "-f", script)
		if appliance == "" {
			out, status = combined(t, dir, nil, program, "-f", script)
		}
		if status != 0 {
			t.Errorf("%s with appliance %q ended with status %d:\n%s", program, appliance, status, out)
		}
		if !strings.Contains(out, sum) || !strings.Contains(out, "\nsame\n") {
			t.Errorf("%s with appliance %q did not bring 100 MB there and back:\n%s", program, appliance, out)
		}
		for _, n := range wireNoise {
			out = n.pattern.ReplaceAllString(out, n.with)
		}
		return out
	}
	// Under this name gofish words its messages as guestfish does.
	named := filepath.Join(t.TempDir(), "guestfish")
	if err := os.Symlink(gofishBin, named); err != nil {
		t.Fatal(err)
	}
	want := transcript(t, "guestfish", "")
	for _, c := range []struct{ name, program, appliance string }{
		{"guestfish drives our daemon", "guestfish", ours},
		{"gofish drives guestfsd", named, theirs},
		{"gofish drives our daemon", named, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := transcript(t, c.program, c.appliance); got != want {
				t.Errorf("the transcript differs from guestfish's own: %s", firstDifference(got, want))
			}
		})
	}
}

// TestCancel sends Ctrl-C to both programs, each at a prompt of its own with our
// appliance, in the middle of an upload and a download that never end.
func TestCancel(t *testing.T) {
	t.Parallel()
	ours, err := ourExport()
	if err != nil {
		t.Fatal(err)
	}
	for _, prog := range []string{"guestfish", gofishBin} {
		t.Run(filepath.Base(prog), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.WriteFile(dir+"/disk.img", nil, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.Truncate(dir+"/disk.img", 8<<30); err != nil {
				t.Fatal(err)
			}
			p := startTerminal(t, dir, []string{"LIBGUESTFS_PATH=" + ours, "TERM=dumb"}, prog, "--no-progress-bars", "-a", "disk.img")
			p.expect("><fs> ")
			p.run("run")
			p.run("mkfs ext2 /dev/sda")
			p.run("mount /dev/sda /")
			p.send("upload /dev/zero /zero\n")
			time.Sleep(2 * time.Second)
			p.send("\x03")
			p.expect("operation cancelled by user")
			p.send("download /dev/sda /dev/null\n")
			time.Sleep(time.Second)
			p.send("\x03")
			p.expect("operation cancelled by user")
			p.run("exists /zero")
			p.send("quit\n")
			p.wait(0)
		})
	}
}

func runQuiet(args ...string) error {
	var out bytes.Buffer
	c := command(args...)
	c.Stdout, c.Stderr = &out, &out
	if err := c.Run(); err != nil {
		return fmt.Errorf("%v: %w: %s", args, err, &out)
	}
	return nil
}
