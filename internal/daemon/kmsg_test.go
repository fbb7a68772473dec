package daemon

import "testing"

func TestParseKmsg(t *testing.T) {
	level, text, ok := parseKmsg("3,339,5140900,-;EXT4-fs (sda1): bad geometry; really\n SUBSYSTEM=block\n")
	if level != 3 || text != "EXT4-fs (sda1): bad geometry; really" || !ok {
		t.Error(level, text, ok)
	}
	for _, bad := range []string{"", "x", "x,1;y"} {
		if _, _, ok := parseKmsg(bad); ok {
			t.Errorf("%q is understood", bad)
		}
	}
	for text, want := range map[string]bool{"EXT4-fs (sda1): x": true, "on dev sda1": true, "sda1: x": true, "sda11": false, "xsda1 sda1x": false, "": false} {
		if hasWord(text, "sda1") != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
