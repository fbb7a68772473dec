package appliance

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"
)

// tree is the appliance's root directory while it is put together.
type tree struct {
	dir    string
	onHost bool // made of the host's programs, so these can be run as they are
}

func (t tree) path(name string) string { return filepath.Join(t.dir, name) }

// newTree makes the folders and links that packages expect to be there.
func newTree(dir string) (tree, error) {
	t := tree{dir: dir}
	for _, d := range []string{
		"usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "etc", "etc/lvm", "etc/ssl/certs", "root",
		"sysroot", "proc", "sys", "dev", "run", "tmp", "var/tmp", "var/lib", "var/log", "var/cache", "newroot", "mnt", "boot",
	} {
		if err := os.MkdirAll(t.path(d), 0o755); err != nil {
			return t, err
		}
	}
	for name, to := range map[string]string{
		"bin": "usr/bin", "sbin": "usr/sbin", "lib": "usr/lib", "lib64": "usr/lib64",
		"var/run": "/run", "var/lock": "/run/lock",
		"etc/mtab": "/proc/mounts", "etc/resolv.conf": "/run/resolv.conf", "etc/machine-id": "/run/machine-id",
	} {
		if err := os.Symlink(to, t.path(name)); err != nil {
			return t, err
		}
	}
	return t, nil
}

// unpackAll unpacks packages side by side, the kernel first since it is the longest.
func (t tree) unpackAll(ctx context.Context, dir string, pkgs []Package, workers int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	order := append([]Package(nil), pkgs...)
	size := func(p Package) int64 {
		if fi, err := os.Stat(filepath.Join(dir, p.file)); err == nil {
			return fi.Size()
		}
		return 0
	}
	sort.Slice(order, func(i, j int) bool { return size(order[i]) > size(order[j]) })
	queue := make(chan Package)
	errs := make(chan error, workers)
	var wg sync.WaitGroup
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for p := range queue {
				if err := t.unpack(ctx, filepath.Join(dir, p.file), p.Name); err != nil {
					errs <- err
					cancel()
					return
				}
			}
		}()
	}
feed:
	for _, p := range order {
		select {
		case queue <- p:
		case <-ctx.Done():
			break feed
		}
	}
	close(queue)
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return ctx.Err()
	}
}

// unpack writes the selected files of one package. Nothing in it is run.
func (t tree) unpack(ctx context.Context, deb, pkg string) error {
	c := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", deb)
	c.WaitDelay = helperLimit
	var complaints bytes.Buffer
	c.Stderr = &complaints
	out, err := c.StdoutPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { out.Close() })
	err = t.untar(out, pkg)
	stop()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		c.Process.Kill()
		out.Close() // its own helper, which the signal does not reach, may hang in a write
	} else {
		io.Copy(io.Discard, out)
	}
	if werr := c.Wait(); err == nil && werr != nil {
		err = fmt.Errorf("%w: %s", werr, strings.TrimSpace(complaints.String()))
	}
	if err != nil {
		return fmt.Errorf("unpack %s: %w", filepath.Base(deb), err)
	}
	return nil
}

func (t tree) untar(r io.Reader, pkg string) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := movedToUsr(strings.TrimPrefix(path.Clean("/"+h.Name), "/"))
		if name == "" || !selectFile(pkg, name) {
			continue
		}
		dst := t.path(name)
		mode := fs.FileMode(h.Mode).Perm()
		if h.Typeflag == tar.TypeDir {
			if err := os.MkdirAll(dst, 0o755); err != nil {
				return err
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(dst), 0o755); err != nil {
			return err
		}
		switch h.Typeflag {
		case tar.TypeReg:
			// Everybody may read everything: the image is made without root.
			f, err := os.OpenFile(dst, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode|0o644)
			if err != nil {
				return err
			}
			if _, err := io.Copy(f, tr); err != nil {
				f.Close()
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
		case tar.TypeSymlink:
			if err := os.Symlink(h.Linkname, dst); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		case tar.TypeLink:
			to := movedToUsr(strings.TrimPrefix(path.Clean("/"+h.Linkname), "/"))
			if err := os.Link(t.path(to), dst); err != nil && !errors.Is(err, fs.ErrExist) && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
}

// command runs a program of the tree on the host, through the tree's own loader
// and libraries, so that no version of the host's matters.
func (t tree) command(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	if t.onHost {
		return hostCommand(ctx, name, args...)
	}
	for _, d := range []string{"usr/sbin", "usr/bin"} {
		p, err := filepath.EvalSymlinks(t.path(filepath.Join(d, name)))
		if err != nil {
			continue
		}
		loader := t.path("usr/lib64/ld-linux-x86-64.so.2")
		if real, err := t.resolve("usr/lib64/ld-linux-x86-64.so.2"); err == nil {
			loader = real
		}
		if !isDynamic(p) {
			return exec.CommandContext(ctx, p, args...), nil
		}
		libs := t.path("usr/lib/x86_64-linux-gnu") + ":" + t.path("usr/lib")
		return exec.CommandContext(ctx, loader, append([]string{"--library-path", libs, "--argv0", name, p}, args...)...), nil
	}
	return nil, fmt.Errorf("%s: %w among the packages", name, exec.ErrNotFound)
}

// resolve follows symbolic links the way they will be followed with the tree as root.
func (t tree) resolve(name string) (string, error) {
	p := path.Clean("/" + name)
	for range 40 {
		full := t.dir // as long as no link is met
		rest := strings.Split(strings.TrimPrefix(p, "/"), "/")
		followed := false
		for i, c := range rest {
			full = filepath.Join(full, c)
			to, err := os.Readlink(full)
			if err != nil {
				if _, err := os.Lstat(full); err != nil {
					return "", err
				}
				continue
			}
			if !strings.HasPrefix(to, "/") {
				to = path.Join("/"+path.Join(rest[:i]...), to)
			}
			p = path.Join(append([]string{to}, rest[i+1:]...)...)
			followed = true
			break
		}
		if !followed {
			return full, nil
		}
	}
	return "", fmt.Errorf("%s: too many symbolic links", name)
}

// finish does what the packages' scripts would have done, as far as the tools need it.
func (t tree) finish(ctx context.Context) error {
	link := func(name string, to ...string) error {
		if _, err := os.Lstat(t.path(name)); err == nil {
			return nil
		}
		for _, target := range to {
			if _, err := t.resolve(path.Join(path.Dir(name), target)); err == nil {
				return os.Symlink(target, t.path(name))
			}
		}
		return nil
	}
	for _, l := range [][]string{
		{"usr/bin/sh", "dash", "bash"}, {"usr/bin/awk", "mawk", "gawk"}, {"usr/bin/which", "which.debianutils"},
		{"usr/bin/lzma", "xz"}, {"usr/bin/unlzma", "xz"}, {"usr/bin/lzcat", "xz"}, {"usr/bin/nawk", "mawk", "gawk"},
		{"usr/bin/uncompress", "uncompress.real"}, {"usr/bin/mkisofs", "genisoimage"}, {"usr/bin/db_dump", "db5.3_dump"}, {"usr/bin/db_load", "db5.3_load"},
		{"usr/sbin/mkfs.ntfs", "mkntfs"}, {"usr/sbin/grub-install", "grub2-install"},
		{"usr/bin/strings", "x86_64-linux-gnu-strings"},
		{"usr/lib64/ld-linux-x86-64.so.2", "../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"},
	} {
		if err := link(l[0], l[1:]...); err != nil {
			return err
		}
	}
	// Names of users are the guest's affair: here only root has one, so that nothing
	// shows a user of the appliance for a number found on a disk.
	for name, text := range map[string]string{
		"etc/passwd":        "root:x:0:0:root:/root:/bin/bash\n",
		"etc/group":         "root:x:0:\ntty:x:5:\ndisk:x:6:\n",
		"etc/shadow":        "root:*:::::::\n",
		"etc/nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nprotocols: files\nservices: files\n",
		"etc/hosts":         "127.0.0.1 localhost guestfs\n",
		"etc/hostname":      "guestfs\n",
		"etc/fstab":         "",
		"etc/shells":        "/bin/sh\n/bin/bash\n",
	} {
		if err := os.WriteFile(t.path(name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if err := t.certificates(); err != nil {
		return err
	}
	if err := t.dropBroken(); err != nil {
		return err
	}
	// On Ubuntu ldconfig is a script around the program.
	ldconfig, err := t.command(ctx, "ldconfig.real", "-r", t.dir, "-X")
	if errors.Is(err, exec.ErrNotFound) {
		ldconfig, err = t.command(ctx, "ldconfig", "-r", t.dir, "-X")
	}
	if t.onHost && errors.Is(err, exec.ErrNotFound) {
		return nil // musl has none and needs none
	}
	if err != nil {
		return err
	}
	if out, err := ldconfig.CombinedOutput(); err != nil {
		return fmt.Errorf("ldconfig: %w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

// certificates writes the bundle that TLS libraries look for.
func (t tree) certificates() error {
	files, _ := filepath.Glob(t.path("usr/share/ca-certificates/*/*.crt"))
	if len(files) == 0 {
		return nil
	}
	var all bytes.Buffer
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		all.Write(bytes.TrimSpace(b))
		all.WriteByte('\n')
	}
	if err := os.WriteFile(t.path("etc/ssl/certs/ca-certificates.crt"), all.Bytes(), 0o644); err != nil {
		return err
	}
	return os.RemoveAll(t.path("usr/share/ca-certificates"))
}

// modules prunes the kernel's modules to those an appliance needs and indexes them.
func (t tree) modules(ctx context.Context, version string) (*moduleTree, error) {
	dir := t.path("usr/lib/modules/" + version)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return &moduleTree{dir: dir}, nil // a kernel with everything built in
	}
	depmod := func() error {
		c, err := t.command(ctx, "depmod", "-b", t.dir, version)
		if t.onHost && errors.Is(err, exec.ErrNotFound) {
			return nil // the host's own lists were copied
		}
		if err != nil {
			return err
		}
		if out, err := c.CombinedOutput(); err != nil {
			return fmt.Errorf("depmod: %w: %s", err, bytes.TrimSpace(out))
		}
		return nil
	}
	if err := depmod(); err != nil {
		return nil, err
	}
	m, err := readModules(dir)
	if err != nil {
		return nil, err
	}
	keep := m.kept()
	for file := range m.deps {
		if !keep[file] {
			if err := os.Remove(filepath.Join(dir, file)); err != nil {
				return nil, err
			}
		}
	}
	for _, l := range []string{"build", "source"} {
		os.Remove(filepath.Join(dir, l))
	}
	removeEmptyDirs(dir)
	if err := depmod(); err != nil {
		return nil, err
	}
	return readModules(dir)
}

func removeEmptyDirs(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			removeEmptyDirs(filepath.Join(dir, e.Name()))
		}
	}
	os.Remove(dir) // fails unless empty
}
