package commands

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sort"
	"strconv"
	"strings"

	"gofish/internal/handle"
	"gofish/internal/session"
)

// eventNames are the names of events, in the order of their bits.
var eventNames = []string{
	"close", "subprocess_quit", "launch_done", "progress", "appliance",
	"library", "trace", "enter", "libvirt_auth", "warning",
}

// eventHandler is a script that runs when an event happens.
type eventHandler struct {
	name   string
	mask   handle.EventType
	script string
	id     int
}

// watch shows messages of the handle, unless a script takes them, and progress.
func (s *Shell) watch(c Caller) {
	own := c.OnEvent(session.Shown|handle.EventProgress, func(e handle.Event) { s.onEvent(c, e) })
	s.firstEvent = own + 1
	if a, ok := c.(interface{ Abort() }); ok {
		context.AfterFunc(s.ctx, a.Abort)
	}
}

func (s *Shell) onEvent(c Caller, e handle.Event) {
	if e.Type == handle.EventProgress {
		s.bar.update(e.Progress)
		return
	}
	if handle.EventType(s.taken.Load())&e.Type != 0 {
		return
	}
	session.Show(s.prog.Stderr, s.prog.library(), c.Verbose(), e)
}

// eventSet reads a comma-separated list of event names. A name may be cut short:
// the first that begins so is meant.
func eventSet(text string) (handle.EventType, error) {
	if text == "*" {
		return handle.EventAll, nil
	}
	var mask handle.EventType
	for rest, more := text, text != ""; more; {
		all := rest
		var item string
		item, rest, more = strings.Cut(rest, ",")
		found := false
		for i, n := range eventNames {
			if strings.HasPrefix(n, item) {
				mask |= 1 << i
				found = true
				break
			}
		}
		if !found {
			return 0, fmt.Errorf("unknown event name: %s", all)
		}
	}
	return mask, nil
}

// eventSetText is the list of names of a set, sorted.
func eventSetText(mask handle.EventType) string {
	if mask == handle.EventAll {
		return "*"
	}
	var list []string
	for i, n := range eventNames {
		if mask&(1<<i) != 0 {
			list = append(list, n)
		}
	}
	sort.Strings(list)
	return strings.Join(list, ",")
}

// runEvent runs the script of a handler.
func (s *Shell) runEvent(script string, e handle.Event) {
	name := ""
	for i, n := range eventNames {
		if e.Type == 1<<i {
			name = n
		}
	}
	args := []string{"-c", script, ""}
	switch e.Type {
	case handle.EventAppliance, handle.EventLibrary, handle.EventTrace, handle.EventEnter,
		handle.EventLibvirtAuth, handle.EventWarning:
		args = append(args, e.Message)
	case handle.EventProgress:
		p := e.Progress
		for _, n := range []uint64{uint64(p.Proc), uint64(p.Serial), p.Position, p.Total} {
			args = append(args, strconv.FormatUint(n, 10))
		}
	}
	shell := "/bin/sh"
	if v, ok := os.LookupEnv("SHELL"); ok {
		shell = v
	}
	c := exec.Command(shell, args...)
	c.Env = append(os.Environ(), "EVENT="+name)
	s.streams.Lock()
	c.Stdin, c.Stdout, c.Stderr = s.stdin, s.stdout, s.prog.Stderr
	s.streams.Unlock()
	s.out.Flush()
	c.Run() // the status of a handler means nothing
}

func runEventCommand(s *Shell, cmd string, args []string) error {
	mask, err := eventSet(args[1])
	if err != nil {
		return err
	}
	h := &eventHandler{name: args[0], mask: mask, script: args[2]}
	h.id = s.caller.OnEvent(mask, func(e handle.Event) { s.runEvent(h.script, e) })
	s.setEvents(append(s.events, h))
	return nil
}

func runDeleteEvent(s *Shell, cmd string, args []string) error {
	var kept []*eventHandler
	for _, h := range s.events {
		if h.name == args[0] {
			s.caller.RemoveEvent(h.id)
		} else {
			kept = append(kept, h)
		}
	}
	if len(kept) == len(s.events) {
		return fmt.Errorf("delete-event: %s: no such event handler", args[0])
	}
	s.setEvents(kept)
	return nil
}

// setEvents replaces the list of handlers. Events they handle are not shown.
func (s *Shell) setEvents(list []*eventHandler) {
	var taken handle.EventType
	for _, h := range list {
		taken |= h.mask
	}
	s.events = list
	s.taken.Store(uint64(taken))
}

// runListEvents numbers handlers as guestfish does, from 0: the shell's own
// handler does not count.
func runListEvents(s *Shell, cmd string, args []string) error {
	for _, h := range s.events {
		fmt.Fprintf(s.out, "\"%s\" (%d): %s: %s\n", h.name, h.id-s.firstEvent, eventSetText(h.mask), h.script)
	}
	return nil
}
