package proto

// Kinds of the pieces in which internal_command streams what a program says.
const (
	PieceStdout = 1
	PieceStderr = 2
	PieceEnd    = 3
)
