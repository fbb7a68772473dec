package peicon

import (
	"bytes"
	"image"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// gradient has different colours everywhere, so that a row or column out of place shows.
func gradient(x, y int) [3]byte { return [3]byte{byte(10 * x), byte(10 * y), byte(x ^ y)} }

func pixels(img image.Image) []byte {
	var l []byte
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			r, g, b, _ := img.At(x, y).RGBA()
			l = append(l, byte(r>>8), byte(g>>8), byte(b>>8))
		}
	}
	return l
}

func TestBitmap(t *testing.T) {
	bmp := BuildBitmap(5, 7, gradient)
	for _, is64 := range []bool{false, true} {
		file := Build(is64, map[int][]byte{143: bmp, 6801: BuildBitmap(1, 1, gradient)})
		img, err := Bitmap(file, 143)
		if err != nil {
			t.Fatal(err)
		}
		var want []byte
		for y := range 7 {
			for x := range 5 {
				c := gradient(x, y)
				want = append(want, c[:]...)
			}
		}
		if got := pixels(img); !bytes.Equal(got, want) {
			t.Errorf("is64 %v: got\n%x, want\n%x", is64, got, want)
		}
		if _, err := Bitmap(file, 144); err != errNone {
			t.Errorf("a bitmap that is not there: %v", err)
		}
	}
	for _, file := range [][]byte{nil, []byte("MZ"), bytes.Repeat([]byte("MZ"), 100), Build(false, nil)} {
		if _, err := Bitmap(file, 143); err == nil {
			t.Errorf("a bitmap comes from %.20q", file)
		}
	}
}

// depths are bitmaps of each depth, all two by two.
func depths() map[int][]byte {
	palette := []byte{0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0} // red, green, blue, white
	return map[int][]byte{
		1:  append(Header(2, 2, 1, 0), append(append([]byte{}, palette[:8]...), 0x40, 0, 0, 0, 0x80, 0, 0, 0)...),
		4:  append(Header(2, 2, 4, 4), append(append([]byte{}, palette...), 0x23, 0, 0, 0, 0x01, 0, 0, 0)...),
		8:  append(Header(2, 2, 8, 4), append(append([]byte{}, palette...), 2, 3, 0, 0, 0, 1, 0, 0)...),
		16: append(Header(2, 2, 16, 0), 0x1f, 0, 0xff, 0x7f, 0, 0x7c, 0xe0, 0x03),
		32: append(Header(2, 2, 32, 0), 255, 0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 0, 0, 255, 0, 0),
		24: BuildBitmap(2, 2, gradient),
	}
}

func TestDepths(t *testing.T) {
	const red, green, blue, white = "\xff\x00\x00", "\x00\xff\x00", "\x00\x00\xff", "\xff\xff\xff"
	for bits, want := range map[int]string{1: green + red + red + green, 4: red + green + blue + white, 8: red + green + blue + white,
		16: red + green + blue + white, 32: red + green + blue + white} {
		img, err := decode(depths()[bits])
		if err != nil {
			t.Errorf("%d bits: %v", bits, err)
		} else if got := string(pixels(img)); got != want {
			t.Errorf("%d bits: got %x, want %x", bits, got, want)
		}
	}
	down := append(Header(1, -2, 32, 0), 0, 0, 255, 0, 255, 0, 0, 0)
	if img, err := decode(down); err != nil || string(pixels(img)) != red+blue {
		t.Errorf("rows from the top: %v", err)
	}
	for name, b := range map[string][]byte{
		"no rows": Header(2, 2, 24, 0), "too wide": Header(1<<20, 1, 1, 0), "no height": Header(1, 0, 24, 0), "smallest height": Header(1, -1<<31, 24, 0),
		"3 bits": append(Header(1, 1, 3, 0), 0, 0, 0, 0), "beyond the palette": append(Header(1, 1, 8, 1), 0, 0, 0, 0, 7, 0, 0, 0),
	} {
		if _, err := decode(b); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
}

// TestAgainstTools: icoutils and netpbm, which libguestfs uses, see the same pixels.
func TestAgainstTools(t *testing.T) {
	for _, p := range []string{"wrestool", "bmptopnm"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
	for bits, bmp := range depths() {
		name := t.TempDir() + "/program.exe"
		file := Build(bits%8 != 0, map[int][]byte{7: bmp})
		if err := os.WriteFile(name, file, 0o644); err != nil {
			t.Fatal(err)
		}
		bmpFile, err := exec.Command("wrestool", "-x", "--type=2", "--name=7", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		c := exec.Command("bmptopnm")
		c.Stdin = bytes.NewReader(bmpFile)
		pnm, err := c.Output()
		if err != nil {
			t.Fatalf("%d bits: %v", bits, err)
		}
		img, err := Bitmap(file, 7)
		if err != nil {
			t.Fatal(err)
		}
		if got := "P6\n2 2\n255\n" + string(pixels(img)); got != strings.ReplaceAll(string(pnm), "\n31\n", "\n255\n") {
			t.Errorf("%d bits: got %q, want %q", bits, got, pnm)
		}
	}
}

func FuzzBitmap(f *testing.F) {
	f.Add(Build(false, map[int][]byte{1: BuildBitmap(2, 2, gradient)}))
	f.Add(Build(true, depths()))
	f.Fuzz(func(t *testing.T, b []byte) {
		Bitmap(b, 1)
		decode(b)
	})
}
