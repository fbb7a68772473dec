package handle

import "gofish/internal/api"

func (h Actions) YaraScan(c *Call, path string) ([]api.YaraDetection, error) {
	return structsFrom[api.YaraDetection](h.Handle, c, "internal_yara_scan", path)
}
