package peicon

import (
	"errors"
	"image"
	"image/color"
)

var errBitmap = errors.New("this kind of bitmap is not known, or it is damaged")

// maxSide is how wide and high a bitmap may be.
const maxSide = 1024

// Bitmap decodes the bitmap with a number among the resources of a program.
func Bitmap(program []byte, id int) (image.Image, error) {
	p, err := parse(program)
	if err != nil {
		return nil, err
	}
	const typeBitmap = 2
	data, err := p.resource(typeBitmap, id)
	if err != nil {
		return nil, err
	}
	return decode(data)
}

// decode reads a bitmap as it is in memory: BITMAPINFOHEADER (wingdi.h), palette, rows
// from the bottom up, each filled to four bytes. Transparency is not looked at.
func decode(b []byte) (image.Image, error) {
	const headerSize, uncompressed = 40, 0
	head := part(b, 0, headerSize)
	if head == nil || u32(head, 0) < headerSize || u32(head, 0) > 1<<10 || u32(head, 16) != uncompressed {
		return nil, errBitmap
	}
	width, height := int32(u32(head, 4)), int32(u32(head, 8))
	bits := uint32(u16(head, 14))
	topDown := height < 0
	if topDown {
		height = -height
	}
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return nil, errBitmap
	}
	var colors uint32
	switch bits {
	case 1, 4, 8:
		if colors = u32(head, 32); colors == 0 || colors > 1<<bits {
			colors = 1 << bits
		}
	case 16, 24, 32:
	default:
		return nil, errBitmap
	}
	palette := part(b, u32(head, 0), 4*colors)
	stride := (uint32(width)*bits + 31) / 32 * 4
	rows := part(b, u32(head, 0)+4*colors, stride*uint32(height))
	if palette == nil || rows == nil {
		return nil, errBitmap
	}
	rgb := func(b []byte) color.RGBA { return color.RGBA{R: b[2], G: b[1], B: b[0], A: 0xff} }
	img := image.NewRGBA(image.Rect(0, 0, int(width), int(height)))
	for y := range int(height) {
		row := rows[uint32(y)*stride:][:stride]
		to := y
		if !topDown {
			to = int(height) - 1 - y
		}
		for x := range int(width) {
			var c color.RGBA
			switch bits {
			case 16: // five bits for each
				v := u16(row, 2*x)
				five := func(n uint16) byte { return byte((n & 31) * 255 / 31) }
				c = color.RGBA{R: five(v >> 10), G: five(v >> 5), B: five(v), A: 0xff}
			case 24, 32:
				c = rgb(row[x*int(bits)/8:])
			default:
				perByte := 8 / int(bits)
				i := uint32(row[x/perByte]) >> (8 - bits*uint32(x%perByte+1)) & (1<<bits - 1)
				if i >= colors {
					return nil, errBitmap
				}
				c = rgb(palette[4*i:])
			}
			img.SetRGBA(x, to, c)
		}
	}
	return img, nil
}
