// Package e2e holds the tests that run the real program against a real
// appliance, with other programs as judges: guestfish and guestfsd for
// behaviour and protocol, qemu-img, e2fsck and the like for what lands on disk.
//
//	diff_test.go    scripts of testdata/diff, run by gofish and by guestfish
//	wire_test.go    guestfish with our appliance, gofish with libguestfs's
//	script_test.go  testscript files of testdata/script
//	handle_test.go  the Go interface: goroutines, events, death of qemu
//	prompt_test.go  the prompt on a pseudo-terminal
//	mountlocal_test.go  a guest's file system on the host, judged by internal/fstest and by programs
//
// GOFISH_SOAK=1, which make soak sets, has the tests of mounts take their time: all file systems,
// more of everything, for at most TIME a piece and from SEED.
// GOFISH_TEST_SCALE multiplies every time limit, for slow machines.
package e2e
