package commands

import (
	"bufio"
	"fmt"
	"gofish/internal/newfile"
	"io"
	"os"
	"os/exec"
	"strings"
)

// WriteManual writes the manual page as roff source.
func (p *Program) WriteManual(w io.Writer) error {
	b := bufio.NewWriter(w)
	m := roff{b}
	fmt.Fprintf(b, ".TH %s 1 \"\" \"%s %s\" \"User commands\"\n.nh\n.ad l\n", strings.ToUpper(p.Name), p.Name, p.Version)
	p.manual(m)
	return b.Flush()
}

// writePlain writes the manual as plain text.
func (p *Program) writePlain(w io.Writer) error {
	b := bufio.NewWriter(w)
	p.manual(plain{b})
	return b.Flush()
}

// ShowManual pages the manual: with man, or without it in $PAGER.
func (p *Program) ShowManual() error {
	if !isTerminal(p.Stdout) {
		return p.writePlain(p.Stdout)
	}
	f, err := newfile.Anonymous(os.TempDir())
	if err != nil {
		return fmt.Errorf("make a temporary file in %s: %s", os.TempDir(), cause(err))
	}
	defer f.Close()
	viewer, write := []string{"man", "-l", "-"}, p.WriteManual
	if _, err := exec.LookPath("man"); err != nil {
		pager, err := chosen("more", "PAGER")
		if err != nil {
			return err
		}
		viewer, write = pager.words, p.writePlain
	}
	err = write(f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return err
	}
	c := exec.Command(viewer[0], viewer[1:]...)
	c.Stdin, c.Stdout, c.Stderr = f, p.Stdout, p.Stderr
	if err := c.Run(); err != nil {
		return fmt.Errorf("%s: %s", viewer[0], status(err))
	}
	return nil
}

// page is what the manual is written to.
type page interface {
	section(title string)
	item(term, text string) // text explains term
	command(t topic)
	text(text string) // paragraphs, literal ones begin with a blank
}

// manual writes the manual from the tables of options, commands and actions.
func (p *Program) manual(m page) {
	n := p.Name
	m.section("NAME")
	m.text(n + " - work inside disk images")
	m.section("SYNOPSIS")
	m.text(strings.ReplaceAll(` PROG [options] [command [: command ...]]
 PROG [options] -f file
 PROG [options] < script
 PROG disk.img ... [: command ...]
 PROG SUBCOMMAND ...`, "PROG", n))
	m.section("DESCRIPTION")
	m.text(strings.ReplaceAll(`PROG opens a disk image of any format and works on what is inside: partitions, volumes, file systems, files. It does not need root, and the image is not mounted on the host but in a small virtual machine, the appliance. The commands and the language are those of guestfish, so scripts for it run unchanged.

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
	m.section("OPTIONS")
	for _, o := range optionTable() {
		if o.help != "" {
			m.item(optionLabel(&o, ", "), o.help+".")
		}
	}
	m.text("Options and words may be mixed; -- ends the options. Disks are named /dev/sda, /dev/sdb and so on, in the order of -a and -N.")
	m.section("SUBCOMMANDS")
	for _, c := range p.Subcommands {
		m.item(n+" "+c.Use, c.Short+".")
		for _, sub := range c.Commands() {
			m.item(n+" "+c.Name()+" "+sub.Use, sub.Short+".")
		}
	}
	m.text("With --help, each explains itself and its options.")
	m.section("LANGUAGE")
	m.text(strings.ReplaceAll(manualLanguage, "PROG", n))
	m.section("PREPARED DISKS")
	m.text("-N makes a disk image, overwriting test1.img, test2.img and so on in the working folder, or the file named before =. Parameters are separated by colons. The beginning of a type's name is enough.")
	for _, t := range preparedTypes() {
		label := t.name
		for _, q := range t.params {
			label += "[:" + q.name + "=" + q.value + "]"
		}
		m.item(label, strings.ReplaceAll(t.long, "\n", " "))
	}
	m.section("COMMANDS")
	for i := range builtins {
		if b := &builtins[i]; b.hidden {
			m.command(about(n, entry{builtin: b}))
		}
	}
	for _, c := range names() {
		if c.of == "" {
			m.command(about(n, c.entry))
		}
	}
	m.section("EXIT STATUS")
	m.text("0 if every command succeeded or was prefixed with -; 1 if one failed or the disks could not be flushed at the end; 128 plus the signal's number if a signal ended a script.")
	m.section("ENVIRONMENT")
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
		m.item(v[0], strings.ReplaceAll(v[1], `\\`, `\`))
	}
	m.section("FILES")
	m.item("~/."+n, "History of the prompt.")
	m.section("SEE ALSO")
	m.text("guestfish(1), guestfs(3), qemu-img(1)")
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

// roff writes manual page source.
type roff struct{ w *bufio.Writer }

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "‘", `\(oq`, "’", `\(cq`)

// escape makes text safe for roff; a line must not begin with a dot either.
func (m roff) escape(s string) string {
	s = roffEscapes.Replace(s)
	var b strings.Builder
	for _, c := range s {
		if c < 0x80 {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, `\[u%04X]`, c)
		}
	}
	// Long optional parts may go to the next line.
	s = strings.ReplaceAll(b.String(), "[:", `\:[:`)
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s
}

func (m roff) section(title string) { fmt.Fprintf(m.w, ".SH %s\n", title) }

func (m roff) item(term, text string) {
	fmt.Fprintf(m.w, ".TP\n\\fB%s\\fR\n%s\n", m.escape(term), m.escape(text))
}

func (m roff) text(text string) {
	for _, p := range splitParagraphs(text) {
		if !p.literal {
			fmt.Fprintf(m.w, ".PP\n%s\n", m.escape(p.text))
			continue
		}
		fmt.Fprint(m.w, ".PP\n.nf\n")
		for _, l := range strings.Split(p.text, "\n") {
			fmt.Fprintln(m.w, m.escape(l))
		}
		fmt.Fprint(m.w, ".fi\n")
	}
}

func (m roff) command(t topic) {
	fmt.Fprintf(m.w, ".SS %s\n", m.escape(t.name))
	if t.summary != "" {
		fmt.Fprintf(m.w, "%s\n.PP\n", m.escape(t.summary))
	}
	for _, l := range t.synopsis {
		name, args, _ := strings.Cut(l, " ")
		fmt.Fprintf(m.w, "\\fB%s\\fR %s\n.br\n", m.escape(name), m.escape(args))
	}
	m.text(commandText(t))
}

// plain writes text for a pager.
type plain struct{ w *bufio.Writer }

func (m plain) section(title string) { fmt.Fprintln(m.w, title) }

func (m plain) item(term, text string) {
	fmt.Fprintf(m.w, "    %s\n", term)
	paragraph{text: text}.write(m.w)
}

func (m plain) text(text string) {
	for _, p := range splitParagraphs(text) {
		p.write(m.w)
	}
}

func (m plain) command(t topic) {
	fmt.Fprintf(m.w, "  %s - %s\n", t.name, t.summary)
	for _, l := range t.synopsis {
		fmt.Fprintf(m.w, "    %s\n", l)
	}
	fmt.Fprintln(m.w)
	m.text(commandText(t))
}

// commandText is what a command does, and its other names.
func commandText(t topic) string {
	text := unmark(t.help)
	if len(t.aliases) > 0 {
		text += "\n\nOther names: " + strings.Join(t.aliases, ", ") + "."
	}
	return text
}
