package session

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"gofish/internal/getopt"
)

// Options returns rows of the table of options, by their long names.
func (s *Session) Options(names ...string) []getopt.Option {
	var rows []getopt.Option
	all := s.table()
	for _, name := range names {
		i := slices.IndexFunc(all, func(o getopt.Option) bool { return o.Long == name })
		if i < 0 {
			panic("no option --" + name + " of a session")
		}
		rows = append(rows, all[i])
	}
	return rows
}

// table is every option of a session.
func (s *Session) table() []getopt.Option {
	backend := func(name, value string) error { return s.Guest.SetBackendSetting(s.Ctx, name, value) }
	return []getopt.Option{
		{Long: "add", Short: 'a', Arg: getopt.NeedArg, Value: "image", Help: "Add a disk image, or a remote disk by its URI",
			Set: func(arg *string) error { return s.AddImage(*arg) }},
		{Long: "blocksize", Arg: getopt.MayArg, Value: "512|4096", Help: "Sector size of the images that follow", Set: s.setBlocksize},
		{Long: "connect", Short: 'c', Arg: getopt.NeedArg, Value: "uri", Help: "libvirt connection URI used by -d",
			Set: func(arg *string) error { s.LibvirtURI = *arg; return nil }},
		{Long: "domain", Short: 'd', Arg: getopt.NeedArg, Value: "domain", Help: "Add the disks of a libvirt domain, by name or UUID",
			Set: func(arg *string) error { s.Disks = append(s.Disks, Disk{Domain: *arg}); return nil }},
		{Long: "echo-keys", Help: "Show keys and passphrases while they are typed",
			Set: func(*string) error { s.EchoKeys = true; return nil }},
		{Long: "format", Arg: getopt.MayArg, Value: "raw|qcow2|..", Help: "Format of the images that follow; without a value, detect it",
			Set: s.setFormat},
		{Long: "inspector", Short: 'i', Help: "Launch, find the operating system, and mount its file systems",
			Set: func(*string) error { s.Inspect = true; return nil }},
		{Long: "key", Arg: getopt.NeedArg, Value: "ID:key:KEY|ID:file:FILE|ID:clevis", Help: "Key of an encrypted device; ID is its name, its UUID or all",
			Set: func(arg *string) error { return s.addKey(*arg) }},
		{Long: "keys-from-stdin", Help: "Read keys and passphrases from standard input",
			Set: func(*string) error { s.KeysFromStdin = true; return nil }},
		{Long: "live", Set: func(*string) error { return errors.New("libguestfs live support was removed in libguestfs 1.48") }},
		{Long: "mount", Short: 'm', Arg: getopt.NeedArg, Value: "device[:dir[:options[:type]]]", Help: "Launch, and mount a device on dir (or on /)",
			Set: func(arg *string) error { s.Mounts = append(s.Mounts, ParseMount(*arg)); return nil }},
		{Long: "network", Help: "Give the appliance a network",
			Set: func(*string) error { return s.Guest.SetNetwork(s.Ctx, true) }},
		{Long: "no-sync", Short: 'n', Help: "Do not flush the disks at the end",
			Set: func(*string) error { return s.Guest.SetAutosync(s.Ctx, false) }},
		{Long: "no-template", Help: "Boot the appliance instead of restoring a saved one",
			Set: func(*string) error { return backend("no_template", "1") }},
		{Long: "ro", Short: 'r', Help: "Do not change the disks; what is written is discarded at the end",
			Set: func(*string) error { s.ReadOnly = true; return nil }},
		{Long: "rw", Short: 'w', Help: "Open the disks for writing; the default, except when only an image is named",
			Set: func(*string) error {
				if s.ReadOnly {
					return errors.New("cannot mix --ro and --rw options")
				}
				s.ReadWrite = true
				return nil
			}},
		{Long: "selinux", Help: "Ignored; accepted for old scripts", Set: func(*string) error { return nil }},
		{Long: "timeout", Arg: getopt.NeedArg, Value: "seconds", Help: "Give up on a call that makes no progress for this long (default 600; 0: never)",
			Set: func(arg *string) error {
				if n, err := strconv.ParseFloat(*arg, 64); err != nil || n < 0 {
					return errors.New("--timeout " + *arg + ": not a number of seconds")
				}
				return backend("timeout", *arg)
			}},
		{Long: "trace", Short: 'x', Help: "Show each action and its result",
			Set: func(*string) error { return s.Guest.SetTrace(s.Ctx, true) }},
		{Long: "untrusted", Help: "For images from strangers: open only files beside them, and do not trust a format that a guest could have written",
			Set: func(*string) error { s.Untrusted = true; return backend("untrusted", "1") }},
		{Long: "verbose", Short: 'v', Help: "Print what happens, with the console of the appliance",
			Set: func(*string) error { return s.Guest.SetVerbose(s.Ctx, true) }},
	}
}

func (s *Session) setFormat(arg *string) error {
	s.format, s.formatPending = "", true
	if arg != nil {
		s.format = *arg
	}
	return nil
}

func (s *Session) setBlocksize(arg *string) error {
	s.blocksize, s.blocksizePending = 0, true
	if arg == nil || *arg == "" {
		return nil
	}
	digits := strings.TrimLeft(*arg, " \t")
	n := 0
	for n < len(digits) && (digits[n] >= '0' && digits[n] <= '9' || n == 0 && (digits[0] == '-' || digits[0] == '+')) {
		n++
	}
	v, err := strconv.ParseInt(digits[:n], 10, 32)
	if err != nil {
		return errors.New("--blocksize option is not numeric")
	}
	s.blocksize = int(v)
	return nil
}
