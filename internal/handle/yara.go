package handle

import (
	"io"

	"gofish/internal/api"
)

func (h Actions) YaraScan(c *Call, path string) ([]api.YaraDetection, error) {
	return structsFrom[api.YaraDetection](func(w io.Writer) error { return c.InternalYaraScan(c, path, w) })
}
