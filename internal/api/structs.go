package api

import (
	"reflect"

	"gofish/guestfs/types"
)

// The structs of results, and the types of their fields that are more than their Go kind.
type (
	DeviceField       = types.DeviceField
	UUID              = types.UUID
	Char              = types.Char
	ByteCount         = types.ByteCount
	OptPercent        = types.OptPercent
	Pair              = types.Pair
	Hash              = types.Hash
	IntBool           = types.IntBool
	PV                = types.PV
	VG                = types.VG
	LV                = types.LV
	Stat              = types.Stat
	StatNS            = types.StatNS
	StatVFS           = types.StatVFS
	Dirent            = types.Dirent
	Version           = types.Version
	Xattr             = types.Xattr
	InotifyEvent      = types.InotifyEvent
	Partition         = types.Partition
	Application       = types.Application
	Application2      = types.Application2
	ISOInfo           = types.ISOInfo
	MDStat            = types.MDStat
	BtrfsSubvolume    = types.BtrfsSubvolume
	BtrfsQgroup       = types.BtrfsQgroup
	BtrfsBalance      = types.BtrfsBalance
	BtrfsScrub        = types.BtrfsScrub
	XFSInfo           = types.XFSInfo
	Utsname           = types.Utsname
	HivexNode         = types.HivexNode
	HivexValue        = types.HivexValue
	InternalMountable = types.InternalMountable
	InternalNode      = types.InternalNode
	TSKDirent         = types.TSKDirent
	YaraDetection     = types.YaraDetection
)

var structTypes = map[string]reflect.Type{
	"int_bool":           reflect.TypeFor[IntBool](),
	"lvm_pv":             reflect.TypeFor[PV](),
	"lvm_vg":             reflect.TypeFor[VG](),
	"lvm_lv":             reflect.TypeFor[LV](),
	"stat":               reflect.TypeFor[Stat](),
	"statns":             reflect.TypeFor[StatNS](),
	"statvfs":            reflect.TypeFor[StatVFS](),
	"dirent":             reflect.TypeFor[Dirent](),
	"version":            reflect.TypeFor[Version](),
	"xattr":              reflect.TypeFor[Xattr](),
	"inotify_event":      reflect.TypeFor[InotifyEvent](),
	"partition":          reflect.TypeFor[Partition](),
	"application":        reflect.TypeFor[Application](),
	"application2":       reflect.TypeFor[Application2](),
	"isoinfo":            reflect.TypeFor[ISOInfo](),
	"mdstat":             reflect.TypeFor[MDStat](),
	"btrfssubvolume":     reflect.TypeFor[BtrfsSubvolume](),
	"btrfsqgroup":        reflect.TypeFor[BtrfsQgroup](),
	"btrfsbalance":       reflect.TypeFor[BtrfsBalance](),
	"btrfsscrub":         reflect.TypeFor[BtrfsScrub](),
	"xfsinfo":            reflect.TypeFor[XFSInfo](),
	"utsname":            reflect.TypeFor[Utsname](),
	"hivex_node":         reflect.TypeFor[HivexNode](),
	"hivex_value":        reflect.TypeFor[HivexValue](),
	"internal_mountable": reflect.TypeFor[InternalMountable](),
	"internal_node":      reflect.TypeFor[InternalNode](),
	"tsk_dirent":         reflect.TypeFor[TSKDirent](),
	"yara_detection":     reflect.TypeFor[YaraDetection](),
}
