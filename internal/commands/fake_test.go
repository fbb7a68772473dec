package commands

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gofish/internal/api"
	"gofish/internal/handle"
	"gofish/internal/session"
)

// fake is a handle that writes down what it is asked to do and gives prepared
// answers.
type fake struct {
	calls   []string
	answers map[string]any // by action: a result, an error, or func(args []any) any
	events  map[int]func(handle.Event)
	closed  bool
}

func (f *fake) State() handle.State {
	n := func(name string) int { return slices.IndexFunc(f.calls, func(c string) bool { return c == name }) }
	if n("launch") >= 0 && n("shutdown") < 0 {
		return handle.Ready
	}
	return handle.Config
}

func (f *fake) Verbose() bool { return false }

func (f *fake) Call(ctx context.Context, a *api.Action, args, opts []any) (any, error) {
	text := a.Name
	for i, v := range args {
		switch p := v.(type) {
		case *string:
			if p == nil {
				v = "NULL"
			} else {
				v = *p
			}
		case []byte:
			v = string(p)
		}
		if a.Args[i].Kind.IsFile() && strings.HasPrefix(v.(string), "/tmp/") {
			v = "TEMP"
		}
		if a.Args[i].Kind.IsFile() && strings.HasPrefix(v.(string), "/dev/fd/") {
			v = "/dev/fd/N"
		}
		text += fmt.Sprintf(" %v", v)
	}
	for i, v := range opts {
		if v != nil {
			text += fmt.Sprintf(" %s:%v", a.Opts[i].Name, v)
		}
	}
	f.calls = append(f.calls, text)
	answer := f.answers[a.Name]
	if fn, ok := answer.(func([]any) any); ok {
		answer = fn(args)
	}
	if err, ok := answer.(error); ok {
		return nil, err
	}
	if answer == nil {
		switch a.Ret.Kind {
		case api.RString, api.RConstString:
			answer = os.TempDir()
		case api.RStringList:
			answer = []string{}
		case api.RBool:
			answer = true
		case api.RInt:
			answer = 512
		case api.RInt64:
			answer = int64(1000)
		case api.RHashtable:
			answer = api.Hash{}
		case api.RStruct:
			answer = reflect.Zero(api.StructType(a.Ret.Struct)).Interface()
		case api.RStructList:
			answer = reflect.Zero(reflect.SliceOf(api.StructType(a.Ret.Struct))).Interface()
		case api.RConstOptString:
			answer = (*string)(nil)
		case api.RBufferOut:
			answer = []byte{}
		}
	}
	return answer, nil
}

func (f *fake) Kill() {}
func (f *fake) OnEvent(mask handle.EventType, fn func(handle.Event)) int {
	if f.events == nil {
		f.events = map[int]func(handle.Event){}
	}
	n := len(f.events)
	f.events[n] = func(e handle.Event) {
		if e.Type&mask != 0 {
			fn(e)
		}
	}
	return n
}
func (f *fake) RemoveEvent(id int) { delete(f.events, id) }
func (f *fake) Close() error       { f.closed = true; return nil }

func (f *fake) emit(e handle.Event) {
	for i := range len(f.events) {
		f.events[i](e)
	}
}

// runShell runs the shell on a script (or on args) with a fake handle.
func runShell(t *testing.T, f *fake, script string, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	dir := t.TempDir()
	in, err := os.Create(filepath.Join(dir, "in"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	in.WriteString(script)
	in.Seek(0, io.SeekStart)
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var errs bytes.Buffer
	p := &Program{Name: "gofish", Version: "1", Args: args, Stdin: in, Stdout: out, Stderr: &errs,
		New: func() (Caller, error) { return f, nil }}
	status = p.Run()
	if !f.closed {
		t.Error("the handle was not closed")
	}
	text, err := os.ReadFile(out.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(text), errs.String(), status
}

func expect(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func TestPrint(t *testing.T) {
	text := "x"
	for _, c := range []struct {
		ret  api.Ret
		v    any
		want string
	}{
		{api.Err, nil, ""},
		{api.RetInt("n"), -3, "-3\n"},
		{api.RetInt("n", api.OctalFormat), 0o22, "022\n"},
		{api.RetInt("n", api.OctalFormat), 0, "0\n"},
		{api.RetInt("n", api.HexFormat), 0x83, "0x83\n"},
		{api.RetInt("n", api.HexFormat), 0, "0\n"},
		{api.RetInt("n", api.HexFormat), -1, "0xffffffff\n"},
		{api.RetInt64("n"), int64(1) << 40, "1099511627776\n"},
		{api.RetBool("b"), false, "false\n"},
		{api.RetString("s"), "a\n", "a\n\n"},
		{api.RetConstOptString("s"), (*string)(nil), "(null)\n"},
		{api.RetConstOptString("s"), &text, "x\n"},
		{api.RetStrings("l"), []string{"a", ""}, "a\n\n"},
		{api.RetStrings("l"), []string{}, ""},
		{api.RetHash("h", api.Plain, api.Plain), api.Hash{{Key: "k", Value: ""}, {Key: "a", Value: "b"}}, "k: \na: b\n"},
		{api.RetBuffer("b"), []byte("a\x00"), "a\x00"},
		{api.RetStruct("s", "version"), api.Version{Major: 1, Minor: 48}, "major: 1\nminor: 48\nrelease: 0\nextra: \n"},
		{api.RetStructs("s", "dirent"), []api.Dirent{{Ino: 2, Ftyp: 'd', Name: "."}, {Ino: 3, Ftyp: 'r', Name: "f"}},
			"[0] = {\n  ino: 2\n  ftyp: d\n  name: .\n}\n[1] = {\n  ino: 3\n  ftyp: r\n  name: f\n}\n"},
		{api.RetStructs("s", "xattr"), []api.Xattr{{Attrname: "user.a", Attrval: []byte("a \x01\xff\\b")}},
			"[0] = {\n  attrname: user.a\n  attrval: a \\x01\\xff\\b\n}\n"},
		{api.RetStructs("s", "partition"), []api.Partition{{Num: 1, Start: -1}},
			"[0] = {\n  part_num: 1\n  part_start: 18446744073709551615\n  part_end: 0\n  part_size: 0\n}\n"},
	} {
		var b bytes.Buffer
		printResult(&b, c.ret, c.v)
		expect(t, fmt.Sprintf("%+v %#v", c.ret, c.v), b.String(), c.want)
	}
	lv := api.LV{Major: -1, SnapPercent: -1, CopyPercent: 33.33}
	copy(lv.UUID[:], "3iCUGMjHOgRVpdZMBLz3hZ2b0nryQn4m")
	var b bytes.Buffer
	printStruct(&b, "", lv)
	for _, want := range []string{"lv_uuid: 3iCUGMjHOgRVpdZMBLz3hZ2b0nryQn4m\n", "lv_major: -1\n", "snap_percent: \n", "copy_percent: 33.33 %\n", "origin: \n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lv without %q", want)
		}
	}
}

func TestConvert(t *testing.T) {
	f := &fake{}
	_, errs, status := runShell(t, f, `mkdir-mode /d 0755
write /f "a\x00"
`)
	expect(t, "errors", errs, "gofish: *stdin*:2: invalid escape sequence in string (starting at offset 1)\n")
	if status != 1 {
		t.Errorf("status %d", status)
	}
	f = &fake{}
	_, errs, status = runShell(t, f, `mkdir-mode /d 0755
write /f "a\tb"
mkfs ext4 /dev/sda1 label:a:b "features:x y" blocksize:4K
set-append ""
command "ls -l 'a b'"
tar-out / - excludes:"a
tar-out / /x "excludes:a 'b c'" xattrs:yes
upload -<<END /x
one
END
download /x -
`)
	expect(t, "errors", errs, "")
	expect(t, "calls", strings.Join(f.calls, "\n"), `mkdir_mode /d 493
write /f a	b
mkfs ext4 /dev/sda1 blocksize:4096 features:x y label:a:b
set_append NULL
command [ls -l a b]
tar_out / /dev/fd/N excludes:["a]
tar_out / /x excludes:[a b c] xattrs:true
get_tmpdir
upload /dev/fd/N /x
download /x /dev/fd/N
shutdown`)
	if status != 0 {
		t.Errorf("status %d", status)
	}
}

func TestOutput(t *testing.T) {
	big := strings.Repeat("line\n", 20000)
	f := &fake{answers: map[string]any{"cat": big, "download": func(args []any) any {
		w, err := os.OpenFile(args[1].(string), os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			return err
		}
		defer w.Close()
		if _, err := w.WriteString("contents\n"); err != nil {
			return err
		}
		return nil
	}}}
	// What is printed and what is downloaded keep their order in a regular file.
	out, errs, status := runShell(t, f, "echo a\ndownload /x -\necho b\ndownload /x - | tr a-z A-Z\necho c\n!echo d\necho e\n")
	expect(t, "stdout", out, "a\ncontents\nb\nCONTENTS\nc\nd\ne\n")
	if errs != "" || status != 0 {
		t.Errorf("stderr %q status %d", errs, status)
	}
	// A reader that leaves does no harm, and later output is not lost.
	out, errs, status = runShell(t, f, "cat /x | head -1\necho after\n")
	expect(t, "stdout", out, "line\nafter\n")
	if errs != "" || status != 0 {
		t.Errorf("stderr %q status %d", errs, status)
	}
	out, errs, status = runShell(t, f, "-cat /x | head -1\necho after\n", "--pipe-error")
	expect(t, "stdout", out, "line\nafter\n")
	expect(t, "stderr", errs, "gofish: *stdin*:1: write error on pipe\n")
	if status != 0 {
		t.Errorf("status %d", status)
	}
}

func TestUploadRest(t *testing.T) {
	var got []byte
	f := &fake{answers: map[string]any{"upload": func(args []any) any {
		var err error
		if got, err = os.ReadFile(args[0].(string)); err != nil {
			return err
		}
		return nil
	}}}
	_, errs, status := runShell(t, f, "upload - /x\necho this is\nthe file\n")
	expect(t, "uploaded", string(got), "echo this is\nthe file\n")
	if errs != "" || status != 0 {
		t.Errorf("stderr %q status %d", errs, status)
	}
	_, errs, status = runShell(t, f, "upload -<<END /x\n a\r\n\nEND\n")
	expect(t, "uploaded", string(got), " a\r\n\n")
	if errs != "" || status != 0 {
		t.Errorf("stderr %q status %d", errs, status)
	}
}

func TestErrors(t *testing.T) {
	f := &fake{answers: map[string]any{"rm": &handle.CallError{Action: "rm", Text: "/x: No such file or directory"}}}
	_, errs, status := runShell(t, f, "\n-rm /x\nrm /y\necho no\n")
	expect(t, "stderr", errs, "gofish: *stdin*:2: rm: /x: No such file or directory\n"+
		"gofish: *stdin*:3: rm: /x: No such file or directory\n")
	if status != 1 {
		t.Errorf("status %d", status)
	}
	f = &fake{answers: map[string]any{"shutdown": &handle.CallError{Action: "internal_autosync", Text: "no space"}}}
	_, errs, status = runShell(t, f, "echo\n")
	expect(t, "stderr", errs, "gofish: internal-autosync: no space\n")
	if status != 1 {
		t.Errorf("status %d", status)
	}
}

// TestPrepared compares the calls with those seen of guestfish.
func TestPrepared(t *testing.T) {
	t.Chdir(t.TempDir())
	f := &fake{answers: map[string]any{"blockdev_getss": 512}}
	_, errs, status := runShell(t, f, "", "-N", "bootrootlv:/dev/V/L:ext2:xfs:200M:32M:gpt", "-N", "x.img=fs::100K", "-m", "/dev/V/L", "-m", "/dev/sda1:/boot:noatime:ext2", "--ro")
	expect(t, "stderr", errs, "")
	expect(t, "calls", strings.Join(f.calls, "\n"), `disk_create test1.img raw 209715200 preallocation:sparse
disk_create x.img raw 102400 preallocation:sparse
add_drive test1.img format:raw
add_drive x.img format:raw
launch
blockdev_getss /dev/sda
part_init /dev/sda gpt
part_add /dev/sda primary 64 65599
part_add /dev/sda primary 65600 -64
mkfs ext2 /dev/sda1
pvcreate /dev/sda2
vgcreate V [/dev/sda2]
lvcreate_free L V 100
mkfs xfs /dev/V/L
part_disk /dev/sdb mbr
mkfs  /dev/sdb1
mount_options ro /dev/V/L /
mount_vfs noatime ext2 /dev/sda1 /boot
shutdown`)
	if status != 0 {
		t.Errorf("status %d", status)
	}
	f = &fake{answers: map[string]any{
		"mount_options":    &handle.CallError{Action: "mount_options", Text: "wrong"},
		"list_filesystems": api.Hash{{Key: "/dev/sda1", Value: "ext2"}},
	}}
	_, errs, status = runShell(t, f, "", "-m", "/dev/sda2:/:foo,bar")
	expect(t, "stderr", errs, `gofish: mount-options: wrong
gofish: ‘/dev/sda2’ could not be mounted.
gofish: Check mount(8) man page to ensure options ‘foo,bar’
gofish: are supported by the filesystem that is being mounted.
gofish: Did you mean to mount one of these filesystems?
gofish: 	/dev/sda1 (ext2)
`)
	if status != 1 {
		t.Errorf("status %d", status)
	}
	// What was tried is no advice.
	_, errs, _ = runShell(t, f, "", "-m", "/dev/sda1")
	expect(t, "stderr", errs, `gofish: mount-options: wrong
gofish: ‘/dev/sda1’ could not be mounted.
`)
}

func TestDrives(t *testing.T) {
	for arg, want := range map[string]string{
		"ssh://u:p%40w@h:22/x.img": "/x.img protocol:ssh server:[tcp:h:22] username:u secret:p@w",
		"nbd://h":                  " protocol:nbd server:[tcp:h]",
		"nbd://?socket=/s":         " protocol:nbd server:[unix:/s]",
		"nbd:///e?socket=/s":       "e protocol:nbd server:[unix:/s]",
		"rbd:///p/d":               "p/d protocol:rbd",
		"http://[::1]:80/x%20y?q":  "/x y?q protocol:http server:[tcp:[::1]:80]",
		"gluster://h/v/i":          "v/i protocol:gluster server:[tcp:h]",
		"nbd+unix:///e?socket=/s":  "e protocol:nbd server:[unix:/s]",
	} {
		f := &fake{}
		_, errs, _ := runShell(t, f, "", "-a", arg)
		expect(t, arg, errs+f.calls[0], "add_drive "+want)
	}
	for _, name := range []string{"HTTP://x", "a:b", "http:/x", "://x"} {
		if d, err := session.ParseDrive(name); err != nil || d.Remote() {
			t.Errorf("%s taken for a URI", name)
		}
	}
}

func TestGlob(t *testing.T) {
	f := &fake{answers: map[string]any{
		"glob_expand": func(args []any) any {
			return map[string][]string{"/{d,e}": {"/d/", "/e/"}, "/[df]": {"/d/", "/f"}}[args[0].(string)]
		},
		"list_devices":    []string{"/dev/sda", "/dev/sdb"},
		"list_partitions": []string{"/dev/sda1"},
		"lvs":             []string{"/dev/V/L"},
	}}
	out, errs, _ := runShell(t, f, "glob echo /{d,e} /[df] x*\nglob echo /dev/sd?\nglob echo /dev/* /dev/V/*\nglob echo /none\n")
	expect(t, "stdout", out, `/d/ /d/ x*
/d/ /f x*
/e/ /d/ x*
/e/ /f x*
/dev/sda
/dev/sdb
/dev/sda /dev/V/L
/dev/sdb /dev/V/L
/dev/sda1 /dev/V/L
/none
`)
	expect(t, "stderr", errs, "")
}

func TestEdit(t *testing.T) {
	f := &fake{answers: map[string]any{
		"download":        func(args []any) any { return orNil(os.WriteFile(args[1].(string), []byte("hello\n"), 0o600)) },
		"download_offset": func(args []any) any { return orNil(os.WriteFile(args[1].(string), []byte("hello\n"), 0o600)) },
		"realpath":        "/real/f",
		"is_dir":          false,
		"mktemp":          "/real/NEW",
	}}
	t.Setenv("EDITOR", "sed -i s/hello/HELLO/")
	t.Setenv("HEXEDITOR", "sed -i s/hello/HELLO/")
	_, errs, _ := runShell(t, f, "edit /f\nhexedit /f 2 3\nsetenv EDITOR true\nedit /f\nsetenv EDITOR false\n-edit /f\n")
	if !strings.Contains(errs, "exit status 1") {
		t.Errorf("stderr %q", errs)
	}
	expect(t, "calls", strings.Join(f.calls, "\n"), `get_tmpdir
download /f TEMP
is_symlink /f
realpath /f
is_dir /real/f
mktemp /real/.gofish-XXXXXX
upload TEMP /real/NEW
exists /real/f
copy_attributes /real/f /real/NEW all:true
rename /real/NEW /real/f
filesize /f
get_tmpdir
download_offset /f TEMP 2 3
upload_offset TEMP /f 2
get_tmpdir
download /f TEMP
get_tmpdir
download /f TEMP
shutdown`)
}

func orNil(err error) any {
	if err == nil {
		return nil
	}
	return err
}

func TestEvents(t *testing.T) {
	f := &fake{}
	f.answers = map[string]any{
		"sync": func([]any) any {
			f.emit(handle.Event{Type: handle.EventTrace, Message: "sync"})
			f.emit(handle.Event{Type: handle.EventProgress, Progress: handle.ProgressEvent{Proc: 2, Serial: 3, Position: 4, Total: 5}})
			return nil
		},
	}
	out, errs, _ := runShell(t, f, "sync\nevent x progress,trace 'echo $EVENT $@'\nsync\ndelete-event x\n")
	expect(t, "stdout", out, "trace sync\nprogress 2 3 4 5\n")
	expect(t, "stderr", errs, "gofish: trace: sync\n")
}

// TestTable checks what a user can ask about every command.
func TestTable(t *testing.T) {
	var out bytes.Buffer
	p := &Program{Name: "gofish", Version: "1"}
	if err := p.Manual().Roff(&out); err != nil {
		t.Fatal(err)
	}
	for _, n := range names() {
		e := lookup(n.text)
		if e == nil {
			t.Errorf("%s is listed but unknown", n.text)
			continue
		}
		if b := e.builtin; b != nil && (b.summary == "" || b.help == "" || b.usage == "" && (b.min > 0 || b.max >= 0)) {
			t.Errorf("%s has no summary, help or usage", n.text)
		}
		if n.of == "" && !strings.Contains(out.String(), ".SS "+strings.ReplaceAll(n.text, "-", `\-`)+"\n") {
			t.Errorf("%s is not in the manual", n.text)
		}
	}
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if err := p.Completion().Write(io.Discard, shell); err != nil {
			t.Error(err)
		}
	}
}
