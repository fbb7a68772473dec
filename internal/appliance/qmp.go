package appliance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// monitor is qemu's control connection (docs/interop/qmp-spec.txt). It is used
// by one goroutine. An event may come before the answer to the command that caused it,
// so those that somebody waits for are kept; the others are dropped.
type monitor struct {
	conn    *net.UnixConn
	r       *bufio.Reader
	greeted atomic.Bool     // it has shown that it is a qemu
	deleted map[string]bool // devices that are gone, from events
	trouble []IOError       // from events, until they are asked for
	moved   string          // how the only migration ended, from events; empty: it has not
}

// IOError is a request of the guest that qemu could not do on the host.
type IOError struct {
	Target  int // of the drive
	Write   bool
	NoSpace bool
	Reason  string
}

// maxTrouble is how many errors are kept: the first ones matter.
const maxTrouble = 100

// noteEvent keeps what somebody may ask for later.
func (m *monitor) noteEvent(msg qmpMessage) {
	m.noteDeleted(msg)
	m.noteMigration(msg)
	if msg.Event != "BLOCK_IO_ERROR" || len(m.trouble) >= maxTrouble {
		return
	}
	var data struct {
		Device, Operation, Reason string
		NoSpace                   bool
	}
	if json.Unmarshal(msg.Data, &data) != nil {
		return
	}
	if target, ok := driveTarget(data.Device); ok {
		// qemu omits nospace where it does not wait for room.
		full := data.NoSpace || strings.EqualFold(data.Reason, "No space left on device")
		m.trouble = append(m.trouble, IOError{target, data.Operation == "write", full, data.Reason})
	}
}

// IOErrors returns the errors that there were since it was asked last.
func (vm *VM) IOErrors() []IOError {
	vm.control.SetDeadline(time.Now().Add(quickAnswer))
	defer vm.control.SetDeadline(time.Time{})
	vm.mon.do("query-name", nil, nil) // events that have arrived come before its answer
	l := vm.mon.trouble
	vm.mon.trouble = nil
	return l
}

// quickAnswer is how long qemu may take for a command that does nothing.
const quickAnswer = 5 * time.Second

type qmpMessage struct {
	Return json.RawMessage `json:"return"`
	Error  *struct {
		Class string `json:"class"`
		Desc  string `json:"desc"`
	} `json:"error"`
	Event    string          `json:"event"`
	Data     json.RawMessage `json:"data"`
	Greeting json.RawMessage `json:"QMP"`
}

// qmpError is an answer of qemu's that something did not work.
type qmpError struct{ text string }

func (e *qmpError) Error() string { return e.text }

func newMonitor(conn net.Conn) *monitor {
	return &monitor{conn: conn.(*net.UnixConn), r: bufio.NewReader(conn), deleted: map[string]bool{}}
}

func (m *monitor) next() (qmpMessage, error) {
	var msg qmpMessage
	line, err := m.r.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &msg)
	}
	return msg, err
}

// negotiate reads the greeting and leaves negotiation mode.
func (m *monitor) negotiate() error {
	if _, err := m.next(); err != nil {
		return err
	}
	m.greeted.Store(true)
	return m.do("qmp_capabilities", nil, nil)
}

// do runs a command; its result is decoded into result unless that is nil.
func (m *monitor) do(command string, args, result any) error {
	return m.doRights(command, args, result, nil)
}

// sendFile hands an open file to qemu, which knows it by the name from then on.
func (m *monitor) sendFile(name string, f *os.File) error {
	return m.doRights("getfd", map[string]string{"fdname": name}, nil, syscall.UnixRights(int(f.Fd())))
}

func (m *monitor) doRights(command string, args, result any, rights []byte) error {
	b, err := json.Marshal(map[string]any{"execute": command, "arguments": orEmptyObject(args)})
	if err != nil {
		return err
	}
	if _, _, err := m.conn.WriteMsgUnix(append(b, '\n'), rights, nil); err != nil {
		return err
	}
	for {
		msg, err := m.next()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", command, err)
		case msg.Error != nil:
			return fmt.Errorf("%s: %w", command, &qmpError{msg.Error.Desc})
		case msg.Event != "":
			m.noteEvent(msg)
			continue
		}
		if result == nil {
			return nil
		}
		return json.Unmarshal(msg.Return, result)
	}
}

func orEmptyObject(v any) any {
	if v == nil {
		return struct{}{}
	}
	return v
}

// human runs a command of the human monitor, for what QMP has no command for.
// Such commands answer with nothing, or with a complaint.
func (m *monitor) human(command string) error {
	var out string
	if err := m.do("human-monitor-command", map[string]string{"command-line": command}, &out); err != nil {
		return err
	}
	if out = strings.TrimSpace(out); out != "" && out != "OK" {
		return &qmpError{strings.ReplaceAll(out, "\r\n", ": ")}
	}
	return nil
}

// quoteHuman writes an argument for the human monitor.
func quoteHuman(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
