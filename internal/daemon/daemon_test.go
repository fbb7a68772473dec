package daemon

import "testing"

// New panics when a handler and the catalogue disagree.
func TestHandlersAgreeWithCatalogue(t *testing.T) {
	New(Config{Sysroot: t.TempDir(), Live: true})
}
