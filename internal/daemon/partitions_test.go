package daemon

import (
	"reflect"
	"testing"
)

func TestPartitionRows(t *testing.T) {
	out := "BYT;\n/dev/sda:104857600B:scsi:512:512:mac:QEMU\\: x:;\n" +
		"1:65536B:104792575B:104727040B:ext2:a\\: \\\\b:boot, esp;\n2:1B:2B:2B:::;\n"
	label, err := parsePartitionLabel("/dev/sda", out)
	if err != nil || label != "mac" {
		t.Errorf("%q %v", label, err)
	}
	rows, err := parsePartitionRows("/dev/sda", out)
	want := []partitionRow{
		{num: 1, start: 65536, end: 104792575, size: 104727040, name: `a: \b`, bootable: true},
		{num: 2, start: 1, end: 2, size: 2},
	}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("%v %v", rows, err)
	}
	for _, bad := range []string{"", "BYT;\n", "x;\n"} {
		if _, err := parsePartitionLabel("/dev/sda", bad); err == nil {
			t.Errorf("%q is understood", bad)
		}
	}
	for _, bad := range []string{"BYT;\na:b:c:d:e:mac;\n1:2B;\n", "BYT;\na:b:c:d:e:mac;\nx:1B:1B:1B:::;\n", "BYT;\na:b:c:d:e:mac;\n1:1B:x:1B:::;\n"} {
		if _, err := parsePartitionRows("/dev/sda", bad); err == nil {
			t.Errorf("%q is understood", bad)
		}
	}
}

func TestSplitPartition(t *testing.T) {
	for part, want := range map[Device]struct {
		disk Device
		n    int
	}{
		"/dev/sda1": {"/dev/sda", 1}, "/dev/sdaa12": {"/dev/sdaa", 12}, "/dev/md0p3": {"/dev/md0", 3},
		"/dev/nvme0n1p15": {"/dev/nvme0n1", 15}, "/dev/sdp1": {"/dev/sdp", 1},
	} {
		if disk, n, err := splitPartition(part); disk != want.disk || n != want.n || err != nil {
			t.Errorf("%s is %s and %d, %v", part, disk, n, err)
		}
	}
	for _, bad := range []Device{"/dev/sda", "/dev/", "/dev/sda99999999999999999999"} {
		if _, _, err := splitPartition(bad); err == nil {
			t.Errorf("%s is split", bad)
		}
	}
}

func TestInMegabytes(t *testing.T) {
	for line, want := range map[string]string{
		",": ",", ",10": ",10MiB", "1,10,83": "1MiB,10MiB,83", "2048s, 5 ,7,*": "2048s,5MiB,7,*", "": "",
	} {
		if got := inMegabytes(line); got != want {
			t.Errorf("%q becomes %q", line, got)
		}
	}
}

func TestOneLine(t *testing.T) {
	err := withoutLines(&ToolError{Tool: "x", Status: 1, Text: "sh: 1: udevadm: not found\n\n*****\n  first \n second"}, noUdev)
	if got := err.Error(); got != "first; second" {
		t.Error(got)
	}
}
