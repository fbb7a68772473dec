// Package e2e holds the tests that run the real program against a real
// appliance, with other programs as judges: guestfish and guestfsd for
// behaviour and protocol, qemu-img, e2fsck and the like for what lands on disk.
//
//	diff_test.go    scripts of testdata/diff, run by gofish and by guestfish
//	wire_test.go    guestfish with our appliance, gofish with libguestfs's
//	script_test.go  testscript files of testdata/script
//	handle_test.go  the Go interface: goroutines, events, death of qemu
//	prompt_test.go  the prompt on a pseudo-terminal
//
// GOFISH_TEST_SCALE multiplies every time limit, for slow machines.
package e2e
