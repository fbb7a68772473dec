// Package manual writes manual pages: as roff for man, and as plain text for a pager and for
// help at a prompt.
package manual

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Page is what a manual is written to. Texts are paragraphs between empty lines; a paragraph
// that begins with a blank keeps its lines.
type Page interface {
	Section(title string)
	Item(term, text string) // text explains term
	Command(name, summary string, synopsis []string, text string)
	Text(text string)
}

// Document is a manual page.
type Document struct {
	Name, Version string
	Fill          func(Page) // writes it
}

// Roff writes the page as source for man.
func (d Document) Roff(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, ".TH %s 1 \"\" \"%s %s\" \"User commands\"\n.nh\n.ad l\n", strings.ToUpper(d.Name), d.Name, d.Version)
	d.Fill(roff{b})
	return b.Flush()
}

// Plain writes the page as plain text.
func (d Document) Plain(w io.Writer) error {
	b := bufio.NewWriter(w)
	d.Fill(plain{b})
	return b.Flush()
}

var roffEscapes = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "‘", `\(oq`, "’", `\(cq`)

// roff writes manual page source.
type roff struct{ w *bufio.Writer }

// Escape makes text safe for roff; a line must not begin with a dot either.
func Escape(s string) string {
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

func (m roff) Section(title string) { fmt.Fprintf(m.w, ".SH %s\n", title) }

func (m roff) Item(term, text string) {
	fmt.Fprintf(m.w, ".TP\n\\fB%s\\fR\n%s\n", Escape(term), Escape(text))
}

func (m roff) Text(text string) {
	for _, p := range Paragraphs(text) {
		if !p.literal {
			fmt.Fprintf(m.w, ".PP\n%s\n", Escape(p.text))
			continue
		}
		fmt.Fprint(m.w, ".PP\n.nf\n")
		for _, l := range strings.Split(p.text, "\n") {
			fmt.Fprintln(m.w, Escape(l))
		}
		fmt.Fprint(m.w, ".fi\n")
	}
}

func (m roff) Command(name, summary string, synopsis []string, text string) {
	fmt.Fprintf(m.w, ".SS %s\n", Escape(name))
	if summary != "" {
		fmt.Fprintf(m.w, "%s\n.PP\n", Escape(summary))
	}
	for _, l := range synopsis {
		first, args, _ := strings.Cut(l, " ")
		fmt.Fprintf(m.w, "\\fB%s\\fR %s\n.br\n", Escape(first), Escape(args))
	}
	m.Text(text)
}

// plain writes text for a pager.
type plain struct{ w *bufio.Writer }

func (m plain) Section(title string) { fmt.Fprintln(m.w, title) }

func (m plain) Item(term, text string) {
	fmt.Fprintf(m.w, "    %s\n", term)
	Paragraph{text: text}.Write(m.w)
}

func (m plain) Text(text string) {
	for _, p := range Paragraphs(text) {
		p.Write(m.w)
	}
}

func (m plain) Command(name, summary string, synopsis []string, text string) {
	fmt.Fprintf(m.w, "  %s - %s\n", name, summary)
	for _, l := range synopsis {
		fmt.Fprintf(m.w, "    %s\n", l)
	}
	fmt.Fprintln(m.w)
	m.Text(text)
}

// Paragraph is a piece of a text. Literal ones, whose lines begin with a blank, keep their
// lines.
type Paragraph struct {
	text    string
	literal bool
}

// Paragraphs splits a text at empty lines.
func Paragraphs(text string) []Paragraph {
	var list []Paragraph
	for _, p := range strings.Split(text, "\n\n") {
		if strings.TrimSpace(p) == "" {
			continue
		}
		p = strings.Trim(p, "\n")
		if p[0] == ' ' || p[0] == '\t' {
			list = append(list, Paragraph{text: p, literal: true})
		} else {
			list = append(list, Paragraph{text: strings.Join(strings.Fields(p), " ")})
		}
	}
	return list
}

// Write prints a paragraph, indented by 4 and no wider than 76 columns, and an
// empty line.
func (p Paragraph) Write(w io.Writer) {
	if p.literal {
		for _, l := range strings.Split(p.text, "\n") {
			fmt.Fprintf(w, "    %s\n", l)
		}
		fmt.Fprintln(w)
		return
	}
	line := "   "
	for _, word := range strings.Fields(p.text) {
		if len([]rune(line))+1+len([]rune(word)) > 76 && line != "   " {
			fmt.Fprintln(w, line)
			line = "   "
		}
		line += " " + word
	}
	fmt.Fprintf(w, "%s\n\n", line)
}
