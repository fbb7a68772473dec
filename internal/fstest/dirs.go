package fstest

import (
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// manyNames is how many a large folder has.
func (b *box) manyNames() int {
	if b.can&Many == 0 {
		return 1000
	}
	return 10_000
}

// folderOf makes a folder of empty files a, b, …
func (b *box) folderOf(n int) []string {
	b.Helper()
	names := make([]string, n)
	for i := range names {
		names[i] = letters(i)
		fd, err := unix.Open(b.p(names[i]), wr|mk|unix.O_EXCL|unix.O_CLOEXEC, 0o644)
		b.ok("open "+names[i], err)
		unix.Close(fd)
	}
	sort.Strings(names)
	return names
}

func joined(entries []entry) string {
	var names []string
	for _, e := range entries {
		names = append(names, e.name)
	}
	sort.Strings(names)
	return strings.Join(names, " ")
}

var dirCases = []oneCase{
	{"dirs/an empty folder has . and ..", 0, func(b *box) {
		b.mkdir("d")
		fd := b.open("d", rd|unix.O_DIRECTORY, 0)
		list := b.entries(fd, 4096)
		same(b, "names", joined(list), ". ..")
		for _, e := range list {
			if e.typ != unix.DT_DIR && e.typ != unix.DT_UNKNOWN {
				b.Fatalf("%s has type %d", e.name, e.typ)
			}
		}
		same(b, "more", len(b.entries(fd, 4096)), 0)
	}},
	{"dirs/thousands of names, each once", 0, func(b *box) {
		want := b.folderOf(b.manyNames())
		same(b, "names", strings.Join(b.names("."), " "), strings.Join(want, " "))
		// and with what stat needs, and once more from the cache
		fd := b.open(".", rd|unix.O_DIRECTORY, 0)
		for _, e := range b.rest(fd, 32<<10) {
			same(b, "size", b.stat(e.name).Size, 0)
		}
		for i := 0; i < len(want); i += 2 {
			b.unlink(want[i])
		}
		same(b, "half of them", len(b.names(".")), len(want)/2)
	}},
	{"dirs/a small buffer gives the same names", 0, func(b *box) {
		want := b.folderOf(100)
		fd := b.open(".", rd|unix.O_DIRECTORY, 0)
		same(b, "names", joined(b.rest(fd, 48)), strings.Join(want, " "))
	}},
	{"dirs/a buffer too small for a name", 0, func(b *box) {
		b.file(strings.Repeat("n", 200), "")
		fd := b.open(".", rd|unix.O_DIRECTORY, 0)
		var err error
		for range 4 {
			if _, err = unix.Getdents(fd, make([]byte, 32)); err != nil {
				break
			}
		}
		b.fails("getdents64", err, unix.EINVAL)
	}},
	{"dirs/seek back to where each name was", 0, func(b *box) {
		b.folderOf(150)
		fd := b.open(".", rd|unix.O_DIRECTORY, 0)
		var all []entry
		for {
			list := b.entries(fd, 512)
			if len(list) == 0 {
				break
			}
			all = append(all, list...)
		}
		for _, i := range []int{120, 3, 77, 0, 149, 42} {
			_, err := unix.Seek(fd, all[i].next, 0)
			b.ok("lseek", err)
			list := b.entries(fd, 512)
			if len(list) == 0 {
				b.Fatalf("nothing after name %d", i)
			}
			same(b, "after "+all[i].name, list[0].name, all[i+1].name)
		}
		_, err := unix.Seek(fd, all[len(all)-1].next, 0)
		b.ok("lseek", err)
		same(b, "after the last", len(b.entries(fd, 512)), 0)
	}},
	{"dirs/seek in another descriptor", 0, func(b *box) {
		b.folderOf(100)
		one, two := b.open(".", rd|unix.O_DIRECTORY, 0), b.open(".", rd|unix.O_DIRECTORY, 0)
		first := b.entries(one, 1024)
		_, err := unix.Seek(two, first[len(first)-1].next, 0)
		b.ok("lseek", err)
		same(b, "the rest", joined(b.rest(two, 4096)), joined(b.rest(one, 4096)))
	}},
	{"dirs/rewound sees what is new", 0, func(b *box) {
		b.folderOf(10)
		fd := b.open(".", rd|unix.O_DIRECTORY, 0)
		same(b, "names", len(b.rest(fd, 4096)), 10)
		b.file("new", "")
		b.unlink("a")
		_, err := unix.Seek(fd, 0, 0)
		b.ok("lseek", err)
		same(b, "names", joined(b.rest(fd, 4096)), "b c d e f g h i j new")
	}},
	{"dirs/rewound in the middle", 0, func(b *box) {
		want := b.folderOf(150)
		fd := b.open(".", rd|unix.O_DIRECTORY, 0)
		b.entries(fd, 1024)
		_, err := unix.Seek(fd, 0, 0)
		b.ok("lseek", err)
		same(b, "names", joined(b.rest(fd, 4096)), strings.Join(want, " "))
	}},
	{"dirs/removing all while reading, as rm -r does", 0, func(b *box) {
		b.folderOf(250)
		fd := b.open(".", rd|unix.O_DIRECTORY, 0)
		seen := 0
		for {
			list := b.entries(fd, 1024)
			if len(list) == 0 {
				break
			}
			for _, e := range list {
				if e.name != "." && e.name != ".." {
					b.unlink(e.name)
					seen++
				}
			}
		}
		same(b, "seen", seen, 250)
		same(b, "left", len(b.names(".")), 0)
	}},
	{"dirs/names that stay are seen once while others come and go", 0, func(b *box) {
		stay := map[string]int{}
		for _, name := range b.folderOf(150) {
			stay[name] = 0
		}
		fd := b.open(".", rd|unix.O_DIRECTORY, 0)
		for round := 0; ; round++ {
			list := b.entries(fd, 512)
			if len(list) == 0 {
				break
			}
			for _, e := range list {
				if _, is := stay[e.name]; is {
					stay[e.name]++
				}
			}
			b.file("new-"+letters(round), "")
			if round > 0 {
				b.unlink("new-" + letters(round-1))
			}
			if round > 5000 {
				b.Fatal("the folder has no end")
			}
		}
		for name, times := range stay {
			same(b, "times that "+name+" was seen", times, 1)
		}
	}},
	{"dirs/a list is right after every change", 0, func(b *box) {
		have := map[string]bool{}
		for i := range 60 {
			name := letters(i % 17)
			if have[name] {
				b.unlink(name)
			} else {
				b.file(name, "")
			}
			have[name] = !have[name]
			var want []string
			for n, there := range have {
				if there {
					want = append(want, n)
				}
			}
			sort.Strings(want)
			same(b, "names", strings.Join(b.names("."), " "), strings.Join(want, " "))
		}
	}},
	{"dirs/what was listed is found, and what was removed is not", 0, func(b *box) {
		b.folderOf(50)
		b.names(".")
		b.gone("zzz")
		b.unlink("b")
		b.gone("b")
		b.file("b", "again")
		same(b, "content", b.content("b"), "again")
		b.rename("c", "zzz")
		b.gone("c")
		b.stat("zzz")
		same(b, "names", len(b.names(".")), 50)
	}},
	{"dirs/two at once", 0, func(b *box) {
		want := b.folderOf(150)
		one, two := b.open(".", rd|unix.O_DIRECTORY, 0), b.open(".", rd|unix.O_DIRECTORY, 0)
		var first, second []entry
		for {
			f, s := b.entries(one, 700), b.entries(two, 500)
			first, second = append(first, f...), append(second, s...)
			if len(f) == 0 && len(s) == 0 {
				break
			}
		}
		same(b, "one", joined(first), joined(second))
		same(b, "number", len(first), len(want)+2)
	}},
	{"dirs/long names fill buffers", 0, func(b *box) {
		var want []string
		for i := range 100 {
			name := letters(i) + strings.Repeat("-", 240)
			b.file(name, "")
			want = append(want, name)
		}
		sort.Strings(want)
		same(b, "names", strings.Join(b.names("."), " "), strings.Join(want, " "))
	}},
	{"dirs/many levels", 0, func(b *box) {
		path := "."
		for i := range 60 {
			path += "/" + letters(i)
			b.mkdir(path)
		}
		b.file(path+"/f", "deep")
		same(b, "content", b.content(path+"/f"), "deep")
	}},
	{"dirs/statfs", 0, func(b *box) {
		var one, two unix.Statfs_t
		b.ok("statfs", unix.Statfs(b.dir, &one))
		fd := b.open(".", rd|unix.O_DIRECTORY, 0)
		b.ok("fstatfs", unix.Fstatfs(fd, &two))
		same(b, "blocks", one.Blocks, two.Blocks)
		if one.Blocks == 0 || one.Bsize == 0 || one.Bfree > one.Blocks || one.Bavail > one.Bfree {
			b.Fatalf("%+v", one)
		}
		same(b, "longest name", one.Namelen >= 255, true)
	}},
	{"dirs/several threads make and remove in one folder", 0, func(b *box) {
		const threads, each = 6, 40
		errs := make(chan error, threads)
		for n := range threads {
			go func() {
				var err error
				for i := 0; i < each && err == nil; i++ {
					name := b.p(digits(n) + "-" + digits(i))
					var fd int
					if fd, err = unix.Open(name, wr|mk|unix.O_EXCL|unix.O_CLOEXEC, 0o644); err == nil {
						unix.Close(fd)
					}
					if err == nil && i%2 == 0 {
						err = unix.Rename(name, name+"x")
					} else if err == nil {
						err = unix.Unlink(name)
					}
				}
				errs <- err
			}()
		}
		for range threads {
			b.ok("a thread", <-errs)
		}
		same(b, "names", len(b.names(".")), threads*each/2)
	}},
}
