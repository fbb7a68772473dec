package daemon

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"gofish/internal/api"
)

// btrfsNew runs a command of btrfs that makes something at a path, its last argument.
func (d *Daemon) btrfsNew(dest Path, args ...string) error {
	name, err := d.root.HostNew(dest)
	if err != nil {
		return say(err, "%s", dest)
	}
	return prefixed(oneLine(run(append(append([]string{"btrfs"}, args...), name)...)), string(dest))
}

type btrfsSubvolumeCreateOpts struct{ Qgroupid *string }

func (d Actions) BtrfsSubvolumeCreate(dest Path, o btrfsSubvolumeCreateOpts) error {
	b := argBuilder{args: []string{"subvolume", "create"}}
	b.text("-i", o.Qgroupid)
	return d.btrfsNew(dest, b.args...)
}

type btrfsSubvolumeSnapshotOpts struct {
	Ro       *bool
	Qgroupid *string
}

func (d Actions) BtrfsSubvolumeSnapshot(source, dest Path, o btrfsSubvolumeSnapshotOpts) error {
	from, err := d.root.Host(source)
	if err != nil {
		return say(err, "%s", source)
	}
	b := argBuilder{args: []string{"subvolume", "snapshot"}}
	b.flag("-r", o.Ro)
	b.text("-i", o.Qgroupid)
	return prefixed(d.btrfsNew(dest, append(b.args, from)...), string(source))
}

func (d Actions) BtrfsSubvolumeDelete(subvolume Path) error {
	return d.btrfsAt(subvolume, "subvolume", "delete")
}

func (d Actions) BtrfsSubvolumeList(fs MountableOrPath) ([]api.Btrfssubvolume, error) {
	var list []api.Btrfssubvolume
	err := d.onBtrfs(fs, func(dir string) (err error) {
		list, err = btrfsSubvolumes(dir)
		return err
	})
	return list, err
}

// btrfsSubvolumes lists the subvolumes of a mounted file system.
func btrfsSubvolumes(dir string) ([]api.Btrfssubvolume, error) {
	out, err := output("btrfs", "subvolume", "list", dir)
	if err != nil {
		return nil, oneLine(err)
	}
	return parseSubvolumes(out), nil
}

var subvolumeLine = regexp.MustCompile(`^ID (\d+) gen \d+ top level (\d+) path (.*)$`)

func parseSubvolumes(out string) []api.Btrfssubvolume {
	list := []api.Btrfssubvolume{}
	for _, line := range lines(out) {
		m := subvolumeLine.FindStringSubmatch(line)
		if m == nil {
			continue // the rest of a name with a line break in it
		}
		id, err1 := strconv.ParseUint(m[1], 10, 64)
		top, err2 := strconv.ParseUint(m[2], 10, 64)
		if err1 == nil && err2 == nil {
			list = append(list, api.Btrfssubvolume{BtrfssubvolumeId: id, BtrfssubvolumeTopLevelId: top, BtrfssubvolumePath: m[3]})
		}
	}
	return list
}

func (d Actions) BtrfsSubvolumeShow(subvolume Path) (api.Hash, error) {
	out, err := d.btrfsOutput(subvolume, nil, "subvolume", "show")
	if err != nil {
		return nil, err
	}
	return parseSubvolumeShow(out), nil
}

// parseSubvolumeShow reads what btrfs prints: the path, then names and values, of
// which "-" is none. What has no name continues the list above it.
func parseSubvolumeShow(out string) api.Hash {
	h := api.Hash{}
	for i, line := range lines(out) {
		if i == 0 {
			h = append(h, api.Pair{Key: "path", Value: line})
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		// A snapshot stands deeper than any name, and may have a colon in its own.
		if last := len(h) - 1; !ok || strings.HasPrefix(line, "\t\t") {
			if h[last].Value != "" {
				h[last].Value += ","
			}
			h[last].Value += strings.TrimSpace(line)
			continue
		}
		if value = strings.TrimSpace(value); value == "-" {
			value = ""
		}
		h = append(h, api.Pair{Key: name, Value: value})
	}
	return h
}

var subvolumeID = regexp.MustCompile(`^ID (\d+)`)

func (d Actions) BtrfsSubvolumeGetDefault(fs MountableOrPath) (id int64, err error) {
	err = d.onBtrfs(fs, func(dir string) error {
		out, err := output("btrfs", "subvolume", "get-default", dir)
		if err != nil {
			return oneLine(err)
		}
		m := subvolumeID.FindStringSubmatch(out)
		if m == nil {
			return fmt.Errorf("btrfs subvolume get-default: unexpected output %q", out)
		}
		id, err = strconv.ParseInt(m[1], 10, 64)
		return err
	})
	return id, err
}

func (d Actions) BtrfsSubvolumeSetDefault(id int64, fs Path) error {
	if id < 0 {
		return fmt.Errorf("%d: numbers of subvolumes are not negative", id)
	}
	return d.btrfsAt(fs, "subvolume", "set-default", strconv.FormatInt(id, 10))
}

func (d Actions) BtrfsQuotaEnable(fs MountableOrPath, enable bool) error {
	command := "disable"
	if enable {
		command = "enable"
	}
	return d.onBtrfs(fs, func(dir string) error { return oneLine(run("btrfs", "quota", command, dir)) })
}

func (d Actions) BtrfsQuotaRescan(fs MountableOrPath) error {
	return d.onBtrfs(fs, func(dir string) error { return oneLine(run("btrfs", "quota", "rescan", "-w", dir)) })
}

func (d Actions) BtrfsQgroupLimit(subvolume Path, size int64) error {
	if size < 0 {
		return fmt.Errorf("size %d: must not be negative", size)
	}
	return d.btrfsAt(subvolume, "qgroup", "limit", strconv.FormatInt(size, 10))
}

func (d Actions) BtrfsQgroupCreate(qgroupid string, subvolume Path) error {
	return d.btrfsAt(subvolume, "qgroup", "create", qgroupid)
}

func (d Actions) BtrfsQgroupDestroy(qgroupid string, subvolume Path) error {
	return d.btrfsAt(subvolume, "qgroup", "destroy", qgroupid)
}

func (d Actions) BtrfsQgroupAssign(src, dst string, path Path) error {
	return d.btrfsAt(path, "qgroup", "assign", src, dst)
}

func (d Actions) BtrfsQgroupRemove(src, dst string, path Path) error {
	return d.btrfsAt(path, "qgroup", "remove", src, dst)
}

func (d Actions) BtrfsQgroupShow(path Path) ([]api.Btrfsqgroup, error) {
	out, err := d.btrfsOutput(path, nil, "qgroup", "show", "--raw")
	if err != nil {
		return nil, err
	}
	return parseQgroups(out), nil
}

var qgroupLine = regexp.MustCompile(`^(\d+/\d+)\s+(\d+)\s+(\d+)(\s|$)`)

func parseQgroups(out string) []api.Btrfsqgroup {
	list := []api.Btrfsqgroup{}
	for _, line := range lines(out) {
		m := qgroupLine.FindStringSubmatch(line)
		if m == nil {
			continue // the heading
		}
		rfer, err1 := strconv.ParseUint(m[2], 10, 64)
		excl, err2 := strconv.ParseUint(m[3], 10, 64)
		if err1 == nil && err2 == nil {
			list = append(list, api.Btrfsqgroup{BtrfsqgroupId: m[1], BtrfsqgroupRfer: rfer, BtrfsqgroupExcl: excl})
		}
	}
	return list
}

// scrub starts one and leaves it to itself: it can be looked at and stopped. Whoever
// unmounts waits for it.
func (d *Daemon) scrub(path Path, verb string) error {
	return d.toolOnFile(path, &Tool{Args: []string{"btrfs", "scrub", verb}, Background: &d.background})
}

func (d Actions) BtrfsScrubStart(path Path) error  { return d.scrub(path, "start") }
func (d Actions) BtrfsScrubCancel(path Path) error { return d.btrfsAt(path, "scrub", "cancel") }

// noScrub is the exit status of btrfs scrub resume if none was stopped; it says so
// where it says what it does.
const noScrub = 2

func (d Actions) BtrfsScrubResume(path Path) error {
	err := d.scrub(path, "resume")
	var te *ToolError
	if errors.As(err, &te) && te.Status == noScrub {
		return fmt.Errorf("%s: no scrub was stopped here before its end", path)
	}
	return err
}

type btrfsScrubFullOpts struct{ Readonly *bool }

func (d Actions) BtrfsScrubFull(path Path, o btrfsScrubFullOpts) error {
	b := argBuilder{args: []string{"scrub", "start", "-B"}}
	b.flag("-r", o.Readonly)
	return d.btrfsAt(path, b.args...)
}

func (d Actions) BtrfsScrubStatus(path Path) (api.Btrfsscrub, error) {
	out, err := d.btrfsOutput(path, nil, "scrub", "status", "-R")
	if err != nil {
		return api.Btrfsscrub{}, err
	}
	var s api.Btrfsscrub
	fillCounts(reflect.ValueOf(&s).Elem(), "btrfsscrub_", out)
	return s, nil
}

// fillCounts sets the numbers of a struct from lines "name: number"; fields are
// named as the lines, behind the prefix.
func fillCounts(v reflect.Value, prefix, out string) {
	counts := map[string]uint64{}
	for _, line := range lines(out) {
		name, value, _ := strings.Cut(line, ":")
		if n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64); err == nil {
			counts[prefix+strings.TrimSpace(name)] = n
		}
	}
	for i := range v.NumField() {
		v.Field(i).SetUint(counts[v.Type().Field(i).Tag.Get("xdr")])
	}
}
