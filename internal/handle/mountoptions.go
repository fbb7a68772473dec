package handle

import (
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"gofish/guestfs/types"
)

// mountOptions is what mount_local is told about the mount.
type mountOptions struct {
	readonly        bool
	permissions     bool // the host's kernel checks them
	attrTimeout     time.Duration
	entryTimeout    time.Duration
	negativeTimeout time.Duration
	uid, gid        *uint32 // that all files seem to have
	umask           uint32  // bits that no file seems to have
	masked          bool
	debug           bool
	name, source    string
	kernel          []string // for the kernel
}

// defaultCacheTimeout is how long the kernel may cache attributes and names. They do not
// change behind its back: see nodeFS.
const defaultCacheTimeout = time.Hour

// mountWords are the options that have no value: what mount(8) and libfuse call them. A nil
// function is for those that change nothing here.
var mountWords = map[string]func(o *mountOptions, word string){
	"ro": func(o *mountOptions, _ string) { o.readonly = true },
	"rw": func(o *mountOptions, _ string) { o.readonly = false },
	"default_permissions": func(o *mountOptions, word string) {
		o.permissions = true
		o.kernel = append(o.kernel, word)
	},
	"debug":       func(o *mountOptions, _ string) { o.debug = true },
	"allow_other": toKernel, "suid": toKernel, "nosuid": toKernel, "dev": toKernel, "nodev": toKernel, "exec": toKernel, "noexec": toKernel,
	// How the cache works is known better than these say.
	"kernel_cache": nil, "auto_cache": nil, "noauto_cache": nil, "use_ino": nil, "readdir_ino": nil, "hard_remove": nil,
	"big_writes": nil, "async_read": nil, "sync_read": nil, "atomic_o_trunc": nil, "nonempty": nil, "intr": nil, "noforget": nil,
	"atime": nil, "noatime": nil, "diratime": nil, "nodiratime": nil, "relatime": nil, "norelatime": nil, "strictatime": nil,
	"lazytime": nil, "nolazytime": nil, "iversion": nil, "noiversion": nil, "mand": nil, "nomand": nil,
	"async": nil, "defaults": nil, "sync": toKernel, "dirsync": toKernel,
	"allow_root": toKernel, "auto_unmount": nil, "large_read": nil, "no_remote_lock": nil, "no_remote_flock": nil, "no_remote_posix_lock": nil,
	"splice_read": nil, "splice_write": nil, "splice_move": nil, "no_splice_read": nil, "no_splice_write": nil, "no_splice_move": nil,
	// For mount(8) itself, from fstab.
	"auto": nil, "noauto": nil, "user": nil, "nouser": nil, "users": nil, "owner": nil, "group": nil, "nofail": nil, "_netdev": nil,
}

func toKernel(o *mountOptions, word string) { o.kernel = append(o.kernel, word) }

// mountValues are the options with a value.
var mountValues = map[string]func(o *mountOptions, value string) error{
	"uid":              func(o *mountOptions, v string) (err error) { o.uid, err = number32(v, 10); return err },
	"gid":              func(o *mountOptions, v string) (err error) { o.gid, err = number32(v, 10); return err },
	"entry_timeout":    func(o *mountOptions, v string) (err error) { o.entryTimeout, err = seconds(v); return err },
	"attr_timeout":     func(o *mountOptions, v string) (err error) { o.attrTimeout, err = seconds(v); return err },
	"negative_timeout": func(o *mountOptions, v string) (err error) { o.negativeTimeout, err = seconds(v); return err },
	"ac_attr_timeout":  func(o *mountOptions, v string) error { _, err := seconds(v); return err },
	"fsname":           func(o *mountOptions, v string) error { o.source = v; return nil },
	"subtype":          func(o *mountOptions, v string) error { o.name = v; return nil },
	"umask": func(o *mountOptions, v string) error {
		n, err := number32(v, 8)
		if err == nil {
			o.umask, o.masked = *n&0o777, true
		}
		return err
	},
	"max_read": aNumber, "max_write": aNumber, "max_readahead": aNumber, "max_background": aNumber, "congestion_threshold": aNumber, "remember": aNumber,
	"comment": anything, "user": anything,
}

// MountOptionNames lists the options that mount_local knows; those with a value end in "=".
func MountOptionNames() []string {
	l := slices.Collect(maps.Keys(mountWords))
	for name := range mountValues {
		l = append(l, name+"=")
	}
	slices.Sort(l)
	return l
}

func anything(o *mountOptions, v string) error { return nil }

// aNumber is for sizes that are chosen here.
func aNumber(o *mountOptions, v string) error {
	_, err := number32(v, 10)
	return err
}

func number32(v string, base int) (*uint32, error) {
	n, err := strconv.ParseUint(v, base, 32)
	if err != nil {
		return nil, fmt.Errorf("%q is not a number", v)
	}
	u := uint32(n)
	return &u, nil
}

func seconds(v string) (time.Duration, error) {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || n < 0 || n > 1e9 {
		return 0, fmt.Errorf("%q is not a number of seconds", v)
	}
	return time.Duration(n * float64(time.Second)), nil
}

func parseMountOptions(given types.MountLocalOptions) (mountOptions, error) {
	timeout := defaultCacheTimeout
	if given.CacheTimeout != nil {
		timeout = time.Duration(*given.CacheTimeout) * time.Second
	}
	o := mountOptions{attrTimeout: timeout, entryTimeout: timeout, negativeTimeout: timeout, name: "gofish", source: "gofish"}
	if given.Options != nil {
		for _, word := range splitOptions(*given.Options) {
			if err := o.set(word); err != nil {
				return o, fmt.Errorf("mount option %s: %w", word, err)
			}
		}
	}
	o.readonly = o.readonly || given.ReadOnly != nil && *given.ReadOnly
	o.debug = o.debug || given.DebugCalls != nil && *given.DebugCalls
	if o.readonly {
		o.kernel = append(o.kernel, "ro")
	}
	return o, nil
}

// splitOptions takes a list apart. As with libfuse, a backslash makes the next character part
// of an option.
func splitOptions(s string) []string {
	list := []string{""}
	for i := 0; i < len(s); i++ {
		last := &list[len(list)-1]
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			*last += s[i : i+1]
		case s[i] == ',':
			list = append(list, "")
		default:
			*last += s[i : i+1]
		}
	}
	return list
}

func (o *mountOptions) set(word string) error {
	name, value, valued := strings.Cut(word, "=")
	set, isWord := mountWords[name]
	setValue, isValue := mountValues[name]
	switch {
	case word == "" || strings.HasPrefix(strings.ToLower(name), "x-"):
		return nil
	case isWord && valued && !isValue:
		return errors.New("it takes no value")
	case isWord && !valued && set == nil:
		return nil
	case isWord && !valued:
		set(o, name)
		return nil
	case isValue && !valued:
		return errors.New("it needs a value")
	case isValue:
		return setValue(o, value)
	}
	return errors.New("not known")
}

// show makes the changes to the attributes of a file that the options ask for.
func (o *mountOptions) show(a *fuse.Attr) {
	if o.uid != nil {
		a.Uid = *o.uid
	}
	if o.gid != nil {
		a.Gid = *o.gid
	}
	if o.masked {
		a.Mode = a.Mode&syscall.S_IFMT | 0o777&^o.umask
	}
}

// fuseByPath is what go-fuse needs to know, for a mount whose requests go by path.
func (o *mountOptions) fuseByPath() *fuse.MountOptions {
	logger := log.New(io.Discard, "", 0) // go-fuse would tell of replies that nobody waits for any longer
	if o.debug {
		logger = log.Default()
	}
	return &fuse.MountOptions{Debug: o.debug, Logger: logger}
}

// fuse is the same for a mount with nodes.
func (o *mountOptions) fuse() *fuse.MountOptions {
	m := o.fuseByPath()
	m.MaxWrite = maxMessage
	m.MaxBackground = 64
	m.EnableSymlinkCaching = true
	m.ExplicitDataCacheControl = true
	m.EnableAcl = o.permissions
	m.ExtraCapabilities = fuse.CAP_WRITEBACK_CACHE | fuse.CAP_DONT_MASK | fuse.CAP_HANDLE_KILLPRIV_V2
	m.DisabledCapabilities = fuse.CAP_READDIRPLUS_AUTO // a list is nearly always followed by questions about its files
	if o.readonly {
		m.ExtraCapabilities = fuse.CAP_DONT_MASK
	}
	return m
}
