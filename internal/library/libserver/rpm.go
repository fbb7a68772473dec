package main

import (
	"errors"
	"os"

	"gofish/internal/api"
)

// rpmtag.h, rpmdb's and macros' headers
const (
	rpmName        = 1000
	rpmVersion     = 1001
	rpmRelease     = 1002
	rpmEpoch       = 1003
	rpmSummary     = 1004
	rpmDescription = 1005
	rpmURL         = 1020
	rpmArch        = 1022
	rpmVendor      = 1011
	rpmGroup       = 1016
	rpmSourceRPM   = 1044

	rpmdbiPackages = 0
	rmilCmdline    = -7 // level of macros from the command line
)

// rpmFolders are where the database is: of Fedora since 36 and SUSE, of all others, and
// of systems that are an OSTree.
var rpmFolders = []string{"/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"}

// rpmFiles are the databases of the backends sqlite, ndb and bdb.
var rpmFiles = []string{"rpmdb.sqlite", "Packages.db", "Packages"}

type rpm struct {
	*clib
	guest *guest
}

type rpmActions struct{ *rpm }

func newRPM(g *guest) (any, error) {
	l, err := load("librpm.so.9", "librpm.so.10")
	if err != nil {
		return nil, err
	}
	// The configuration is the appliance's, the database the guest's.
	if n, _ := l.number("rpmReadConfigFiles", nil, nil); n != 0 {
		return nil, errors.New("RPM's configuration is not in the appliance")
	}
	return rpmActions{&rpm{l, g}}, nil
}

func (r rpmActions) InternalListRpmApplications() ([]api.Application2, error) {
	var list []api.Application2
	var err error
	if e := r.guest.inside(func() { list, err = r.applications() }); e != nil {
		return nil, e
	}
	return list, err
}

// applications lists the packages of the database below the root directory.
func (r *rpm) applications() ([]api.Application2, error) {
	folder := ""
	for _, dir := range rpmFolders {
		for _, name := range rpmFiles {
			if st, err := os.Stat(dir + "/" + name); folder == "" && err == nil && st.Mode().IsRegular() {
				folder = dir
			}
		}
	}
	if folder == "" {
		return nil, errors.New("no database of RPM is in the guest")
	}
	r.call("rpmPushMacro", nil, "_dbpath", nil, folder, rmilCmdline)
	ts, _ := r.call("rpmtsCreate")
	defer r.call("rpmtsFree", ts)
	r.call("rpmtsSetVSFlags", ts, -1) // signatures are not looked at
	it, _ := r.call("rpmtsInitIterator", ts, rpmdbiPackages, nil, 0)
	if it == 0 {
		// An empty database has no iterator either.
		if n, _ := r.number("rpmtsOpenDB", ts, os.O_RDONLY); n != 0 {
			return nil, errors.New(folder + ": this database of RPM cannot be read")
		}
		return []api.Application2{}, nil
	}
	defer r.call("rpmdbFreeIterator", it)
	list := []api.Application2{}
	for {
		h, _ := r.call("rpmdbNextIterator", it)
		if h == 0 {
			return list, nil
		}
		text := func(tag int) string {
			p, _ := r.call("headerGetAsString", h, tag)
			return r.takeText(p)
		}
		epoch, _ := r.call("headerGetNumber", h, rpmEpoch)
		list = append(list, api.Application2{
			App2Name:        text(rpmName),
			App2Epoch:       int32(epoch),
			App2Version:     text(rpmVersion),
			App2Release:     text(rpmRelease),
			App2Arch:        text(rpmArch),
			App2Url:         text(rpmURL),
			App2Summary:     text(rpmSummary),
			App2Description: text(rpmDescription),
		})
	}
}
