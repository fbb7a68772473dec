package diskimage

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// made lets qemu-img make an image.
func made(t *testing.T, args ...string) *os.File {
	t.Helper()
	name := filepath.Join(t.TempDir(), "image")
	args = append([]string{"create", "-q", "-u"}, append(args, name, "64M")...)
	if out, err := exec.Command("qemu-img", args...).CombinedOutput(); err != nil {
		t.Fatalf("qemu-img %v: %v: %s", args, err, out)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestRefsOfQemu(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	for _, c := range []struct {
		args   []string
		format string
		want   []Ref
	}{
		{[]string{"-f", "qcow2"}, "qcow2", nil},
		{[]string{"-f", "qcow2", "-b", "base", "-F", "raw"}, "qcow2", []Ref{{Backing, "base", "raw"}}},
		{[]string{"-f", "qcow2", "-o", "compat=0.10", "-b", "../x y", "-F", "qcow2"}, "qcow2", []Ref{{Backing, "../x y", "qcow2"}}},
		{[]string{"-f", "qcow2", "-o", "data_file=" + data}, "qcow2", []Ref{{Data, data, "raw"}}},
		{[]string{"-f", "qcow", "-b", "base", "-F", "raw"}, "qcow", []Ref{{Backing, "base", ""}}},
		{[]string{"-f", "qed", "-b", "base", "-F", "raw"}, "qed", []Ref{{Backing, "base", "raw"}}},
		{[]string{"-f", "qed", "-b", "base", "-F", "qcow2"}, "qed", []Ref{{Backing, "base", ""}}},
		{[]string{"-f", "vmdk"}, "vmdk", nil},
		{[]string{"-f", "vmdk", "-o", "subformat=monolithicFlat"}, "vmdk", []Ref{{Extent, "image-flat", "raw"}}},
		{[]string{"-f", "vmdk", "-o", "subformat=twoGbMaxExtentSparse"}, "vmdk", []Ref{{Extent, "image-s001", "vmdk"}}},
		{[]string{"-f", "vhdx"}, "vhdx", nil},
		{[]string{"-f", "vdi"}, "vdi", nil},
		{[]string{"-f", "raw"}, "raw", nil},
	} {
		f := made(t, c.args...)
		if got := Probe(f); got != c.format {
			t.Errorf("%v: Probe says %s", c.args, got)
		}
		got, err := Refs(c.format, f)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: Refs: %v, %v, expecting %v", c.args, got, err, c.want)
		}
	}
}

func TestVMDKDescriptors(t *testing.T) {
	desc := "# anything\n\nversion=1\nparentFileNameHint=\"p.vmdk\"\nRW 10 FLAT \"/etc/shadow\" 0\nRW 10 ZERO\n RDONLY 1 SPARSE \"s.vmdk\"\n"
	r := bytes.NewReader([]byte(desc))
	want := []Ref{{Backing, "p.vmdk", ""}, {Extent, "/etc/shadow", "raw"}, {Extent, "s.vmdk", "vmdk"}}
	if got, err := Refs("vmdk", r); Probe(r) != "vmdk" || err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %v, %v", Probe(r), got, err)
	}
	// What qemu reads although it does not look so.
	for text, want := range map[string]Ref{
		"version=1\nRW\n10\nFLAT\n\"/x\" 0":                                     {Extent, "/x", "raw"},
		"version=1\nRW 10 VMFSSPARSE\"/x":                                       {Extent, "/x", "vmdk"},
		"version=1\nRW 10 FLAT \"" + strings.Repeat("x", 600):                   {Extent, strings.Repeat("x", 511), "raw"},
		"version=1\n" + strings.Repeat("# pad\n", 100000) + "RW 10 FLAT \"/x\"": {Extent, "/x", "raw"},
		"version=1\nparentFileNameHint: /x\"":                                   {Backing, "/x", ""},
	} {
		if got, err := Refs("vmdk", bytes.NewReader([]byte(text))); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%.60q: %v, %v", text, got, err)
		}
	}
	// Inside a sparse extent the lines count if the extent itself has no capacity.
	sparse := make([]byte, 2*sector)
	copy(sparse, "KDMV")
	le.PutUint64(sparse[28:], 2)
	sparse = append(sparse, desc...)
	if got, _ := Refs("vmdk", bytes.NewReader(sparse)); !reflect.DeepEqual(got, want) {
		t.Errorf("extent without capacity: %v", got)
	}
	le.PutUint64(sparse[12:], 100)
	if got, _ := Refs("vmdk", bytes.NewReader(sparse)); !reflect.DeepEqual(got, want[:1]) {
		t.Errorf("extent with capacity: %v", got)
	}
}

func TestResolve(t *testing.T) {
	cwd, _ := os.Getwd()
	for name, want := range map[string][]Place{
		"base":             {{Path: "/d/base", Relative: true}},
		"sub/base":         {{Path: "/d/sub/base", Relative: true}},
		"sub/../../x":      {{Path: "/d/sub/../../x"}},
		"a..b":             {{Path: "/d/a..b", Relative: true}},
		"/etc/shadow":      {{Path: "/etc/shadow"}},
		"file:/etc/shadow": {{Path: "/etc/shadow"}},
		"file:x":           {{Path: cwd + "/x"}},
		"nbd:host:10":      {{Protocol: "nbd"}},
		"./a:b":            {{Path: "/d/./a:b", Relative: true}},
		`json:{"driver":"raw","file":{"driver":"file","filename":"/a"}}`:           {{Path: "/a", Format: "raw"}},
		`json:{"driver":"qcow2","file.filename":"/a","backing.file.filename":"b"}`: {{Path: "/a", Format: "qcow2"}, {Path: cwd + "/b"}},
		`json:{"driver":"nbd","host":"h"}`:                                         {{Protocol: "nbd"}},
		`json:{"file":{"filename":"ssh://h/x"}}`:                                   {{Protocol: "ssh"}},
		`json:{"driver":"quorum","children":[{"file.filename":"/a"}]}`:             {{Path: "/a"}, {Protocol: "quorum"}},
	} {
		got, err := Resolve("/d/image", name)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for _, bad := range []string{"json:", "json:{", "json:[]", "json:{}", `json:{"driver":"raw"}`} {
		if got, err := Resolve("/d/image", bad); err == nil {
			t.Errorf("%s: %v", bad, got)
		}
	}
}

func FuzzRefs(f *testing.F) {
	header := make([]byte, 200)
	copy(header, "QFI\xfb\x00\x00\x00\x03")
	binary.BigEndian.PutUint64(header[8:], 150)
	binary.BigEndian.PutUint32(header[16:], 10)
	binary.BigEndian.PutUint32(header[100:], 104)
	copy(header[150:], "/etc/passwd")
	f.Add("qcow2", header)
	f.Add("qcow", header)
	f.Add("vmdk", []byte("version=1\nRW 1 FLAT \"/x\" 0\n"))
	f.Add("qed", append([]byte("QED\x00"), header...))
	f.Fuzz(func(t *testing.T, format string, b []byte) {
		Probe(bytes.NewReader(b))
		refs, _ := Refs(format, bytes.NewReader(b))
		for _, r := range refs {
			Resolve("/d/image", r.Name)
		}
	})
}

// TestOverlay: qemu finds an overlay of ours to be right, and reads through it.
func TestOverlay(t *testing.T) {
	dir := t.TempDir()
	for _, size := range []int64{512, 1 << 20, 3 << 40} {
		base, over := filepath.Join(dir, "base"), filepath.Join(dir, "overlay")
		f, err := os.Create(base)
		if err != nil {
			t.Fatal(err)
		}
		f.WriteString("beneath")
		f.Truncate(size)
		f.Close()
		os.Remove(over)
		if f, err = os.Create(over); err != nil {
			t.Fatal(err)
		}
		if err := WriteOverlay(f, base, "raw", size); err != nil {
			t.Fatal(err)
		}
		if got, ok := VirtualSize("qcow2", f); got != size || !ok {
			t.Errorf("its size is %d, made with %d", got, size)
		}
		if refs, err := Refs("qcow2", f); err != nil || !reflect.DeepEqual(refs, []Ref{{Backing, base, "raw"}}) {
			t.Errorf("%v, %v", refs, err)
		}
		f.Close()
		for _, args := range [][]string{{"qemu-img", "check", "-q", over}, {"qemu-io", "-c", "read -v 0 512", "-c", "write -P 1 0 512", over}, {"qemu-img", "check", "-q", over}} {
			out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
			if err != nil || args[0] == "qemu-io" && !bytes.Contains(out, []byte("beneath")) {
				t.Errorf("%d bytes: %v: %v: %s", size, args, err, out)
			}
		}
	}
}

// TestEnd: the end of an image's data is where qemu-img has put it, and half an image is
// known to be one.
func TestEnd(t *testing.T) {
	dir := t.TempDir()
	raw := filepath.Join(dir, "raw")
	data := make([]byte, 3<<20)
	for i := range data {
		data[i] = byte(i>>8 ^ i*7 | 1)
	}
	f, err := os.Create(raw)
	if err != nil {
		t.Fatal(err)
	}
	// Some data at the beginning, a little in the middle, and the disk ends in a hole.
	f.WriteAt(data, 0)
	f.WriteAt(data[:5000], 33<<20)
	f.Truncate(64 << 20)
	f.Close()
	for _, format := range []string{"qcow", "qed", "vmdk", "vdi", "parallels", "raw"} {
		image := filepath.Join(dir, format+".image")
		if out, err := exec.Command("qemu-img", "convert", "-f", "raw", "-O", format, raw, image).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", format, err, out)
		}
		b, err := os.ReadFile(image)
		if err != nil {
			t.Fatal(err)
		}
		end := End(format, bytes.NewReader(b), time.Minute)
		if format == "raw" {
			if end != 0 {
				t.Errorf("raw: %d", end)
			}
			continue
		}
		if size := int64(len(b)); end > size || end < size-(2<<20) {
			t.Errorf("%s: its data ends at %d of %d bytes", format, end, size)
		}
		half := int64(len(b) / 2)
		if end := End(format, bytes.NewReader(b[:half]), time.Minute); end <= half+(64<<10) {
			t.Errorf("%s: half of it (%d bytes) ends at %d", format, half, end)
		}
	}
}

func FuzzEnd(f *testing.F) {
	f.Add("vmdk", append([]byte("KDMV"), make([]byte, 508)...))
	f.Add("qcow", make([]byte, 512))
	f.Fuzz(func(t *testing.T, format string, b []byte) {
		begin := time.Now()
		End(format, bytes.NewReader(b), 100*time.Millisecond)
		if d := time.Since(begin); d > 5*time.Second {
			t.Errorf("took %v", d)
		}
	})
}
