// Package types has what the actions of package guestfs take and return: a struct of options
// for each action that has some, and the structs of results. Package guestfs has all of
// them under the same names.
package types

import (
	"errors"
	"iter"
	"strconv"
)

// Field types of structs that are more than their Go kind.
type (
	// DeviceField is the name of a device. The appliance may call the device something
	// else; this is the name that calls take. A field that names a device only sometimes,
	// such as the log of an XFS file system, has this type too.
	DeviceField string
	// UUID is an LVM identifier: 32 characters, no dashes, no length on the wire.
	UUID [32]byte
	// Char is one ASCII character, four bytes on the wire.
	Char byte
	// ByteCount is a size in bytes; it prints unsigned.
	ByteCount int64
	// OptPercent is a percentage; negative means unknown.
	OptPercent float32
)

func (u UUID) String() string { return string(u[:]) }

func (c Char) String() string { return string([]byte{byte(c)}) }

func (n ByteCount) String() string { return strconv.FormatUint(uint64(n), 10) }

// String is empty if the percentage is not known.
func (p OptPercent) String() string {
	if p < 0 {
		return ""
	}
	return strconv.FormatFloat(float64(p), 'g', 6, 64) + " %"
}

// IntBool is a number and a truth value.
type IntBool struct {
	I int32 `xdr:"i"`
	B int32 `xdr:"b"`
}

// PV describes an LVM physical volume.
type PV struct {
	Name         DeviceField `xdr:"pv_name"`
	UUID         UUID        `xdr:"pv_uuid"`
	Fmt          string      `xdr:"pv_fmt"`
	Size         ByteCount   `xdr:"pv_size"`
	DevSize      ByteCount   `xdr:"dev_size"`
	Free         ByteCount   `xdr:"pv_free"`
	Used         ByteCount   `xdr:"pv_used"`
	Attr         string      `xdr:"pv_attr"`
	PeCount      int64       `xdr:"pv_pe_count"`
	PeAllocCount int64       `xdr:"pv_pe_alloc_count"`
	Tags         string      `xdr:"pv_tags"`
	PeStart      ByteCount   `xdr:"pe_start"`
	MdaCount     int64       `xdr:"pv_mda_count"`
	MdaFree      ByteCount   `xdr:"pv_mda_free"`
}

// VG describes an LVM volume group.
type VG struct {
	Name        string    `xdr:"vg_name"`
	UUID        UUID      `xdr:"vg_uuid"`
	Fmt         string    `xdr:"vg_fmt"`
	Attr        string    `xdr:"vg_attr"`
	Size        ByteCount `xdr:"vg_size"`
	Free        ByteCount `xdr:"vg_free"`
	Sysid       string    `xdr:"vg_sysid"`
	ExtentSize  ByteCount `xdr:"vg_extent_size"`
	ExtentCount int64     `xdr:"vg_extent_count"`
	FreeCount   int64     `xdr:"vg_free_count"`
	MaxLv       int64     `xdr:"max_lv"`
	MaxPv       int64     `xdr:"max_pv"`
	PvCount     int64     `xdr:"pv_count"`
	LvCount     int64     `xdr:"lv_count"`
	SnapCount   int64     `xdr:"snap_count"`
	Seqno       int64     `xdr:"vg_seqno"`
	Tags        string    `xdr:"vg_tags"`
	MdaCount    int64     `xdr:"vg_mda_count"`
	MdaFree     ByteCount `xdr:"vg_mda_free"`
}

// LV describes an LVM logical volume.
type LV struct {
	Name        string      `xdr:"lv_name"`
	UUID        UUID        `xdr:"lv_uuid"`
	Attr        string      `xdr:"lv_attr"`
	Major       int64       `xdr:"lv_major"`
	Minor       int64       `xdr:"lv_minor"`
	KernelMajor int64       `xdr:"lv_kernel_major"`
	KernelMinor int64       `xdr:"lv_kernel_minor"`
	Size        ByteCount   `xdr:"lv_size"`
	SegCount    int64       `xdr:"seg_count"`
	Origin      string      `xdr:"origin"`
	SnapPercent OptPercent  `xdr:"snap_percent"`
	CopyPercent OptPercent  `xdr:"copy_percent"`
	MovePv      DeviceField `xdr:"move_pv"`
	Tags        string      `xdr:"lv_tags"`
	MirrorLog   string      `xdr:"mirror_log"`
	Modules     string      `xdr:"modules"`
}

// Stat is the short form of a file's status.
type Stat struct {
	Dev     int64 `xdr:"dev"`
	Ino     int64 `xdr:"ino"`
	Mode    int64 `xdr:"mode"`
	Nlink   int64 `xdr:"nlink"`
	Uid     int64 `xdr:"uid"`
	Gid     int64 `xdr:"gid"`
	Rdev    int64 `xdr:"rdev"`
	Size    int64 `xdr:"size"`
	Blksize int64 `xdr:"blksize"`
	Blocks  int64 `xdr:"blocks"`
	Atime   int64 `xdr:"atime"`
	Mtime   int64 `xdr:"mtime"`
	Ctime   int64 `xdr:"ctime"`
}

// StatNS is a file's status with nanoseconds.
type StatNS struct {
	Dev       int64 `xdr:"st_dev"`
	Ino       int64 `xdr:"st_ino"`
	Mode      int64 `xdr:"st_mode"`
	Nlink     int64 `xdr:"st_nlink"`
	UID       int64 `xdr:"st_uid"`
	GID       int64 `xdr:"st_gid"`
	Rdev      int64 `xdr:"st_rdev"`
	Size      int64 `xdr:"st_size"`
	Blksize   int64 `xdr:"st_blksize"`
	Blocks    int64 `xdr:"st_blocks"`
	AtimeSec  int64 `xdr:"st_atime_sec"`
	AtimeNsec int64 `xdr:"st_atime_nsec"`
	MtimeSec  int64 `xdr:"st_mtime_sec"`
	MtimeNsec int64 `xdr:"st_mtime_nsec"`
	CtimeSec  int64 `xdr:"st_ctime_sec"`
	CtimeNsec int64 `xdr:"st_ctime_nsec"`
	Spare1    int64 `xdr:"st_spare1"`
	Spare2    int64 `xdr:"st_spare2"`
	Spare3    int64 `xdr:"st_spare3"`
	Spare4    int64 `xdr:"st_spare4"`
	Spare5    int64 `xdr:"st_spare5"`
	Spare6    int64 `xdr:"st_spare6"`
}

// StatVFS describes a mounted file system.
type StatVFS struct {
	Bsize   int64 `xdr:"bsize"`
	Frsize  int64 `xdr:"frsize"`
	Blocks  int64 `xdr:"blocks"`
	Bfree   int64 `xdr:"bfree"`
	Bavail  int64 `xdr:"bavail"`
	Files   int64 `xdr:"files"`
	Ffree   int64 `xdr:"ffree"`
	Favail  int64 `xdr:"favail"`
	Fsid    int64 `xdr:"fsid"`
	Flag    int64 `xdr:"flag"`
	Namemax int64 `xdr:"namemax"`
}

// Dirent is a directory entry.
type Dirent struct {
	Ino  int64  `xdr:"ino"`
	Ftyp Char   `xdr:"ftyp"`
	Name string `xdr:"name"`
}

// Version is a version number.
type Version struct {
	Major   int64  `xdr:"major"`
	Minor   int64  `xdr:"minor"`
	Release int64  `xdr:"release"`
	Extra   string `xdr:"extra"`
}

// Xattr is an extended attribute.
type Xattr struct {
	Attrname string `xdr:"attrname"`
	Attrval  []byte `xdr:"attrval"`
}

// InotifyEvent is an event on a watched file.
type InotifyEvent struct {
	Wd     int64  `xdr:"in_wd"`
	Mask   uint32 `xdr:"in_mask"`
	Cookie uint32 `xdr:"in_cookie"`
	Name   string `xdr:"in_name"`
}

// Partition describes a partition.
type Partition struct {
	Num   int32     `xdr:"part_num"`
	Start ByteCount `xdr:"part_start"`
	End   ByteCount `xdr:"part_end"`
	Size  ByteCount `xdr:"part_size"`
}

// Application describes an installed application, old form.
type Application struct {
	Name          string `xdr:"app_name"`
	DisplayName   string `xdr:"app_display_name"`
	Epoch         int32  `xdr:"app_epoch"`
	Version       string `xdr:"app_version"`
	Release       string `xdr:"app_release"`
	InstallPath   string `xdr:"app_install_path"`
	TransPath     string `xdr:"app_trans_path"`
	Publisher     string `xdr:"app_publisher"`
	URL           string `xdr:"app_url"`
	SourcePackage string `xdr:"app_source_package"`
	Summary       string `xdr:"app_summary"`
	Description   string `xdr:"app_description"`
}

// Application2 describes an installed application.
type Application2 struct {
	Name          string `xdr:"app2_name"`
	DisplayName   string `xdr:"app2_display_name"`
	Epoch         int32  `xdr:"app2_epoch"`
	Version       string `xdr:"app2_version"`
	Release       string `xdr:"app2_release"`
	Arch          string `xdr:"app2_arch"`
	InstallPath   string `xdr:"app2_install_path"`
	TransPath     string `xdr:"app2_trans_path"`
	Publisher     string `xdr:"app2_publisher"`
	URL           string `xdr:"app2_url"`
	SourcePackage string `xdr:"app2_source_package"`
	Summary       string `xdr:"app2_summary"`
	Description   string `xdr:"app2_description"`
	Class         string `xdr:"app2_class"`
	Spare2        string `xdr:"app2_spare2"`
	Spare3        string `xdr:"app2_spare3"`
	Spare4        string `xdr:"app2_spare4"`
}

// ISOInfo is an ISO 9660 primary volume descriptor.
type ISOInfo struct {
	SystemID             string `xdr:"iso_system_id"`
	VolumeID             string `xdr:"iso_volume_id"`
	VolumeSpaceSize      uint32 `xdr:"iso_volume_space_size"`
	VolumeSetSize        uint32 `xdr:"iso_volume_set_size"`
	VolumeSequenceNumber uint32 `xdr:"iso_volume_sequence_number"`
	LogicalBlockSize     uint32 `xdr:"iso_logical_block_size"`
	VolumeSetID          string `xdr:"iso_volume_set_id"`
	PublisherID          string `xdr:"iso_publisher_id"`
	DataPreparerID       string `xdr:"iso_data_preparer_id"`
	ApplicationID        string `xdr:"iso_application_id"`
	CopyrightFileID      string `xdr:"iso_copyright_file_id"`
	AbstractFileID       string `xdr:"iso_abstract_file_id"`
	BibliographicFileID  string `xdr:"iso_bibliographic_file_id"`
	VolumeCreationT      int64  `xdr:"iso_volume_creation_t"`
	VolumeModificationT  int64  `xdr:"iso_volume_modification_t"`
	VolumeExpirationT    int64  `xdr:"iso_volume_expiration_t"`
	VolumeEffectiveT     int64  `xdr:"iso_volume_effective_t"`
}

// MDStat describes a member of an MD array.
type MDStat struct {
	Device DeviceField `xdr:"mdstat_device"`
	Index  int32       `xdr:"mdstat_index"`
	Flags  string      `xdr:"mdstat_flags"`
}

// BtrfsSubvolume describes a btrfs subvolume.
type BtrfsSubvolume struct {
	ID         uint64 `xdr:"btrfssubvolume_id"`
	TopLevelID uint64 `xdr:"btrfssubvolume_top_level_id"`
	Path       string `xdr:"btrfssubvolume_path"`
}

// BtrfsQgroup describes a btrfs quota group.
type BtrfsQgroup struct {
	ID   string `xdr:"btrfsqgroup_id"`
	Rfer uint64 `xdr:"btrfsqgroup_rfer"`
	Excl uint64 `xdr:"btrfsqgroup_excl"`
}

// BtrfsBalance is the state of a btrfs balance.
type BtrfsBalance struct {
	Status     string `xdr:"btrfsbalance_status"`
	Total      uint64 `xdr:"btrfsbalance_total"`
	Balanced   uint64 `xdr:"btrfsbalance_balanced"`
	Considered uint64 `xdr:"btrfsbalance_considered"`
	Left       uint64 `xdr:"btrfsbalance_left"`
}

// BtrfsScrub is the state of a btrfs scrub.
type BtrfsScrub struct {
	DataExtentsScrubbed uint64 `xdr:"btrfsscrub_data_extents_scrubbed"`
	TreeExtentsScrubbed uint64 `xdr:"btrfsscrub_tree_extents_scrubbed"`
	DataBytesScrubbed   uint64 `xdr:"btrfsscrub_data_bytes_scrubbed"`
	TreeBytesScrubbed   uint64 `xdr:"btrfsscrub_tree_bytes_scrubbed"`
	ReadErrors          uint64 `xdr:"btrfsscrub_read_errors"`
	CsumErrors          uint64 `xdr:"btrfsscrub_csum_errors"`
	VerifyErrors        uint64 `xdr:"btrfsscrub_verify_errors"`
	NoCsum              uint64 `xdr:"btrfsscrub_no_csum"`
	CsumDiscards        uint64 `xdr:"btrfsscrub_csum_discards"`
	SuperErrors         uint64 `xdr:"btrfsscrub_super_errors"`
	MallocErrors        uint64 `xdr:"btrfsscrub_malloc_errors"`
	UncorrectableErrors uint64 `xdr:"btrfsscrub_uncorrectable_errors"`
	UnverifiedErrors    uint64 `xdr:"btrfsscrub_unverified_errors"`
	CorrectedErrors     uint64 `xdr:"btrfsscrub_corrected_errors"`
	LastPhysical        uint64 `xdr:"btrfsscrub_last_physical"`
}

// XFSInfo is the geometry of an XFS file system.
type XFSInfo struct {
	Mntpoint     string      `xdr:"xfs_mntpoint"`
	Inodesize    uint32      `xdr:"xfs_inodesize"`
	Agcount      uint32      `xdr:"xfs_agcount"`
	Agsize       uint32      `xdr:"xfs_agsize"`
	Sectsize     uint32      `xdr:"xfs_sectsize"`
	Attr         uint32      `xdr:"xfs_attr"`
	Blocksize    uint32      `xdr:"xfs_blocksize"`
	Datablocks   uint64      `xdr:"xfs_datablocks"`
	Imaxpct      uint32      `xdr:"xfs_imaxpct"`
	Sunit        uint32      `xdr:"xfs_sunit"`
	Swidth       uint32      `xdr:"xfs_swidth"`
	Dirversion   uint32      `xdr:"xfs_dirversion"`
	Dirblocksize uint32      `xdr:"xfs_dirblocksize"`
	Cimode       uint32      `xdr:"xfs_cimode"`
	Logname      DeviceField `xdr:"xfs_logname"`
	Logblocksize uint32      `xdr:"xfs_logblocksize"`
	Logblocks    uint32      `xdr:"xfs_logblocks"`
	Logversion   uint32      `xdr:"xfs_logversion"`
	Logsectsize  uint32      `xdr:"xfs_logsectsize"`
	Logsunit     uint32      `xdr:"xfs_logsunit"`
	Lazycount    uint32      `xdr:"xfs_lazycount"`
	Rtname       DeviceField `xdr:"xfs_rtname"`
	Rtextsize    uint32      `xdr:"xfs_rtextsize"`
	Rtblocks     uint64      `xdr:"xfs_rtblocks"`
	Rtextents    uint64      `xdr:"xfs_rtextents"`
}

// Utsname names the running kernel.
type Utsname struct {
	Sysname string `xdr:"uts_sysname"`
	Release string `xdr:"uts_release"`
	Version string `xdr:"uts_version"`
	Machine string `xdr:"uts_machine"`
}

// HivexNode is a node of a registry hive.
type HivexNode struct {
	H int64 `xdr:"hivex_node_h"`
}

// HivexValue is a value of a registry hive.
type HivexValue struct {
	H int64 `xdr:"hivex_value_h"`
}

// InternalMountable is a mountable taken apart.
type InternalMountable struct {
	Type   int32       `xdr:"im_type"`
	Device DeviceField `xdr:"im_device"`
	Volume string      `xdr:"im_volume"`
}

// InternalNode is a file of the guest that the handle and its daemon know by number.
type InternalNode struct {
	Name      string `xdr:"in_name"`     // in lists
	Position  int64  `xdr:"in_position"` // of the entry after it, in lists
	ID        int64  `xdr:"in_id"`       // from 1, 0: none
	FS        int64  `xdr:"in_fs"`       // the file system, numbered from 0 for that of the root
	Ino       int64  `xdr:"in_ino"`
	Mode      int64  `xdr:"in_mode"`
	Nlink     int64  `xdr:"in_nlink"`
	UID       int64  `xdr:"in_uid"`
	GID       int64  `xdr:"in_gid"`
	Rdev      int64  `xdr:"in_rdev"`
	Size      int64  `xdr:"in_size"`
	Blksize   int64  `xdr:"in_blksize"`
	Blocks    int64  `xdr:"in_blocks"`
	AtimeSec  int64  `xdr:"in_atime_sec"`
	AtimeNsec int64  `xdr:"in_atime_nsec"`
	MtimeSec  int64  `xdr:"in_mtime_sec"`
	MtimeNsec int64  `xdr:"in_mtime_nsec"`
	CtimeSec  int64  `xdr:"in_ctime_sec"`
	CtimeNsec int64  `xdr:"in_ctime_nsec"`
	Exact     int64  `xdr:"in_exact"`  // 1: each name in this directory is found only as it is written, 2: not so, 0: not known
	Xattrs    []byte `xdr:"in_xattrs"` // all of its extended attributes, in package nodexattr's form
}

// TSKDirent is an entry found by The Sleuth Kit.
type TSKDirent struct {
	Inode      uint64 `xdr:"tsk_inode"`
	Type       Char   `xdr:"tsk_type"`
	Size       int64  `xdr:"tsk_size"`
	Name       string `xdr:"tsk_name"`
	Flags      uint32 `xdr:"tsk_flags"`
	AtimeSec   int64  `xdr:"tsk_atime_sec"`
	AtimeNsec  int64  `xdr:"tsk_atime_nsec"`
	MtimeSec   int64  `xdr:"tsk_mtime_sec"`
	MtimeNsec  int64  `xdr:"tsk_mtime_nsec"`
	CtimeSec   int64  `xdr:"tsk_ctime_sec"`
	CtimeNsec  int64  `xdr:"tsk_ctime_nsec"`
	CrtimeSec  int64  `xdr:"tsk_crtime_sec"`
	CrtimeNsec int64  `xdr:"tsk_crtime_nsec"`
	Nlink      int64  `xdr:"tsk_nlink"`
	Link       string `xdr:"tsk_link"`
	Spare1     int64  `xdr:"tsk_spare1"`
}

// YaraDetection is a match of a YARA rule.
type YaraDetection struct {
	Name string `xdr:"yara_name"`
	Rule string `xdr:"yara_rule"`
}

// Pair is an entry of a Hash.
type Pair struct{ Key, Value string }

// Hash is a table of strings that keeps its order.
type Hash []Pair

// Get returns the value of a key.
func (h Hash) Get(key string) (string, bool) {
	for _, p := range h {
		if p.Key == key {
			return p.Value, true
		}
	}
	return "", false
}

// All ranges over keys and values, in order.
func (h Hash) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, p := range h {
			if !yield(p.Key, p.Value) {
				return
			}
		}
	}
}

// HostFile is a file of the host by its name, for the calls that read or write a stream:
// a file that is written takes its name when it is complete, and a large one goes a
// faster way than a stream. It can be used for nothing else.
type HostFile string

var errHostFile = errors.New("a HostFile is only read and written by calls of package guestfs")

func (f HostFile) Read([]byte) (int, error)  { return 0, errHostFile }
func (f HostFile) Write([]byte) (int, error) { return 0, errHostFile }
