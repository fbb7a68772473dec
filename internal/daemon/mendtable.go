package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// mendTold has the partitions of a disk (kernel name) mended, and tells the user. An image
// of a CD may have anything for a table.
func (d *Daemon) mendTold(disk string) {
	if wrong := mendPartitions("/dev/" + disk); wrong != "" && !isCD(d.probeTags("/dev/"+disk)) {
		d.warn("%s: %s", d.devices.Reverse("/dev/"+disk), wrong)
	}
}

// mendPartitions tells the kernel of the partitions of a disk with a damaged table, where
// it sees none that are known, or makes some up. The result is for people, empty where
// nothing is wrong.
func mendPartitions(device string) string {
	if unix.Access("/sys/block/"+filepath.Base(device), unix.F_OK) != nil {
		return "" // no disk
	}
	f, err := os.Open(device)
	if err != nil {
		return ""
	}
	defer f.Close()
	sector, err := unix.IoctlGetInt(int(f.Fd()), unix.BLKSSZGET)
	size, serr := f.Seek(0, unix.SEEK_END)
	if err != nil || serr != nil || sector <= 0 {
		return ""
	}
	disk := tableDisk{f, int64(sector), size / int64(sector)}
	first, err := disk.read(0, 1)
	if err != nil || first[mbrMark] != 0x55 || first[mbrMark+1] != 0xaa {
		return ""
	}
	known := func() bool {
		return len(globAll("/sys/block/"+filepath.Base(device)+"/"+filepath.Base(device)+"*/partition")) > 0
	}
	var rows []partitionRow
	var wrong string
	switch {
	case protectiveEntry(first) != nil:
		if known() {
			return ""
		}
		rows, wrong = damagedGPT(disk)
	case slices.ContainsFunc([]int{0, 1, 2, 3}, func(i int) bool { return isExtended(entryAt(first, i)[entryType]) }):
		rows, wrong = damagedMBR(disk)
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
	cut := 0
	for _, r := range g.rows() {
		if r.start < 0 || r.size <= 0 || r.end >= disk.sectors*disk.sector {
			cut++
		} else {
			rows = append(rows, r)
		}
	}
	const most = 255 // that the kernel has of one disk
	rows = rows[:min(len(rows), most)]
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

// damagedMBR lists the partitions of an MBR whose chain of logical ones has no end, of
// which the kernel makes as many as it can have.
func damagedMBR(disk tableDisk) (rows []partitionRow, wrong string) {
	m, err := readMBR(disk)
	if err != nil || !m.ring {
		return nil, ""
	}
	return m.rows(), fmt.Sprintf("the chain of its logical partitions comes back to its sector %d, so there may be more than the %d that are listed", m.chain[len(m.chain)-1].next, m.logicals())
}
