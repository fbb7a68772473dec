package handle

import (
	"reflect"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"

	"gofish/guestfs/types"
)

func TestMountOptions(t *testing.T) {
	given := `ro,uid=1000,umask=027,attr_timeout=1.5,fsname=a\,b\\c,x-systemd.automount,X-mount.mkdir,user=me,user,,kernel_cache,default_permissions`
	o, err := parseMountOptions(types.MountLocalOptions{Options: &given})
	if err != nil {
		t.Fatal(err)
	}
	if !o.readonly || o.source != `a,b\c` || o.attrTimeout != 1500*time.Millisecond || !o.permissions || o.entryTimeout != defaultCacheTimeout {
		t.Errorf("%+v", o)
	}
	if want := []string{"default_permissions", "ro"}; !reflect.DeepEqual(o.kernel, want) {
		t.Errorf("the kernel is given %q, not %q", o.kernel, want)
	}
	a := fuse.Attr{Mode: 0o104755, Owner: fuse.Owner{Uid: 1, Gid: 2}}
	if o.show(&a); a.Mode != 0o100750 || a.Uid != 1000 || a.Gid != 2 {
		t.Errorf("a file has %+v", a)
	}
	for _, bad := range []string{"foo", "uid", "uid=x", "uid=4294967296", "ro=1", "umask=8", "attr_timeout=-1"} {
		if _, err := parseMountOptions(types.MountLocalOptions{Options: &bad}); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
