package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// TestRPM lists the packages of real databases of RPM, which go-rpmdb has with its
// tests, from a read-only file system. The host's rpm is the judge where it can read
// the kind of database; Debian's cannot read SUSE's.
func TestRPM(t *testing.T) {
	t.Parallel()
	need(t, "rpm")
	home, err := realHome()
	if err != nil {
		t.Fatal(err)
	}
	list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/knqyf263/go-rpmdb")
	list.Env = append(os.Environ(), "HOME="+home)
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(strings.TrimSpace(string(out)), "pkg", "testdata")
	guests := []struct{ name, file, folder, id string }{
		{"fedora35", "rpmdb.sqlite", "/usr/lib/sysimage/rpm", "fedora"},
		{"centos7-plain", "Packages", "/var/lib/rpm", "centos"},
		{"centos5-plain", "Packages", "/var/lib/rpm", "centos"},
		{"sle15-bci", "Packages.db", "/usr/lib/sysimage/rpm", "sles"},
	}
	dir := t.TempDir()
	var make, look strings.Builder
	for i, g := range guests {
		fmt.Fprintf(&make, "sparse %s.img 120M\n", g.name)
		dev := fmt.Sprintf("/dev/sd%c", 'a'+i)
		fmt.Fprintf(&look, `mkfs ext4 %[1]s
mount %[1]s /
mkdir /etc
mkdir /bin
mkdir-p %[2]s
write /etc/os-release "ID=%[3]s\nVERSION_ID=15.3\n"
write /etc/fstab ""
upload %[4]s %[2]s/%[5]s
umount /
`, dev, g.folder, g.id, filepath.Join(data, g.name, g.file), g.file)
	}
	look.WriteString("inspect-os | cat >/dev/null\n")
	for i := range guests {
		fmt.Fprintf(&look, "mount-ro /dev/sd%[1]c /\ninspect-list-applications2 /dev/sd%[1]c | cat >%[2]s.json\numount /\n", 'a'+i, guests[i].name)
	}
	r := program(t, dir, nil, make.String()+"run\n"+look.String(), gofishBin, "--json")
	if r.status != 0 {
		t.Fatalf("status %d\n%s%s", r.status, r.stdout, r.stderr)
	}
	for _, g := range guests {
		t.Run(g.name, func(t *testing.T) {
			var apps []struct {
				Name        string `json:"app2_name"`
				Epoch       int    `json:"app2_epoch"`
				Version     string `json:"app2_version"`
				Release     string `json:"app2_release"`
				Arch        string `json:"app2_arch"`
				URL         string `json:"app2_url"`
				Summary     string `json:"app2_summary"`
				Description string `json:"app2_description"`
			}
			b, err := os.ReadFile(filepath.Join(dir, g.name+".json"))
			if err == nil {
				err = json.Unmarshal(b, &apps)
			}
			if err != nil {
				t.Fatalf("%v\n%.200s", err, b)
			}
			var ours []string
			for _, a := range apps {
				ours = append(ours, fmt.Sprintf("%q", []any{a.Name, fmt.Sprint(a.Epoch), a.Version, a.Release, a.Arch, a.URL, a.Summary, a.Description}))
			}
			sort.Strings(ours)
			if g.file == "Packages.db" {
				// What go-rpmdb's tests know of it.
				if len(ours) != 35 || !strings.Contains(strings.Join(ours, "\n"), `["bash" "0" "4.4" "19.6.1" "x86_64"`) {
					t.Errorf("%d packages: %s", len(ours), strings.Join(ours, "\n"))
				}
				return
			}
			const end = "\x01"
			query := `%{NAME}\t%|EPOCH?{%{EPOCH}}:{0}|\t%{VERSION}\t%{RELEASE}\t%|ARCH?{%{ARCH}}|\t%|URL?{%{URL}}|\t%{SUMMARY}\t%{DESCRIPTION}` + end
			copied := t.TempDir()
			db, err := os.ReadFile(filepath.Join(data, g.name, g.file))
			if err == nil {
				err = os.WriteFile(filepath.Join(copied, g.file), db, 0o644)
			}
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := exec.Command("rpm", "--dbpath", copied, "-qa", "--qf", query).Output()
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, line := range strings.Split(strings.TrimSuffix(string(theirs), end), end) {
				want = append(want, fmt.Sprintf("%q", strings.SplitN(line, "\t", 8)))
			}
			sort.Strings(want)
			if len(want) < 50 {
				t.Fatalf("rpm lists %d packages", len(want))
			}
			if d := firstDifference(strings.Join(ours, "\n"), strings.Join(want, "\n")); d != "(no difference)" {
				t.Errorf("gofish lists %d packages, rpm %d: %s", len(ours), len(want), d)
			}
		})
	}
}
