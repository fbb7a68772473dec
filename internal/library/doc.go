// Package library keeps the C libraries that actions need (Augeas, hivex, systemd's
// journal, The Sleuth Kit, RPM) out of the daemon: each runs in a separate process,
// the library server, so that a crash on hostile data is the error of one call.
//
// gofish is static and cannot load a library. The server (folder libserver) is a
// second program, linked dynamically, that gofish carries with it and starts from
// memory; `make build` builds it first. It binds methods to rows of the catalogue, just
// as the daemon does, and serves all rows whose Library is its own. What a library
// remembers between calls (Augeas' tree, an open hive) lives as long as its process.
//
// # The connection
//
// A socket, the server's standard input. It begins with a reply that says whether the
// library could be loaded. Then calls and replies alternate, in the messages of package
// proto. If the action writes a file, its chunks come before the reply, and
// progress messages without numbers while there are none.
package library
