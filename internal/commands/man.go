package commands

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"gofish/internal/manual"
	"gofish/internal/newfile"
)

// Manual is the program's manual page.
func (p *Program) Manual() manual.Document {
	return manual.Document{Name: p.Name, Version: p.Version, Fill: p.manual}
}

// ShowManual pages a manual: with man, or without it in $PAGER. Output that is no
// terminal gets plain text.
func ShowManual(d manual.Document, stdout *os.File, stderr io.Writer) error {
	if !isTerminal(stdout) {
		return d.Plain(stdout)
	}
	f, err := newfile.Anonymous(os.TempDir())
	if err != nil {
		return fmt.Errorf("make a temporary file in %s: %s", os.TempDir(), cause(err))
	}
	defer f.Close()
	viewer, write := []string{"man", "-l", "-"}, d.Roff
	if _, err := exec.LookPath("man"); err != nil {
		pager, err := chosen("more", "PAGER")
		if err != nil {
			return err
		}
		viewer, write = pager.words, d.Plain
	}
	err = write(f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	c := exec.Command(viewer[0], viewer[1:]...)
	c.Stdin, c.Stdout, c.Stderr = f, stdout, stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %s", viewer[0], status(err))
	}
	return nil
}

// manual writes the manual from the tables of options, commands and actions.
func (p *Program) manual(m manual.Page) {
	n := p.Name
	m.Section("NAME")
	m.Text(n + " - work inside disk images")
	m.Section("SYNOPSIS")
	m.Text(strings.ReplaceAll(` PROG [options] [command [: command ...]]
 PROG [options] -f file
 PROG [options] < script
 PROG disk.img ... [: command ...]
 PROG SUBCOMMAND ...`, "PROG", n))
	m.Section("DESCRIPTION")
	m.Text(strings.ReplaceAll(`PROG opens a disk image of any format and works on what is inside: partitions, volumes, file systems, files. It does not need root, and the image is not mounted on the host but in a small virtual machine, the appliance. The commands and the language are those of guestfish, so scripts for it run unchanged.

Commands come from words on the command line, from a script, or from a prompt. A session names the disks, starts the appliance with "run", lists the file systems with "list-filesystems", and mounts them. Given only an image, PROG opens it read-only and mounts the operating system in it, or its only file system:

 PROG disk.img
 PROG --ro -a disk.img -i cat /etc/fstab
 PROG --ro -a disk.img run : mount /dev/sda1 / : ls /

 PROG -a disk.img -m /dev/sda1 <<END
 write /etc/motd "hello\n"
 upload -<<EOF /etc/issue
 Welcome.
 EOF
 END`, "PROG", n))
	m.Section("OPTIONS")
	for _, o := range optionTable(&Shell{prog: p}) {
		if o.Help != "" {
			m.Item(o.Label(", "), o.Help+".")
		}
	}
	m.Text("Options and words may be mixed; -- ends the options. Disks are named /dev/sda, /dev/sdb and so on, in the order of -a and -N.")
	m.Section("SUBCOMMANDS")
	for _, c := range p.Subcommands {
		m.Item(n+" "+c.Use, c.Short+".")
		for _, sub := range c.Commands() {
			m.Item(n+" "+c.Name()+" "+sub.Use, sub.Short+".")
		}
	}
	m.Text("With --help, each explains itself and its options.")
	m.Section("LANGUAGE")
	m.Text(strings.ReplaceAll(manualLanguage, "PROG", n))
	m.Section("PREPARED DISKS")
	m.Text("-N makes a disk image, overwriting test1.img, test2.img and so on in the working folder, or the file named before =. Parameters are separated by colons. The beginning of a type's name is enough.")
	for _, t := range preparedTypes() {
		label := t.name
		for _, q := range t.params {
			label += "[:" + q.name + "=" + q.value + "]"
		}
		m.Item(label, strings.ReplaceAll(t.long, "\n", " "))
	}
	m.Section("COMMANDS")
	for i := range builtins {
		if b := &builtins[i]; b.hidden {
			writeTopic(m, about(n, entry{builtin: b}))
		}
	}
	for _, c := range names() {
		if c.of == "" {
			writeTopic(m, about(n, c.entry))
		}
	}
	m.Section("EXIT STATUS")
	m.Text("0 if every command succeeded or was prefixed with -; 1 if one failed or the disks could not be flushed at the end; 128 plus the signal's number if a signal ended a script.")
	m.Section("ENVIRONMENT")
	for _, v := range [][2]string{
		{"EDITOR, PAGER, HEXEDITOR", `Programs of "edit", "more" and "hexedit".`},
		{"GUESTFISH_DISPLAY_IMAGE", `Program of "display".`},
		{"GUESTFISH_PS1", `The prompt. \\e, \\a, \\n, \\r, \\NNN (octal) and \\xHH are understood, and \\[ \\] around text that takes no space.`},
		{"GUESTFISH_INIT, GUESTFISH_OUTPUT, GUESTFISH_RESTORE", "Printed when the prompt starts, before the output of each command, and at the end; for colours."},
		{"HOME", "The folder that ~ means, and where the history is kept."},
		{"SHELL", `Runs the scripts of "event".`},
		{"LIBGUESTFS_*", "Settings of the handle, as in libguestfs: BACKEND, DEBUG, TRACE, MEMSIZE, PATH, TMPDIR and others."},
		{"GOFISH_*", "Takes precedence over the variable of the same name that begins with GUESTFISH or LIBGUESTFS."},
	} {
		m.Item(v[0], strings.ReplaceAll(v[1], `\\`, `\`))
	}
	m.Section("FILES")
	m.Item("~/."+n, "History of the prompt.")
	m.Section("SEE ALSO")
	m.Text("guestfish(1), guestfs(3), qemu-img(1)")
}

const manualLanguage = `One line is one command: a name and its arguments, separated by blanks. Lines that begin with # are comments. A command that fails ends a script, unless the line begins with -.

"text" may contain the escapes of C: \n, \t, \\, \", \x41, \101 and so on; 'text' has none; any other word is taken literally, except that ~ and ~user at its front are home folders of the host. A list is one argument: "a b 'c d'" is a list of three.

Numbers are decimal, hexadecimal (0x1f) or octal (0755). A bare number counts what the parameter counts: bytes, mebibytes, sectors; the help of each command says which. With a suffix it is an amount of data, which is turned into that: "lvcreate LV VG 100M" and "lvcreate LV VG 100" both make a volume of 100 mebibytes, and 1.5G is 1536 of them. K M G T P E stand for powers of 1024, with or without iB (1K, 1KiB); with B or D they stand for powers of 1000 (1KB). An amount that is not a whole number of the unit is rounded up; sectors must come out even. A suffix on a number that is not an amount of data, such as a partition number, is an error. Booleans are true, yes, on, t, y, 1 and their opposites.

Where a command takes a device or a path, a word that begins with /dev/ is a device if the appliance has one of that name (any /dev/sd name always is), and a path of the guest otherwise. "dev:/dev/x" and "file:/dev/x" say which one you mean.

No mount option is added to those given, not even sync. With --ro, writes go to an overlay that is thrown away: the image does not change, even if a journal is replayed.

With --json each command prints its result as JSON, one value a line: null where there is none, structs and tables as objects, bytes (and text that is not UTF-8) as {"base64":...}. Errors are objects on standard error, with the action, the error number's name, file and line where they are known. "PROG schema" prints a JSON Schema of all results.

With --strict it is an error when a program after a pipe fails, when a line for the host uses an unset variable, and whenever there would otherwise be a warning.

In a script each error begins with the script's name and the line's number.

Optional arguments, shown as [name:..], follow the others in any order: mkfs ext4 /dev/sda1 label:data.

A host file to send may be - for standard input, or -<<END for the lines that follow, up to a line with only END. A host file to receive may be - for standard output.

 !cmd           run cmd on the host
 <!cmd          run cmd on the host, and each line it prints as a command
 name ... | cmd send the output of a command to cmd on the host

A path that begins with win: is written as on Windows: win:c:\windows\notepad.exe.

On the command line, words are taken as they are (no quotes, no pipes), and the word : separates commands.`

// writeTopic writes what there is to say about a command.
func writeTopic(m manual.Page, t topic) {
	m.Command(t.name, t.summary, t.synopsis, commandText(t))
}

// commandText is what a command does, and its other names.
func commandText(t topic) string {
	text := unmark(t.help)
	if len(t.aliases) > 0 {
		text += "\n\nOther names: " + strings.Join(t.aliases, ", ") + "."
	}
	return text
}
