package daemon

import (
	"slices"
	"strings"
	"testing"
)

func TestIdleArrays(t *testing.T) {
	said := `mdadm: /dev/md/fine has been started with 2 drives (out of 3).
mdadm: failed to RUN_ARRAY /dev/md/(none):root: Input/output error
mdadm: Not enough devices to start the array.
mdadm: /dev/md/host:data assembled from 1 drive - not enough to start the array.
mdadm: failed to RUN_ARRAY /dev/md127: Invalid argument
mdadm: No arrays found in config file or automatically`
	want := []idleArray{{"root", "Not enough devices to start the array"}, {"data", "assembled from 1 drive - not enough to start the array."}, {"/dev/md127", "Invalid argument"}}
	if got := idleArrays(said); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestIncompleteGroups(t *testing.T) {
	said := `  WARNING: Device /dev/sdb has size of 122880 sectors which is smaller than corresponding PV size of 204800 sectors. Was device resized?
  WARNING: VG two is missing PV aaa (last written to /dev/sda).
  WARNING: VG two is missing PV bbb.
  WARNING: VG two is missing PV bbb.`
	groups := incompleteGroups(said, []physicalVolume{{device: "/dev/sda", group: "x"}, {device: "/dev/sdb", group: "one"}}, func(s string) string { return s + "!" })
	for name, want := range map[string]string{
		"one": "/dev/sdb! has 122880 sectors, but was made with 204800: the image was cut off, or is a part of one",
		"two": "physical volumes aaa (which was /dev/sda), bbb are missing: add their disks, or unlock them",
	} {
		if g := groups[name]; len(groups) != 2 || g == nil || !slices.Equal(g.reasons, []string{want}) {
			t.Errorf("%s: %v", name, g)
		}
	}
}

func TestTellArrays(t *testing.T) {
	member := func(device string, id byte, events uint64, failed ...uint32) arrayMember {
		return arrayMember{device: device, array: [16]byte{1}, id: [16]byte{id}, name: "m", of: 2, number: uint32(id), events: events, needed: 10, there: 10,
			failed: func(n uint32) bool { return slices.Contains(failed, n) }}
	}
	running := func(lacks int, members ...string) []activeArray {
		return []activeArray{{"/dev/md127", members, 2, lacks}}
	}
	cut := member("c", 1, 5)
	cut.there = 5
	for _, tc := range []struct {
		members []arrayMember
		arrays  []activeArray
		idle    []idleArray
		want    string
	}{
		{[]arrayMember{member("a", 0, 5), member("b", 1, 5)}, running(0, "a", "b"), nil, ""},
		{[]arrayMember{member("a", 0, 5)}, running(1, "a"), nil, "array m runs without 1 of its 2 members"},
		{[]arrayMember{member("a", 0, 5), member("b", 1, 4)}, running(1, "a"), nil, "array m runs without 1 of its 2 members: b is not used: it is older than a"},
		{[]arrayMember{member("a", 0, 5, 1), member("b", 1, 4, 0)}, running(1, "a"), nil, "array m runs without 1 of its 2 members: b is not used: it and a were written to without each other, and differ"},
		{[]arrayMember{member("a", 0, 5), cut}, nil, []idleArray{{"m", "no"}}, "array m does not start: no: c has 0 sectors, but its data needs 0: the image was cut off"},
		{[]arrayMember{cut}, nil, []idleArray{{"m", "no"}}, "array m does not start: no: c has 0 sectors, but its data needs 0: the image was cut off; add all of its disks"},
		{nil, running(1, "a"), nil, "array /dev/md127 runs without 1 of its 2 members"},
		{nil, nil, []idleArray{{"old", "no"}}, "array old does not start: no: add all of its disks"},
	} {
		if got := strings.Join(tellArrays(tc.members, tc.arrays, tc.idle, func(s string) string { return s }), "|"); got != tc.want {
			t.Errorf("%s, not %s", got, tc.want)
		}
	}
}
