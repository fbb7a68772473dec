// Package appliance finds or builds the small Linux system in which everything
// is done, and runs it under qemu.
//
// An appliance is three files: an uncompressed kernel, which qemu enters through
// PVH; an initrd, which holds this very program as /init and the few modules that
// reach the root disk and the control port; and a root image, an ext4 file system
// with the distribution's tools that is only ever read. They come from
// distribution packages that are fetched and unpacked in a private folder, or from
// the tools of the host; nothing is installed, and no root is needed.
//
// In the cache there are two layers. A base (kernel, root image, modules for the
// initrd, manifest) is keyed by what it was made from, so a new gofish does not
// fetch packages again. It contains one initrd for each gofish program that
// used it. Everything is written under a temporary name and renamed.
//
// Environment:
//
//	GOFISH_CACHEDIR, LIBGUESTFS_CACHEDIR  folder under which the cache gofish-UID lies
//	XDG_CACHE_HOME                        else the cache is $XDG_CACHE_HOME/gofish
//	GOFISH_KERNEL                         kernel for an appliance made from the host
//
// This package knows nothing of the actions that run inside.
package appliance
