package commands

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gofish/internal/handle"

	"golang.org/x/sys/unix"
)

// terminal is a pseudo-terminal with the shell on its other end.
type terminal struct {
	t    *testing.T
	ptmx *os.File
	cmd  *exec.Cmd

	mu   sync.Mutex
	seen bytes.Buffer
}

func openTerminal(t *testing.T, home string, args ...string) *terminal {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	fd := int(ptmx.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 25, Col: 80})
	}
	if err != nil {
		t.Fatal(err)
	}
	pts, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer pts.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	c.Env = append(os.Environ(), asShell+"=gofish", "HOME="+home, "TERM=xterm", "GUESTFISH_PS1=\\[\\e[m\\]ask> ", "GUESTFISH_RESTORE=bye\\n")
	c.Stdin, c.Stdout, c.Stderr = pts, pts, pts
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, ptmx: ptmx, cmd: c}
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := ptmx.Read(b)
			term.mu.Lock()
			term.seen.Write(b[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() {
		c.Process.Kill()
		ptmx.Close()
	})
	return term
}

// expect waits until text has been printed, and forgets what came up to it.
func (p *terminal) expect(text string) {
	p.t.Helper()
	for range 500 {
		p.mu.Lock()
		seen := p.seen.String()
		i := strings.Index(seen, text)
		if i >= 0 {
			p.seen.Next(i + len(text))
		}
		p.mu.Unlock()
		if i >= 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.t.Fatalf("no %q in %q", text, p.seen.String())
}

func (p *terminal) send(text string) { io.WriteString(p.ptmx, text) }

func TestPrompt(t *testing.T) {
	home := t.TempDir()
	p := openTerminal(t, home)
	p.expect("Type: ‘help’")
	p.expect("ask> ")
	p.send("echo one  two\r")
	p.expect("\r\none two\r\n")
	p.send("nosuch\r") // does not end a prompt, nor say where it was typed
	p.expect("\r\ngofish: nosuch: unknown command\r\n")
	p.send("mount /dev/sda1 /\r")
	p.expect("\r\ngofish: mount: the appliance is not running")
	p.send("GET-MEMS\t\r") // completion of a name, in any case
	p.expect("\r\n1280\r\n")
	p.send("max-\x03") // an interrupt drops the line
	p.expect("^C")
	p.send("!echo between; sleep 100\r") // and ends a host command only
	p.expect("\r\nbetween\r\n")
	p.send("\x03")
	p.expect("ask> ")
	p.send("help nosuch\r")
	p.expect("use 'help --list' to list all commands")
	p.send("quit\r")
	p.expect("\r\nbye\r\n")
	if err := p.cmd.Wait(); err != nil {
		t.Error(err)
	}
	history := filepath.Join(home, ".gofish")
	fi, err := os.Stat(history)
	if err != nil || fi.Mode() != 0o600 {
		t.Fatalf("history: %v, %v", fi, err)
	}
	p = openTerminal(t, home)
	p.expect("ask> ")
	p.send("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\r") // six lines back
	p.expect("\r\ngofish: nosuch: unknown command\r\n")
	p.send("\x04")
	p.expect("bye")
	if err := p.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

func TestDecodeEscapes(t *testing.T) {
	for text, want := range map[string]string{
		`a\\b\n\e[1m`: "a\\b\n\x1b[1m", `\[x\]`: "x", `\101\7z`: "A\az", `\x41\x4g`: "A\x04g", `\xg\q\`: "?g?\\",
	} {
		expect(t, text, decodeEscapes(text), want)
	}
}

func TestProgressText(t *testing.T) {
	b := &progressBar{count: 1, utf8: true}
	text := func(pos, total uint64, columns int) string {
		return b.text(handle.ProgressEvent{Position: pos, Total: total}, time.Second, columns)
	}
	expect(t, "UTF-8", text(14, 100, 70), "◓ 14% ⟦▒▒▒▒▒▒▒════════════════════════════════════════════════⟧ --:--\n")
	b.utf8 = false
	expect(t, "C", text(75, 100, 60), "- 75% [#################################------------] --:--\n")
	expect(t, "done", text(5, 5, 60), " 100% [#############################################] 00:00\n")
	b.count = 2
	expect(t, "pulse", text(0, 1, 30), `\ --- [------####-----] --:--`+"\n")
	b = &progressBar{}
	for i, want := range []string{"--:--", "00:06", "00:04"} {
		expect(t, "time", b.timeLeft(float64(i+1)/5, time.Duration(i+1)*2*time.Second), want)
	}
}
