package daemon

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"gofish/guestfs/types"
)

const defaultLines = 10 // of head and tail

func (d Actions) Head(path Path) ([]string, error) { return d.HeadN(defaultLines, path) }
func (d Actions) Tail(path Path) ([]string, error) { return d.TailN(defaultLines, path) }

// HeadN returns the first lines, or all but the last -nrlines ones.
func (d Actions) HeadN(nrlines int, path Path) ([]string, error) {
	f, err := d.openContent(path)
	if err != nil {
		return nil, wrap(err, "%s", path)
	}
	defer f.Close()
	if nrlines >= 0 {
		l, err := d.readLines(f, nrlines)
		return l, wrap(err, "%s", path)
	}
	end, err := d.lineFromEnd(f, -nrlines)
	if err != nil {
		return nil, wrap(err, "%s", path)
	}
	l, err := d.readLines(io.NewSectionReader(f, 0, end), -1)
	return l, wrap(err, "%s", path)
}

// TailN returns the last lines, or those from line -nrlines on.
func (d Actions) TailN(nrlines int, path Path) ([]string, error) {
	f, err := d.openContent(path)
	if err != nil {
		return nil, wrap(err, "%s", path)
	}
	defer f.Close()
	if nrlines < 0 {
		r := bufio.NewReaderSize(d.until(f), 64<<10)
		for i := 1; i < -nrlines; {
			b, err := r.ReadSlice('\n')
			if err == io.EOF {
				return []string{}, nil
			}
			if err != nil && err != bufio.ErrBufferFull {
				return nil, wrap(err, "%s", path)
			}
			if bytes.HasSuffix(b, []byte("\n")) {
				i++
			}
		}
		l, err := d.readLines(r, -1)
		return l, wrap(err, "%s", path)
	}
	start, err := d.lineFromEnd(f, nrlines)
	if err != nil {
		return nil, wrap(err, "%s", path)
	}
	if _, err := f.Seek(start, io.SeekStart); err != nil {
		return nil, wrap(err, "%s", path)
	}
	l, err := d.readLines(f, nrlines)
	return l, wrap(err, "%s", path)
}

// readLines reads up to n lines, all if n is negative, or fails if no reply
// could hold them.
func (d *Daemon) readLines(r io.Reader, n int) ([]string, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	list := []string{}
	var line []byte
	for size := 0; len(list) != n; {
		part, err := br.ReadSlice('\n')
		if d.addSize(&size, len(part)) != nil {
			return nil, d.tooLarge()
		}
		line = append(line, part...)
		switch {
		case err == nil:
			list = append(list, string(line[:len(line)-1]))
			line = line[:0]
			size += 7 // its length word and padding
		case err == io.EOF:
			if len(line) > 0 {
				list = append(list, string(line))
			}
			return list, nil
		case err != bufio.ErrBufferFull:
			return nil, err
		}
	}
	return list, nil
}

// lineFromEnd finds where the n-th line from the end of a file begins, reading
// backwards; 0 if the file has fewer.
func (d *Daemon) lineFromEnd(f *os.File, n int) (int64, error) {
	pos, err := f.Seek(0, io.SeekEnd)
	if err != nil || n == 0 {
		return pos, err
	}
	buf := make([]byte, 64<<10)
	last := pos - 1 // a newline here ends the last line and begins none
	for pos > 0 {
		if err := d.call.Err(); err != nil {
			return 0, err
		}
		k := min(pos, int64(len(buf)))
		pos -= k
		if _, err := f.ReadAt(buf[:k], pos); err != nil && err != io.EOF {
			return 0, err
		}
		for i := k - 1; i >= 0; i-- {
			if buf[i] == '\n' && pos+i != last {
				if n--; n == 0 {
					return pos + i + 1, nil
				}
			}
		}
	}
	return 0, nil
}

func (d Actions) WcL(path Path) (int, error) {
	lines := int64(0)
	err := d.scan(path, func(b []byte) { lines += int64(bytes.Count(b, []byte("\n"))) })
	if err != nil {
		return 0, wrap(err, "wc -l: %s", path)
	}
	return int(lines), nil
}

func (d Actions) WcW(path Path) (int, error) {
	// wc's words in the C locale: what has a printable character in it.
	words, in := int64(0), false
	err := d.scan(path, func(b []byte) {
		for _, c := range b {
			if isSpace(c) {
				in = false
			} else if isPrint(c) && !in {
				in = true
				words++
			}
		}
	})
	if err != nil {
		return 0, wrap(err, "wc -w: %s", path)
	}
	return int(words), nil
}

func (d Actions) WcC(path Path) (int, error) {
	f, err := d.openContent(path)
	if err != nil {
		return 0, wrap(err, "wc -c: %s", path)
	}
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, wrap(err, "wc -c: %s", path)
	}
	if size > math.MaxInt32 {
		return 0, fmt.Errorf("%s has %d bytes, more than this call can say: use filesize", path, size)
	}
	return int(size), nil
}

// scan passes the content of a file to fn, piece by piece.
func (d *Daemon) scan(path Path, fn func([]byte)) error {
	f, err := d.openContent(path)
	if err != nil {
		return err
	}
	defer f.Close()
	buf := make([]byte, 64<<10)
	for {
		if err := d.call.Err(); err != nil {
			return err
		}
		n, err := f.Read(buf)
		fn(buf[:n])
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (d Actions) Strings(path Path) ([]string, error) { return d.StringsE("s", path) }

// StringsE finds the runs of printable characters in a file, as strings(1) does.
func (d Actions) StringsE(encoding string, path Path) ([]string, error) {
	code, ok := textCodes[encoding]
	if !ok {
		return nil, fmt.Errorf("%s: invalid encoding", encoding)
	}
	s := &stringScanner{code: code, found: []string{}, most: d.maxResult}
	err := d.scan(path, s.feed)
	s.end()
	if err == nil && s.size > s.most {
		err = d.tooLarge()
	}
	if err != nil {
		return nil, wrap(err, "%s", path)
	}
	return s.found, nil
}

// textCode is how characters are stored.
type textCode struct {
	width  int
	little bool
	eight  bool // bytes from 128 on are characters too
}

var textCodes = map[string]textCode{
	"s": {width: 1}, "S": {width: 1, eight: true},
	"b": {width: 2}, "l": {width: 2, little: true},
	"B": {width: 4}, "L": {width: 4, little: true},
}

// minString is the shortest run that strings(1) shows.
const minString = 4

type stringScanner struct {
	most  int // bytes of all that is found
	code  textCode
	held  []byte // bytes of a character that is not complete
	run   []byte
	found []string
	size  int
}

func (s *stringScanner) feed(b []byte) {
	for _, c := range b {
		s.held = append(s.held, c)
		if len(s.held) < s.code.width {
			continue
		}
		v := uint32(0)
		for i := range s.held {
			j := i
			if s.code.little {
				j = len(s.held) - 1 - i
			}
			v = v<<8 | uint32(s.held[j])
		}
		if v == '\t' || v < 256 && isPrint(byte(v)) || s.code.eight && v > 127 {
			s.run = append(s.run, byte(v))
			s.held = s.held[:0]
			if len(s.run) > s.most {
				s.end()
			}
			continue
		}
		s.end()
		// The next character may begin at the next byte.
		s.held = append(s.held[:0], s.held[1:]...)
	}
}

func (s *stringScanner) end() {
	if len(s.run) >= minString {
		if s.size += len(s.run) + 5; s.size <= s.most {
			s.found = append(s.found, string(s.run))
		}
	}
	s.run = s.run[:0]
}

// Hexdump shows a file as hexdump -C does.
func (d Actions) Hexdump(path Path) (string, error) {
	f, err := d.openContent(path)
	if err != nil {
		return "", wrap(err, "%s", path)
	}
	defer f.Close()
	r := bufio.NewReaderSize(d.until(f), 64<<10)
	var out strings.Builder
	var last []byte
	starred := false
	pos := 0
	for {
		row := make([]byte, 16)
		n, err := io.ReadFull(r, row)
		if n == 16 && bytes.Equal(row, last) {
			if !starred {
				out.WriteString("*\n")
			}
			starred = true
		} else if n > 0 {
			hexRow(&out, pos, row[:n])
			last, starred = row, false
		}
		pos += n
		if out.Len() > d.maxResult {
			return "", wrap(d.tooLarge(), "%s", path)
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return "", wrap(err, "%s", path)
		}
	}
	if pos > 0 {
		fmt.Fprintf(&out, "%08x\n", pos)
	}
	return out.String(), nil
}

func hexRow(out *strings.Builder, pos int, row []byte) {
	fmt.Fprintf(out, "%08x ", pos)
	for i := range 16 {
		if i%8 == 0 {
			out.WriteByte(' ')
		}
		if i < len(row) {
			fmt.Fprintf(out, "%02x ", row[i])
		} else {
			out.WriteString("   ")
		}
	}
	out.WriteString(" |")
	for _, c := range row {
		if !isPrint(c) {
			c = '.'
		}
		out.WriteByte(c)
	}
	out.WriteString("|\n")
}

// Grep runs grep on the file's content: its expressions are POSIX's, which
// package regexp does not have.
func (d Actions) Grep(c *Call, regex string, path Path, opts types.GrepOptions) ([]string, error) {
	args := []string{"grep"}
	switch {
	case isTrue(opts.Extended) && isTrue(opts.Fixed):
		return nil, errors.New("can't use 'extended' and 'fixed' flags at the same time")
	case isTrue(opts.Extended):
		args = append(args, "-E")
	case isTrue(opts.Fixed):
		args = append(args, "-F")
	}
	if isTrue(opts.Insensitive) {
		args = append(args, "-i")
	}
	f, err := d.openContent(path)
	if err != nil {
		return nil, wrap(err, "%s", path)
	}
	defer f.Close()
	t := Tool{Args: append(args, "-e", regex), Stdin: f, Env: []string{"LC_ALL=C"}}
	if isTrue(opts.Compressed) {
		r, err := d.decompress(f, "gzip", "compress", "bzip2")
		if err != nil {
			return nil, wrap(err, "%s", path)
		}
		defer r.Close()
		t.Stdin = r
	}
	out, err := t.Output(c)
	var exit *ToolError
	if errors.As(err, &exit) && exit.Status == 1 && exit.Text == "" {
		err = nil // no line matches
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", path, regex, err)
	}
	return lines(out), nil
}

// grepWith is the body of the deprecated forms, one for each set of flags.
func (d Actions) grepWith(c *Call, pattern string, path Path, flags string) ([]string, error) {
	has := func(flag string) *bool {
		b := strings.Contains(flags, flag)
		return &b
	}
	return d.Grep(c, pattern, path, types.GrepOptions{Extended: has("E"), Fixed: has("F"), Insensitive: has("i"), Compressed: has("z")})
}

func (d Actions) Egrep(c *Call, re string, p Path) ([]string, error) {
	return d.grepWith(c, re, p, "E")
}
func (d Actions) Fgrep(c *Call, s string, p Path) ([]string, error) { return d.grepWith(c, s, p, "F") }
func (d Actions) Grepi(c *Call, re string, p Path) ([]string, error) {
	return d.grepWith(c, re, p, "i")
}
func (d Actions) Egrepi(c *Call, re string, p Path) ([]string, error) {
	return d.grepWith(c, re, p, "Ei")
}
func (d Actions) Fgrepi(c *Call, s string, p Path) ([]string, error) {
	return d.grepWith(c, s, p, "Fi")
}
func (d Actions) Zgrep(c *Call, re string, p Path) ([]string, error) {
	return d.grepWith(c, re, p, "z")
}
func (d Actions) Zegrep(c *Call, re string, p Path) ([]string, error) {
	return d.grepWith(c, re, p, "Ez")
}
func (d Actions) Zfgrep(c *Call, s string, p Path) ([]string, error) {
	return d.grepWith(c, s, p, "Fz")
}
func (d Actions) Zgrepi(c *Call, re string, p Path) ([]string, error) {
	return d.grepWith(c, re, p, "iz")
}
func (d Actions) Zegrepi(c *Call, re string, p Path) ([]string, error) {
	return d.grepWith(c, re, p, "Eiz")
}
func (d Actions) Zfgrepi(c *Call, s string, p Path) ([]string, error) {
	return d.grepWith(c, s, p, "Fiz")
}
