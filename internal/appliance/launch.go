package appliance

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gofish/internal/proto"
)

// LaunchOptions say how a machine is brought up.
type LaunchOptions struct {
	CacheDir  string // remembers whether KVM works; "" for none
	Force     string // the accelerator to use, "kvm" or "tcg"; "" for the best that works
	Templates string // folder of templates; "": always boot
	// RestoreLimit is how long the machine may take to be restored; 0: the default.
	RestoreLimit time.Duration
	Console      func(string) // gets what the guest and qemu print
	Log          func(format string, args ...any)
	Note         func(format string, args ...any) // reports what the user should know; may be nil
}

// How long an appliance may take to answer. Emulation on a loaded machine is slow; a KVM
// guest that takes this long hangs.
const (
	launchTime    = 10 * time.Minute
	kvmLaunchTime = 20 * time.Second
)

func (o *LaunchOptions) note(format string, args ...any) {
	if o.Note != nil {
		o.Note(format, args...)
	}
}

// Launch brings the machine up until its daemon answers. There are two
// fallbacks: from KVM to emulation, and in each from a saved machine to a boot.
func (m *Machine) Launch(ctx context.Context, o LaunchOptions) (*VM, error) {
	chooser := &Accelerator{HV: m.HV, Dir: o.CacheDir, Log: func(s string) { o.Log("%s", s) }}
	verdict := Verdict{Accel: o.Force, Why: "force_" + o.Force + " is set", Real: true}
	if o.Force == "" {
		verdict = chooser.Choose(ctx)
	}
	o.Log("accelerator: %s (%s)", verdict.Accel, verdict.Why)

	m.Accel = verdict.Accel
	if m.Accel != "kvm" {
		return m.restoreOrBoot(ctx, launchTime, o)
	}
	vm, err := m.restoreOrBoot(ctx, kvmLaunchTime, o)
	switch {
	case verdict.Real || ctx.Err() != nil || errors.As(err, new(*DriveError)):
		return vm, err
	case err == nil:
		verdict.Real = true
		chooser.Remember(verdict)
		return vm, nil
	}
	// The test guest ran, the real one did not: emulate, now and from now on.
	why := "the appliance did not start under it (" + err.Error() + ")"
	m.Accel = "tcg"
	if vm, err = m.restoreOrBoot(ctx, launchTime, o); err == nil {
		chooser.Refuse(verdict, why)
	}
	return vm, err
}

// restoreOrBoot takes a template if there is one, else it boots, and makes the template for
// the next time. The guest may take as long as limit to boot.
func (m *Machine) restoreOrBoot(ctx context.Context, limit time.Duration, o LaunchOptions) (*VM, error) {
	if o.Templates != "" && m.templatable() {
		vm, err := m.fromTemplate(ctx, limit, o)
		if err == nil || ctx.Err() != nil {
			return vm, err
		}
		if errors.As(err, new(*DriveError)) {
			return nil, err // booting would not help
		}
		if !errors.Is(err, errNoTemplate) {
			o.note("the saved appliance could not be used, another one is booted: %v", err)
		}
	}
	return m.boot(ctx, limit, o)
}

// boot starts the machine from nothing.
func (m *Machine) boot(ctx context.Context, limit time.Duration, o LaunchOptions) (*VM, error) {
	args := m.Args()
	o.Log("%s %s", m.HV, pasteable(args))
	vm, err := m.start(args, o.Console)
	if err != nil {
		return nil, err
	}
	// qemu greets once it has opened the drives.
	err = vm.await(ctx, max(o.RestoreLimit, plugInLimit), vm.mon.negotiate)
	var late *lateError
	if errors.As(err, &late) {
		return nil, fmt.Errorf("qemu has not opened the drives for %v and was ended", late.limit)
	}
	if err != nil {
		return nil, err
	}
	return vm, vm.await(ctx, limit, func() error {
		ev, _, err := vm.Conn.Next(&proto.Progress{})
		if err == nil && ev != proto.EventLaunch {
			err = errors.New("the appliance's first word is not the launch word: it is of another kind")
		}
		return err
	})
}

// lateError says that something took longer than it may.
type lateError struct{ limit time.Duration }

func (e *lateError) Error() string {
	return fmt.Sprintf("the appliance did not answer within %v", e.limit)
}

func notOpened(limit time.Duration) string {
	return fmt.Sprintf("qemu has not opened it for %v and was ended", limit)
}

// await runs f, which talks with the guest or with qemu, and ends the machine if
// it fails, or when it takes longer than the limit.
func (vm *VM) await(ctx context.Context, limit time.Duration, f func() error) error {
	timed, stop := context.WithTimeout(ctx, limit)
	defer stop()
	// A read ends when the connection is shut.
	unwatch := context.AfterFunc(timed, vm.closeSockets)
	err := f()
	inTime := unwatch()
	switch {
	case err == nil && inTime:
		return nil
	case ctx.Err() != nil:
		vm.Kill()
		return errors.New("cancelled by user")
	case !inTime:
		vm.Kill()
		return &lateError{limit}
	case isClosed(err):
		return errors.New("qemu: " + vm.Why())
	}
	vm.Kill()
	return err
}
