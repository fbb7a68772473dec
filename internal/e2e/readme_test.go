package e2e

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReadme runs the here-documents of README.md as they stand there.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(repo + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	scripts := regexp.MustCompile("(?ms)^gofish <<END\n.*?^END$").FindAllString(string(text), -1)
	if len(scripts) == 0 {
		t.Fatal("README.md has no here-document any more")
	}
	dir := t.TempDir()
	if err := os.MkdirAll(dir+"/tree/backed-up", 0o755); err != nil {
		t.Fatal(err)
	}
	if r := program(t, dir, nil, "", "tar", "-czf", "backup.tar.gz", "-C", "tree", "."); r.status != 0 {
		t.Fatal(r)
	}
	for _, s := range scripts {
		r := program(t, dir, nil, "", "bash", "-c", s)
		if r.status != 0 || !strings.Contains(r.stdout, "backed-up") {
			t.Errorf("%s\nstatus %d\n%s%s", s, r.status, r.stdout, r.stderr)
		}
	}
}
