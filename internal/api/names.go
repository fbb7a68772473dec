package api

import "strings"

// Names of actions and options run their words together, as C names do. For Go they are
// split: a name that is not listed here is one word.
var goWords = map[string]string{
	// Words that are more than one, or that Go writes in capitals.
	"3g": "3G", "9p": "9P", "acl": "ACL", "acls": "ACLs", "cdrom": "CDROM", "cpio": "CPIO", "dd": "DD", "df": "DF", "dm": "DM", "du": "DU",
	"gpt": "GPT", "guid": "GUID", "hv": "HV", "id": "ID", "isoinfo": "ISOInfo", "ldm": "LDM", "luks": "LUKS",
	"lv": "LV", "lvcreate": "LVCreate", "lvm": "LVM", "lvremove": "LVRemove", "lvrename": "LVRename", "lvresize": "LVResize",
	"lvs": "LVs", "lvuuid": "LVUUID", "mbr": "MBR", "md": "MD", "ntfs": "NTFS", "os": "OS", "pid": "PID",
	"pvchange": "PVChange", "pvcreate": "PVCreate", "pvremove": "PVRemove", "pvresize": "PVResize", "pvs": "PVs", "pvuuid": "PVUUID",
	"partuuid": "PartUUID", "partlabel": "PartLabel", "partnum": "Partnum", "parttype": "PartType",
	"ro": "RO", "rw": "RW", "rpm": "RPM", "selinux": "SELinux", "smp": "SMP", "tgz": "TGZ", "txz": "TXZ", "usec": "Usec",
	"utf8": "UTF8", "uuid": "UUID", "e2uuid": "E2UUID", "vfs": "VFS", "vg": "VG", "vgchange": "VGChange", "vgcreate": "VGCreate",
	"vglvuuids": "VGLVUUIDs", "vgmeta": "VGMeta", "vgpvuuids": "VGPVUUIDs", "vgremove": "VGRemove", "vgrename": "VGRename",
	"vgs": "VGs", "vgscan": "VGScan", "vguuid": "VGUUID", "xfs": "XFS", "statns": "StatNS", "lstatns": "LstatNS", "statvfs": "StatVFS",
	"lstatlist": "LstatList", "lstatnslist": "LstatNSList", "lxattrlist": "LxattrList", "readlinklist": "ReadlinkList",

	// Options.
	"agstride": "AGStride", "allocstart": "AllocStart", "allowuuid": "AllowUUID", "backingfile": "BackingFile", "backingformat": "BackingFormat",
	"bhashsize": "BHashSize", "blockscount": "BlocksCount", "blocksize": "BlockSize", "blockspergroup": "BlocksPerGroup", "bytecount": "ByteCount",
	"bytesperinode": "BytesPerInode", "cachemode": "CacheMode", "cachetimeout": "CacheTimeout", "clearbadsectors": "ClearBadSectors",
	"clustersize": "ClusterSize", "compresslevel": "CompressLevel", "copyonread": "CopyOnRead", "creatoros": "CreatorOS", "crypttype": "CryptType",
	"datasec": "DataSec", "datasize": "DataSize", "datatype": "DataType", "debugcalls": "DebugCalls", "deletedest": "DeleteDest",
	"destoffset": "DestOffset", "directoryslash": "DirectorySlash", "errorbehavior": "ErrorBehavior", "extunwritten": "ExtUnwritten",
	"filetype": "FileType", "flexbg": "FlexBG", "followsymlinks": "FollowSymlinks", "forceall": "ForceAll", "forcecreate": "ForceCreate",
	"forcegeometry": "ForceGeometry", "forcelogzero": "ForceLogZero", "forceno": "ForceNo", "fragsize": "FragSize", "fstype": "FSType",
	"hasjournal": "HasJournal", "highquality": "HighQuality", "ignorefscheck": "IgnoreFSCheck", "ihashsize": "IHashSize", "imgfile": "ImgFile",
	"inodesize": "InodeSize", "intervalbetweenchecks": "IntervalBetweenChecks", "journaldev": "JournalDev", "journaldevice": "JournalDevice",
	"journalsize": "JournalSize", "keepdirlink": "KeepDirLink", "largefile": "LargeFile", "lastmounteddir": "LastMountedDir",
	"lastmounteddirectory": "LastMountedDirectory", "lazycounter": "LazyCounter", "lazyitableinit": "LazyItableInit",
	"lazyjournalinit": "LazyJournalInit", "lazyunmount": "LazyUnmount", "leafsize": "LeafSize", "libvirturi": "LibvirtURI",
	"logdev": "LogDev", "logsec": "LogSec", "logsize": "LogSize", "maxmem": "MaxMem", "maxmountcount": "MaxMountCount",
	"maxonlineresize": "MaxOnlineResize", "maxpct": "MaxPct", "metadataonly": "MetadataOnly", "minimumfreeextent": "MinimumFreeExtent",
	"missingbitmap": "MissingBitmap", "mmpupdateinterval": "MMPUpdateInterval", "mountcount": "MountCount", "nodesize": "NodeSize",
	"nomodify": "NoModify", "noprefetch": "NoPrefetch", "nrdevices": "NrDevices", "numberofgroups": "NumberOfGroups",
	"numberofinodes": "NumberOfInodes", "numericowner": "NumericOwner", "preservetimestamps": "PreserveTimestamps", "projid32bit": "Projid32Bit",
	"qgroupid": "QgroupID", "quotatype": "QuotaType", "readonly": "ReadOnly", "readonlydisk": "ReadOnlyDisk",
	"reservedblockscount": "ReservedBlocksCount", "reservedblockspercentage": "ReservedBlocksPercentage", "resizeinode": "ResizeInode",
	"rtdev": "RTDev", "rtextsize": "RTExtSize", "rtsec": "RTSec", "rtsize": "RTSize", "sectorsize": "SectorSize", "sparsesuper": "SparseSuper",
	"srcoffset": "SrcOffset", "stridesize": "StrideSize", "stripewidth": "StripeWidth", "testfs": "TestFS", "uninitbg": "UninitBG",
	"usagetype": "UsageType", "v2log": "V2Log", "writesbandgrouponly": "WriteSBAndGroupOnly", "xattributes": "XAttributes", "xattrs": "Xattrs",
}

// goNames are actions whose names would clash with something else in package guestfs.
var goNames = map[string]string{
	"write_file": "WriteFileSize", // WriteFile takes permission bits, as package os has it
	"command":    "RunCommand",    // Command is in the manner of os/exec
}

// GoName is the action's name in Go: pvcreate is PVCreate, mkdir_p MkdirP.
func (a *Action) GoName() string {
	if n := goNames[a.Name]; n != "" {
		return n
	}
	return goName(a.Name)
}

// GoName is the name of the parameter as a field of a struct of options.
func (p Param) GoName() string { return goName(p.Name) }

func goName(name string) string {
	var b strings.Builder
	for _, w := range strings.Split(name, "_") {
		if g := goWords[w]; g != "" {
			b.WriteString(g)
		} else {
			b.WriteString(strings.ToUpper(w[:1]) + w[1:])
		}
	}
	return b.String()
}

// How mountables begin that are more than a device: a subvolume of btrfs, and a folder of
// a file system. The second is ours.
const VolumePrefix, FolderPrefix = "btrfsvol:", "dir:"

// MapperDir has the devices that device-mapper makes.
const MapperDir = "/dev/mapper/"
