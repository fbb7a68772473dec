package daemon

import (
	"reflect"
	"testing"

	"gofish/internal/api"
)

func TestParseBalance(t *testing.T) {
	for out, want := range map[string]api.BtrfsBalance{
		"No balance found on '/sysroot'\n": {Status: "none"},
		"Balance on '/sysroot' is running\n1 out of about 3 chunks balanced (2 considered),  67% left\n":                  {Status: "running", Balanced: 1, Total: 3, Considered: 2, Left: 67},
		"Balance on '/a is b' is paused\n0 out of about 12 chunks balanced (1 considered), 100% left\n":                   {Status: "paused", Total: 12, Considered: 1, Left: 100},
		"Balance on '/sysroot' is running, pause requested\n2 out of about 3 chunks balanced (3 considered),  33% left\n": {Status: "running", Balanced: 2, Total: 3, Considered: 3, Left: 33},
	} {
		if got, err := parseBalance(out); err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", out, got, err, want)
		}
	}
	for _, out := range []string{"", "Balance on '/' is running\n", "Balance on '/' is running\n99999999999999999999 out of about 3 chunks balanced (2 considered),  67% left\n"} {
		if got, err := parseBalance(out); err == nil {
			t.Errorf("%q: %+v, want an error", out, got)
		}
	}
}

func FuzzBtrfsOutput(f *testing.F) {
	f.Add("sub\n\tName: \t\tsub\n\tFlags: \t-\n\tSnapshot(s):\n\t\t\t\tone\n\t\t\t\ttwo: x\n\tQuota group:\t0/256\n\t  Limit referenced:\t-\n")
	f.Add("\n\n:\n")
	f.Fuzz(func(t *testing.T, out string) {
		parseSubvolumeShow(out, []string{"a", "b\nc", "\n"})
		parseBalance(out)
	})
}

func TestParseSubvolumeShow(t *testing.T) {
	got := parseSubvolumeShow("sub\n\tName: \t\tsub\n\tFlags: \t-\n\tSnapshot(s):\n\t\t\t\tone\n\t\t\t\ttwo: x\n\tQuota group:\t0/256\n\t  Limit referenced:\t-\n", nil)
	want := api.Hash{{Key: "path", Value: "sub"}, {Key: "Name", Value: "sub"}, {Key: "Flags"}, {Key: "Snapshot(s)", Value: "one,two: x"},
		{Key: "Quota group", Value: "0/256"}, {Key: "Limit referenced"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	got = parseSubvolumeShow("d/a\n\tUUID: \t1\n\tName: \t\ta\n\tUUID: \t1\n\tUUID: \t2\n\tSnapshot(s):\n\t\t\t\tone\n\tFlags: \tx\n\t\t\t\ttwo\n", []string{"two", "d/a\n\tUUID: \t1", "one\n\tFlags: \tx"})
	want = api.Hash{{Key: "path", Value: "d/a\n\tUUID: \t1"}, {Key: "Name", Value: "a\n\tUUID: \t1"}, {Key: "UUID", Value: "2"}, {Key: "Snapshot(s)", Value: "one\n\tFlags: \tx,two"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
