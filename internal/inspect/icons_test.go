package inspect

import (
	"fmt"
	"testing"
)

func TestIcons(t *testing.T) {
	windows := &Windows{SystemRoot: "/WINDOWS"}
	for _, c := range []struct {
		os           OS
		fav, quality bool
		want         string
	}{
		{OS{Distro: "fedora"}, true, false, "[{/etc/favicon.png 0 0} {/usr/share/icons/hicolor/96x96/apps/fedora-logo-icon.png 0 0}]"},
		{OS{Distro: "fedora"}, true, true, "[{/usr/share/icons/hicolor/96x96/apps/fedora-logo-icon.png 0 0}]"},
		{OS{Distro: "centos", Major: 6}, false, false, "[{/usr/share/pixmaps/redhat/shadowman-transparent.png 0 0}]"},
		{OS{Distro: "almalinux", Major: 9}, false, false, "[{/usr/share/icons/hicolor/96x96/apps/system-logo-icon.png 0 0}]"},
		{OS{Distro: "ubuntu"}, false, true, "[]"},
		{OS{Distro: "nobody knows"}, false, false, "[]"},
		{OS{Distro: "windows", Major: 5, Minor: 1, Windows: windows}, false, false, "[{/WINDOWS/explorer.exe 143 0}]"},
		{OS{Distro: "windows", Major: 6, Minor: 1, Windows: windows}, false, false, "[{/WINDOWS/SysWOW64/explorer.exe 6801 55} {/WINDOWS/explorer.exe 6801 55}]"},
		{OS{Distro: "windows", Major: 6, Minor: 1, Windows: windows}, true, true, "[]"},
		{OS{Distro: "windows", Major: 10, Windows: windows}, false, false, "[]"},
	} {
		if got := fmt.Sprint(Icons(&c.os, c.fav, c.quality)); got != c.want {
			t.Errorf("%s %d.%d: got %s, want %s", c.os.Distro, c.os.Major, c.os.Minor, got, c.want)
		}
	}
}
