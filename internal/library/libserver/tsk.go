package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/ebitengine/purego"

	"gofish/internal/api"
)

// tsk is The Sleuth Kit. Its structs have the layout of the library's version 19
// (tsk_fs.h of release 4.12), which is why no other one is loaded.
type tsk struct {
	*clib
	visit    func(file, path uintptr) error // of the current walk
	err      error                          // what ended it
	callback uintptr
}

type tskActions struct{ *tsk }

func newTSK(*guest) (any, error) {
	l, err := load("libtsk.so.19")
	if err != nil {
		return nil, err
	}
	t := &tsk{clib: l}
	t.callback = purego.NewCallback(func(file, path, _ uintptr) uintptr {
		if t.err = t.visit(file, path); t.err != nil {
			return walkStop
		}
		return walkContinue
	})
	return tskActions{t}, nil
}

// tsk_fs.h
const (
	walkContinue = 0
	walkStop     = 1

	walkAll = 1 | 2 | 4 | 8 // allocated names, others, everything below, but no search for lost files

	nameUnallocated = 2
	metaAllocated   = 1
	metaCompressed  = 0x10
)

type tskFile struct {
	tag        int32
	name, meta uintptr
}

type tskName struct {
	tag       int32
	name      uintptr
	nameSize  uintptr
	short     uintptr
	shortSize uintptr
	metaAddr  uint64
	metaSeq   uint32
	parAddr   uint64
	parSeq    uint32
	dateAdded uint64
	kind      uint32
	flags     uint32
}

type tskTime struct {
	sec  int64
	nsec uint32
}

type tskMeta struct {
	tag        int32
	flags      uint32
	addr       uint64
	kind       uint32
	mode       uint32
	nlink      int32
	size       int64
	uid, gid   uint32
	mtime      tskTime
	atime      tskTime
	ctime      tskTime
	crtime     tskTime
	time2      [9]uint64
	content    uintptr
	contentLen uintptr
	contentTyp uint32
	reset      uintptr
	seq        uint32
	attr       uintptr
	attrState  uint32
	name2      uintptr
	link       uintptr
}

// letter is the letter of a TSK_FS_NAME_TYPE_ENUM, u for one without.
func letter(kind uint32) api.Char {
	const letters = "ufcdbrlshwuu"
	if int(kind) < len(letters) {
		return api.Char(letters[kind])
	}
	return 'u'
}

// walk visits each name of a file system, also deleted ones; what visit writes goes to
// out.
func (t *tsk) walk(device string, out io.Writer, visit func(file, path uintptr) error) error {
	img, _ := t.call("tsk_img_open_utf8_sing", device, 0, 0)
	if img == 0 {
		return t.failed(device)
	}
	defer t.call("tsk_img_close", img)
	fs, _ := t.call("tsk_fs_open_img", img, 0, 0)
	if fs == 0 {
		return t.failed(device)
	}
	defer t.call("tsk_fs_close", fs)
	root := *(*uint64)(at(fs + 32)) // TSK_FS_INFO.root_inum
	t.visit, t.err = func(file, path uintptr) error {
		if err := working(out); err != nil {
			return err
		}
		return visit(file, path)
	}, nil
	if r, _ := t.call("tsk_fs_dir_walk", fs, root, walkAll, t.callback, nil); uint8(r) != 0 {
		return t.failed(device)
	}
	return t.err
}

func (t *tsk) failed(device string) error {
	p, _ := t.call("tsk_error_get")
	text := oneLine(textAt(p))
	if text == "" {
		text = "The Sleuth Kit cannot read this"
	}
	t.call("tsk_error_reset")
	return fmt.Errorf("%s: %s", device, text)
}

// send writes a name, unless it is one of the two that each directory has; the root
// directory has no other.
func (t *tsk) send(out *api.StructWriter, file, path uintptr) error {
	f := (*tskFile)(at(file))
	if f.name == 0 {
		return nil
	}
	n := (*tskName)(at(f.name))
	name, dir := textAt(n.name), textAt(path)
	if name == ".." || name == "." && dir != "" {
		return nil
	}
	e := api.TSKDirent{
		Inode: n.metaAddr, Name: dir + name, Type: letter(n.kind),
		Size: -1, Nlink: -1,
		AtimeSec: -1, MtimeSec: -1, CtimeSec: -1, CrtimeSec: -1,
		AtimeNsec: -1, MtimeNsec: -1, CtimeNsec: -1, CrtimeNsec: -1,
	}
	if n.flags&nameUnallocated == 0 {
		e.Flags = 1
	}
	if f.meta != 0 {
		m := (*tskMeta)(at(f.meta))
		if e.Flags == 0 && m.flags&metaAllocated != 0 {
			e.Flags = 2 // the file of this name is gone, and its inode belongs to another
		}
		if m.flags&metaCompressed != 0 {
			e.Flags |= 4
		}
		e.Size, e.Nlink, e.Link = m.size, int64(m.nlink), textAt(m.link)
		e.AtimeSec, e.AtimeNsec = m.atime.sec, int64(m.atime.nsec)
		e.MtimeSec, e.MtimeNsec = m.mtime.sec, int64(m.mtime.nsec)
		e.CtimeSec, e.CtimeNsec = m.ctime.sec, int64(m.ctime.nsec)
		e.CrtimeSec, e.CrtimeNsec = m.crtime.sec, int64(m.crtime.nsec)
	}
	return out.Put(e)
}

func (t tskActions) InternalFilesystemWalk(device string, out io.Writer) error {
	w := api.NewStructWriter(out)
	err := t.walk(device, out, func(file, path uintptr) error { return t.send(w, file, path) })
	return errors.Join(err, w.Flush())
}

func (t tskActions) InternalFindInode(device string, inode int64, out io.Writer) error {
	w := api.NewStructWriter(out)
	err := t.walk(device, out, func(file, path uintptr) error {
		f := (*tskFile)(at(file))
		if f.name == 0 || (*tskName)(at(f.name)).metaAddr != uint64(inode) {
			return nil
		}
		return t.send(w, file, path)
	})
	return errors.Join(err, w.Flush())
}
