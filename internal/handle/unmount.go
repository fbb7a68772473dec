package handle

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"gofish/internal/visible"
)

// unmount takes a mount of ours away; lazily, it goes although programs use it.
func unmount(dir string, lazily bool) error {
	flags, option := 0, "-u"
	if lazily {
		flags, option = unix.MNT_DETACH, "-uz"
	}
	err := unix.Unmount(dir, flags)
	if err != unix.EPERM {
		return err
	}
	program, lookErr := exec.LookPath("fusermount3")
	if lookErr != nil {
		program, lookErr = exec.LookPath("fusermount")
	}
	if lookErr != nil {
		return fmt.Errorf("fusermount3, which users other than root need, is not there: %w", err)
	}
	c := exec.Command(program, option, "--", dir)
	c.Env = append(os.Environ(), "LC_ALL=C")
	out, err := c.CombinedOutput()
	switch {
	case err == nil:
		return nil
	case bytes.Contains(out, []byte("busy")):
		return syscall.EBUSY
	case len(bytes.TrimSpace(out)) > 0:
		return fmt.Errorf("%s", visible.Line(string(bytes.TrimSpace(out))))
	}
	return err
}

// usersOf names the processes that keep a mount busy: by their working directory, their
// root, or an open file. It asks the mount nothing.
func usersOf(dir string) string {
	const most = 5
	inside := func(link string) bool {
		target, err := os.Readlink(link)
		return err == nil && (target == dir || strings.HasPrefix(target, dir+"/"))
	}
	var users []string
	processes, _ := filepath.Glob("/proc/[0-9]*")
	slices.SortFunc(processes, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) })
	for _, p := range processes {
		links, _ := filepath.Glob(p + "/fd/*")
		if !slices.ContainsFunc(append(links, p+"/cwd", p+"/root", p+"/exe"), inside) {
			continue
		}
		if len(users) == most {
			users = append(users, "others")
			break
		}
		name, _ := os.ReadFile(p + "/comm")
		users = append(users, fmt.Sprintf("%s (%s)", visible.Line(strings.TrimSpace(string(name))), filepath.Base(p)))
	}
	return strings.Join(users, ", ")
}

// writeBack has the kernel write what programs have changed in a mount.
func writeBack(dir string) {
	if d, err := os.Open(dir); err == nil {
		unix.Syncfs(int(d.Fd()))
		d.Close()
	}
}

// connectionOf is the number of a mount's FUSE connection, which is the minor number of its
// device; 0 if it is not found. See proc_pid_mountinfo(5).
func connectionOf(dir string) (number int) {
	b, _ := os.ReadFile("/proc/self/mountinfo")
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) > 4 && unescapeMount(f[4]) == dir {
			if _, minor, ok := strings.Cut(f[2], ":"); ok {
				number, _ = strconv.Atoi(minor)
			}
		}
	}
	return number
}

// unescapeMount undoes the octal escapes of /proc's lists of mounts.
func unescapeMount(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// abort ends a FUSE connection, so that no program waits for an answer.
func abort(connection int) {
	if connection > 0 {
		os.WriteFile(fmt.Sprintf("/sys/fs/fuse/connections/%d/abort", connection), []byte("1"), 0)
	}
}
