package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"gofish/internal/api"
)

// maxRules is the size of the largest set of rules that is loaded; it is kept in memory.
const maxRules = 64 << 20

// YaraLoad keeps the rules compiled.
func (d Actions) YaraLoad(c *Call, filename io.Reader) error {
	rules, err := io.ReadAll(io.LimitReader(filename, maxRules+1))
	if err != nil {
		return err
	}
	if len(rules) > maxRules {
		return fmt.Errorf("the rules are larger than %d MB", maxRules>>20)
	}
	d.dropRules()
	f, err := memoryFile(string(rules))
	if err != nil {
		return err
	}
	if bytes.HasPrefix(rules, []byte("YARA")) { // compiled already
		if _, err := yara(c, f, os.DevNull); err != nil {
			f.Close()
			return err
		}
		d.yaraRules = f
		return nil
	}
	defer f.Close()
	compiled, err := memoryFile("")
	if err != nil {
		return err
	}
	t := Tool{Args: []string{"yarac", "--no-warnings", toolFile(0), toolFile(1)}, Files: []*os.File{f, compiled}}
	if err := t.Run(c); err != nil {
		compiled.Close()
		return ruleErrors(err)
	}
	d.yaraRules = compiled
	return nil
}

// ruleLine is how yarac gives the position of a mistake: ` in FILE(LINE): `, at the start without
// the first word if it belongs to no rule.
var ruleLine = regexp.MustCompile(`(?m)( in |^error: )` + regexp.QuoteMeta(toolFile(0)) + `\((\d+)\)`)

// ruleErrors puts the mistakes in a set of rules into one line.
func ruleErrors(err error) error {
	var te *ToolError
	if !errors.As(err, &te) || te.Status < 0 {
		return err
	}
	l := lines(ruleLine.ReplaceAllStringFunc(te.Text, func(s string) string {
		m := ruleLine.FindStringSubmatch(s)
		if m[1] == " in " {
			return ", line " + m[2]
		}
		return "line " + m[2]
	}))
	for i := range l {
		l[i] = strings.TrimPrefix(l[i], "error: ")
	}
	return fmt.Errorf("found %d errors when compiling the rules: %s", len(l), strings.Join(l, "; "))
}

var errNoRules = errors.New("no yara rules loaded")

func (d *Daemon) dropRules() {
	if d.yaraRules != nil {
		d.yaraRules.Close()
		d.yaraRules = nil
	}
}

func (d Actions) YaraDestroy() error {
	if d.yaraRules == nil {
		return errNoRules
	}
	d.dropRules()
	return nil
}

func (d Actions) InternalYaraScan(c *Call, path Path, filename io.Writer) error {
	if d.yaraRules == nil {
		return errNoRules
	}
	f, err := d.openContent(path)
	if err != nil {
		return wrap(err, "%s", path)
	}
	defer f.Close()
	var found []string
	err = patiently(c, func() (err error) {
		found, err = yara(c, d.yaraRules, toolFile(1), f)
		return err
	})
	if err != nil {
		// The tool reports only a number if it cannot read something.
		if rerr := d.scan(path, func([]byte) {}); rerr != nil {
			err = errnoOf(rerr)
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	w := api.NewStructWriter(filename)
	for _, rule := range found {
		if err := w.Put(api.YaraDetection{Name: string(path), Rule: rule}); err != nil {
			return err
		}
	}
	return w.Flush()
}

// yara scans the file called target by compiled rules and returns the names of those
// that match.
func yara(ctx context.Context, rules *os.File, target string, files ...*os.File) ([]string, error) {
	t := Tool{
		Args:  []string{"yara", "--no-warnings", "--threads=1", "--compiled-rules", toolFile(0), target},
		Files: append([]*os.File{rules}, files...),
	}
	out, err := t.Output(ctx)
	if err != nil {
		return nil, err
	}
	var l []string
	for _, line := range lines(out) {
		// Rules may print lines of their own.
		if rule, ok := strings.CutSuffix(line, " "+target); ok {
			l = append(l, rule)
		}
	}
	return l, nil
}
