package commands

import (
	"fmt"
	"math"
	"os"
	"strings"
	"sync"
	"time"

	"gofish/internal/api"
	"gofish/internal/handle"

	"golang.org/x/term"
)

// Times of a progress bar: it appears when a call takes long, and is drawn again
// as often as the eye wants.
const (
	barDelay       = 2 * time.Second
	barLaunchDelay = 5 * time.Second
	barInterval    = time.Second / 3
	barNoEstimate  = 3 * time.Second
)

// progressBar draws how far a call has come. A nil one draws nothing.
type progressBar struct {
	mu     sync.Mutex
	w      *os.File
	fancy  bool // the terminal can go back to the line above
	utf8   bool
	active bool
	begun  time.Time
	delay  time.Duration
	drawn  time.Time
	count  int // drawings of this call
	// Estimates of the total time, for the time left.
	n, mean, m2 float64
}

func newProgressBar(stdout *os.File) *progressBar {
	b := &progressBar{w: stdout}
	if tty, err := os.OpenFile("/dev/tty", os.O_WRONLY, 0); err == nil {
		b.w = tty
	}
	term := os.Getenv("TERM")
	b.fancy = term != "" && term != "dumb" && term != "unknown" && b.columns() >= 32
	if !b.fancy {
		b.w = stdout
	}
	locale := strings.ToLower(envNonEmpty("LC_ALL", "LC_CTYPE", "LANG"))
	b.utf8 = strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
	return b
}

func envNonEmpty(names ...string) string {
	for _, n := range names {
		if v := os.Getenv(n); v != "" {
			return v
		}
	}
	return ""
}

func (b *progressBar) columns() int {
	if width, _, err := term.GetSize(int(b.w.Fd())); err == nil && width > 0 {
		return width
	}
	return 80
}

// begin is called before each call.
func (b *progressBar) begin(a *api.Action) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.active, b.begun, b.drawn, b.count = true, time.Now(), time.Time{}, 0
	b.n, b.mean, b.m2 = 0, 0, 0
	b.delay = barDelay
	if a.Name == "launch" {
		b.delay = barLaunchDelay
	}
}

func (b *progressBar) end() {
	if b == nil {
		return
	}
	b.mu.Lock()
	b.active = false
	b.mu.Unlock()
}

// update draws the bar if it is time to.
func (b *progressBar) update(p handle.ProgressEvent) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	if !b.active || p.Total == 0 {
		return
	}
	done := p.Position >= p.Total
	if now.Sub(b.begun) < b.delay || !done && now.Sub(b.drawn) < barInterval {
		return
	}
	if done && b.count == 0 && p.Proc != 0 {
		return // over before it was ever shown
	}
	b.drawn = now
	if !b.fancy {
		fmt.Fprintf(b.w, "%d/%d\n", p.Position, p.Total)
		return
	}
	b.count++
	up := ""
	if b.count > 1 {
		up = "\x1b[A"
	}
	fmt.Fprint(b.w, up+b.text(p, now.Sub(b.begun), b.columns()))
}

// text is one drawing of the bar.
func (b *progressBar) text(p handle.ProgressEvent, elapsed time.Duration, columns int) string {
	spin, open, closing, full, empty := `/-\|`, "[", "]", "#", "-"
	if b.utf8 {
		spin, open, closing, full, empty = "◐◓◑◒", "⟦", "⟧", "▒", "═"
	}
	width := max(columns-15, 1)
	steps := []rune(spin)
	spinner := string(steps[b.count%len(steps)])
	percent := " ---"
	var bar string
	left := "--:--"
	if p.Position == 0 && p.Total == 1 { // only a sign of life
		cells := strings.Split(strings.Repeat(empty, width), "")
		for i := range min(4, width) {
			cells[(b.count*3+i)%width] = full
		}
		bar = strings.Join(cells, "")
	} else {
		ratio := min(float64(p.Position)/float64(p.Total), 1)
		marks := int(ratio * float64(width))
		bar = strings.Repeat(full, marks) + strings.Repeat(empty, width-marks)
		percent = fmt.Sprintf("%3d%%", int(100*ratio))
		if ratio == 1 {
			spinner = " "
		}
		left = b.timeLeft(ratio, elapsed)
	}
	return fmt.Sprintf("%s%s %s%s%s %s\n", spinner, percent, open, bar, closing, left)
}

// timeLeft estimates how long the rest will take, once the estimates agree.
func (b *progressBar) timeLeft(ratio float64, elapsed time.Duration) string {
	if ratio == 1 {
		return "00:00"
	}
	if ratio <= 0 {
		return "--:--"
	}
	total := elapsed.Seconds() / ratio
	b.n++
	delta := total - b.mean
	b.mean += delta / b.n
	b.m2 += delta * (total - b.mean)
	deviation := math.Sqrt(b.m2 / b.n)
	if elapsed < barNoEstimate || math.Abs(total-b.mean) >= 2*deviation && deviation > 0 {
		return "--:--"
	}
	s := int(total - elapsed.Seconds())
	switch {
	case s < 100*60:
		return fmt.Sprintf("%02d:%02d", s/60, s%60)
	case s < 100*3600:
		return fmt.Sprintf("%02dh%02d", s/3600, s/60%60)
	}
	return fmt.Sprintf(">%dh", s/3600)
}
