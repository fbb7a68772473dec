package handle

import (
	"errors"
	"fmt"
	"strings"
)

// The settings as actions. Those that only matter at launch are refused later
// by the catalogue's ConfigOnly.

func (h Actions) GetAppend() (*string, error) { return h.Settings.Append, nil }
func (h Actions) SetAppend(s *string) error   { h.Settings.Append = s; return nil }

// GetAttachMethod gives the direct backend the name it had when this was new.
func (h Actions) GetAttachMethod() (string, error) {
	if h.Settings.Backend == "direct" {
		return "appliance", nil
	}
	return h.Settings.Backend, nil
}

func (h Actions) SetAttachMethod(s string) error { return h.Settings.setBackend(s) }
func (h Actions) GetAutosync() (bool, error)     { return h.Settings.Autosync, nil }
func (h Actions) SetAutosync(b bool) error       { h.Settings.Autosync = b; return nil }
func (h Actions) GetBackend() (string, error)    { return h.Settings.Backend, nil }
func (h Actions) SetBackend(s string) error      { return h.Settings.setBackend(s) }
func (h Actions) GetDirect() (bool, error)       { return h.Settings.Direct, nil }
func (h Actions) SetDirect(b bool) error         { h.Settings.Direct = b; return nil }
func (h Actions) GetHv() (string, error)         { return h.Settings.hvPath(), nil }
func (h Actions) SetHv(s string) error           { h.Settings.HV = s; return nil }
func (h Actions) GetQemu() (string, error)       { return h.Settings.hvPath(), nil }
func (h Actions) GetIdentifier() (string, error) { return h.Settings.Identifier, nil }
func (h Actions) GetMemsize() (int, error)       { return h.Settings.Memory, nil }
func (h Actions) SetMemsize(mb int) error        { return h.Settings.SetMemory(mb) }
func (h Actions) GetNetwork() (bool, error)      { return h.Settings.Network, nil }
func (h Actions) SetNetwork(b bool) error        { h.Settings.Network = b; return nil }
func (h Actions) GetPath() (string, error)       { return h.Settings.Path, nil }
func (h Actions) GetPgroup() (bool, error)       { return h.Settings.Pgroup, nil }
func (h Actions) SetPgroup(b bool) error         { h.Settings.Pgroup = b; return nil }
func (h Actions) GetProgram() (string, error)    { return h.Settings.Program, nil }
func (h Actions) SetProgram(s string) error      { h.Settings.Program = s; return nil }
func (h Actions) GetRecoveryProc() (bool, error) { return h.Settings.RecoveryProc, nil }
func (h Actions) SetRecoveryProc(b bool) error   { h.Settings.RecoveryProc = b; return nil }
func (h Actions) GetSelinux() (bool, error)      { return h.Settings.SELinux, nil }
func (h Actions) SetSelinux(b bool) error        { h.Settings.SELinux = b; return nil }
func (h Actions) GetSmp() (int, error)           { return h.Settings.SMP, nil }
func (h Actions) GetTmpdir() (string, error)     { return h.Settings.tmpDir(), nil }
func (h Actions) GetTrace() (bool, error)        { return h.Settings.Trace, nil }
func (h Actions) SetTrace(b bool) error          { h.Settings.Trace = b; return nil }
func (h Actions) GetVerbose() (bool, error)      { return h.Settings.Verbose, nil }
func (h Actions) SetVerbose(b bool) error        { h.Settings.Verbose = b; h.verbose.Store(b); return nil }
func (h Actions) GetBackendSettings() ([]string, error) {
	return append([]string{}, h.Settings.BackendSettings...), nil
}

func (h Actions) SetQemu(s *string) error {
	h.Settings.HV = orEmpty(s)
	return nil
}

func (h Actions) SetPath(s *string) error {
	h.Settings.Path = orEmpty(s)
	return nil
}

func (h Actions) SetTmpdir(s *string) error {
	h.Settings.TmpDir = orEmpty(s)
	return nil
}

func (h Actions) GetCachedir() (string, error) {
	if h.Settings.CacheDir != "" {
		return h.Settings.CacheDir, nil
	}
	return defaultCache, nil
}

func (h Actions) SetCachedir(s *string) error {
	h.Settings.CacheDir = orEmpty(s)
	return nil
}

func (h Actions) GetSockdir() (string, error) {
	// Our sockets have no names; this is where libguestfs would put them.
	return defaultTmpDir, nil
}

func (h Actions) SetIdentifier(s string) error {
	h.Settings.Identifier = s
	return nil
}

func (h Actions) SetSmp(n int) error {
	switch {
	case n > 255:
		return fmt.Errorf("unsupported number of smp vCPUs: %d", n)
	case n < 1:
		return fmt.Errorf("invalid smp parameter: %d", n)
	}
	h.Settings.SMP = n
	return nil
}

func (h Actions) GetBackendSetting(name string) (string, error) {
	if v, ok := h.Settings.setting(name); ok {
		return v, nil
	}
	return "", errors.New("setting not found")
}

func (h Actions) SetBackendSetting(name, val string) error {
	h.clearSetting(name)
	h.Settings.BackendSettings = append(h.Settings.BackendSettings, name+"="+val)
	return nil
}

func (h Actions) SetBackendSettings(l []string) error {
	h.Settings.BackendSettings = append([]string{}, l...)
	return nil
}

func (h Actions) ClearBackendSetting(name string) (int, error) { return h.clearSetting(name), nil }

func (h *Handle) clearSetting(name string) int {
	keep := h.Settings.BackendSettings[:0:0]
	for _, x := range h.Settings.BackendSettings {
		if x != name && !strings.HasPrefix(x, name+"=") {
			keep = append(keep, x)
		}
	}
	n := len(h.Settings.BackendSettings) - len(keep)
	h.Settings.BackendSettings = keep
	return n
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
