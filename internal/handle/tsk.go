package handle

import (
	"io"

	"gofish/internal/api"
)

func (h Actions) FilesystemWalk(c *Call, device string) ([]api.TSKDirent, error) {
	return structsFrom[api.TSKDirent](func(w io.Writer) error { return c.InternalFilesystemWalk(c, device, w) })
}

func (h Actions) FindInode(c *Call, device string, inode int64) ([]api.TSKDirent, error) {
	return structsFrom[api.TSKDirent](func(w io.Writer) error { return c.InternalFindInode(c, device, inode, w) })
}
