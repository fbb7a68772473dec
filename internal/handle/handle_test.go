package handle

import "testing"

// Binding panics when an action of the host and the catalogue disagree.
func TestActionsAgreeWithCatalogue(t *testing.T) {
	h, err := New(nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(h.local()) != len(localActions()) {
		t.Error("an action is bound twice")
	}
}

func TestEnvironment(t *testing.T) {
	env := map[string]string{
		"LIBGUESTFS_MEMSIZE": "512", "GOFISH_MEMSIZE": "768", "LIBGUESTFS_APPEND": "a b", "LIBGUESTFS_QEMU": "/q",
		"LIBGUESTFS_BACKEND_SETTINGS": "force_tcg:x=1", "GOFISH_DEBUG": "1", "TMPDIR": "/t",
	}
	s := defaults()
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	if err := s.fromEnvironment(lookup); err != nil {
		t.Fatal(err)
	}
	if s.Memory != 768 || orEmpty(s.Append) != "a b" || s.HV != "/q" || !s.Verbose || s.TmpDir != "/t" {
		t.Errorf("%+v", s)
	}
	if v, ok := s.setting("x"); !ok || v != "1" {
		t.Errorf("setting x is %q, %v", v, ok)
	}
	for name, value := range map[string]string{"GOFISH_MEMSIZE": "many", "LIBGUESTFS_TRACE": "perhaps", "GOFISH_BACKEND": "libvirt"} {
		bad := map[string]string{name: value}
		s := defaults()
		if err := s.fromEnvironment(func(n string) (string, bool) { v, ok := bad[n]; return v, ok }); err == nil {
			t.Errorf("%s=%s is accepted", name, value)
		}
	}
}

func TestLastCounted(t *testing.T) {
	for _, c := range []struct {
		block []byte
		order uint32
		want  int64
	}{
		{[]byte{0, 0, 0, 0}, 4, -1},
		{[]byte{0, 1, 0, 0}, 4, 0},
		{[]byte{0, 0, 0, 1}, 4, 1},
		{[]byte{0, 0, 1, 0}, 3, 2},
		{[]byte{0, 1}, 0, 15},
	} {
		if got := lastCounted(c.block, c.order); got != c.want {
			t.Errorf("lastCounted(%v, %d) = %d, want %d", c.block, c.order, got, c.want)
		}
	}
}
