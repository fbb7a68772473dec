package background

import (
	"os"
	"strings"
	"testing"
)

// TestMain is also the program that goes to the background.
func TestMain(m *testing.M) {
	p := Self()
	if p == nil {
		os.Exit(m.Run())
	}
	os.Exit(behind(p, os.Args[1]))
}

func behind(p *Process, what string) int {
	switch what {
	case "stays":
		if err := p.Detach(false); err != nil {
			return 9
		}
		null, _ := os.Readlink("/proc/self/fd/0")
		dir, _ := os.Getwd()
		if p.Say(null+" "+dir+" "+os.Getenv(fdVariable)+" "+strings.Join(os.Args[2:], " ")) != nil {
			return 9
		}
	case "fails":
		return 7
	case "dies":
		self, _ := os.FindProcess(os.Getpid())
		self.Kill()
		select {}
	}
	return 0
}

func TestStart(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for what, want := range map[string]Started{
		"stays": {Said: "/dev/null /  more words"},
		"fails": {Status: 7},
		"dies":  {Status: 128 + 9},
		"quits": {},
	} {
		s, err := Start([]string{"name", what, "more", "words"}, null, null, os.Stderr)
		if err != nil || s.Said != want.Said || s.Status != want.Status {
			t.Errorf("%s: %+v %v", what, s, err)
		}
		if s != nil && s.Said != "" {
			s.Process.Wait()
		}
	}
}
