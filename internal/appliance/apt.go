package appliance

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Package is a distribution package that went into an appliance.
type Package struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Arch    string `json:"arch"`

	file string // name of its archive
	sum  string // SHA-256 of it, if known
}

// apt drives the host's apt with private state, cache and settings, so that it
// needs no root and the host does not notice. Sources and keys are the host's.
type apt struct {
	dir      string // private; survives builds that were killed, so that they go on
	warnings string // of the last update
}

// prepare writes the settings. They are read before all others, whose places they
// take away: hooks in the host's settings would act on the host.
func (a *apt) prepare(ctx context.Context) error {
	if err := os.RemoveAll(filepath.Join(a.dir, "cache")); err != nil {
		return err
	}
	for _, d := range []string{"state/lists/partial", "cache/archives/partial", "archives"} {
		if err := os.MkdirAll(filepath.Join(a.dir, d), 0o700); err != nil {
			return err
		}
	}
	// Nothing is installed in the appliance-to-be: dependencies are complete down to libc.
	if err := os.WriteFile(filepath.Join(a.dir, "status"), nil, 0o600); err != nil {
		return err
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, `Dir::Etc::parts "/dev/null";
Dir::Etc::main "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "%[1]s/state";
Dir::State::status "%[1]s/status";
Dir::Cache "%[1]s/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "%[1]s";
APT::Sandbox::User "";
APT::Install-Recommends "0";
APT::Install-Suggests "0";
APT::Get::AllowUnauthenticated "0";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::ForceHash "SHA256";
Debug::NoLocking "1";
`, a.dir)
	// Proxies and the like are how this host reaches its mirror.
	out, err := exec.CommandContext(ctx, "apt-config", "dump").Output()
	if err != nil {
		return fmt.Errorf("apt-config dump: %w (without apt, use --from host)", err)
	}
	for _, line := range strings.Split(string(out), "\n") {
		for _, p := range []string{"Acquire::http", "Acquire::ftp", "Acquire::Check-", "Acquire::Force", "Acquire::cdrom", "APT::Architecture ", "APT::Default-Release"} {
			if strings.HasPrefix(line, p) {
				conf.WriteString(line + "\n")
			}
		}
	}
	return os.WriteFile(filepath.Join(a.dir, "apt.conf"), []byte(conf.String()), 0o600)
}

// helperLimit is how long a program that was asked to stop, and the helpers it
// started, may take.
const helperLimit = 2 * time.Second

func (a *apt) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = a.dir
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = helperLimit
	c.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(a.dir, "apt.conf"), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive")
	return c
}

// run returns standard output; the error holds apt's last complaints.
func (a *apt) run(ctx context.Context, name string, args ...string) ([]byte, error) {
	c := a.command(ctx, name, args...)
	var complaints bytes.Buffer
	c.Stderr = &complaints
	out, err := c.Output()
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("%s %s: %w: %s", name, args[0], err, lastErrors(complaints.String()))
	}
	return out, nil
}

func lastErrors(s string) string {
	var l []string
	for _, line := range strings.Split(s, "\n") {
		if rest, ok := strings.CutPrefix(line, "E: "); ok {
			l = append(l, rest)
		}
	}
	if l == nil {
		return strings.TrimSpace(s)
	}
	return l[0] // the others are mostly the same again
}

// update fetches the lists of packages. A mirror that cannot be reached is only a
// warning: older lists may do.
func (a *apt) update(ctx context.Context) error {
	c := a.command(ctx, "apt-get", "update", "-q")
	var complaints bytes.Buffer
	c.Stderr = &complaints
	err := c.Run()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("apt-get update: %w: %s", err, lastErrors(complaints.String()))
	}
	for _, line := range strings.Split(complaints.String(), "\n") {
		if w, ok := strings.CutPrefix(line, "W: "); ok && a.warnings == "" {
			a.warnings = w
		}
	}
	return nil
}

// candidates returns which of the names can be installed.
func (a *apt) candidates(ctx context.Context, names []string) (map[string]bool, error) {
	out, err := a.run(ctx, "apt-cache", append([]string{"policy"}, names...)...)
	if err != nil {
		return nil, err
	}
	have := map[string]bool{}
	var name string
	for _, line := range strings.Split(string(out), "\n") {
		if strings.HasSuffix(line, ":") && !strings.HasPrefix(line, " ") {
			name = strings.TrimSuffix(line, ":")
		} else if v, ok := strings.CutPrefix(line, "  Candidate: "); ok && v != "(none)" {
			have[name] = true
		}
	}
	return have, nil
}

// resolve returns every package of the closure of names, less the unneeded ones.
func (a *apt) resolve(ctx context.Context, names []string) ([]Package, error) {
	out, err := a.run(ctx, "apt-get", append([]string{"install", "-y", "-q", "--print-uris"}, names...)...)
	if err != nil {
		return nil, err
	}
	var l []Package
	s := bufio.NewScanner(bytes.NewReader(out))
	for s.Scan() {
		// 'URI' NAME_VERSION_ARCH.deb SIZE HASH:…
		f := strings.Fields(s.Text())
		if len(f) < 3 || !strings.HasPrefix(f[0], "'") {
			continue
		}
		parts := strings.Split(strings.TrimSuffix(f[1], ".deb"), "_")
		if len(parts) != 3 || strings.Contains(f[1], "/") {
			return nil, fmt.Errorf("apt-get install --print-uris: cannot read the line %q", s.Text())
		}
		p := Package{Name: parts[0], Version: strings.ReplaceAll(parts[1], "%3a", ":"), Arch: parts[2], file: f[1]}
		if len(f) > 3 {
			if sum, ok := strings.CutPrefix(f[3], "SHA256:"); ok {
				p.sum = sum
			}
		}
		if !isUnneeded(p.Name) {
			l = append(l, p)
		}
	}
	slices.SortFunc(l, func(x, y Package) int { return strings.Compare(x.Name, y.Name) })
	return l, s.Err()
}

// choose picks an available name for each want and returns all packages that these
// need. Wants that cannot be had, also because they would conflict, are left out.
func (a *apt) choose(ctx context.Context) ([]Package, error) {
	var all []string
	for _, w := range wants {
		all = append(all, strings.Split(w.names, "|")...)
	}
	have, err := a.candidates(ctx, all)
	if err != nil {
		return nil, err
	}
	var names []string
	for i, w := range wants {
		l := strings.Split(w.names, "|")
		at := slices.IndexFunc(l, func(n string) bool { return have[n] })
		switch {
		case at >= 0 && !slices.Contains(names, l[at]):
			names = append(names, l[at])
		case at < 0 && i == 0:
			kernel, err := a.anyKernel(ctx)
			if err != nil {
				return nil, err
			}
			names = append(names, kernel)
		}
	}
	pkgs, err := a.resolve(ctx, names)
	if err == nil || ctx.Err() != nil {
		return pkgs, err
	}
	// They do not fit together: leave out one after the other what does not fit.
	first := err
	var fit []string
	for _, n := range names {
		if _, err := a.resolve(ctx, append(slices.Clone(fit), n)); err == nil {
			fit = append(fit, n)
		} else if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	if len(fit) == 0 || fit[0] != names[0] {
		return nil, first
	}
	return a.resolve(ctx, fit)
}

// anyKernel finds the newest kernel of a distribution that has none of the names we
// know.
func (a *apt) anyKernel(ctx context.Context) (string, error) {
	out, err := a.run(ctx, "apt-cache", "pkgnames", "linux-image-")
	if err != nil {
		return "", err
	}
	var found []string
	for _, n := range strings.Fields(string(out)) {
		rest := strings.TrimPrefix(strings.TrimPrefix(n, "linux-image-"), "unsigned-")
		if rest == "" || rest[0] < '0' || rest[0] > '9' || strings.HasSuffix(n, "-dbg") || strings.HasSuffix(n, "-dbgsym") || strings.Contains(n, "-rt-") || strings.Contains(n, "-cloud-") {
			continue
		}
		if strings.HasSuffix(n, "-amd64") || strings.HasSuffix(n, "-generic") {
			found = append(found, n)
		}
	}
	if len(found) > 0 {
		return slices.MaxFunc(found, compareVersions), nil
	}
	why := ""
	if a.warnings != "" {
		why = " (" + a.warnings + ")"
	}
	return "", fmt.Errorf("apt knows no kernel%s: check the host's package sources and the network, or use --from host", why)
}

// archives is not apt's own folder: what lies there, --print-uris leaves out.
func (a *apt) archives() string { return filepath.Join(a.dir, "archives") }

// fetch downloads the packages that an earlier build has not left complete.
func (a *apt) fetch(ctx context.Context, pkgs []Package) error {
	var args []string
	for _, p := range pkgs {
		file := filepath.Join(a.archives(), p.file)
		if p.sum != "" && fileSum(file) == p.sum {
			continue
		}
		os.Remove(file)
		arg := p.Name + "=" + p.Version
		if p.Arch != "all" {
			arg = p.Name + ":" + p.Arch + "=" + p.Version
		}
		args = append(args, arg)
	}
	if len(args) == 0 {
		return nil
	}
	c := a.command(ctx, "apt-get", append([]string{"download", "-q"}, args...)...)
	c.Dir = a.archives()
	var complaints bytes.Buffer
	c.Stderr = &complaints
	if err := c.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("apt-get download: %w: %s", err, lastErrors(complaints.String()))
	}
	for _, p := range pkgs {
		file := filepath.Join(a.archives(), p.file)
		if p.sum == "" {
			if _, err := os.Stat(file); err != nil {
				return fmt.Errorf("apt-get download left no %s", p.file)
			}
		} else if got := fileSum(file); got != p.sum {
			return fmt.Errorf("%s: SHA-256 is %q, the package list says %s: run the build again", file, got, p.sum)
		}
	}
	return nil
}

// clean forgets the archives; the lists stay, so that the next update is short.
func (a *apt) clean() error { return os.RemoveAll(a.archives()) }

// fileSum is the SHA-256 of a file in hexadecimal, empty if it cannot be read.
func fileSum(file string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// haveApt reports whether this host can build from packages.
func haveApt() error {
	for _, p := range []string{"apt-get", "apt-cache", "apt-config", "dpkg-deb"} {
		if _, err := exec.LookPath(p); err != nil {
			return errors.New(p + " is not on this host: use --from host")
		}
	}
	return nil
}
