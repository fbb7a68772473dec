package tools

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"gofish/internal/calls"
	"gofish/internal/getopt"
	"gofish/internal/handle"
	"gofish/internal/hostmount"
	"gofish/internal/session"
	"gofish/internal/trust"
)

// TestTable: the texts that are made from each row, and names that are given once.
func TestTable(t *testing.T) {
	names := map[string]bool{}
	for _, tool := range Table {
		for _, name := range append([]string{tool.Name}, tool.Programs...) {
			if names[name] {
				t.Errorf("%s is there twice", name)
			}
			names[name] = true
			if ByName(name) != tool {
				t.Errorf("%s is not found", name)
			}
			checkPage(t, tool, name)
			for _, shell := range []string{"bash", "zsh", "fish"} {
				var b bytes.Buffer
				if err := tool.Completion(name).Write(&b, shell); err != nil || !strings.Contains(b.String(), name) {
					t.Errorf("%s: completion for %s: %v", name, shell, err)
				}
			}
		}
		var out, errs bytes.Buffer
		u := use(t, &out, &errs)
		u.Name = tool.Programs[0]
		if err := tool.Run(u, []string{"--help"}); err != nil || errs.Len() > 0 {
			t.Errorf("%s --help: %v %s", u.Name, err, &errs)
		}
		options, _ := tool.options(&Use{})
		for _, o := range options {
			if o.Help != "" && !strings.Contains(out.String(), o.Help) {
				t.Errorf("%s --help says nothing of %s", u.Name, o.Label(" "))
			}
		}
	}
}

// checkPage: the manual page has every section and option, and is drawn without a warning.
func checkPage(t *testing.T, tool *Tool, name string) {
	var b bytes.Buffer
	if err := tool.Document(name, "0").Roff(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{".SH NAME\n", ".SH OPTIONS\n", ".SH EXIT STATUS\n"} {
		if strings.Count(b.String(), want) != 1 {
			t.Errorf("%s: not one %q", name, want)
		}
	}
	if regexp.MustCompile(`\bPROG\b`).MatchString(b.String()) {
		t.Errorf("%s: the manual says PROG", name)
	}
	if _, err := exec.LookPath("groff"); err != nil {
		t.Skip("no groff to draw the page with")
	}
	c := exec.Command("groff", "-man", "-Tutf8", "-ww")
	c.Stdin = &b
	var warnings bytes.Buffer
	c.Stderr = &warnings
	if out, err := c.Output(); err != nil || len(out) == 0 || warnings.Len() > 0 {
		t.Errorf("groff: %v, %d bytes\n%s", err, len(out), warnings.String())
	}
}

// use is a use of a tool with the session that Run makes.
func use(t *testing.T, out, errs *bytes.Buffer) *Use {
	h, err := handle.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return &Use{Name: "x", Version: "1", Ctx: t.Context(), Out: out, Stderr: NewVoice(errs), Handle: h,
		Session: session.Session{Guest: calls.Client{Caller: h}, Ctx: t.Context()}, Stdin: os.Stdin}
}

// TestMountOptions: what is written after -o is ours or FUSE's.
func TestMountOptions(t *testing.T) {
	dir := t.TempDir()
	image := filepath.Join(dir, "disk.img")
	if err := os.WriteFile(image, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args  []string
		fuse  string // options that reach the mount
		ro    bool
		mount string
		err   string
	}{
		{args: []string{"-o", "uid=1,,gid=2", image, dir}, fuse: "uid=1,gid=2", ro: true},
		{args: []string{"-orw,mount=/dev/sda2:/x,nosuid", "-o", "format=raw", image, dir}, fuse: "nosuid", mount: "/dev/sda2"},
		{args: []string{"-o", "rw,ro", "-i", "-a", image, dir}, ro: true},
		{args: []string{"-w", "-o", "fsname=a,subtype=b", image, dir}, fuse: "fsname=a,subtype=b"},
		{args: []string{"-o", "key", image, dir}, err: "-o key: it needs a value"},
		{args: []string{"-o", "inspector=1", image, dir}, err: "-o inspector=1: it takes no value"},
		{args: []string{"-o", "key=x", image, dir}, err: "selector 'x': missing TYPE"},
		{args: []string{"-r", "-orw", image, dir}, err: "cannot mix --ro and --rw options"},
		{args: []string{"-o", "format=raw", "-i", dir}, err: "--format parameter must appear before -a parameter"},
		{args: []string{"-i", "-a", image, dir + "/none"}, err: dir + "/none: there is no such directory"},
	} {
		u := use(t, new(bytes.Buffer), new(bytes.Buffer))
		m, options := mountOptions(u)
		words, err := getopt.Parse(options, c.args)
		if err == nil {
			err = m.check(words)
		}
		if err != nil {
			if err.Error() != c.err {
				t.Errorf("%q: %v", c.args, err)
			}
			continue
		}
		want := c.fuse
		if !strings.Contains(want, "fsname") {
			want = strings.TrimPrefix(want+",fsname="+image+",subtype=guestmount", ",")
		}
		o := m.localOptions()
		if c.err != "" || *o.Options != want || *o.ReadOnly != c.ro || u.Session.ReadOnly != c.ro {
			t.Errorf("%q: %q read-only %v, error should be %q", c.args, *o.Options, *o.ReadOnly, c.err)
		}
		if c.mount != "" && (len(u.Session.Mounts) != 1 || u.Session.Mounts[0].Device != c.mount || u.Session.Examine) {
			t.Errorf("%q: %+v", c.args, u.Session.Mounts)
		}
	}
}

// TestRecord: whoever unmounts waits for the process that serves the mount, and is told.
func TestRecord(t *testing.T) {
	m := &hostmount.Mount{Device: "test-" + filepath.Base(t.TempDir()) + time.Now().Format("150405.000"), UserID: os.Geteuid()}
	if openRecord(m) != nil {
		t.Fatal("there is a record already")
	}
	if _, err := trust.Shared(); err != nil {
		t.Skip(err)
	}
	for _, end := range []error{nil, errors.New("the disk is full")} {
		r, err := keepRecord(m, "it was killed")
		if err != nil {
			t.Fatal(err)
		}
		w := openRecord(m)
		if w == nil {
			t.Fatal("no record")
		}
		short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := awaitRelease(short, w); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before the release: %v", err)
		}
		cancel()
		time.AfterFunc(50*time.Millisecond, func() { r.release(end) })
		w2 := openRecord(m)
		if err := awaitRelease(t.Context(), w2); (err == nil) != (end == nil) || err != nil && err.Error() != end.Error() {
			t.Errorf("%v, not %v", err, end)
		}
		w2.Close()
		if openRecord(m) != nil {
			t.Error("the record is still there")
		}
	}
	r, err := keepRecord(m, "it was killed")
	if err != nil {
		t.Fatal(err)
	}
	r.f.Close() // as the end of the process would
	w := openRecord(m)
	if err := awaitRelease(t.Context(), w); err == nil || err.Error() != "it was killed" {
		t.Errorf("%v", err)
	}
	w.Close()
	os.Remove(r.name)
}

// TestOptionsOfGuestmount: every option of guestmount 1.48 is there.
func TestOptionsOfGuestmount(t *testing.T) {
	for name, want := range map[string][]string{
		"guestmount": strings.Fields("add blocksize connect dir-cache-timeout domain echo-keys fd format fuse-help help inspector key " +
			"keys-from-stdin live mount no-fork no-sync option pid-file ro rw selinux trace verbose version"),
		"guestunmount": strings.Fields("fd help quiet no-retry retry verbose version"),
	} {
		options, _ := ByProgram("/usr/bin/" + name).options(&Use{})
		for _, w := range want {
			if !slices.ContainsFunc(options, func(o getopt.Option) bool { return o.Long == w }) {
				t.Errorf("%s has no --%s", name, w)
			}
		}
	}
}

// What the help names is understood.
func TestFUSEHelp(t *testing.T) {
	known := handle.MountOptionNames()
	named := 0
	for line := range strings.Lines(fuseHelp) {
		words, ok := strings.CutPrefix(line, "  ")
		if !ok || strings.HasPrefix(words, " ") {
			continue
		}
		words, _, _ = strings.Cut(strings.TrimSpace(words), "  ")
		for _, word := range strings.Split(words, ", ") {
			name, _, valued := strings.Cut(word, "=")
			if valued {
				name += "="
			}
			if named++; !slices.Contains(known, name) {
				t.Errorf("%s is not known", word)
			}
		}
	}
	if named < 15 {
		t.Errorf("only %d options are named", named)
	}
}
