package inspect

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"io"
	"strings"
	"unicode/utf16"
)

func isWindowsMedium(g *Guest) bool {
	if g.fold("/sources/boot.wim") != "" && g.fold("/bootmgr") != "" {
		return true
	}
	return g.fold("/setup.exe") != "" && (windowsImage(g) != "" || g.fold("/sources/boot.wim") != "") || oldWindowsSetup(g) != ""
}

// windowsImage is the file that Windows is installed from.
func windowsImage(g *Guest) string {
	for _, dir := range []string{"/sources", "/x64/sources", "/x86/sources"} {
		for _, n := range []string{"install.wim", "install.esd", "install.swm"} {
			if f := g.fold(dir + "/" + n); f != "" {
				return f
			}
		}
	}
	return ""
}

// oldWindowsSetup is the installer of Windows up to 2003.
func oldWindowsSetup(g *Guest) string {
	for _, dir := range []string{"/i386", "/amd64", "/ia64"} {
		if f := g.fold(dir + "/txtsetup.sif"); f != "" {
			return f
		}
	}
	return ""
}

func windowsMedium(g *Guest, o *OS) {
	o.Type, o.Distro = "windows", "windows"
	image := windowsImage(g)
	if image == "" {
		if image = g.fold("/sources/boot.wim"); image != "" {
			o.Media.Live = true // Windows PE, with nothing to install
		}
	}
	o.Media.Multipart = strings.HasSuffix(strings.ToLower(image), ".swm")
	if image != "" {
		o.wim(g, image)
	} else if f := oldWindowsSetup(g); f != "" {
		v := g.sections(f)
		o.Major, o.Minor = number(v["SetupData.MajorVersion"]), number(v["SetupData.MinorVersion"])
		o.Product = strings.Trim(v["Strings.ProductName"], `"`)
		o.Arch = archIn(f)
	}
	if o.Product == "" {
		o.Product = g.label()
	}
	if o.Arch == "" {
		o.Arch = archIn(strings.ReplaceAll(g.label(), "_", " ")) // CCCOMA_X64FRE_EN-US_DV9
	}
}

// wimXML is the description in a WIM file, as far as it is used.
type wimXML struct {
	Image []struct {
		Name        string `xml:"NAME"`
		DisplayName string `xml:"DISPLAYNAME"`
		Windows     struct {
			Arch    string `xml:"ARCH"`
			Type    string `xml:"INSTALLATIONTYPE"`
			Version struct {
				Major int    `xml:"MAJOR"`
				Minor int    `xml:"MINOR"`
				Build string `xml:"BUILD"`
			} `xml:"VERSION"`
		} `xml:"WINDOWS"`
	} `xml:"IMAGE"`
}

// wimArchitectures are the numbers of processors (winnt.h, PROCESSOR_ARCHITECTURE_…).
var wimArchitectures = map[string]string{"0": "i386", "5": "arm", "6": "ia64", "9": "x86_64", "12": "aarch64"}

// wim reads what a WIM file says about its first image. Its header says, from byte 72
// on, how large the description is (7 bytes) and, 8 bytes later, where it is.
func (o *OS) wim(g *Guest, name string) {
	f, err := g.FS.Open(clean(name))
	if err != nil {
		return
	}
	defer f.Close()
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		return
	}
	r, ok := f.(io.ReaderAt)
	header := make([]byte, 96)
	if !ok {
		return
	}
	if _, err := r.ReadAt(header, 0); err != nil || string(header[:8]) != "MSWIM\x00\x00\x00" {
		return
	}
	size := binary.LittleEndian.Uint64(header[72:]) & (1<<56 - 1)
	at := binary.LittleEndian.Uint64(header[80:])
	if size > MaxFile || at > 1<<62 {
		return
	}
	text := make([]byte, size)
	if n, err := r.ReadAt(text, int64(at)); err != nil && n < len(text) {
		return
	}
	units := make([]uint16, len(text)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(text[2*i:])
	}
	var w wimXML
	d := xml.NewDecoder(bytes.NewReader([]byte(strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff"))))
	if d.Decode(&w) != nil || len(w.Image) == 0 {
		return
	}
	first := w.Image[0]
	if o.Product = first.DisplayName; o.Product == "" {
		o.Product = first.Name
	}
	o.Variant, o.Arch = first.Windows.Type, wimArchitectures[strings.TrimSpace(first.Windows.Arch)]
	o.Major, o.Minor, o.BuildID = first.Windows.Version.Major, first.Windows.Version.Minor, first.Windows.Version.Build
}
