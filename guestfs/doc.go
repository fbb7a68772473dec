// Package guestfs works inside disk images of virtual machines: raw, qcow2, vmdk and
// whatever else qemu reads, local or remote. It needs no root, no C library and no
// compiler for C. A small virtual machine, the appliance, has the disks attached; nothing
// of a guest is mounted on the host.
//
//	g, err := guestfs.Open(ctx, "disk.qcow2", guestfs.ReadOnly)
//	if err != nil {
//		return err
//	}
//	defer g.Close()
//	hostname, err := g.ReadFile(ctx, "/etc/hostname")
//
// Open finds the operating system on an image and mounts its file systems. New is for all
// else: add drives, launch, and call what the image needs.
//
// # Calls
//
// Every action of guestfish is a method of Handle. A context comes first: when it ends,
// so does the call, and the handle can be used again. Optional arguments are a struct
// whose fields are pointers; new("x") makes one. Streams are any io.Reader and io.Writer;
// a regular *os.File, or a HostFile, goes faster. Errors are of type *Error, in which
// errors.Is finds fs.ErrNotExist and the numbers of package syscall, or *LinkError if the
// appliance is gone. Options, results and errors are declared in gofish/guestfs/types: see there
// for their fields.
//
// A handle may be used by several goroutines at once: their calls take turns. Handles are
// independent of each other, and each has an appliance of its own.
//
// # What must be there
//
// qemu (qemu-system-x86_64) and an appliance, which "gofish appliance build" makes once. The program
// itself becomes the first process of the virtual machine, and must be linked statically
// for that, as Go does with CGO_ENABLED=0. One that is not needs a gofish program on the
// PATH, or named by Gofish.
package guestfs

//go:generate go run gofish/internal/api/apigen ..
