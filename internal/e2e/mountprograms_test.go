package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"gofish/internal/fstest"
)

// programs has programs of the host work in a mounted file system. Each has a folder, and cleans up.
func programs(t *testing.T, dir string, kind fileSystem) {
	for _, p := range []struct {
		program string
		need    fstest.Can
		run     func(p *work)
	}{
		{"fio", 0, (*work).fio},
		{"sqlite3", 0, (*work).sqlite},
		{"git", fstest.Modes, (*work).git},
		{"rsync", fstest.Modes, (*work).rsync},
		{"tar", fstest.Modes, (*work).copies},
	} {
		if p.need&^kind.can != 0 {
			continue
		}
		t.Run(p.program, func(t *testing.T) {
			if _, err := exec.LookPath(p.program); err != nil {
				if soaking {
					t.Fatalf("%s is not installed: make soak installs it", p.program)
				}
				t.Skipf("%s is not installed", p.program)
			}
			w := &work{t, filepath.Join(dir, p.program+" at work"), t.TempDir(), kind}
			if err := os.Mkdir(w.dir, 0o755); err != nil {
				t.Fatal(err)
			}
			p.run(w)
			w.do("rm", "-rf", w.dir)
			if _, err := os.Stat(w.dir); !os.IsNotExist(err) {
				t.Errorf("after rm -rf: %v", err)
			}
		})
	}
}

// work is a program at work: its folder in the mount, and one outside.
type work struct {
	*testing.T
	dir, outside string
	kind         fileSystem
}

// do runs a program, which must succeed, and returns what it says.
func (w *work) do(args ...string) string {
	w.Helper()
	r := program(w.T, w.dir, []string{"GIT_CONFIG_NOSYSTEM=1", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b"}, "", args...)
	if r.status != 0 {
		w.Fatalf("%v: status %d\n%s%s", args, r.status, r.stdout, r.stderr)
	}
	return r.stdout
}

// fio writes at random places by four jobs, and reads back and checks.
func (w *work) fio() {
	size := "1m"
	if soaking {
		size = "32m"
	}
	out := w.do("fio", "--name=random", "--directory="+w.dir, "--rw=randrw", "--bsrange=512-64k", "--size="+size, "--numjobs=4",
		"--verify=crc32c", "--do_verify=1", "--verify_fatal=1", "--ioengine=psync", "--fsync=64", "--end_fsync=1", "--fallocate=none", "--randseed=1")
	if strings.Contains(out, "verify:") {
		w.Errorf("fio: %s", out)
	}
	w.do("fio", "--name=mapped", "--directory="+w.dir, "--rw=randwrite", "--bs=4k", "--size="+size, "--numjobs=2",
		"--verify=crc32c", "--do_verify=1", "--verify_fatal=1", "--ioengine=mmap", "--fallocate=none", "--randseed=2")
}

// sqlite has two writers in WAL mode, whose index is shared memory in a file.
func (w *work) sqlite() {
	rows := 40
	if soaking {
		rows = 1000
	}
	db := w.dir + "/db"
	if mode := w.do("sqlite3", db, "PRAGMA journal_mode=WAL; CREATE TABLE t(writer, n, text);"); !strings.HasPrefix(mode, "wal") {
		w.Fatalf("the journal's mode is %q", mode)
	}
	var wg sync.WaitGroup
	for writer := range 2 {
		var script strings.Builder
		script.WriteString(".timeout 60000\n.bail on\n")
		for n := range rows {
			fmt.Fprintf(&script, "INSERT INTO t VALUES(%d, %d, hex(randomblob(200)));\n", writer, n)
		}
		wg.Go(func() {
			if r := program(w.T, w.dir, nil, script.String(), "sqlite3", db); r.status != 0 || r.stderr != "" {
				w.Errorf("writer %d: status %d, %s", writer, r.status, r.stderr)
			}
		})
	}
	wg.Wait()
	want := fmt.Sprintf("ok\n%d|%d\n", 2*rows, rows*(rows-1))
	if got := w.do("sqlite3", db, "PRAGMA integrity_check; SELECT count(*), sum(n) FROM t;"); got != want {
		w.Errorf("sqlite3: got %q, want %q", got, want)
	}
}

// git clones, commits, packs and checks.
func (w *work) git() {
	from := w.outside + "/from"
	files := 60
	if soaking {
		files = 1000
	}
	w.do("git", "init", "-q", from)
	for i := range files {
		sub := fmt.Sprintf("%s/%d", from, i%7)
		if err := os.MkdirAll(sub, 0o755); err != nil {
			w.Fatal(err)
		}
		if err := os.WriteFile(fmt.Sprintf("%s/%d", sub, i), []byte(strings.Repeat(fmt.Sprintln(i), 10*i)), 0o644); err != nil {
			w.Fatal(err)
		}
	}
	w.do("git", "-C", from, "add", ".")
	w.do("git", "-C", from, "commit", "-q", "-m", "first")
	clone := w.dir + "/clone"
	w.do("git", "clone", "-q", "file://"+from, clone)
	w.do("git", "-C", clone, "fsck", "--full", "--strict")
	if status := w.do("git", "-C", clone, "status", "--porcelain"); status != "" {
		w.Errorf("after a clone: %s", status)
	}
	w.do("sh", "-c", "echo more >>clone/1/1 && git -C clone commit -q -a -m second && git -C clone gc -q && git -C clone fsck --full --strict")
	if status := w.do("git", "-C", clone, "status", "--porcelain"); status != "" {
		w.Errorf("after a commit: %s", status)
	}
	if got := w.do("git", "-C", clone, "log", "--format=%s"); got != "second\nfirst\n" {
		w.Errorf("the log is %q", got)
	}
}

// rsync transfers nothing the second time, and leaves nothing behind.
func (w *work) rsync() {
	from := w.outside + "/from"
	makeTree(w.T, from, w.kind.can)
	w.do("rsync", "-aHAX", from+"/", w.dir+"/to/")
	if again := w.do("rsync", "-aHAX", "--itemize-changes", from+"/", w.dir+"/to/"); again != "" {
		w.Errorf("the second rsync: %s", again)
	}
	if bad := w.do("rsync", "-aHAXcn", "--itemize-changes", "--delete", from+"/", w.dir+"/to/"); bad != "" {
		w.Errorf("by content: %s", bad)
	}
	// Over what is there, and the links must stay links.
	if err := os.WriteFile(from+"/folder2/hard1", []byte("new content for all"), 0o640); err != nil {
		w.Fatal(err)
	}
	w.do("rsync", "-aHAX", from+"/", w.dir+"/to/")
	if left := w.do("find", w.dir, "-name", ".*.??????"); left != "" {
		w.Errorf("left behind: %s", left)
	}
	sameTree(w.T, manifest(w.T, w.dir+"/to", w.kind), manifest(w.T, from, w.kind))
}

// copies has tar and cp copy a tree in and out: a small one, or all of Debian.
func (w *work) copies() {
	from := w.outside + "/from"
	if soaking {
		home, err := realHome()
		if err != nil {
			w.Fatal(err)
		}
		archive := home + "/.cache/gofish-tests/debian.tar" // made by testdata/script/debian.txtar
		if err := os.Mkdir(from, 0o755); err != nil {
			w.Fatal(err)
		}
		w.do("tar", "-xpf", archive, "--numeric-owner", "-C", from)
	} else {
		makeTree(w.T, from, w.kind.can)
	}
	want := manifest(w.T, from, w.kind)
	w.do("cp", "-a", from, w.dir+"/cp")
	sameTree(w.T, manifest(w.T, w.dir+"/cp", w.kind), want)
	w.do("sh", "-c", `mkdir tar && tar --xattrs --xattrs-include='*' --acls --numeric-owner -C "$1" -cf - . | tar --xattrs --xattrs-include='*' --acls --numeric-owner -C tar -xpf -`, "sh", from)
	sameTree(w.T, manifest(w.T, w.dir+"/tar", w.kind), want)
	w.do("cp", "-a", w.dir+"/cp", w.outside+"/back")
	sameTree(w.T, manifest(w.T, w.outside+"/back", w.kind), want)
	w.do("cp", "-a", w.dir+"/cp", w.dir+"/again") // inside
	sameTree(w.T, manifest(w.T, w.dir+"/again", w.kind), want)
}
