package handle

import "gofish/internal/api"

func (h Actions) FilesystemWalk(c *Call, device string) ([]api.TSKDirent, error) {
	return structsFrom[api.TSKDirent](h.Handle, c, "internal_filesystem_walk", device)
}

func (h Actions) FindInode(c *Call, device string, inode int64) ([]api.TSKDirent, error) {
	return structsFrom[api.TSKDirent](h.Handle, c, "internal_find_inode", device, inode)
}
