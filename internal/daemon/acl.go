package daemon

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// A POSIX access list as the kernel keeps it in an attribute
// (include/uapi/linux/posix_acl_xattr.h).
const (
	aclUserObj  = 0x01
	aclUser     = 0x02
	aclGroupObj = 0x04
	aclGroup    = 0x08
	aclMask     = 0x10
	aclOther    = 0x20

	aclVersion = 2
	aclNoID    = 0xffffffff
)

type aclEntry struct {
	Tag, Perm uint16
	ID        uint32
}

// aclAttribute is the attribute that holds a kind of list.
func aclAttribute(acltype string) (string, error) {
	switch acltype {
	case "access":
		return "system.posix_acl_access", nil
	case "default":
		return "system.posix_acl_default", nil
	}
	return "", fmt.Errorf("invalid acltype parameter: %s", acltype)
}

func (d Actions) AclGetFile(path Path, acltype string) (string, error) {
	attr, err := aclAttribute(acltype)
	if err != nil {
		return "", err
	}
	text := ""
	err = d.enter(path, func(p string) error {
		b, err := xattrsOfTarget.value(p, attr)
		switch {
		case err == syscall.ENODATA && acltype == "default":
			return nil
		case err == syscall.ENODATA: // there are only the permission bits
			var st unix.Stat_t
			if err := unix.Stat(p, &st); err != nil {
				return err
			}
			text = aclText(aclOfMode(st.Mode))
			return nil
		case err != nil:
			return err
		}
		acl, err := parseACL(b)
		text = aclText(acl)
		return err
	})
	return text, err
}

func (d Actions) AclSetFile(path Path, acltype, acl string) error {
	attr, err := aclAttribute(acltype)
	if err != nil {
		return err
	}
	entries, ok := aclFromText(acl)
	if !ok {
		return fmt.Errorf("could not parse acl string: %s: acl_from_text: %w", acl, syscall.EINVAL)
	}
	return d.enter(path, func(p string) error { return xattrsOfTarget.set(p, attr, aclValue(entries), 0) })
}

func (d Actions) AclDeleteDefFile(dir Path) error {
	return d.enter(dir, func(p string) error {
		err := unix.Removexattr(p, "system.posix_acl_default")
		if err == syscall.ENODATA {
			return nil
		}
		return err
	})
}

// aclValue encodes an access list as the value of its attribute.
func aclValue(acl []aclEntry) []byte {
	value := binary.LittleEndian.AppendUint32(nil, aclVersion)
	for _, e := range acl {
		value = binary.LittleEndian.AppendUint16(value, e.Tag)
		value = binary.LittleEndian.AppendUint16(value, e.Perm)
		value = binary.LittleEndian.AppendUint32(value, e.ID)
	}
	return value
}

func aclOfMode(mode uint32) []aclEntry {
	return []aclEntry{
		{aclUserObj, uint16(mode >> 6 & 7), aclNoID},
		{aclGroupObj, uint16(mode >> 3 & 7), aclNoID},
		{aclOther, uint16(mode & 7), aclNoID},
	}
}

func parseACL(b []byte) ([]aclEntry, error) {
	if len(b) < 4 || binary.LittleEndian.Uint32(b) != aclVersion {
		return nil, syscall.EINVAL
	}
	acl := make([]aclEntry, (len(b)-4)/8)
	err := binary.Read(bytes.NewReader(b[4:]), binary.LittleEndian, acl)
	return acl, err
}

// names of tags, as acl_to_text(3) writes them.
var aclTagName = map[uint16]string{
	aclUserObj: "user", aclUser: "user", aclGroupObj: "group", aclGroup: "group",
	aclMask: "mask", aclOther: "other",
}

func aclText(acl []aclEntry) string {
	mask := uint16(7)
	for _, e := range acl {
		if e.Tag == aclMask {
			mask = e.Perm
		}
	}
	var b strings.Builder
	for _, e := range acl {
		id := ""
		if e.Tag == aclUser || e.Tag == aclGroup {
			id = strconv.FormatUint(uint64(e.ID), 10)
		}
		line := aclTagName[e.Tag] + ":" + id + ":" + permText(e.Perm)
		limited := e.Tag == aclUser || e.Tag == aclGroup || e.Tag == aclGroupObj
		if limited && e.Perm&mask != e.Perm {
			line += "\t#effective:" + permText(e.Perm&mask)
		}
		b.WriteString(line + "\n")
	}
	return b.String()
}

func permText(p uint16) string {
	b := []byte("rwx")
	for i := range b {
		if p>>(2-i)&1 == 0 {
			b[i] = '-'
		}
	}
	return string(b)
}

// aclFromText reads the long and the short form of acl(5), with numeric users
// and groups: the appliance does not know the guest's names.
func aclFromText(s string) ([]aclEntry, bool) {
	var acl []aclEntry
	for _, item := range strings.FieldsFunc(s, func(c rune) bool { return c == ',' || c == '\n' }) {
		item, _, _ = strings.Cut(item, "#")
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		f := strings.Split(item, ":")
		if len(f) == 2 && (f[0] == "m" || f[0] == "mask" || f[0] == "o" || f[0] == "other") {
			f = []string{f[0], "", f[1]}
		}
		if len(f) != 3 {
			return nil, false
		}
		e := aclEntry{ID: aclNoID}
		name := strings.TrimSpace(f[1])
		switch strings.TrimSpace(f[0]) {
		case "u", "user":
			e.Tag = aclUserObj
		case "g", "group":
			e.Tag = aclGroupObj
		case "m", "mask":
			e.Tag = aclMask
		case "o", "other":
			e.Tag = aclOther
		default:
			return nil, false
		}
		if name != "" {
			id, err := strconv.ParseUint(name, 10, 32)
			if err != nil || e.Tag > aclGroup {
				return nil, false
			}
			e.Tag, e.ID = e.Tag<<1, uint32(id) // the named kind follows its owner's
		}
		perm := strings.TrimSpace(f[2])
		if perm == "" || len(perm) > 3 {
			return nil, false
		}
		for _, c := range perm {
			i := strings.IndexRune("xwr-", c)
			if i < 0 || e.Perm>>i&1 != 0 {
				return nil, false
			}
			e.Perm |= 1 << i & 7
		}
		acl = append(acl, e)
	}
	// The kernel wants them in this order.
	sort.SliceStable(acl, func(i, j int) bool {
		if acl[i].Tag != acl[j].Tag {
			return acl[i].Tag < acl[j].Tag
		}
		return acl[i].ID < acl[j].ID
	})
	return acl, true
}

// CapGetFile leaves the many sets of capabilities to libcap's own tool.
func (d Actions) CapGetFile(path Path) (string, error) {
	host, err := d.root.Host(path)
	if err != nil {
		return "", wrap(err, "%s", path)
	}
	out, err := (&Tool{Args: []string{"getcap", "--", host}}).Output(d.call)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	// "PATH cap_x=ep"; before libcap 2.41 "PATH = cap_x+ep".
	text := strings.TrimPrefix(strings.TrimSuffix(out, "\n"), host)
	return strings.TrimPrefix(strings.TrimPrefix(text, " "), "= "), nil
}

func (d Actions) CapSetFile(path Path, caps string) error {
	host, err := d.root.Host(path)
	if err != nil {
		return wrap(err, "%s", path)
	}
	bad := fmt.Errorf("could not parse cap string: %s: cap_from_text: %w", caps, syscall.EINVAL)
	if strings.HasPrefix(caps, "-") { // setcap would mistake it for an option
		return bad
	}
	err = d.run("setcap", caps, host)
	var failed *ToolError
	if errors.As(err, &failed) {
		if strings.Contains(failed.Text, "fatal error: Invalid argument") {
			return bad
		}
		return wrap(syscall.EINVAL, "%s", path)
	}
	return err
}
