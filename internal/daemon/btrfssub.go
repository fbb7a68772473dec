package daemon

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	pathpkg "path"
	"regexp"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/api"
)

// btrfsNew runs a command of btrfs that makes something at a path, its last argument.
func (d *Daemon) btrfsNew(dest Path, args ...string) error {
	name, err := d.root.HostNew(dest)
	if err != nil {
		return wrap(err, "%s", dest)
	}
	return prefixed(d.run(append(append([]string{"btrfs"}, args...), name)...), string(dest))
}

func (d Actions) BtrfsSubvolumeCreate(dest Path, o types.BtrfsSubvolumeCreateOptions) error {
	b := argBuilder{args: []string{"subvolume", "create"}}
	b.text("-i", o.QgroupID)
	return d.btrfsNew(dest, b.args...)
}

func (d Actions) BtrfsSubvolumeSnapshot(source, dest Path, o types.BtrfsSubvolumeSnapshotOptions) error {
	from, err := d.root.Host(source)
	if err != nil {
		return wrap(err, "%s", source)
	}
	b := argBuilder{args: []string{"subvolume", "snapshot"}}
	b.flag("-r", o.RO)
	b.text("-i", o.QgroupID)
	return prefixed(d.btrfsNew(dest, append(b.args, from)...), string(source))
}

func (d Actions) BtrfsSubvolumeDelete(subvolume Path) error {
	return d.btrfsAt(subvolume, "subvolume", "delete")
}

func (d Actions) BtrfsSubvolumeList(fs MountableOrPath) ([]api.BtrfsSubvolume, error) {
	var list []api.BtrfsSubvolume
	err := d.onBtrfs(fs, func(dir string) (err error) {
		list, err = btrfsSubvolumes(dir)
		return err
	})
	return list, err
}

// btrfsSubvolumes lists the subvolumes of a mounted file system. It asks the kernel, since
// a name may contain text that looks like the tool's output.
func btrfsSubvolumes(dir string) ([]api.BtrfsSubvolume, error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, errnoOf(err)
	}
	defer f.Close()
	type subvolume struct {
		id, parent uint64
		path       string // below the parent
	}
	var found []subvolume
	byID := map[uint64]*subvolume{}
	var failed error
	const (
		rootTree, topLevel         = 1, 5
		firstFree, lastFree        = 256, ^uint64(255)
		rootBackref, dirid, nameAt = 144, 0, 18 // struct btrfs_root_ref: dirid, sequence, length of the name
	)
	err = btrfsSearch(f, rootTree, firstFree, lastFree, rootBackref, func(id, parent uint64, item []byte) {
		if len(item) <= nameAt || failed != nil {
			return
		}
		above, err := btrfsLookup(f, parent, binary.LittleEndian.Uint64(item[dirid:]))
		if err == unix.ENOENT {
			return // being deleted
		}
		failed = err
		found = append(found, subvolume{id, parent, above + string(item[nameAt:])})
	})
	if err = cmp.Or(err, failed); err != nil {
		return nil, err
	}
	for i := range found {
		byID[found[i].id] = &found[i]
	}
	list := []api.BtrfsSubvolume{}
	for _, v := range found {
		path, parent := v.path, v.parent
		for range found { // a damaged tree may contain a cycle
			above := byID[parent]
			if above == nil {
				break
			}
			path, parent = above.path+"/"+path, above.parent
		}
		if parent == topLevel {
			list = append(list, api.BtrfsSubvolume{ID: v.id, TopLevelID: v.parent, Path: path})
		}
	}
	return list, nil
}

// Requests of linux/btrfs.h, each with 4096 bytes.
const (
	btrfsIocTreeSearch = 0xd0009411
	btrfsIocInoLookup  = 0xd0009412
)

// btrfsSearch passes the items of one type in a tree of a mounted file system to fn.
func btrfsSearch(f *os.File, tree, first, last uint64, typ uint32, fn func(object, offset uint64, item []byte)) error {
	type key struct {
		tree, minObject, maxObject, minOffset, maxOffset, _, maxTrans uint64
		minType, maxType, items, _                                    uint32
		_                                                             [4]uint64
	}
	var args struct {
		key
		buf [4096 - unsafe.Sizeof(key{})]byte
	}
	const header = 32 // transid, object, offset, type, length
	from, kind, offset := first, typ, uint64(0)
	for {
		args.key = key{tree: tree, minObject: from, maxObject: last, minOffset: offset, maxOffset: ^uint64(0),
			maxTrans: ^uint64(0), minType: kind, maxType: typ, items: 4096}
		if err := ioctlPtr(int(f.Fd()), btrfsIocTreeSearch, &args); err != nil {
			return err
		}
		if args.items == 0 {
			return nil
		}
		b := args.buf[:]
		for range args.items {
			if len(b) < header {
				break
			}
			size := int(binary.LittleEndian.Uint32(b[28:]))
			from, kind, offset = binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint32(b[24:]), binary.LittleEndian.Uint64(b[16:])
			if len(b) < header+size {
				break
			}
			// The range also has keys of other types between the two ends.
			if kind == typ {
				fn(from, offset, b[header:header+size])
			}
			b = b[header+size:]
		}
		// The key after the last one, whatever its type was.
		if offset++; offset == 0 {
			if kind++; kind == 0 {
				from++
			}
		}
	}
}

// btrfsLookup is the path of a directory in a subvolume, ended by a slash; empty for
// the subvolume itself.
func btrfsLookup(f *os.File, tree, inode uint64) (string, error) {
	var args struct {
		tree, inode uint64
		name        [4080]byte
	}
	args.tree, args.inode = tree, inode
	err := ioctlPtr(int(f.Fd()), btrfsIocInoLookup, &args)
	return unix.ByteSliceToString(args.name[:]), err
}

func (d Actions) BtrfsSubvolumeShow(subvolume Path) (api.Hash, error) {
	out, err := d.btrfsOutput(subvolume, nil, "subvolume", "show")
	if err != nil {
		return nil, err
	}
	host, err := d.root.Host(subvolume)
	if err != nil {
		return nil, wrap(err, "%s", subvolume)
	}
	all, err := btrfsSubvolumes(host)
	if err != nil {
		return nil, wrap(err, "%s", subvolume)
	}
	var paths []string
	for _, v := range all {
		paths = append(paths, v.Path)
	}
	return parseSubvolumeShow(out, paths), nil
}

// parseSubvolumeShow reads what btrfs prints: the path, then names and values, where
// "-" means no value. A line without a name continues the list above it.
func parseSubvolumeShow(out string, paths []string) api.Hash {
	h := api.Hash{}
	out = hideNames(out, paths)
	defer func() {
		for i := range h {
			h[i].Value = showBreaks.Replace(h[i].Value)
		}
	}()
	for i, line := range lines(out) {
		if i == 0 {
			h = append(h, api.Pair{Key: "path", Value: line})
			continue
		}
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		// A snapshot is indented deeper than any name, and may have a colon in its own.
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

// hideNames replaces line breaks in the names that btrfs subvolume show
// prints: path, name, and at the end paths of snapshots.
func hideNames(out string, paths []string) string {
	for _, p := range paths {
		if !strings.Contains(p, "\n") {
			continue
		}
		hidden := hideBreaks.Replace(p)
		if rest, ok := strings.CutPrefix(out, p+"\n"); ok {
			name := pathpkg.Base(p)
			out = hidden + "\n" + strings.Replace(rest, name+"\n", hideBreaks.Replace(name)+"\n", 1)
		}
		out = strings.ReplaceAll(out, "\n\t\t\t\t"+p+"\n", "\n\t\t\t\t"+hidden+"\n")
	}
	return out
}

// A name in a tool's output has no zero byte, so one is used in place of a line break.
var (
	hideBreaks = strings.NewReplacer("\n", "\x00")
	showBreaks = strings.NewReplacer("\x00", "\n")
)

var subvolumeID = regexp.MustCompile(`^ID (\d+)`)

func (d Actions) BtrfsSubvolumeGetDefault(fs MountableOrPath) (id int64, err error) {
	err = d.onBtrfs(fs, func(dir string) error {
		out, err := d.output("btrfs", "subvolume", "get-default", dir)
		if err != nil {
			return err
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
	return d.onBtrfs(fs, func(dir string) error { return d.run("btrfs", "quota", command, dir) })
}

func (d Actions) BtrfsQuotaRescan(fs MountableOrPath) error {
	return d.onBtrfs(fs, func(dir string) error { return d.run("btrfs", "quota", "rescan", "-w", dir) })
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

func (d Actions) BtrfsQgroupShow(path Path) ([]api.BtrfsQgroup, error) {
	// The tool says so if quotas are not enabled; its lines contain names.
	if _, err := d.btrfsOutput(path, nil, "qgroup", "show", "--raw"); err != nil {
		return nil, err
	}
	host, err := d.root.Host(path)
	if err != nil {
		return nil, wrap(err, "%s", path)
	}
	f, err := os.Open(host)
	if err != nil {
		return nil, wrap(err, "%s", path)
	}
	defer f.Close()
	const quotaTree, qgroupInfo = 8, 242
	list := []api.BtrfsQgroup{}
	err = btrfsSearch(f, quotaTree, 0, 0, qgroupInfo, func(_, id uint64, item []byte) {
		if len(item) >= 32 { // generation, referenced, the same compressed, exclusive
			list = append(list, api.BtrfsQgroup{
				ID:   fmt.Sprintf("%d/%d", id>>48, id&(1<<48-1)),
				Rfer: binary.LittleEndian.Uint64(item[8:]),
				Excl: binary.LittleEndian.Uint64(item[24:]),
			})
		}
	})
	return list, wrap(err, "%s", path)
}

// scrub starts a scrub and lets it run: its status can be read, and it can be stopped.
// Unmounting waits for it.
func (d *Daemon) scrub(path Path, verb string) error {
	return d.toolOnFile(path, &Tool{Args: []string{"btrfs", "scrub", verb}, Background: &d.background})
}

func (d Actions) BtrfsScrubStart(path Path) error  { return d.scrub(path, "start") }
func (d Actions) BtrfsScrubCancel(path Path) error { return d.btrfsAt(path, "scrub", "cancel") }

// noScrub is the exit status of btrfs scrub resume if none was stopped; the tool
// says so on standard output.
const noScrub = 2

func (d Actions) BtrfsScrubResume(path Path) error {
	err := d.scrub(path, "resume")
	var te *ToolError
	if errors.As(err, &te) && te.Status == noScrub {
		return fmt.Errorf("%s: no scrub was stopped here before its end", path)
	}
	return err
}

func (d Actions) BtrfsScrubFull(path Path, o types.BtrfsScrubFullOptions) error {
	b := argBuilder{args: []string{"scrub", "start", "-B"}}
	b.flag("-r", o.ReadOnly)
	return d.btrfsAt(path, b.args...)
}

func (d Actions) BtrfsScrubStatus(path Path) (api.BtrfsScrub, error) {
	out, err := d.btrfsOutput(path, nil, "scrub", "status", "-R")
	if err != nil {
		return api.BtrfsScrub{}, err
	}
	var s api.BtrfsScrub
	fillCounts(&s, "btrfsscrub_", out)
	return s, nil
}

// fillCounts sets the numbers of the struct that p points to from lines "name: number".
// Fields have the names of the lines, after the prefix.
func fillCounts(p any, prefix, out string) {
	counts := map[string]uint64{}
	for _, line := range lines(out) {
		name, value, _ := strings.Cut(line, ":")
		if n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64); err == nil {
			counts[prefix+strings.TrimSpace(name)] = n
		}
	}
	for name, field := range api.Fields(p) {
		*field.(*uint64) = counts[name]
	}
}
