package daemon

import (
	"encoding/binary"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
)

func (d Actions) Statns(path Path) (api.StatNS, error) {
	st, err := d.root.Stat(path)
	if err != nil {
		return api.StatNS{}, wrap(err, "%s", path)
	}
	return statns(st), nil
}

func (d Actions) Lstatns(path Path) (api.StatNS, error) {
	st, err := d.root.Lstat(path)
	if err != nil {
		return api.StatNS{}, wrap(err, "%s", path)
	}
	return statns(st), nil
}

func statns(st *unix.Stat_t) api.StatNS {
	return api.StatNS{
		Dev: int64(st.Dev), Ino: int64(st.Ino), Mode: int64(st.Mode), Nlink: int64(st.Nlink),
		UID: int64(st.Uid), GID: int64(st.Gid), Rdev: int64(st.Rdev),
		Size: st.Size, Blksize: int64(st.Blksize), Blocks: st.Blocks,
		AtimeSec: st.Atim.Sec, AtimeNsec: st.Atim.Nsec,
		MtimeSec: st.Mtim.Sec, MtimeNsec: st.Mtim.Nsec,
		CtimeSec: st.Ctim.Sec, CtimeNsec: st.Ctim.Nsec,
	}
}

func (d Actions) InternalLstatnslist(path Path, names []string) ([]api.StatNS, error) {
	dir, err := d.openDir(path)
	if err != nil {
		return nil, wrap(err, "%s", path)
	}
	defer dir.Close()
	list := make([]api.StatNS, len(names))
	for i, name := range names {
		if err := checkFilename(name); err != nil {
			return nil, err
		}
		var st unix.Stat_t
		if unix.Fstatat(int(dir.Fd()), name, &st, unix.AT_SYMLINK_NOFOLLOW) == nil {
			list[i] = statns(&st)
		} else {
			list[i].Ino = -1 // there is no such file
		}
	}
	return list, nil
}

// InternalReaddir streams the entries.
func (d Actions) InternalReaddir(path Path, out io.Writer) error {
	w := api.NewStructWriter(out)
	err := d.readdir(path, func(e api.Dirent) error { return w.Put(e) })
	if err != nil {
		return err
	}
	return w.Flush()
}

// InternalReaddirList is what clients up to 1.48 call.
func (d Actions) InternalReaddirList(path Path) ([]api.Dirent, error) {
	list := []api.Dirent{}
	size := 0
	err := d.readdir(path, func(e api.Dirent) error {
		list = append(list, e)
		return d.addSize(&size, 20+len(e.Name))
	})
	return list, err
}

// letters of file types, by the kernel's d_type (linux/fs_types.h).
var direntLetter = map[byte]api.Char{
	unix.DT_BLK: 'b', unix.DT_CHR: 'c', unix.DT_DIR: 'd', unix.DT_FIFO: 'f',
	unix.DT_LNK: 'l', unix.DT_REG: 'r', unix.DT_SOCK: 's', unix.DT_UNKNOWN: 'u',
}

// readdir passes all entries of a directory, including dots, to fn in the kernel's order.
func (d *Daemon) readdir(path Path, fn func(api.Dirent) error) error {
	dir, err := d.openDir(path)
	if err != nil {
		return wrap(err, "opendir: %s", path)
	}
	defer dir.Close()
	return wrap(eachDirent(dir, func(ino uint64, typ byte, name string) error {
		letter, ok := direntLetter[typ]
		if !ok {
			letter = '?'
		}
		if err := d.call.Err(); err != nil {
			return err
		}
		return fn(api.Dirent{Ino: int64(ino), Ftyp: letter, Name: name})
	}), "readdir: %s", path)
}

// eachDirent reads a directory with getdents64(2), which returns more than package os.
func eachDirent(dir *os.File, fn func(ino uint64, typ byte, name string) error) error {
	buf := make([]byte, 64<<10)
	for {
		n, err := unix.Getdents(int(dir.Fd()), buf)
		if err != nil || n == 0 {
			return err
		}
		for rec := buf[:n]; len(rec) > direntHead; {
			e, rest, err := parseDirent(rec)
			if err != nil {
				return err
			}
			if err := fn(e.ino, e.typ, e.name); err != nil {
				return err
			}
			rec = rest
		}
	}
}

// rawDirent is an entry of a directory, as getdents64(2) returns it.
type rawDirent struct {
	ino  uint64
	next int64 // position of the entry after it
	typ  byte
	name string
}

// direntHead is where the name begins in struct linux_dirent64: u64 ino, i64 off, u16 length,
// u8 type, name.
const direntHead = 19

// parseDirent takes the first entry off a buffer of more than direntHead bytes.
func parseDirent(rec []byte) (e rawDirent, rest []byte, err error) {
	size := int(binary.NativeEndian.Uint16(rec[16:]))
	if size < direntHead || size > len(rec) {
		return e, nil, unix.EIO
	}
	e = rawDirent{binary.NativeEndian.Uint64(rec), int64(binary.NativeEndian.Uint64(rec[8:])), rec[18], unix.ByteSliceToString(rec[direntHead:size])}
	return e, rec[size:], nil
}

func (d Actions) Filesize(file Path) (int64, error) {
	st, err := d.root.Stat(file)
	if err != nil {
		return 0, wrap(err, "%s", file)
	}
	return st.Size, nil
}
