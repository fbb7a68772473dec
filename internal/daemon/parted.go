package daemon

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Tables of partitions by parted and sfdisk, for the labels that this program does not write itself.

// parted changes a partition table. The tool complains on standard output.
func (d *Daemon) parted(dev Device, command ...string) error {
	t := &Tool{Args: append([]string{"parted", "-s", "--", string(dev)}, command...), Env: partedEnv, FoldStdout: true}
	if err := t.Run(d.call); err != nil {
		return fmt.Errorf("parted: %s: %w", dev, withoutLines(err, noUdev))
	}
	return awaitPartitions(dev)
}

// partedPart is parted for a command on one partition.
func (d *Daemon) partedPart(dev Device, partnum int, command string, args ...string) error {
	if err := checkPartnum(partnum); err != nil {
		return err
	}
	return d.parted(dev, append([]string{command, strconv.Itoa(partnum)}, args...)...)
}

// partedAdd makes a partition with parted. If it must consist of whole cylinders, the
// closest ones that parted finds are used.
func (d *Daemon) partedAdd(dev Device, label, kind, start, end string) error {
	add := func(start, end string) error {
		args := []string{"mkpart", kind, start, end}
		if unnamed[label] {
			args = slices.Delete(args, 1, 2)
		}
		return d.parted(dev, args...)
	}
	err := add(start, end)
	if err == nil || !byCylinder[label] {
		return err
	}
	if m := closest.FindStringSubmatch(err.Error()); m != nil {
		return add(m[1]+"s", m[2]+"s")
	}
	return err
}

// parsePartitionLabel reads the kind of a table in what parted prints.
func parsePartitionLabel(dev Device, out string) (string, error) {
	for _, line := range lines(out) {
		if line = strings.TrimSpace(line); line == "" || line == "BYT;" {
			continue
		}
		// DEVICE:SIZE:TRANSPORT:SECTOR:SECTOR:LABEL:MODEL:FLAGS
		f := machineFields(line)
		if len(f) < 6 {
			return "", fmt.Errorf("%s: cannot understand what parted prints: %q", dev, line)
		}
		return f[5], nil
	}
	return "", fmt.Errorf("%s: parted prints nothing about the disk", dev)
}

// parsePartitionRows reads the lines after that.
func parsePartitionRows(dev Device, out string) (rows []partitionRow, err error) {
	disk := false
	for _, line := range lines(out) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line == "BYT;":
			continue
		case !disk:
			disk = true
			continue
		}
		// NUMBER:START:END:SIZE:FILESYSTEM:NAME:FLAGS
		f := machineFields(line)
		bad := fmt.Errorf("%s: cannot understand what parted prints: %q", dev, line)
		if len(f) < 7 {
			return nil, bad
		}
		var r partitionRow
		if r.num, err = strconv.Atoi(f[0]); err != nil {
			return nil, bad
		}
		for i, v := range []*int64{&r.start, &r.end, &r.size} {
			if *v, err = strconv.ParseInt(strings.TrimSuffix(f[1+i], "B"), 10, 64); err != nil {
				return nil, bad
			}
		}
		r.name = f[5]
		for _, flag := range strings.Split(f[6], ",") {
			r.bootable = r.bootable || strings.TrimSpace(flag) == "boot"
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// machineFields splits a line of parted's machine format: colons between the
// fields, a semicolon at the end, a backslash before either where it is literal.
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

// sfdisk writes a partition table from lines of START,SIZE,ID,BOOTABLE.
func (d *Daemon) sfdisk(dev Device, input []string, args ...string) error {
	t := &Tool{
		Args:  append(append([]string{"sfdisk"}, args...), string(dev)),
		Stdin: strings.NewReader(strings.Join(append(input, ""), "\n")),
	}
	if err := t.Run(d.call); err != nil {
		return fmt.Errorf("sfdisk: %s: %w", dev, err)
	}
	return awaitPartitions(dev)
}

func sectors(n int64) string { return strconv.FormatInt(n, 10) + "s" }
