// Package terminal prints cards as text: where there is no Slack, in the demo,
// and when Slack fails.
//
// The alerts pipeline calls Notify; it is safe for concurrent use, and each card
// is written in one piece. Nothing waits here: when the writer blocks, so does
// Notify. Colour is used on a terminal only, and not when NO_COLOR is set.
// Control characters of foreign text are shown, never sent.
package terminal

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"vigil"
	"vigil/alerts"
)

const (
	minWidth     = 40
	defaultWidth = 80
	maxWidth     = 100
)

// Config is how cards are printed.
type Config struct {
	// Width is the width in columns, 40 to 100; zero asks the terminal, and is 80
	// without one.
	Width int
	// Color is "auto" (or empty), "always" or "never".
	Color string
	// ConsoleURL is the console's address, to which relative links are joined.
	ConsoleURL string
}

// Notifier prints cards to one writer. It implements alerts.Notifier.
type Notifier struct {
	cfg   Config
	color bool

	mu  sync.Mutex // guards out
	out io.Writer
}

var _ alerts.Notifier = (*Notifier)(nil)

// New makes a notifier that prints to out.
func New(out io.Writer, cfg Config) (*Notifier, error) {
	n := &Notifier{cfg: cfg, out: out}
	switch cfg.Color {
	case "", "auto":
		n.color = os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && columns(out) > 0
	case "always":
		n.color = true
	case "never":
	default:
		return nil, fmt.Errorf("color %q is not auto, always or never", cfg.Color)
	}
	return n, nil
}

// Name is "terminal".
func (n *Notifier) Name() string { return "terminal" }

// Notify prints the card; a later revision of what was printed takes two lines.
// The receipt only says that it was printed. An error of the writer is a
// *alerts.RetryError.
func (n *Notifier) Notify(ctx context.Context, m alerts.Message) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	c := alerts.CardOf(m, n.cfg.ConsoleURL)
	width := n.cfg.Width
	if width == 0 {
		if width = columns(n.out); width == 0 {
			width = defaultWidth
		}
	}
	p := painter{width: min(maxWidth, max(minWidth, width)), color: n.color}
	if m.Receipt != "" {
		p.again(c)
	} else {
		p.card(c)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, err := io.WriteString(n.out, p.b.String()); err != nil {
		return "", &alerts.RetryError{Err: fmt.Errorf("print a card: %w", err)}
	}
	return "printed", nil
}

// columns is a terminal's width, or zero for what is none.
func columns(w io.Writer) int {
	f, ok := w.(*os.File)
	if !ok {
		return 0
	}
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	if ws.Col == 0 {
		return defaultWidth
	}
	return int(ws.Col)
}

// painter lays one card out.
type painter struct {
	b     strings.Builder
	width int
	color bool
}

// The colours, as ANSI codes.
const (
	bold   = "1"
	dim    = "2"
	red    = "1;31"
	orange = "1;38;5;208"
	yellow = "1;33"
	blue   = "1;34"
	green  = "1;32"
	label  = "36"
)

func (p *painter) paint(code, s string) string {
	if !p.color || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func shade(s vigil.Severity) string {
	switch s {
	case vigil.SeverityCritical:
		return red
	case vigil.SeverityHigh:
		return orange
	case vigil.SeverityMedium:
		return yellow
	case vigil.SeverityLow:
		return blue
	}
	return green
}

func (p *painter) line(s string) { p.b.WriteString(s + "\n") }

func (p *painter) card(c alerts.Card) {
	colour := shade(c.Severity)
	if c.Closed {
		colour = dim
	}
	p.line("")
	title := alerts.Cut(c.Title, p.width-2)
	p.line(p.paint(colour, "▌ ") + p.paint(colour, title))
	p.wrap("  ", "  ", c.Sentence, bold)
	if len(c.Fields) > 0 {
		p.line("")
	}
	for _, f := range slices.Concat(c.Fields, c.Standing) {
		p.field(f.Label, strings.Split(f.Value.String(), "\n"))
	}
	if len(c.Why) > 0 {
		p.line("")
		p.line("  " + p.paint(label, "Why"))
		for _, r := range c.Why {
			head := fmt.Sprintf("%3.0f%% ", r.Share*100)
			p.hang("  "+p.paint(colour, bar(r.Share))+" "+head, 2+barWidth+1+len(head), r.Text)
		}
		if c.More > 0 {
			p.line(p.paint(dim, fmt.Sprintf("  and %d smaller", c.More)))
		}
	}
	for _, l := range c.Lines {
		p.line("")
		head := alerts.SeverityWord(l.Severity) + " · " + l.Who
		if !l.At.IsZero() {
			head += " · " + l.At.UTC().Format("15:04 UTC")
		}
		p.wrap("  ", "  ", head, shade(l.Severity))
		p.wrap("    ", "    ", l.Text, "")
	}
	if len(c.Lines) > 0 && c.More > 0 {
		p.line(p.paint(dim, fmt.Sprintf("  and %d more", c.More)))
	}
	if len(c.Notes) > 0 {
		p.line("")
	}
	for _, n := range c.Notes {
		p.wrap("  • ", "    ", n, "")
	}
	if c.Counterfactual != "" || c.NotJudged != "" {
		p.line("")
	}
	p.wrap("  ", "  ", c.Counterfactual, "")
	p.wrap("  ", "  ", c.NotJudged, dim)
	if c.Link != "" {
		p.line("")
		// Not cut and not wrapped, so that it can be opened.
		p.line("  Open: " + p.paint("4", alerts.Clean(c.Link)))
	}
	p.wrap("  ", "  ", c.Footer, dim)
}

// again tells of a finding that was printed before.
func (p *painter) again(c alerts.Card) {
	state := "grew"
	if c.Closed {
		state = "is over"
	}
	if len(c.Standing) > 0 {
		state = "has news"
	}
	p.line(p.paint(shade(c.Severity), "▌ ") + p.paint(bold, alerts.Cut(c.Title, p.width-12)) + " " + state)
	p.wrap("  ", "  ", c.Sentence+" ("+c.Footer+")", dim)
	for _, f := range c.Standing {
		p.field(f.Label, strings.Split(f.Value.String(), "\n"))
	}
}

// labelWidth is the column of the labels.
const labelWidth = 13

func (p *painter) field(name string, lines []string) {
	for i, l := range lines {
		head := "  " + strings.Repeat(" ", labelWidth)
		if i == 0 {
			head = "  " + p.paint(label, name) + strings.Repeat(" ", max(1, labelWidth-Columns(name)))
		}
		p.hang(head, 2+labelWidth, l)
	}
}

// hang writes text after a head of the given width, its further lines indented.
func (p *painter) hang(head string, width int, text string) {
	for i, l := range Wrap(text, p.width-width) {
		if i > 0 {
			head = strings.Repeat(" ", width)
		}
		p.line(head + l)
	}
}

func (p *painter) wrap(first, rest, text, code string) {
	if text == "" {
		return
	}
	for i, l := range Wrap(text, p.width-len(rest)) {
		lead := rest
		if i == 0 {
			lead = first
		}
		if code != "" {
			l = p.paint(code, l)
		}
		p.line(lead + l)
	}
}

const barWidth = 10

func bar(share float64) string {
	n := min(barWidth, max(0, int(math.Round(share*barWidth))))
	if n == 0 && share > 0 {
		n = 1
	}
	return strings.Repeat("█", n) + strings.Repeat("░", barWidth-n)
}

// Wrap breaks text at spaces into lines of at most width columns, and within a
// word that is longer. It never returns an empty slice.
func Wrap(s string, width int) []string {
	width = max(width, 8)
	var lines []string
	var cur strings.Builder
	used := 0
	flush := func() {
		lines = append(lines, cur.String())
		cur.Reset()
		used = 0
	}
	for _, word := range strings.Fields(s) {
		w := Columns(word)
		if used > 0 && used+1+w > width {
			flush()
		}
		if used > 0 {
			cur.WriteByte(' ')
			used++
		}
		if w <= width-used {
			cur.WriteString(word)
			used += w
			continue
		}
		for _, r := range word {
			rw := runeColumns(r)
			if used+rw > width {
				flush()
			}
			cur.WriteRune(r)
			used += rw
		}
	}
	if used > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// Columns is how many columns a text takes on a terminal.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeColumns(r)
	}
	return n
}

// runeColumns: marks take none, East Asian wide characters and emoji two. It is
// a table of the blocks, near enough for laying out; an error of one column does
// no harm.
func runeColumns(r rune) int {
	switch {
	case r < utf8.RuneSelf:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf && r != 0x303f, r >= 0xac00 && r <= 0xd7a3,
		r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6,
		r >= 0x1f300 && r <= 0x1f64f, r >= 0x1f680 && r <= 0x1faff, r >= 0x20000 && r <= 0x3fffd:
		return 2
	}
	return 1
}
