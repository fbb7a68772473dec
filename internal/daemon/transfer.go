package daemon

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/guestroot"
	"gofish/internal/newfile"
)

// writeBuffer gathers the 8 KB chunks of the wire into larger writes.
const writeBuffer = 256 << 10

func (d Actions) Upload(c *Call, filename io.Reader, remotefilename DevOrPath) error {
	if remotefilename.Device == "" {
		return d.receiveFile(filename, remotefilename.Path, c.Hint)
	}
	return d.upload(filename, remotefilename, unix.O_CREAT|unix.O_TRUNC, 0)
}

func (d Actions) UploadOffset(filename io.Reader, remotefilename DevOrPath, offset int64) error {
	if offset < 0 {
		return fmt.Errorf("%s: offset in file is negative", d.nameOf(remotefilename))
	}
	return d.upload(filename, remotefilename, unix.O_CREAT, offset)
}

func (d *Daemon) upload(in io.Reader, to DevOrPath, flags int, offset int64) error {
	f, name, err := d.openEither(to, unix.O_WRONLY|flags, 0o666)
	if err != nil {
		return wrap(err, "%s", name)
	}
	err = receive(in, f, name, offset)
	if to.Device != "" {
		d.rereadPartitions(to.Device)
	}
	return err
}

// nameOf is what the client calls a parameter.
func (d *Daemon) nameOf(dp DevOrPath) string {
	if dp.Device != "" {
		return d.devices.Reverse(string(dp.Device))
	}
	return string(dp.Path)
}

// receiveFile writes a stream to a file. size is what will come, 0 if that is not known.
func (d *Daemon) receiveFile(in io.Reader, path Path, size uint64) error {
	src, ok := in.(*fileIn)
	holes := ok && src.bulk != nil && src.bulk.holes
	return d.fillFile(path, size, holes, func(f *os.File) error { return write(in, f, string(path), 0, true) })
}

// fillFile lets fill write a file, which gets its name when it is complete; until then there is
// no file, or the old one. size is what will come, 0 if that is not known; with holes it may
// take less room.
func (d *Daemon) fillFile(path Path, size uint64, holes bool, fill func(*os.File) error) error {
	if n, base, err := d.replacement(path, size); err != nil {
		return wrap(err, "%s", path)
	} else if n != nil {
		if err := fill(n.File); err != nil {
			n.Discard()
			return err
		}
		return wrap(n.Commit(base), "%s", path)
	}
	_, err := d.root.Stat(path)
	there := err == nil
	f, err := d.open(path, unix.O_WRONLY|unix.O_CREAT, 0o666)
	if err == nil {
		defer f.Close()
		if !holes {
			err = hasRoom(f, size) // before the old content goes
		}
	}
	if f == nil {
		return wrap(err, "%s", path)
	}
	if err == nil {
		err = f.Truncate(0)
	}
	err = wrap(err, "%s", path)
	if err == nil {
		if err = fill(f); err != nil {
			f.Truncate(0) // half a file is worse than none
		}
	}
	if err != nil {
		if host, lerr := os.Readlink(guestroot.FDPath(f)); lerr == nil && !there {
			os.Remove(host)
		}
		return err
	}
	return wrap(f.Close(), "%s", path)
}

// hasRoom fails if a file's file system does not have space for new content of size bytes, including
// the space that the file has now.
func hasRoom(f *os.File, size uint64) error {
	var fs unix.Statfs_t
	var st unix.Stat_t
	if unix.Fstatfs(int(f.Fd()), &fs) != nil || unix.Fstat(int(f.Fd()), &st) != nil || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil
	}
	if size > fs.Bavail*uint64(fs.Bsize)+uint64(st.Blocks)*512 {
		return unix.ENOSPC
	}
	return nil
}

// replacement makes the file that takes the place of path when it is complete. nil: it has
// to be written where it is, since a new one would not have all that the old one has, or
// there is no room for both.
func (d *Daemon) replacement(path Path, size uint64) (*newfile.File, string, error) {
	there, host := path, ""
	st, err := d.root.Stat(path)
	switch {
	case err == syscall.ENOENT:
		if _, err := d.root.Lstat(path); err == nil {
			return nil, "", nil // a link to something that does not exist yet
		}
		st = nil
	case err != nil:
		return nil, "", err
	default:
		if err := mayOpen(st); err != nil {
			return nil, "", err
		}
		host, err = d.root.Host(path)
		if err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1 || !replaceable(host, st, size) {
			return nil, "", nil
		}
		there = d.root.Guest(host)
	}
	dir, base, err := d.root.Parent(there)
	if err != nil {
		return nil, "", nil // opening the file will show what is wrong
	}
	n, err := newfile.Create(dir, 0o666)
	if err != nil {
		return nil, "", nil
	}
	if st != nil && (n.Resemble(st) != nil || copyAttributes(host, n.File) != nil) {
		n.Discard()
		return nil, "", nil
	}
	return n, base, nil
}

// replaceable reports whether a new file can have all that a file has, on a file system
// where that can be determined, and whether a file of that size fits beside it, or not at all.
func replaceable(host string, st *unix.Stat_t, size uint64) bool {
	var fs unix.Statfs_t
	if unix.Statfs(host, &fs) != nil {
		return false
	}
	room := fs.Bavail * uint64(fs.Bsize)
	if room < size && size <= room+uint64(st.Blocks)*512 {
		return false // only if the old one goes first
	}
	switch fs.Type {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC, unix.F2FS_SUPER_MAGIC, unix.TMPFS_MAGIC:
	default:
		return false
	}
	f, err := os.Open(host)
	if err != nil {
		return false
	}
	defer f.Close()
	// How the content is stored (extents, huge, inline) says nothing about what was asked for.
	const kept = 0x80000 | 0x40000 | 0x10000000
	flags, err := unix.IoctlGetUint32(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	return err == nil && flags&^kept == 0 || err == unix.ENOTTY || err == unix.EOPNOTSUPP
}

// copyAttributes gives a new file the extended attributes of another, except those that
// a change of content removes.
func copyAttributes(from string, to *os.File) error {
	names, err := xattrsOfTarget.names(from)
	if err == unix.EOPNOTSUPP {
		return nil
	}
	for _, name := range names {
		if name == "security.capability" || name == "security.ima" || name == "security.evm" {
			continue
		}
		value, err := xattrsOfTarget.value(from, name)
		if err == nil {
			err = unix.Fsetxattr(int(to.Fd()), name, value, 0)
		}
		if err != nil {
			return err
		}
	}
	return err
}

// receive writes a stream to a file from an offset on, and closes the file.
func receive(in io.Reader, f *os.File, name string, offset int64) error {
	defer f.Close()
	err := write(in, f, name, offset, false)
	if cerr := f.Close(); err == nil {
		err = wrap(cerr, "%s", name)
	}
	return err
}

// write writes a stream to a file. In one that is empty the stream's holes are holes.
func write(in io.Reader, f *os.File, name string, offset int64, empty bool) error {
	if offset > 0 {
		if _, err := f.Seek(offset, io.SeekStart); err != nil {
			return wrap(err, "%s", name)
		}
	}
	var err error
	src, ok := in.(*fileIn)
	switch ok = ok && src.bulk != nil; {
	case ok && empty && src.bulk.holes:
		var n int64
		if n, err = src.WriteTo(directly(f, 0)); err == nil {
			err = f.Truncate(n)
		}
	default:
		var to io.Writer = f
		if ok {
			to = directly(f, offset)
		}
		w := bufio.NewWriterSize(to, writeBuffer)
		if _, err = io.Copy(w, in); err == nil {
			err = w.Flush()
		}
	}
	if errors.Is(err, errCancelled) {
		return err
	}
	return wrap(err, "%s", name)
}

// InternalUpload writes a file of the appliance itself.
func (d Actions) InternalUpload(filename io.Reader, tmpname string, mode int) error {
	f, err := os.OpenFile(tmpname, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC, os.FileMode(mode&0o777))
	if err != nil {
		return wrap(err, "%s", tmpname)
	}
	return receive(filename, f, tmpname, 0)
}

func (d Actions) Download(c *Call, remotefilename DevOrPath, filename io.Writer) error {
	f, size, err := d.openSource(remotefilename)
	if err != nil {
		return err
	}
	defer f.Close()
	if out, ok := filename.(*fileOut); ok && out.sink != nil {
		return wrap(sendPieces(c, out, f, size), "%s", d.nameOf(remotefilename))
	}
	return send(c, filename, f, d.nameOf(remotefilename), size)
}

// sendPieces sends a file to a disk. Holes are neither read nor written.
func sendPieces(c *Call, out *fileOut, f *os.File, size int64) error {
	const block = 4096
	buf := alignedBuffer(bulkBuffer)
	for pos := int64(0); pos < size; {
		data, end := nextData(f, pos, size)
		if data = max(pos, data&^(block-1)); data > pos {
			if err := out.Skip(data - pos); err != nil {
				return err
			}
			pos = data
		}
		end = min(size, (end+block-1)&^(block-1))
		if _, err := f.Seek(pos, io.SeekStart); err != nil {
			return err
		}
		for from := directly(f, pos); pos < end; {
			n, err := from.Read(buf[:min(bulkBuffer, end-pos)])
			if n > 0 {
				if _, err := out.Write(buf[:n]); err != nil {
					return err
				}
				pos += int64(n)
				if err := c.Progress(uint64(pos), uint64(size)); err != nil {
					return err
				}
			}
			if err == io.EOF {
				return nil // it has shrunk
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// nextData returns where the next data of a file begins and ends. Where that is not known
// everything is data.
func nextData(f *os.File, pos, size int64) (data, end int64) {
	fd := int(f.Fd())
	data, err := unix.Seek(fd, pos, unix.SEEK_DATA)
	if err == unix.ENXIO {
		return size, size
	}
	if err == nil {
		end, err = unix.Seek(fd, data, unix.SEEK_HOLE)
	}
	if err != nil || end <= data || data < pos {
		return pos, size
	}
	return min(data, size), min(end, size)
}

func (d Actions) DownloadOffset(c *Call, remotefilename DevOrPath, filename io.Writer, offset, size int64) error {
	name := d.nameOf(remotefilename)
	if offset < 0 {
		return fmt.Errorf("%s: offset in file is negative", name)
	}
	if size < 0 {
		return fmt.Errorf("%s: size is negative", name)
	}
	f, _, err := d.openSource(remotefilename)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		return wrap(err, "%s", name)
	}
	return send(c, filename, io.LimitReader(f, size), name, size)
}

// openSource opens what is sent to the client, and returns its size.
func (d *Daemon) openSource(from DevOrPath) (*os.File, int64, error) {
	f, name, err := d.openEither(from, unix.O_RDONLY, 0)
	if err != nil {
		return nil, 0, wrap(err, "%s", name)
	}
	var st unix.Stat_t
	err = unix.Fstat(int(f.Fd()), &st)
	size := st.Size
	switch {
	case err != nil:
	case st.Mode&unix.S_IFMT == unix.S_IFDIR:
		err = fmt.Errorf("%s: is a directory", name)
		f.Close()
		return nil, 0, err
	case st.Mode&unix.S_IFMT == unix.S_IFBLK:
		size, err = f.Seek(0, io.SeekEnd)
		if err == nil {
			_, err = f.Seek(0, io.SeekStart)
		}
	}
	if err != nil {
		f.Close()
		return nil, 0, wrap(err, "%s", name)
	}
	return f, size, nil
}

func send(c *Call, w io.Writer, r io.Reader, name string, size int64) error {
	_, err := copyAll(w, r, func(done int64) error { return c.Progress(uint64(done), uint64(max(size, done))) })
	return wrap(err, "%s", name)
}

func (d Actions) Base64In(base64file io.Reader, filename Path) error {
	err := d.receiveFile(base64.NewDecoder(base64.StdEncoding, base64file), filename, 0)
	var corrupt base64.CorruptInputError
	if errors.As(err, &corrupt) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("base64 subcommand failed on file: %s: invalid input", filename)
	}
	return err
}

// base64Line is how many characters base64(1) puts on a line.
const base64Line = 76

func (d Actions) Base64Out(c *Call, filename Path, base64file io.Writer) error {
	f, _, err := d.openSource(DevOrPath{Path: filename})
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriter(base64file)
	folded := &folder{w: w}
	enc := base64.NewEncoder(base64.StdEncoding, folded)
	if _, err := copyAll(enc, f, func(int64) error { return c.Progress(0, 1) }); err != nil {
		return wrap(err, "%s", filename)
	}
	enc.Close()
	if folded.column > 0 {
		w.WriteByte('\n')
	}
	return w.Flush()
}

// folder splits what is written to it into lines.
type folder struct {
	w      *bufio.Writer
	column int
}

func (f *folder) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		k := min(base64Line-f.column, len(p))
		f.w.Write(p[:k])
		p = p[k:]
		if f.column += k; f.column == base64Line {
			f.column = 0
			if err := f.w.WriteByte('\n'); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

func (d Actions) CompressOut(c *Call, ctype string, file Path, zfile io.Writer, opts types.CompressOutOptions) error {
	return d.compress(c, ctype, DevOrPath{Path: file}, zfile, opts.Level)
}

func (d Actions) CompressDeviceOut(c *Call, ctype string, device Device, zdevice io.Writer, opts types.CompressDeviceOutOptions) error {
	return d.compress(c, ctype, DevOrPath{Device: device}, zdevice, opts.Level)
}

// levels of the compressors that have them.
var levels = map[string][2]int{"gzip": {1, 9}, "bzip2": {1, 9}, "xz": {0, 9}, "lzop": {1, 9}}

func (d *Daemon) compress(c *Call, ctype string, from DevOrPath, out io.Writer, level *int) error {
	program := packers[ctype]
	limits, hasLevel := levels[ctype]
	if program == "" || !hasLevel && ctype != "compress" {
		return errors.New("unknown compression type")
	}
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("compression type %s is not supported, because external program '%s' is not available in the appliance", ctype, program)
	}
	args := []string{program, "-c"}
	if level != nil {
		if !hasLevel || *level < limits[0] || *level > limits[1] {
			return fmt.Errorf("%s: incorrect value for level parameter", ctype)
		}
		args = append(args, "-"+strconv.Itoa(*level))
	}
	f, _, err := d.openSource(from)
	if err != nil {
		return err
	}
	defer f.Close()
	t := Tool{Args: args, Stdin: f, Stdout: chunked(out)}
	return wrap(t.Run(c), "%s", d.nameOf(from))
}
