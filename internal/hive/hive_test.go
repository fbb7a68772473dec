package hive

import (
	"encoding/binary"
	"strings"
	"testing"
)

func FuzzHive(f *testing.F) {
	f.Add(Build(Node{Name: "root", Subkeys: []Node{{Name: "a", Values: []Value{{"v", TypeString, []byte("x\x00")}}}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := Open(b)
		if err != nil {
			return
		}
		seen := 0
		var walk func(k Key, depth int)
		walk = func(k Key, depth int) {
			if seen++; depth > 5 || seen > 1000 {
				return
			}
			h.Name(k)
			h.Values(k)
			room := 1 << 16
			h.Texts(k, &room)
			for _, s := range h.Subkeys(k) {
				walk(s, depth+1)
			}
		}
		walk(h.Root(), 0)
	})
}

func TestHive(t *testing.T) {
	big := make([]byte, 40000)
	for i := range big {
		big[i] = byte(i)
	}
	h, err := Open(Build(Node{Name: "root", Subkeys: []Node{
		{Name: "Microsoft", Subkeys: []Node{{Name: "Windows NT"}}},
		{Name: "Select", Values: []Value{{"Current", 4, []byte{1, 0, 0, 0}}, {"Größe", TypeString, UTF16("süß")}, {"big", 3, big[:10000]}}},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := h.Find(`microsoft\windows nt`); !ok {
		t.Error("a key is not found")
	}
	if _, ok := h.Find(`microsoft\nosuch`); ok {
		t.Error("a key is found that is not there")
	}
	k, _ := h.Find("Select")
	if v, ok := h.Value(k, "current"); !ok || len(v.Data) != 4 || v.Data[0] != 1 {
		t.Errorf("Current is %v, %v", v, ok)
	}
	if v, ok := h.Value(k, "größe"); !ok || Text(v.Data) != "süß" {
		t.Errorf("the text is %q, %v", Text(v.Data), ok)
	}
	if v, ok := h.Value(k, "big"); !ok || len(v.Data) != 10000 {
		t.Errorf("big has %d bytes, %v", len(v.Data), ok)
	}
	if _, err := Open([]byte("regf")); err == nil {
		t.Error("a cut-off file is taken for a hive")
	}
}

// TestListNamesItself: a list of lists that holds itself many times ends.
func TestListNamesItself(t *testing.T) {
	b := Build(Node{Name: "root", Subkeys: []Node{{Name: "a"}}})
	h, err := Open(b)
	if err != nil {
		t.Fatal(err)
	}
	// A new cell behind the last: ri, with itself a hundred times.
	root := h.key(h.Root())
	at := uint32(len(h.data))
	cell := make([]byte, 4+4+100*4)
	binary.LittleEndian.PutUint32(cell, uint32(-int32(len(cell))))
	copy(cell[4:], "ri")
	binary.LittleEndian.PutUint16(cell[6:], 100)
	for i := range 100 {
		binary.LittleEndian.PutUint32(cell[8+4*i:], at)
	}
	binary.LittleEndian.PutUint32(root[0x1c:], at)
	h.data = append(h.data, cell...)
	if l := h.Subkeys(h.Root()); len(l) != 0 {
		t.Errorf("%d subkeys", len(l))
	}
}

func TestTexts(t *testing.T) {
	long := UTF16(strings.Repeat("x", 4000))
	h, err := Open(Build(Node{Name: "root", Values: []Value{
		{"A", TypeString, UTF16("one")}, {"a", TypeString, UTF16("two")}, {"B", TypeExpandString, UTF16("%b%")},
		{"n", 4, []byte{1, 0, 0, 0}}, {"long", TypeString, long},
	}}))
	if err != nil {
		t.Fatal(err)
	}
	room := 20000
	m := h.Texts(h.Root(), &room)
	if len(m) != 3 || m["a"] != "one" || m["b"] != "%b%" || len(m["long"]) != 4000 || room < 11000 || room > 13000 {
		t.Errorf("got %d texts: %.50q, room for %d", len(m), m, room)
	}
	room = 1000
	if m = h.Texts(h.Root(), &room); m["a"] != "one" || m["long"] != "" || room >= 0 {
		t.Errorf("without room: %.50q, %d", m, room)
	}
}
