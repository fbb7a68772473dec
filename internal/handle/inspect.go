package handle

import (
	"context"
	"fmt"
	"sort"

	"gofish/internal/api"
	"gofish/internal/inspect"
)

// maxDatabase is the size of the largest package database of a guest that is
// read; a full Debian has about 5 MB.
const maxDatabase = 64 << 20

// readBounded reads a file of the guest that must not be larger than max bytes.
func (h Actions) readBounded(c *Call, path string, max int64) ([]byte, error) {
	size, err := c.Filesize(c, path)
	if err != nil {
		return nil, err
	}
	if size > max {
		return nil, fmt.Errorf("%s: %d bytes are too many for what it should be (at most %d are read)", path, size, max)
	}
	return h.ReadFile(c, path)
}

func (h Actions) InspectListApplications2(c *Call, root string) ([]api.Application2, error) {
	format, err := c.InspectGetPackageFormat(c, root)
	if err != nil {
		return nil, err
	}
	list := []api.Application2{}
	if medium, err := c.InspectGetFormat(c, root); err != nil || medium == "installer" {
		return list, err // what it has is not installed
	}
	switch format {
	case "deb":
		var db []byte
		if db, err = h.readBounded(c, "/var/lib/dpkg/status", maxDatabase); err == nil {
			list = inspect.DpkgApplications(string(db))
		}
	case "apk":
		var db []byte
		if db, err = h.readBounded(c, "/lib/apk/db/installed", maxDatabase); err == nil {
			list = inspect.ApkApplications(string(db))
		}
	case "pacman":
		list, err = h.pacman(c)
	case "rpm":
		list, err = c.InternalListRPMApplications(c)
	default:
		list, err = h.windowsApplications(c, root)
	}
	if err != nil {
		return nil, err
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list, nil
}

// pacman keeps a folder for each package.
func (h Actions) pacman(c *Call) ([]api.Application2, error) {
	const folder = "/var/lib/pacman/local"
	names, err := h.Ls(c, folder)
	if err != nil {
		return nil, err
	}
	list, room := []api.Application2{}, int64(maxDatabase)
	for _, n := range names {
		file := folder + "/" + n + "/desc"
		if is, err := c.IsFile(c, file); err != nil {
			return nil, err
		} else if !is {
			continue // ALPM_DB_VERSION, or a package half removed
		}
		desc, err := h.readBounded(c, file, min(room, 1<<20))
		if err != nil {
			return nil, err
		}
		room -= int64(len(desc))
		if app, ok := inspect.PacmanApplication(string(desc)); ok {
			list = append(list, app)
		}
	}
	return list, nil
}

func (h Actions) InspectListApplications(c *Call, root string) ([]api.Application, error) {
	apps, err := h.InspectListApplications2(c, root)
	list := make([]api.Application, 0, len(apps))
	for _, a := range apps {
		list = append(list, api.Application{
			Name: a.Name, DisplayName: a.DisplayName, Epoch: a.Epoch,
			Version: a.Version, Release: a.Release, InstallPath: a.InstallPath,
			TransPath: a.TransPath, Publisher: a.Publisher, URL: a.URL,
			SourcePackage: a.SourcePackage, Summary: a.Summary, Description: a.Description,
		})
	}
	return list, err
}

func (h Actions) InspectGetOsinfo(c *Call, root string) (string, error) {
	var o inspect.OS
	for _, f := range []struct {
		get func(context.Context, string) (string, error)
		to  *string
	}{
		{c.InspectGetType, &o.Type}, {c.InspectGetDistro, &o.Distro}, {c.InspectGetProductName, &o.Product},
		{c.InspectGetProductVariant, &o.Variant}, {c.InspectGetBuildID, &o.BuildID},
	} {
		var err error
		if *f.to, err = f.get(c, root); err != nil {
			return "", err
		}
	}
	for _, f := range []struct {
		get func(context.Context, string) (int, error)
		to  *int
	}{{c.InspectGetMajorVersion, &o.Major}, {c.InspectGetMinorVersion, &o.Minor}} {
		var err error
		if *f.to, err = f.get(c, root); err != nil {
			return "", err
		}
	}
	return inspect.Osinfo(&o), nil
}
