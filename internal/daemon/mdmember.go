package daemon

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// arrayMember is what a member of a RAID array says of itself and of its array (struct
// mdp_superblock_1 of linux/raid/md_p.h).
type arrayMember struct {
	device        string // kernel name
	array, id     [16]byte
	name          string
	of            int // members of the array
	number        uint32
	events        uint64
	needed, there int64 // bytes
	failed        func(number uint32) bool
}

const (
	mdArrayID   = 16
	mdName      = 32
	mdMembersOf = 92
	mdDataAt    = 128
	mdDataSize  = 136
	mdOwnPlace  = 144
	mdNumber    = 160
	mdDeviceID  = 168
	mdEvents    = 200
	mdRoleCount = 220
	mdRoles     = 256

	mdRoleFailed = 0xfffe
)

// readMember reads the superblock of a device of the size. That of version 0.90 says little.
func readMember(r interface {
	ReadAt([]byte, int64) (int, error)
}, size int64) (m arrayMember, ok bool) {
	for _, at := range []int64{4096, 0, (size/512 - 16) &^ 7 * 512} {
		b := make([]byte, 4096)
		n, _ := r.ReadAt(b, max(at, 0))
		if b = b[:n]; at < 0 || len(b) < mdRoles || !bytes.HasPrefix(b, mdMagic) || le.Uint32(b[4:]) != 1 || le.Uint64(b[mdOwnPlace:])*512 != uint64(at) {
			continue
		}
		const most = 1 << 40 // sectors
		start, length := le.Uint64(b[mdDataAt:]), le.Uint64(b[mdDataSize:])
		if start > most || length > most {
			return m, false
		}
		m = arrayMember{of: int(int32(le.Uint32(b[mdMembersOf:]))), number: le.Uint32(b[mdNumber:]), events: le.Uint64(b[mdEvents:]),
			needed: int64(start+length) * 512, there: size}
		copy(m.array[:], b[mdArrayID:])
		copy(m.id[:], b[mdDeviceID:])
		m.name = cmp.Or(shortArrayName(string(bytes.TrimRight(b[mdName:mdName+32], "\x00"))), fmt.Sprintf("%x", m.array))
		roles := b[mdRoles:]
		m.failed = func(number uint32) bool {
			at := int(number) * 2
			return number < le.Uint32(b[mdRoleCount:]) && at+2 <= len(roles) && le.Uint16(roles[at:]) >= mdRoleFailed
		}
		return m, true
	}
	return m, false
}

// shortArrayName is an array's name without the machine that made it.
func shortArrayName(name string) string {
	return strings.TrimPrefix(name[strings.LastIndex(name, ":")+1:], mdDir+"/")
}

// activeArray is what the kernel says of an array that runs: its members, how many it is to
// have, and how many it lacks.
type activeArray struct {
	device    string
	members   []string
	of, lacks int
}

func activeArrays() (l []activeArray) {
	for _, dir := range globAll("/sys/block/md*/md") {
		said := func(file string) string {
			b, _ := os.ReadFile(file)
			return strings.TrimSpace(string(b))
		}
		if state := said(dir + "/array_state"); state == "clear" || state == "inactive" {
			continue
		}
		name := filepath.Base(filepath.Dir(dir))
		a := activeArray{device: "/dev/" + name, members: slaves(name)}
		a.of, _ = strconv.Atoi(said(dir + "/raid_disks"))
		a.lacks, _ = strconv.Atoi(said(dir + "/degraded"))
		for _, member := range globAll(dir + "/dev-*") {
			// One that is being filled is there.
			if said(member+"/state") == "spare" && said(member+"/slot") != "none" {
				a.lacks--
			}
		}
		l = append(l, a)
	}
	return l
}

// tellArrays warns of arrays that do not start, or that are not complete, and of their
// members that are not a part of them. idle are those that mdadm could not start.
func tellArrays(members []arrayMember, arrays []activeArray, idle []idleArray, show func(string) string) (warnings []string) {
	var told [][16]byte
	for _, m := range members {
		if slices.Contains(told, m.array) {
			continue
		}
		told = append(told, m.array)
		var all, in []arrayMember
		lacks, runs := 0, false
		for _, o := range members {
			if o.array != m.array {
				continue
			}
			all = append(all, o)
			for _, a := range arrays {
				if slices.Contains(a.members, o.device) {
					in, lacks, runs = append(in, o), a.lacks, true
				}
			}
		}
		var parts []string
		ids := map[[16]byte]bool{}
		for _, o := range all {
			ids[o.id] = true
			if reason := o.leftOut(in, all, show); reason != "" {
				parts = append(parts, reason)
			}
		}
		absent := m.of - len(ids)
		text := ""
		if i := slices.IndexFunc(idle, func(a idleArray) bool { return a.name == m.name }); i >= 0 && !runs {
			text = "array " + m.name + " does not start: " + idle[i].reason
			idle = slices.Delete(slices.Clone(idle), i, i+1)
			if absent > 0 || len(parts) == 0 {
				parts = append(parts, "add all of its disks")
			}
		} else if runs && (lacks > 0 || len(parts) > 0) {
			text = "array " + m.name
			if lacks > 0 {
				text += fmt.Sprintf(" runs without %d of its %d members", lacks, m.of)
			}
		}
		if text != "" && len(parts) > 0 {
			text += ": " + strings.Join(parts, "; ")
		}
		if text != "" {
			warnings = append(warnings, text)
		}
	}
	for _, a := range arrays { // of the version whose superblock says little
		if a.lacks > 0 && !slices.ContainsFunc(members, func(m arrayMember) bool { return slices.Contains(a.members, m.device) }) {
			warnings = append(warnings, fmt.Sprintf("array %s runs without %d of its %d members", a.device, a.lacks, a.of))
		}
	}
	for _, a := range idle {
		warnings = append(warnings, fmt.Sprintf("array %s does not start: %s: add all of its disks", a.name, a.reason))
	}
	return warnings
}

// leftOut says why a member is not one of those in use; empty if it is.
func (m arrayMember) leftOut(in, all []arrayMember, show func(string) string) string {
	used := func(o arrayMember) bool { return o.device == m.device }
	switch {
	case slices.ContainsFunc(in, used):
		return ""
	case m.there < m.needed:
		return fmt.Sprintf("%s has %d sectors, but its data needs %d: the image was cut off", show(m.device), m.there/512, m.needed/512)
	}
	for _, o := range in {
		switch {
		case o.id == m.id:
			return fmt.Sprintf("%s is a copy of %s and is not used", show(m.device), show(o.device))
		case m.failed(o.number) && o.failed(m.number):
			return fmt.Sprintf("%s is not used: it and %s were written to without each other, and differ", show(m.device), show(o.device))
		case m.events < o.events:
			return fmt.Sprintf("%s is not used: it is older than %s", show(m.device), show(o.device))
		}
	}
	if len(in) > 0 {
		return show(m.device) + " is not used"
	}
	return ""
}

// arrayMembers reads the superblocks of all devices that have one, in the order of the drives.
func (d *Devices) arrayMembers() (l []arrayMember) {
	names := blockDevices("sd", "hd", "vd", "dm-")
	for i := range names {
		names[i] = "/dev/" + names[i]
	}
	slices.Sort(names)
	for _, name := range d.inOrder(names) {
		fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue
		}
		var size int64
		if ioctlPtr(fd, unix.BLKGETSIZE64, &size) == nil {
			if m, ok := readMember(blockReader(fd), size); ok {
				m.device = name
				l = append(l, m)
			}
		}
		unix.Close(fd)
	}
	return l
}
