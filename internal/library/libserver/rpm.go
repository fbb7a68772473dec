package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/knqyf263/go-rpmdb/pkg/ndb"

	"gofish/internal/api"
)

// rpmtag.h, rpmmacro.h, header.h
const (
	rpmName        = 1000
	rpmVersion     = 1001
	rpmRelease     = 1002
	rpmEpoch       = 1003
	rpmSummary     = 1004
	rpmDescription = 1005
	rpmURL         = 1020
	rpmArch        = 1022

	rpmdbiPackages = 0
	rmilCmdline    = -7 // level of macros from the command line
	importCopy     = 1
)

// rpmFolders are where the database is: of Fedora since 36 and SUSE, of all others, and
// of systems that are an OSTree.
var rpmFolders = []string{"/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"}

// rpmFiles are the databases of the backends sqlite, ndb and bdb.
var rpmFiles = []string{"rpmdb.sqlite", ndbFile, "Packages"}

const ndbFile = "Packages.db"

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
	dir, err := os.MkdirTemp("", "rpm")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	shown, file, err := r.copy(dir)
	if err != nil {
		return nil, err
	}
	list := []api.Application2{}
	visit := func(header uintptr) { list = append(list, r.application(header)) }
	if file == ndbFile {
		err = r.ndb(filepath.Join(dir, file), visit)
	} else {
		err = r.packages(dir, visit)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: this database of RPM cannot be read: %w", shown, err)
	}
	return list, nil
}

// copy copies the guest's database to a folder of the appliance, since SQLite writes
// files beside the database even to read it. It returns the guest's and the file's name.
func (r *rpm) copy(dir string) (shown, file string, err error) {
	var db, wal *os.File
	if err := r.guest.inside(func() {
		for _, folder := range rpmFolders {
			for _, name := range rpmFiles {
				shown, file = folder+"/"+name, name
				if db = openRegular(shown); db != nil {
					wal = openRegular(shown + "-wal") // what SQLite has not yet merged into the database
					return
				}
			}
		}
	}); err != nil {
		return "", "", err
	}
	if db == nil {
		return "", "", errors.New("no database of RPM is in the guest")
	}
	for name, from := range map[string]*os.File{file: db, file + "-wal": wal} {
		if from == nil {
			continue
		}
		defer from.Close()
		to, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			return "", "", err
		}
		defer to.Close()
		if n, err := io.CopyN(to, from, maxRPM+1); n > maxRPM {
			return "", "", fmt.Errorf("%s: larger than %d MB, which is more than a database of RPM has", shown, maxRPM>>20)
		} else if err != io.EOF {
			return "", "", fmt.Errorf("%s: %w", shown, err)
		}
	}
	return shown, file, nil
}

// maxRPM bounds what a copy of the database takes of the appliance's memory.
const maxRPM = 400 << 20

// openRegular opens a file for reading, nil if there is no regular one.
func openRegular(name string) *os.File {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil
	}
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() {
		f.Close()
		return nil
	}
	return f
}

// packages visits the headers of the database in a folder. The library detects which
// kind it is.
func (r *rpm) packages(folder string, visit func(header uintptr)) error {
	r.call("rpmPushMacro", nil, "_dbpath", nil, folder, rmilCmdline)
	ts, _ := r.call("rpmtsCreate")
	defer r.call("rpmtsFree", ts)
	r.call("rpmtsSetVSFlags", ts, -1) // signatures are not checked
	if n, _ := r.number("rpmtsOpenDB", ts, os.O_RDONLY); n != 0 {
		return errors.New("it is damaged, or of a kind that this RPM does not know")
	}
	it, _ := r.call("rpmtsInitIterator", ts, rpmdbiPackages, nil, 0)
	if it == 0 {
		return nil // no packages
	}
	defer r.call("rpmdbFreeIterator", it)
	for {
		h, _ := r.call("rpmdbNextIterator", it)
		if h == 0 {
			return nil
		}
		visit(h)
	}
}

// ndb visits the headers of a database of SUSE's, a kind that Debian's RPM does
// not support.
func (r *rpm) ndb(file string, visit func(header uintptr)) error {
	db, err := ndb.Open(file)
	if err != nil {
		return err
	}
	defer db.Close()
	var failed error
	for entry := range db.Read() { // to the end: a goroutine waits for it
		if failed = cmp.Or(failed, entry.Err); failed != nil {
			continue
		}
		h, _ := r.call("headerImport", entry.Value, len(entry.Value), importCopy)
		if h == 0 {
			failed = errors.New("a package's header is damaged")
			continue
		}
		visit(h)
		r.call("headerFree", h)
	}
	return failed
}

func (r *rpm) application(header uintptr) api.Application2 {
	text := func(tag int) string {
		p, _ := r.call("headerGetAsString", header, tag)
		return r.takeText(p)
	}
	epoch, _ := r.call("headerGetNumber", header, rpmEpoch)
	return api.Application2{
		Name:        text(rpmName),
		Epoch:       int32(epoch),
		Version:     text(rpmVersion),
		Release:     text(rpmRelease),
		Arch:        text(rpmArch),
		URL:         text(rpmURL),
		Summary:     text(rpmSummary),
		Description: text(rpmDescription),
	}
}
