package api

// augeasTable: the guest's configuration files as a tree, by Augeas. A handle has one
// tree, from aug_init to aug_close.
var augeasTable = []Action{
	{Name: "aug_init", Proc: 16, Since: "0.0.7", Library: "Augeas", Ret: Err,
		Args:    Args{Path("root"), Int("flags")},
		Summary: "read the guest's configuration into a tree",
		Help: `Starts Augeas on the files below {root}, usually /, and reads all files that it has lenses for, which takes a few
seconds. Mount the guest first. An earlier tree is discarded.

{flags} is a sum of: 1, keep the original of a changed file as FILE.augsave; 2, write to FILE.augnew and leave FILE
alone; 4, check the types of lenses, which takes minutes; 8, do not look for lenses in the usual places; 16, save
nothing; 32, read no files before aug_load. Fails if the lenses cannot be read; a file that cannot be parsed is not an
error; it is reported in the tree, below /augeas.

Links in the guest are followed inside the guest.`},
	{Name: "aug_defvar", Proc: 17, Since: "0.0.7", Library: "Augeas", Ret: RetInt("nrnodes"),
		Args:    Args{String("name"), OptString("expr")},
		Summary: "define a variable of Augeas",
		Help: `Defines the variable {name}, written with a $ before it in later expressions, as the value that {expr} has now. Returns the number
of nodes in it, or 0 if the value is not a set of nodes. Without {expr} the variable is removed. Fails if the expression or the name is not valid.`},
	{Name: "aug_defnode", Proc: 18, Since: "0.0.7", Library: "Augeas", Ret: RetStruct("nrnodescreated", "int_bool"),
		Args:    Args{String("name"), String("expr"), String("val")},
		Summary: "define a variable for a node, which is created if necessary",
		Help: `Defines the variable {name} as aug_defvar does, but if {expr} matches nothing, it is taken as a path and the node is made, with the value
{val}. Returns the number of nodes, and whether one was made. Fails if {expr} is not a path that could be created.`},
	{Name: "aug_get", Proc: 19, Since: "0.0.7", Library: "Augeas", Ret: RetString("val"),
		Args:    Args{String("augpath")},
		Summary: "read a value of the configuration",
		Help: `Returns the value of the one node that {augpath} matches. Fails if it matches none or several, or a node
without a value.`},
	{Name: "aug_set", Proc: 20, Since: "0.0.7", Library: "Augeas", Ret: Err,
		Args:    Args{String("augpath"), String("val")},
		Summary: "set a value of the configuration",
		Help: `Gives the node {augpath} the value {val}; the node is created if it does not exist. aug_save then changes the file.
Fails if the path matches several nodes. Use aug_clear to remove a value.`},
	{Name: "aug_insert", Proc: 21, Since: "0.0.7", Library: "Augeas", Ret: Err,
		Args:    Args{String("augpath"), String("label"), Bool("before")},
		Summary: "insert a node beside another",
		Help: `Makes a node called {label} directly before the node {augpath} if {before} is true, otherwise directly after it. Fails if the path does not match
exactly one node, or the label has a slash.`},
	{Name: "aug_rm", Proc: 22, Since: "0.0.7", Library: "Augeas", Ret: RetInt("nrnodes"),
		Args:    Args{String("augpath")},
		Summary: "remove nodes of the configuration",
		Help: `Removes what {augpath} matches with all that is below, and returns the number of nodes removed, which may be
0. Fails if the expression is not valid.`},
	{Name: "aug_mv", Proc: 23, Since: "0.0.7", Library: "Augeas", Ret: Err,
		Args:    Args{String("src"), String("dest")},
		Summary: "move a node of the configuration",
		Help: `Moves the node {src} to {dest}; a node that is already there is overwritten, with all below it, and missing parent nodes
are created. Fails if {src} matches no node, if either matches several, or if {dest} is below {src}.`},
	{Name: "aug_match", Proc: 24, Since: "0.0.7", Library: "Augeas", Ret: RetStrings("matches"),
		Args:    Args{String("augpath")},
		Summary: "list the nodes that an expression matches",
		Help: `Returns the paths of the nodes that {augpath} matches; each path matches only that node. Fails if the
expression is not valid.`},
	{Name: "aug_save", Proc: 25, Since: "0.0.7", Library: "Augeas", Ret: Err,
		Summary: "write the changed configuration files",
		Help: `Writes the files whose part of the tree has changed, as the flags of aug_init say. Fails if a file cannot be
written or the tree no longer makes sense for it; the error names the files, and more is below /augeas//error.`},
	{Name: "aug_close", Proc: 26, Since: "0.0.7", Library: "Augeas", Ret: Err,
		Summary: "close the tree of the configuration",
		Help:    `Closes Augeas. Changes that have not been saved are lost. Fails if aug_init has not been called.`},
	{Name: "aug_load", Proc: 27, Since: "0.0.7", Library: "Augeas", Ret: Err,
		Summary: "read the configuration files again",
		Help: `Reads the files into the tree, as the settings below /augeas/load say. Changes that were not saved are lost.
A file that cannot be parsed is not an error; it is reported below /augeas//error.`},
	{Name: "aug_ls", Proc: 28, Since: "0.0.8", Library: "Augeas", Ret: RetStrings("matches"),
		Args:    Args{String("augpath")},
		Summary: "list the nodes below a node",
		Help: `Returns the paths of the nodes directly below {augpath}, sorted. Fails if the path ends in /, ] or *, since
/* is appended to it: use aug_match for these.`},
	{Name: "aug_clear", Proc: 239, Since: "1.3.4", Library: "Augeas", Ret: Err,
		Args:    Args{String("augpath")},
		Summary: "remove the value of a node",
		Help: `Removes the value of the node {augpath}; the node is created if it does not exist. Fails if the path matches
several.`},
	{Name: "aug_setm", Proc: 411, Since: "1.23.14", Library: "Augeas", Ret: RetInt("nodes"),
		Args:    Args{String("base"), OptString("sub"), String("val")},
		Summary: "set many values of the configuration",
		Help: `Gives the value {val} to each node that {base} matches or, if {sub} is given, to the node {sub} below each of
them, which is created where it is missing. Returns the number of nodes. Fails if an expression is not valid, or {sub} matches several
nodes below one.`},
	{Name: "aug_label", Proc: 412, Since: "1.23.14", Library: "Augeas", Ret: RetString("label"),
		Args:    Args{String("augpath")},
		Summary: "read the label of a node",
		Help: `Returns the label of the one node that {augpath} matches, which is the last part of its path without a number
in brackets. Fails if it matches none or several.`},
	{Name: "aug_transform", Proc: 469, Since: "1.35.2", Library: "Augeas", Ret: Err,
		Args:    Args{String("lens"), String("file")},
		Opts:    Args{Bool("remove")},
		Summary: "say which lens reads a file",
		Help: `Adds the file {file} (a pattern; a path from the root) to those that the lens {lens} reads at the next
aug_load; with {remove} the lens ignores it instead. The lens is MODULE.lns, or a name below
/augeas/load. Whether there is such a lens is checked by aug_load.`},
}
