package session

import (
	"fmt"
	"io"
	"os"
	"strings"

	"gofish/internal/handle"
	"gofish/internal/visible"

	"golang.org/x/term"
)

// Shown are the events that Show prints.
const Shown = handle.EventTrace | handle.EventLibrary | handle.EventWarning | handle.EventAppliance

// Show prints a message of a handle. prefix begins all but the console's.
func Show(w io.Writer, prefix string, verbose bool, e handle.Event) {
	line := visible.Line(strings.TrimSuffix(e.Message, "\n"))
	switch e.Type {
	case handle.EventTrace:
		fmt.Fprintln(w, prefix, "trace:", line)
	case handle.EventLibrary:
		fmt.Fprintln(w, prefix, line)
	case handle.EventWarning:
		fmt.Fprintln(w, prefix, "warning:", line)
	case handle.EventAppliance:
		switch f, ok := w.(*os.File); {
		case !verbose:
		case ok && term.IsTerminal(int(f.Fd())):
			io.WriteString(f, visible.Lines(strings.ReplaceAll(e.Message, "\r\n", "\n")))
		default:
			io.WriteString(w, e.Message)
		}
	}
}
