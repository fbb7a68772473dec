package daemon

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// nodesOf begins with the nodes of a folder of the host.
func nodesOf(t *testing.T, dir string) Actions {
	t.Helper()
	d := Actions{New(Config{Sysroot: dir, Live: true})}
	if _, err := d.InternalNodesBegin(-1); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.endNodes)
	return d
}

// A node is the same file, however many there are and whatever becomes of its name.
func TestNodesHeldByHandles(t *testing.T) {
	dir := t.TempDir()
	fd, err := unix.Open(dir, unix.O_PATH, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if h, _, err := unix.NameToHandleAt(fd, "", unix.AT_EMPTY_PATH); err != nil || os.Geteuid() != 0 {
		t.Skipf("file handles cannot be used here: %v, %v", h, err)
	}
	old := maxPins
	maxPins = 20
	defer func() { maxPins = old }()
	const files = 200
	for i := range files {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint("f", i)), fmt.Append(nil, "content ", i), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := nodesOf(t, dir)
	ids := map[string]int64{}
	for at := int64(0); ; {
		l, err := d.InternalNodeReaddir(1, at, 50, true)
		if err != nil {
			t.Fatal(err)
		}
		if len(l) == 0 {
			break
		}
		for _, e := range l {
			if at = e.Position; e.ID != 0 {
				ids[e.Name] = e.ID
			}
		}
	}
	if len(ids) != files {
		t.Fatalf("%d entries, not %d", len(ids), files)
	}
	if !d.nodes.evicted || d.nodes.pins > maxPins {
		t.Fatalf("%d descriptors are held, and evicted is %v", d.nodes.pins, d.nodes.evicted)
	}
	read := func(name, want string) {
		t.Helper()
		if b, err := d.InternalNodeRead(ids[name], 0, 100); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v, not %q", name, b, err, want)
		}
	}
	for i := range files {
		read(fmt.Sprint("f", i), fmt.Sprint("content ", i))
	}
	// Removed and replaced through nodes: what was known is still there, until it is given back.
	for i := range 50 {
		if err := d.InternalNodeUnlink(1, fmt.Sprint("f", i), false, false); err != nil {
			t.Fatal(err)
		}
		if err := d.InternalNodeRename(1, fmt.Sprint("f", 50+i), 1, fmt.Sprint("f", 100+i), 0, false); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 150 {
		read(fmt.Sprint("f", i), fmt.Sprint("content ", i))
	}
	// Names that lead to other files now.
	for i := range 50 {
		name := fmt.Sprint("f", 100+i)
		e, err := d.InternalNodeLookup(1, name)
		if err != nil || e.ID != ids[fmt.Sprint("f", 50+i)] {
			t.Errorf("%s is node %d, %v", name, e.ID, err)
		}
	}
	// Removed behind our back while held by a handle only: another file may get the inode.
	for i := 150; i < files; i++ {
		name := fmt.Sprint("f", i)
		os.Remove(filepath.Join(dir, name))
		os.WriteFile(filepath.Join(dir, name), []byte("another"), 0o600)
		e, err := d.InternalNodeLookup(1, name)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := d.InternalNodeRead(e.ID, 0, 100); err != nil || string(b) != "another" {
			t.Errorf("the new %s: %q, %v", name, b, err)
		}
		if b, err := d.InternalNodeRead(ids[name], 0, 100); err == nil && string(b) != fmt.Sprint("content ", i) {
			t.Errorf("the node of the old %s reads %q", name, b)
		}
	}
	var all []byte
	for id := range d.nodes.byID {
		all = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(all, uint64(id)), 10)
	}
	if err := d.InternalNodesForget(all); err != nil || len(d.nodes.byID) != 1 || d.nodes.pins != 1 || d.nodes.contents > 1 {
		t.Errorf("%v: %d nodes are left, %d descriptors, %d open", err, len(d.nodes.byID), d.nodes.pins, d.nodes.contents)
	}
	if _, err := d.InternalNodeGetattr(ids["f1"]); err != unix.ESTALE {
		t.Errorf("a node that was given back: %v", err)
	}
}

func TestNodesRefuse(t *testing.T) {
	dir := t.TempDir()
	unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600)
	os.Symlink("/etc/passwd", filepath.Join(dir, "link"))
	d := nodesOf(t, dir)
	for _, name := range []string{"", ".", "..", "a/b", "/etc"} {
		if _, err := d.InternalNodeLookup(1, name); err != unix.EINVAL {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"fifo", "link"} {
		e, err := d.InternalNodeLookup(1, name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.InternalNodeRead(e.ID, 0, 1); err != unix.EINVAL {
			t.Errorf("content of %s: %v", name, err)
		}
		if _, err := d.InternalNodeLookup(e.ID, "x"); err != unix.ENOTDIR {
			t.Errorf("a name in %s: %v", name, err)
		}
		if err := d.InternalNodeOpen(e.ID); err == nil {
			t.Errorf("%s can be written", name)
		}
	}
}
