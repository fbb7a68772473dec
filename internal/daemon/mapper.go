package daemon

import (
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
)

// Devices of device-mapper, and the names of logical volumes among them.

type mapper struct{ name, uuid, kernel string }

func allMappers() []mapper {
	var l []mapper
	for _, dir := range globAll("/sys/block/dm-*/dm") {
		name, _ := os.ReadFile(dir + "/name")
		uuid, _ := os.ReadFile(dir + "/uuid")
		l = append(l, mapper{strings.TrimSpace(string(name)), strings.TrimSpace(string(uuid)), filepath.Base(filepath.Dir(dir))})
	}
	return l
}

// deviceMappers lists the mapped devices except our own.
func deviceMappers() []mapper {
	return slices.DeleteFunc(allMappers(), func(m mapper) bool { return strings.HasPrefix(m.name, paddedName) })
}

// mappersWhere lists devices of device-mapper.
func mappersWhere(is func(mapper) bool) []string {
	var l []string
	for _, m := range deviceMappers() {
		if is(m) {
			l = append(l, volumeName(api.MapperDir+m.name))
		}
	}
	return l
}

// logicalVolumes lists the volumes of LVM as /dev/VG/LV.
func (d *Daemon) logicalVolumes() []string {
	l := []string{}
	for _, dm := range deviceMappers() {
		path, ok := canonicalLV(Device(api.MapperDir + dm.name))
		if ok && unix.Access(path, unix.F_OK) == nil {
			l = append(l, path)
		}
	}
	sort.Strings(l)
	return l
}

// mappedDevices lists device-mapper devices that are not logical volumes, such as
// opened LUKS devices.
func (d *Daemon) mappedDevices() []string {
	l := []string{}
	for _, dm := range deviceMappers() {
		if !strings.HasPrefix(dm.uuid, "LVM-") {
			l = append(l, api.MapperDir+dm.name)
		}
	}
	sort.Strings(l)
	return l
}

// canonicalLV returns /dev/VG/LV for any name of an active logical volume. The
// kernel knows its UUID, LVM- and twice 32 characters; the parts of volumes have
// a suffix. A dash within a name is doubled in the kernel's name, VG-LV.
func canonicalLV(dev Device) (string, bool) {
	dir := sysFolder(string(dev))
	if dir == "" {
		return "", false
	}
	uuid, _ := os.ReadFile(dir + "/dm/uuid")
	id, ok := strings.CutPrefix(strings.TrimSpace(string(uuid)), "LVM-")
	if !ok || len(id) != 64 {
		return "", false
	}
	name, err := os.ReadFile(dir + "/dm/name")
	if err != nil {
		return "", false
	}
	vg, lv, ok := splitDMName(strings.TrimSpace(string(name)))
	return "/dev/" + vg + "/" + lv, ok
}

func splitDMName(name string) (vg, lv string, ok bool) {
	for i := 0; i < len(name); i++ {
		if name[i] != '-' {
			continue
		}
		if i+1 < len(name) && name[i+1] == '-' {
			i++
			continue
		}
		single := strings.NewReplacer("--", "-")
		return single.Replace(name[:i]), single.Replace(name[i+1:]), true
	}
	return "", "", false
}

// volumeName turns /dev/mapper/VG-LV into /dev/VG/LV if that exists.
func volumeName(dev string) string {
	if name, ok := canonicalLV(Device(dev)); ok && unix.Access(name, unix.F_OK) == nil {
		return name
	}
	return dev
}
