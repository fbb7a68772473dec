package untar

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

var someTime = time.Unix(1234567890, 0)

// archive makes one of headers; the content of each is in PAXRecords["content"].
func archive(t *testing.T, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		content := h.PAXRecords["content"]
		h.PAXRecords, h.Size, h.ModTime = nil, int64(len(content)), someTime
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, content)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func dir(name string, mode int64) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: mode, Uid: os.Getuid(), Gid: os.Getgid()}
}

func link(name, target string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: target, Mode: 0o777, Uid: os.Getuid(), Gid: os.Getgid()}
}

func hard(name, target string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: target, Mode: 0o777}
}

func file(name, content string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Uid: os.Getuid(), Gid: os.Getgid(), PAXRecords: map[string]string{"content": content}}
}

func special(name string, typ byte) tar.Header {
	return tar.Header{Name: name, Typeflag: typ, Mode: 0o666, Devmajor: 1, Devminor: 5, Uid: os.Getuid(), Gid: os.Getgid()}
}

// extract unpacks into a folder, with the limit of 10 s that all of it has.
func extract(t *testing.T, into string, r io.Reader, o Options) (Result, error) {
	t.Helper()
	top, err := os.Open(into)
	if err != nil {
		t.Fatal(err)
	}
	defer top.Close()
	o.Top = top
	type outcome struct {
		Result
		error
	}
	done := make(chan outcome, 1)
	go func() {
		res, err := Extract(r, o)
		done <- outcome{res, err}
	}()
	select {
	case u := <-done:
		return u.Result, u.error
	case <-time.After(10 * time.Second):
		t.Fatal("still busy after 10 s")
	}
	panic("not reached")
}

// state lists names, types, permission bits, times and contents of a tree.
func state(t *testing.T, top string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		content := ""
		switch {
		case fi.Mode().IsRegular():
			c, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			content = fmt.Sprintf("%q", c)
		case fi.Mode()&fs.ModeSymlink != 0:
			content, _ = os.Readlink(p)
		}
		fmt.Fprintf(&b, "%s %v %v %s\n", p, fi.Mode(), fi.ModTime(), content)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// No archive changes anything outside of the folder, blocks, or follows a link.
func TestNothingGoesOut(t *testing.T) {
	for _, test := range []struct {
		name    string
		members func(out string) []tar.Header
		want    string // in a complaint; empty: there is none
	}{
		{"folder, then a link to a file", func(out string) []tar.Header {
			return []tar.Header{dir("d", 0o777), link("d", out+"/file")}
		}, ""},
		{"folder, then a link to a folder", func(out string) []tar.Header {
			return []tar.Header{dir("d", 0o777), link("d", out+"/sub")}
		}, ""},
		{"folder, then a relative link", func(out string) []tar.Header {
			return []tar.Header{dir("a", 0o755), dir("a/d", 0o777), link("a/d", "../../outside/sub")}
		}, ""},
		{"middle folder becomes a link", func(out string) []tar.Header {
			return []tar.Header{dir("m", 0o755), dir("m/sub", 0o700), hard("m/sub", "nosuch"), link("m", out), dir("m/sub", 0o777)}
		}, "m"},
		{"link, then a folder below it", func(out string) []tar.Header {
			return []tar.Header{link("d", out), dir("d/sub", 0o777), file("d/file", "pwned")}
		}, "a link is in its way"},
		{"link, then a file of its name", func(out string) []tar.Header {
			return []tar.Header{link("l", out+"/file"), file("l", "pwned")}
		}, ""},
		{"link, then a folder of its name", func(out string) []tar.Header {
			return []tar.Header{link("l", out+"/sub"), dir("l", 0o777), file("l/x", "x")}
		}, ""},
		{"hard link to a link, then a file", func(out string) []tar.Header {
			return []tar.Header{link("l", out+"/file"), hard("h", "l"), file("h", "pwned")}
		}, ""},
		{"hard link through a link", func(out string) []tar.Header {
			return []tar.Header{link("l", out), hard("h", "l/file")}
		}, "a link is in its way"},
		{"hard link by an absolute name", func(out string) []tar.Header {
			return []tar.Header{hard("h", out+"/file"), hard("h", "../../outside/file")}
		}, "no such file"},
		{"dots", func(out string) []tar.Header {
			return []tar.Header{file("../outside/file", "pwned"), file("a/../../outside/file", "pwned"), dir("..", 0o777), dir("a/..", 0o777)}
		}, "'..'"},
		{"absolute names", func(out string) []tar.Header {
			return []tar.Header{file(out+"/file", "pwned"), dir(out, 0o777)}
		}, ""},
		{"names that are none", func(out string) []tar.Header {
			return []tar.Header{file(".", "x"), link(".", out), dir("//", 0o755), hard("h", ".")}
		}, "operation not permitted"},
		{"FIFO in place of a folder", func(out string) []tar.Header {
			return []tar.Header{special("p", tar.TypeFifo), file("p/x", "x"), dir("q", 0o755), special("q", tar.TypeFifo)}
		}, "not a directory"},
		{"a link that an earlier copy left", func(out string) []tar.Header {
			return []tar.Header{dir("left", 0o777), file("leftfile", "pwned"), dir("left/sub", 0o777)}
		}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			both := t.TempDir()
			into, outside := both+"/into", both+"/outside"
			for _, d := range []string{into, outside, outside + "/sub"} {
				if err := os.Mkdir(d, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(outside+"/file", []byte("mine"), 0o600); err != nil {
				t.Fatal(err)
			}
			os.Symlink(outside, into+"/left")
			os.Symlink(outside+"/file", into+"/leftfile")
			before := state(t, outside)
			res, err := extract(t, into, bytes.NewReader(archive(t, test.members(outside)...)), Options{Privileged: true})
			if err != nil {
				t.Fatal(err)
			}
			if after := state(t, outside); after != before {
				t.Errorf("outside was\n%snow it is\n%s", before, after)
			}
			all := strings.Join(res.Complaints, "; ")
			if test.want == "" && all != "" || !strings.Contains(all, test.want) {
				t.Errorf("complaints are %q, want %q", all, test.want)
			}
		})
	}
}

func TestUnprivileged(t *testing.T) {
	into := t.TempDir()
	su := file("su", "x")
	su.Mode = 0o6755
	sticky := dir("sticky", 0o3777)
	res, err := extract(t, into, bytes.NewReader(archive(t, special("zero", tar.TypeChar), special("disk", tar.TypeBlock), su, sticky)), Options{})
	if err != nil || res.Devices != 2 || res.SetID != 2 || len(res.Complaints) != 0 || !res.Ended {
		t.Errorf("got %+v, %v", res, err)
	}
	want := map[string]fs.FileMode{"su": 0o755, "sticky": fs.ModeDir | fs.ModeSticky | 0o777}
	list, _ := os.ReadDir(into)
	for _, e := range list {
		fi, _ := e.Info()
		if fi.Mode() != want[e.Name()] {
			t.Errorf("%s has mode %v, want %v", e.Name(), fi.Mode(), want[e.Name()])
		}
		delete(want, e.Name())
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

// Folders get modes and times that their members do not spoil, in whatever order they come.
func TestFolders(t *testing.T) {
	into := t.TempDir()
	if err := os.Mkdir(into+"/there", 0); err != nil {
		t.Fatal(err)
	}
	res, err := extract(t, into, bytes.NewReader(archive(t,
		dir("./", 0o750), dir("shut", 0o500), file("other/x", "x"), file("shut/in", "y"),
		file("late/x", "x"), dir("late", 0o711), file("shut/again", "z"),
		dir("there", 0o755), file("there/f", "f"), file("f", "1"), dir("f", 0o700), file("f", "2"))), Options{})
	if err != nil || len(res.Complaints) > 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	for name, mode := range map[string]fs.FileMode{"": 0o750, "shut": 0o500, "late": 0o711, "there": 0o755} {
		fi, err := os.Stat(into + "/" + name)
		if err != nil || fi.Mode().Perm() != mode || !fi.ModTime().Equal(someTime) {
			t.Errorf("%q: %v, %v, want %v", name, fi.Mode(), fi.ModTime(), mode)
		}
	}
	if b, _ := os.ReadFile(into + "/f"); string(b) != "2" {
		t.Errorf("f holds %q", b)
	}
	os.Chmod(into+"/shut", 0o700) // for who removes it
}

// More folders than are remembered, and names deeper than are kept open.
func TestManyFolders(t *testing.T) {
	into := t.TempDir()
	const n = 3000
	r, w := io.Pipe()
	go func() {
		tw := tar.NewWriter(w)
		for i := range n {
			h := dir(fmt.Sprintf("d%d/e", i/200*200), 0o755)
			if i%200 != 0 {
				h = dir(fmt.Sprintf("d%d/e/%d", i/200*200, i), 0o711)
			}
			h.ModTime = someTime
			tw.WriteHeader(&h)
		}
		tw.Close()
		w.Close()
	}()
	res, err := extract(t, into, r, Options{remember: 250})
	if err != nil || len(res.Complaints) > 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	bad := 0
	filepath.WalkDir(into, func(p string, d fs.DirEntry, err error) error {
		if fi, err := d.Info(); strings.Contains(p[len(into):], "/e") && (err != nil || !fi.ModTime().Equal(someTime)) {
			bad++
		}
		return nil
	})
	if bad > 0 {
		t.Errorf("%d folders have another time", bad)
	}
}

func TestDeepPath(t *testing.T) {
	into := t.TempDir()
	deep := strings.TrimSuffix(strings.Repeat("y/", 3000), "/")
	var members []tar.Header
	for n := 1; n < len(deep); n += 10 {
		members = append(members, dir(deep[:n], 0o755))
	}
	members = append(members, file(deep+"/f", "x"), file("top", "x"), file(deep+"/g", "x"))
	res, err := extract(t, into, bytes.NewReader(archive(t, members...)), Options{})
	if err != nil || len(res.Complaints) > 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	// os.RemoveAll goes by descriptors; a name of that length could not be used.
	if err := os.RemoveAll(into + "/y"); err != nil {
		t.Error(err)
	}
}

// holey makes a file with holes at both ends and in the middle.
func holey(t *testing.T, name string) []byte {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := make([]byte, 8<<20)
	for i, at := range []int{1 << 20, 3 << 20, 5<<20 + 4096, 7 << 20} {
		data := bytes.Repeat([]byte{byte('a' + i)}, 5000)
		copy(want[at:], data)
		f.WriteAt(data, int64(at))
	}
	f.Truncate(int64(len(want)))
	if spans := dataSpans(f, int64(len(want))); len(spans) < 4 {
		t.Skipf("no holes can be seen here: %v", spans)
	}
	return want
}

func sameHoles(t *testing.T, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes are not what went in (%v)", name, len(got), err)
	}
	var st unix.Stat_t
	if unix.Stat(name, &st); st.Blocks*512 > int64(len(want))/4 {
		t.Errorf("%s takes %d blocks: holes are gone", name, st.Blocks)
	}
}

func TestSparseFormsOfGNUTar(t *testing.T) {
	from := t.TempDir()
	want := holey(t, from+"/holey")
	os.Truncate(from+"/empty", 0)
	if f, err := os.Create(from + "/void"); err == nil {
		f.Truncate(1 << 30)
		f.Close()
	}
	for _, form := range [][]string{{"--format=gnu"}, {"--format=posix", "--sparse-version=0.0"}, {"--format=posix", "--sparse-version=0.1"}, {"--format=posix", "--sparse-version=1.0"}} {
		t.Run(strings.Join(form, " "), func(t *testing.T) {
			b, err := exec.Command("tar", append(form, "-C", from, "--sparse", "-cf", "-", "holey", "void")...).Output()
			if err != nil {
				t.Fatal(err)
			}
			into := t.TempDir()
			res, err := extract(t, into, bytes.NewReader(b), Options{})
			if err != nil || len(res.Complaints) > 0 || !res.Ended {
				t.Fatalf("%+v, %v", res, err)
			}
			sameHoles(t, into+"/holey", want)
			if fi, err := os.Stat(into + "/void"); err != nil || fi.Size() != 1<<30 {
				t.Errorf("void: %v", err)
			}
		})
	}
}

func TestCreateKeepsHoles(t *testing.T) {
	from := t.TempDir()
	if err := os.Mkdir(from+"/t", 0o755); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("n", 200)
	want := holey(t, from+"/t/"+long)
	os.WriteFile(from+"/t/plain", []byte("plain"), 0o640)
	os.Link(from+"/t/"+long, from+"/t/second")
	os.Chtimes(from+"/t/"+long, time.Time{}, time.Unix(5, 250e6))
	var b bytes.Buffer
	if err := Create(&b, from, "t"); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 200<<10 {
		t.Errorf("the archive has %d bytes", b.Len())
	}
	check := func(into string) {
		t.Helper()
		sameHoles(t, into+"/t/"+long, want)
		if b, _ := os.ReadFile(into + "/t/plain"); string(b) != "plain" {
			t.Errorf("plain holds %q", b)
		}
		fi, err := os.Stat(into + "/t/second")
		if err != nil || !fi.ModTime().Equal(time.Unix(5, 250e6)) {
			t.Errorf("second: %v, %v", fi, err)
		}
	}
	ours, theirs := t.TempDir(), t.TempDir()
	if res, err := extract(t, ours, bytes.NewReader(b.Bytes()), Options{}); err != nil || len(res.Complaints) > 0 {
		t.Fatalf("%+v, %v", res, err)
	}
	check(ours)
	c := exec.Command("tar", "-C", theirs, "-xf", "-")
	c.Stdin = &b
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	check(theirs)
}

// oldSparse is GNU tar's own form of a sparse file of which only size is there.
func oldSparse(size uint64, entries ...uint64) []byte {
	b := make([]byte, 3*blockSize)
	copy(b, "sp")
	copy(b[100:], "0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00")
	b[156] = tar.TypeGNUSparse
	copy(b[257:], "ustar  \x00")
	put := func(off int, v uint64) {
		b[off] = 0x80
		for i := range 8 {
			b[off+11-i] = byte(v >> (8 * i))
		}
	}
	put(483, size)
	for i, e := range entries {
		put(386+12*i, e)
	}
	sum := 8 * int(' ')
	for _, c := range b[:blockSize] {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

func TestHugeHole(t *testing.T) {
	into := t.TempDir()
	// A size that the file system may or may not take, and one that all take.
	for _, size := range []uint64{1 << 62, 1 << 40} {
		start := time.Now()
		_, err := extract(t, into, bytes.NewReader(oldSparse(size, size, 0)), Options{})
		if err != nil || time.Since(start) > 2*time.Second {
			t.Errorf("%d: %v after %v", size, err, time.Since(start))
		}
	}
	if fi, err := os.Stat(into + "/sp"); err != nil || fi.Size() != 1<<40 {
		t.Errorf("%v", err)
	}
	for _, b := range [][]byte{oldSparse(1<<63, 0, 0), oldSparse(100, 50, 1), oldSparse(100, 200, 0), oldSparse(1<<62, 1<<62, 1<<63-1)} {
		if _, err := extract(t, into, bytes.NewReader(b), Options{}); err == nil {
			t.Errorf("a list that cannot be was taken")
		}
	}
}

// A stream that breaks off leaves what is complete and nothing of the file it was in.
func TestBrokenOff(t *testing.T) {
	whole := archive(t, file("a", strings.Repeat("a", 1000)), file("b", strings.Repeat("b", 3000)), file("c", "c"))
	for _, cut := range []int{700, 1536 + 512, 1536 + 512 + 2999, len(whole) - 1024 - 1} {
		into := t.TempDir()
		_, err := extract(t, into, bytes.NewReader(whole[:cut]), Options{})
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut at %d: %v", cut, err)
		}
		for name, n := range map[string]int{"a": 1000, "b": 3000, "c": 1} {
			if fi, err := os.Stat(into + "/" + name); err == nil && fi.Size() != int64(n) {
				t.Errorf("cut at %d: %s is left with %d bytes", cut, name, fi.Size())
			}
		}
	}
	if res, err := extract(t, t.TempDir(), bytes.NewReader(nil), Options{}); err != nil || res.Ended {
		t.Errorf("an empty stream: %+v, %v", res, err)
	}
}

// What archive/tar reads, reader reads the same.
func FuzzReader(f *testing.F) {
	long := strings.Repeat("long/", 60)
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range []tar.Header{dir("d/", 0o755), file("d/f", ""), link("l", "d/f"), {Name: long, Typeflag: tar.TypeReg, Size: 3, Linkname: ""}} {
			h.Format, h.ModTime = format, someTime
			h.PAXRecords = nil
			if w.WriteHeader(&h) == nil {
				io.WriteString(w, "abc"[:h.Size])
			}
		}
		w.Close()
		f.Add(b.Bytes())
	}
	f.Add(oldSparse(1<<62, 1<<62, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		theirs, ours := tar.NewReader(bytes.NewReader(b)), newReader(bytes.NewReader(b))
		for {
			h, herr := theirs.Next()
			m, merr := ours.next()
			if merr != nil || herr != nil {
				return // neither is a measure of the other for what is broken
			}
			if m.spans != nil {
				return
			}
			got, _ := io.ReadAll(ours)
			want, _ := io.ReadAll(theirs)
			if h.Typeflag == tar.TypeReg && m.Typeflag == tar.TypeReg && !bytes.Equal(got, want) {
				t.Errorf("%q holds %q, archive/tar says %q", m.Name, got, want)
			}
		}
	})
}

// The members of an archive of each format are as archive/tar has them.
func TestReaderAgrees(t *testing.T) {
	for _, format := range []tar.Format{tar.FormatUSTAR, tar.FormatPAX, tar.FormatGNU} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		list := []tar.Header{dir("d", 0o1755), link("d/l", strings.Repeat("t", 90)), special("c", tar.TypeChar), hard("h", "d/l"),
			{Name: strings.Repeat("p", 80) + "/" + strings.Repeat("n", 90), Typeflag: tar.TypeReg, Mode: 0o4711, Uid: 1000, Gid: 2000}}
		if format != tar.FormatUSTAR {
			list = append(list, link("far", strings.Repeat("t", 3000)), tar.Header{Name: strings.Repeat("ü", 500), Typeflag: tar.TypeReg, Uid: 1 << 30})
		}
		for _, h := range list {
			h.Format, h.ModTime = format, someTime
			if format == tar.FormatPAX {
				h.ModTime = time.Unix(-5, 250e6)
				h.AccessTime = time.Unix(7, 5)
			}
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
		}
		w.Close()
		theirs, ours := tar.NewReader(bytes.NewReader(b.Bytes())), newReader(&b)
		for range list {
			h, err := theirs.Next()
			if err != nil {
				t.Fatal(err)
			}
			m, err := ours.next()
			if err != nil {
				t.Fatal(err)
			}
			text := func(h *tar.Header) string {
				return fmt.Sprintf("%q %c %q %o %d %d %d %v %v %d %d", h.Name, h.Typeflag, h.Linkname, h.Mode, h.Uid, h.Gid, h.Size, h.ModTime, h.AccessTime, h.Devmajor, h.Devminor)
			}
			if got, want := text(m.Header), text(h); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		}
	}
}
