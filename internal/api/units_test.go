package api

import (
	"regexp"
	"testing"
)

// sizeNames are parameters that count something that has a unit.
var sizeNames = regexp.MustCompile(`size|bytes|offset|length|sect|count$|percent|secs$|blocks`)

// unitless are the exceptions: counts of things.
var unitless = map[string]bool{
	"maxmountcount": true, "mountcount": true, // mounts
	"ihashsize": true, "bhashsize": true, // entries of tables
	"sectors": true, // per track: sfdisk's old geometry
}

// TestUnits: a number that is named like an amount says of what, so that the shell
// can read suffixes. It has no internal actions.
func TestUnits(t *testing.T) {
	for _, a := range All.Actions() {
		if a.Visibility == Internal {
			continue
		}
		for _, p := range append(append(Args{}, a.Args...), a.Opts...) {
			if (p.Kind == KInt || p.Kind == KInt64) && p.Unit == NoUnit && sizeNames.MatchString(p.Name) && !unitless[p.Name] {
				t.Errorf("%s: parameter %s has no unit", a.Name, p.Name)
			}
		}
	}
}
