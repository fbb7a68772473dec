package daemon

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"gofish/internal/api"
)

func TestReportRow(t *testing.T) {
	line := "LV\tdwfDOP-5OOB-SRM1-4riX-upZM-W2tF-b1kf78\t-wi-a-----\t-1\t-1\t253\t\t54525952\t1\t\t\t12.5\t\ttag\t\t"
	var lv api.LV
	if err := parseReportRow(&lv, line); err != nil {
		t.Fatal(err)
	}
	want := api.LV{Name: "LV", Attr: "-wi-a-----", Major: -1, Minor: -1, KernelMajor: 253, KernelMinor: -1,
		Size: 54525952, SegCount: 1, SnapPercent: -1, CopyPercent: 12.5, Tags: "tag"}
	copy(want.UUID[:], "dwfDOP5OOBSRM14riXupZMW2tFb1kf78")
	if lv != want {
		t.Errorf("got %+v, want %+v", lv, want)
	}
	for _, bad := range []string{"", line + "\t", strings.Replace(line, "dwf", "dw", 1), strings.Replace(line, "253", "x", 1)} {
		if parseReportRow(&lv, bad) == nil {
			t.Errorf("%q is understood", bad)
		}
	}
}

func TestSplitDMName(t *testing.T) {
	for name, want := range map[string][2]string{
		"VG-LV": {"VG", "LV"}, "V--G-L--V": {"V-G", "L-V"}, "a----b-c": {"a--b", "c"},
	} {
		if vg, lv, ok := splitDMName(name); !ok || vg != want[0] || lv != want[1] {
			t.Errorf("%s is %s and %s", name, vg, lv)
		}
	}
	if _, _, ok := splitDMName("no--dash"); ok {
		t.Error("a name without a single dash is split")
	}
}

func TestFilterPattern(t *testing.T) {
	for dev, want := range map[Device]string{
		"/dev/nosuch": "a|^/dev/nosuchp?[0-9]*$|", "/dev/nosuch0": "a|^/dev/nosuch0(p[0-9]+)?$|",
		"/dev/mapper/a.b+c": "a|^/dev/mapper/a[.]b[+]cp?[0-9]*$|",
	} {
		if got, err := filterPattern(dev); err != nil || got != want {
			t.Errorf("%s: %s, %v", dev, got, err)
		}
	}
	for _, bad := range []Device{`/dev/a"b`, "/dev/a|b", "/dev/a\nb", `/dev/a\b`} {
		if p, err := filterPattern(bad); err == nil {
			t.Errorf("%q makes %s", bad, p)
		}
	}
	if !strings.Contains(lvmConf, "devices {\n") {
		t.Error("lvm.conf has no place for a filter")
	}
}

// A label and metadata that somebody else made.
func FuzzReadPV(f *testing.F) {
	disk := make([]byte, 8192)
	copy(disk[512:], "LABELONE")
	le := binary.LittleEndian
	le.PutUint32(disk[512+20:], 32)
	copy(disk[512+32:], "abcdefghijklmnopqrstuvwxyz012345")
	le.PutUint64(disk[512+72:], 1<<20) // a data area,
	le.PutUint64(disk[512+104:], 4096) // and after the end of those one for metadata
	copy(disk[4100:], " LVM2 x[5A%r0N*>")
	le.PutUint64(disk[4136:], 512)
	copy(disk[4608:], "VG {\nid = \"zrj4EK-DOtW\"\n")
	pv, ok := readPV(bytes.NewReader(disk))
	if !ok || pv != (physicalVolume{uuid: "abcdefghijklmnopqrstuvwxyz012345", group: "VG", groupID: "zrj4EK-DOtW"}) {
		f.Errorf("%+v, %v", pv, ok)
	}
	f.Add(disk)
	f.Fuzz(func(t *testing.T, b []byte) { readPV(bytes.NewReader(b)) })
}
