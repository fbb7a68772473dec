package daemon

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gofish/guestfs/types"
)

func TestParseXFSInfo(t *testing.T) {
	const out = `meta-data=/dev/sdz               isize=512    agcount=4, agsize=25600 blks
         =                       sectsz=512   attr=2, projid32bit=1
         =                       crc=1        finobt=1, sparse=1, rmapbt=0
data     =                       bsize=4096   blocks=102400, imaxpct=25
         =                       sunit=0      swidth=0 blks
naming   =version 2              bsize=4096   ascii-ci=0, ftype=1
log      =internal log           bsize=4096   blocks=16384, version=2
         =                       sectsz=512   sunit=0 blks, lazy-count=1
realtime =none                   extsz=4096   blocks=0, rtextents=0
`
	d := New(Config{Sysroot: t.TempDir(), Live: true})
	h := d.parseXFSInfo(out)
	for key, want := range map[string]string{
		"meta-data": "/dev/sdz", "meta-data.isize": "512", "meta-data.agsize": "25600 blks", "meta-data.crc": "1",
		"data.bsize": "4096", "data.swidth": "0 blks", "naming": "version 2", "naming.ascii-ci": "0",
		"log": "internal log", "log.sunit": "0 blks", "log.lazy-count": "1", "realtime": "none", "realtime.rtextents": "0",
	} {
		if got, ok := h.Get(key); !ok || got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if _, ok := h.Get("data"); ok {
		t.Error("the data section has a value of its own")
	}
	if n := xfsNumber(h, "meta-data.agsize"); n != 25600 {
		t.Errorf("agsize is %d", n)
	}
	if n := xfsNumber(h, "nothing.here"); n != -1 {
		t.Errorf("a missing number is %d", n)
	}
}

// device is a file in the place of a block device.
func (g *guest) device(size int64) Device {
	g.t.Helper()
	name := filepath.Join(g.t.TempDir(), "device")
	g.must(os.WriteFile(name, nil, 0o600))
	g.must(os.Truncate(name, size))
	return Device(name)
}

func TestDeviceContent(t *testing.T) {
	g := newGuest(t)
	dev := g.device(3<<20 + 100)
	zero := func(want bool) {
		t.Helper()
		if got, err := g.IsZeroDevice(g.call, dev); err != nil || got != want {
			t.Errorf("the device is zero: %v (%v), want %v", got, err, want)
		}
	}
	zero(true)
	end := int64(3<<20 + 90)
	for _, off := range []int64{0, 200_000, end} {
		if n, err := g.PwriteDevice(dev, []byte("content"), off); n != 7 || err != nil {
			t.Errorf("wrote %d bytes: %v", n, err)
		}
	}
	if b, err := g.PreadDevice(dev, 20, end-3); err != nil || !bytes.Equal(b, []byte("\x00\x00\x00content\x00\x00\x00")) {
		t.Errorf("read %q (%v)", b, err)
	}
	if b, err := g.PreadDevice(dev, 20, 4<<20); err != nil || len(b) != 0 {
		t.Errorf("read %q behind the end (%v)", b, err)
	}
	g.must(g.Zero(g.call, dev))
	if b, err := g.PreadDevice(dev, 7, 200_000); err != nil || string(b) != "content" {
		t.Errorf("clearing the beginning left %q (%v)", b, err)
	}
	zero(false)
	g.must(g.ZeroDevice(g.call, dev))
	zero(true)
	for _, err := range []error{
		second(g.PreadDevice(dev, -1, 0)), second(g.PreadDevice(dev, 1, -1)), second(g.PreadDevice(dev, 5<<20, 0)),
		second(g.PwriteDevice(dev, nil, -1)), g.BlockdevSetra(dev, -1),
	} {
		if err == nil {
			t.Error("a call that must fail did not")
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestExtSettings(t *testing.T) {
	for _, tool := range []string{"mke2fs", "tune2fs", "resize2fs", "wipefs", "blkid"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	g := newGuest(t)
	dev := g.device(64 << 20)
	size, blocks, label := int64(1024), int64(40_000), "a label"
	stride, width := int64(4), int64(8)
	yes, no := true, false
	g.must(g.Mke2fs(dev, types.Mke2fsOptions{BlockSize: &size, BlocksCount: &blocks, Label: &label,
		StrideSize: &stride, StripeWidth: &width, FlexBG: &yes, HasJournal: &no}))
	h, err := g.Tune2fsL(dev)
	g.must(err)
	for key, want := range map[string]string{
		"Filesystem volume name": label, "Last mounted on": "", "Block count": "40000", "Block size": "1024",
		"RAID stride": "4", "RAID stripe width": "8",
	} {
		if got, ok := h.Get(key); !ok || got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	features, _ := h.Get("Filesystem features")
	if !strings.Contains(features, "flex_bg") || strings.Contains(features, "has_journal") {
		t.Errorf("features: %s", features)
	}
	n, err := g.extMinimumSize(dev)
	if err != nil || n <= 0 || n > blocks*size {
		t.Errorf("minimum size %d (%v)", n, err)
	}
	if got, err := g.VfsType(Mountable{Device: dev}); err != nil || got != "ext4" {
		t.Errorf("type %q (%v)", got, err)
	}
	g.must(g.SetLabel(Mountable{Device: dev}, ""))
	if got, err := g.VfsLabel(Mountable{Device: dev}); err != nil || got != "" {
		t.Errorf("label %q (%v)", got, err)
	}
	g.must(g.Wipefs(dev))
	if got, err := g.VfsType(Mountable{Device: dev}); err != nil || got != "" {
		t.Errorf("type %q after all signatures were erased (%v)", got, err)
	}
}

// Arguments that are refused before any tool runs.
func TestFilesystemArguments(t *testing.T) {
	g := newGuest(t)
	dev := g.device(1 << 20)
	negative, long, odd, path := -1, strings.Repeat("x", 17), 3000, "../../bin/sh"
	negative64 := int64(-1)
	for name, err := range map[string]error{
		"block size":     g.Mkfs("ext4", dev, types.MkfsOptions{BlockSize: &odd}),
		"negative block": g.Mkfs("ext4", dev, types.MkfsOptions{BlockSize: &negative}),
		"inode":          g.Mkfs("ext4", dev, types.MkfsOptions{Inode: &negative}),
		"label":          g.Mkfs("ext4", dev, types.MkfsOptions{Label: &long}),
		"type":           g.Mkfs(path, dev, types.MkfsOptions{}),
		"label of minix": g.Mkfs("minix", dev, types.MkfsOptions{Label: &path}),
		"tune2fs":        g.Tune2fs(dev, types.Tune2fsOptions{Group: &negative64}),
		"mke2fs":         g.Mke2fs(dev, types.Mke2fsOptions{StrideSize: &negative64}),
		"resize2fs":      g.Resize2fsSize(dev, 1025),
		"ntfsresize":     g.NtfsresizeSize(dev, 0),
		"swap label":     g.MkswapL(long, dev),
		"xfs label":      g.XfsAdmin(dev, types.XFSAdminOptions{Label: &long}),
		"xfs uuid":       g.XfsAdmin(dev, types.XFSAdminOptions{UUID: &path}),
		"xfs_growfs":     g.XfsGrowfs("/", types.XFSGrowfsOptions{MaxPct: &negative}),
		"xfs_repair":     second(g.XfsRepair(DevOrPath{Device: dev}, types.XFSRepairOptions{MaxMem: &negative64})),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if zero, err := g.IsZeroDevice(g.call, dev); err != nil || !zero {
		t.Error("something was written to the device")
	}
}

func TestE2attrs(t *testing.T) {
	g := newGuest(t)
	g.write("/file", "x")
	g.must(g.LnS("../outside/secret", "/link"))
	if _, err := g.GetE2attrs("/link"); err == nil {
		t.Error("the flags of a link were read")
	}
	for _, bad := range []string{"i a", "aa", "V", "Q", "+"} {
		if err := g.SetE2attrs("/file", bad, types.SetE2attrsOptions{}); err == nil {
			t.Errorf("flags %q were accepted", bad)
		}
	}
	if err := g.SetE2attrs("/file", "A", types.SetE2attrsOptions{}); err != nil {
		t.Skip("the file system has no flags: ", err)
	}
	got, err := g.GetE2attrs("/file")
	if err != nil || !strings.HasPrefix(got, "A") {
		t.Errorf("flags %q (%v)", got, err)
	}
	if err := g.SetE2generation("/file", 1<<32); err == nil {
		t.Error("a generation of 33 bits was accepted")
	}
}

func TestArgBuilder(t *testing.T) {
	yes, no, n, s := true, false, 5, "text"
	big := int64(7)
	b := argBuilder{args: []string{"tool"}, negative: "%s < 0"}
	b.flag("-a", &yes)
	b.flag("-b", &no)
	b.flag("-c", nil)
	b.int("-d", "d", &n)
	b.int64("-e", "e", nil)
	b.value("-f", "key", "f", &big)
	b.text("-g", &s)
	if want := []string{"tool", "-a", "-d", "5", "-f", "key=7", "-g", "text"}; b.err != nil || !reflect.DeepEqual(b.args, want) {
		t.Errorf("%q (%v), want %q", b.args, b.err, want)
	}
	minus := -1
	b.int("-h", "h", &minus)
	if b.err == nil || b.err.Error() != "h < 0" {
		t.Errorf("error %v", b.err)
	}
}
