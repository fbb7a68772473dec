// Package firstly runs before the packages that open something when they are loaded
// and panic where they cannot: go-fuse makes pipes. It imports nothing but syscall, so
// that its turn comes before theirs (The Go Programming Language Specification,
// "Program initialization").
package firstly

import "syscall"

func init() {
	var pipes [2][2]int
	for i := range pipes {
		if err := syscall.Pipe2(pipes[i][:], syscall.O_CLOEXEC); err != nil {
			syscall.Write(2, []byte("gofish: cannot start: "+err.Error()+": end other programs, or raise the limit (ulimit -n)\n"))
			syscall.Exit(1)
		}
	}
	for _, p := range pipes {
		syscall.Close(p[0])
		syscall.Close(p[1])
	}
}
