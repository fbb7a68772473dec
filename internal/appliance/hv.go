package appliance

import (
	"context"
	"fmt"
	"os/exec"
	"strings"

	"github.com/google/shlex"
)

// HV is the program that runs a machine: qemu, or a wrapper that execs it, with its own
// arguments before those that we add.
type HV []string

// ParseHV reads a program as users name it: a file, whose name may contain blanks, or words
// quoted as for a shell. The program is looked up in PATH.
func ParseHV(text string) (HV, error) {
	if p, err := exec.LookPath(text); err == nil {
		return HV{p}, nil
	}
	hv, err := shlex.Split(text)
	if err != nil || len(hv) == 0 {
		return nil, fmt.Errorf("%q does not name a program", text)
	}
	if len(hv) == 1 && hv[0] == text {
		_, err = exec.LookPath(text)
		return hv, err
	}
	p, err := exec.LookPath(hv[0])
	if err != nil {
		return hv, err
	}
	hv[0] = p
	return hv, nil
}

// String returns a text that ParseHV reads back.
func (hv HV) String() string {
	if len(hv) == 1 {
		return hv[0]
	}
	return pasteable(hv)
}

// Command runs the program.
func (hv HV) Command(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, hv[0], append(hv[1:len(hv):len(hv)], args...)...)
}

// identity distinguishes builds of the program.
func (hv HV) identity() string {
	var l []string
	for _, word := range hv {
		l = append(l, identity(word))
	}
	return strings.Join(l, " ")
}
