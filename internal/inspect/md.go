package inspect

import "strings"

// arrays are the UUIDs of arrays by the name that the guest's mdadm.conf gives them.
func (g *Guest) arrays() map[string]string {
	m := map[string]string{}
	for _, file := range []string{"/etc/mdadm.conf", "/etc/mdadm/mdadm.conf"} {
		for _, line := range g.lines(file) {
			f := strings.Fields(line)
			if len(f) < 3 || f[0] != "ARRAY" {
				continue
			}
			number, ok := mdNumber(strings.TrimPrefix(f[1], "/dev/"))
			if _, twice := m[number]; !ok || twice {
				continue
			}
			for _, word := range f[2:] {
				if key, uuid, _ := strings.Cut(word, "="); strings.EqualFold(key, "UUID") {
					m[number] = uuid
				}
			}
		}
	}
	return m
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
