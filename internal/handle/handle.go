// Package handle is a connection to an appliance: what a program holds while it
// works on disk images. It starts the appliance, speaks the protocol, does the
// actions that need no daemon, and reports events. It prints nothing.
//
// A handle goes from CONFIG (drives and settings) through LAUNCHING to READY,
// and back to CONFIG on shutdown or when the appliance dies. It may be used from
// several goroutines; calls take turns. Several handles live in one process.
//
// Environment: see Settings.
package handle

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"gofish/internal/api"
	"gofish/internal/appliance"
	"gofish/internal/calls"
	"gofish/internal/proto"
)

// State is where a handle is in its life. The numbers are get_state's.
type State int32

const (
	Config    State = 0
	Launching State = 1
	Ready     State = 2
)

// Handle is a connection to an appliance, or the settings of one to come.
type Handle struct {
	evMu      sync.Mutex
	callbacks []callback
	lastEvent int

	mounted *localMount // on the host, by mount_local; guarded by cancelMu

	callMu  sync.Mutex // held while a call runs: calls take turns
	state   atomic.Int32
	verbose atomic.Bool // as in Settings, for goroutines other than the caller's
	closed  bool

	Settings Settings
	drives   []*Drive
	features map[string]int // answers of the daemon, until shutdown

	link     *link
	attached atomic.Pointer[link] // the last one that goes to a daemon which ran already
	latest   atomic.Pointer[link] // the last one of any kind
	serial   uint32
	local    func() map[string]*api.Func

	cancelMu sync.Mutex
	cancel   func() // stops the call that the daemon works on, nil if there is none
}

// Actions has a method for every action that is done on the host.
type Actions struct{ *Handle }

// Call describes the call that a host action serves.
type Call struct {
	context.Context
	Action       *api.Action
	calls.Client // of other actions, as part of this one
}

// nested does actions as part of another one.
type nested struct{ *Handle }

func (n nested) Call(ctx context.Context, a *api.Action, args, opts []any) (any, error) {
	return n.invoke(ctx, a, args, opts)
}

var paramTypes = func() api.Types {
	str, list := reflect.TypeFor[string](), reflect.TypeFor[[]string]()
	t := api.Types{
		api.KOptString: reflect.TypeFor[*string](),
		api.KBuffer:    reflect.TypeFor[[]byte](),
		api.KBool:      reflect.TypeFor[bool](),
		api.KInt:       reflect.TypeFor[int](),
		api.KInt64:     reflect.TypeFor[int64](),
	}
	for _, k := range []api.Kind{api.KString, api.KDevice, api.KPathname, api.KMountable, api.KDevOrPath,
		api.KMountableOrPath, api.KFilename, api.KGUID, api.KKey, api.KFileIn, api.KFileOut} {
		t[k] = str
	}
	for _, k := range []api.Kind{api.KStringList, api.KDeviceList, api.KPathnameList, api.KFilenameList} {
		t[k] = list
	}
	return t
}()

// New makes a handle in the config state, with settings from the environment that lookup
// (os.LookupEnv, or nil for none) gives: GOFISH_* and LIBGUESTFS_*. A variable that cannot
// be understood is an error.
func New(lookup func(string) (string, bool)) (*Handle, error) {
	h := &Handle{serial: proto.FirstSerial, features: map[string]int{}}
	h.Settings = defaults()
	h.local = sync.OnceValue(func() map[string]*api.Func {
		return api.Bind(Actions{h}, reflect.TypeFor[*Call](), paramTypes, localActions())
	})
	if lookup == nil {
		return h, nil
	}
	return h, h.Settings.fromEnvironment(lookup)
}

func localActions() []*api.Action {
	var l []*api.Action
	for _, a := range api.All.Actions() {
		if a.Proc == 0 {
			l = append(l, a)
		}
	}
	return l
}

// Verbose reports whether the handle is to show what happens.
func (h *Handle) Verbose() bool { return h.verbose.Load() }

// State returns where the handle is in its life.
func (h *Handle) State() State { return State(h.state.Load()) }

// Call does an action. args and opts hold the values described in package api.
// The error is a *CallError (the handle is as usable as before) or a *LinkError.
// Cancelling ctx is the same as UserCancel.
func (h *Handle) Call(ctx context.Context, a *api.Action, args, opts []any) (any, error) {
	if a.Immediate {
		v, err := h.local()[a.Name].Call(&Call{Context: ctx, Action: a}, args, opts)
		return v, asCallError(a, err)
	}
	defer h.besideMount(a)()
	h.callMu.Lock()
	defer h.callMu.Unlock()
	if h.closed {
		return nil, &CallError{Action: a.Name, Text: "called on a closed handle", Cause: fs.ErrClosed}
	}
	began := h.serial
	h.shorter(false)
	v, err := h.invoke(ctx, a, args, opts)
	if err == errCancelledByUser { // it is shared
		err = &CallError{Errno: errCancelledByUser.Errno, Text: errCancelledByUser.Text, Cause: endOf(ctx)}
	}
	if ce, ok := err.(*CallError); ok && ce.Action != "" {
		// The error is of a nested action; the caller only knows this one.
		ce.Action = a.Name
	}
	if ce, ok := err.(*CallError); ok {
		if why := h.hostTrouble(false); why != "" {
			ce.Text += ": " + why
		}
	}
	if h.serial != began && h.link != nil { // the daemon had a part in it
		err = h.withShorter(err, false)
	}
	return v, err
}

// endOf is why a context has ended: its error, and the cause that was given, if any.
func endOf(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return errors.Join(ctx.Err(), cause)
	}
	return ctx.Err()
}

// invoke does an action while the turn is held. Actions that consist of others come back
// here.
func (h *Handle) invoke(ctx context.Context, a *api.Action, args, opts []any) (result any, err error) {
	h.emit(Event{Type: EventEnter, Message: a.Name})
	if err := checkArgs(a, args); err != nil {
		return nil, err
	}
	if h.Settings.Trace {
		h.emit(Event{Type: EventTrace, Message: traceCall(a, args, opts)})
		defer func() { h.emit(Event{Type: EventTrace, Message: traceResult(a, result, err)}) }()
	}
	if a.ConfigOnly && h.State() != Config {
		return nil, &CallError{Action: a.Name, Text: "this function can only be called in the config state"}
	}
	if a.Proc != 0 {
		return h.remote(ctx, a, args, opts)
	}
	f := h.local()[a.Name]
	result, err = f.Call(&Call{ctx, a, calls.Client{Caller: nested{h}}}, args, opts)
	return result, asCallError(a, err)
}

// silent makes calls that cause no events: they are part of how a transfer works.
type silent struct{ *Handle }

func (u silent) Call(ctx context.Context, a *api.Action, args, opts []any) (any, error) {
	return u.remote(ctx, a, args, opts)
}

func (h *Handle) quietly() calls.Client { return calls.Client{Caller: silent{h}} }

// asCallError gives an error of a host action its type. An error that already
// has one comes from a nested call.
func asCallError(a *api.Action, err error) error {
	if err == nil {
		return nil
	}
	var ce *CallError
	var le *LinkError
	if errors.As(err, &ce) || errors.As(err, &le) {
		return err
	}
	e := &CallError{Text: err.Error()}
	if errors.As(err, &e.Errno) {
		e.Text = proto.WithStrerror(e.Text, e.Errno)
	}
	return e
}

// UserCancel asks the call that is running, if any, to stop. It may be called at any
// time from any goroutine.
func (h *Handle) UserCancel() {
	h.cancelMu.Lock()
	defer h.cancelMu.Unlock()
	if m := h.mounted; m != nil && m.running.Load() {
		m.cancel() // not the request of some program that is being served
	} else if h.cancel != nil {
		h.cancel() // with the lock held, so that the call does not end now
	}
}

// Close ends the appliance, if one runs, after flushing what it has written,
// and frees the handle. The error says if the flush failed. It may be repeated.
func (h *Handle) Close() error {
	h.endLocalMount()
	h.callMu.Lock()
	defer h.callMu.Unlock()
	if h.closed {
		return nil
	}
	h.closed = true
	if h.Settings.Trace {
		h.emit(Event{Type: EventTrace, Message: "close"})
	}
	err := h.shutdown(context.Background())
	h.emit(Event{Type: EventClose})
	return err
}

// link is the daemon at the other end.
type link struct {
	vm      *appliance.VM // nil for the unix backend
	channel io.Closer     // of the unix backend
	conn    *proto.Conn
	foreign bool                          // the daemon is not ours, or has shown that it cannot do bulk transfers
	writeMu sync.Mutex                    // the cancel word may be written while a call reads
	console *console                      // of our own appliance
	stalled atomic.Pointer[time.Duration] // how long a call had stood still when it was given up
	ours    atomic.Bool                   // the daemon takes the cancel word in any call
	unheard atomic.Bool                   // a call was given up that its daemon did not end when it was cancelled
	killed  atomic.Bool                   // by Kill
	window  bool                          // a window is plugged in where bulk transfers go
	closing bool                          // it is being shut down
}

// Abort ends a connection to a daemon that is not ours at once: nobody else would. It may
// be called at any time from any goroutine. An appliance of our own is left to Close.
func (h *Handle) Abort() {
	if l := h.attached.Load(); l != nil {
		l.abort()
	}
}

// Kill ends the appliance or the connection at once, whatever it is doing: what the
// guest has not written yet is lost. The handle goes back to the config state and keeps
// its drives. It may be called at any time from any goroutine.
func (h *Handle) Kill() {
	if l := h.latest.Load(); l != nil {
		l.killed.Store(true)
		l.abort()
	}
}

// abort ends the connection, whatever it is used for. Reads and writes fail.
func (l *link) abort() {
	if l.vm == nil {
		l.channel.Close()
	} else {
		l.vm.Kill()
	}
}
