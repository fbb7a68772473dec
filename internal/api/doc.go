// Package api is the catalogue of actions: everything that a handle can be
// asked to do, declared once, as data. From a row come the encoding on both
// sides, argument checking, completion, help, printing, JSON, tracing and the
// manual page.
//
// To add an action: one row in the table of its area (files.go, lvm.go, …) and
// one function. An action with a procedure number is done by the daemon, as a
// method of daemon.Actions; one without is done by the handle, as a method of
// handle.Actions. The method's name is the action's in camel case (lvs_full →
// LvsFull), its parameters are the row's, its result the row's, and Bind checks
// all of that when the program starts.
//
// Names, numbers and types are libguestfs's; its own tables are the reference.
// It knows no transport and prints nothing.
package api
