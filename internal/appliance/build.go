package appliance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sort"
	"strings"
	"time"
)

// BuildOptions tell Build what to make.
type BuildOptions struct {
	Source   string // apt or host; empty: apt if this host has it
	CacheDir string
	Binary   string
	Progress func(string)
	IfNone   bool // if another process has built one by then, use it

	deep bool // as in FindOptions
}

// spec identifies what a builder wants from a source.
func spec(source string) string {
	h := sha256.New()
	fmt.Fprintln(h, builderVersion, source, wants, keptModules, droppedModules, bootModules, rootFeatures)
	if source == "host" {
		return hex.EncodeToString(h.Sum(nil)[:8])
	}
	fmt.Fprintln(h, unneeded, pruned, exempt, keptCharsets)
	names := make([]string, 0, len(only))
	for n := range only {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		fmt.Fprintln(h, n, only[n])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Free space that is looked at before it is used up, since apt-get hangs on a full
// disk: measured, with some to spare.
const (
	roomForLists    = 150 << 20
	roomForPackages = 850 << 20 // packages, what is in them, and the images
	roomForHost     = 500 << 20
)

// Build makes an appliance and makes it the current one. If the cache has one of
// the same content, that is taken. One build runs at a time; a second one waits.
func Build(ctx context.Context, o BuildOptions) (*Appliance, error) {
	progress := o.Progress
	if progress == nil {
		progress = func(string) {}
	}
	if o.Source == "" {
		o.Source = "apt"
		if haveApt() != nil {
			o.Source = "host"
		}
	}
	c, err := openCache(CacheDir(o.CacheDir))
	if err != nil {
		return nil, err
	}
	c.deep = o.deep
	unlock, waited, err := c.lock(ctx, progress)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var damage *Damage // which stays until there is another one
	if o.IfNone || waited {
		dir, m, err := c.find()
		if o.IfNone && errors.As(err, &damage) && !damage.Imported {
			var spare *Manifest
			if dir, spare = c.spare(); spare != nil {
				m, err = spare, c.supersede(damage, spare.Key)
			}
		}
		if err == nil && (o.IfNone || m.Source == o.Source) {
			return c.assemble(dir, m, o.Binary)
		}
	}
	c.sweep()
	b := &builder{cache: c, progress: progress, options: o}
	var key string
	switch o.Source {
	case "apt":
		key, err = b.fromApt(ctx)
	case "host":
		key, err = b.fromHost(ctx)
	default:
		err = fmt.Errorf("appliance from %q: the source must be apt or host", o.Source)
	}
	if err != nil {
		return nil, err
	}
	if err := c.supersede(damage, key); err != nil {
		return nil, err
	}
	dir, m, err := c.current()
	if err != nil {
		return nil, err
	}
	return c.assemble(dir, m, o.Binary)
}

// supersede makes a base the current one, and removes a damaged one in whose place it is.
func (c cache) supersede(damage *Damage, key string) error {
	if err := c.use(key); err != nil {
		return err
	}
	if damage == nil || damage.Imported || damage.Dir == c.base(key) {
		return nil
	}
	return removeAll(damage.Dir)
}

type builder struct {
	cache    cache
	progress func(string)
	options  BuildOptions
}

func (b *builder) say(format string, args ...any) { b.progress(fmt.Sprintf(format, args...)) }

// fromApt makes a base of distribution packages and returns its key.
func (b *builder) fromApt(ctx context.Context) (string, error) {
	if err := haveApt(); err != nil {
		return "", err
	}
	dir, err := filepath.Abs(filepath.Join(b.cache.dir, "apt"))
	if err != nil {
		return "", err
	}
	if err := b.cache.room(roomForLists); err != nil {
		return "", err
	}
	a := &apt{dir: dir}
	if err := a.prepare(ctx); err != nil {
		return "", err
	}
	b.say("appliance: fetching the lists of packages")
	if err := a.update(ctx); err != nil {
		return "", err
	}
	pkgs, err := a.choose(ctx)
	if err != nil {
		return "", err
	}
	m := &Manifest{Spec: spec("apt"), Source: "apt", Made: time.Now().UTC().Truncate(time.Second), Packages: pkgs}
	h := sha256.New()
	fmt.Fprintln(h, m.Spec)
	for _, p := range pkgs {
		fmt.Fprintln(h, p.Name, p.Version, p.Arch)
	}
	var sum [32]byte
	h.Sum(sum[:0])
	m.Key, m.UUID = hex.EncodeToString(sum[:8]), uuidOf(sum)
	if b.cache.holds(m.Key) {
		return m.Key, nil
	}
	if err := b.cache.room(roomForPackages); err != nil {
		return "", err
	}
	b.say("appliance: fetching %d packages", len(pkgs))
	if err := a.fetch(ctx, pkgs); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(b.cache.dir, "tmp-build-")
	if err != nil {
		return "", err
	}
	defer removeAll(tmp)
	b.say("appliance: unpacking them")
	t, err := newTree(filepath.Join(tmp, "tree"))
	if err != nil {
		return "", err
	}
	if err := t.unpackAll(ctx, a.archives(), pkgs, max(2, runtime.NumCPU())); err != nil {
		return "", err
	}
	if err := b.complete(ctx, tmp, t, m); err != nil {
		return "", err
	}
	return m.Key, a.clean()
}

// complete turns a tree with everything in it, the kernel below /boot, into a base.
func (b *builder) complete(ctx context.Context, tmp string, t tree, m *Manifest) error {
	out := filepath.Join(tmp, "base")
	if err := os.Mkdir(out, 0o755); err != nil {
		return err
	}
	b.say("appliance: preparing kernel and modules")
	kernels, _ := filepath.Glob(t.path("boot/vmlinuz-*"))
	if len(kernels) == 0 {
		return errors.New("the kernel package holds no /boot/vmlinuz-*")
	}
	kernel := slices.MaxFunc(kernels, compareVersions)
	m.Kernel = strings.TrimPrefix(filepath.Base(kernel), "vmlinuz-")
	image, err := os.ReadFile(kernel)
	if err != nil {
		return err
	}
	vmlinux, err := unpackKernel(image, func(name string, args ...string) (*exec.Cmd, error) { return t.command(ctx, name, args...) })
	if err != nil {
		b.say("appliance: kernel %s stays packed, launching will be slower: %v", m.Kernel, err)
		vmlinux = image
	} else if m.PVH = hasPVH(vmlinux); !m.PVH {
		b.say("appliance: kernel %s has no PVH entry and stays packed, launching will be slower", m.Kernel)
		vmlinux = image
	}
	if err := os.WriteFile(filepath.Join(out, "kernel"), vmlinux, 0o644); err != nil {
		return err
	}
	if err := os.RemoveAll(t.path("boot")); err != nil {
		return err
	}
	if err := os.Mkdir(t.path("boot"), 0o755); err != nil {
		return err
	}
	modules, err := t.modules(ctx, m.Kernel)
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(out, "boot"), 0o755); err != nil {
		return err
	}
	for _, bm := range modules.boot() {
		ko, err := readModule(bm.File)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(out, "boot", bm.Name), ko, 0o644); err != nil {
			return err
		}
	}
	if err := t.finish(ctx); err != nil {
		return err
	}
	if m.Missing, m.Disabled = t.check(newLoader(t).dirs); len(m.Missing) > 0 {
		b.say("appliance: not available here, so left out: %s", strings.Join(m.Missing, ", "))
	}
	if len(m.Disabled) > 0 {
		b.say("appliance: groups of actions that will not work: %s", strings.Join(m.Disabled, ", "))
	}
	b.say("appliance: writing the root image")
	m.Largest = largest(t.dir)
	root := filepath.Join(out, "root")
	err = makeRoot(ctx, t.dir, root, m.UUID, func(args ...string) (*exec.Cmd, error) { return t.command(ctx, "mke2fs", args...) })
	if err != nil {
		return err
	}
	if err := m.seal(out); err != nil {
		return err
	}
	return b.cache.publish(out, m.Key)
}

// largest lists the ten largest parts of a tree: single libraries and data files
// above 2 MB by name, the rest summed by folder.
func largest(dir string) []Part {
	sums := map[string]int64{}
	filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		fi, err := d.Info()
		if err != nil {
			return nil
		}
		rel, _ := filepath.Rel(dir, p)
		if fi.Size() < 2<<20 {
			parts := strings.Split(filepath.Dir(rel), string(filepath.Separator))
			n := 3
			if len(parts) > 2 && parts[1] == "lib" && parts[2] == "modules" {
				n = 6
			}
			rel = filepath.Join(parts[:min(n, len(parts))]...) + "/"
		}
		sums[rel] += fi.Size()
		return nil
	})
	l := make([]Part, 0, len(sums))
	for n, s := range sums {
		l = append(l, Part{n, s})
	}
	sort.Slice(l, func(i, j int) bool {
		return l[i].Bytes > l[j].Bytes || l[i].Bytes == l[j].Bytes && l[i].Name < l[j].Name
	})
	return l[:min(10, len(l))]
}
