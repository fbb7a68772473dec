package daemon

import (
	"os"
	"strings"
)

// mountEntry is a line of /proc/self/mounts.
type mountEntry struct {
	Source, Point, Type, Options string
}

// octal escapes of /proc/self/mounts (getmntent(3)).
var mountUnescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// sysrootBase is the empty, writable file system that the appliance's init puts
// on the sysroot, so that mount points can be made there. It is not the guest's.
const sysrootBase = "sysroot"

// mountsBelow lists what is mounted at the sysroot and below, oldest first.
// Points are paths of the appliance.
func (d *Daemon) mountsBelow() ([]mountEntry, error) {
	b, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return nil, err
	}
	var l []mountEntry
	for _, line := range lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		point := mountUnescape.Replace(f[1])
		if f[0] == sysrootBase && f[2] == "tmpfs" {
			continue
		}
		if point == d.root.dir || strings.HasPrefix(point, d.root.dir+"/") {
			l = append(l, mountEntry{mountUnescape.Replace(f[0]), point, f[2], f[3]})
		}
	}
	return l, nil
}
