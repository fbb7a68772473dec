// Package commands is the shell: it takes the command line apart, reads command
// lines from a prompt, a script or words, turns their words into values, has the
// handle do the action and prints the result. It does not know how an action is
// done or where; everything about actions comes from the catalogue.
//
// # The language
//
// One line is one command. The first character that is not blank decides:
//
//	# …         a comment
//	! …         the rest is run by /bin/sh on the host
//	<! …        the same, and each line it prints is run as a command line
//	- …         the rest may fail without ending a script
//	name …      a command and its arguments
//
// Arguments are separated by blanks and tabs. An argument is "text" with the
// escapes of C, 'text' with none, or a bare word, in which a leading ~ stands for
// a home directory and everything else for itself. A bare | ends the arguments:
// the rest is run by /bin/sh with the command's output as its input. A list is a
// single argument that is split again (see splitList). An argument name:value
// after the required ones is an optional argument. A file that is sent may be
// given as - (the rest of standard input) or -<<END (the lines that follow, up to
// END); one that is received as - (standard output).
//
// Words on the host's command line are taken as they are, and the word : separates
// commands.
//
// # Success
//
// The first command that fails ends a script or a list of words with status 1,
// unless it began with -. At a prompt nothing does. Errors of the handle begin with
// "libguestfs: error: ", in scripts after the name of the file and the number of
// the line, so that whatever reads guestfish's messages reads these.
//
// # Environment
//
//	EDITOR, PAGER, HEXEDITOR      programs of edit, more and hexedit
//	GUESTFISH_DISPLAY_IMAGE       program of display
//	GUESTFISH_PS1                 the prompt
//	GUESTFISH_INIT, _OUTPUT, _RESTORE
//	                              printed before the prompt's welcome, before each
//	                              command's output, and at the end
//	HOME                          ~ and the history, $HOME/.gofish
//	SHELL                         runs the scripts of event
//	POSIXLY_CORRECT               options end at the first word
//	GOFISH_X                      wins over GUESTFISH_X
package commands
