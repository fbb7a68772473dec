package appliance

import (
	"bufio"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// bootModules reach the root disk and the control port, whether the disks hang
// on virtio-blk (ours) or on virtio-scsi (libguestfs's).
var bootModules = []string{
	"virtio_pci", "virtio_blk", "virtio_scsi", "sd_mod", "virtio_console", "virtio_rng",
	"crc32c_generic", "ext4",
}

// keptModules are the parts of /lib/modules/V/kernel that the appliance keeps;
// what these depend on is kept as well. A part ends in / or is a module's name.
var keptModules = []string{
	"fs/", "crypto/", "arch/x86/crypto/", "lib/",
	"drivers/md/", "drivers/block/", "drivers/virtio/", "drivers/dax/", "drivers/nvdimm/", "drivers/nvme/",
	"drivers/cdrom/", "drivers/mtd/mtd", "drivers/mtd/devices/mtdram", "drivers/mtd/devices/block2mtd", "drivers/mtd/ubi/",
	"drivers/scsi/scsi_mod", "drivers/scsi/sd_mod", "drivers/scsi/sr_mod", "drivers/scsi/sg", "drivers/scsi/virtio_scsi",
	"drivers/scsi/iscsi_tcp", "drivers/scsi/scsi_debug", "drivers/scsi/scsi_transport_iscsi",
	"drivers/ata/libata", "drivers/ata/ahci", "drivers/ata/libahci", "drivers/ata/ata_piix", "drivers/ata/ata_generic",
	"drivers/char/hw_random/virtio-rng", "drivers/char/virtio_console", "drivers/char/tpm/tpm_", "drivers/char/raw",
	"drivers/firmware/qemu_fw_cfg", "drivers/net/virtio_net", "drivers/net/net_failover", "drivers/net/dummy",
	"drivers/net/tun", "net/core/", "net/9p/", "net/packet/", "net/unix/", "net/ipv4/", "net/ipv6/ipv6", "net/vmw_vsock/",
	"net/sunrpc/", "net/dns_resolver/", "net/ceph/", "net/llc/", "net/802/", "security/",
}

// droppedModules are exceptions to keptModules: nothing on a disk image needs them.
var droppedModules = []string{
	"lib/test", "fs/nfsd/", "fs/ksmbd/", "fs/afs/", "fs/ceph/", "fs/coda/", "fs/dlm/", "fs/orangefs/", "net/ceph/",
	"drivers/block/aoe/", "drivers/block/drbd/", "drivers/block/mtip32xx/", "drivers/block/rnbd/", "drivers/block/xen",
	"drivers/nvme/target/", "net/ipv4/netfilter/", "net/sunrpc/xprtrdma/", "drivers/mtd/mtd_",
}

// moduleTree is the output of depmod for the modules of one kernel.
type moduleTree struct {
	dir     string              // /lib/modules/VERSION
	deps    map[string][]string // file below dir → files it needs, in modules.dep's order
	byName  map[string]string   // module name → file
	builtin map[string]bool     // names of modules that are part of the kernel
}

// moduleName is how the kernel calls the module in a file: underscores, no suffix.
func moduleName(file string) string {
	n, _, _ := strings.Cut(path.Base(file), ".ko")
	return strings.ReplaceAll(n, "-", "_")
}

func readModules(dir string) (*moduleTree, error) {
	t := &moduleTree{dir: dir, deps: map[string][]string{}, byName: map[string]string{}, builtin: map[string]bool{}}
	f, err := os.Open(filepath.Join(dir, "modules.dep"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		file, deps, ok := strings.Cut(s.Text(), ":")
		if !ok {
			continue
		}
		t.deps[file] = strings.Fields(deps)
		t.byName[moduleName(file)] = file
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Name(), err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "modules.builtin"))
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	for _, file := range strings.Fields(string(b)) {
		t.builtin[moduleName(file)] = true
	}
	return t, nil
}

// order returns the files of the named modules and all they need, each once and
// after what it needs. Names that are built in or unknown are left out; the
// unknown ones are reported.
func (t *moduleTree) order(names []string) (files, unknown []string) {
	seen := map[string]bool{}
	var visit func(file string)
	visit = func(file string) {
		if seen[file] {
			return
		}
		seen[file] = true
		// modules.dep lists all indirect needs too; each has its own line.
		for _, d := range t.deps[file] {
			visit(d)
		}
		files = append(files, file)
	}
	for _, n := range names {
		n = moduleName(n)
		switch file, ok := t.byName[n]; {
		case ok:
			visit(file)
		case !t.builtin[n]:
			unknown = append(unknown, n)
		}
	}
	return files, unknown
}

// kept selects the files an appliance needs: keptModules and what they depend on.
func (t *moduleTree) kept() map[string]bool {
	var names []string
	for file := range t.deps {
		p := strings.TrimPrefix(file, "kernel/")
		has := func(prefix string) bool { return strings.HasPrefix(p, prefix) }
		if slices.ContainsFunc(keptModules, has) && !slices.ContainsFunc(droppedModules, has) {
			names = append(names, moduleName(file))
		}
	}
	slices.Sort(names)
	files, _ := t.order(names)
	keep := map[string]bool{}
	for _, f := range files {
		keep[f] = true
	}
	return keep
}

// bootModule is a module of the initrd.
type bootModule struct {
	Name string // NN-name.ko: the order of names is the order of loading
	File string // where it is now
}

// boot lists the modules of the initrd in the order in which they must be loaded.
func (t *moduleTree) boot() []bootModule {
	files, _ := t.order(bootModules)
	var l []bootModule
	for i, f := range files {
		l = append(l, bootModule{fmt.Sprintf("%02d-%s.ko", i, moduleName(f)), filepath.Join(t.dir, f)})
	}
	return l
}
