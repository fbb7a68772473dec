package proto

import (
	"strings"
	"testing"
)

func TestBootParams(t *testing.T) {
	for _, p := range []BootParams{
		{Root: "ab-12"}, {Root: "x", Verbose: true, SELinux: true},
		{Root: "x", Network: true, Emulated: true, Template: true},
	} {
		line := "panic=-1 " + strings.Join(p.Words(), " ") + " quiet guestfs_verbose=0"
		if got := ParseBootParams(line); got != p {
			t.Errorf("%+v in place of %+v", got, p)
		}
	}
	if p := ParseBootParams("root=UUID=ABC"); p.Root != "abc" {
		t.Errorf("%+v", p)
	}
}
