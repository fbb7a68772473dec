package inspect

import (
	"errors"

	"gofish/internal/api"
	"gofish/internal/hive"
)

// uninstallKeys are where Windows records how to remove applications; on a 64-bit
// Windows those for 32 bits are elsewhere.
var uninstallKeys = []string{
	`Microsoft\Windows\CurrentVersion\Uninstall`,
	`Wow6432Node\Microsoft\Windows\CurrentVersion\Uninstall`,
}

// maxUninstall is how much of the uninstall keys is read: thousands of applications.
const maxUninstall = 64 << 20

// WindowsApplications reads the hive SOFTWARE. Keys that have no name to display are
// updates and parts of other applications, and are skipped.
func WindowsApplications(software []byte) ([]api.Application2, error) {
	h, err := hive.Open(software)
	if err != nil {
		return nil, err
	}
	list := []api.Application2{}
	room := maxUninstall
	for _, path := range uninstallKeys {
		top, ok := h.Find(path)
		if !ok {
			continue
		}
		for _, k := range h.Subkeys(top) {
			name := h.Name(k)
			room -= len(name)
			texts := h.Texts(k, &room)
			if room < 0 {
				return nil, errors.New("the list of applications is unreasonably large")
			}
			display, ok := texts["displayname"]
			if !ok || name == "" {
				continue
			}
			list = append(list, api.Application2{
				Name: name, DisplayName: display, Version: texts["displayversion"],
				InstallPath: texts["installlocation"], Publisher: texts["publisher"],
				URL: texts["urlinfoabout"], Description: texts["comments"],
			})
		}
	}
	return list, nil
}
