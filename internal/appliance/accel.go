package appliance

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"gofish/internal/newfile"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A Verdict is the result of probing an accelerator on this host.
type Verdict struct {
	Accel string    // kvm or tcg
	Why   string    // why it is not kvm
	Boot  string    // the host's boot it is good for
	HV    string    // identity of the qemu it is good for
	CPU   string    // CPU model that was tried
	Real  bool      // a real kernel has booted under it
	Time  time.Time // when
}

// Accelerator decides between KVM and emulation. That /dev/kvm opens is no
// proof: on some hosts guests then abort or hang. So a tiny guest must run and
// end first; the verdict is remembered until the host boots again or qemu changes.
type Accelerator struct {
	Dir string // where the verdict is kept; empty: nowhere
	HV  HV
	Log func(string)
}

const kvmDevice = "/dev/kvm"

// Choose returns the verdict, from memory or by a probe that takes at most
// probeTime.
func (a *Accelerator) Choose(ctx context.Context) Verdict {
	v := Verdict{Accel: "tcg", Boot: bootID(), HV: a.HV.identity(), CPU: cpuModel, Time: time.Now()}
	f, err := os.OpenFile(kvmDevice, os.O_RDWR, 0)
	if err != nil {
		v.Why = err.Error()
		return v // cheap to find out again
	}
	f.Close()
	if old, ok := a.remembered(); ok && old.Boot == v.Boot && old.HV == v.HV && old.CPU == v.CPU {
		return old
	}
	if err := probeKVM(ctx, a.HV); err != nil {
		v.Why = err.Error()
	} else {
		v.Accel = "kvm"
	}
	a.log("accelerator: %s%s", v.Accel, because(v.Why))
	a.Remember(v)
	return v
}

// Refuse remembers that KVM did not work, although the probe did.
func (a *Accelerator) Refuse(v Verdict, why string) Verdict {
	v.Accel, v.Why, v.Time = "tcg", why, time.Now()
	a.log("accelerator: tcg%s", because(why))
	a.Remember(v)
	return v
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ", since KVM is not usable here: " + why
}

func (a *Accelerator) log(format string, args ...any) {
	if a.Log != nil {
		a.Log(fmt.Sprintf(format, args...))
	}
}

func (a *Accelerator) file() string { return filepath.Join(a.Dir, "accelerator.json") }

func (a *Accelerator) remembered() (v Verdict, ok bool) {
	if a.Dir == "" {
		return v, false
	}
	b, err := os.ReadFile(a.file())
	return v, err == nil && json.Unmarshal(b, &v) == nil && (v.Accel == "kvm" || v.Accel == "tcg")
}

// Remember keeps a verdict. That it cannot be kept costs the next launch a
// probe and is not a failure.
func (a *Accelerator) Remember(v Verdict) {
	if a.Dir == "" {
		return
	}
	b, err := json.Marshal(v)
	if err != nil {
		return
	}
	newfile.Write(a.file(), 0o600, func(f *os.File) error {
		_, err := f.Write(b)
		return err
	})
}

const probeTime = 2 * time.Second

// probeGuest is a multiboot kernel (Multiboot Specification 0.6.96, §3.1) that
// writes 0x10 to the isa-debug-exit port, whereupon qemu ends with status
// 0x10<<1|1, and halts should that not happen.
func probeGuest() []byte {
	const magic, flags, load = 0x1BADB002, 1 << 16, 0x100000
	var sum uint32 = magic + flags
	words := []uint32{magic, flags, -sum, load, load, 0, 0, load + 32}
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return append(b,
		0x66, 0xba, 0xf4, 0x00, // mov $0xf4, %dx
		0xb0, 0x10, // mov $0x10, %al
		0xee,       // out %al, (%dx)
		0xf4,       // hlt
		0xeb, 0xfd) // jmp to hlt
}

const probeStatus = 0x10<<1 | 1

// probeKVM runs the probe guest. The error says in one line what went wrong.
func probeKVM(ctx context.Context, hv HV) error {
	guest, err := os.CreateTemp("", "gofish-probe-*")
	if err != nil {
		return err
	}
	defer guest.Close()
	os.Remove(guest.Name()) // qemu reads it through the descriptor
	if _, err := guest.Write(probeGuest()); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, probeTime)
	defer stop()
	c := hv.Command(ctx, "-no-user-config", "-nodefaults", "-display", "none",
		"-machine", "q35,accel=kvm", "-cpu", cpuModel, "-m", "32", "-no-reboot",
		"-device", "isa-debug-exit,iobase=0xf4,iosize=1", "-kernel", "/proc/self/fd/3")
	c.ExtraFiles = []*os.File{guest}
	c.WaitDelay = time.Second
	var out tail
	c.Stdout, c.Stderr = &out, &out
	err = c.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == probeStatus {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("a test guest did not end within %v", probeTime)
	}
	if line, _, _ := strings.Cut(strings.TrimSpace(out.String()), "\n"); line != "" {
		return errors.New(line)
	}
	if err == nil {
		return errors.New("a test guest ended without a word")
	}
	return fmt.Errorf("a test guest: %w", err)
}

func bootID() string {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(b))
}

// identity distinguishes builds of a program without reading it.
func identity(path string) string {
	if p, err := exec.LookPath(path); err == nil {
		path = p
	}
	fi, err := os.Stat(path)
	if err != nil {
		return path
	}
	return fmt.Sprintf("%s %d %d", path, fi.Size(), fi.ModTime().UnixNano())
}
