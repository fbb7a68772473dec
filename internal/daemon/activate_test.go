package daemon

import (
	"slices"
	"testing"
)

func TestIdleArrays(t *testing.T) {
	said := `mdadm: /dev/md/fine has been started with 2 drives (out of 3).
mdadm: failed to RUN_ARRAY /dev/md/(none):root: Input/output error
mdadm: Not enough devices to start the array.
mdadm: /dev/md/host:data assembled from 1 drive - not enough to start the array.
mdadm: failed to RUN_ARRAY /dev/md127: Invalid argument
mdadm: No arrays found in config file or automatically`
	want := []idleArray{{"root", "Not enough devices to start the array"}, {"data", "assembled from 1 drive - not enough to start the array."}, {"/dev/md127", "Invalid argument"}}
	if got := idleArrays(said); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
