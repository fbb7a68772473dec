package handle

import (
	"bytes"
	"image"
	"image/draw"
	"image/png"

	"gofish/internal/inspect"
	"gofish/internal/peicon"

	"gofish/guestfs/types"
)

// The largest logo, and the largest program that is looked into for one.
const (
	maxLogo    = 256 << 10
	maxProgram = 16 << 20
)

func (h Actions) InspectGetIcon(c *Call, root string, o types.InspectGetIconOptions) ([]byte, error) {
	system, err := h.system(c, root)
	if err != nil {
		return nil, err
	}
	favicon, highQuality := true, false
	if o.Favicon != nil {
		favicon = *o.Favicon
	}
	if o.HighQuality != nil {
		highQuality = *o.HighQuality
	}
	for _, icon := range inspect.Icons(system, favicon, highQuality) {
		b, err := h.icon(c, icon, system.Type == "windows")
		if err != nil || b != nil {
			return b, err
		}
	}
	return []byte{}, nil
}

// system is what the logo of an operating system depends on.
func (h Actions) system(c *Call, root string) (*inspect.OS, error) {
	var o inspect.OS
	var err error
	if o.Type, err = c.InspectGetType(c, root); err != nil {
		return nil, err
	}
	if o.Distro, err = c.InspectGetDistro(c, root); err != nil {
		return nil, err
	}
	if o.Major, err = c.InspectGetMajorVersion(c, root); err != nil {
		return nil, err
	}
	if o.Minor, err = c.InspectGetMinorVersion(c, root); err != nil {
		return nil, err
	}
	if o.Type == "windows" {
		o.Windows = &inspect.Windows{}
		o.Windows.SystemRoot, err = c.InspectGetWindowsSystemroot(c, root)
	}
	return &o, err
}

// icon fetches one that may be there, as PNG; nil if it is not, or is something else.
func (h Actions) icon(c *Call, icon inspect.Icon, anyCase bool) ([]byte, error) {
	path := icon.Path
	if anyCase {
		if p, err := c.CaseSensitivePath(c, path); err == nil {
			path = p
		}
	}
	// A link of a logo is common; it does not lead out of the guest.
	is, err := c.IsFile(c, path, types.IsFileOptions{FollowSymlinks: new(true)})
	if err != nil || !is {
		return nil, err
	}
	max := int64(maxLogo)
	if icon.Bitmap != 0 {
		max = maxProgram
	}
	b, err := h.readBounded(c, path, max)
	if err != nil {
		return nil, err
	}
	if icon.Bitmap != 0 {
		return bitmap(b, icon), nil
	}
	if cfg, err := png.DecodeConfig(bytes.NewReader(b)); err != nil || !plausible(cfg) {
		return nil, nil
	}
	return b, nil
}

// plausible reports whether an image has the size of a logo.
func plausible(c image.Config) bool {
	const least, most = 16, 1024
	return c.Width >= least && c.Width <= most && c.Height >= least && c.Height <= most
}

// bitmap takes an icon out of a program, nil if there is none.
func bitmap(program []byte, icon inspect.Icon) []byte {
	img, err := peicon.Bitmap(program, icon.Bitmap)
	if err != nil {
		return nil
	}
	if size := img.Bounds(); icon.Height > 0 && size.Dy() > icon.Height {
		top := image.NewRGBA(image.Rect(0, 0, size.Dx(), icon.Height))
		draw.Draw(top, top.Bounds(), img, size.Min, draw.Src)
		img = top
	}
	var out bytes.Buffer
	if png.Encode(&out, img) != nil {
		return nil
	}
	return out.Bytes()
}
