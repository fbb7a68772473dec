package fstest

import (
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

func (b *box) setxattr(name, attr, value string) {
	b.Helper()
	b.ok("setxattr "+attr, unix.Setxattr(b.p(name), attr, []byte(value), 0))
}

func (b *box) getxattr(name, attr string) string {
	b.Helper()
	buf := make([]byte, 70_000)
	n, err := unix.Getxattr(b.p(name), attr, buf)
	b.ok("getxattr "+attr, err)
	return string(buf[:n])
}

// xattrs lists those of users.
func (b *box) xattrs(name string) string {
	b.Helper()
	buf := make([]byte, 65536)
	n, err := unix.Listxattr(b.p(name), buf)
	b.ok("listxattr", err)
	var list []string
	for _, attr := range strings.Split(string(buf[:n]), "\x00") {
		if strings.HasPrefix(attr, "user.") {
			list = append(list, attr)
		}
	}
	sort.Strings(list)
	return strings.Join(list, " ")
}

var xattrCases = []oneCase{
	{"xattr/set, get, list, remove", Xattrs, func(b *box) {
		b.file("f", "")
		same(b, "list", b.xattrs("f"), "")
		b.setxattr("f", "user.a", "one")
		b.setxattr("f", "user.b", "two")
		same(b, "list", b.xattrs("f"), "user.a user.b")
		same(b, "a", b.getxattr("f", "user.a"), "one")
		b.setxattr("f", "user.a", "another, longer")
		same(b, "a", b.getxattr("f", "user.a"), "another, longer")
		b.ok("removexattr", unix.Removexattr(b.p("f"), "user.a"))
		same(b, "list", b.xattrs("f"), "user.b")
		b.fails("removexattr", unix.Removexattr(b.p("f"), "user.a"), unix.ENODATA)
	}},
	{"xattr/missing is ENODATA", Xattrs, func(b *box) {
		b.file("f", "")
		_, err := unix.Getxattr(b.p("f"), "user.no", make([]byte, 10))
		b.fails("getxattr", err, unix.ENODATA)
		_, err = unix.Getxattr(b.p("g"), "user.no", make([]byte, 10))
		b.fails("getxattr", err, unix.ENOENT)
	}},
	{"xattr/XATTR_CREATE refuses what exists", Xattrs, func(b *box) {
		b.file("f", "")
		b.ok("create", unix.Setxattr(b.p("f"), "user.a", []byte("one"), unix.XATTR_CREATE))
		b.fails("create again", unix.Setxattr(b.p("f"), "user.a", []byte("two"), unix.XATTR_CREATE), unix.EEXIST)
		same(b, "a", b.getxattr("f", "user.a"), "one")
	}},
	{"xattr/XATTR_REPLACE refuses what does not", Xattrs, func(b *box) {
		b.file("f", "")
		b.fails("replace", unix.Setxattr(b.p("f"), "user.a", []byte("one"), unix.XATTR_REPLACE), unix.ENODATA)
		same(b, "list", b.xattrs("f"), "")
		b.setxattr("f", "user.a", "one")
		b.ok("replace", unix.Setxattr(b.p("f"), "user.a", []byte("two"), unix.XATTR_REPLACE))
		same(b, "a", b.getxattr("f", "user.a"), "two")
	}},
	{"xattr/sizes are told, and small buffers are ERANGE", Xattrs, func(b *box) {
		b.file("f", "")
		b.setxattr("f", "user.a", "0123456789")
		n, err := unix.Getxattr(b.p("f"), "user.a", nil)
		b.ok("getxattr", err)
		same(b, "size", n, 10)
		_, err = unix.Getxattr(b.p("f"), "user.a", make([]byte, 9))
		b.fails("getxattr", err, unix.ERANGE)
		n, err = unix.Listxattr(b.p("f"), nil)
		b.ok("listxattr", err)
		if n < 7 {
			b.Fatalf("the list has %d bytes", n)
		}
		_, err = unix.Listxattr(b.p("f"), make([]byte, 3))
		b.fails("listxattr", err, unix.ERANGE)
	}},
	{"xattr/empty and binary values", Xattrs, func(b *box) {
		b.file("f", "")
		b.setxattr("f", "user.empty", "")
		same(b, "empty", b.getxattr("f", "user.empty"), "")
		same(b, "list", b.xattrs("f"), "user.empty")
		b.setxattr("f", "user.bin", "\x00\xff\n\x00")
		same(b, "binary", b.getxattr("f", "user.bin"), "\x00\xff\n\x00")
	}},
	{"xattr/names of 255 bytes, and longer", Xattrs, func(b *box) {
		b.file("f", "")
		long := "user." + strings.Repeat("n", 250)
		b.setxattr("f", long, "x")
		same(b, "value", b.getxattr("f", long), "x")
		b.fails("256", unix.Setxattr(b.p("f"), long+"n", []byte("x"), 0), unix.ERANGE)
	}},
	{"xattr/of no namespace", Xattrs, func(b *box) {
		b.file("f", "")
		b.fails("setxattr", unix.Setxattr(b.p("f"), "nonsense", []byte("x"), 0), unix.EOPNOTSUPP)
		b.fails("setxattr", unix.Setxattr(b.p("f"), "other.a", []byte("x"), 0), unix.EOPNOTSUPP)
		b.fails("setxattr", unix.Setxattr(b.p("f"), "user.", []byte("x"), 0), unix.EINVAL, unix.EOPNOTSUPP)
	}},
	{"xattr/of folders", Xattrs, func(b *box) {
		b.mkdir("d")
		b.setxattr("d", "user.a", "x")
		same(b, "value", b.getxattr("d", "user.a"), "x")
	}},
	{"xattr/of links, FIFOs and devices: no user's", Xattrs | Symlinks | Special, func(b *box) {
		b.symlink("nowhere", "l")
		b.fails("of a link", unix.Lsetxattr(b.p("l"), "user.a", []byte("x"), 0), unix.EPERM)
		b.ok("mkfifo", unix.Mkfifo(b.p("p"), 0o644))
		b.fails("of a FIFO", unix.Setxattr(b.p("p"), "user.a", []byte("x"), 0), unix.EPERM)
	}},
	{"xattr/trusted, also of links", Xattrs | Owners | Symlinks, func(b *box) {
		b.file("f", "")
		b.setxattr("f", "trusted.a", "x")
		same(b, "value", b.getxattr("f", "trusted.a"), "x")
		b.symlink("nowhere", "l")
		b.ok("lsetxattr", unix.Lsetxattr(b.p("l"), "trusted.a", []byte("y"), 0))
		buf := make([]byte, 10)
		n, err := unix.Lgetxattr(b.p("l"), "trusted.a", buf)
		b.ok("lgetxattr", err)
		same(b, "value", string(buf[:n]), "y")
	}},
	{"xattr/security.capability goes with a write", Xattrs | Owners, func(b *box) {
		b.file("f", "x")
		value := "\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" // cap_net_raw+ep
		b.setxattr("f", "security.capability", value)
		same(b, "value", b.getxattr("f", "security.capability"), value)
		b.pwrite(b.open("f", wr, 0), "y", 0)
		_, err := unix.Getxattr(b.p("f"), "security.capability", make([]byte, 100))
		b.fails("getxattr", err, unix.ENODATA)
	}},
	{"xattr/through descriptors and other links", Xattrs | HardLinks, func(b *box) {
		fd := b.open("f", rw|mk, 0o644)
		b.link("f", "g")
		b.ok("fsetxattr", unix.Fsetxattr(fd, "user.a", []byte("x"), 0))
		same(b, "value", b.getxattr("g", "user.a"), "x")
		same(b, "list", b.xattrs("g"), "user.a")
		b.ok("removexattr", unix.Removexattr(b.p("g"), "user.a"))
		_, err := unix.Fgetxattr(fd, "user.a", make([]byte, 10))
		b.fails("fgetxattr", err, unix.ENODATA)
	}},
	{"xattr/many", Xattrs, func(b *box) {
		b.file("f", "")
		n := 0
		for i := range 100 {
			err := unix.Setxattr(b.p("f"), "user."+letters(i), []byte(letters(i)), 0)
			if err == unix.ENOSPC {
				break
			}
			b.ok("setxattr", err)
			n++
		}
		if n < 50 {
			b.Fatalf("only %d fit", n)
		}
		same(b, "listed", len(strings.Fields(b.xattrs("f"))), n)
		for i := range n {
			same(b, "value", b.getxattr("f", "user."+letters(i)), letters(i))
		}
	}},
	{"xattr/64 KB", LargeXattrs | Xattrs, func(b *box) {
		b.file("f", "")
		large := strings.Repeat("0123456789abcdef", 4096)
		b.setxattr("f", "user.large", large)
		same(b, "value", b.getxattr("f", "user.large"), large)
	}},
	{"xattr/more than 64 KB is E2BIG, and what does not fit ENOSPC", Xattrs, func(b *box) {
		b.file("f", "")
		b.setxattr("f", "user.a", "small")
		b.fails("too much", unix.Setxattr(b.p("f"), "user.a", make([]byte, 65537), 0), unix.E2BIG)
		err := unix.Setxattr(b.p("f"), "user.a", make([]byte, 65536), 0)
		if err == nil {
			return // it fits
		}
		b.fails("no room", err, unix.ENOSPC, unix.E2BIG)
		same(b, "value", b.getxattr("f", "user.a"), "small")
	}},
	{"xattr/renamed along", Xattrs, func(b *box) {
		b.file("f", "")
		b.setxattr("f", "user.a", "x")
		b.rename("f", "g")
		same(b, "value", b.getxattr("g", "user.a"), "x")
		b.file("f", "")
		same(b, "of the next file of that name", b.xattrs("f"), "")
		b.rename("f", "g")
		same(b, "of the one that replaced it", b.xattrs("g"), "")
	}},
}
