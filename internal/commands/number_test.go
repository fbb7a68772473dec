package commands

import (
	"strings"
	"testing"

	"gofish/internal/api"
)

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		unit api.Unit
		text string
		want int64
		err  string
	}{
		{api.MiB, "100", 100, ""},
		{api.MiB, "100M", 100, ""},
		{api.MiB, "100MiB", 100, ""},
		{api.MiB, "1G", 1024, ""},
		{api.MiB, "1.5G", 1536, ""},
		{api.MiB, "100MB", 96, ""}, // at least as much
		{api.MiB, "1K", 1, ""},
		{api.KiB, "2M", 2048, ""},
		{api.Bytes, "1K", 1024, ""},
		{api.Bytes, "1.5K", 1536, ""},
		{api.Bytes, "0.1KB", 100, ""},
		{api.Bytes, "-1.5K", -1536, ""},
		{api.Bytes, "-1", -1, ""},
		{api.Sectors512, "1M", 2048, ""},
		{api.Sectors512, "1000D", 0, "invalid integer"},
		{api.Sectors512, "1KB", 0, "not a whole number of sectors"},
		{api.Sectors, "2048", 2048, ""},
		{api.Sectors, "1M", 0, "counts the device's sectors: give a plain number"},
		{api.Blocks, "1M", 0, "counts blocks of the file system"},
		{api.Percent, "50K", 0, "counts percent"},
		{api.NoUnit, "2K", 0, "counts no bytes"},
		{api.NoUnit, "0x10", 16, ""},
		{api.Bytes, "1.5", 0, "invalid integer"},
		{api.Bytes, "1.5.5K", 0, "invalid integer"},
		{api.Bytes, "8E", 0, "invalid integer"},
		{api.Bytes, "7.99E", 9211842821808707339, ""},
		{api.NoUnit, "1.5K", 0, "counts no bytes"},
	} {
		v, err := integer("cmd", "p", api.Int64("p", c.unit), c.text)
		switch {
		case c.err == "" && (err != nil || v != c.want):
			t.Errorf("%q of %v: %v, %v, not %d", c.text, c.unit, v, err, c.want)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%q of %v: %v, %v, not an error with %q", c.text, c.unit, v, err, c.err)
		}
	}
}
