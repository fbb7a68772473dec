package daemon

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// memoryDisk is a disk in memory.
type memoryDisk []byte

func (m memoryDisk) ReadAt(b []byte, at int64) (int, error) {
	if at < 0 || at >= int64(len(m)) {
		return 0, io.EOF
	}
	return copy(b, m[at:]), nil
}

func (m memoryDisk) WriteAt(b []byte, at int64) (int, error) {
	if at < 0 || at+int64(len(b)) > int64(len(m)) {
		return 0, errors.New("outside")
	}
	return copy(m[at:], b), nil
}

// made is a disk that sfdisk has partitioned, with bytes of its own where a table has
// none: boot code, the sectors of the chain, the rest of the disk.
func made(t *testing.T, sector int64, script string) memoryDisk {
	t.Helper()
	const size = 40 << 20
	name := filepath.Join(t.TempDir(), "disk")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	f.Truncate(size)
	f.Close()
	c := exec.Command("sfdisk", "-q", "--sector-size", fmt.Sprint(sector), name)
	if sector == 512 {
		c = exec.Command("sfdisk", "-q", name)
	}
	c.Stdin = strings.NewReader(script)
	if out, err := c.CombinedOutput(); err != nil {
		t.Skipf("sfdisk: %v: %s", err, out)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// changed lists the bytes in which two disks differ, as ranges of sectors and bytes.
func changed(a, b memoryDisk, allowed func(at int) bool) []int {
	var l []int
	for i := range a {
		if a[i] != b[i] && !allowed(i) {
			l = append(l, i)
		}
	}
	return l
}

func TestMBRKeepsTheRest(t *testing.T) {
	const script = "label: dos\nlabel-id: 0xcbb3830d\nstart=2048,size=10M,type=7,bootable\nsize=2M,type=82\nstart=28672,size=20M,type=f\nstart=30720,size=2M,type=83\nstart=36864,size=2M,type=8e\nstart=43008,size=2M,type=83\n"
	ebr := func(disk memoryDisk, n int) int {
		m, err := readMBR(tableDisk{disk, 512, int64(len(disk)) / 512})
		if err != nil {
			t.Fatal(err)
		}
		p, err := m.part(n)
		if err != nil {
			t.Fatal(err)
		}
		return int(p.table) * 512
	}
	disk := made(t, 512, script)
	for i := range 440 { // boot code
		disk[i] = byte(i*7) | 1
	}
	for _, n := range []int{5, 6, 7} {
		copy(disk[ebr(disk, n):], "boot code of a logical partition")
	}
	entry := func(table, i int) func(int) bool {
		return func(at int) bool {
			from := table + mbrEntries + i*mbrEntrySize
			return at >= from && at < from+mbrEntrySize
		}
	}
	one := func(table, i, field, n int) func(int) bool {
		return func(at int) bool {
			from := table + mbrEntries + i*mbrEntrySize + field
			return at >= from && at < from+n
		}
	}
	any := func(fns ...func(int) bool) func(int) bool {
		return func(at int) bool {
			for _, fn := range fns {
				if fn(at) {
					return true
				}
			}
			return false
		}
	}
	for name, c := range map[string]struct {
		do      func(m *mbr) error
		allowed func(int) bool
		list    string // what is there then, without those that stay
	}{
		"add": {func(m *mbr) error { return m.add("primary", 70000, -1) }, entry(0, 3), "4:70000-81919:83"},
		"add logical": {func(m *mbr) error { return m.add("logical", 51200, 53247) },
			any(entry(ebr(disk, 7), 1), func(at int) bool { return at/512 == 51199 }), "8:51200-53247:83"},
		"del":             {func(m *mbr) error { return m.del(2) }, entry(0, 1), ""},
		"del logical":     {func(m *mbr) error { return m.del(6) }, entry(ebr(disk, 5), 1), "6:43008-47103:83"},
		"del the first":   {func(m *mbr) error { return m.del(5) }, any(entry(ebr(disk, 5), 0), entry(ebr(disk, 5), 1)), "5:36864-40959:8e 6:43008-47103:83"},
		"del the last":    {func(m *mbr) error { return m.del(7) }, entry(ebr(disk, 6), 1), ""},
		"resize":          {func(m *mbr) error { return m.resize(2, 27000) }, any(one(0, 1, entryEnd, 3), one(0, 1, entrySize, 4)), "2:22528-27000:82"},
		"resize logical":  {func(m *mbr) error { return m.resize(7, 48000) }, any(one(ebr(disk, 7), 0, entryEnd, 3), one(ebr(disk, 7), 0, entrySize, 4), one(ebr(disk, 6), 1, entryEnd, 3), one(ebr(disk, 6), 1, entrySize, 4)), "7:43008-48000:83"},
		"bootable":        {func(m *mbr) error { return m.setBootable(2, true) }, any(one(0, 0, 0, 1), one(0, 1, 0, 1)), "1:2048-22527:7 2:22528-26623:82*"},
		"not bootable":    {func(m *mbr) error { return m.setBootable(2, false) }, func(int) bool { return false }, ""},
		"type":            {func(m *mbr) error { return m.setType(6, 0x83) }, one(ebr(disk, 6), 0, entryType, 1), "6:36864-40959:83"},
		"type of primary": {func(m *mbr) error { return m.setType(1, 0x83) }, one(0, 0, entryType, 1), "1:2048-22527:83*"},
	} {
		got := bytes.Clone(disk)
		sectors := int64(len(disk)) / 512
		m, err := readMBR(tableDisk{memoryDisk(got), 512, sectors})
		if err == nil {
			err = c.do(m)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if l := changed(disk, got, c.allowed); len(l) > 0 {
			t.Errorf("%s: other bytes have changed: %v", name, l[:min(len(l), 20)])
		}
		m, err = readMBR(tableDisk{memoryDisk(got), 512, sectors})
		if err != nil {
			t.Fatal(err)
		}
		was := map[string]bool{"1:2048-22527:7*": true, "2:22528-26623:82": true, "3:28672-69631:f": true, "5:30720-34815:83": true, "6:36864-40959:8e": true, "7:43008-47103:83": true}
		var list []string
		for _, p := range m.parts {
			s := fmt.Sprintf("%d:%d-%d:%x", p.num, p.start, p.end, p.typ)
			if p.bootable {
				s += "*"
			}
			if !was[s] {
				list = append(list, s)
			}
		}
		if s := strings.Join(list, " "); s != c.list {
			t.Errorf("%s: %q, want %q", name, s, c.list)
		}
		judge(t, name, got)
	}
	for name, do := range map[string]func(m *mbr) error{
		"over another":        func(m *mbr) error { return m.add("primary", 20000, 22000) },
		"behind the end":      func(m *mbr) error { return m.add("primary", 70000, 90000) },
		"turned around":       func(m *mbr) error { return m.add("primary", 80000, 70000) },
		"at the table":        func(m *mbr) error { return m.add("primary", 0, 100) },
		"a second extended":   func(m *mbr) error { return m.add("extended", 70000, 80000) },
		"logical outside":     func(m *mbr) error { return m.add("logical", 70000, 80000) },
		"logical on another":  func(m *mbr) error { return m.add("logical", 34000, 35000) },
		"no room for a table": func(m *mbr) error { return m.add("logical", 34816, 35000) },
		"none":                func(m *mbr) error { return m.del(4) },
		"none to resize":      func(m *mbr) error { return m.resize(9, 100000) },
		"resize over another": func(m *mbr) error { return m.resize(1, 30000) },
		"smaller":             func(m *mbr) error { return m.resize(3, 69000) },
		"resize over a table": func(m *mbr) error { return m.resize(6, 41000) },
		"none bootable":       func(m *mbr) error { return m.setBootable(8, true) },
	} {
		got := bytes.Clone(disk)
		m, err := readMBR(tableDisk{memoryDisk(got), 512, int64(len(disk)) / 512})
		if err == nil {
			err = do(m)
		}
		if err == nil || !bytes.Equal(got, disk) {
			t.Errorf("%s: %v, or something was written", name, err)
		}
	}
}

// judge asks sfdisk whether a table is well.
func judge(t *testing.T, name string, disk []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(file, disk, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("sfdisk", "--verify", file).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("rror")) && !bytes.Contains(out, []byte("No errors")) {
		t.Errorf("%s: sfdisk says %v: %s", name, err, out)
	}
}

func TestGPTKeepsTheRest(t *testing.T) {
	for _, sector := range []int64{512, 4096} {
		script := "label: gpt\nlabel-id: 01234567-89AB-CDEF-0123-456789ABCDE1\n" +
			"start=2048,size=1024,type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B,uuid=01234567-89AB-CDEF-0123-456789ABCDE2,name=\"eins\",attrs=\"LegacyBIOSBootable\"\n" +
			"start=4096,size=1024,name=\"zwei\"\n"
		disk := made(t, sector, script)
		for i := range 440 {
			disk[i] = byte(i*7) | 1
		}
		disk[mbrEntries+mbrEntrySize+entryType] = 0x83 // a hybrid one
		disk[mbrEntries+mbrEntrySize+entryLBA+1] = 8
		disk[mbrEntries+mbrEntrySize+entrySize] = 99
		disk[510-70] = 7
		sectors := int64(len(disk)) / sector
		open := func(d memoryDisk) *gpt {
			g, err := readGPT(tableDisk{d, sector, sectors})
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		g := open(disk)
		array := g.main.number(headerArray) * sector
		second := g.main.number(headerCopy) * sector
		half, err := g.readHalf(second / sector)
		if err != nil {
			t.Fatal(err)
		}
		array2 := half.number(headerArray) * sector
		in := func(at int64, from, n int64) bool { return at >= from && at < from+n }
		// Checksums change in both headers, and an entry in both arrays.
		allowed := func(n int, from, size int64) func(int) bool {
			return func(i int) bool {
				at := int64(i)
				for _, h := range []int64{sector, second} {
					if in(at, h+headerCRC, 4) || in(at, h+headerArrayCRC, 4) || n == 0 && in(at, h+from, size) {
						return true
					}
				}
				for _, a := range []int64{array, array2} {
					if n > 0 && in(at, a+int64(n-1)*128+from, size) {
						return true
					}
				}
				return false
			}
		}
		for name, c := range map[string]struct {
			do      func(g *gpt) error
			allowed func(int) bool
		}{
			"add":       {func(g *gpt) error { return g.add("p1", 6144, 7000) }, allowed(3, 0, 128)},
			"del":       {func(g *gpt) error { return g.del(1) }, allowed(1, 0, 128)},
			"resize":    {func(g *gpt) error { return g.resize(2, 6000) }, allowed(2, gptEnd, 8)},
			"bootable":  {func(g *gpt) error { return g.setBootable(2, true) }, allowed(2, gptType, 16)},
			"no change": {func(g *gpt) error { return g.setBootable(2, false) }, allowed(2, 0, 0)},
			"name": {func(g *gpt) error {
				return g.change(2, func(e []byte) error { return setGPTName(e, "ä:;\n\U0001F600") })
			}, allowed(2, gptName, 72)},
			"type": {func(g *gpt) error { return g.setGUID(2, gptType, "{01234567-89AB-CDEF-0123-456789ABCDE3}") }, allowed(2, gptType, 16)},
			"guid": {func(g *gpt) error { return g.setGUID(2, gptGUID, "01234567-89ab-cdef-0123-456789abcde4") }, allowed(2, gptGUID, 16)},
			"disk": {func(g *gpt) error { copy(g.main.header[headerDiskGUID:], newGUID()); return g.save() }, allowed(0, headerDiskGUID, 16)},
		} {
			got := memoryDisk(bytes.Clone(disk))
			if err := c.do(open(got)); err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if l := changed(disk, got, c.allowed); len(l) > 0 {
				t.Errorf("%s: other bytes have changed: %v", name, l[:min(len(l), 20)])
			}
			h, err := open(got).readHalf(second / sector)
			if err != nil || !bytes.Equal(h.entries, open(got).main.entries) {
				t.Errorf("%s: the copy is another: %v", name, err)
			}
			if sector == 512 {
				judge(t, name, got)
			}
			if rows := open(got).rows(); name == "name" && (rows[1].name != "ä:;\n\U0001F600" || !rows[0].bootable) {
				t.Errorf("%v", rows)
			}
		}
		for name, do := range map[string]func(g *gpt) error{
			"over another":        func(g *gpt) error { return g.add("p", 2000, 2100) },
			"on the table":        func(g *gpt) error { return g.add("p", 1, 5) },
			"on the copy":         func(g *gpt) error { return g.add("p", 6144, -1) },
			"none":                func(g *gpt) error { return g.del(3) },
			"far":                 func(g *gpt) error { return g.del(1000) },
			"resize over another": func(g *gpt) error { return g.resize(1, 4096) },
			"smaller":             func(g *gpt) error { return g.resize(2, 4200) },
			"no GUID":             func(g *gpt) error { return g.setGUID(1, gptType, "foo") },
			"long": func(g *gpt) error {
				return g.change(1, func(e []byte) error { return setGPTName(e, strings.Repeat("x", 37)) })
			},
		} {
			got := memoryDisk(bytes.Clone(disk))
			if err := do(open(got)); err == nil || !bytes.Equal(got, disk) {
				t.Errorf("%s: %v, or something was written", name, err)
			}
		}
		// Damaged: read from the copy, not written.
		got := memoryDisk(bytes.Clone(disk))
		got[array+3]++
		d := open(got)
		if rows := d.rows(); len(rows) != 2 || rows[0].name != "eins" || d.del(1) != errGPTDamaged {
			t.Errorf("damaged: %v", rows)
		}
		got[second]++
		if _, err := readGPT(tableDisk{got, sector, sectors}); err != errGPTDamaged {
			t.Errorf("damaged twice: %v", err)
		}
	}
}

// A table on a disk that has grown is expanded; a hybrid MBR before it stays, byte by byte.
func TestExpandGPT(t *testing.T) {
	for _, sector := range []int64{512, 4096} {
		small := made(t, sector, "label: gpt\nstart=2048,size=1024,name=\"eins\"\nstart=4096,size=1024,name=\"zwei\"\n")
		for i := range 440 {
			small[i] = byte(i*7) | 1
		}
		open := func(d memoryDisk) (*gpt, error) { return readGPT(tableDisk{d, sector, int64(len(d)) / sector}) }
		for _, hybrid := range []bool{false, true} {
			for _, grown := range []bool{false, true} {
				for _, damaged := range []bool{false, true} {
					disk := bytes.Clone(small)
					if grown && !damaged { // the copy of a damaged one is looked for at the end
						disk = append(disk, make([]byte, 8<<20)...)
					}
					if hybrid {
						e := entryAt(disk, 1)
						e[entryBoot], e[entryType], e[entryLBA+1], e[entrySize] = 0x80, 0x83, 8, 99
						copy(e[entryCHS:], "abc")
					}
					if damaged {
						clear(disk[sector:][:3*sector])
					}
					name := fmt.Sprintf("%d hybrid=%t grown=%t damaged=%t", sector, hybrid, grown, damaged)
					got := memoryDisk(bytes.Clone(disk))
					g, err := open(got)
					if err == nil {
						err = g.expand()
					}
					if err != nil {
						t.Errorf("%s: %v", name, err)
						continue
					}
					g, err = open(got)
					if err != nil || g.damaged {
						t.Errorf("%s: %v %v", name, err, g.damaged)
						continue
					}
					sectors := int64(len(got)) / sector
					second, err := g.readHalf(sectors - 1)
					if err != nil || !bytes.Equal(second.entries, g.main.entries) {
						t.Errorf("%s: the copy: %v", name, err)
						continue
					}
					if last := sectors - 2 - 16384/sector; g.main.number(headerLast) != last || second.number(headerLast) != last {
						t.Errorf("%s: last sector %d and %d, not %d", name, g.main.number(headerLast), second.number(headerLast), last)
					}
					if rows := g.rows(); len(rows) != 2 || rows[1].name != "zwei" || rows[1].start != 4096*sector {
						t.Errorf("%s: %v", name, rows)
					}
					array2 := second.number(headerArray) * sector
					l := changed(disk, got, func(i int) bool {
						at := int64(i)
						return at >= sector && at < 2*sector+16384 || at >= array2 || !hybrid && at >= mbrEntries+entrySize && at < mbrEntries+entrySize+4
					})
					if len(l) > 0 {
						t.Errorf("%s: other bytes have changed: %v", name, l[:min(len(l), 20)])
					}
					if sector == 512 {
						judge(t, name, got)
					}
				}
			}
		}
		// A disk that is smaller than its table, and an MBR put over a GPT of once.
		cut := memoryDisk(bytes.Clone(small[:4500*sector]))
		was := bytes.Clone(cut)
		g, err := open(cut)
		if err == nil {
			err = g.expand()
		}
		if err == nil || !strings.Contains(err.Error(), "partition 2 ends at sector 5119") || !bytes.Equal(cut, was) {
			t.Errorf("%d: a disk that is too small: %v", sector, err)
		}
		old := memoryDisk(bytes.Clone(small))
		entryAt(old, 0)[entryType] = 0x83
		was = bytes.Clone(old)
		if g, err = open(old); err == nil {
			err = g.expand()
		}
		if err == nil || !bytes.Equal(old, was) {
			t.Errorf("%d: an MBR put over a GPT: %v", sector, err)
		}
	}
}

// Hostile tables end in an error or a short list, not in a panic or a loop.
func FuzzTables(f *testing.F) {
	f.Add([]byte{1, 2, 3}, int64(450))
	f.Fuzz(func(t *testing.T, noise []byte, at int64) {
		disk := make(memoryDisk, 1<<20)
		for _, s := range []int{0, 100, 200} {
			disk[s*512+mbrMark], disk[s*512+mbrMark+1] = 0x55, 0xaa
			e := entryAt(disk[s*512:], 1)
			e[entryType], e[entryLBA], e[entrySize+1] = 5, 100, 9
		}
		copy(disk[512:], "EFI PART")
		disk[512+headerSize] = leastHeader
		if at >= 0 && at < int64(len(disk)) {
			copy(disk[at:], noise)
		}
		le.PutUint32(disk[512+headerCRC:], 0)
		if n := le.Uint32(disk[512+headerSize:]); n >= leastHeader && n <= 512 {
			le.PutUint32(disk[512+headerCRC:], headerSum(disk[512:1024]))
		}
		d := tableDisk{disk, 512, int64(len(disk)) / 512}
		if m, err := readMBR(d); err == nil {
			m.rows()
			m.add("logical", 300, 310)
			m.del(5)
		}
		if g, err := readGPT(d); err == nil {
			g.rows()
			g.add("p", 100, 200)
			g.expand()
		}
	})
}

// An MBR is what the kernel makes of it.
func TestMBRAsTheKernel(t *testing.T) {
	disk := make(memoryDisk, 1<<20)
	table := func(sector int64, entries ...[3]uint32) {
		b := disk[sector*512:]
		b[mbrMark], b[mbrMark+1] = 0x55, 0xaa
		for i, v := range entries {
			e := entryAt(b, i)
			e[entryType] = byte(v[0])
			le.PutUint32(e[entryLBA:], v[1])
			le.PutUint32(e[entrySize:], v[2])
		}
	}
	table(0, [3]uint32{15, 100, 200}, [3]uint32{0x83, 50, 0}, [3]uint32{5, 400, 200}, [3]uint32{0x83, 0, 2100})
	table(100, [3]uint32{0x83, 10, 20}, [3]uint32{5, 100, 50}, [3]uint32{0x83, 40, 10}, [3]uint32{0x83, 40, 999})
	table(200, [3]uint32{0x83, 10, 20})
	table(400, [3]uint32{0x83, 10, 20}, [3]uint32{5, 9000, 50}) // goes on outside of the disk
	read := func() *mbr {
		m, err := readMBR(tableDisk{disk, 512, int64(len(disk)) / 512})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	check := func(want string) {
		t.Helper()
		got := ""
		for _, p := range read().parts {
			got += fmt.Sprintf("%d:%d-%d ", p.num, p.start, p.end)
		}
		if got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
	check("1:100-299 3:400-599 4:0-2099 5:110-129 6:140-149 7:210-229 8:410-429 ")
	if !read().beyond {
		t.Error("the chain ends on the disk")
	}
	if err := read().del(5); err != nil { // which has its sector together with another one
		t.Error(err)
	}
	check("1:100-299 3:400-599 4:0-2099 5:140-149 6:210-229 7:410-429 ")
	if err := read().del(5); err != nil {
		t.Error(err)
	}
	check("1:100-299 3:400-599 4:0-2099 5:210-229 6:410-429 ")
	le.PutUint32(entryAt(disk[400*512:], 1)[entrySize:], 0)
	if err := read().add("logical", 500, 509); err != nil {
		t.Error(err)
	}
	check("1:100-299 3:400-599 4:0-2099 5:210-229 6:410-429 7:500-509 ")
	if err := read().resize(7, 519); err != nil {
		t.Error(err)
	}
	if err := read().del(6); err != nil {
		t.Error(err)
	}
	check("1:100-299 3:400-599 4:0-2099 5:210-229 6:500-519 ")
	if err := read().add("logical", 300, 310); err == nil {
		t.Error("a logical partition outside of the extended ones is taken")
	}
}
