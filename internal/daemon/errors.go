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

// toolNoise is a line that says nothing about the failure: versions and settings, advice
// that leads nowhere in the appliance, lines of stars.
var toolNoise = regexp.MustCompile(`^(\S+ v?\d[\d.]* \(.*\)$|dmesg\(1\) may have more information|fsck from util-linux|Info: |((from|to) +)?"Linux version |processing started: |/dev/\S+:$|\**$|(?i:(.*: )?try ['` + "`" + `"\w].*--help))`)

// toolEssay is where a tool stops to say what is wrong and tells how it is used.
var toolEssay = regexp.MustCompile(`(?im)^(usage: |usage:$|The superblock could not be read or does not describe)`)

// maxComplaints is how many lines of a tool's are an error.
const maxComplaints = 20

// sentence makes one line of what a tool has complained in several, each said once.
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

// warn tells the client what is no failure of the call.
func (d *Daemon) warn(format string, args ...any) {
	text := strings.Join(strings.Fields(fmt.Sprintf(format, args...)), " ")
	fmt.Fprintln(os.Stderr, proto.WarningMark+text)
}

// named makes sure that a failure says what it is about: where the text has none of
// the call's files and devices, the first of them is put in front. What is wrong
// with the arguments alone is left as it is.
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
		case string: // a path that is no path of the guest
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
