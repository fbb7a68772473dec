package commands

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"gofish/guestfs/types"
	"gofish/internal/api"
	"gofish/internal/unlock"

	"golang.org/x/sys/unix"
)

// bars says when progress bars are drawn.
type bars int

const (
	barsAuto bars = iota // at a prompt
	barsOn
	barsOff
)

// options is the parsed command line.
type options struct {
	words         []string
	disks         []disk
	mounts        []mountOption
	readonly      bool
	readwrite     bool
	inspect       bool
	examine       bool // words named images
	json          bool
	strict        bool
	file          string
	echoKeys      bool
	keysFromStdin bool
	libvirtURI    string
	noDestPaths   bool
	keys          []*unlock.Key
	pipeError     bool
	listen, csh   bool
	remote        int // process of the server, 0 for none
	untrusted     bool
	bars          bars

	// Given by --format and --blocksize for the disks that follow; pending until
	// one does.
	format           string
	formatPending    bool
	blocksize        int
	blocksizePending bool
}

// disk is a disk to add: an image of the host, or a prepared one.
type disk struct {
	add       driveArgs
	format    string
	blocksize int
	prepared  *prepared
	domain    string // disks of this libvirt domain instead
	first     int    // position of the first drive, once it is added
}

// optionTable is every option, in the order that --long-options shows.
func optionTable() []option {
	return []option{
		{long: "add", short: 'a', arg: needArg, value: "image", help: "Add a disk image, or a remote disk by its URI",
			set: func(s *Shell, o *options, arg *string) error { return o.addDisk(s, *arg) }},
		{long: "blocksize", arg: mayArg, value: "512|4096", help: "Sector size of the images that follow",
			set: func(s *Shell, o *options, arg *string) error { return o.setBlocksize(s, arg) }},
		{long: "cmd-help", short: 'h', arg: mayArg, value: "command", help: "List the commands, or explain one",
			set: func(s *Shell, o *options, arg *string) error { return s.helpOption(arg) }},
		{long: "connect", short: 'c', arg: needArg, value: "uri", help: "libvirt connection URI used by -d",
			set: func(s *Shell, o *options, arg *string) error { o.libvirtURI = *arg; return nil }},
		{long: "csh", help: "With --listen: print the line for a C shell",
			set: func(s *Shell, o *options, arg *string) error { o.csh = true; return nil }},
		{long: "domain", short: 'd', arg: needArg, value: "domain", help: "Add the disks of a libvirt domain, by name or UUID",
			set: func(s *Shell, o *options, arg *string) error {
				o.disks = append(o.disks, disk{domain: *arg})
				return nil
			}},
		{long: "echo-keys", help: "Show keys and passphrases while they are typed",
			set: func(s *Shell, o *options, arg *string) error { o.echoKeys = true; return nil }},
		{long: "file", short: 'f', arg: needArg, value: "file", help: "Read commands from a file",
			set: func(s *Shell, o *options, arg *string) error { return o.setFile(s, *arg) }},
		{long: "format", arg: mayArg, value: "raw|qcow2|..", help: "Format of the images that follow; without a value, detect it",
			set: func(s *Shell, o *options, arg *string) error { return o.setFormat(arg) }},
		{long: "help", help: "Show this text",
			set: func(s *Shell, o *options, arg *string) error { s.printUsage(s.out); return exitStatus(0) }},
		{long: "key", arg: needArg, value: "ID:key:KEY|ID:file:FILE|ID:clevis", help: "Key of an encrypted device; ID is its name, its UUID or all",
			set: func(s *Shell, o *options, arg *string) error { return o.addKey(s, *arg) }},
		{long: "inspector", short: 'i', help: "Launch, find the operating system, and mount its file systems",
			set: func(s *Shell, o *options, arg *string) error { o.inspect = true; return nil }},
		{long: "json", help: "Print each result as JSON, one value a line; the command schema describes them",
			set: func(s *Shell, o *options, arg *string) error { o.json = true; return nil }},
		{long: "keys-from-stdin", help: "Read keys and passphrases from standard input",
			set: func(s *Shell, o *options, arg *string) error { o.keysFromStdin = true; return nil }},
		{long: "listen", help: "Run in the background as a server for --remote",
			set: func(s *Shell, o *options, arg *string) error { o.listen = true; return nil }},
		{long: "live", set: func(s *Shell, o *options, arg *string) error {
			return s.errorf("libguestfs live support was removed in libguestfs 1.48")
		}},
		{long: "mount", short: 'm', arg: needArg, value: "device[:dir[:options[:type]]]", help: "Launch, and mount a device on dir (or on /)",
			set: func(s *Shell, o *options, arg *string) error {
				o.mounts = append(o.mounts, newMountOption(*arg))
				return nil
			}},
		{long: "network", help: "Give the appliance a network",
			set: func(s *Shell, o *options, arg *string) error { return s.g().SetNetwork(s.ctx, true) }},
		{long: "new", short: 'N', arg: needArg, value: "[file=]type[:..]", help: "Make a prepared disk; -N help lists the types",
			set: func(s *Shell, o *options, arg *string) error { return o.addPrepared(s, *arg) }},
		{long: "no-dest-paths", help: "Do not complete paths of the guest with TAB",
			set: func(s *Shell, o *options, arg *string) error { o.noDestPaths = true; return nil }},
		{short: 'D',
			set: func(s *Shell, o *options, arg *string) error {
				o.noDestPaths = true
				if o.strict {
					return s.errorf("-D option is deprecated, use --no-dest-paths instead")
				}
				s.warn("-D option is deprecated, use --no-dest-paths instead")
				return nil
			}},
		{long: "no-sync", short: 'n', help: "Do not flush the disks at the end",
			set: func(s *Shell, o *options, arg *string) error { return s.g().SetAutosync(s.ctx, false) }},
		{long: "no-template", help: "Boot the appliance instead of restoring a saved one",
			set: func(s *Shell, o *options, arg *string) error {
				return s.g().SetBackendSetting(s.ctx, "no_template", "1")
			}},
		{long: "pipe-error", help: "Fail a command when the program after its pipe stops reading",
			set: func(s *Shell, o *options, arg *string) error { o.pipeError = true; return nil }},
		{long: "progress-bars", help: "Draw progress bars in scripts too",
			set: func(s *Shell, o *options, arg *string) error { o.bars = barsOn; return nil }},
		{long: "no-progress-bars", help: "Never draw progress bars",
			set: func(s *Shell, o *options, arg *string) error { o.bars = barsOff; return nil }},
		{long: "remote", arg: mayArg, value: "pid", help: "Send the commands to a server: the one with this PID, or in $GUESTFISH_PID",
			set: func(s *Shell, o *options, arg *string) error { return o.setRemote(s, arg) }},
		{long: "ro", short: 'r', help: "Do not change the disks; what is written is discarded at the end",
			set: func(s *Shell, o *options, arg *string) error { o.readonly = true; return nil }},
		{long: "rw", short: 'w', help: "Open the disks for writing; the default, except when only an image is named",
			set: func(s *Shell, o *options, arg *string) error {
				if o.readonly {
					return s.errorf("cannot mix --ro and --rw options")
				}
				o.readwrite = true
				return nil
			}},
		{long: "selinux", help: "Ignored; accepted for old scripts",
			set: func(s *Shell, o *options, arg *string) error { return nil }},
		{long: "strict", help: "Treat warnings, failing programs after a pipe, and unset variables in commands for the host as errors",
			set: func(s *Shell, o *options, arg *string) error { o.strict = true; return nil }},
		{long: "timeout", arg: needArg, value: "seconds", help: "Give up on a call that makes no progress for this long (default 600; 0: never)",
			set: func(s *Shell, o *options, arg *string) error {
				if n, err := strconv.ParseFloat(*arg, 64); err != nil || n < 0 {
					return s.errorf("--timeout %s: not a number of seconds", *arg)
				}
				return s.g().SetBackendSetting(s.ctx, "timeout", *arg)
			}},
		{long: "trace", arg: mayArg, value: "file", help: "Write each command to standard error or a file, as a script that can be run again",
			set: func(s *Shell, o *options, arg *string) error { return s.openTrace(arg) }},
		{long: "untrusted", help: "For images from strangers: open only files beside them, and do not trust a format that a guest could have written",
			set: func(s *Shell, o *options, arg *string) error {
				o.untrusted = true
				return s.g().SetBackendSetting(s.ctx, "untrusted", "1")
			}},
		{long: "verbose", short: 'v', help: "Print what happens, with the console of the appliance",
			set: func(s *Shell, o *options, arg *string) error { return s.g().SetVerbose(s.ctx, true) }},
		{long: "version", short: 'V', help: "Show the version",
			set: func(s *Shell, o *options, arg *string) error {
				fmt.Fprintf(s.out, "%s %s\n", s.prog.Name, s.prog.Version)
				return exitStatus(0)
			}},
		{short: 'x', help: "Show each action and its result",
			set: func(s *Shell, o *options, arg *string) error { return s.g().SetTrace(s.ctx, true) }},
		{long: "long-options", set: func(s *Shell, o *options, arg *string) error {
			for _, o := range optionTable() {
				if o.long != "" && o.long != "long-options" && o.long != "short-options" {
					fmt.Fprintf(s.out, "--%s\n", o.long)
				}
			}
			return exitStatus(0)
		}},
		{long: "short-options", set: func(s *Shell, o *options, arg *string) error {
			for _, c := range shortOptions() {
				fmt.Fprintf(s.out, "-%c\n", c)
			}
			return exitStatus(0)
		}},
	}
}

// shortOptions are the letters of the options, in alphabetical order.
func shortOptions() []byte {
	var letters []byte
	for _, o := range optionTable() {
		if o.short != 0 {
			letters = append(letters, o.short)
		}
	}
	small := func(c byte) byte { return c | 0x20 }
	slices.SortFunc(letters, func(a, b byte) int { // a small letter comes before its capital
		return cmp.Or(cmp.Compare(small(a), small(b)), cmp.Compare(b, a))
	})
	return letters
}

// parse reads the command line. What options do at once is done.
func (o *options) parse(s *Shell, args []string) error {
	words, err := getopt(optionTable(), args, func(opt *option, arg *string, rest []string) (int, error) {
		used := 0
		// -h takes the next word too, if it does not begin an option.
		if opt.short == 'h' && arg == nil && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
			arg, used = &rest[0], 1
		}
		return used, opt.set(s, o, arg)
	})
	o.words = words
	if lib, ok := err.(libError); ok {
		s.sayPlain(lib)
		return errReported
	}
	return asOptionError(s.prog.Name, err)
}

func (o *options) addDisk(s *Shell, name string) error {
	args, err := parseDrive(name)
	if err != nil {
		return s.errorf("--add: %v", err)
	}
	if !args.remote() {
		if err := unix.Access(args.path, unix.R_OK); err != nil {
			return s.errorf("access: %s: %s", args.path, cause(err))
		}
	}
	o.disks = append(o.disks, disk{add: args, format: o.format, blocksize: o.blocksize})
	o.formatPending, o.blocksizePending = false, false
	return nil
}

func (o *options) setFormat(arg *string) error {
	o.format, o.formatPending = "", true
	if arg != nil {
		o.format = *arg
	}
	return nil
}

func (o *options) setBlocksize(s *Shell, arg *string) error {
	o.blocksize, o.blocksizePending = 0, true
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
		return s.errorf("--blocksize option is not numeric")
	}
	o.blocksize = int(v)
	return nil
}

func (o *options) setFile(s *Shell, name string) error {
	if o.file != "" {
		return s.errorf("only one -f parameter can be given")
	}
	o.file = name
	return nil
}

// start does what the options request before the first command: it adds the
// disks, launches if that is called for, prepares disks, mounts, and opens the
// script.
func (s *Shell) start() error {
	o := &s.opts
	if o.remote != 0 {
		if err := s.checkServer(); err != nil {
			return err
		}
	}
	if o.formatPending {
		return s.errorf("--format parameter must appear before -a parameter")
	}
	if o.blocksizePending {
		return s.errorf("--blocksize parameter must appear before -a parameter")
	}
	if o.inspect && len(o.disks) == 0 {
		// The old way: with -i and no other disk, words are disks.
		for _, name := range o.words {
			d, err := oldStyleDisk(name)
			if err != nil {
				return s.errorf("%v", err)
			}
			o.disks = append(o.disks, d)
		}
		o.words = nil
	}
	if err := s.takeImages(); err != nil {
		return err
	}
	launch := len(o.mounts) > 0 || o.inspect || o.examine
	drives := 0
	for i, d := range o.disks {
		o.disks[i].first = drives
		n, err := s.addDisk(d)
		if err != nil {
			return err
		}
		drives += n
		launch = launch || d.prepared != nil
	}
	if launch {
		if err := s.g().Launch(s.ctx); err != nil {
			return err
		}
		if o.examine {
			if err := s.examine(); err != nil {
				return err
			}
		}
		if o.inspect {
			if err := s.inspect(); err != nil {
				return err
			}
		}
		for _, d := range o.disks {
			if d.prepared != nil {
				if err := s.finishPrepared(d.prepared, fmt.Sprintf("/dev/sd%s", api.DriveLetters(d.first))); err != nil {
					return err
				}
			}
		}
		for _, m := range o.mounts {
			if err := s.mountAtStart(m); err != nil {
				return err
			}
		}
	}
	if err := s.checkListen(); err != nil {
		return err
	}
	if o.file != "" {
		f, err := os.Open(o.file)
		if err != nil {
			return s.errorf("open: %s: %s", o.file, cause(err))
		}
		s.file = o.file
		s.setStdin(f)
	}
	return nil
}

// setStdin makes f standard input, for child processes too.
func (s *Shell) setStdin(f *os.File) {
	if s.stdin.Fd() == 0 && unix.Dup3(int(f.Fd()), 0, 0) == nil {
		f.Close()
		f = s.stdin
	}
	s.useStdin(f)
}

// oldStyleDisk is a word after -i: an image if it looks like a file's name, a
// domain otherwise.
func oldStyleDisk(word string) (disk, error) {
	if _, err := os.Stat(word); err != nil && !strings.Contains(word, "/") {
		return disk{domain: word}, nil
	}
	args, err := parseDrive(word)
	return disk{add: args}, err
}

// addDisk adds a disk, or all disks of a domain, and returns how many that are.
func (s *Shell) addDisk(d disk) (int, error) {
	if d.domain != "" {
		opts := types.AddDomainOptions{AllowUUID: new(true), ReadOnlyDisk: new("read")}
		if s.opts.libvirtURI != "" {
			opts.LibvirtURI = &s.opts.libvirtURI
		}
		if s.opts.readonly {
			opts.ReadOnly = new(true)
		}
		return s.g().AddDomain(s.ctx, d.domain, opts)
	}
	opts := d.add.options()
	if d.prepared == nil && s.opts.readonly {
		opts.ReadOnly = new(true)
	}
	if d.format != "" {
		opts.Format = &d.format
	}
	if d.blocksize != 0 {
		opts.BlockSize = &d.blocksize
	}
	return 1, s.g().AddDrive(s.ctx, d.add.path, opts)
}

// mountOption is the argument of -m.
type mountOption struct {
	device, dir string
	options     *string
	fstype      *string
}

func newMountOption(arg string) mountOption {
	// A subvolume or a folder contains a colon itself.
	prefix, rest := "", arg
	for _, p := range []string{api.VolumePrefix, api.FolderPrefix} {
		if r, ok := strings.CutPrefix(arg, p); ok {
			prefix, rest = p, r
		}
	}
	f := strings.SplitN(rest, ":", 4)
	m := mountOption{device: prefix + f[0], dir: "/"}
	if len(f) > 1 {
		m.dir = f[1]
	}
	if len(f) > 2 {
		m.options = &f[2]
	}
	if len(f) > 3 {
		m.fstype = &f[3]
	}
	return m
}

// mountAtStart does one -m. If it fails, a list of the file systems may help.
func (s *Shell) mountAtStart(m mountOption) error {
	options := ""
	if m.options != nil {
		options = *m.options
	} else if s.opts.readonly {
		options = "ro"
	}
	var err error
	if m.fstype != nil {
		err = s.g().MountVFS(s.ctx, options, *m.fstype, m.device, m.dir)
	} else {
		err = s.g().MountOptions(s.ctx, options, m.device, m.dir)
	}
	if err == nil {
		return nil
	}
	text := s.errorf("‘%s’ could not be mounted.", m.device).Error()
	if options != "" && m.options != nil {
		text += fmt.Sprintf("\n%s: Check mount(8) man page to ensure options ‘%s’", s.prog.Name, options)
		text += fmt.Sprintf("\n%s: are supported by the filesystem that is being mounted.", s.prog.Name)
	}
	filesystems, lerr := s.g().ListFilesystems(s.ctx)
	if lerr != nil {
		return join(err, lerr)
	}
	tried := m.device
	if name, err := s.g().CanonicalDeviceName(s.ctx, m.device); err == nil {
		tried = name
	}
	others := ""
	for _, p := range filesystems {
		if p.Key != m.device && p.Key != tried {
			others += fmt.Sprintf("\n%s: \t%s (%s)", s.prog.Name, p.Key, p.Value)
		}
	}
	if others != "" {
		text += fmt.Sprintf("\n%s: Did you mean to mount one of these filesystems?", s.prog.Name) + others
	}
	return join(err, fmt.Errorf("%s", text))
}

// printUsage is what --help prints.
func (s *Shell) printUsage(w io.Writer) {
	n := s.prog.Name
	fmt.Fprintf(w, `%[1]s works inside disk images, without mounting them on the host
and without root.

  %[1]s [options] [command [: command ...]]   run commands
  %[1]s [options]                             commands from a prompt or standard input
  %[1]s [options] -f file                     commands from a file

Options:
`, n)
	for _, o := range optionTable() {
		if o.help != "" {
			label := optionLabel(&o, "|")
			if len(label) > 22 {
				fmt.Fprintf(w, "  %s\n  %22s %s\n", label, "", o.help)
			} else {
				fmt.Fprintf(w, "  %-22s %s\n", label, o.help)
			}
		}
	}
	if len(s.prog.Subcommands) > 0 {
		fmt.Fprint(w, "\nOther uses (--help explains each):\n")
	}
	for _, c := range s.prog.Subcommands {
		fmt.Fprintf(w, "  %-22s %s\n", n+" "+c.Name(), c.Short)
	}
	fmt.Fprintf(w, `
To look into a disk image:   %[1]s --ro -a disk.img
then type:                   run, list-filesystems, mount /dev/sda1 /, ls /
`, n)
}

// optionLabel shows an option's forms, with or between them, and its argument.
func optionLabel(o *option, or string) string {
	label := ""
	if o.short != 0 {
		label = "-" + string(o.short)
	}
	if o.long != "" {
		if label != "" {
			label += or
		}
		label += "--" + o.long
	}
	switch {
	case o.arg == needArg:
		label += " " + o.value
	case o.arg == mayArg && o.short != 0:
		label += " [" + o.value + "]"
	case o.arg == mayArg:
		label += "[=" + o.value + "]"
	}
	return label
}
