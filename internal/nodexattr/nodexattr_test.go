package nodexattr

import (
	"bytes"
	"syscall"
	"testing"
)

func TestList(t *testing.T) {
	l := Append(Append(None(), "user.a", []byte("1\x002")), "security.selinux", nil)
	if names, ok := Names(l); !ok || string(names) != "user.a\x00security.selinux\x00" {
		t.Errorf("names are %q, %v", names, ok)
	}
	for _, c := range []struct {
		list  []byte
		name  string
		value string
		err   error
		ok    bool
	}{
		{l, "user.a", "1\x002", nil, true},
		{l, "security.selinux", "", nil, true},
		{l, "user.b", "", syscall.ENODATA, true},
		{l, "system.ntfs_acl", "", nil, false},
		{None(), "system.posix_acl_access", "", syscall.ENODATA, true},
		{Unsupported(), "user.a", "", syscall.EOPNOTSUPP, true},
		{nil, "user.a", "", nil, false},
	} {
		v, err, ok := Get(c.list, c.name)
		if string(v) != c.value || err != c.err || ok != c.ok {
			t.Errorf("%q in %q: %q, %v, %v", c.name, c.list, v, err, ok)
		}
	}
	if _, ok := Names(nil); ok {
		t.Error("an empty list says that there are no names")
	}
}

// The list comes from a guest.
func FuzzList(f *testing.F) {
	f.Add(Append(None(), "user.a", []byte("b")), "user.a")
	f.Add([]byte{1, 'u', 's', 'e', 'r', '.', 0, 255, 255, 255, 255, 1}, "user.")
	f.Fuzz(func(t *testing.T, list []byte, name string) {
		v, _, _ := Get(list, name)
		names, _ := Names(list)
		if len(v) > len(list) || bytes.Count(names, []byte{0}) > len(list) {
			t.Errorf("%q: %q, %q", list, v, names)
		}
	})
}
