package appliance

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
)

// monitor is qemu's control connection (docs/interop/qmp-spec.txt). It is used
// by one goroutine; events are dropped, but for those that an await function looks for.
type monitor struct {
	conn    *net.UnixConn
	r       *bufio.Reader
	deleted map[string]bool // devices that are gone, from events
}

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
	return &monitor{conn.(*net.UnixConn), bufio.NewReader(conn), map[string]bool{}}
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
			m.noteDeleted(msg)
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
