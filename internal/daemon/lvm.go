package daemon

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"gofish/internal/api"
)

// lvm runs one of LVM's commands.
func (d *Daemon) lvm(args ...string) error {
	_, err := d.lvmOutput(args...)
	return err
}

func (d *Daemon) lvmOutput(args ...string) (string, error) {
	out, err := (&Tool{Args: append([]string{"lvm"}, args...)}).Output(d.call)
	return out, withoutLines(err, lvmNoise...)
}

// lvmNoise appears in lines of LVM that say nothing about the error.
var lvmNoise = []string{"Run `", "Cannot process volume group", "Really WIPE LABELS"}

// lvmColumn reads one column of a report (pvs, vgs, lvs), sorted, without empty lines.
func (d *Daemon) lvmColumn(report, columns string, args ...string) ([]string, error) {
	out, err := d.lvmOutput(append([]string{report, "-o", columns, "--noheadings", "--separator", "/"}, args...)...)
	if err != nil {
		return nil, err
	}
	list := []string{}
	for _, line := range lines(out) {
		// A volume that is missing has no device, but a name in brackets.
		if v := strings.TrimSpace(line); v != "" && v != "unknown device" && v != "[unknown]" {
			list = append(list, v)
		}
	}
	sort.Strings(list)
	return list, nil
}

// lvmReport reads a whole report into structs whose fields are named as the
// report's columns. Their order is that of the groups' metadata, as libguestfs has it.
func lvmReport[T any](d *Daemon, report string) ([]T, error) {
	var columns []string
	for name := range api.Fields(new(T)) {
		columns = append(columns, name)
	}
	out, err := d.lvmOutput(report, "-o", strings.Join(columns, ","), "--unbuffered", "--noheadings", "--nosuffix", "--units", "b", "--separator", "\t")
	if err != nil {
		return nil, err
	}
	list := []T{}
	for _, line := range lines(out) {
		line = strings.TrimLeft(line, " ")
		if line == "" {
			continue
		}
		var row T
		if err := parseReportRow(&row, line); err != nil {
			return nil, fmt.Errorf("%s: %w", report, err)
		}
		list = append(list, row)
	}
	return list, nil
}

// parseReportRow fills the struct that row points to from a line of a report.
func parseReportRow(row any, line string) error {
	values := strings.Split(line, "\t")
	n := 0
	for column, field := range api.Fields(row) {
		if n == len(values) {
			return fmt.Errorf("only %d columns: %q", n, line)
		}
		if err := parseColumn(field, values[n]); err != nil {
			return fmt.Errorf("%s %q: %w", column, values[n], err)
		}
		n++
	}
	if n < len(values) {
		return fmt.Errorf("%d columns where %d were asked for: %q", len(values), n, line)
	}
	return nil
}

// parseColumn sets a field of a struct. A number that the report leaves out is -1.
func parseColumn(field any, s string) (err error) {
	number := func() (n int64, err error) {
		if s == "" {
			return -1, nil
		}
		return strconv.ParseInt(s, 10, 64)
	}
	switch f := field.(type) {
	case *string:
		*f = s
	case *api.DeviceField:
		*f = api.DeviceField(s)
	case *api.UUID:
		if id := strings.ReplaceAll(s, "-", ""); copy(f[:], id) != len(f) || len(id) != len(f) {
			err = errors.New("not an identifier")
		}
	case *api.ByteCount:
		*(*int64)(f), err = number()
	case *int64:
		*f, err = number()
	case *api.OptPercent:
		*f = -1
		if s != "" {
			var v float64
			v, err = strconv.ParseFloat(s, 32)
			*f = api.OptPercent(v)
		}
	default:
		panic(fmt.Sprintf("a column of a report is a %T", f))
	}
	return err
}

// The order is that of the names the client knows.
func (d Actions) Pvs() ([]string, error) {
	list, err := d.lvmColumn("pvs", "pv_name")
	sort.SliceStable(list, func(i, j int) bool { return d.devices.Reverse(list[i]) < d.devices.Reverse(list[j]) })
	return list, err
}

func (d Actions) Vgs() ([]string, error) { return d.lvmColumn("vgs", "vg_name") }
func (d Actions) Lvs() ([]string, error) { return d.visibleVolumes() }

// visibleVolumes lists the volumes that people work with: neither the parts that LVM
// makes others from, nor those that are not activated, such as thin snapshots.
func (d *Daemon) visibleVolumes() ([]string, error) {
	list, err := d.lvmColumn("lvs", "vg_name,lv_name", "-S", "lv_role=public && lv_skip_activation!=yes")
	for i := range list {
		list[i] = "/dev/" + list[i]
	}
	return list, err
}

func (d Actions) PvsFull() ([]api.PV, error) {
	list, err := lvmReport[api.PV](d.Daemon, "pvs")
	name := func(i int) string { return d.devices.Reverse(string(list[i].Name)) }
	sort.SliceStable(list, func(i, j int) bool { return name(i) < name(j) })
	return list, err
}

func (d Actions) VgsFull() ([]api.VG, error) { return lvmReport[api.VG](d.Daemon, "vgs") }
func (d Actions) LvsFull() ([]api.LV, error) { return lvmReport[api.LV](d.Daemon, "lvs") }

func (d Actions) Pvcreate(device Device) error {
	return d.lvm("pvcreate", "--yes", "--force", string(device))
}

func (d Actions) Vgcreate(volgroup string, physvols []Device) error {
	if err := checkOperand(volgroup); err != nil {
		return err
	}
	if len(physvols) == 0 {
		return errors.New("physvols: a volume group needs at least one device")
	}
	args := []string{"vgcreate", "--yes", volgroup}
	for _, p := range physvols {
		args = append(args, string(p))
	}
	return d.lvm(args...)
}

// checkOperand keeps a name from being mistaken for an option. No name in LVM
// begins with a dash.
func checkOperand(name string) error {
	if strings.HasPrefix(name, "-") {
		return fmt.Errorf("%s: a name must not begin with a dash", name)
	}
	return nil
}

func (d Actions) Lvcreate(logvol, volgroup string, mbytes int) error {
	size, err := mebibytes(mbytes)
	if err != nil {
		return err
	}
	return d.lvcreate(logvol, volgroup, "-L", size)
}

func (d Actions) LvcreateFree(logvol, volgroup string, percent int) error {
	if err := checkPercent(percent); err != nil {
		return err
	}
	return d.lvcreate(logvol, volgroup, "-l", strconv.Itoa(percent)+"%FREE")
}

// mebibytes is a size for LVM. A sign would mean more or less than now.
func mebibytes(n int) (string, error) {
	if n < 0 {
		return "", fmt.Errorf("size must not be negative (was %d)", n)
	}
	return strconv.Itoa(n) + "m", nil
}

func (d *Daemon) lvcreate(logvol, volgroup string, size ...string) error {
	for _, name := range []string{logvol, volgroup} {
		if err := checkOperand(name); err != nil {
			return err
		}
	}
	args := append([]string{"lvcreate", "--yes", "--wipesignatures", "y", "--zero", "y"}, size...)
	return d.lvm(append(args, "--name", logvol, volgroup)...)
}

func checkPercent(percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("percentage must be [0..100] (was %d)", percent)
	}
	return nil
}

func (d Actions) LvmRemoveAll() error {
	vgs, err := d.lvmColumn("vgs", "vg_name")
	if err != nil {
		return err
	}
	for _, vg := range vgs { // with their logical volumes
		if err := d.lvm("vgremove", "--yes", "--force", vg); err != nil {
			return err
		}
	}
	pvs, err := d.lvmColumn("pvs", "pv_name")
	if err != nil {
		return err
	}
	for _, pv := range pvs {
		if err := d.lvm("pvremove", "--yes", "--force", pv); err != nil {
			return err
		}
	}
	return nil
}

func (d Actions) Lvremove(device Device) error {
	return d.lvm("lvremove", "--yes", "--force", string(device))
}

func (d Actions) Vgremove(vgname string) error {
	if err := checkOperand(vgname); err != nil {
		return err
	}
	return d.lvm("vgremove", "--yes", "--force", vgname)
}

func (d Actions) Pvremove(device Device) error {
	// With force it accepts that there is nothing to remove; since its question is not
	// answered, a volume in use by a group stays.
	return d.lvm("pvremove", "--force", "--force", string(device))
}

func (d Actions) Pvresize(device Device) error { return d.lvm("pvresize", "--yes", string(device)) }

func (d Actions) PvresizeSize(device Device, size int64) error {
	if size < 0 {
		return fmt.Errorf("size must not be negative (was %d)", size)
	}
	return d.lvm("pvresize", "--yes", "--setphysicalvolumesize", strconv.FormatInt(size, 10)+"b", string(device))
}

func (d Actions) VgActivate(activate bool, volgroups []string) error {
	return d.vgActivate(activate, volgroups...)
}

func (d Actions) VgActivateAll(activate bool) error {
	if activate {
		return d.activateAll("-a", "y")
	}
	return d.vgActivate(false)
}

// vgActivate activates or deactivates volume groups, all if none is named.
func (d *Daemon) vgActivate(activate bool, volgroups ...string) error {
	for _, vg := range volgroups {
		if err := checkOperand(vg); err != nil {
			return err
		}
	}
	yn := "n"
	if activate {
		yn = "y"
	}
	return d.lvm(append([]string{"vgchange", "-a", yn}, volgroups...)...)
}

func (d Actions) Lvresize(device Device, mbytes int) error {
	size, err := mebibytes(mbytes)
	if err != nil {
		return err
	}
	return d.lvresize(device, "-L", size)
}

func (d Actions) LvresizeFree(lv Device, percent int) error {
	if err := checkPercent(percent); err != nil {
		return err
	}
	return d.lvresize(lv, "-l", "+"+strconv.Itoa(percent)+"%FREE")
}

func (d *Daemon) lvresize(lv Device, size ...string) error {
	return d.lvm(append(append([]string{"lvresize", "--yes", "--force"}, size...), string(lv))...)
}

func (d Actions) Lvrename(logvol, newlogvol string) error {
	return d.lvmRename("lvrename", logvol, newlogvol)
}

func (d Actions) Vgrename(volgroup, newvolgroup string) error {
	return d.lvmRename("vgrename", volgroup, newvolgroup)
}

func (d *Daemon) lvmRename(command, from, to string) error {
	for _, name := range []string{from, to} {
		if err := checkOperand(name); err != nil {
			return err
		}
	}
	return d.lvm(command, from, to)
}

func (d Actions) Pvuuid(device Device) (string, error) {
	return d.lvmField("pvs", "pv_uuid", string(device))
}
func (d Actions) Vguuid(vgname string) (string, error) { return d.lvmField("vgs", "vg_uuid", vgname) }
func (d Actions) Lvuuid(device Device) (string, error) {
	return d.lvmField("lvs", "lv_uuid", string(device))
}
func (d Actions) Vgpvuuids(vgname string) ([]string, error) {
	return d.lvmFields("vgs", "pv_uuid", vgname)
}
func (d Actions) Vglvuuids(vgname string) ([]string, error) {
	return d.lvmFields("vgs", "lv_uuid", vgname)
}

// lvmField reads one column for one object.
func (d *Daemon) lvmField(report, column, name string) (string, error) {
	list, err := d.lvmFields(report, column, name)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "", fmt.Errorf("%s: %s shows no %s", name, report, column)
	}
	return list[0], nil
}

func (d *Daemon) lvmFields(report, column, name string) ([]string, error) {
	if err := checkOperand(name); err != nil {
		return nil, err
	}
	return d.lvmColumn(report, column, name)
}

func (d Actions) Vgmeta(vgname string) ([]byte, error) {
	if err := checkOperand(vgname); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "vgmeta")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "meta")
	if err := d.lvm("vgcfgbackup", "-f", file, vgname); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
}

func (d Actions) Vgscan() error { return d.lvm("vgscan", "--mknodes") }

func (d Actions) LvmScan(activate bool) error {
	if err := d.lvm("vgscan", "--mknodes"); err != nil {
		return err
	}
	if activate {
		return d.activateAll("-a", "ay")
	}
	return nil
}

func (d Actions) LvmSetFilter(devices []Device) error {
	accept, sees := []string{}, []*regexp.Regexp{}
	for _, dev := range devices {
		pattern, err := filterPattern(dev)
		if err != nil {
			return err
		}
		accept = append(accept, pattern)
		sees = append(sees, regexp.MustCompile(pattern[len("a|"):len(pattern)-len("|")]))
	}
	return d.setFilter(append(accept, "r|.*|"), func(dev string) bool {
		return slices.ContainsFunc(sees, func(re *regexp.Regexp) bool { return re.MatchString(dev) })
	})
}

func (d Actions) LvmClearFilter() error { return d.setFilter(nil, nil) }

// filterPattern accepts a device, and for a disk also its partitions.
func filterPattern(dev Device) (string, error) {
	var b strings.Builder
	for _, c := range string(dev) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.ContainsRune("/_-,:@", c):
			b.WriteRune(c)
		case c == '.' || c == '+':
			b.WriteString("[" + string(c) + "]")
		default:
			return "", fmt.Errorf("%s: LVM can have no filter for this name", dev)
		}
	}
	parts := ""
	if !isPartition(dev) {
		parts = "p?[0-9]*"
		if last := dev[len(dev)-1]; last >= '0' && last <= '9' {
			parts = "(p[0-9]+)?"
		}
	}
	return "a|^" + b.String() + parts + "$|", nil
}

// setFilter makes LVM see only what a filter lets through: active volumes go
// away, and come back if they are still seen.
func (d *Daemon) setFilter(patterns []string, sees func(device string) bool) error {
	if err := d.vgActivate(false); err != nil {
		return err
	}
	d.lvmFilter, d.lvmSees, d.lvmTold = patterns, sees, map[string]bool{}
	return d.activateAll("-ay")
}

// activateAll activates all groups that LVM sees.
func (d *Daemon) activateAll(args ...string) error {
	s := scanned{kinds: map[string]bool{}}
	d.devices.scan(&s, "sd", "hd", "vd", "md", "dm-")
	return d.activateGroups(s.pvs, args...)
}

func (d Actions) LvmCanonicalLvName(lvname string) (string, error) {
	if !strings.HasPrefix(lvname, "/dev/") {
		return "", fmt.Errorf("%s: not a device name", lvname)
	}
	dev, err := d.devices.Translate(lvname)
	if err != nil {
		return "", err
	}
	name, ok := canonicalLV(dev)
	if !ok {
		return "", fmt.Errorf("%s: not a logical volume", lvname)
	}
	return name, nil
}

func (d Actions) IsLv(mountable Mountable) (bool, error) {
	if mountable.Volume != "" {
		return false, nil
	}
	_, ok := canonicalLV(mountable.Device)
	return ok, nil
}

func (d Actions) PvchangeUuid(device Device) error {
	return d.lvm("pvchange", "--uuid", string(device))
}
func (d Actions) PvchangeUuidAll() error { return d.lvm("pvchange", "--uuid", "--all") }

func (d Actions) VgchangeUuid(vg string) error {
	if err := checkOperand(vg); err != nil {
		return err
	}
	return d.lvm("vgchange", "--uuid", vg)
}

func (d Actions) VgchangeUuidAll() error { return d.lvm("vgchange", "--uuid") }
