package main

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"gofish/guestfs/types"
	"gofish/internal/api"
)

// hivex.h
const (
	hivexVerbose = 1
	hivexDebug   = 2
	hivexWrite   = 4
	hivexUnsafe  = 8
)

// hivex is a registry hive that is open.
type hivex struct{ object }

type hivexActions struct{ *hivex }

func newHivex(g *guest) (any, error) {
	l, err := load("libhivex.so.0")
	if err != nil {
		return nil, err
	}
	// The C library reads its tables for UTF-16 and Latin-1 now, from the appliance.
	for _, from := range []string{"UTF-16LE", "LATIN1"} {
		l.call("iconv_open", "UTF-8", from)
		l.call("iconv_open", from, "UTF-8")
	}
	return hivexActions{&hivex{object{clib: l, guest: g, closer: "hivex_close", none: errNoHive}}}, nil
}

var errNoHive = errors.New("you must call 'hivex-open' first to initialize the hivex handle")

// do calls a function of the library whose first argument is the hive. Functions
// report a failure by 0 or -1; where 0 may also mean "none", errno is 0 then.
func (x *hivex) do(symbol string, args ...any) (uintptr, error) {
	if x.p == 0 {
		return 0, errNoHive
	}
	r, errno := x.call(symbol, append([]any{x.p}, args...)...)
	if r == 0 && errno != 0 {
		return 0, errno
	}
	return r, nil
}

// of names the key or value that an error is about.
func of(what string, n int64, err error) error {
	if err == nil || err == errNoHive {
		return err
	}
	return fmt.Errorf("%s %d: %w", what, n, err)
}

func ofNode(n int64, err error) error  { return of("node", n, err) }
func ofValue(n int64, err error) error { return of("value", n, err) }

func (x hivexActions) HivexOpen(filename string, o types.HivexOpenOptions) error {
	x.close()
	flags := 0
	for flag, on := range map[int]*bool{hivexVerbose: o.Verbose, hivexDebug: o.Debug, hivexWrite: o.Write, hivexUnsafe: o.Unsafe} {
		if on != nil && *on {
			flags |= flag
		}
	}
	var errno syscall.Errno
	var special bool
	if err := x.guest.inside(func() {
		st, err := os.Stat(filename)
		if special = err == nil && !st.Mode().IsRegular(); special {
			return
		}
		x.p, errno = x.call("hivex_open", filename, flags)
	}); err != nil {
		return err
	}
	switch {
	case special:
		return fmt.Errorf("%s: not a regular file", filename)
	case x.p == 0 && (errno == syscall.EINVAL || errno == syscall.ENOTSUP):
		return fmt.Errorf("%s: not a registry hive, or a damaged one (try unsafe:true): %w", filename, errno)
	case x.p == 0:
		return fmt.Errorf("%s: %w", filename, errno)
	}
	return nil
}

func (x hivexActions) HivexClose() error { return x.end() }

func (x hivexActions) HivexRoot() (int64, error) {
	n, err := x.do("hivex_root")
	return int64(n), err
}

func (x hivexActions) HivexNodeName(nodeh int64) (string, error) {
	p, err := x.do("hivex_node_name", nodeh)
	return x.takeText(p), ofNode(nodeh, err)
}

// list calls a function that returns numbers, ended by a 0.
func (x *hivex) list(symbol string, nodeh int64) ([]int64, error) {
	p, err := x.do(symbol, nodeh)
	if err != nil {
		return nil, ofNode(nodeh, err)
	}
	l := []int64{}
	for q := p; word(q) != 0; q += wordSize {
		l = append(l, int64(word(q)))
	}
	x.call("free", p)
	return l, nil
}

func (x hivexActions) HivexNodeChildren(nodeh int64) ([]api.HivexNode, error) {
	l, err := x.list("hivex_node_children", nodeh)
	nodes := []api.HivexNode{}
	for _, n := range l {
		nodes = append(nodes, api.HivexNode{H: n})
	}
	return nodes, err
}

func (x hivexActions) HivexNodeGetChild(nodeh int64, name string) (int64, error) {
	n, err := x.do("hivex_node_get_child", nodeh, name)
	return int64(n), ofNode(nodeh, err)
}

func (x hivexActions) HivexNodeParent(nodeh int64) (int64, error) {
	n, err := x.do("hivex_node_parent", nodeh)
	return int64(n), ofNode(nodeh, err)
}

func (x hivexActions) HivexNodeValues(nodeh int64) ([]api.HivexValue, error) {
	l, err := x.list("hivex_node_values", nodeh)
	values := []api.HivexValue{}
	for _, n := range l {
		values = append(values, api.HivexValue{H: n})
	}
	return values, err
}

func (x hivexActions) HivexNodeGetValue(nodeh int64, key string) (int64, error) {
	n, err := x.do("hivex_node_get_value", nodeh, key)
	return int64(n), ofNode(nodeh, err)
}

func (x hivexActions) HivexValueKey(valueh int64) (string, error) {
	p, err := x.do("hivex_value_key", valueh)
	return x.takeText(p), ofValue(valueh, err)
}

func (x hivexActions) HivexValueType(valueh int64) (int64, error) {
	if x.p == 0 {
		return 0, errNoHive
	}
	var kind int32 // an enum
	var size uintptr
	n, errno := x.number("hivex_value_type", x.p, valueh, &kind, &size)
	if n < 0 {
		return 0, ofValue(valueh, errno)
	}
	return int64(kind), nil
}

func (x hivexActions) HivexValueValue(valueh int64) ([]byte, error) {
	var kind int32
	var size uintptr
	p, err := x.do("hivex_value_value", valueh, &kind, &size)
	if err != nil {
		return nil, ofValue(valueh, err)
	}
	b := bytesAt(p, int(size))
	x.call("free", p)
	return b, nil
}

func (x hivexActions) HivexValueString(valueh int64) (string, error) {
	p, err := x.do("hivex_value_string", valueh)
	return x.takeText(p), ofValue(valueh, err)
}

func (x hivexActions) HivexValueUtf8(valueh int64) (string, error) { return x.HivexValueString(valueh) }

func (x hivexActions) HivexCommit(filename *string) error {
	if x.p == 0 {
		return errNoHive
	}
	name := "the hive"
	if filename != nil {
		if name = *filename; len(name) == 0 || name[0] != '/' {
			return fmt.Errorf("%q: path must start with a / character", name)
		}
	}
	var n int
	var errno syscall.Errno
	if err := x.guest.inside(func() {
		if filename != nil {
			if st, err := os.Stat(*filename); err == nil && !st.Mode().IsRegular() {
				n, errno = -1, syscall.EINVAL
				return
			}
		}
		n, errno = x.number("hivex_commit", x.p, filename, 0)
	}); err != nil {
		return err
	}
	if n < 0 {
		return x.writing(fmt.Sprintf("%s: not written", name), errno)
	}
	return nil
}

// writing is the error of a function that changes the hive.
func (x *hivex) writing(what string, err error) error {
	if err == syscall.EROFS {
		what += ": open it with write:true"
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (x hivexActions) HivexNodeAddChild(parent int64, name string) (int64, error) {
	n, err := x.do("hivex_node_add_child", parent, name)
	if err != nil && err != errNoHive {
		return 0, x.writing(fmt.Sprintf("node %d: add %s", parent, name), err)
	}
	return int64(n), err
}

func (x hivexActions) HivexNodeDeleteChild(nodeh int64) error {
	if x.p == 0 {
		return errNoHive
	}
	if n, errno := x.number("hivex_node_delete_child", x.p, nodeh); n < 0 {
		return x.writing(fmt.Sprintf("node %d: delete", nodeh), errno)
	}
	return nil
}

func (x hivexActions) HivexNodeSetValue(nodeh int64, key string, t int64, val []byte) error {
	if x.p == 0 {
		return errNoHive
	}
	// struct hive_set_value { char *key; enum t; size_t len; char *value; }, made of
	// memory that the library does not keep.
	name, _ := x.call("strdup", key)
	data, _ := x.call("malloc", len(val)+1)
	defer x.call("free", name)
	defer x.call("free", data)
	if name == 0 || data == 0 {
		return syscall.ENOMEM
	}
	copy(unsafe.Slice((*byte)(at(data)), len(val)), val)
	value := make([]byte, 0, 4*wordSize)
	for _, w := range []uintptr{name, uintptr(uint32(t)), uintptr(len(val)), data} {
		value = append(value, unsafe.Slice((*byte)(unsafe.Pointer(&w)), wordSize)...)
	}
	if n, errno := x.number("hivex_node_set_value", x.p, nodeh, value, 0); n < 0 {
		return x.writing(fmt.Sprintf("node %d: set %s", nodeh, key), errno)
	}
	return nil
}
