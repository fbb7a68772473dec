package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"gofish/internal/api"
)

// What is in the tree is what the catalogue makes now.
func TestGeneratedFilesAreCurrent(t *testing.T) {
	files, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join("../../..", name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale (%v): run go generate ./guestfs", name, err)
		}
	}
}

// Two actions, or two options of one, must not have one name in Go.
func TestGoNamesDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, a := range callable() {
		if other := seen[a.GoName()]; other != "" {
			t.Errorf("%s and %s are both %s", a.Name, other, a.GoName())
		}
		seen[a.GoName()] = a.Name
		fields := map[string]bool{}
		for _, p := range a.Opts {
			if fields[p.GoName()] {
				t.Errorf("%s has two options %s", a.Name, p.GoName())
			}
			fields[p.GoName()] = true
		}
	}
}

func TestDocumentation(t *testing.T) {
	a := &api.Action{Name: "mkdir_p", Args: api.Args{api.Path("path")}, Opts: api.Args{api.Int64("blocksize", api.Bytes)},
		Help: "Creates {path} with {blocksize}, see part_disk.", Deprecated: "pvs-full"}
	want := "// MkdirP creates path with BlockSize, see [Handle.PartDisk].\n//\n// Deprecated: use [Handle.PVsFull].\n"
	if got := documentation(a); got != want {
		t.Errorf("%q", got)
	}
}
