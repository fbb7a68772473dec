package main

import "testing"

// TestBind: every row that names a library has its method, and the other way round.
func TestBind(t *testing.T) {
	methods := map[string]any{
		"Augeas": augeasActions{}, "hivex": hivexActions{}, "journal": journalActions{}, "RPM": rpmActions{}, "tsk": tskActions{},
	}
	for name := range libraries {
		if len(bind(name, methods[name])) == 0 {
			t.Errorf("%s has no actions", name)
		}
	}
}
