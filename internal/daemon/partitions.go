package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
)

// labels are the partition tables that can be made, and other names for them.
var labels = map[string]string{
	"aix": "aix", "amiga": "amiga", "bsd": "bsd", "dasd": "dasd", "dvh": "dvh", "gpt": "gpt", "mac": "mac",
	"msdos": "msdos", "pc98": "pc98", "sun": "sun",
	"rdb": "amiga", "efi": "gpt", "mbr": "msdos",
}

func labelName(parttype string) (string, error) {
	if l, ok := labels[parttype]; ok {
		return l, nil
	}
	return "", errors.New(`unknown partition type: common choices are "gpt" and "msdos"`)
}

func checkPartnum(n int) error {
	if n <= 0 {
		return errors.New("partition number must be >= 1")
	}
	return nil
}

// partedEnv lets parted read and write names of partitions that are not ASCII.
var partedEnv = []string{"LC_ALL=C.UTF-8"}

// parted changes a partition table. The tool complains on standard output.
func parted(dev Device, command ...string) error {
	t := &Tool{Args: append([]string{"parted", "-s", "--", string(dev)}, command...), Env: partedEnv, FoldStdout: true}
	if err := t.Run(context.Background()); err != nil {
		return fmt.Errorf("parted: %s: %w", dev, oneLine(err, noUdev))
	}
	return awaitPartitions(dev)
}

// noUdev is what a shell says when parted wants to wait for udev.
const noUdev = "udevadm: not found"

// oneLine makes a tool's complaint one line, leaving out lines that hold one of
// the texts.
func oneLine(err error, drop ...string) error {
	var e *ToolError
	if !errors.As(err, &e) {
		return err
	}
	keep := []string{}
	for _, l := range lines(e.Text) {
		l = strings.Trim(l, " \t\r")
		noise := strings.Trim(l, "*") == "" || strings.HasPrefix(l, "Try '") // to read its help
		for _, d := range drop {
			noise = noise || strings.Contains(l, d)
		}
		if !noise {
			keep = append(keep, l)
		}
	}
	e.Text = strings.Join(keep, "; ")
	return err
}

// partedPart is parted for a command on one partition.
func partedPart(dev Device, partnum int, command string, args ...string) error {
	if err := checkPartnum(partnum); err != nil {
		return err
	}
	return parted(dev, append([]string{command, strconv.Itoa(partnum)}, args...)...)
}

// awaitPartitions waits, but not for ever, until every partition that the kernel
// knows on a disk has its node.
func awaitPartitions(dev Device) error {
	name := filepath.Base(string(dev))
	missing := ""
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		missing = ""
		for _, p := range globAll("/sys/block/" + name + "/" + name + "*/dev") {
			node := "/dev/" + filepath.Base(filepath.Dir(p))
			if _, err := os.Stat(node); err != nil {
				missing = node
			}
		}
		if missing == "" {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s: the kernel has made the partition, but no device node", missing)
		}
	}
}

// partitionRow is one partition as parted prints it.
type partitionRow struct {
	num              int
	start, end, size int64 // bytes
	fs, name, flags  string
}

// partitionTable reads a disk's partition table: its kind and its partitions.
func partitionTable(dev Device) (label string, rows []partitionRow, err error) {
	t := &Tool{Args: []string{"parted", "-m", "-s", "--", string(dev), "unit", "b", "print"}, Env: partedEnv}
	out, err := t.Output(context.Background())
	if err != nil {
		err = folded(out, oneLine(err, noUdev))
		if strings.Contains(err.Error(), "unrecognised disk label") {
			return "", nil, fmt.Errorf("parted: %s: %v: %w", dev, err, syscall.EINVAL)
		}
		return "", nil, fmt.Errorf("parted: %s: %w", dev, err)
	}
	return parsePartitionTable(dev, out)
}

func parsePartitionTable(dev Device, out string) (label string, rows []partitionRow, err error) {
	disk := false
	for _, line := range lines(out) {
		line = strings.TrimSpace(line)
		if line == "" || line == "BYT;" {
			continue
		}
		f := machineFields(line)
		if !disk {
			// DEVICE:SIZE:TRANSPORT:SECTOR:SECTOR:LABEL:MODEL:FLAGS
			if len(f) < 6 {
				return "", nil, fmt.Errorf("%s: cannot understand what parted prints: %q", dev, line)
			}
			disk, label = true, f[5]
			continue
		}
		// NUMBER:START:END:SIZE:FILESYSTEM:NAME:FLAGS
		var r partitionRow
		if len(f) < 7 {
			return "", nil, fmt.Errorf("%s: cannot understand what parted prints: %q", dev, line)
		}
		if r.num, err = strconv.Atoi(f[0]); err != nil {
			return "", nil, fmt.Errorf("%s: cannot understand what parted prints: %q", dev, line)
		}
		for i, v := range []*int64{&r.start, &r.end, &r.size} {
			if *v, err = strconv.ParseInt(strings.TrimSuffix(f[1+i], "B"), 10, 64); err != nil {
				return "", nil, fmt.Errorf("%s: cannot understand what parted prints: %q", dev, line)
			}
		}
		r.fs, r.name, r.flags = f[4], f[5], f[6]
		rows = append(rows, r)
	}
	if !disk {
		return "", nil, fmt.Errorf("%s: parted prints nothing about the disk", dev)
	}
	return label, rows, nil
}

// machineFields splits a line of parted's machine format: colons between the
// fields, a semicolon at the end, a backslash before either where it is meant.
func machineFields(line string) []string {
	fields := []string{}
	var b strings.Builder
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && i+1 < len(line):
			i++
			b.WriteByte(line[i])
		case c == ':':
			fields = append(fields, b.String())
			b.Reset()
		case c == ';' && i == len(line)-1:
		default:
			b.WriteByte(c)
		}
	}
	return append(fields, b.String())
}

// partitionRowOf is the row of one partition, and the kind of the table.
func partitionRowOf(dev Device, partnum int) (string, *partitionRow, error) {
	if err := checkPartnum(partnum); err != nil {
		return "", nil, err
	}
	label, rows, err := partitionTable(dev)
	if err != nil {
		return "", nil, err
	}
	for i := range rows {
		if rows[i].num == partnum {
			return label, &rows[i], nil
		}
	}
	return label, nil, fmt.Errorf("partition number %d not found: %w", partnum, errnoOnly(syscall.ENOENT))
}

func (d Actions) PartInit(device Device, parttype string) error {
	label, err := labelName(parttype)
	if err != nil {
		return err
	}
	return parted(device, "mklabel", label)
}

func (d Actions) PartAdd(device Device, prlogex string, startsect, endsect int64) error {
	kinds := map[string]string{"p": "primary", "l": "logical", "e": "extended"}
	kind := prlogex
	if k, ok := kinds[prlogex]; ok {
		kind = k
	} else if kind != "primary" && kind != "logical" && kind != "extended" {
		return fmt.Errorf(`unknown partition type: %s: this should be "primary", "logical" or "extended"`, prlogex)
	}
	if startsect < 0 {
		return errors.New("startsect cannot be negative")
	}
	return parted(device, "mkpart", kind, sectors(startsect), sectors(endsect))
}

func sectors(n int64) string { return strconv.FormatInt(n, 10) + "s" }

func (d Actions) PartDel(device Device, partnum int) error {
	return partedPart(device, partnum, "rm")
}

func (d Actions) PartResize(device Device, partnum int, endsect int64) error {
	return partedPart(device, partnum, "resizepart", sectors(endsect))
}

func (d Actions) PartDisk(device Device, parttype string) error {
	label, err := labelName(parttype)
	if err != nil {
		return err
	}
	name := "primary"
	if label == "gpt" {
		name = "p1"
	}
	// 64 kB free on either side: aligned for any disk, and room for the table's copy.
	return parted(device, "mklabel", label, "mkpart", name, sectors(128), sectors(-128))
}

func (d Actions) PartList(device Device) ([]api.Partition, error) {
	_, rows, err := partitionTable(device)
	if err != nil {
		return nil, err
	}
	list := []api.Partition{}
	for _, r := range rows {
		list = append(list, api.Partition{PartNum: int32(r.num), PartStart: api.ByteCount(r.start), PartEnd: api.ByteCount(r.end), PartSize: api.ByteCount(r.size)})
	}
	return list, nil
}

func (d Actions) PartGetParttype(device Device) (string, error) { return partitionLabel(device) }

// partitionLabel is the kind of a disk's partition table. What parted calls
// "loop" is a file system on the whole disk.
func partitionLabel(dev Device) (string, error) {
	label, _, err := partitionTable(dev)
	if err == nil && label == "loop" {
		err = fmt.Errorf("%s: not a partitioned device", dev)
	}
	return label, err
}

func (d Actions) PartSetBootable(device Device, partnum int, bootable bool) error {
	state := "off"
	if bootable {
		state = "on"
	}
	return partedPart(device, partnum, "set", "boot", state)
}

func (d Actions) PartGetBootable(device Device, partnum int) (bool, error) {
	_, row, err := partitionRowOf(device, partnum)
	if err != nil {
		return false, err
	}
	for _, flag := range strings.Split(row.flags, ",") {
		if strings.TrimSpace(flag) == "boot" {
			return true, nil
		}
	}
	return false, nil
}

func (d Actions) PartSetName(device Device, partnum int, name string) error {
	// parted splits its arguments into words once more, as a shell would.
	quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	return partedPart(device, partnum, "name", quoted)
}

func (d Actions) PartGetName(device Device, partnum int) (string, error) {
	label, row, err := partitionRowOf(device, partnum)
	if err != nil {
		return "", err
	}
	switch label {
	case "gpt", "amiga", "mac", "pc98":
		return row.name, nil
	}
	return "", errors.New("part-get-name can only be used on GUID Partition Tables")
}

func (d Actions) PartGetMbrId(device Device, partnum int) (int, error) {
	if err := checkPartnum(partnum); err != nil {
		return 0, err
	}
	out, err := output("sfdisk", "--part-type", string(device), strconv.Itoa(partnum))
	if err != nil {
		return 0, err
	}
	id, err := strconv.ParseUint(strings.TrimSpace(out), 16, 8)
	if err != nil {
		return 0, fmt.Errorf("%s: the type of partition %d is no MBR type: %s", device, partnum, strings.TrimSpace(out))
	}
	return int(id), nil
}

func (d Actions) PartSetMbrId(device Device, partnum int, idbyte int) error {
	if err := checkPartnum(partnum); err != nil {
		return err
	}
	if idbyte < 0 || idbyte > 255 {
		return fmt.Errorf("idbyte must be between 0 and 255 (was %d)", idbyte)
	}
	if err := run("sfdisk", "--part-type", string(device), strconv.Itoa(partnum), fmt.Sprintf("0x%x", idbyte)); err != nil {
		return oneLine(err)
	}
	return awaitPartitions(device)
}

func (d Actions) PartGetMbrPartType(device Device, partnum int) (string, error) {
	if err := checkPartnum(partnum); err != nil {
		return "", err
	}
	label, _, err := partitionRowOf(device, partnum)
	if err != nil {
		return "", err
	}
	switch {
	case label != "msdos":
		return "primary", nil // other tables have but one kind
	case partnum > 4:
		return "logical", nil
	}
	id, err := d.PartGetMbrId(device, partnum)
	if err != nil {
		return "", err
	}
	switch id {
	case 0x05, 0x0f, 0x85:
		return "extended", nil
	}
	return "primary", nil
}

// gptField reads one line of sgdisk's description of a partition.
func gptField(dev Device, partnum int, field string) (string, error) {
	if err := checkPartnum(partnum); err != nil {
		return "", err
	}
	s, err := sgdiskField(dev, field, "-i", strconv.Itoa(partnum))
	if err == errNoField {
		err = fmt.Errorf("partition number %d not found: %w", partnum, errnoOnly(syscall.ENOENT))
	}
	return s, err
}

var errNoField = errors.New("sgdisk does not show what was asked for")

// What sgdisk says of a disk without a GPT, before it shows the one it would make.
const (
	gptOfNothing = "Creating new GPT entries in memory"
	gptOfMBR     = "converting MBR to GPT format"
)

const (
	partitionGUID = "Partition unique GUID"
	diskIdentity  = "Disk identifier (GUID)"
)

// sgdiskField reads the value behind "field: " in what sgdisk prints.
func sgdiskField(dev Device, field string, args ...string) (string, error) {
	t := &Tool{Args: append([]string{"sgdisk", string(dev)}, args...)}
	out, err := t.Output(context.Background())
	if err != nil {
		return "", fmt.Errorf("sgdisk %s: %w", dev, oneLine(folded(out, err)))
	}
	// The type of an MBR partition has a counterpart; an identity would be made up.
	if strings.Contains(out, gptOfNothing) || strings.Contains(out, gptOfMBR) && (field == partitionGUID || field == diskIdentity) {
		return "", fmt.Errorf("%s: the disk has no GPT", dev)
	}
	for _, line := range lines(out) {
		if v, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(v), nil
		}
	}
	return "", errNoField
}

// folded takes a tool's standard output for its error text if that is empty.
func folded(out string, err error) error {
	var e *ToolError
	if errors.As(err, &e) && e.Text == "" {
		e.Text = strings.TrimSpace(out)
	}
	return err
}

// guidOf takes the GUID out of a field: more text may follow it.
func guidOf(s string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	guid, _, _ := strings.Cut(s, " ")
	return guid, nil
}

// sgdisk changes a GPT.
func sgdisk(dev Device, args ...string) error {
	t := &Tool{Args: append([]string{"sgdisk", string(dev)}, args...), FoldStdout: true}
	if err := t.Run(context.Background()); err != nil {
		return fmt.Errorf("sgdisk %s %s: %w", dev, strings.Join(args, " "), oneLine(err))
	}
	return awaitPartitions(dev)
}

func (d Actions) PartSetGptType(device Device, partnum int, guid string) error {
	return sgdiskPart(device, partnum, "-t", guid)
}

func (d Actions) PartSetGptGuid(device Device, partnum int, guid string) error {
	return sgdiskPart(device, partnum, "-u", guid)
}

func sgdiskPart(dev Device, partnum int, option, value string) error {
	if err := checkPartnum(partnum); err != nil {
		return err
	}
	return sgdisk(dev, option, fmt.Sprintf("%d:%s", partnum, value))
}

func (d Actions) PartGetGptType(device Device, partnum int) (string, error) {
	return guidOf(gptField(device, partnum, "Partition GUID code"))
}

func (d Actions) PartGetGptGuid(device Device, partnum int) (string, error) {
	return guidOf(gptField(device, partnum, partitionGUID))
}

func (d Actions) PartSetGptAttributes(device Device, partnum int, attributes int64) error {
	return sgdiskPart(device, partnum, "-A", fmt.Sprintf("=:%016X", uint64(attributes)))
}

func (d Actions) PartGetGptAttributes(device Device, partnum int) (int64, error) {
	s, err := gptField(device, partnum, "Attribute flags")
	if err != nil {
		return 0, err
	}
	v, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: sgdisk shows the attributes of partition %d as %q", device, partnum, s)
	}
	return int64(v), nil
}

func (d Actions) PartSetDiskGuid(device Device, guid string) error {
	return diskGUID(device, guid)
}

func (d Actions) PartSetDiskGuidRandom(device Device) error { return diskGUID(device, "R") }

func diskGUID(dev Device, guid string) error {
	if err := mustBeGPT(dev); err != nil {
		return err
	}
	return sgdisk(dev, "-U", guid)
}

// mustBeGPT stops sgdisk from turning another partition table into a GPT.
func mustBeGPT(dev Device) error {
	label, err := partitionLabel(dev)
	if err != nil {
		return err
	}
	if label != "gpt" {
		return fmt.Errorf("%s: the disk has no GPT, but a partition table of kind %s", dev, label)
	}
	return nil
}

func (d Actions) PartGetDiskGuid(device Device) (string, error) {
	return guidOf(sgdiskField(device, diskIdentity, "-p"))
}

func (d Actions) PartExpandGpt(device Device) error {
	if err := mustBeGPT(device); err != nil {
		return err
	}
	return sgdisk(device, "-e")
}

var errNoPartition = fmt.Errorf("device name is not a partition: %w", errnoOnly(syscall.EINVAL))

// partitionName takes the name of a partition apart: sda3, nvme0n1p3, md0p3.
var partitionName = regexp.MustCompile(`^(/dev/.*?)(?:(\d)p)?(\d+)$`)

// splitPartition returns the disk of a partition and the partition's number.
func splitPartition(part Device) (Device, int, error) {
	m := partitionName.FindStringSubmatch(string(part))
	if m != nil {
		n, err := strconv.Atoi(m[3])
		if err == nil {
			return Device(m[1] + m[2]), n, nil
		}
	}
	return "", 0, errNoPartition
}

// isPartition asks the kernel.
func isPartition(dev Device) bool {
	var st unix.Stat_t
	if unix.Stat(string(dev), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFBLK {
		return false
	}
	_, err := os.Stat(fmt.Sprintf("/sys/dev/block/%d:%d/partition", unix.Major(st.Rdev), unix.Minor(st.Rdev)))
	return err == nil
}

func (d Actions) PartToDev(partition Device) (string, error) {
	disk, _, err := splitPartition(partition)
	if err == nil && !isPartition(partition) {
		err = errNoPartition
	}
	return string(disk), err
}

func (d Actions) PartToPartnum(partition Device) (int, error) {
	_, n, err := splitPartition(partition)
	if err == nil && !isPartition(partition) {
		err = errNoPartition
	}
	return n, err
}

func (d Actions) ListPartitions() ([]string, error) {
	return append(d.devices.Partitions(), mdPartitions()...), nil
}

// sfdisk writes a partition table from lines of START,SIZE,ID,BOOTABLE.
func sfdisk(dev Device, input []string, args ...string) error {
	t := &Tool{
		Args:  append(append([]string{"sfdisk"}, args...), string(dev)),
		Stdin: strings.NewReader(strings.Join(append(input, ""), "\n")),
	}
	if err := t.Run(context.Background()); err != nil {
		return fmt.Errorf("sfdisk: %s: %w", dev, oneLine(err))
	}
	return awaitPartitions(dev)
}

func (d Actions) Sfdisk(device Device, cyls, heads, sectors int, lines []string) error {
	return sfdisk(device, lines)
}

func (d Actions) SfdiskN(device Device, partnum, cyls, heads, sectors int, line string) error {
	if err := checkPartnum(partnum); err != nil {
		return err
	}
	return sfdisk(device, []string{line}, "-N", strconv.Itoa(partnum))
}

func (d Actions) SfdiskM(device Device, lines []string) error {
	in := []string{}
	for _, l := range lines {
		in = append(in, inMegabytes(l))
	}
	return sfdisk(device, in)
}

// inMegabytes puts the unit after the start and size of one of sfdisk's lines.
func inMegabytes(line string) string {
	f := strings.Split(line, ",")
	for i := range f[:min(2, len(f))] {
		s := strings.TrimSpace(f[i])
		if _, err := strconv.ParseUint(s, 10, 63); err == nil {
			f[i] = s + "MiB"
		}
	}
	return strings.Join(f, ",")
}

func (d Actions) SfdiskL(device Device) (string, error) {
	return output("sfdisk", "-l", string(device))
}

func (d Actions) SfdiskKernelGeometry(device Device) (string, error) {
	return output("sfdisk", "-g", string(device))
}

func (d Actions) SfdiskDiskGeometry(device Device) (string, error) {
	return output("sfdisk", "-G", string(device))
}
