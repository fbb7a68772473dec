package daemon

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The tools that make file systems say how long they are.
func TestFileSystemEnd(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(t.TempDir(), "image")
	for name, c := range map[string]struct {
		size int64 // of the image before; 0: the tool makes it
		args []string
		too  bool // mounted by the kernel though its end is missing
	}{
		"iso":   {0, []string{"genisoimage", "-quiet", "-no-pad", "-o", image, dir}, true},
		"udf":   {0, []string{"genisoimage", "-quiet", "-udf", "-o", image, dir}, true},
		"fat12": {1440 << 10, []string{"mkfs.vfat", image}, true},
		"fat32": {64 << 20, []string{"mkfs.vfat", "-F32", image}, true},
		"exfat": {64 << 20, []string{"mkfs.exfat", image}, true},
		"ext4":  {64 << 20, []string{"mkfs.ext4", "-q", image}, false},
		"ntfs":  {64 << 20, []string{"mkntfs", "-F", "-f", image}, false},
	} {
		os.Remove(image)
		if c.size > 0 {
			f, err := os.Create(image)
			if err != nil {
				t.Fatal(err)
			}
			f.Truncate(c.size)
			f.Close()
		}
		if out, err := exec.Command(c.args[0], c.args[1:]...).CombinedOutput(); err != nil {
			t.Logf("%s: not tried: %v: %s", name, err, out)
			continue
		}
		b, err := os.ReadFile(image)
		if err != nil {
			t.Fatal(err)
		}
		want := int64(len(b))
		if !c.too {
			want = 0
		}
		// What is cut off is still counted.
		for _, r := range [][]byte{b, b[:len(b)/2]} {
			if got := fileSystemEnd(bytes.NewReader(r)); got != want {
				t.Errorf("%s: %d, not %d", name, got, want)
			}
		}
	}
}

func FuzzFileSystemEnd(f *testing.F) {
	f.Add([]byte("\xeb\x3c\x90"), 0)
	f.Fuzz(func(t *testing.T, noise []byte, at int) {
		b := make([]byte, 600<<10)
		le.PutUint16(b[256*2048:], 2)
		le.PutUint32(b[256*2048+16:], 16*2048)
		b[510], b[511] = 0x55, 0xaa
		if at >= 0 && at < len(b) {
			copy(b[at:], noise)
		}
		if end := fileSystemEnd(bytes.NewReader(b)); end < 0 {
			t.Errorf("%d", end)
		}
	})
}
