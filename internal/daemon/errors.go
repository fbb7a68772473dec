package daemon

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"gofish/internal/proto"
)

// toolNoise matches lines that say nothing about the failure: versions and settings,
// advice that is useless in the appliance, lines of stars.
var toolNoise = regexp.MustCompile(`^(\S+ v?\d[\d.]* \(.*\)$|dmesg\(1\) may have more information|fsck from util-linux|Info: |((from|to) +)?"Linux version |processing started: |/dev/\S+:$|\**$|(?i:(.*: )?try ['` + "`" + `"\w].*--help))`)

// toolEssay matches the point where a tool stops saying what is wrong and starts to explain its usage.
var toolEssay = regexp.MustCompile(`(?im)^(usage: |usage:$|The superblock could not be read or does not describe)`)

// maxComplaints is how many lines of a tool's output an error has.
const maxComplaints = 20

// sentence joins the lines of a tool's complaint into one, without repetitions.
func sentence(text string) string {
	if i := toolEssay.FindStringIndex(text); i != nil {
		text = text[:i[0]]
	}
	keep := []string{}
	for _, l := range lines(text) {
		l = strings.TrimSpace(l)
		if l == "" || toolNoise.MatchString(l) || slices.Contains(keep, l) {
			continue
		}
		if len(keep) == maxComplaints {
			keep = append(keep, "…")
			break
		}
		keep = append(keep, l)
	}
	return strings.Join(keep, "; ")
}

// warn tells the client about a problem that does not make the call fail.
func (d *Daemon) warn(format string, args ...any) {
	text := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	fmt.Fprintln(os.Stderr, proto.WarningMark+text)
}

// named makes sure that a failure says what it is about: if the text names none of
// the call's files and devices, the first of them is put in front. Errors about the arguments alone are left as they are.
func (d *Daemon) named(args []any, err error) error {
	var tool *ToolError
	var errno syscall.Errno
	if err == nil || !errors.As(err, &tool) && !errors.As(err, &errno) {
		return err
	}
	first := ""
	for _, arg := range args {
		name := ""
		switch v := arg.(type) {
		case string: // a path that is not in the guest
			if strings.HasPrefix(v, "/") && v != "/" && strings.Contains(err.Error(), v) {
				return err
			}
		case Path:
			name = string(v)
		case Device:
			name = d.shownDevice(v)
		case Mountable:
			name = d.shownMountable(v)
		case DevOrPath:
			if name = string(v.Path); name == "" {
				name = d.shownDevice(v.Device)
			}
		case MountableOrPath:
			if name = string(v.Path); name == "" {
				name = d.shownMountable(v.Mountable)
			}
		}
		if name == "" {
			continue
		}
		if strings.Contains(err.Error(), name) {
			return err
		}
		if first == "" {
			first = name
		}
	}
	if first == "" {
		return err
	}
	return fmt.Errorf("%s: %w", first, err)
}

func (d *Daemon) shownMountable(m Mountable) string {
	m.Device = Device(d.shownDevice(m.Device))
	return m.String()
}

// wrap adds to an error, if there is one, what was being done. Of an error of package os
// only the number is kept.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, errnoOf(err))...)
}

// errnoOf takes the number out of an error of package os.
func errnoOf(err error) error {
	var e syscall.Errno
	if errors.As(err, &e) {
		return e
	}
	return err
}

// errnoOnly carries an error number without adding to the text.
type errnoOnly syscall.Errno

func (errnoOnly) Error() string { return "" }

func (e errnoOnly) Unwrap() error { return syscall.Errno(e) }

// withoutLines leaves out of a tool's complaint the lines that hold one of the texts.
func withoutLines(err error, drop ...string) error {
	var e *ToolError
	if !errors.As(err, &e) {
		return err
	}
	e.Text = strings.Join(slices.DeleteFunc(lines(e.Text), func(l string) bool {
		return slices.ContainsFunc(drop, func(d string) bool { return strings.Contains(l, d) })
	}), "\n")
	return err
}

// folded uses a tool's standard output as its error text if it wrote nothing else.
func folded(out string, err error) error {
	var e *ToolError
	if errors.As(err, &e) && e.Text == "" {
		e.Text = strings.TrimSpace(out)
	}
	return err
}

// prefixed puts in front of an error what it is about, and keeps all of the error's text.
func prefixed(err error, what string) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// deviceError names the device that a tool worked on when it failed.
func (d *Daemon) deviceError(err error, dev Device) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", d.shownDevice(dev), err)
}

// errUnsupported is the error for a call that a type of file system does not support.
func errUnsupported(what, fstype string) error {
	if fstype == "" {
		return fmt.Errorf("no known file system was found: %w", errnoOnly(syscall.ENOTSUP))
	}
	return fmt.Errorf("don't know how to %s '%s' filesystems: %w", what, fstype, errnoOnly(syscall.ENOTSUP))
}

// shownDevice is a device as the client names it, for messages.
func (d *Daemon) shownDevice(dev Device) string { return d.devices.Reverse(string(dev)) }
