// Prog says which standard streams were closed, by its status, after it has tried to write.
package main

import (
	"fmt"
	"os"

	"gofish/internal/stdstate"
)

func main() {
	status := 0
	for fd := range 3 {
		if stdstate.Closed(fd) {
			status |= 1 << fd
		}
	}
	if _, err := fmt.Println("text"); err != nil {
		status |= 8
	}
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil && err.Error() != "EOF" {
		status |= 16
	}
	os.Exit(status)
}
