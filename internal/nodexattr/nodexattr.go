// Package nodexattr is how a node's extended attributes travel with its other attributes: ls
// and cp ask every file for several, most files have none, and a call for each would take longer
// than all else.
package nodexattr

import (
	"encoding/binary"
	"strings"
	"syscall"
)

// The first byte. An empty list says that nothing is known.
const (
	known       = 1
	unsupported = 2 // by the file system
)

// Unsupported is the list of a file whose file system has no extended attributes.
func Unsupported() []byte { return []byte{unsupported} }

// None is the list of a file that has none.
func None() []byte { return []byte{known} }

// Append adds an attribute to a list that began with None.
func Append(list []byte, name string, value []byte) []byte {
	list = append(append(list, name...), 0)
	list = binary.BigEndian.AppendUint32(list, uint32(len(value)))
	return append(list, value...)
}

// Get looks an attribute up. It is false if the list does not say whether there is one.
func Get(list []byte, name string) (value []byte, err error, ok bool) {
	if len(list) == 0 || !listed(name) {
		return nil, nil, false
	}
	if list[0] == unsupported {
		return nil, syscall.EOPNOTSUPP, true
	}
	for l := list[1:]; len(l) > 0; {
		n, v, rest := next(l)
		if n == name {
			return v, nil, true
		}
		l = rest
	}
	return nil, syscall.ENODATA, true
}

// listed reports whether an attribute of this name, if there is one, appears in lists: some
// file systems have others.
func listed(name string) bool {
	for _, space := range []string{"user.", "security.", "trusted.", "system.posix_acl_"} {
		if strings.HasPrefix(name, space) {
			return true
		}
	}
	return false
}

// Names returns the names, each ended by a zero byte. It is false if they are not known.
func Names(list []byte) (names []byte, ok bool) {
	if len(list) == 0 || list[0] == unsupported {
		return nil, len(list) > 0
	}
	for l := list[1:]; len(l) > 0; {
		n, _, rest := next(l)
		names = append(append(names, n...), 0)
		l = rest
	}
	return names, true
}

// next takes the first attribute off. What is cut off is empty.
func next(l []byte) (name string, value, rest []byte) {
	for i, c := range l {
		if c != 0 {
			continue
		}
		l, name = l[i+1:], string(l[:i])
		if len(l) < 4 {
			return name, nil, nil
		}
		n := binary.BigEndian.Uint32(l)
		l = l[4:]
		if uint64(n) > uint64(len(l)) {
			return name, l, nil
		}
		return name, l[:n], l[n:]
	}
	return "", nil, nil
}
