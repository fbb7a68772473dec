package daemon

import (
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

// TestKmsgAbout: what is of another device is left out, and what only announces bytes.
func TestKmsgAbout(t *testing.T) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fds[1])
	k := &kmsg{fds[0]}
	defer k.Close()
	for _, text := range []string{"XFS (sdb): Corruption", "XFS (sda): Metadata CRC error", "XFS (sda): First 128 bytes of corrupted metadata buffer:", "00000000: 58 46 53 42", "XFS (sda): SB validate failed", "XFS (sda): Metadata CRC error", `XFS (sda): Please run it!\x0afound = 1`} {
		if _, err := unix.Write(fds[1], []byte("1,2,3,-;"+text+"\n")); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := k.about("sda", "xfs"), []string{"XFS (sda): Metadata CRC error", "XFS (sda): SB validate failed", "XFS (sda): Please run it!"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestParseKmsg(t *testing.T) {
	level, text, ok := parseKmsg("3,339,5140900,-;EXT4-fs (sda1): bad geometry; really\n SUBSYSTEM=block\n")
	if level != 3 || text != "EXT4-fs (sda1): bad geometry; really" || !ok {
		t.Error(level, text, ok)
	}
	for _, bad := range []string{"", "x", "x,1;y"} {
		if _, _, ok := parseKmsg(bad); ok {
			t.Errorf("%q is understood", bad)
		}
	}
	for text, want := range map[string]bool{"EXT4-fs (sda1): x": true, "on dev sda1": true, "sda1: x": true, "sda11": false, "xsda1 sda1x": false, "": false} {
		if hasWord(text, "sda1") != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}
