package appliance

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
)

// talkTo makes a monitor whose qemu says the lines, whatever it is asked.
func talkTo(t *testing.T, lines ...string) *monitor {
	t.Helper()
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i, fd := range pair {
		f := os.NewFile(uintptr(fd), "socket")
		if ends[i], err = net.FileConn(f); err != nil {
			t.Fatal(err)
		}
		f.Close()
		t.Cleanup(func() { ends[i].Close() })
	}
	for _, l := range lines {
		fmt.Fprintln(ends[1], l)
	}
	return newMonitor(ends[0])
}

// An event may come before the answer to the command that caused it: on a busy machine
// a saved machine was back before qemu had said so, and a launch waited for ever.
func TestEventBeforeAnswer(t *testing.T) {
	for status, want := range map[string]error{"completed": nil, "failed": errRefused} {
		m := talkTo(t, `{"event": "MIGRATION", "data": {"status": "active"}}`,
			`{"event": "MIGRATION", "data": {"status": "`+status+`"}}`, `{"return": {}}`)
		if err := m.do("migrate-incoming", nil, nil); err != nil {
			t.Fatal(err)
		}
		if err := m.awaitMigration(); !errors.Is(err, want) {
			t.Errorf("%s: %v", status, err)
		}
	}
	m := talkTo(t, `{"event": "DEVICE_DELETED", "data": {"device": "devhd1"}}`, `{"return": {}}`)
	if err := m.do("device_del", nil, nil); err != nil {
		t.Fatal(err)
	}
	if err := m.awaitDeleted("devhd1"); err != nil {
		t.Error(err)
	}
	m = talkTo(t, `{"event": "BLOCK_IO_ERROR", "data": {"device": "hd3", "operation": "write", "action": "report", "reason": "No space left on device"}}`,
		`{"error": {"class": "GenericError", "desc": "no"}}`)
	var said *qmpError
	if err := m.do("x", nil, nil); !errors.As(err, &said) || len(m.trouble) != 1 || m.trouble[0] != (IOError{3, true, true, "No space left on device"}) {
		t.Errorf("%v, %+v", err, m.trouble)
	}
}
