package daemon

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"gofish/internal/api"
	"gofish/internal/proto"
)

func (d Actions) PingDaemon() error { return nil }

func (d Actions) EchoDaemon(words []string) (string, error) { return strings.Join(words, " "), nil }

func (d Actions) Sleep(c *Call, secs int) error {
	select {
	case <-time.After(time.Duration(secs) * time.Second):
		return nil
	case <-c.Done():
		return c.Err()
	}
}

// InternalAutosync is the last call before the machine is ended: afterwards
// everything must be on the host. Errors of earlier writes show up here.
func (d Actions) InternalAutosync() error {
	err := d.syncAll()
	if d.cfg.Live {
		return err
	}
	if uerr := d.unmountAll(); err == nil {
		err = uerr
	}
	unix.Sync()
	if ferr := d.flushDisks(); err == nil {
		err = ferr
	}
	return err
}

// InternalExit ends the daemon and with it the machine, for tests.
func (d Actions) InternalExit() error {
	if d.cfg.Live {
		os.Exit(0)
	}
	unix.Sync()
	unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART)
	return nil
}

// InternalRhbz914931 is named after the bug in libguestfs that it was made to test: what
// a client does when the daemon dies in the middle of an upload.
func (d Actions) InternalRhbz914931(filename io.Reader, count int) error {
	if count <= 0 || count > 1000 {
		return errors.New("count out of range")
	}
	if _, err := io.CopyN(io.Discard, filename, int64(count)*proto.MaxChunk); err != nil && err != io.EOF {
		return err
	}
	return d.InternalExit()
}

func (d Actions) InternalFeatureAvailable(group string) (int, error) {
	return int(d.groupAvailable(group)), nil
}

func (d Actions) AvailableAllGroups() ([]string, error) {
	return slices.Sorted(maps.Keys(api.Groups)), nil
}

var filesystemName = regexp.MustCompile(`^[A-Za-z0-9_]*$`)

func (d Actions) FilesystemAvailable(filesystem string) (bool, error) {
	if !filesystemName.MatchString(filesystem) {
		return false, fmt.Errorf("%s: filesystem name contains non-alphanumeric characters", filesystem)
	}
	return d.filesystemAvailable(filesystem), nil
}

func (d Actions) DropCaches(whattodrop int) error {
	unix.Sync()
	if err := os.WriteFile("/proc/sys/vm/drop_caches", []byte(strconv.Itoa(whattodrop)+"\n"), 0); err != nil {
		return fmt.Errorf("/proc/sys/vm/drop_caches: %w", errnoOf(err))
	}
	return nil
}

func (d Actions) Dmesg() (string, error) { return d.output("dmesg") }

func (d Actions) Utsname() (api.Utsname, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return api.Utsname{}, err
	}
	s := unix.ByteSliceToString
	return api.Utsname{Sysname: s(u.Sysname[:]), Release: s(u.Release[:]), Version: s(u.Version[:]), Machine: s(u.Machine[:])}, nil
}

func (d Actions) Modprobe(modulename string) error {
	return d.run("modprobe", modulename)
}

// debugCommands are the subcommands of debug: they look into the daemon, and may
// change at any time.
var debugCommands = map[string]func(d *Daemon, c *Call, args []string) (string, error){
	"env": func(d *Daemon, c *Call, args []string) (string, error) {
		return strings.Join(os.Environ(), "\n") + "\n", nil
	},
	"error": func(d *Daemon, c *Call, args []string) (string, error) {
		return "", errors.New("debug: error: " + strings.Join(args, " "))
	},
	"fds": func(d *Daemon, c *Call, args []string) (string, error) {
		var b strings.Builder
		for _, p := range globAll("/proc/self/fd/*") {
			if to, err := os.Readlink(p); err == nil {
				fmt.Fprintf(&b, "%s %s\n", filepath.Base(p), to)
			}
		}
		return b.String(), nil
	},
	"ll": func(d *Daemon, c *Call, args []string) (string, error) {
		return d.output(append([]string{"ls", "-la"}, args...)...)
	},
	"ls": func(d *Daemon, c *Call, args []string) (string, error) {
		return d.output(append([]string{"ls", "-a"}, args...)...)
	},
	"mem": func(d *Daemon, c *Call, args []string) (string, error) {
		b, err := os.ReadFile("/proc/meminfo")
		return string(b), err
	},
	"progress": debugProgress,
	"setenv": func(d *Daemon, c *Call, args []string) (string, error) {
		if len(args) != 2 {
			return "", errors.New("setenv: two arguments expected: a name and a value")
		}
		return "ok", os.Setenv(args[0], args[1])
	},
	"sh": func(d *Daemon, c *Call, args []string) (string, error) {
		if len(args) == 0 {
			return "", errors.New("sh: expecting a command to run")
		}
		t := &Tool{Args: []string{"/bin/sh", "-c", strings.Join(args, " ")}}
		out, err := t.Output(d.call)
		var te *ToolError
		if errors.As(err, &te) {
			te.Text = strings.TrimSpace(out + te.Text)
		}
		return strings.TrimSuffix(out, "\n"), err
	},
}

// debugProgress sends progress messages for some seconds: SECONDS [MICROSECONDS
// between them].
func debugProgress(d *Daemon, c *Call, args []string) (string, error) {
	if len(args) < 1 || len(args) > 2 {
		return "", errors.New("progress: expecting one or two arguments: seconds [microseconds between updates]")
	}
	secs, err := strconv.Atoi(args[0])
	if err != nil || secs < 0 {
		return "", fmt.Errorf("progress: %s is not a number of seconds", args[0])
	}
	step := 100 * time.Millisecond
	if len(args) == 2 {
		us, err := strconv.Atoi(args[1])
		if err != nil || us <= 0 {
			return "", fmt.Errorf("progress: %s is not a number of microseconds", args[1])
		}
		step = time.Duration(us) * time.Microsecond
	}
	begin, all := time.Now(), time.Duration(secs)*time.Second
	for {
		t := time.Since(begin)
		if t >= all {
			break
		}
		if err := c.Progress(uint64(t.Milliseconds()), uint64(all.Milliseconds())); err != nil {
			return "", err
		}
		time.Sleep(step)
	}
	c.Progress(uint64(all.Milliseconds()), uint64(all.Milliseconds()))
	return "ok", nil
}

func (d Actions) Debug(c *Call, subcmd string, extraargs []string) (string, error) {
	if subcmd == "help" {
		names := []string{"help"}
		for n := range debugCommands {
			names = append(names, n)
		}
		sort.Strings(names)
		return "Commands supported: " + strings.Join(names, " "), nil
	}
	f, ok := debugCommands[subcmd]
	if !ok {
		return "", fmt.Errorf("use 'debug help 0' to list the supported commands")
	}
	return f(d.Daemon, c, extraargs)
}

func (d Actions) DebugUpload(filename io.Reader, tmpname string, mode int) error {
	f, err := os.OpenFile(tmpname, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, os.FileMode(mode)&0o777)
	if err != nil {
		return fmt.Errorf("%s: %w", tmpname, errnoOf(err))
	}
	_, err = io.Copy(f, filename)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(tmpname)
		return fmt.Errorf("%s: %w", tmpname, err)
	}
	return nil
}
