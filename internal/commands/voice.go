package commands

import (
	"errors"
	"strings"

	"gofish/guestfs/types"
	"gofish/internal/handle"
	"gofish/internal/session"
)

// guestfish is the name under which the program words its messages as guestfish does, for
// scripts that read them.
const guestfish = "guestfish"

func (p *Program) isGuestfish() bool { return p.Name == guestfish }

// library is the prefix of messages of the handle.
func (p *Program) library() string {
	if p.isGuestfish() {
		return "libguestfs:"
	}
	return p.Name + ":"
}

// message is an error as it is shown: the program's name, the place in the script ("" for
// none), and what failed.
func (p *Program) message(place string, err error) string {
	_, ofHandle := err.(libError)
	text := p.errorText(err)
	switch {
	case !p.isGuestfish():
		return p.Name + ": " + place + text
	case ofHandle:
		return place + p.library() + " error: " + text
	}
	return place + err.Error()
}

// errorText is the text of an error, without the program's name. Actions and advice are in
// the terms of the shell; guestfish uses those of the API.
func (p *Program) errorText(err error) string {
	if lib, ok := err.(libError); ok && !p.isGuestfish() {
		dashed := func(action string) string { return strings.ReplaceAll(action, "_", "-") }
		switch e := lib.err.(type) {
		case session.LeftOutError:
			return session.LeftOutError{Cause: errors.New(p.errorText(libError{e.Cause}))}.Error()
		case *handle.CallError:
			named := *e
			named.Action = dashed(e.Action)
			switch e.Cause {
			case types.ErrNotLaunched:
				named.Text = "the appliance is not running: start it with ‘run’"
			case types.ErrNoDrives:
				named.Text = "there is no disk: add one with ‘-a’ or ‘add’"
			}
			err = &named
		case *handle.LinkError:
			named := *e
			named.Action = dashed(e.Action)
			err = &named
		}
	}
	return strings.TrimPrefix(err.Error(), p.Name+": ")
}
