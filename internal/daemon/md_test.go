package daemon

import (
	"reflect"
	"testing"

	"gofish/internal/api"
)

func TestMdMembers(t *testing.T) {
	const mdstat = `Personalities : [raid1] [raid6] [raid5] [raid4]
md12 : inactive sde[0](S)
      31744 blocks super 1.2

md127 : active (auto-read-only) raid1 sda1[0] nvme0n1p2[2](W)(S) sdb1[1](F)
      31744 blocks super 1.2 [2/1] [U_]
      [=>...................]  recovery =  9.0% (1/2) finish=0.1min speed=1K/sec

unused devices: <none>
`
	want := []api.MDStat{
		{Device: "/dev/sda1", Index: 0},
		{Device: "/dev/nvme0n1p2", Index: 2, Flags: "WS"},
		{Device: "/dev/sdb1", Index: 1, Flags: "F"},
	}
	if got := mdMembers(mdstat, "md127"); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := mdMembers(mdstat, "md12"); len(got) != 1 || got[0].Flags != "S" {
		t.Errorf("inactive array: %v", got)
	}
	if got := mdMembers(mdstat, "md1"); got != nil {
		t.Errorf("no such array: %v", got)
	}
}
