package handle

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Settings are what a handle knows before launch. Each has an environment
// variable, read when the handle is made; GOFISH_NAME wins over
// LIBGUESTFS_NAME:
//
//	APPEND            text added to the kernel's command line
//	ATTACH_METHOD     old name of BACKEND
//	BACKEND           direct, or unix:SOCKET for a daemon that is already running
//	BACKEND_SETTINGS  colon-separated: force_tcg, force_kvm
//	CACHEDIR          where appliances are kept
//	DEBUG             1: verbose
//	HV, QEMU          the qemu program, or a wrapper that execs it; may have arguments
//	MEMSIZE           memory of the appliance, MiB
//	PATH              colon-separated directories with appliances
//	TMPDIR            where temporary files go
//	TEMPLATE          0: always boot, neither use nor make templates
//	TIMEOUT           seconds that a call may stand still before it is given up; 0: forever
//	TRACE             1: trace every call
//	UNTRUSTED         1: images come from strangers, see Untrusted
type Settings struct {
	Append          *string
	Autosync        bool
	Backend         string
	BackendSettings []string
	CacheDir        string // empty: the default
	Direct          bool
	HV              string // empty: the default
	Identifier      string
	Memory          int // MiB
	Network         bool
	Path            string
	Pgroup          bool
	Program         string
	RecoveryProc    bool
	SELinux         bool
	SMP             int
	Templates       bool           // restore saved machines instead of booting
	Timeout         *time.Duration // nil: the default
	TmpDir          string         // empty: the default
	Trace           bool
	Untrusted       bool // images open no other files than those beside them
	Verbose         bool
	Extra           []string // arguments for qemu
	Init            string   // program that is the appliance's PID 1; empty: this one
	// RestoreLimit is how long a saved machine may take to come back before it is
	// given up and another one booted; 0: the default.
	RestoreLimit time.Duration
}

const (
	defaultMemory  = 1280
	minimumMemory  = 256
	defaultHV      = "qemu-system-x86_64"
	defaultTmpDir  = "/tmp"
	defaultCache   = "/var/tmp"
	defaultBackend = "direct"
	maxDrives      = 255
)

func defaults() Settings {
	return Settings{Autosync: true, Backend: defaultBackend, Memory: defaultMemory, Program: filepath.Base(os.Args[0]), RecoveryProc: true, SMP: 1, Templates: true}
}

// fromEnvironment applies the variables that lookup finds.
func (s *Settings) fromEnvironment(lookup func(string) (string, bool)) error {
	get := func(name string) (string, string, bool) {
		for _, prefix := range []string{"GOFISH_", "LIBGUESTFS_"} {
			if v, ok := lookup(prefix + name); ok {
				return prefix + name, v, true
			}
		}
		return "", "", false
	}
	for name, flag := range map[string]*bool{"TRACE": &s.Trace, "DEBUG": &s.Verbose, "TEMPLATE": &s.Templates, "UNTRUSTED": &s.Untrusted} {
		if full, v, ok := get(name); ok {
			b, err := parseBool(v)
			if err != nil {
				return fmt.Errorf("%s=%s: non-boolean value", full, v)
			}
			*flag = b
		}
	}
	if _, v, ok := get("TMPDIR"); ok {
		s.TmpDir = v
	} else if v, ok := lookup("TMPDIR"); ok && v != "" {
		s.TmpDir = v
	}
	if _, v, ok := get("CACHEDIR"); ok {
		s.CacheDir = v
	}
	if _, v, ok := get("PATH"); ok {
		s.Path = v
	}
	for _, name := range []string{"QEMU", "HV"} {
		if _, v, ok := get(name); ok && v != "" {
			s.HV = v
		}
	}
	if _, v, ok := get("APPEND"); ok {
		s.Append = &v
	}
	if full, v, ok := get("MEMSIZE"); ok && v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			return fmt.Errorf("non-numeric value for memsize (%s=%s)", full, v)
		}
		if err := s.SetMemory(n); err != nil {
			return fmt.Errorf("%s: %w", full, err)
		}
	}
	if full, v, ok := get("TIMEOUT"); ok && v != "" {
		limit, err := parseTimeout(v)
		if err != nil {
			return fmt.Errorf("%s: %w", full, err)
		}
		s.Timeout = &limit
	}
	for _, name := range []string{"ATTACH_METHOD", "BACKEND"} {
		if _, v, ok := get(name); ok && v != "" {
			if err := s.setBackend(v); err != nil {
				return err
			}
		}
	}
	if _, v, ok := get("BACKEND_SETTINGS"); ok {
		s.BackendSettings = splitNonEmpty(v, ":")
	}
	return nil
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "1", "t", "true", "y", "yes", "on":
		return true, nil
	case "0", "f", "false", "n", "no", "off":
		return false, nil
	}
	return false, syscall.EINVAL
}

func splitNonEmpty(s, sep string) []string {
	l := []string{}
	for _, x := range strings.Split(s, sep) {
		if x != "" {
			l = append(l, x)
		}
	}
	return l
}

// SetMemory sets the memory of the appliance, in MiB.
func (s *Settings) SetMemory(mb int) error {
	if mb < minimumMemory {
		return fmt.Errorf("too small value for memsize (must be at least %d)", minimumMemory)
	}
	s.Memory = mb
	return nil
}

func (s *Settings) setBackend(b string) error {
	if b == "appliance" { // old name
		b = defaultBackend
	}
	if path, ok := strings.CutPrefix(b, "unix:"); b != defaultBackend && !(ok && path != "") {
		return fmt.Errorf("invalid backend: %s", b)
	}
	s.Backend = b
	return nil
}

func (s *Settings) tmpDir() string {
	if s.TmpDir != "" {
		return s.TmpDir
	}
	return defaultTmpDir
}

func (s *Settings) hv() string {
	if s.HV != "" {
		return s.HV
	}
	return defaultHV
}

// setting returns a backend setting: NAME or NAME=VALUE.
func (s *Settings) setting(name string) (string, bool) {
	for _, x := range s.BackendSettings {
		if x == name {
			return "1", true
		}
		if v, ok := strings.CutPrefix(x, name+"="); ok {
			return v, true
		}
	}
	return "", false
}
