package daemon

import (
	"context"
	"io"
	"reflect"

	"gofish/internal/api"
	"gofish/internal/guestroot"
)

// Device is a block device as the appliance's kernel names it.
type Device string

// Path is an absolute path inside the mounted guest.
type Path = guestroot.Path

// Mountable is something that can be mounted: a device, a subvolume of a btrfs file
// system, or a folder of a file system, such as a deployment of OSTree.
type Mountable struct {
	Device Device
	Volume string // btrfs subvolume, empty for a plain device
	Folder string // relative to the top of the file system; empty: all of it
}

// String is the mountable as the client writes it.
func (m Mountable) String() string {
	switch {
	case m.Folder != "":
		return api.FolderPrefix + string(m.Device) + "/" + m.Folder
	case m.Volume != "":
		return api.VolumePrefix + string(m.Device) + "/" + m.Volume
	}
	return string(m.Device)
}

// DevOrPath is a device or a path; exactly one is set.
type DevOrPath struct {
	Device Device
	Path   Path
}

// MountableOrPath is a mountable or a path; Path is empty for a mountable.
type MountableOrPath struct {
	Mountable Mountable
	Path      Path
}

var paramTypes = api.Types{
	api.KString:          reflect.TypeFor[string](),
	api.KDevice:          reflect.TypeFor[Device](),
	api.KPathname:        reflect.TypeFor[Path](),
	api.KMountable:       reflect.TypeFor[Mountable](),
	api.KDevOrPath:       reflect.TypeFor[DevOrPath](),
	api.KMountableOrPath: reflect.TypeFor[MountableOrPath](),
	api.KFilename:        reflect.TypeFor[string](),
	api.KGUID:            reflect.TypeFor[string](),
	api.KKey:             reflect.TypeFor[string](),
	api.KOptString:       reflect.TypeFor[*string](),
	api.KBuffer:          reflect.TypeFor[[]byte](),
	api.KFileIn:          reflect.TypeFor[io.Reader](),
	api.KFileOut:         reflect.TypeFor[io.Writer](),
	api.KBool:            reflect.TypeFor[bool](),
	api.KInt:             reflect.TypeFor[int](),
	api.KInt64:           reflect.TypeFor[int64](),
	api.KStringList:      reflect.TypeFor[[]string](),
	api.KDeviceList:      reflect.TypeFor[[]Device](),
	api.KPathnameList:    reflect.TypeFor[[]Path](),
	api.KFilenameList:    reflect.TypeFor[[]string](),
}

// Call is what a handler may want to know about the call it serves. A handler
// that needs it takes it as its first parameter.
type Call struct {
	context.Context
	Action *api.Action
	// Hint is the size of the file the client sends, 0 if unknown.
	Hint uint64

	progress func(position, total uint64)
}

// Progress tells the client how far the call has come; it may be called often,
// messages leave at the protocol's rate. At the end call it with position = total.
// An error says that the client has cancelled the call.
func (c *Call) Progress(position, total uint64) error {
	if c.progress != nil {
		c.progress(position, total)
	}
	return c.Err()
}
