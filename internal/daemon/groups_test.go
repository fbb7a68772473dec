package daemon

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"gofish/internal/api"
)

// TestGroupNames: the groups of the table of facts are those that the daemon
// answers for.
func TestGroupNames(t *testing.T) {
	f, err := os.Open("../../testdata/facts/actions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n := 0
	for lines.Scan() {
		var a struct{ Name, Group string }
		if err := json.Unmarshal(lines.Bytes(), &a); err != nil {
			t.Fatal(err)
		}
		if a.Group == "" {
			continue
		}
		n++
		if _, ok := api.Groups[a.Group]; !ok {
			t.Errorf("%s is in the group %q, of which the daemon knows nothing", a.Name, a.Group)
		}
	}
	if err := lines.Err(); err != nil || n == 0 {
		t.Errorf("%d actions with a group: %v", n, err)
	}
}
