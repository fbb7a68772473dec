package daemon

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
)

// hostileGuest has links that would lead out if they were followed outside.
func hostileGuest(t *testing.T) *guest {
	g := newGuest(t)
	for name, target := range map[string]string{
		"abs":      g.outside,
		"rel":      "../../../../../../../.." + g.outside,
		"file":     filepath.Join(g.outside, "secret"),
		"new":      filepath.Join(g.outside, "new"),
		"loop":     "loop",
		"etc":      g.outside,
		"dotdot":   "..",
		"proc":     "/proc/self/root",
		"self":     "/proc/self/cwd/../outside",
		"d/up":     "../../outside/secret",
		"d/inside": "/hello",
	} {
		g.must(os.MkdirAll(filepath.Join(g.root, filepath.Dir(name)), 0o755))
		g.must(os.Symlink(target, filepath.Join(g.root, name)))
	}
	g.write("/hello", "hello")
	return g
}

var ways = []Path{"/file", "/abs/secret", "/rel/secret", "/etc/secret", "/dotdot/outside/secret", "/../outside/secret", "/proc/secret", "/self/secret", "/d/up", "/loop"}

func TestNothingLeadsOut(t *testing.T) {
	g := hostileGuest(t)
	in := func() io.Reader { return strings.NewReader("overwritten") }
	sink := io.Discard
	for _, p := range ways {
		dp := DevOrPath{Path: p}
		for name, fn := range map[string]func() error{
			"download":     func() error { return g.Download(g.call, dp, sink) },
			"pread":        func() error { _, err := g.Pread(p, 10, 0); return err },
			"stat":         func() error { _, err := g.Statns(p); return err },
			"checksum":     func() error { _, err := g.Checksum(g.call, "md5", p); return err },
			"head":         func() error { _, err := g.Head(p); return err },
			"grep":         func() error { _, err := g.Grep(g.call, ".", p, types.GrepOptions{}); return err },
			"filesize":     func() error { _, err := g.Filesize(p); return err },
			"chmod":        func() error { return g.Chmod(0o600, p) },
			"truncate":     func() error { return g.Truncate(p) },
			"pwrite":       func() error { _, err := g.Pwrite(p, []byte("x"), 0); return err },
			"getxattrs":    func() error { _, err := g.Getxattrs(p); return err },
			"acl_get_file": func() error { _, err := g.AclGetFile(p, "access"); return err },
			"cap_get_file": func() error { _, err := g.CapGetFile(p); return err },
			"realpath":     func() error { _, err := g.Realpath(p); return err },
			"ll":           func() error { _, err := g.Ll(p); return err },
			"cp":           func() error { return g.Cp(g.call, p, "/stolen") },
			"compress":     func() error { return g.CompressOut(g.call, "gzip", p, sink, types.CompressOutOptions{}) },
		} {
			if err := fn(); err == nil {
				t.Errorf("%s %s: succeeds", name, p)
			}
		}
		// These may succeed by making something inside.
		g.Upload(&Call{}, in(), dp)
		g.InternalWrite(p, []byte("overwritten"))
		g.Touch(p)
		g.Cp(g.call, "/hello", p)
		g.Rm(p)
		g.Mv(g.call, "/hello", p)
		g.write("/hello", "hello")
	}
	g.untouched()
}

func TestTreesDoNotLeadOut(t *testing.T) {
	g := hostileGuest(t)
	g.write("/src/etc/secret", "overwritten")
	g.write("/src/abs/planted", "planted")
	g.write("/src/file", "overwritten")
	g.CpR(g.call, "/src/etc", "/")
	g.CpR(g.call, "/src/abs", "/")
	g.CpA(g.call, "/src/file", "/")
	g.must(g.MkdirP("/dest"))
	g.must(g.LnS(g.outside, "/dest/src"))
	g.CpA(g.call, "/src", "/dest")
	g.Mv(g.call, "/src/abs/planted", "/rel")
	g.FillDir("/abs", 3)
	g.RmRf("/abs/secret")
	g.RmRf("/etc")
	g.RmRf("/dotdot/outside")
	g.untouched()
}

func archive(t *testing.T, members ...tar.Header) io.Reader {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range members {
		content := h.Linkname
		if h.Typeflag == tar.TypeReg {
			h.Size, h.Linkname = int64(len(content)), ""
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			io.WriteString(w, content)
		}
	}
	w.Close()
	return &b
}

func TestArchivesDoNotLeadOut(t *testing.T) {
	g := hostileGuest(t)
	reg := func(name string) tar.Header {
		return tar.Header{Name: name, Typeflag: tar.TypeReg, Linkname: "overwritten"}
	}
	g.TarIn(g.call, archive(t,
		reg("etc/secret"), reg("abs/planted"), reg("file"), reg("../outside/secret"), reg(g.outside+"/secret"),
		tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: g.outside},
		reg("link/secret"), reg("link/planted"),
		tar.Header{Name: "hard", Typeflag: tar.TypeLink, Linkname: filepath.Join(g.outside, "secret")},
		reg("hard"),
		tar.Header{Name: "hard2", Typeflag: tar.TypeLink, Linkname: "../outside/secret"},
		reg("hard2"),
		tar.Header{Name: "dotdot/outside", Typeflag: tar.TypeDir, Mode: 0o777},
	), "/", types.TarInOptions{})
	g.untouched()
	// What is named like a link in the guest replaces the link.
	if got := g.content("/file"); got != "overwritten" {
		t.Errorf("/file holds %q", got)
	}
}

func TestTarRoundTrip(t *testing.T) {
	g := newGuest(t)
	g.write("/src/sub/file", strings.Repeat("data", 50000))
	g.must(g.LnS("/sub/file", "/src/link"))
	g.must(g.Ln("/src/sub/file", "/src/hard"))
	g.must(g.Mkfifo(0o640, "/src/fifo"))
	g.must(g.MknodC(0o600, 1, 3, "/src/null"))
	g.must(g.Chown(1001, 1002, "/src/sub"))
	g.must(g.Chmod(0o7555, "/src/sub"))
	g.must(g.Utimens("/src/sub/file", 1e9, 0, 11e8, 0))
	g.must(g.Setxattr("trusted.x", "value", 5, "/src/sub/file"))
	g.must(g.MkdirP("/dest"))
	for _, compress := range []string{"", "gzip", "xz"} {
		yes := true
		out, in := types.TarOutOptions{Xattrs: &yes}, types.TarInOptions{Xattrs: &yes}
		if compress != "" {
			out.Compress, in.Compress = &compress, &compress
		}
		r, w := io.Pipe()
		go func() { w.CloseWithError(g.TarOut(g.call, "/src", w, out)) }()
		g.must(g.TarIn(g.call, r, "/dest", in))
		for _, p := range []Path{"", "/sub", "/sub/file", "/link", "/hard", "/fifo", "/null"} {
			a, err := g.root2stat("/src" + p)
			g.must(err)
			b, err := g.root2stat("/dest" + p)
			g.must(err)
			if a != b {
				t.Errorf("compress %q: %s is %+v, was %+v", compress, p, b, a)
			}
		}
		if g.content("/dest/hard") != g.content("/src/hard") {
			t.Error("contents differ")
		}
		v, err := g.Getxattr("/dest/sub/file", "trusted.x")
		if err != nil || string(v) != "value" {
			t.Errorf("attribute is %q, %v", v, err)
		}
	}
}

type brief struct {
	mode, uid, gid uint32
	rdev, nlink    uint64
	size, mtime    int64
}

func (g *guest) root2stat(p Path) (brief, error) {
	st, err := g.Daemon.root.Lstat(p)
	if err != nil {
		return brief{}, err
	}
	b := brief{st.Mode, st.Uid, st.Gid, st.Rdev, uint64(st.Nlink), st.Size, st.Mtim.Sec}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		b.size = 0
	}
	return b, nil
}

// No handler may wait for the other end of a pipe that the guest holds ready, or read
// what is behind a number that the guest has chosen.
func TestSpecialFilesAreRefused(t *testing.T) {
	g := newGuest(t)
	g.must(g.Mkfifo(0o666, "/fifo"))
	g.must(g.LnS("/fifo", "/link"))
	g.must(g.MknodC(0o666, 1, 5, "/zero"))
	g.must(g.MknodB(0o666, 7, 0, "/loop"))
	for p, kind := range map[Path]string{"/fifo": "a FIFO", "/link": "a FIFO", "/zero": "a character device", "/loop": "a block device"} {
		dp := DevOrPath{Path: p}
		for name, fn := range map[string]func() error{
			"download":          func() error { return g.Download(g.call, dp, io.Discard) },
			"upload":            func() error { return g.Upload(&Call{}, strings.NewReader("x"), dp) },
			"write":             func() error { return g.InternalWrite(p, nil) },
			"cp":                func() error { return g.Cp(g.call, p, "/copy") },
			"cp to":             func() error { g.write("/x", "x"); return g.Cp(g.call, "/x", p) },
			"touch":             func() error { return g.Touch(p) },
			"checksum":          func() error { _, err := g.Checksum(g.call, "md5", p); return err },
			"strings":           func() error { _, err := g.Strings(p); return err },
			"grep":              func() error { _, err := g.Grep(g.call, "x", p, types.GrepOptions{}); return err },
			"tail":              func() error { _, err := g.Tail(p); return err },
			"equal":             func() error { _, err := g.Equal(g.call, p, "/x"); return err },
			"is_zero":           func() error { _, err := g.IsZero(p); return err },
			"initrd_list":       func() error { _, err := g.InitrdList(p); return err },
			"base64_out":        func() error { return g.Base64Out(g.call, p, io.Discard) },
			"pread":             func() error { _, err := g.Pread(p, 1, 0); return err },
			"truncate":          func() error { return g.Truncate(p) },
			"fill":              func() error { return g.Fill(g.call, 1, 1, p) },
			"copy":              func() error { return g.CopyFileToFile(g.call, p, "/copy", types.CopyFileToFileOptions{}) },
			"head":              func() error { _, err := g.Head(p); return err },
			"wc":                func() error { _, err := g.WcL(p); return err },
			"hexdump":           func() error { _, err := g.Hexdump(p); return err },
			"zfile":             func() error { _, err := g.Zfile("gzip", p); return err },
			"isoinfo":           func() error { _, err := g.Isoinfo(p); return err },
			"compress":          func() error { return g.CompressOut(g.call, "gzip", p, io.Discard, types.CompressOutOptions{}) },
			"mount_loop":        func() error { return g.MountLoop(p, "/") },
			"swapon":            func() error { return g.SwaponFile(p) },
			"file_architecture": func() error { _, err := g.FileArchitecture(p); return err },
		} {
			g.soon(name+" "+string(p), func() {
				if err := fn(); err == nil || name != "touch" && !strings.Contains(err.Error(), kind) {
					t.Errorf("%s %s: %v", name, p, err)
				}
			})
		}
	}
	g.soon("walks", func() {
		g.must(g.ChecksumsOut(g.call, "md5", "/", io.Discard))
		g.must(g.CpA(g.call, "/fifo", "/fifo2"))
		g.must(g.TarOut(g.call, "/", io.Discard, types.TarOutOptions{}))
	})
}
