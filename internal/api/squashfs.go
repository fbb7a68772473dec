package api

// squashfsTable: packed file systems.
var squashfsTable = []Action{
	{Name: "mksquashfs", Proc: 471, Since: "1.35.25", Ret: Err,
		Whole:   true,
		Args:    Args{Path("path"), FileOut("filename")},
		Opts:    Args{String("compress"), Strings("excludes")},
		Group:   "squashfs",
		Cancel:  true,
		Summary: "pack a folder into a squashfs image",
		Help: `Packs the folder {path}, with everything below it, into the host's file {filename}, a squashfs file system. {compress}
is gzip, lzma, lzo, lz4, xz or zstd; {excludes} lists what to leave out: names below {path}, with
wildcards. The image is built in the memory of the appliance, so set_memsize limits its size.
Fails if {path} does not exist.`},
}
