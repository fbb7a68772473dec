package e2e

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestPrompt uses the prompt as a person does, on a pseudo-terminal, with a guest
// behind it: completion, history, a progress bar, an interrupt, a key.
func TestPrompt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/local file", []byte("from the host\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir+"/unique-name", []byte("from the host\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := startTerminal(t, dir, []string{"TERM=xterm", "LC_ALL=C", "HOME=" + dir}, gofishBin,
		"-N", "fs:ext4:200M", "-N", "disk:8G", "-m", "/dev/sda1")
	p.expect("><fs> ")
	p.run("mkdir /directory")

	// Names, options, files of the host and of the guest, devices.
	p.send("upload uniq\t/dir\tremote\r")
	p.send("upload \"loc\t/dir\tsecond\r")
	p.send("get-mems\t\r")
	p.expect("\n1280\r\n")
	p.send("cat /dir\tsec\t\r")
	p.expect("\nfrom the host\r\n")
	p.send("time is-file /dir\trem\t\r")
	p.expect("\ntrue\r\n")
	p.send("vfs-type /dev/sd\ta1\r")
	p.expect("ext4\r\n")
	p.send("is-dir /dir\t follow\ttrue\r")
	p.expect("\ntrue\r\n")
	p.send("lcd /us\t\r")
	p.send("!pwd\r")
	p.expect("\n/usr\r\n")

	// What a guest holds does not control the terminal, nor do names that are completed.
	p.run(`write /evil "a\x1b]0;OWNED\x07\x1b[2Jb\xe2\x80\xae"`)
	p.send("cat /evil\r")
	p.expect(`a\x1b]0;OWNED\x07\x1b[2Jb\u202e`)
	p.send("download /evil -\r")
	p.expect(`a\x1b]0;OWNED\x07\x1b[2Jb\u202e`)
	p.send("cat \"/no\\x1b[2Jsuch\"\r")
	p.expect(`/no\x1b[2Jsuch: No such file`)
	p.send("cat /evil | od -c\r")
	p.expect("033")
	p.run(`touch "/directory/\x1b[2J"`)
	p.send("ls /directory/\t\r")
	p.expect(`\x1b[2J`)

	// The line before the last.
	p.send("is-dir /directory\r")
	p.expect("\ntrue\r\n")
	p.send("lcd /usr\r")
	p.send("\x1b[A\x1b[A\r")
	p.expect("\ntrue\r\n")

	// A bar, drawn over itself, until an interrupt; the session goes on.
	p.send("download /dev/sdb /dev/null\r")
	p.expect("% [")
	p.expect("\x1b[A")
	p.send("\x03")
	p.expect("operation cancelled by user")
	p.run("exists /directory")

	// A key is not shown.
	p.send("luks-format /dev/sdb 0\r")
	p.expect(`Enter key or passphrase ("key"): `)
	time.Sleep(100 * time.Millisecond)
	p.send("open sesame\r")
	p.run("vfs-type /dev/sdb")
	p.mu.Lock()
	all := p.all.String()
	p.mu.Unlock()
	if strings.Contains(all, "sesame") {
		t.Errorf("the key was shown:\n%s", all)
	}
	if strings.Contains(all, "\x1b]0;OWNED") || strings.Contains(all, "\x1b[2J") || strings.Contains(all, "\u202e") {
		t.Errorf("the guest reached the terminal:\n%q", all)
	}
	if !strings.Contains(all, "crypto_LUKS") {
		t.Errorf("the device was not encrypted:\n%s", all)
	}
	p.send("quit\r")
	p.wait(0)
	history, err := os.ReadFile(dir + "/.gofish")
	if err != nil || !strings.Contains(string(history), "luks-format /dev/sdb 0\n") || strings.Contains(string(history), "sesame") {
		t.Errorf("the history is %q, %v", history, err)
	}
}
