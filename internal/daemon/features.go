package daemon

import (
	"os"
	"os/exec"
	"slices"
	"strings"

	"gofish/internal/api"
)

// availability is the daemon's answer about an optional group.
type availability int

const (
	available    availability = 0
	unavailable  availability = 1
	unknownGroup availability = 2
)

func (d *Daemon) groupAvailable(name string) availability {
	g, ok := api.Groups[name]
	if !ok {
		return unknownGroup
	}
	for _, tool := range g.Tools {
		if !slices.ContainsFunc(strings.Split(tool, "|"), onPath) {
			return unavailable
		}
	}
	if g.Kernel != "" {
		if _, err := os.Stat(g.Kernel); err != nil {
			return unavailable
		}
	}
	if g.FileSystem != "" && !d.filesystemAvailable(g.FileSystem) {
		return unavailable
	}
	if g.Library != "" && d.libraries.Check(g.Library) != nil {
		return unavailable
	}
	return available
}

func onPath(tool string) bool {
	_, err := exec.LookPath(tool)
	return err == nil
}

// filesystemAvailable reports whether the kernel has a file system, loading its
// module if necessary.
func (d *Daemon) filesystemAvailable(name string) bool {
	if kernelHas(name) {
		return true
	}
	d.run("modprobe", name)
	return kernelHas(name)
}

func kernelHas(fs string) bool {
	b, _ := os.ReadFile("/proc/filesystems")
	for _, line := range lines(string(b)) {
		if _, name, _ := strings.Cut(line, "\t"); name == fs {
			return true
		}
	}
	return false
}
