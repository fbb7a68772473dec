// Package daemon is the appliance's side: PID 1 of the guest (or a process in a
// live one), which does what the handle asks for. It must not know the host.
//
// Handlers are methods of Actions, one file an area, with the same file names as
// in package api. A handler has ordinary typed parameters, already checked: a
// Device is translated and exists, a Path is absolute and something is mounted.
// It returns a result or an error; it never sees XDR.
//
// Errors: return errors that end in a syscall.Errno, wrapped with %w, where a
// system call failed (the number goes to the peer, and the text gets the usual
// capital letter), any other error otherwise. The peer puts the action's name in
// front.
//
// Streams: a parameter of kind KFileIn is an io.Reader of what the client sends,
// one of kind KFileOut an io.Writer to the client. A handler may stop reading or
// return an error at any time; the serve loop keeps the protocol in step.
package daemon
