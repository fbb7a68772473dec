package daemon

import (
	"archive/tar"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	pathpkg "path"
	"regexp"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/guestfs/types"
	"gofish/internal/compression"
	"gofish/internal/untar"
)

func (d Actions) TarIn(c *Call, tarfile io.Reader, directory Path, opts types.TarInOptions) error {
	program, err := packerFor(opts.Compress)
	if err != nil {
		return err
	}
	st, err := d.root.Stat(directory)
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return wrap(syscall.ENOTDIR, "%s", directory)
	}
	top, err := d.root.Open(directory, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		return wrap(err, "%s", directory)
	}
	defer top.Close()
	o := untar.Options{
		Top: top,
		Follow: func(name string) (*os.File, error) {
			return d.root.Open(Path(pathpkg.Join(string(directory), "/", name)), unix.O_PATH|unix.O_DIRECTORY, 0)
		},
		Owner:       true,
		Privileged:  true,
		KeepDirLink: isTrue(opts.KeepDirLink),
		Attribute: func(name string) bool {
			switch {
			case name == "security.selinux":
				return isTrue(opts.SELinux)
			case strings.HasPrefix(name, "system.posix_acl_"):
				return isTrue(opts.ACLs)
			}
			return isTrue(opts.Xattrs)
		},
		ACL: func(text string) ([]byte, bool) {
			acl, ok := aclFromText(text)
			return aclValue(acl), ok
		},
	}
	fail := func(text string) error {
		return fmt.Errorf("tar subcommand failed on directory: %s: %s", directory, text)
	}
	in := bufio.NewReaderSize(tarfile, 64<<10)
	if program == "" {
		if text := notAnArchive(in); text != "" {
			return fail(text)
		}
		return unpack(in, o, fail)
	}
	r := startFilter(c, in, unpackers[*opts.Compress]...)
	defer r.Close() // before the rest of the stream is drained by the caller
	return unpack(r, o, fail)
}

func unpack(r io.Reader, o untar.Options, fail func(string) error) error {
	result, err := untar.Extract(r, o)
	if err == nil {
		_, err = io.Copy(io.Discard, r) // what comes after the archive's end
	}
	var tool *ToolError
	switch {
	case errors.Is(err, errCancelled):
		return err
	case errors.Is(err, tar.ErrHeader):
		return fail("tar: This does not look like a tar archive")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fail("tar: Unexpected EOF in archive")
	case errors.As(err, &tool):
		return fail(tool.Text)
	case errors.As(err, new(syscall.Errno)):
		return fmt.Errorf("%s%w", fail("tar: "), err)
	case err != nil:
		return fail("tar: " + err.Error())
	case len(result.Complaints) > 0:
		return fail("tar: " + strings.Join(result.Complaints, "\ntar: "))
	}
	return nil
}

// notAnArchive says why a file is not a plain archive; empty if it may be one.
func notAnArchive(in *bufio.Reader) string {
	head, _ := in.Peek(compression.HeadSize)
	if kind := compression.Of(head); packers[kind] != "" {
		return "the archive is compressed: compress:" + kind + " unpacks it"
	}
	return ""
}

func (d Actions) TarOut(c *Call, directory string, tarfile io.Writer, opts types.TarOutOptions) error {
	return d.tarOut(c, directory, tarfile, opts)
}

func (d Actions) InternalCopyOut(c *Call, directory string, tarfile io.Writer) error {
	return d.tarOut(c, directory, tarfile, types.TarOutOptions{}, "--sparse")
}

func (d *Daemon) tarOut(c *Call, directory string, tarfile io.Writer, opts types.TarOutOptions, more ...string) error {
	program, err := packerFor(opts.Compress)
	if err != nil {
		return err
	}
	host, err := d.treeArg(directory)
	if err != nil {
		return err
	}
	// Owners are numbers in any case: the appliance does not know the guest's names.
	args := append([]string{"tar", "-C", host, "--numeric-owner", "--warning=no-file-ignored"}, more...)
	for option, set := range map[string]*bool{"--xattrs": opts.Xattrs, "--selinux": opts.SELinux, "--acls": opts.ACLs} {
		if isTrue(set) {
			args = append(args, option)
		}
	}
	if isTrue(opts.Xattrs) {
		args = append(args, "--xattrs-include=*")
	}
	if program != "" {
		args = append(args, "--use-compress-program="+program)
	}
	for _, e := range opts.Excludes {
		args = append(args, "--exclude="+e)
	}
	err = passOn(c, append(args, "-cf", "-", "."), tarfile, func(line string) bool { return strings.Contains(line, ": Warning: ") })
	var tool *ToolError
	if errors.As(err, &tool) {
		// Nobody writes to it meanwhile, so missing data means that it could not be read.
		tool.Text = shrankFile.ReplaceAllString(tool.Text, "Input/output error: $1 bytes of it cannot be read")
		// Its members are named relative to the directory.
		if rest, ok := strings.CutPrefix(tool.Text, "tar: ./"); ok {
			tool.Text = pathpkg.Clean("/"+directory) + "/" + rest
			if pathpkg.Clean("/"+directory) == "/" {
				tool.Text = "/" + rest
			}
			return tool
		}
	}
	return wrap(err, "%s", directory)
}

// chunked hides everything but Write, so that a tool's output comes in pieces
// of the pipe's size.
func chunked(w io.Writer) io.Writer { return struct{ io.Writer }{w} }

// treeArg checks a directory that comes as a plain string and returns its path
// outside the guest.
func (d *Daemon) treeArg(directory string) (string, error) {
	if !d.mounted() {
		return "", errNotMounted
	}
	p := Path(pathpkg.Join("/", directory))
	if !strings.HasPrefix(directory, "/") {
		return "", wrap(syscall.ENOENT, "stat: %s", directory)
	}
	st, err := d.root.Stat(p)
	if err != nil {
		return "", wrap(err, "stat: %s", directory)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR {
		return "", fmt.Errorf("%s: not a directory", directory)
	}
	host, err := d.root.Host(p)
	return host, wrap(err, "%s", directory)
}

func (d Actions) TgzIn(c *Call, tarball io.Reader, directory Path) error {
	return d.TarIn(c, tarball, directory, types.TarInOptions{Compress: ptr("gzip")})
}
func (d Actions) TgzOut(c *Call, directory Path, tarball io.Writer) error {
	return d.TarOut(c, string(directory), tarball, types.TarOutOptions{Compress: ptr("gzip")})
}
func (d Actions) TxzIn(c *Call, tarball io.Reader, directory Path) error {
	return d.TarIn(c, tarball, directory, types.TarInOptions{Compress: ptr("xz")})
}
func (d Actions) TxzOut(c *Call, directory Path, tarball io.Writer) error {
	return d.TarOut(c, string(directory), tarball, types.TarOutOptions{Compress: ptr("xz")})
}

// shrankFile is what GNU tar says about a file that is shorter than its size.
var shrankFile = regexp.MustCompile(`File shrank by (\d+) bytes; padding with zeros`)

// shortInode is what cpio says about an inode whose number does not fit into the archive.
var shortInode = regexp.MustCompile(`truncating inode number`)

func (d Actions) CpioOut(c *Call, directory string, cpiofile io.Writer, opts types.CPIOOutOptions) error {
	format := "newc"
	if opts.Format != nil {
		if format = *opts.Format; format != "newc" && format != "crc" {
			return fmt.Errorf("%s: format must be 'newc' or 'crc'", format)
		}
	}
	host, err := d.treeArg(directory)
	if err != nil {
		return err
	}
	top, err := os.Open(host)
	if err != nil {
		return wrap(err, "%s", directory)
	}
	defer top.Close()
	// cpio reads the names of what it packs.
	names, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := bufio.NewWriter(w)
		b.WriteString(".\x00")
		err := d.walk(top, Path(directory), "./", func(e *entry) error {
			_, err := b.WriteString(e.rel + "\x00")
			return err
		})
		b.Flush()
		w.CloseWithError(err)
	}()
	defer func() {
		names.Close()
		<-done // it reads the directory
	}()
	// Data that cannot be read becomes zeros in the archive, and the tool does not report a failure.
	t := Tool{
		Args: []string{"cpio", "--quiet", "-0", "-o", "-H", format}, Dir: host, Stdin: names, Stdout: chunked(cpiofile),
		Silent: shortInode,
	}
	return prefixed(t.Run(c), directory)
}
