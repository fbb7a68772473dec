package handle

import (
	"strings"
	"testing"
)

func TestImageReason(t *testing.T) {
	for text, want := range map[string]string{
		"qemu-img: Could not open '/x/a.vmdk': Could not open '/x/a.vmdk': Invalid argument": "qemu-img: the image is damaged (qemu-img check says more)",
		"qemu: Could not open backing file: Image is not in qcow2 format":                    "qemu: Image is not in qcow2 format",
		"qemu-img: Could not open '/x/a: b': No such file or directory":                      "qemu-img: No such file or directory",
		"qemu: module block-block-dmg-bz2 not found, do you want to install qemu-block-extra package?: qemu: module block-block-dmg-lzfse not found, do you want to install qemu-block-extra package?: qemu-img: Could not open '/x/m.dmg': Could not open '/x/m.dmg': Invalid argument": "qemu: the image is damaged (qemu-img check says more)",
		"qemu-img: ../../block/vmdk.c:3034: vmdk_get_info: Assertion `s->num_extents' failed.": "qemu-img: the image is damaged (qemu-img check says more)",
		"qemu: Parameter 'encrypt.key-secret' is required for cipher":                          "qemu: the image is encrypted by qemu: make one of it that is not, with qemu-img convert",
		"qemu: L1 table is too small":                                                          "qemu: L1 table is too small",
	} {
		if got := imageReason(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestQemuTakes(t *testing.T) {
	long := "/" + strings.Repeat("d/", 600) + "x"
	for _, c := range []struct {
		path, format string
		readOnly     bool
		text         string
	}{
		{"/x", "", false, ""}, {"/x", "qcow2", false, ""}, {"/b\xff", "raw", true, ""},
		{"/x", "luks", false, "--format=raw"}, {"/x", "nbd", false, "nbd is not a disk image format; known are raw, qcow2"},
		{long, "raw", true, "1202 bytes, and qemu takes 1023"}, {"/b\xff", "raw", false, "not UTF-8"},
	} {
		err := qemuTakes(c.path, c.format, c.readOnly)
		if (c.text == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.text) {
			t.Errorf("%q %q: %v", c.path, c.format, err)
		}
	}
}
