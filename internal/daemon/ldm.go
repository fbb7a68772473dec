package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"gofish/internal/api"
)

// ldmtool runs a command whose output is JSON and decodes that into v.
func (d *Daemon) ldmtool(v any, args ...string) error {
	out, err := d.output(append([]string{"ldmtool"}, args...)...)
	var te *ToolError
	if errors.As(err, &te) && te.Text == "" {
		te.Text = "there is none of this name"
	}
	if err != nil {
		return err
	}
	// A string in it may come from a disk, in any encoding.
	if err := json.Unmarshal([]byte(strings.ToValidUTF8(out, "?")), v); err != nil {
		return fmt.Errorf("ldmtool %s: the answer is not what it should be: %w", args[0], err)
	}
	return nil
}

func (d Actions) LdmtoolCreateAll() error { return d.ldmtool(new(any), "create", "all") }

func (d Actions) LdmtoolRemoveAll() error {
	if err := d.ldmtool(new(any), "remove", "all"); err != nil {
		return err
	}
	// It silently leaves devices that are in use.
	if left := ldmDevices("ldm_vol_"); len(left) > 0 {
		return fmt.Errorf("%s: in use: unmount it first", left[0])
	}
	return nil
}

// ldmGroup and ldmVolume are answers of ldmtool (ldmtool(1), show).
type ldmGroup struct {
	Name    string   `json:"name"`
	Volumes []string `json:"volumes"`
	Disks   []string `json:"disks"`
}

type ldmVolume struct {
	Type       string   `json:"type"`
	Hint       string   `json:"hint"` // null: none
	Partitions []string `json:"partitions"`
}

func (d *Daemon) showGroup(group string) (g ldmGroup, err error) {
	if err = d.ldmtool(&g, "show", "diskgroup", group); err != nil {
		err = fmt.Errorf("%s: %w", group, err)
	}
	return g, err
}

func (d *Daemon) showVolume(group, volume string) (v ldmVolume, err error) {
	if err = d.ldmtool(&v, "show", "volume", group, volume); err != nil {
		err = fmt.Errorf("%s: %s: %w", group, volume, err)
	}
	return v, err
}

func (d Actions) LdmtoolScan() ([]string, error) { return d.LdmtoolScanDevices(nil) }

func (d Actions) LdmtoolScanDevices(devices []Device) ([]string, error) {
	args := []string{"scan"}
	for _, dev := range devices {
		args = append(args, string(dev))
	}
	guids := []string{}
	err := d.ldmtool(&guids, args...)
	return guids, err
}

func (d Actions) LdmtoolDiskgroupName(diskgroup string) (string, error) {
	g, err := d.showGroup(diskgroup)
	return g.Name, err
}

func (d Actions) LdmtoolDiskgroupVolumes(diskgroup string) ([]string, error) {
	g, err := d.showGroup(diskgroup)
	return g.Volumes, err
}

func (d Actions) LdmtoolDiskgroupDisks(diskgroup string) ([]string, error) {
	g, err := d.showGroup(diskgroup)
	return g.Disks, err
}

func (d Actions) LdmtoolVolumeType(diskgroup, volume string) (string, error) {
	v, err := d.showVolume(diskgroup, volume)
	return v.Type, err
}

func (d Actions) LdmtoolVolumeHint(diskgroup, volume string) (string, error) {
	v, err := d.showVolume(diskgroup, volume)
	return v.Hint, err
}

func (d Actions) LdmtoolVolumePartitions(diskgroup, volume string) ([]string, error) {
	v, err := d.showVolume(diskgroup, volume)
	return v.Partitions, err
}

func (d Actions) ListLdmVolumes() ([]string, error)    { return ldmDevices("ldm_vol_"), nil }
func (d Actions) ListLdmPartitions() ([]string, error) { return ldmDevices("ldm_part_"), nil }

// ldmDevices lists the devices that ldmtool created; their names have a prefix.
func ldmDevices(prefix string) []string {
	l := globAll(api.MapperDir + prefix + "*")
	if l == nil {
		l = []string{}
	}
	return l
}
