package inspect

import "strings"

// mdDevice finds the array that a guest calls name (without /dev/): by the UUID that
// its mdadm.conf gives for the name, else by the name in the array's own superblock.
func mdDevice(g *Guest, name string) string {
	number, ok := mdNumber(name)
	if !ok {
		return ""
	}
	for _, file := range []string{"/etc/mdadm.conf", "/etc/mdadm/mdadm.conf"} {
		for _, line := range g.lines(file) {
			f := strings.Fields(line)
			if len(f) < 3 || f[0] != "ARRAY" {
				continue
			}
			if n, ok := mdNumber(strings.TrimPrefix(f[1], "/dev/")); !ok || n != number {
				continue
			}
			for _, word := range f[2:] {
				if key, uuid, _ := strings.Cut(word, "="); strings.EqualFold(key, "UUID") {
					if dev := g.Device("MD_UUID", uuid); dev != "" {
						return dev
					}
				}
			}
		}
	}
	return g.Device("MD_NAME", number)
}

// mdNumber is what distinguishes the names of arrays: md0, md/0 and md_d0 are 0.
func mdNumber(name string) (string, bool) {
	rest, ok := strings.CutPrefix(name, "md")
	if !ok {
		return "", false
	}
	for _, p := range []string{"/", "_d"} {
		rest = strings.TrimPrefix(rest, p)
	}
	return rest, rest != ""
}
