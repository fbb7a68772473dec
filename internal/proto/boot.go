package proto

import "strings"

// What the host and the appliance's first process agree on beside the protocol. Names that
// begin with guestfs are libguestfs's own, so that its library can start our appliance.

// ChannelPort is the name of the virtio-serial port between handle and daemon.
const ChannelPort = "org.libguestfs.channel.0"

// The network of the appliance, qemu's user network as libguestfs lays it out.
const (
	Network       = "169.254.0.0/16"
	GuestAddress  = "169.254.2.15/16"
	GatewayOfHost = "169.254.2.2"
	NameServer    = "169.254.2.3"
)

// Words of the kernel's command line.
const (
	rootWord     = "root=UUID="
	verboseWord  = "guestfs_verbose=1"
	networkWord  = "guestfs_network=1"
	emulatedWord = "gofish_emulated=1"
	templateWord = "gofish_template=1"
	selinuxWord  = "selinux=1"
)

// BootParams are the host's parameters for the first process on the kernel's command line.
type BootParams struct {
	Root     string // UUID of the root file system, in small letters
	Verbose  bool
	Network  bool
	Emulated bool // the processor is slow at what real ones are fast at
	Template bool // the machine is saved before it is used; the disks come later
	SELinux  bool
}

// Words are the words of the kernel's command line that say so.
func (p BootParams) Words() []string {
	l := []string{rootWord + p.Root}
	for _, w := range []struct {
		said bool
		word string
	}{
		{p.Verbose, verboseWord}, {p.Network, networkWord}, {p.Emulated, emulatedWord}, {p.Template, templateWord}, {p.SELinux, selinuxWord},
	} {
		if w.said {
			l = append(l, w.word)
		}
	}
	return l
}

// ParseBootParams reads the kernel's command line. Other words are the kernel's.
func ParseBootParams(line string) BootParams {
	var p BootParams
	said := map[string]*bool{
		verboseWord: &p.Verbose, networkWord: &p.Network, emulatedWord: &p.Emulated, templateWord: &p.Template, selinuxWord: &p.SELinux,
	}
	for _, w := range strings.Fields(line) {
		if root, ok := strings.CutPrefix(w, rootWord); ok {
			p.Root = strings.ToLower(root)
		} else if b := said[w]; b != nil {
			*b = true
		}
	}
	return p
}

// InitPrefix begins what the first process says on the console.
const InitPrefix = "gofish init:"

// InitStarts is its first line there, which libguestfs's library uses as a milestone.
const InitStarts = "Starting /init script"

// UnknownProcedure is in the error of a daemon that is asked for what it does not know,
// followed by the number. It is libguestfs's text, in which handles look for it.
const UnknownProcedure = "unknown procedure number"
