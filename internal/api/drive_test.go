package api

import "testing"

func TestDriveLetters(t *testing.T) {
	for i, want := range map[int]string{0: "a", 25: "z", 26: "aa", 51: "az", 254: "iu", 701: "zz", 702: "aaa"} {
		if got := DriveLetters(i); got != want {
			t.Errorf("DriveLetters(%d) = %s, want %s", i, got, want)
		}
		if got := DriveIndex(want); got != i {
			t.Errorf("DriveIndex(%s) = %d, want %d", want, got, i)
		}
	}
	for _, s := range []string{"", "1", "A", "zzzzzzzzzzzzzzzzzz"} {
		if got := DriveIndex(s); got != -1 {
			t.Errorf("DriveIndex(%q) = %d", s, got)
		}
	}
}
