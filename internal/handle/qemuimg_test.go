package handle

import "testing"

func TestImageReason(t *testing.T) {
	for text, want := range map[string]string{
		"qemu-img: Could not open '/x/a.vmdk': Could not open '/x/a.vmdk': Invalid argument": "qemu-img: the image is damaged (qemu-img check says more)",
		"qemu: Could not open backing file: Image is not in qcow2 format":                    "qemu: Image is not in qcow2 format",
		"qemu-img: Could not open '/x/a: b': No such file or directory":                      "qemu-img: No such file or directory",
		"qemu: L1 table is too small":                                                        "qemu: L1 table is too small",
	} {
		if got := imageReason(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
