package daemon

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mendTold has the partitions of a disk (kernel name) mended, and tells the user. An image
// of a CD may have anything for a table.
func (d *Daemon) mendTold(disk string) {
	if wrong := d.mendPartitions("/dev/" + disk); wrong != "" && !isCD(d.probeTags("/dev/"+disk)) {
		d.warn("%s: %s", d.devices.Reverse("/dev/"+disk), wrong)
	}
}

// mendPartitions tells the kernel of the partitions of a disk with a damaged table, where
// it sees none that are known, or makes some up. The result is for people, empty where
// nothing is wrong.
func (d *Daemon) mendPartitions(device string) string {
	if unix.Access("/sys/block/"+filepath.Base(device), unix.F_OK) != nil {
		return "" // no disk
	}
	f, err := os.Open(device)
	if err != nil {
		return ""
	}
	defer f.Close()
	disk, err := tableOn(f)
	if err != nil {
		return ""
	}
	first, err := disk.read(0, 1)
	if err != nil {
		return ""
	}
	known := kernelPartitions(device)
	var rows []partitionRow
	var wrong string
	switch {
	case !isTable(first):
		if len(known) > 0 {
			return ""
		}
		if rows, wrong = headlessGPT(disk); wrong == "" || d.probeTags(device)["TYPE"] != "" {
			return "" // a GPT may be left from an earlier use
		}
	case protectiveEntry(first) != nil && len(known) > 0:
		rows, wrong = incompleteGPT(disk, known)
	case protectiveEntry(first) != nil:
		rows, wrong = damagedGPT(disk)
	case validMBR(first):
		rows, wrong = damagedMBR(disk, known)
		if wrong != "" && len(known) == 0 && d.probeTags(device)["PTTYPE"] != "dos" {
			return "" // something else
		}
	}
	if wrong == "" || len(rows) == 0 {
		return wrong
	}
	if err := tellChanges(f, filepath.Base(device), rows); err != nil {
		return wrong + ", but the kernel does not take them: " + err.Error()
	}
	awaitPartitions(Device(device))
	return wrong
}

// tableOn is an open disk for its partition table.
func tableOn(f *os.File) (tableDisk, error) {
	sector, err := unix.IoctlGetInt(int(f.Fd()), unix.BLKSSZGET)
	if err != nil || sector <= 0 {
		return tableDisk{}, wrap(cmp.Or(err, error(unix.EINVAL)), "size of a sector")
	}
	size, err := f.Seek(0, io.SeekEnd)
	return tableDisk{f, int64(sector), size / int64(sector)}, errnoOf(err)
}

// kernelPartitions are the numbers of the partitions that the kernel has of a disk.
func kernelPartitions(device string) (l []int) {
	name := filepath.Base(device)
	for _, p := range globAll("/sys/block/" + name + "/" + name + "*/partition") {
		b, _ := os.ReadFile(p)
		if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			l = append(l, n)
		}
	}
	return l
}

// mostPartitions is how many the kernel has of one disk.
const mostPartitions = 255

// damagedGPT lists the partitions of a GPT that the kernel does not take, and says why.
func damagedGPT(disk tableDisk) (rows []partitionRow, wrong string) {
	g, err := readGPT(disk)
	if err != nil {
		if otherSize := map[int64]int64{512: 4096, 4096: 512}[disk.sector]; otherSize > 0 {
			other := tableDisk{disk.disk, otherSize, disk.sectors * disk.sector / otherSize}
			if _, err := other.readHalf(1); err == nil {
				return nil, "" // that is told elsewhere
			}
		}
		return nil, "it has a GPT by its first sector, but neither that nor the copy at the disk's end can be read, so there are no partitions: " +
			"part-init and part-add make the table anew, with the same places if those are known"
	}
	rows, cut := g.onDisk()
	switch last := g.main.number(headerLast); {
	case g.damaged:
		wrong = "the first half of its GPT is damaged, and the partitions are those of its copy: part-expand-gpt mends it"
	case last >= disk.sectors || last < 0:
		wrong = fmt.Sprintf("its GPT is for a disk of at least %d sectors, but it has %d: the image was cut off, or is a part of one", uint64(last)+1, disk.sectors)
	case len(rows)+cut > 0:
		wrong = "its GPT is of a kind that the kernel does not read, and the partitions are what it says"
	}
	if cut > 0 {
		wrong += fmt.Sprintf("; what is not all on the disk is left out, %d of %d partitions", cut, cut+len(rows))
	}
	return rows, wrong
}

// onDisk lists the partitions that are on the disk, as many as there can be, and counts the others.
func (g *gpt) onDisk() (rows []partitionRow, others int) {
	for _, r := range g.rows() {
		if r.end < g.sectors*g.sector && len(rows) < mostPartitions {
			rows = append(rows, r)
		}
	}
	return rows, len(g.used()) - len(rows)
}

// headlessGPT lists the partitions of a GPT whose disk has lost the first sector, without
// which the kernel does not look for it.
func headlessGPT(disk tableDisk) (rows []partitionRow, wrong string) {
	g, err := readGPT(disk)
	if err != nil || g.damaged {
		return nil, ""
	}
	if _, err := disk.readHalf(g.main.number(headerCopy)); err != nil {
		return nil, ""
	}
	rows, _ = g.onDisk()
	return rows, "its first sector has lost what says that the disk has a GPT, but that is there, with the partitions: part-expand-gpt mends the first sector"
}

// incompleteGPT says which entries of a GPT are no partitions, and why. If the kernel makes
// some of them up, it is to have those in the rows.
func incompleteGPT(disk tableDisk, known []int) (rows []partitionRow, wrong string) {
	g, err := readGPT(disk)
	if err != nil || g.damaged {
		return nil, ""
	}
	var backwards, beyond, others []int
	for _, p := range g.used() {
		switch {
		case p.backwards():
			backwards = append(backwards, p.num)
			if slices.Contains(known, p.num) {
				rows, _ = g.onDisk()
			}
		case p.end >= disk.sectors:
			beyond = append(beyond, p.num)
		case !slices.Contains(known, p.num):
			others = append(others, p.num)
		}
	}
	var l []string
	for _, w := range []struct {
		nums []int
		why  string
	}{
		{backwards, "its GPT has no valid place"},
		{beyond, fmt.Sprintf("its GPT has a place that is not all on the disk, which has %d sectors,", disk.sectors)},
		{others, fmt.Sprintf("the kernel, which takes %d partitions of a disk, has no device", mostPartitions)},
	} {
		if len(w.nums) > 0 {
			l = append(l, w.why+" for "+numbered("partition", w.nums))
		}
	}
	return rows, strings.Join(l, "; ")
}

// numbered lists some numbers of things.
func numbered(what string, nums []int) string {
	const most = 10
	var l []string
	for _, n := range nums[:min(len(nums), most)] {
		l = append(l, strconv.Itoa(n))
	}
	if len(nums) > most {
		l = append(l, fmt.Sprintf("and %d more", len(nums)-most))
	}
	if len(nums) > 1 {
		what += "s"
	}
	return what + " " + strings.Join(l, ", ")
}

// validMBR reports whether the kernel takes a sector with the mark of an MBR for one, and
// not for the first of a file system.
func validMBR(sector []byte) bool {
	return !slices.ContainsFunc([]int{0, 1, 2, 3}, func(i int) bool { return entryAt(sector, i)[entryBoot]&0x7f != 0 })
}

// damagedMBR says what is wrong with an MBR whose disk was cut off, or whose chain of logical
// partitions has no end. Of the latter the kernel makes as many as it can have: it is to have
// those in the rows.
func damagedMBR(disk tableDisk, known []int) (rows []partitionRow, wrong string) {
	m, err := readMBR(disk)
	if err != nil {
		return nil, ""
	}
	if m.ring {
		return m.rows(), fmt.Sprintf("the chain of its logical partitions comes back to its sector %d, so there may be more than the %d that are listed", m.chain[len(m.chain)-1].next, m.logicals())
	}
	var part, none, others []int
	end := int64(0)
	for _, p := range m.parts {
		end = max(end, p.end)
		switch {
		case p.start >= disk.sectors:
			none = append(none, p.num)
		case p.end >= disk.sectors:
			part = append(part, p.num)
		case !slices.Contains(known, p.num):
			others = append(others, p.num)
		}
	}
	if len(none)+len(part) == 0 {
		if len(known) == 0 || len(others) == 0 {
			return nil, ""
		}
		return nil, "the kernel has no device for " + numbered("partition", others) + " of its table"
	}
	wrong = fmt.Sprintf("its partition table is for a disk of at least %d sectors, but it has %d: the image was cut off, or is a part of one", end+1, disk.sectors)
	if len(part) > 0 {
		wrong += "; only the beginning is there of " + numbered("partition", part)
	}
	if len(none) > 0 {
		wrong += "; nothing is there of " + numbered("partition", none)
	}
	if m.beyond {
		wrong += ", and maybe of more logical ones"
	}
	return nil, wrong
}
