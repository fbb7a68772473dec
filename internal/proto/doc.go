// Package proto is the wire protocol between a handle and the daemon in the
// appliance. It is a leaf: both sides import it and it knows no action.
//
// # Wire format
//
// Everything is XDR (RFC 4506). Messages are frames: a 32-bit length word,
// then that many bytes. Three words that are larger than any legal length stand
// in place of a length: LaunchWord (daemon to client, once, first), CancelWord
// (either direction, stops a file transfer) and ProgressWord (daemon to client,
// followed by exactly 24 bytes).
//
// A call frame is a Header and the encoded arguments; a reply frame a Header
// and either the encoded result or, with StatusError, an ErrorBody. File
// contents follow as chunk frames of at most MaxChunk bytes: after the call for
// an upload, after the reply for a download. A chunk of length zero ends the
// stream, a chunk with its cancel field set ends it early.
//
// # The library's XDR, and ours
//
// Headers, errors and progress messages are davecgh/go-xdr's primitives, behind a check
// that what is to be read is there: the library takes memory by the length that a peer
// claims. That costs the daemon about 1 µs and 22 allocations a call, out of some 350 µs
// that a call takes under emulation (go test ./internal/daemon -bench Call). Arguments and
// results, of which a list may have 100,000, are our own few lines, with one allocation a
// string and none a number; they also take booleans other than 0 and 1, as the peers do.
// The library is the judge of that codec in the tests.
package proto

// Constants of the protocol.
const (
	Program    = 0x2000F5F5
	Version    = 4
	MaxMessage = 4 << 20 // largest legal length word, bytes
	// MaxResult is the largest reply of gofish's daemon to gofish's handle, which tells it so
	// (OursMark). The guest's memory must hold it more than once.
	MaxResult = 64 << 20
	MaxChunk  = 8192 // largest data of one file chunk, bytes
	MaxError  = 64 << 10
	MaxErrno  = 32

	LaunchWord   = 0xF5F55FF5
	CancelWord   = 0xFFFFEEEE
	ProgressWord = 0xFFFF5555

	DirectionCall  = 0
	DirectionReply = 1
	StatusOK       = 0
	StatusError    = 1

	HeaderSize  = 40
	FirstSerial = 0x00123400
)
