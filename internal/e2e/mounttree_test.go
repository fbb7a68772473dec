package e2e

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/calls"
	"gofish/internal/fstest"
	"gofish/internal/handle"
)

// tree is what is known of each name in a tree of files, as text.
type tree map[string]string

// about is the text. Files with several names are known by the first one.
func about(kind fileSystem, name string, st unix.Stat_t, target, sum, xattrs string, first map[uint64]string) string {
	if kind.can&fstest.Nanoseconds == 0 { // vfat keeps two seconds, and the host's cache more than that
		st.Mtim = unix.Timespec{Sec: st.Mtim.Sec &^ 1}
	}
	text := fmt.Sprintf("%o %d:%d", st.Mode, st.Uid, st.Gid)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFREG:
		text += fmt.Sprintf(" %d %s", st.Size, sum)
	case unix.S_IFLNK:
		text += " -> " + target
	case unix.S_IFCHR, unix.S_IFBLK:
		text += fmt.Sprintf(" %d:%d", unix.Major(st.Rdev), unix.Minor(st.Rdev))
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		text += fmt.Sprintf(" links %d", st.Nlink)
		if st.Nlink > 1 {
			if first[st.Ino] == "" {
				first[st.Ino] = name
			}
			text += " as " + first[st.Ino]
		}
	}
	return text + fmt.Sprintf(" %d.%09d%s", st.Mtim.Sec, st.Mtim.Nsec, xattrs)
}

// manifest looks at a tree as programs of the host see it.
func manifest(t *testing.T, dir string, kind fileSystem) tree {
	t.Helper()
	found, first := tree{}, map[uint64]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := "/" + strings.TrimPrefix(strings.TrimPrefix(path, dir), "/")
		var st unix.Stat_t
		if err := unix.Lstat(path, &st); err != nil {
			return fmt.Errorf("lstat %s: %w", path, err)
		}
		var target, sum, xattrs string
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFLNK:
			target, err = os.Readlink(path)
		case unix.S_IFREG:
			var content []byte
			content, err = os.ReadFile(path)
			sum = fmt.Sprintf("%x", sha256.Sum256(content))
		}
		if err != nil {
			return err
		}
		buf := make([]byte, 64<<10)
		if n, err := unix.Llistxattr(path, buf); err == nil {
			var list []string
			for _, attr := range strings.Split(strings.TrimSuffix(string(buf[:n]), "\x00"), "\x00") {
				value := make([]byte, 64<<10)
				if n, err := unix.Lgetxattr(path, attr, value); err == nil && ofFile(attr) {
					list = append(list, fmt.Sprintf(" %s=%q", attr, value[:n]))
				}
			}
			sort.Strings(list)
			xattrs = strings.Join(list, "")
		}
		found[name] = about(kind, name, st, target, sum, xattrs, first)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// ofFile leaves out what drivers make up: ntfs's and btrfs's own.
func ofFile(xattr string) bool {
	return strings.HasPrefix(xattr, "user.") || strings.HasPrefix(xattr, "trusted.") || strings.HasPrefix(xattr, "security.capability") ||
		strings.HasPrefix(xattr, "system.posix_acl_")
}

// guestManifest asks the guest about the same names, through a handle.
func guestManifest(t *testing.T, g *guestMount, names tree) tree {
	t.Helper()
	h, err := handle.New(os.LookupEnv)
	if err != nil {
		t.Fatal(err)
	}
	h.Settings.Init = gofishBin
	defer h.Close()
	ctx, c := context.Background(), calls.Client{Caller: h}
	must := func(err error) {
		if t.Helper(); err != nil {
			t.Fatal(err)
		}
	}
	readonly, raw := true, "raw"
	must(c.AddDrive(ctx, g.image, types.AddDriveOptions{ReadOnly: &readonly, Format: &raw}))
	must(c.Launch(ctx))
	options := strings.Trim("ro,"+g.kind.options, ",")
	must(c.MountOptions(ctx, options, "/dev/sda1", "/"))
	must(c.MountRO(ctx, "/dev/sda2", "/small"))
	must(c.MountRO(ctx, "/dev/sda3", "/readonly"))
	sorted := make([]string, 0, len(names))
	for name := range names {
		sorted = append(sorted, name)
	}
	sort.Strings(sorted)
	found, first := tree{}, map[uint64]string{}
	for _, name := range sorted {
		s, err := c.LstatNS(ctx, name)
		if err != nil {
			found[name] = err.Error()
			continue
		}
		st := unix.Stat_t{Mode: uint32(s.Mode), Uid: uint32(s.UID), Gid: uint32(s.GID), Size: s.Size, Nlink: uint64(s.Nlink), Ino: uint64(s.Ino),
			Rdev: uint64(s.Rdev), Mtim: unix.Timespec{Sec: s.MtimeSec, Nsec: s.MtimeNsec}}
		var target, sum, xattrs string
		switch st.Mode & unix.S_IFMT {
		case unix.S_IFLNK:
			target, err = c.Readlink(ctx, name)
		case unix.S_IFREG:
			sum, err = c.Checksum(ctx, "sha256", name)
		}
		must(err)
		if list, err := c.Lgetxattrs(ctx, name); err == nil {
			var all []string
			for _, x := range list {
				if ofFile(x.Attrname) {
					all = append(all, fmt.Sprintf(" %s=%q", x.Attrname, x.Attrval))
				}
			}
			sort.Strings(all)
			xattrs = strings.Join(all, "")
		}
		found[name] = about(g.kind, name, st, target, sum, xattrs, first)
	}
	list, err := c.Find(ctx, "/")
	must(err)
	for _, name := range list {
		if _, known := names["/"+name]; !known {
			found["/"+name] = "not seen by the host"
		}
	}
	return found
}

// sameTree wants two trees to be equal.
func sameTree(t *testing.T, got, want tree) {
	t.Helper()
	wrong := 0
	complain := func(format string, args ...any) {
		t.Helper()
		if wrong++; wrong <= 10 {
			t.Errorf(format, args...)
		}
	}
	for name, w := range want {
		if g, there := got[name]; !there {
			complain("%q is missing", name)
		} else if g != w {
			complain("%q is\n%s, and should be\n%s", name, g, w)
		}
	}
	for name, g := range got {
		if _, there := want[name]; !there {
			complain("%q should not be there: %s", name, g)
		}
	}
	if wrong > 10 {
		t.Errorf("%d names differ", wrong)
	}
}

// makeTree makes a small tree of everything that a file system can have.
func makeTree(t *testing.T, dir string, can fstest.Can) {
	t.Helper()
	must := func(err error) {
		if t.Helper(); err != nil {
			t.Fatal(err)
		}
	}
	at := func(i int) time.Time { return time.Unix(1_000_000_000+2*int64(i), 0) }
	must(os.Mkdir(dir, 0o755))
	for d := range 5 {
		sub := fmt.Sprintf("%s/folder%d", dir, d)
		must(os.MkdirAll(sub+"/deeper/still", 0o750))
		for i := range 12 {
			path := fmt.Sprintf("%s/file%d", sub, i)
			must(os.WriteFile(path, []byte(strings.Repeat(fmt.Sprintf("%d in %d\n", i, d), i*i*20)), 0o640))
			must(os.Chtimes(path, at(i), at(i)))
		}
	}
	must(os.WriteFile(dir+"/größe 日本", []byte("name"), 0o644))
	if can&fstest.AnyName != 0 {
		must(os.WriteFile(dir+"/\xff\n bytes \\", []byte("name"), 0o644))
	}
	if can&fstest.Symlinks != 0 {
		must(os.Symlink("folder0/file1", dir+"/link"))
		must(os.Symlink(strings.Repeat("long/", 100), dir+"/dangling"))
	}
	if can&fstest.HardLinks != 0 {
		for i := range 3 {
			must(os.Link(dir+"/folder1/file5", fmt.Sprintf("%s/folder2/hard%d", dir, i)))
		}
	}
	if can&fstest.Special != 0 {
		must(unix.Mkfifo(dir+"/fifo", 0o600))
		must(unix.Mknod(dir+"/null", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 3))))
		must(unix.Mknod(dir+"/disk", unix.S_IFBLK|0o660, int(unix.Mkdev(259, 70_000))))
	}
	if can&fstest.Xattrs != 0 {
		must(unix.Setxattr(dir+"/folder0/file2", "user.colour", []byte("blue\x00\xff"), 0))
		must(unix.Setxattr(dir+"/folder0", "trusted.note", []byte("x"), 0))
	}
	if can&fstest.Owners != 0 {
		must(os.Chown(dir+"/folder0/file3", 1001, 70_000))
		must(os.Chmod(dir+"/folder0/file3", 0o755|os.ModeSetuid))
		must(os.Chown(dir+"/folder4", 1002, 1003))
	}
	if can&fstest.Nanoseconds != 0 {
		for name, ts := range map[string]unix.Timespec{"folder3/file3": {Sec: -1_000_000, Nsec: 7}, "folder3/file4": {Sec: 4_000_000_000, Nsec: 999_999_999}} {
			must(unix.UtimesNanoAt(unix.AT_FDCWD, dir+"/"+name, []unix.Timespec{ts, ts}, 0))
		}
	}
	f, err := os.Create(dir + "/sparse")
	must(err)
	_, err = f.WriteAt([]byte("end"), 5<<20)
	must(err)
	must(f.Close())
	// Old times for what has none yet: rsync takes those of one second for equal.
	var folders []string
	must(filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			folders = append(folders, path)
		} else if info, e := d.Info(); e == nil && time.Since(info.ModTime()).Abs() < time.Hour {
			old := unix.Timespec{Sec: at(len(folders)).Unix()}
			err = unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{old, old}, unix.AT_SYMLINK_NOFOLLOW)
		}
		return err
	}))
	for i := range folders {
		path := folders[len(folders)-1-i]
		must(os.Chtimes(path, at(i), at(i)))
	}
}
