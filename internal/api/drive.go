package api

// DriveLetters names the i-th drive: a … z, aa, ab, … (base 26 without a zero).
func DriveLetters(i int) string {
	s := ""
	for i++; i > 0; i = (i - 1) / 26 {
		s = string(rune('a'+(i-1)%26)) + s
	}
	return s
}

// DriveIndex is the reverse of DriveLetters, -1 for anything else and for a
// number that no drive can have.
func DriveIndex(s string) int {
	n := 0
	for _, c := range s {
		if c < 'a' || c > 'z' {
			return -1
		}
		if n = n*26 + int(c-'a') + 1; n > 1<<20 {
			return -1
		}
	}
	return n - 1
}
