package appliance

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// hostPath is where programs are looked for besides $PATH, which for an ordinary
// user often lacks the sbin folders.
var hostPath = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"}

// lookHost finds a program of the host.
func lookHost(name string) string {
	for _, d := range append(filepath.SplitList(os.Getenv("PATH")), hostPath...) {
		if !filepath.IsAbs(d) {
			continue
		}
		p := filepath.Join(d, name)
		if fi, err := os.Stat(p); err == nil && fi.Mode().IsRegular() && fi.Mode()&0o111 != 0 {
			return p
		}
	}
	return ""
}

// gatherer copies files of the host into a tree, with all that they need to run.
// They keep their paths, save that /bin, /sbin and /lib* become links into /usr.
type gatherer struct {
	to     tree
	host   *loader
	done   map[string]bool      // real paths that are in the tree
	inodes map[[2]uint64]string // for hard links
}

func newGatherer(to tree) *gatherer {
	return &gatherer{to: to, host: newLoader(tree{dir: "/"}), done: map[string]bool{}, inodes: map[[2]uint64]string{}}
}

// add takes a file by the name under which it will be called. rpath are the folders
// that whatever needs it hands down.
func (g *gatherer) add(name string, rpath []string) error {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return err
	}
	dst := movedToUsr(strings.TrimPrefix(real, "/"))
	if !g.done[real] {
		g.done[real] = true
		if err := g.copy(real, dst); err != nil {
			return err
		}
		if err := g.needs(real, rpath); err != nil {
			return err
		}
	}
	link := movedToUsr(strings.TrimPrefix(path.Clean(name), "/"))
	if link == dst {
		return nil
	}
	if _, err := g.to.resolve(link); err == nil {
		return nil
	}
	if err := os.MkdirAll(g.to.path(path.Dir(link)), 0o755); err != nil {
		return err
	}
	target := "/" + dst
	if path.Dir(link) == path.Dir(dst) {
		target = path.Base(dst)
	}
	return os.Symlink(target, g.to.path(link))
}

func (g *gatherer) copy(real, dst string) error {
	if err := os.MkdirAll(g.to.path(path.Dir(dst)), 0o755); err != nil {
		return err
	}
	in, err := os.Open(real)
	if err != nil {
		return err
	}
	defer in.Close()
	fi, err := in.Stat()
	if err != nil {
		return err
	}
	if !fi.Mode().IsRegular() {
		return fmt.Errorf("%s is not a file", real)
	}
	st := fi.Sys().(*syscall.Stat_t)
	if first, ok := g.inodes[[2]uint64{st.Dev, st.Ino}]; ok && st.Nlink > 1 {
		return os.Link(g.to.path(first), g.to.path(dst))
	}
	g.inodes[[2]uint64{st.Dev, st.Ino}] = dst
	out, err := os.OpenFile(g.to.path(dst), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fi.Mode().Perm()|0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		out.Close()
		return fmt.Errorf("copy %s: %w", real, err)
	}
	return out.Close()
}

// needs takes the libraries and the interpreter of a program. What cannot be had is
// left to tree.dropBroken.
func (g *gatherer) needs(real string, rpath []string) error {
	p, err := g.host.read(real, real, rpath)
	if errors.Is(err, errNotELF) {
		interp, viaEnv := scriptInterpreter(real)
		if viaEnv != "" {
			if found := lookHost(viaEnv); found != "" && !foreign(viaEnv) {
				if err := g.optional(found, nil); err != nil {
					return err
				}
			}
		}
		if interp != "" && !foreign(interp) {
			return g.optional(interp, nil)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if p.interp != "" {
		if err := g.optional(p.interp, nil); err != nil {
			return err
		}
	}
	for _, lib := range p.libs {
		if err := g.optional(lib, p.rpath); err != nil {
			return err
		}
	}
	return nil
}

// optional adds a file if it exists and can be read.
func (g *gatherer) optional(name string, rpath []string) error {
	err := g.add(name, rpath)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil
	}
	return err
}

// foreign interpreters are more than their program: their modules would have to
// come too.
func foreign(interp string) bool {
	b := path.Base(interp)
	return strings.HasPrefix(b, "perl") || strings.HasPrefix(b, "python") || strings.HasPrefix(b, "ruby")
}

// addAll takes a file, or a folder with all that is in it.
func (g *gatherer) addAll(ctx context.Context, name string) error {
	real, err := filepath.EvalSymlinks(name)
	if err != nil {
		return nil
	}
	return filepath.WalkDir(real, func(p string, d fs.DirEntry, err error) error {
		if err != nil || ctx.Err() != nil {
			if errors.Is(err, fs.ErrPermission) {
				return nil
			}
			return errors.Join(err, ctx.Err())
		}
		if d.IsDir() {
			return nil
		}
		if fi, err := os.Stat(p); err != nil || !fi.Mode().IsRegular() {
			return nil
		}
		rel, err := filepath.Rel(real, p)
		if err != nil {
			return err
		}
		return g.optional(filepath.Join(name, rel), nil)
	})
}

// tools takes the programs and data of every want.
func (g *gatherer) tools(ctx context.Context) error {
	for _, w := range wants {
		for _, tool := range strings.Fields(w.tools) {
			if err := ctx.Err(); err != nil {
				return err
			}
			for _, name := range strings.Split(tool, "|") {
				if p := lookHost(name); p != "" {
					if err := g.optional(p, nil); err != nil {
						return err
					}
					// Wherever it lies on the host, it will be called by its name.
					if g.to.program(name) == "" {
						if err := g.link(p, name); err != nil {
							return err
						}
					}
				}
			}
		}
		for _, p := range g.host.tree.matches(w.data, g.host.dirs) {
			if err := g.addAll(ctx, p); err != nil {
				return err
			}
		}
	}
	// Programs are found as on the host, through its folders of libraries.
	conf := strings.Join(g.host.dirs, "\n") + "\n"
	return os.WriteFile(g.to.path("etc/ld.so.conf"), []byte(conf), 0o644)
}

func (g *gatherer) link(p, name string) error {
	real, err := filepath.EvalSymlinks(p)
	if err != nil || !g.done[real] {
		return nil
	}
	return os.Symlink("/"+movedToUsr(strings.TrimPrefix(real, "/")), g.to.path("usr/bin/"+name))
}

// hostKernel is a kernel of the host with its modules.
type hostKernel struct {
	file, version string
	modules       string // /lib/modules/VERSION; empty if there is none
}

// kernelPatterns are the places where distributions put kernels.
var kernelPatterns = []string{"/boot/vmlinuz*", "/boot/kernel-*", "/boot/vmlinux*", "/lib/modules/*/vmlinuz", "/usr/lib/modules/*/vmlinuz"}

// findKernel picks the kernel named by GOFISH_KERNEL, else the newest one that has
// modules and can be read.
func findKernel(named string, patterns []string) (*hostKernel, error) {
	if named != "" {
		k, err := readHostKernel(named)
		if err != nil {
			return nil, fmt.Errorf("GOFISH_KERNEL: %w", err)
		}
		return k, nil
	}
	var best *hostKernel
	var unreadable string
	for _, pattern := range patterns {
		files, _ := filepath.Glob(pattern)
		for _, f := range files {
			k, err := readHostKernel(f)
			if errors.Is(err, fs.ErrPermission) {
				unreadable = f
			}
			if err != nil {
				continue
			}
			if best == nil || (best.modules == "") != (k.modules == "") && best.modules == "" ||
				(best.modules == "") == (k.modules == "") && compareVersions(k.version, best.version) > 0 {
				best = k
			}
		}
	}
	switch {
	case best != nil:
		return best, nil
	case unreadable != "":
		return nil, fmt.Errorf("the kernel %[1]s cannot be read: run \"sudo chmod +r %[1]s\", or name a readable copy with GOFISH_KERNEL", unreadable)
	}
	return nil, errors.New("no kernel in /boot or /lib/modules: install one (on Debian linux-image-amd64), or name one with GOFISH_KERNEL")
}

func readHostKernel(file string) (*hostKernel, error) {
	fi, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a file", file)
	}
	image, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	k := &hostKernel{file: file, version: kernelVersion(image)}
	if k.version == "" {
		return nil, fmt.Errorf("%s is not a Linux kernel for x86-64", file)
	}
	// Beside a kernel that was unpacked somewhere lie its modules.
	up := filepath.Dir(filepath.Dir(file))
	for _, dir := range []string{up + "/lib/modules", up + "/usr/lib/modules", "/lib/modules", "/usr/lib/modules"} {
		if _, err := os.Stat(filepath.Join(dir, k.version, "modules.dep")); err == nil {
			k.modules = filepath.Join(dir, k.version)
			break
		}
	}
	return k, nil
}

// compareVersions orders versions with numbers by value.
func compareVersions(x, y string) int {
	isDigit := func(c byte) bool { return '0' <= c && c <= '9' }
	for x != "" && y != "" {
		if isDigit(x[0]) && isDigit(y[0]) {
			n, m := 0, 0
			for n < len(x) && isDigit(x[n]) {
				n++
			}
			for m < len(y) && isDigit(y[m]) {
				m++
			}
			a, b := strings.TrimLeft(x[:n], "0"), strings.TrimLeft(y[:m], "0")
			if len(a) != len(b) {
				return len(a) - len(b)
			}
			if c := strings.Compare(a, b); c != 0 {
				return c
			}
			x, y = x[n:], y[m:]
			continue
		}
		if x[0] != y[0] {
			return int(x[0]) - int(y[0])
		}
		x, y = x[1:], y[1:]
	}
	return len(x) - len(y)
}

// kernel takes a kernel and the modules that the appliance keeps.
func (g *gatherer) kernel(ctx context.Context, k *hostKernel) error {
	if err := g.copy(k.file, "boot/vmlinuz-"+k.version); err != nil {
		return err
	}
	if k.modules == "" {
		return nil
	}
	m, err := readModules(k.modules)
	if err != nil {
		return err
	}
	to := "usr/lib/modules/" + k.version
	files := []string{"modules.order", "modules.builtin", "modules.builtin.modinfo"}
	if lookHost("depmod") == "" { // these then have to do, though they list too much
		more, _ := filepath.Glob(filepath.Join(k.modules, "modules.*"))
		for _, f := range more {
			files = append(files, filepath.Base(f))
		}
	}
	for f := range m.kept() {
		files = append(files, f)
	}
	slices.Sort(files)
	for _, f := range slices.Compact(files) {
		if err := ctx.Err(); err != nil {
			return err
		}
		real, err := filepath.EvalSymlinks(filepath.Join(k.modules, f))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = g.copy(real, path.Join(to, f))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// contentKey hashes everything in the tree.
func (t tree) contentKey(spec string) (sum [32]byte, err error) {
	h := sha256.New()
	fmt.Fprintln(h, spec)
	err = filepath.WalkDir(t.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(t.dir, p)
		if err != nil {
			return err
		}
		to, _ := os.Readlink(p)
		fmt.Fprintf(h, "%q %v %q\n", rel, fi.Mode(), to)
		if !fi.Mode().IsRegular() {
			return nil
		}
		fmt.Fprintln(h, fi.Size())
		f, err := os.Open(p)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(h, f)
		return err
	})
	h.Sum(sum[:0])
	return sum, err
}

// fromHost makes a base from what is installed here and returns its key.
func (b *builder) fromHost(ctx context.Context) (string, error) {
	if lookHost("mke2fs") == "" {
		return "", errors.New("no mke2fs on this host: install e2fsprogs")
	}
	k, err := findKernel(os.Getenv("GOFISH_KERNEL"), kernelPatterns)
	if err != nil {
		return "", err
	}
	if err := b.cache.room(roomForHost); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(b.cache.dir, "tmp-build-")
	if err != nil {
		return "", err
	}
	defer removeAll(tmp)
	b.say("appliance: gathering the tools of this host, and kernel %s", k.version)
	t, err := newTree(filepath.Join(tmp, "tree"))
	if err != nil {
		return "", err
	}
	t.onHost = true
	g := newGatherer(t)
	if err := g.kernel(ctx, k); err != nil {
		return "", fmt.Errorf("kernel %s: %w", k.file, err)
	}
	if k.modules == "" {
		b.say("appliance: there are no modules for kernel %s: only what is built into it will work", k.version)
	}
	if err := g.tools(ctx); err != nil {
		return "", err
	}
	m := &Manifest{Spec: spec("host"), Source: "host", Made: time.Now().UTC().Truncate(time.Second)}
	sum, err := t.contentKey(m.Spec)
	if err != nil {
		return "", err
	}
	m.Key, m.UUID = hex.EncodeToString(sum[:8]), uuidOf(sum)
	if b.cache.holds(m.Key) {
		return m.Key, nil
	}
	return m.Key, b.complete(ctx, tmp, t, m)
}

// hostCommand runs a program of the host.
func hostCommand(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	p := lookHost(name)
	if p == "" {
		return nil, fmt.Errorf("%s: %w", name, exec.ErrNotFound)
	}
	return exec.CommandContext(ctx, p, args...), nil
}

// kernelVersion reads a kernel's version out of a bzImage (Documentation/x86/boot.rst:
// kernel_version 0x20e) or an ELF vmlinux (its banner); empty if it is neither.
func kernelVersion(image []byte) string {
	first := func(b []byte) string {
		end := bytes.IndexAny(b[:min(200, len(b))], " \x00")
		// It becomes the name of a folder.
		if end < 1 || b[0] == '.' || bytes.ContainsAny(b[:end], "/\n") {
			return ""
		}
		return string(b[:end])
	}
	if bytes.HasPrefix(image, []byte("\x7fELF")) {
		const banner = "Linux version "
		if i := bytes.Index(image, []byte(banner)); i >= 0 {
			return first(image[i+len(banner):])
		}
		return ""
	}
	if len(image) < 0x250 || string(image[0x202:0x206]) != "HdrS" {
		return ""
	}
	at := int(image[0x20e]) | int(image[0x20f])<<8
	if at == 0 || at+0x200 >= len(image) {
		return ""
	}
	return first(image[at+0x200:])
}
