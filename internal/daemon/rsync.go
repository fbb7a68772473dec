package daemon

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gofish/guestfs/types"
)

// rsync copies; errors show the names that the client gave.
func (d *Daemon) rsync(src, dest, shown string, o types.RsyncOptions) error {
	args := []string{"rsync"}
	if isTrue(o.Archive) {
		args = append(args, "--archive")
	}
	if isTrue(o.DeleteDest) {
		args = append(args, "--delete")
	}
	t := Tool{Args: append(args, "--", src, dest)}
	if err := t.Run(d.call); err != nil {
		return fmt.Errorf("%s: %w", shown, err)
	}
	return nil
}

// rsyncPath is a path of the guest for rsync, to which a slash at the end means
// the content of a directory.
func (d *Daemon) rsyncPath(p Path, find func(Path) (string, error)) (string, error) {
	host, err := find(p)
	if err != nil {
		return "", wrap(err, "%s", p)
	}
	if strings.HasSuffix(string(p), "/") {
		host += "/"
	}
	return host, nil
}

func (d Actions) Rsync(src, dest Path, o types.RsyncOptions) error {
	from, err := d.rsyncPath(src, d.root.HostLink)
	if err != nil {
		return err
	}
	to, err := d.rsyncPath(dest, d.root.HostNew)
	if err != nil {
		return err
	}
	return d.rsync(from, to, fmt.Sprintf("%s to %s", src, dest), o)
}

func (d Actions) RsyncIn(remote string, dest Path, o types.RsyncInOptions) error {
	to, err := d.rsyncPath(dest, d.root.HostNew)
	if err != nil {
		return err
	}
	return d.rsync(remote, to, remote, types.RsyncOptions(o))
}

func (d Actions) RsyncOut(src Path, remote string, o types.RsyncOutOptions) error {
	from, err := d.rsyncPath(src, d.root.HostLink)
	if err != nil {
		return err
	}
	return d.rsync(from, remote, remote, types.RsyncOptions(o))
}

// List9p lists the tags of the host's directories that qemu shares by 9p.
func (d Actions) List9p() ([]string, error) {
	d.run("modprobe", "9pnet_virtio")
	l := []string{}
	for _, f := range globAll("/sys/bus/virtio/drivers/9pnet_virtio/virtio*/mount_tag") {
		if b, err := os.ReadFile(f); err == nil {
			l = append(l, strings.TrimRight(string(b), "\n\x00"))
		}
	}
	return l, nil
}

func (d Actions) Mount9p(mounttag, mountpoint string, o types.Mount9POptions) error {
	target, err := d.mountTarget(mountpoint)
	if err != nil {
		return err
	}
	for _, m := range []string{"9p", "9pnet_virtio"} {
		d.run("modprobe", m)
	}
	options := "trans=virtio"
	if o.Options != nil && *o.Options != "" {
		options += "," + *o.Options
	}
	if err := d.mountTool("9p", options, mounttag, target); err != nil {
		return fmt.Errorf("%s on %s: %w", mounttag, mountpoint, err)
	}
	return nil
}

const ownContext = "/proc/self/attr/current"

func (d Actions) Getcon() (string, error) {
	b, err := os.ReadFile(ownContext)
	return strings.TrimRight(string(b), "\n\x00"), wrap(errnoOf(err), "getcon")
}

func (d Actions) Setcon(context string) error {
	return wrap(writeSys(ownContext, context), "setcon: %s", context)
}

func (d Actions) SelinuxRelabel(specfile string, path Path, o types.SELinuxRelabelOptions) error {
	return d.setfiles(specfile, []Path{path}, o.Force, nil)
}

func (d Actions) Setfiles(specfile string, paths []Path, o types.SetfilesOptions) error {
	return d.setfiles(specfile, paths, o.Force, o.Excludes)
}

// setfiles labels files by a list of contexts, both of the guest. File systems of the
// kernel that are mounted in a guest are left alone.
func (d *Daemon) setfiles(specfile string, paths []Path, force *bool, excludes []string) error {
	if !strings.HasPrefix(specfile, "/") {
		return fmt.Errorf("%s: path must start with a / character", specfile)
	}
	spec, err := d.fileArg(Path(specfile))
	if err != nil {
		return err
	}
	args := []string{"setfiles"}
	if isTrue(force) {
		args = append(args, "-F")
	}
	for _, dir := range append([]string{"/dev", "/proc", "/sys", "/sys/fs/selinux"}, excludes...) {
		args = append(args, "-e", filepath.Join(d.root.Dir(), filepath.Clean("/"+dir)))
	}
	args = append(args, "-r", d.root.Dir(), spec)
	for _, p := range paths {
		host, err := d.root.HostLink(p)
		if err != nil {
			return wrap(err, "%s", p)
		}
		args = append(args, host)
	}
	return (&Tool{Args: args, FoldStdout: true}).Run(d.call)
}
