package inspect

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gofish/internal/api"
	"gofish/internal/hive"
)

// software is a hive with applications below a key.
func software(path string, apps ...hive.Node) []byte {
	n := hive.Node{Name: "Uninstall", Subkeys: apps}
	names := strings.Split(path, `\`)
	for _, name := range slices.Backward(names) {
		n = hive.Node{Name: name, Subkeys: []hive.Node{n}}
	}
	return hive.Build(hive.Node{Name: "root", Subkeys: []hive.Node{n}})
}

func TestWindowsApplications(t *testing.T) {
	text := func(name, s string) hive.Value {
		return hive.Value{Name: name, Type: hive.TypeString, Data: hive.UTF16(s)}
	}
	for _, path := range []string{`Microsoft\Windows\CurrentVersion`, `WOW6432NODE\microsoft\windows\currentversion`} {
		got, err := WindowsApplications(software(path,
			hive.Node{Name: "{1}", Values: []hive.Value{text("DisplayName", "Näme"), text("Displayversion", "1.2"), text("Comments", "c")}},
			hive.Node{Name: "update", Values: []hive.Value{text("DisplayVersion", "1")}},
			hive.Node{Name: "number", Values: []hive.Value{{Name: "DisplayName", Type: 4, Data: []byte{1, 0, 0, 0}}}},
			hive.Node{Name: "odd", Values: []hive.Value{text("DisplayName", "odd"), {Name: "Publisher", Type: 1, Data: []byte("x")}}},
		))
		want := []api.Application2{{Name: "{1}", DisplayName: "Näme", Version: "1.2", Description: "c"}, {Name: "odd", DisplayName: "odd"}}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v", path, got, err)
		}
	}
	if l, err := WindowsApplications(hive.Build(hive.Node{Name: "root"})); err != nil || l == nil || len(l) != 0 {
		t.Errorf("without applications: %v, %v", l, err)
	}
	if _, err := WindowsApplications([]byte("no hive")); err == nil {
		t.Error("a file that is no hive is read")
	}
	var many []hive.Node
	for i := range 40 {
		many = append(many, hive.Node{Name: fmt.Sprint(i), Values: []hive.Value{text("DisplayName", strings.Repeat("x", 1<<20))}})
	}
	if _, err := WindowsApplications(software(`Microsoft\Windows\CurrentVersion`, many...)); err == nil || !strings.Contains(err.Error(), "unreasonably") {
		t.Errorf("80 MB of names: %v", err)
	}
}
