package inspect

import "strings"

// Icon is a file of a guest that may have its logo. A number is that of a bitmap in a
// Windows program; otherwise the file is a PNG.
type Icon struct {
	Path   string
	Bitmap int
	Height int // of the part of the bitmap to use, 0: all of it
}

// Where distributions keep their logo.
const (
	redHatOld = "/usr/share/pixmaps/redhat/shadowman-transparent.png" // until 6
	redHat    = "/usr/share/icons/hicolor/96x96/apps/system-logo-icon.png"
)

var logos = map[string][]string{
	"fedora":       {"/usr/share/icons/hicolor/96x96/apps/fedora-logo-icon.png"},
	"debian":       {"/usr/share/pixmaps/debian-logo.png"},
	"ubuntu":       {"/usr/share/icons/gnome/24x24/places/ubuntu-logo.png", "/usr/share/help/C/ubuntu-help/figures/ubuntu-logo.png"},
	"mageia":       {"/usr/share/icons/mageia.png"},
	"opensuse":     {"/usr/share/icons/hicolor/48x48/apps/distributor.png", "/usr/share/icons/hicolor/24x24/apps/distributor.png"},
	"voidlinux":    {"/usr/share/void-artwork/void-logo.png"},
	"altlinux":     {"/usr/share/icons/hicolor/48x48/apps/altlinux.png"},
	"gentoo":       {"/usr/share/icons/gentoo/48x48/gentoo.png"},
	"openmandriva": {"/usr/share/icons/large/mandriva.png", "/usr/share/icons/mandriva.png"},
}

// Icons lists the files to look for, best first. High quality leaves out small ones
// or drawn for something else.
func Icons(o *OS, favicon, highQuality bool) []Icon {
	var l []Icon
	add := func(paths ...string) {
		for _, p := range paths {
			l = append(l, Icon{Path: p})
		}
	}
	if favicon && !highQuality {
		add("/etc/favicon.png")
	}
	switch o.Distro {
	case "rhel", "centos", "redhat-based", "scientificlinux", "oraclelinux", "rocky", "almalinux":
		if o.Major <= 6 {
			add(redHatOld)
		} else {
			add(redHat)
		}
	case "sles", "suse-based":
		add(logos["opensuse"]...)
	case "ubuntu":
		if !highQuality {
			add(logos["ubuntu"]...)
		}
	case "windows":
		if !highQuality {
			l = append(l, windowsIcons(o)...)
		}
	default:
		add(logos[o.Distro]...)
	}
	return l
}

// windowsIcons: the picture of the start menu or button; later versions draw it.
func windowsIcons(o *OS) []Icon {
	if o.Windows == nil {
		return nil
	}
	explorer := strings.TrimSuffix(o.Windows.SystemRoot, "/") + "/explorer.exe"
	switch [2]int{o.Major, o.Minor} {
	case [2]int{5, 1}:
		return []Icon{{Path: explorer, Bitmap: 143}}
	case [2]int{6, 1}: // three states of the button, one below the other
		wow := strings.TrimSuffix(explorer, "explorer.exe") + "SysWOW64/explorer.exe"
		return []Icon{{wow, 6801, 55}, {explorer, 6801, 55}}
	case [2]int{6, 2}:
		return []Icon{{Path: "/ProgramData/Microsoft/Windows Live/WLive48x48.png"}}
	}
	return nil
}
