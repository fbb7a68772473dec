package commands

import (
	"fmt"
	"io"
	"os"
	"strings"

	"gofish/guestfs/types"
	"gofish/internal/session"
)

// preparedType is a kind of disk that -N makes.
type preparedType struct {
	name     string
	params   []preparedParam
	short    string
	long     string
	finished func(s *Shell, p *prepared, dev string) error // nil if the disk stays blank
}

type preparedParam struct{ name, value, help string }

var (
	sizeParam      = preparedParam{"size", "1G", "the size of the disk image"}
	partitionParam = preparedParam{"partition", "mbr", "partition table type"}
	fsParam        = preparedParam{"filesystem", "ext2", "the type of filesystem to use"}
	lvParam        = preparedParam{"name", "/dev/VG/LV", "the name of the volume group and LV"}
	bootParam      = preparedParam{"bootfs", "ext2", "the type of filesystem to use for boot"}
	rootParam      = preparedParam{"rootfs", "ext2", "the type of filesystem to use for root"}
	bootSizeParam  = preparedParam{"bootsize", "128M", "the size of the boot filesystem"}
)

// preparedTypes are in the order in which the beginning of a name is looked for.
func preparedTypes() []preparedType {
	return []preparedType{
		{"disk", []preparedParam{sizeParam}, "create a blank disk",
			"Makes a disk of the given size with nothing on it.", nil},
		{"part", []preparedParam{sizeParam, partitionParam}, "create a partitioned disk",
			"Makes a disk with one partition, which takes all the space that the\npartition table leaves.",
			func(s *Shell, p *prepared, dev string) error { return p.partition(s, dev) }},
		{"fs", []preparedParam{fsParam, sizeParam, partitionParam}, "create a filesystem",
			"Makes a disk with one partition and an empty file system in it.",
			func(s *Shell, p *prepared, dev string) error {
				if err := p.partition(s, dev); err != nil {
					return err
				}
				return p.mkfs(s, "filesystem", p.get("filesystem"), dev+"1")
			}},
		{"lv", []preparedParam{lvParam, sizeParam, partitionParam}, "create a disk with logical volume",
			"Makes a disk with one partition, in it a volume group, and in that one\nlogical volume which takes all the space.",
			func(s *Shell, p *prepared, dev string) error {
				if err := p.partition(s, dev); err != nil {
					return err
				}
				return p.lvm(s, dev+"1")
			}},
		{"lvfs", []preparedParam{lvParam, fsParam, sizeParam, partitionParam}, "create a disk with logical volume and filesystem",
			"Like lv, with an empty file system in the logical volume.",
			func(s *Shell, p *prepared, dev string) error {
				if err := p.partition(s, dev); err != nil {
					return err
				}
				if err := p.lvm(s, dev+"1"); err != nil {
					return err
				}
				return p.mkfs(s, "filesystem", p.get("filesystem"), p.lvName())
			}},
		{"bootroot", []preparedParam{bootParam, rootParam, sizeParam, bootSizeParam, partitionParam}, "create a boot and root filesystem",
			"Makes a disk with two partitions, a small one meant for /boot and the rest\nfor the root, each with an empty file system.",
			func(s *Shell, p *prepared, dev string) error {
				if err := p.bootAndRoot(s, dev); err != nil {
					return err
				}
				if err := p.mkfs(s, "boot filesystem", p.get("bootfs"), dev+"1"); err != nil {
					return err
				}
				return p.mkfs(s, "root filesystem", p.get("rootfs"), dev+"2")
			}},
		{"bootrootlv", []preparedParam{lvParam, bootParam, rootParam, sizeParam, bootSizeParam, partitionParam}, "create a boot and root filesystem using LVM",
			"Like bootroot, but the second partition holds a volume group, and the root\nfile system is in a logical volume of it.",
			func(s *Shell, p *prepared, dev string) error {
				if err := p.bootAndRoot(s, dev); err != nil {
					return err
				}
				if err := p.mkfs(s, "boot filesystem", p.get("bootfs"), dev+"1"); err != nil {
					return err
				}
				if err := p.lvm(s, dev+"2"); err != nil {
					return err
				}
				return p.mkfs(s, "root filesystem", p.get("rootfs"), p.lvName())
			}},
	}
}

// prepared is one disk requested with -N.
type prepared struct {
	prog   string
	text   string // TYPE:… as given
	file   string
	typ    *preparedType
	params map[string]string
}

func (p *prepared) get(name string) string { return p.params[name] }

func (p *prepared) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: error creating prepared disk image ‘%s’ on ‘%s’: %s",
		p.prog, p.text, p.file, fmt.Sprintf(format, args...))
}

// addPrepared reads an argument of -N and makes the disk's file.
func (o *options) addPrepared(s *Shell, arg string) error {
	switch strings.ToLower(arg) {
	case "list", "help", "h", "?":
		s.listPrepared(s.out)
		return exitStatus(0)
	}
	p := &prepared{prog: s.prog.Name}
	if file, text, ok := strings.Cut(arg, "="); ok {
		p.file, p.text = file, text
	} else {
		p.file, p.text = fmt.Sprintf("test%d.img", o.prepared+1), arg
	}
	given := strings.Split(p.text, ":")
	kinds := preparedTypes()
	for i := range kinds {
		if strings.HasPrefix(kinds[i].name, strings.ToLower(given[0])) {
			p.typ = &kinds[i]
			break
		}
	}
	if p.typ == nil {
		//lint:ignore ST1005 guestfish says it so
		return fmt.Errorf("%s: -N parameter ‘%s’: no such prepared disk image known.\n"+
			"Use '%[1]s -N help' to list possible values for the -N parameter.", s.prog.Name, p.text)
	}
	given = given[1:]
	if len(given) > len(p.typ.params) {
		return p.errorf("%s takes at most %d parameters", p.typ.name, len(p.typ.params))
	}
	p.params = map[string]string{}
	for i, param := range p.typ.params {
		p.params[param.name] = param.value
		if i < len(given) {
			p.params[param.name] = given[i]
		}
	}
	if err := p.checkLV(); err != nil {
		return err
	}
	n, err := size(p.get("size"))
	if err == nil {
		err = s.g().DiskCreate(s.ctx, p.file, "raw", n, types.DiskCreateOptions{Preallocation: new("sparse")})
	}
	if err != nil {
		return join(err, p.errorf("failed to allocate disk"))
	}
	o.prepared++
	o.Disks = append(o.Disks, session.Disk{Drive: session.Drive{Path: p.file}, Format: "raw",
		Fill: func(dev string) error { return s.finishPrepared(p, dev) }})
	return nil
}

// finishPrepared does what a prepared disk needs once it can be worked on.
func (s *Shell) finishPrepared(p *prepared, dev string) error {
	if p.typ.finished == nil {
		return nil
	}
	err := p.typ.finished(s, p, dev)
	if err != nil {
		os.Remove(p.file) // half a disk is none
	}
	return err
}

func (p *prepared) checkLV() error {
	name, ok := p.params["name"]
	if !ok {
		return nil
	}
	vg, lv, ok := strings.Cut(strings.TrimPrefix(name, "/dev/"), "/")
	if !ok || vg == "" || lv == "" {
		return p.errorf("incorrect format for LV name, use '/dev/VG/LV'")
	}
	return nil
}

func (p *prepared) lvName() string {
	return "/dev/" + strings.TrimPrefix(p.get("name"), "/dev/")
}

// failed is err followed by what failed.
func (p *prepared) failed(err error, format string, args ...any) error {
	lib, ok := err.(libError)
	if !ok {
		return err
	}
	return join(err, p.errorf("%s: %v", fmt.Sprintf(format, args...), lib.err))
}

func (p *prepared) partition(s *Shell, dev string) error {
	if err := s.g().PartDisk(s.ctx, dev, p.get("partition")); err != nil {
		return p.failed(err, "failed to partition disk")
	}
	return nil
}

func (p *prepared) mkfs(s *Shell, what, fstype, dev string) error {
	if err := s.g().Mkfs(s.ctx, fstype, dev); err != nil {
		if what == "filesystem" {
			what += " (" + fstype + ")"
		}
		return p.failed(err, "failed to create %s", what)
	}
	return nil
}

func (p *prepared) lvm(s *Shell, dev string) error {
	vg, lv, _ := strings.Cut(strings.TrimPrefix(p.get("name"), "/dev/"), "/")
	if err := s.g().PVCreate(s.ctx, dev); err != nil {
		return p.failed(err, "failed to create PV: %s", dev)
	}
	if err := s.g().VGCreate(s.ctx, vg, []string{dev}); err != nil {
		return p.failed(err, "failed to create VG: %s", vg)
	}
	if err := s.g().LVCreateFree(s.ctx, lv, vg, 100); err != nil {
		return p.failed(err, "failed to create LV: %s", p.lvName())
	}
	return nil
}

// bootAndRoot makes two partitions, aligned as the first sectors of a disk allow.
func (p *prepared) bootAndRoot(s *Shell, dev string) error {
	boot, err := size(p.get("bootsize"))
	if err != nil {
		return join(err, p.errorf("could not parse boot size"))
	}
	sector, err := s.g().BlockdevGetss(s.ctx, dev)
	if err != nil {
		return p.failed(err, "failed to get sector size of disk")
	}
	if err := s.g().PartInit(s.ctx, dev, p.get("partition")); err != nil {
		return p.failed(err, "failed to partition disk")
	}
	last := 64 + boot/int64(sector) - 1
	if err := s.g().PartAdd(s.ctx, dev, "primary", 64, last); err != nil {
		return p.failed(err, "failed to add boot partition")
	}
	if err := s.g().PartAdd(s.ctx, dev, "primary", last+1, -64); err != nil {
		return p.failed(err, "failed to add root partition")
	}
	return nil
}

// listPrepared describes the types of prepared disks.
func (s *Shell) listPrepared(w io.Writer) {
	fmt.Fprint(w, "List of available prepared disk images:\n\n")
	for _, t := range preparedTypes() {
		fmt.Fprintf(w, "%s -N %-8s - %s\n\n  %s\n\n  Optional parameters:\n    -N %s",
			s.prog.Name, t.name, t.short, strings.ReplaceAll(t.long, "\n", "\n  "), t.name)
		for _, p := range t.params {
			fmt.Fprintf(w, ":<%s>", p.name)
		}
		fmt.Fprintln(w)
		for _, p := range t.params {
			fmt.Fprintf(w, "      <%s> %s (default: %s)\n", p.name, p.help, p.value)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, `A prepared disk is written to a file in the current folder: test1.img for
the first -N on the command line, test2.img for the second, and so on. A file
of that name is overwritten. To give it another name, put the name first:

  %[1]s -N blank.img=fs

`, s.prog.Name)
}
