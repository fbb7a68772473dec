package stdstate

import (
	"os/exec"
	"path/filepath"
	"testing"
)

func TestClosed(t *testing.T) {
	prog := filepath.Join(t.TempDir(), "prog")
	if out, err := exec.Command("go", "build", "-ldflags", "-E gofish_start", "-o", prog, "./testdata/prog").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct {
		shell string
		want  int
	}{
		{"</dev/null >/dev/null", 0},
		{"<>/dev/null 1<>/dev/null", 0}, // as Python's DEVNULL
		{"<&- >/dev/null", 1 | 16},
		{"</dev/null >&-", 2 | 8},
		{"<&- >&- 2>&-", 7 | 8 | 16},
	} {
		cmd := exec.Command("bash", "-c", prog+" "+c.shell)
		err := cmd.Run()
		if got := cmd.ProcessState.ExitCode(); got != c.want {
			t.Errorf("%s: status %d, want %d (%v)", c.shell, got, c.want, err)
		}
	}
}
