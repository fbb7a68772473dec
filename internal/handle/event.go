package handle

// EventType is a kind of event. The numbers are bits, as in libguestfs.
type EventType uint64

const (
	EventClose          EventType = 1 << iota // the handle is being closed
	EventSubprocessQuit                       // qemu has ended
	EventLaunchDone                           // the appliance answers
	EventProgress                             // Progress is set
	EventAppliance                            // Message: output of qemu or the appliance's console
	EventLibrary                              // Message: what the handle itself has to say
	EventTrace                                // Message: a call and its result
	EventEnter                                // Message: an action's name, before it starts
	EventLibvirtAuth                          // never raised by this handle
	EventWarning                              // Message: something odd that is not a failure

	EventAll EventType = 1<<iota - 1
)

// Event is passed to callbacks.
type Event struct {
	Type     EventType
	Message  string
	Progress ProgressEvent // for EventProgress
}

// ProgressEvent says how far a call has come. Proc 0 is the launch itself.
type ProgressEvent struct {
	Proc, Serial    uint32
	Position, Total uint64
}

type callback struct {
	id   int
	mask EventType
	fn   func(Event)
}

// OnEvent calls fn for every event in mask until the returned number is given
// to RemoveEvent. fn runs in the goroutine that caused the event, and must not
// call actions of the handle that reach the daemon.
func (h *Handle) OnEvent(mask EventType, fn func(Event)) int {
	h.evMu.Lock()
	defer h.evMu.Unlock()
	h.lastEvent++
	h.callbacks = append(h.callbacks, callback{h.lastEvent - 1, mask, fn})
	return h.lastEvent - 1
}

// RemoveEvent ends a callback. An unknown number is ignored.
func (h *Handle) RemoveEvent(id int) {
	h.evMu.Lock()
	defer h.evMu.Unlock()
	for i, c := range h.callbacks {
		if c.id == id {
			h.callbacks = append(h.callbacks[:i:i], h.callbacks[i+1:]...)
			return
		}
	}
}

// emit runs the callbacks of an event and reports whether there was one.
func (h *Handle) emit(e Event) bool {
	h.evMu.Lock()
	cbs := h.callbacks
	h.evMu.Unlock()
	found := false
	for _, c := range cbs {
		if c.mask&e.Type != 0 {
			found = true
			c.fn(e)
		}
	}
	return found
}
