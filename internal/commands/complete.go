package commands

import (
	"os"
	"path/filepath"
	"strings"

	"gofish/internal/api"
)

// wordKind is what a word of a command line means.
type wordKind int

const (
	guestWord  wordKind = iota // a device or path of the guest, or unknown
	hostWord                   // a file of the host
	nameWord                   // the name of a command
	optionWord                 // name:value
)

// hostParams are parameters which are plain strings to the protocol, and name
// files of the host.
var hostParams = map[string]bool{"filename": true, "localfile": true, "localdir": true, "backingfile": true}

// kindOf finds out what the word after words is for. For an optional argument
// it returns the action too.
func kindOf(words []string) (wordKind, *api.Action) {
	e := lookup(words[0])
	n := len(words) - 1 // arguments before this one
	switch {
	case e == nil:
		return guestWord, nil
	case e.action != nil:
		a := e.action
		for _, p := range a.Args {
			if p.Kind == api.KKey {
				continue
			}
			if n == 0 {
				if p.Kind.IsFile() || p.Kind == api.KString && hostParams[p.Name] && a.Proc == 0 {
					return hostWord, nil
				}
				return guestWord, nil
			}
			n--
		}
		return optionWord, a
	}
	switch e.builtin.name {
	case "alloc", "sparse", "lcd":
		return hostWord, nil
	case "copy_in":
		return hostWord, nil
	case "copy_out":
		if n > 0 {
			return hostWord, nil
		}
	case "help":
		return nameWord, nil
	case "time", "glob":
		if n == 0 {
			return nameWord, nil
		}
		return kindOf(words[1:])
	}
	return guestWord, nil
}

// completeOption lists the optional arguments of an action that begin like word.
func completeOption(a *api.Action, words []string, word string) []string {
	var found []string
next:
	for _, p := range a.Opts {
		if !strings.HasPrefix(p.Name+":", word) {
			continue
		}
		for _, w := range words {
			if strings.HasPrefix(w, p.Name+":") {
				continue next
			}
		}
		found = append(found, p.Name+":")
	}
	return found
}

// completeHost lists files of the host that begin like word. In an open quote the
// quote is closed after them; outside of one a name that needs it is left out.
func completeHost(word string, open bool) []string {
	dir, base := filepath.Split(word)
	from := dir
	if home, ok := strings.CutPrefix(dir, "~/"); ok && !open {
		from = filepath.Join(os.Getenv("HOME"), home)
	}
	if from == "" {
		from = "."
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		return nil
	}
	var found []string
	for _, e := range entries {
		name := e.Name()
		if !strings.HasPrefix(name, base) || base == "" && name[0] == '.' || !open && strings.ContainsAny(name, " \t\"'\\") {
			continue
		}
		end := " "
		if fi, err := os.Stat(filepath.Join(from, name)); err == nil && fi.IsDir() {
			end = "/"
		} else if open {
			end = `" `
		}
		found = append(found, dir+name+end)
	}
	return found
}
