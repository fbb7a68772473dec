package daemon

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"gofish/guestfs/types"
)

// samples are contents that have tripped programs of this kind before.
func samples() map[string]string {
	r := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 200_003)
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	texty := make([]byte, 150_000)
	for i := range texty {
		texty[i] = "ab \t\n\x00é\x01zZ"[r.IntN(11)]
	}
	var wide strings.Builder
	for _, c := range "some wide text\tand more" {
		wide.WriteString(string([]byte{byte(c), 0}))
	}
	return map[string]string{
		"empty": "", "newline": "\n", "nonl": "one\ntwo\nthree", "crlf": "a\r\nb\r\n",
		"blank": "\n\n\n\n", "long": strings.Repeat("x", 100_000) + "\nend\n",
		"zeros":  strings.Repeat("\x00", 4096) + "x" + strings.Repeat("\x00", 100),
		"random": string(random), "text": string(texty), "wide": "x" + wide.String() + "\x00\x00yy" + wide.String(),
		"numbers": strings.Join(numbers(1000), "\n") + "\n",
	}
}

func numbers(n int) []string {
	l := make([]string, n)
	for i := range l {
		l[i] = strconv.Itoa(i + 1)
	}
	return l
}

// What is done in Go must equal what the original's tools do.
func TestLikeTheTools(t *testing.T) {
	g := newGuest(t)
	tool := func(args ...string) string {
		t.Helper()
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		out, err := cmd.Output()
		if err != nil {
			t.Skipf("%v: %v", args, err)
		}
		return string(out)
	}
	text := func(s string, err error) string { g.must(err); return s }
	list := func(l []string, err error) string {
		g.must(err)
		if len(l) == 0 {
			return ""
		}
		return strings.Join(l, "\n") + "\n"
	}
	number := func(n int, err error) string { g.must(err); return strconv.Itoa(n) }
	for name, content := range samples() {
		p := Path("/" + name)
		g.must(g.InternalWrite(p, []byte(content)))
		host := filepath.Join(g.root, name)
		first := func(s string) string { return strings.Fields(s)[0] }
		ended := func(s string) string {
			if s != "" && !strings.HasSuffix(s, "\n") {
				s += "\n"
			}
			return s
		}
		type check struct{ what, got, want string }
		checks := []check{
			{"hexdump", text(g.Hexdump(p)), tool("hexdump", "-C", host)},
			{"wc -l", number(g.WcL(p)), first(tool("wc", "-l", host))},
			{"wc -w", number(g.WcW(p)), first(tool("wc", "-w", host))},
			{"wc -c", number(g.WcC(p)), first(tool("wc", "-c", host))},
			{"cksum", text(g.Checksum(g.call, "crc", p)), first(tool("cksum", host))},
			{"sha224sum", text(g.Checksum(g.call, "sha224", p)), first(tool("sha224sum", host))},
		}
		for _, n := range []int{0, 1, 3, 10, 999, 5000} {
			s := strconv.Itoa(n)
			checks = append(checks,
				check{"head -n " + s, list(g.HeadN(n, p)), ended(tool("head", "-n", s, host))},
				check{"tail -n " + s, list(g.TailN(n, p)), ended(tool("tail", "-n", s, host))})
			if n > 0 {
				checks = append(checks,
					check{"head -n -" + s, list(g.HeadN(-n, p)), ended(tool("head", "-n", "-"+s, host))},
					check{"tail -n +" + s, list(g.TailN(-n, p)), ended(tool("tail", "-n", "+"+s, host))})
			}
		}
		for _, e := range []string{"s", "S", "b", "l", "B", "L"} {
			checks = append(checks, check{"strings -e " + e, list(g.StringsE(e, p)), tool("strings", "-a", "-e", e, host)})
		}
		var b64 bytes.Buffer
		g.must(g.Base64Out(g.call, p, &b64))
		checks = append(checks, check{"base64", b64.String(), tool("base64", host)})
		g.must(g.Base64In(&b64, "/decoded"))
		checks = append(checks, check{"base64 and back", g.content("/decoded"), content})
		for _, c := range checks {
			if c.got != c.want {
				t.Errorf("%s %s: differs: %.200q, want %.200q", c.what, name, c.got, c.want)
			}
		}
	}
}

func TestGlob(t *testing.T) {
	g := newGuest(t)
	for _, p := range []Path{"/a", "/ab", "/b.txt", "/.hid", "/d/x", "/d/y.txt", "/d/.z", "/e/x", "/[odd]", "/s*r", "/{x}", "/back\\slash"} {
		g.write(p, "")
	}
	g.must(g.LnS("/d", "/ld"))
	g.must(g.LnS("nowhere", "/dangling"))
	for _, c := range []struct {
		pattern string
		want    string
	}{
		{"/*", `/[odd] /a /ab /b.txt /back\slash /d/ /dangling /e/ /ld/ /s*r /{x}`},
		{"/.*", "/../ /./ /.hid"},
		{"/a*", "/a /ab"}, {"/?", "/a /d/ /e/"}, {"/[ab]", "/a"}, {"/[!a]", "/d/ /e/"}, {"/[^a-d]", "/e/"},
		{"/{e,a}", "/e/ /a"}, {"/{a,d/{x,y*}}", "/a /d/x /d/y.txt"}, {"/*/x", "/d/x /e/x /ld/x"},
		{"/d/", "/d/"}, {"/*/", "/d/ /e/ /ld/"}, {"/nothing*", ""}, {"/nothing", ""}, {"/dangling", "/dangling"},
		{`/s\*r`, "/s*r"}, {"/[[:alpha:]]", "/a /d/ /e/"}, {"/[odd]", "/d/"}, {`/\[odd]`, "/[odd]"},
		{"/{x}", ""}, {`/\{x\}`, "/{x}"}, {"/d/*", "/d/x /d/y.txt"}, {"//a", "//a"}, {"/a/*", ""}, {"/", "/"},
		{"/{", ""}, {"/[", ""}, {"/***a", "/a"},
	} {
		got, err := g.GlobExpand(Path(c.pattern), types.GlobExpandOptions{})
		g.must(err)
		if want := strings.Fields(c.want); !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
			t.Errorf("%s: %q, want %q", c.pattern, got, want)
		}
	}
}

func TestCaseSensitivePath(t *testing.T) {
	g := newGuest(t)
	g.write("/Windows/System32/file", "")
	g.write("/windows/other", "")
	for _, c := range [][2]string{
		{"/windows/OTHER", "/windows/other"}, {"/Windows/system32/FILE", "/Windows/System32/file"},
		{"/Windows/System32/New", "/Windows/System32/New"}, {"/", "/"}, {"//Windows//system32/", "/Windows/System32"},
		{"/none/x", ""}, {"/windows/other/x", ""}, {"/Windows/../windows", ""},
	} {
		got, err := g.CaseSensitivePath(Path(c[0]))
		if c[1] == "" && err == nil || c[1] != "" && got != c[1] {
			t.Errorf("%s: %q, %v; want %q", c[0], got, err, c[1])
		}
	}
}

func TestGuestNames(t *testing.T) {
	defer func(old bool) { isInit = old }(isInit)
	isInit = true
	for text, want := range map[string]string{
		"mount: /sysroot: wrong fs type": "mount: /: wrong fs type",
		"cannot open '/sysroot/etc/x'":   "cannot open '/etc/x'",
		"/sysroot/home/sysroot/x: busy":  "/home/sysroot/x: busy",
		"/sysroot/sysroot/ostree":        "/sysroot/ostree",
		"no /sysrooted here":             "no /sysrooted here",
	} {
		if got := guestNames(text); got != want {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}
