package fstest

import (
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Tags of linux/posix_acl.h.
const (
	aclUserObj  = 0x01
	aclUser     = 0x02
	aclGroupObj = 0x04
	aclGroup    = 0x08
	aclMask     = 0x10
	aclOther    = 0x20
)

type aclEntry struct {
	tag, perm uint16
	id        uint32
}

const noID = ^uint32(0)

// acl is the value of the xattr: linux/posix_acl_xattr.h.
func acl(entries ...aclEntry) []byte {
	v := binary.LittleEndian.AppendUint32(nil, 2)
	for _, e := range entries {
		v = binary.LittleEndian.AppendUint16(v, e.tag)
		v = binary.LittleEndian.AppendUint16(v, e.perm)
		v = binary.LittleEndian.AppendUint32(v, e.id)
	}
	return v
}

// aclText is the ACL of a file as getfacl would have it in short.
func (b *box) aclText(name, attr string) string {
	b.Helper()
	buf := make([]byte, 1000)
	n, err := unix.Getxattr(b.p(name), attr, buf)
	if err == unix.ENODATA {
		return ""
	}
	b.ok("getxattr "+attr, err)
	var words []string
	for v := buf[4:n]; len(v) >= 8; v = v[8:] {
		tag := map[uint16]string{aclUserObj: "u", aclUser: "u", aclGroupObj: "g", aclGroup: "g", aclMask: "m", aclOther: "o"}[binary.LittleEndian.Uint16(v)]
		id := ""
		if i := binary.LittleEndian.Uint32(v[4:]); i != noID {
			id = fmt.Sprint(i)
		}
		words = append(words, fmt.Sprintf("%s:%s:%o", tag, id, binary.LittleEndian.Uint16(v[2:])))
	}
	return strings.Join(words, ",")
}

const (
	accessACL  = "system.posix_acl_access"
	defaultACL = "system.posix_acl_default"
)

func (b *box) setACL(name, attr string, entries ...aclEntry) {
	b.Helper()
	b.ok("setxattr "+attr, unix.Setxattr(b.p(name), attr, acl(entries...), 0))
}

var aclCases = []oneCase{
	{"acl/a named user may what others may not", ACLs | Owners, func(b *box) {
		b.owned("f", 0, 0, 0o600)
		b.setACL("f", accessACL, aclEntry{aclUserObj, 6, noID}, aclEntry{aclUser, 4, alice}, aclEntry{aclGroupObj, 0, noID},
			aclEntry{aclMask, 4, noID}, aclEntry{aclOther, 0, noID})
		same(b, "acl", b.aclText("f", accessACL), "u::6,u:1001:4,g::0,m::4,o::0")
		same(b, "mode", b.mode("f"), "640") // the group's bits are the mask
		b.as(alice, alice, func() {
			same(b, "content", b.content("f"), "content")
			b.cannotOpen("f", wr, denied)
		})
		b.as(bob, bob, func() { b.cannotOpen("f", rd, denied) })
	}},
	{"acl/a named group", ACLs | Owners, func(b *box) {
		b.owned("f", 0, 0, 0o600)
		b.setACL("f", accessACL, aclEntry{aclUserObj, 6, noID}, aclEntry{aclGroupObj, 0, noID}, aclEntry{aclGroup, 6, staff},
			aclEntry{aclMask, 6, noID}, aclEntry{aclOther, 0, noID})
		b.as(alice, alice, func() { b.pwrite(b.open("f", rw, 0), "C", 0) }, staff)
		b.as(alice, alice, func() { b.cannotOpen("f", rd, denied) })
	}},
	{"acl/chmod changes the mask", ACLs | Owners, func(b *box) {
		b.owned("f", 0, 0, 0o600)
		b.setACL("f", accessACL, aclEntry{aclUserObj, 6, noID}, aclEntry{aclUser, 6, alice}, aclEntry{aclGroupObj, 4, noID},
			aclEntry{aclMask, 6, noID}, aclEntry{aclOther, 0, noID})
		b.as(alice, alice, func() { b.open("f", rw, 0) })
		b.chmod("f", 0o640)
		same(b, "acl", b.aclText("f", accessACL), "u::6,u:1001:6,g::4,m::4,o::0")
		b.as(alice, alice, func() {
			b.cannotOpen("f", wr, denied)
			b.open("f", rd, 0)
		})
	}},
	{"acl/setting one changes the mode", ACLs, func(b *box) {
		b.file("f", "")
		b.chmod("f", 0o600)
		b.setACL("f", accessACL, aclEntry{aclUserObj, 7, noID}, aclEntry{aclGroupObj, 5, noID}, aclEntry{aclOther, 1, noID})
		same(b, "mode", b.mode("f"), "751")
		same(b, "acl", b.aclText("f", accessACL), "") // it says no more than the mode
	}},
	{"acl/removed", ACLs | Owners, func(b *box) {
		b.owned("f", 0, 0, 0o600)
		b.setACL("f", accessACL, aclEntry{aclUserObj, 6, noID}, aclEntry{aclUser, 6, alice}, aclEntry{aclGroupObj, 0, noID},
			aclEntry{aclMask, 6, noID}, aclEntry{aclOther, 0, noID})
		b.as(alice, alice, func() { b.open("f", rw, 0) })
		b.ok("removexattr", unix.Removexattr(b.p("f"), accessACL))
		b.chmod("f", 0o600)
		b.as(alice, alice, func() { b.cannotOpen("f", rd, denied) })
	}},
	{"acl/default ones are inherited by files, in place of the umask", ACLs, func(b *box) {
		b.mkdir("d")
		b.setACL("d", defaultACL, aclEntry{aclUserObj, 7, noID}, aclEntry{aclUser, 6, alice}, aclEntry{aclGroupObj, 5, noID},
			aclEntry{aclMask, 7, noID}, aclEntry{aclOther, 0, noID})
		unix.Umask(0o077)
		b.open("d/f", wr|mk, 0o664)
		same(b, "acl", b.aclText("d/f", accessACL), "u::6,u:1001:6,g::5,m::6,o::0")
		same(b, "mode", b.mode("d/f"), "660")
	}},
	{"acl/default ones are inherited by folders", ACLs, func(b *box) {
		b.mkdir("d")
		b.setACL("d", defaultACL, aclEntry{aclUserObj, 7, noID}, aclEntry{aclUser, 6, alice}, aclEntry{aclGroupObj, 5, noID},
			aclEntry{aclMask, 7, noID}, aclEntry{aclOther, 0, noID})
		unix.Umask(0o022)
		b.ok("mkdir", unix.Mkdir(b.p("d/e"), 0o755))
		same(b, "default", b.aclText("d/e", defaultACL), "u::7,u:1001:6,g::5,m::7,o::0")
		same(b, "acl", b.aclText("d/e", accessACL), "u::7,u:1001:6,g::5,m::5,o::0")
		b.open("d/e/f", wr|mk, 0o600)
		same(b, "acl", b.aclText("d/e/f", accessACL), "u::6,u:1001:6,g::5,m::0,o::0")
	}},
	{"acl/default ones of the mode only replace the umask", ACLs, func(b *box) {
		b.mkdir("d")
		b.setACL("d", defaultACL, aclEntry{aclUserObj, 7, noID}, aclEntry{aclGroupObj, 7, noID}, aclEntry{aclOther, 5, noID})
		unix.Umask(0o077)
		b.open("d/f", wr|mk, 0o666)
		same(b, "mode", b.mode("d/f"), "664")
		b.ok("mkfifo", unix.Mkfifo(b.p("d/p"), 0o666))
		same(b, "mode", b.mode("d/p"), "664")
	}},
	{"acl/default ones of a file are refused, and wrong ones", ACLs, func(b *box) {
		b.file("f", "")
		b.fails("default", unix.Setxattr(b.p("f"), defaultACL, acl(aclEntry{aclUserObj, 7, noID}, aclEntry{aclGroupObj, 7, noID}, aclEntry{aclOther, 5, noID}), 0),
			unix.EACCES)
		b.fails("no mask", unix.Setxattr(b.p("f"), accessACL, acl(aclEntry{aclUserObj, 7, noID}, aclEntry{aclUser, 7, alice}, aclEntry{aclGroupObj, 7, noID}, aclEntry{aclOther, 5, noID}), 0),
			unix.EINVAL)
		b.fails("no ACL", unix.Setxattr(b.p("f"), accessACL, []byte("nonsense"), 0), unix.EINVAL, unix.EOPNOTSUPP)
	}},
	{"acl/only the owner sets them", ACLs | Owners, func(b *box) {
		b.owned("f", alice, alice, 0o666)
		b.as(bob, bob, func() {
			b.fails("setxattr", unix.Setxattr(b.p("f"), accessACL, acl(aclEntry{aclUserObj, 7, noID}, aclEntry{aclGroupObj, 7, noID}, aclEntry{aclOther, 5, noID}), 0),
				unix.EPERM)
		})
	}},
}
