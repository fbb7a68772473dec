package api

import "reflect"

// Field types of structs that are more than their Go kind.
type (
	// DeviceField is a device name, translated on its way out of the daemon.
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

// IntBool is a number and a truth value.
type IntBool struct {
	I int32 `xdr:"i"`
	B int32 `xdr:"b"`
}

// LvmPv describes an LVM physical volume.
type LvmPv struct {
	PvName         DeviceField `xdr:"pv_name"`
	PvUuid         UUID        `xdr:"pv_uuid"`
	PvFmt          string      `xdr:"pv_fmt"`
	PvSize         ByteCount   `xdr:"pv_size"`
	DevSize        ByteCount   `xdr:"dev_size"`
	PvFree         ByteCount   `xdr:"pv_free"`
	PvUsed         ByteCount   `xdr:"pv_used"`
	PvAttr         string      `xdr:"pv_attr"`
	PvPeCount      int64       `xdr:"pv_pe_count"`
	PvPeAllocCount int64       `xdr:"pv_pe_alloc_count"`
	PvTags         string      `xdr:"pv_tags"`
	PeStart        ByteCount   `xdr:"pe_start"`
	PvMdaCount     int64       `xdr:"pv_mda_count"`
	PvMdaFree      ByteCount   `xdr:"pv_mda_free"`
}

// LvmVg describes an LVM volume group.
type LvmVg struct {
	VgName        string    `xdr:"vg_name"`
	VgUuid        UUID      `xdr:"vg_uuid"`
	VgFmt         string    `xdr:"vg_fmt"`
	VgAttr        string    `xdr:"vg_attr"`
	VgSize        ByteCount `xdr:"vg_size"`
	VgFree        ByteCount `xdr:"vg_free"`
	VgSysid       string    `xdr:"vg_sysid"`
	VgExtentSize  ByteCount `xdr:"vg_extent_size"`
	VgExtentCount int64     `xdr:"vg_extent_count"`
	VgFreeCount   int64     `xdr:"vg_free_count"`
	MaxLv         int64     `xdr:"max_lv"`
	MaxPv         int64     `xdr:"max_pv"`
	PvCount       int64     `xdr:"pv_count"`
	LvCount       int64     `xdr:"lv_count"`
	SnapCount     int64     `xdr:"snap_count"`
	VgSeqno       int64     `xdr:"vg_seqno"`
	VgTags        string    `xdr:"vg_tags"`
	VgMdaCount    int64     `xdr:"vg_mda_count"`
	VgMdaFree     ByteCount `xdr:"vg_mda_free"`
}

// LvmLv describes an LVM logical volume.
type LvmLv struct {
	LvName        string     `xdr:"lv_name"`
	LvUuid        UUID       `xdr:"lv_uuid"`
	LvAttr        string     `xdr:"lv_attr"`
	LvMajor       int64      `xdr:"lv_major"`
	LvMinor       int64      `xdr:"lv_minor"`
	LvKernelMajor int64      `xdr:"lv_kernel_major"`
	LvKernelMinor int64      `xdr:"lv_kernel_minor"`
	LvSize        ByteCount  `xdr:"lv_size"`
	SegCount      int64      `xdr:"seg_count"`
	Origin        string     `xdr:"origin"`
	SnapPercent   OptPercent `xdr:"snap_percent"`
	CopyPercent   OptPercent `xdr:"copy_percent"`
	MovePv        string     `xdr:"move_pv"`
	LvTags        string     `xdr:"lv_tags"`
	MirrorLog     string     `xdr:"mirror_log"`
	Modules       string     `xdr:"modules"`
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

// Statns is a file's status with nanoseconds.
type Statns struct {
	StDev       int64 `xdr:"st_dev"`
	StIno       int64 `xdr:"st_ino"`
	StMode      int64 `xdr:"st_mode"`
	StNlink     int64 `xdr:"st_nlink"`
	StUid       int64 `xdr:"st_uid"`
	StGid       int64 `xdr:"st_gid"`
	StRdev      int64 `xdr:"st_rdev"`
	StSize      int64 `xdr:"st_size"`
	StBlksize   int64 `xdr:"st_blksize"`
	StBlocks    int64 `xdr:"st_blocks"`
	StAtimeSec  int64 `xdr:"st_atime_sec"`
	StAtimeNsec int64 `xdr:"st_atime_nsec"`
	StMtimeSec  int64 `xdr:"st_mtime_sec"`
	StMtimeNsec int64 `xdr:"st_mtime_nsec"`
	StCtimeSec  int64 `xdr:"st_ctime_sec"`
	StCtimeNsec int64 `xdr:"st_ctime_nsec"`
	StSpare1    int64 `xdr:"st_spare1"`
	StSpare2    int64 `xdr:"st_spare2"`
	StSpare3    int64 `xdr:"st_spare3"`
	StSpare4    int64 `xdr:"st_spare4"`
	StSpare5    int64 `xdr:"st_spare5"`
	StSpare6    int64 `xdr:"st_spare6"`
}

// Statvfs describes a mounted file system.
type Statvfs struct {
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
	InWd     int64  `xdr:"in_wd"`
	InMask   uint32 `xdr:"in_mask"`
	InCookie uint32 `xdr:"in_cookie"`
	InName   string `xdr:"in_name"`
}

// Partition describes a partition.
type Partition struct {
	PartNum   int32     `xdr:"part_num"`
	PartStart ByteCount `xdr:"part_start"`
	PartEnd   ByteCount `xdr:"part_end"`
	PartSize  ByteCount `xdr:"part_size"`
}

// Application describes an installed application, old form.
type Application struct {
	AppName          string `xdr:"app_name"`
	AppDisplayName   string `xdr:"app_display_name"`
	AppEpoch         int32  `xdr:"app_epoch"`
	AppVersion       string `xdr:"app_version"`
	AppRelease       string `xdr:"app_release"`
	AppInstallPath   string `xdr:"app_install_path"`
	AppTransPath     string `xdr:"app_trans_path"`
	AppPublisher     string `xdr:"app_publisher"`
	AppUrl           string `xdr:"app_url"`
	AppSourcePackage string `xdr:"app_source_package"`
	AppSummary       string `xdr:"app_summary"`
	AppDescription   string `xdr:"app_description"`
}

// Application2 describes an installed application.
type Application2 struct {
	App2Name          string `xdr:"app2_name"`
	App2DisplayName   string `xdr:"app2_display_name"`
	App2Epoch         int32  `xdr:"app2_epoch"`
	App2Version       string `xdr:"app2_version"`
	App2Release       string `xdr:"app2_release"`
	App2Arch          string `xdr:"app2_arch"`
	App2InstallPath   string `xdr:"app2_install_path"`
	App2TransPath     string `xdr:"app2_trans_path"`
	App2Publisher     string `xdr:"app2_publisher"`
	App2Url           string `xdr:"app2_url"`
	App2SourcePackage string `xdr:"app2_source_package"`
	App2Summary       string `xdr:"app2_summary"`
	App2Description   string `xdr:"app2_description"`
	App2Class         string `xdr:"app2_class"`
	App2Spare2        string `xdr:"app2_spare2"`
	App2Spare3        string `xdr:"app2_spare3"`
	App2Spare4        string `xdr:"app2_spare4"`
}

// Isoinfo is an ISO 9660 primary volume descriptor.
type Isoinfo struct {
	IsoSystemId             string `xdr:"iso_system_id"`
	IsoVolumeId             string `xdr:"iso_volume_id"`
	IsoVolumeSpaceSize      uint32 `xdr:"iso_volume_space_size"`
	IsoVolumeSetSize        uint32 `xdr:"iso_volume_set_size"`
	IsoVolumeSequenceNumber uint32 `xdr:"iso_volume_sequence_number"`
	IsoLogicalBlockSize     uint32 `xdr:"iso_logical_block_size"`
	IsoVolumeSetId          string `xdr:"iso_volume_set_id"`
	IsoPublisherId          string `xdr:"iso_publisher_id"`
	IsoDataPreparerId       string `xdr:"iso_data_preparer_id"`
	IsoApplicationId        string `xdr:"iso_application_id"`
	IsoCopyrightFileId      string `xdr:"iso_copyright_file_id"`
	IsoAbstractFileId       string `xdr:"iso_abstract_file_id"`
	IsoBibliographicFileId  string `xdr:"iso_bibliographic_file_id"`
	IsoVolumeCreationT      int64  `xdr:"iso_volume_creation_t"`
	IsoVolumeModificationT  int64  `xdr:"iso_volume_modification_t"`
	IsoVolumeExpirationT    int64  `xdr:"iso_volume_expiration_t"`
	IsoVolumeEffectiveT     int64  `xdr:"iso_volume_effective_t"`
}

// Mdstat describes a member of an MD array.
type Mdstat struct {
	MdstatDevice string `xdr:"mdstat_device"`
	MdstatIndex  int32  `xdr:"mdstat_index"`
	MdstatFlags  string `xdr:"mdstat_flags"`
}

// Btrfssubvolume describes a btrfs subvolume.
type Btrfssubvolume struct {
	BtrfssubvolumeId         uint64 `xdr:"btrfssubvolume_id"`
	BtrfssubvolumeTopLevelId uint64 `xdr:"btrfssubvolume_top_level_id"`
	BtrfssubvolumePath       string `xdr:"btrfssubvolume_path"`
}

// Btrfsqgroup describes a btrfs quota group.
type Btrfsqgroup struct {
	BtrfsqgroupId   string `xdr:"btrfsqgroup_id"`
	BtrfsqgroupRfer uint64 `xdr:"btrfsqgroup_rfer"`
	BtrfsqgroupExcl uint64 `xdr:"btrfsqgroup_excl"`
}

// Btrfsbalance is the state of a btrfs balance.
type Btrfsbalance struct {
	BtrfsbalanceStatus     string `xdr:"btrfsbalance_status"`
	BtrfsbalanceTotal      uint64 `xdr:"btrfsbalance_total"`
	BtrfsbalanceBalanced   uint64 `xdr:"btrfsbalance_balanced"`
	BtrfsbalanceConsidered uint64 `xdr:"btrfsbalance_considered"`
	BtrfsbalanceLeft       uint64 `xdr:"btrfsbalance_left"`
}

// Btrfsscrub is the state of a btrfs scrub.
type Btrfsscrub struct {
	BtrfsscrubDataExtentsScrubbed uint64 `xdr:"btrfsscrub_data_extents_scrubbed"`
	BtrfsscrubTreeExtentsScrubbed uint64 `xdr:"btrfsscrub_tree_extents_scrubbed"`
	BtrfsscrubDataBytesScrubbed   uint64 `xdr:"btrfsscrub_data_bytes_scrubbed"`
	BtrfsscrubTreeBytesScrubbed   uint64 `xdr:"btrfsscrub_tree_bytes_scrubbed"`
	BtrfsscrubReadErrors          uint64 `xdr:"btrfsscrub_read_errors"`
	BtrfsscrubCsumErrors          uint64 `xdr:"btrfsscrub_csum_errors"`
	BtrfsscrubVerifyErrors        uint64 `xdr:"btrfsscrub_verify_errors"`
	BtrfsscrubNoCsum              uint64 `xdr:"btrfsscrub_no_csum"`
	BtrfsscrubCsumDiscards        uint64 `xdr:"btrfsscrub_csum_discards"`
	BtrfsscrubSuperErrors         uint64 `xdr:"btrfsscrub_super_errors"`
	BtrfsscrubMallocErrors        uint64 `xdr:"btrfsscrub_malloc_errors"`
	BtrfsscrubUncorrectableErrors uint64 `xdr:"btrfsscrub_uncorrectable_errors"`
	BtrfsscrubUnverifiedErrors    uint64 `xdr:"btrfsscrub_unverified_errors"`
	BtrfsscrubCorrectedErrors     uint64 `xdr:"btrfsscrub_corrected_errors"`
	BtrfsscrubLastPhysical        uint64 `xdr:"btrfsscrub_last_physical"`
}

// Xfsinfo is the geometry of an XFS file system.
type Xfsinfo struct {
	XfsMntpoint     string `xdr:"xfs_mntpoint"`
	XfsInodesize    uint32 `xdr:"xfs_inodesize"`
	XfsAgcount      uint32 `xdr:"xfs_agcount"`
	XfsAgsize       uint32 `xdr:"xfs_agsize"`
	XfsSectsize     uint32 `xdr:"xfs_sectsize"`
	XfsAttr         uint32 `xdr:"xfs_attr"`
	XfsBlocksize    uint32 `xdr:"xfs_blocksize"`
	XfsDatablocks   uint64 `xdr:"xfs_datablocks"`
	XfsImaxpct      uint32 `xdr:"xfs_imaxpct"`
	XfsSunit        uint32 `xdr:"xfs_sunit"`
	XfsSwidth       uint32 `xdr:"xfs_swidth"`
	XfsDirversion   uint32 `xdr:"xfs_dirversion"`
	XfsDirblocksize uint32 `xdr:"xfs_dirblocksize"`
	XfsCimode       uint32 `xdr:"xfs_cimode"`
	XfsLogname      string `xdr:"xfs_logname"`
	XfsLogblocksize uint32 `xdr:"xfs_logblocksize"`
	XfsLogblocks    uint32 `xdr:"xfs_logblocks"`
	XfsLogversion   uint32 `xdr:"xfs_logversion"`
	XfsLogsectsize  uint32 `xdr:"xfs_logsectsize"`
	XfsLogsunit     uint32 `xdr:"xfs_logsunit"`
	XfsLazycount    uint32 `xdr:"xfs_lazycount"`
	XfsRtname       string `xdr:"xfs_rtname"`
	XfsRtextsize    uint32 `xdr:"xfs_rtextsize"`
	XfsRtblocks     uint64 `xdr:"xfs_rtblocks"`
	XfsRtextents    uint64 `xdr:"xfs_rtextents"`
}

// Utsname names the running kernel.
type Utsname struct {
	UtsSysname string `xdr:"uts_sysname"`
	UtsRelease string `xdr:"uts_release"`
	UtsVersion string `xdr:"uts_version"`
	UtsMachine string `xdr:"uts_machine"`
}

// HivexNode is a node of a registry hive.
type HivexNode struct {
	HivexNodeH int64 `xdr:"hivex_node_h"`
}

// HivexValue is a value of a registry hive.
type HivexValue struct {
	HivexValueH int64 `xdr:"hivex_value_h"`
}

// InternalMountable is a mountable taken apart.
type InternalMountable struct {
	ImType   int32  `xdr:"im_type"`
	ImDevice string `xdr:"im_device"`
	ImVolume string `xdr:"im_volume"`
}

// TskDirent is an entry found by The Sleuth Kit.
type TskDirent struct {
	TskInode      uint64 `xdr:"tsk_inode"`
	TskType       Char   `xdr:"tsk_type"`
	TskSize       int64  `xdr:"tsk_size"`
	TskName       string `xdr:"tsk_name"`
	TskFlags      uint32 `xdr:"tsk_flags"`
	TskAtimeSec   int64  `xdr:"tsk_atime_sec"`
	TskAtimeNsec  int64  `xdr:"tsk_atime_nsec"`
	TskMtimeSec   int64  `xdr:"tsk_mtime_sec"`
	TskMtimeNsec  int64  `xdr:"tsk_mtime_nsec"`
	TskCtimeSec   int64  `xdr:"tsk_ctime_sec"`
	TskCtimeNsec  int64  `xdr:"tsk_ctime_nsec"`
	TskCrtimeSec  int64  `xdr:"tsk_crtime_sec"`
	TskCrtimeNsec int64  `xdr:"tsk_crtime_nsec"`
	TskNlink      int64  `xdr:"tsk_nlink"`
	TskLink       string `xdr:"tsk_link"`
	TskSpare1     int64  `xdr:"tsk_spare1"`
}

// YaraDetection is a match of a YARA rule.
type YaraDetection struct {
	YaraName string `xdr:"yara_name"`
	YaraRule string `xdr:"yara_rule"`
}

var structTypes = map[string]reflect.Type{
	"int_bool":           reflect.TypeFor[IntBool](),
	"lvm_pv":             reflect.TypeFor[LvmPv](),
	"lvm_vg":             reflect.TypeFor[LvmVg](),
	"lvm_lv":             reflect.TypeFor[LvmLv](),
	"stat":               reflect.TypeFor[Stat](),
	"statns":             reflect.TypeFor[Statns](),
	"statvfs":            reflect.TypeFor[Statvfs](),
	"dirent":             reflect.TypeFor[Dirent](),
	"version":            reflect.TypeFor[Version](),
	"xattr":              reflect.TypeFor[Xattr](),
	"inotify_event":      reflect.TypeFor[InotifyEvent](),
	"partition":          reflect.TypeFor[Partition](),
	"application":        reflect.TypeFor[Application](),
	"application2":       reflect.TypeFor[Application2](),
	"isoinfo":            reflect.TypeFor[Isoinfo](),
	"mdstat":             reflect.TypeFor[Mdstat](),
	"btrfssubvolume":     reflect.TypeFor[Btrfssubvolume](),
	"btrfsqgroup":        reflect.TypeFor[Btrfsqgroup](),
	"btrfsbalance":       reflect.TypeFor[Btrfsbalance](),
	"btrfsscrub":         reflect.TypeFor[Btrfsscrub](),
	"xfsinfo":            reflect.TypeFor[Xfsinfo](),
	"utsname":            reflect.TypeFor[Utsname](),
	"hivex_node":         reflect.TypeFor[HivexNode](),
	"hivex_value":        reflect.TypeFor[HivexValue](),
	"internal_mountable": reflect.TypeFor[InternalMountable](),
	"tsk_dirent":         reflect.TypeFor[TskDirent](),
	"yara_detection":     reflect.TypeFor[YaraDetection](),
}
