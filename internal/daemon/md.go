package daemon

import (
	"errors"
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"gofish/guestfs/types"
	"gofish/internal/api"
)

// mdNoise is advice that mdadm gives to interactive users.
var mdNoise = []string{"Note: this array has metadata", "may not be suitable", "store '/boot'", "your boot-loader", "--metadata=0.90"}

func (d *Daemon) mdadm(args ...string) error {
	return withoutLines(d.run(append([]string{"mdadm"}, args...)...), mdNoise...)
}

// mdLevels are the levels that can be made; what else mdadm takes as a level is not RAID.
var mdLevels = map[string]bool{
	"linear": true, "raid0": true, "0": true, "stripe": true, "raid1": true, "1": true, "mirror": true,
	"raid4": true, "4": true, "raid5": true, "5": true, "raid6": true, "6": true, "raid10": true, "10": true,
}

func (d Actions) MdCreate(name string, devices []Device, o types.MDCreateOptions) error {
	var missing uint64
	if o.MissingBitmap != nil {
		missing = uint64(*o.MissingBitmap)
	}
	absent := bits.OnesCount64(missing)
	active, spare, level := len(devices)+absent, 0, "raid1"
	if o.Level != nil {
		level = *o.Level
	}
	if o.Spare != nil {
		spare = *o.Spare
	}
	if o.NrDevices != nil {
		active = *o.NrDevices
	}
	switch {
	case strings.HasPrefix(name, "-"): // mdadm has no way to end its options
		return fmt.Errorf("%s: a name of an array does not begin with a dash", name)
	case !mdLevels[level]:
		return fmt.Errorf("level %q: not one of linear, raid0, raid1, raid4, raid5, raid6, raid10", level)
	case spare < 0:
		return fmt.Errorf("spare %d: must not be negative", spare)
	case active < 2:
		return fmt.Errorf("nrdevices %d: an array has two members or more", active)
	case len(devices)+absent != active+spare:
		return fmt.Errorf("%d devices and %d bits in missingbitmap do not make %d members and %d spares", len(devices), absent, active, spare)
	}
	args := []string{"--create", name, "--run", "--homehost=" + mdHome, "--level", level,
		"--raid-devices", strconv.Itoa(active)}
	if spare > 0 {
		args = append(args, "--spare-devices", strconv.Itoa(spare))
	}
	if o.Chunk != nil {
		if *o.Chunk <= 0 || *o.Chunk%1024 != 0 {
			return fmt.Errorf("chunk %d: must be a multiple of 1024", *o.Chunk)
		}
		args = append(args, "--chunk", strconv.FormatInt(*o.Chunk/1024, 10))
	}
	for left := devices; len(left) > 0 || missing != 0; missing >>= 1 {
		switch {
		case missing&1 != 0:
			args = append(args, "missing")
		case len(left) > 0:
			args = append(args, string(left[0]))
			left = left[1:]
		default:
			return errors.New("missingbitmap: a bit is set beyond the last member")
		}
	}
	// Without udev mdadm does not look for a link of the name.
	link := mdDir + "/" + strings.TrimPrefix(name, mdDir+"/")
	if _, err := os.Stat(link); err == nil && name != "" {
		return fmt.Errorf("%s: an array of this name is active: choose another, or stop that", name)
	}
	// It takes a name to mean a file in its working directory, if there is one:
	// the appliance has a root, an etc, a tmp.
	os.Mkdir(mdDir, 0o755)
	create := &Tool{Args: append([]string{"mdadm"}, args...), Dir: mdDir}
	if err := withoutLines(create.Run(d.call), mdNoise...); err != nil {
		forgetArrays()
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// mdDir is where arrays have their names.
const mdDir = "/dev/md"

// mdHome is the name of the machine that arrays are made on: no real one, so that
// no machine takes them for its own.
const mdHome = "(none)"

func (d Actions) MdStop(md Device) error {
	err := d.deviceError(d.mdadm("--stop", string(md)), md)
	forgetArrays()
	return err
}

// forgetArrays removes the names of arrays that are stopped. Without udev mdadm
// creates them but does not remove them, and then takes them for arrays in use.
func forgetArrays() {
	for _, node := range globAll("/dev/md[0-9]*") {
		if _, err := os.Stat("/sys/class/block/" + filepath.Base(node)); os.IsNotExist(err) {
			os.Remove(node)
		}
	}
	for _, link := range globAll("/dev/md/*") {
		if _, err := os.Stat(link); os.IsNotExist(err) {
			os.Remove(link)
		}
	}
}

// nameArrays gives arrays, for the links that mdadm makes without udev, the names that
// people know: without the machine that made them, as /dev/md has them there.
func nameArrays() {
	for _, link := range globAll("/dev/md/*:*") {
		short := "/dev/md/" + link[strings.LastIndex(link, ":")+1:]
		if to, err := os.Readlink(link); err == nil && os.Symlink(to, short) == nil {
			os.Remove(link)
		}
	}
}

// mdPartitions lists the partitions of arrays.
func mdPartitions() []string {
	var l []string
	for _, p := range globAll("/sys/block/md*/md*/partition") {
		l = append(l, "/dev/"+filepath.Base(filepath.Dir(p)))
	}
	return l
}

func (d Actions) MdDetail(md Device) (api.Hash, error) {
	out, err := d.output("mdadm", "--detail", "--export", string(md))
	if err != nil {
		return nil, d.deviceError(err, md)
	}
	h := api.Hash{}
	for _, line := range lines(out) {
		if k, v, ok := strings.Cut(line, "="); ok && strings.HasPrefix(k, "MD_") {
			k = strings.ToLower(strings.TrimPrefix(k, "MD_"))
			if _, twice := h.Get(k); twice {
				continue // the rest of a name with a line break in it
			}
			if k == "devname" {
				v = v[strings.LastIndex(v, ":")+1:] // without the machine that made it, as in /dev/md
			}
			h = append(h, api.Pair{Key: k, Value: d.devices.Reverse(v)})
		}
	}
	return h, nil
}

func (d Actions) MdStat(md Device) ([]api.MDStat, error) {
	name, err := filepath.EvalSymlinks(string(md))
	if err != nil {
		return nil, errnoOf(err)
	}
	b, err := os.ReadFile("/proc/mdstat")
	if err != nil {
		return nil, errnoOf(err)
	}
	list := mdMembers(string(b), filepath.Base(name))
	if list == nil {
		return nil, fmt.Errorf("%s: not an active RAID array", d.shownDevice(md))
	}
	return list, nil
}

// mdMember is a member in /proc/mdstat: sda1[0](S).
var mdMember = regexp.MustCompile(`^(\S+?)\[(\d+)\]((?:\([A-Z]\))*)$`)

// mdMembers finds the members of an array in /proc/mdstat, nil if it is not there.
func mdMembers(mdstat, name string) []api.MDStat {
	for _, line := range lines(mdstat) {
		rest, ok := strings.CutPrefix(line, name+" : ")
		if !ok {
			continue
		}
		list := []api.MDStat{}
		for _, word := range strings.Fields(rest) {
			if m := mdMember.FindStringSubmatch(word); m != nil {
				index, err := strconv.ParseInt(m[2], 10, 32)
				if err != nil {
					continue
				}
				list = append(list, api.MDStat{
					Device: api.DeviceField("/dev/" + m[1]),
					Index:  int32(index),
					Flags:  strings.NewReplacer("(", "", ")", "").Replace(m[3]),
				})
			}
		}
		return list
	}
	return nil
}
