package appliance

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// mayLack are libraries that files of the appliance name and can do without,
// because what they are for is never used.
var mayLack = map[string]string{}

// mayDangle are links of the appliance that may lead nowhere.
var mayDangle = []string{}

// Everything in the root image of the cache must be able to start.
func TestRootImageIsComplete(t *testing.T) {
	c := cache{dir: CacheDir("")}
	dir, m, err := c.current()
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("no appliance in the cache: make appliance")
	}
	if err != nil {
		t.Fatal(err)
	}
	if !m.usable() {
		t.Skip("the cached appliance was made by another builder: make appliance")
	}
	out := t.TempDir()
	debugfs, err := hostCommand(t.Context(), "debugfs", "-R", "rdump / "+out, filepath.Join(dir, "root"))
	if err != nil {
		t.Skip(err)
	}
	debugfs.Env = append(os.Environ(), "DEBUGFS_PAGER=cat")
	if text, err := debugfs.CombinedOutput(); err != nil {
		t.Fatalf("debugfs: %v: %s", err, text)
	}
	for _, p := range findFaults(t, tree{dir: out}) {
		t.Error(p)
	}
}

// findFaults lists what is broken in a tree: a line for each.
func findFaults(t *testing.T, root tree) (faults []string) {
	t.Helper()
	l := newLoader(root)
	programs := 0
	err := filepath.WalkDir(root.dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name := l.inTree(p)
		if strings.HasPrefix(name, "/usr/lib/modules/") {
			return nil
		}
		prog, err := l.read(name, p, nil)
		if errors.Is(err, errNotELF) {
			if interp, viaEnv := scriptInterpreter(p); interp != "" && slices.Contains(programDirs, strings.TrimPrefix(filepath.Dir(name), "/")) {
				if _, err := root.resolve(interp); err != nil || viaEnv != "" && root.program(viaEnv) == "" {
					faults = append(faults, name+": no interpreter "+interp+" "+viaEnv)
				}
			}
			return nil
		}
		if err != nil {
			return err
		}
		programs++
		for _, lib := range prog.lacks {
			if mayLack[lib] == "" {
				faults = append(faults, name+": no library "+lib)
			}
		}
		if prog.interp != "" {
			if _, err := root.resolve(prog.interp); err != nil {
				faults = append(faults, name+": no loader "+prog.interp)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d ELF files", programs)
	if programs == 0 {
		faults = append(faults, "no ELF files at all")
	}
	links, err := root.danglingLinks()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range links {
		if !slices.Contains(mayDangle, name) {
			faults = append(faults, name+": a link that leads nowhere")
		}
	}
	return faults
}

func TestLoader(t *testing.T) {
	ls := lookHost("ls")
	if ls == "" {
		t.Skip("no ls")
	}
	host := newLoader(tree{dir: "/"})
	real, err := filepath.EvalSymlinks(ls)
	if err != nil {
		t.Fatal(err)
	}
	p, err := host.read(real, real, nil)
	if err != nil || len(p.lacks) > 0 {
		t.Fatalf("%+v, %v", p, err)
	}
	if p.interp == "" {
		t.Skip("ls is static here")
	}
	if l := host.lacking(ls, map[string][]string{}); l != nil {
		t.Errorf("ls lacks %q", l)
	}
	// The same program in a folder of its own lacks everything.
	to, err := newTree(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	g := newGatherer(to)
	if err := g.copy(real, "usr/bin/ls"); err != nil {
		t.Fatal(err)
	}
	if l := newLoader(to).lacking("/bin/ls", map[string][]string{}); !slices.Contains(l, p.interp) || len(l) < 2 {
		t.Errorf("alone, ls lacks %q", l)
	}
	// Gathered, it runs with the loader and the libraries of its tree.
	if err := g.add(ls, nil); err != nil {
		t.Fatal(err)
	}
	if err := g.needs(real, nil); err != nil {
		t.Fatal(err)
	}
	if l := newLoader(to).lacking("/bin/ls", map[string][]string{}); len(l) > 0 {
		t.Errorf("gathered, ls lacks %q", l)
	}
	interp, err := to.resolve(p.interp)
	if err != nil {
		t.Fatal(err)
	}
	var dirs []string
	for _, d := range host.dirs {
		dirs = append(dirs, to.path(d))
	}
	if out, err := exec.Command(interp, "--library-path", strings.Join(dirs, ":"), to.path("usr/bin/ls"), "-d", "/").CombinedOutput(); err != nil || string(out) != "/\n" {
		t.Errorf("%s, %v", out, err)
	}
}

func TestLoaderConf(t *testing.T) {
	root := tree{dir: t.TempDir()}
	write(t, root.path("etc/ld.so.conf"), "# comment\n/opt/one\ninclude conf.d/*.conf\ninclude /etc/ld.so.conf\n")
	write(t, root.path("etc/conf.d/a.conf"), " /opt/two # why\nrelative\n")
	if got := strings.Join(newLoader(root).dirs[:3], " "); got != "/opt/one /opt/two /lib/x86_64-linux-gnu" {
		t.Error(got)
	}
}

func TestScriptInterpreter(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"#!/bin/sh -e\n":                   "/bin/sh ",
		"#! /usr/bin/env bash\n":           "/usr/bin/env bash",
		"#!/usr/bin/env -S A=1 perl -w\nx": "/usr/bin/env perl",
		"#!\n":                             " ",
		"text":                             " ",
		"":                                 " ",
	} {
		f := filepath.Join(dir, "script")
		write(t, f, text)
		interp, viaEnv := scriptInterpreter(f)
		if got := interp + " " + viaEnv; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestDropBroken(t *testing.T) {
	root := tree{dir: t.TempDir()}
	for _, d := range []string{"usr/bin", "usr/sbin"} {
		if err := os.MkdirAll(root.path(d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, root.path("usr/bin/sh"), "stands for a shell")
	write(t, root.path("usr/bin/env"), "stands for env")
	write(t, root.path("usr/bin/good"), "#!/usr/bin/sh\n")
	write(t, root.path("usr/bin/viaenv"), "#!/usr/bin/env sh\n")
	write(t, root.path("usr/sbin/inperl"), "#!/usr/bin/perl\n")
	write(t, root.path("usr/sbin/envperl"), "#!/usr/bin/env perl\n")
	for name, to := range map[string]string{
		"usr/bin/one": "two", "usr/bin/two": "../sbin/inperl", "usr/bin/also": "/usr/bin/good",
		"resolv.conf": "/run/resolv.conf", "gone": "/usr/share/nothing",
	} {
		if err := os.Symlink(to, root.path(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := root.dropBroken(); err != nil {
		t.Fatal(err)
	}
	if got := names(root.path("usr/bin")) + ", " + names(root.path("usr/sbin")) + ", " + names(root.dir); got != "also env good sh viaenv, , resolv.conf usr" {
		t.Error(got)
	}
}

func TestCheck(t *testing.T) {
	root, dirs := tree{dir: t.TempDir()}, []string{"/usr/lib"}
	for _, w := range wants[1:] {
		for _, tool := range strings.Fields(w.tools) {
			n, _, _ := strings.Cut(tool, "|")
			write(t, root.path("usr/bin/"+n), "")
		}
		if w.tools == "" {
			file := strings.ReplaceAll(strings.Fields(w.data)[0], "*", "x")
			if !strings.HasPrefix(file, "/") {
				file = dirs[0] + "/" + file
			}
			write(t, root.path(file), "")
		}
	}
	// Each group finds what it needs in a row of wants.
	if lacks, off := root.check(dirs); len(lacks)+len(off) > 0 {
		t.Errorf("nothing should be missing: %q %q", lacks, off)
	}
	for _, n := range []string{"mkfs.hfsplus", "fsck.hfsplus", "mkfs.cramfs", "scrub"} {
		os.Remove(root.path("usr/bin/" + n))
	}
	os.RemoveAll(root.path("usr/lib/grub"))
	lacks, off := root.check(dirs)
	if got := strings.Join(lacks, "; "); got != "util-linux (mkfs.cramfs); hfsprogs; scrub; grub-pc-bin" {
		t.Error(got)
	}
	if got := strings.Join(off, " "); got != "grub scrub" {
		t.Error(got)
	}
}
