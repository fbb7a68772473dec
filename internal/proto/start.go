package proto

// Messages of gofish's own, which a foreign peer never sees: between a handle and
// a daemon that waits, in a saved virtual machine, to be put to use.
const (
	// ProcWaiting (daemon to handle): the guest is up and may be saved; after
	// the Start, the next disk may be plugged in.
	ProcWaiting = 0x10000
	// ProcStart (handle to daemon): a Start; answered by the launch word.
	ProcStart = 0x10001
)

// WarningMark begins a line on the appliance's console with which the daemon reports what
// no reply has a place for. A foreign peer takes it for a message of the console.
const WarningMark = "gofish: warning: "

// Start holds what differs from one launch of a saved virtual machine to the next.
type Start struct {
	Seconds, Nanoseconds int64  // wall clock
	Entropy              []byte // for the kernel's random numbers, credited in full
	Verbose              bool
	Disks                uint32 // how many disks there will be, at SCSI targets 0, 1, …
}

func (s *Start) Encode(e *Encoder) {
	e.Int64(s.Seconds)
	e.Int64(s.Nanoseconds)
	e.Opaque(s.Entropy)
	e.Bool(s.Verbose)
	e.Uint32(s.Disks)
}

func (s *Start) Decode(d *Decoder) {
	s.Seconds, s.Nanoseconds = d.Int64(), d.Int64()
	s.Entropy = d.Opaque()
	s.Verbose = d.Bool()
	s.Disks = d.Uint32()
}
