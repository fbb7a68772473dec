package api

// commandTable: running commands of the guest.
var commandTable = []Action{
	{Name: "command", Proc: 50, Since: "1.9.1", Ret: RetString("output"),
		Rests:   true,
		Args:    Args{Strings("arguments")},
		Limited: true,
		Summary: "run a program of the guest",
		Help: `Runs the program and arguments {arguments} in the guest, as root, with /dev, /proc and /sys mounted,
and returns what it prints. A shell is not involved: see sh. The program must suit the
appliance's kernel and processor. If it ends with a status other than zero, its error output is the error
message. If the appliance has a network, the guest's /etc/resolv.conf is temporarily replaced so that the program can use the appliance's name server; the file cannot be written while the program runs. Never do this with a guest that you do not trust.`},
	{Name: "command_lines", Proc: 51, Since: "1.9.1", Ret: RetStrings("lines"),
		Rests:   true,
		Args:    Args{Strings("arguments")},
		Limited: true,
		Summary: "run a program of the guest and split its output",
		Help:    `Like command with {arguments}; the result is a list of lines.`},
	{Name: "command_out", Proc: 516, Since: "1.55.6", Ret: Err,
		Rests:    true,
		Args:     Args{Strings("arguments"), FileOut("output")},
		Progress: true, Cancel: true,
		Summary: "run a program of the guest and save its output",
		Help: `Like command with {arguments}, but what the program prints, of any length, goes to the local file
{output}.`},
	{Name: "internal_command", Proc: 0x10022, Ret: Err, Visibility: Internal,
		Args:    Args{Strings("arguments"), Strings("environment"), String("directory"), String("stdin"), FileOut("output")},
		Cancel:  true,
		Summary: "run a program of the guest, its outputs and its status apart",
		Help: `Runs {arguments} like command, in {directory} of the guest, with {environment} added to what it has. Its
standard input is the appliance's file {stdin}, which is removed, or nothing if that is empty. {output}
is pieces: a word that says what follows (1 standard output, 2 standard error, 3 the end), a word with
its length, and the data. The end has a word with the exit status, and one with the signal that ended
the program, or 0. Only gofish's own handle calls it.`},
	{Name: "sh", Proc: 111, Since: "1.0.50", Ret: RetString("output"),
		Rests:   true,
		Args:    Args{String("command")},
		Summary: "run a shell command in the guest",
		Help: `Runs {command} with the guest's /bin/sh and returns what it prints. Everything said about command
applies here.`},
	{Name: "sh_lines", Proc: 112, Since: "1.0.50", Ret: RetStrings("lines"),
		Rests:   true,
		Args:    Args{String("command")},
		Summary: "run a shell command in the guest and split its output",
		Help:    `Like sh with {command}; the result is a list of lines.`},
	{Name: "sh_out", Proc: 517, Since: "1.55.6", Ret: Err,
		Rests:   true,
		Args:    Args{String("command"), FileOut("output")},
		Summary: "run a shell command in the guest and save its output",
		Help:    `Like sh with {command}, but what it prints, of any length, goes to the local file {output}.`},
}
