package document

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
)

// The sheet, in millimetres.
const (
	margin  = 16.0
	top     = 24.0
	bottom  = 20.0
	width   = 210.0 - 2*margin
	lowest  = 297.0 - bottom
	body    = 9.5 // sizes of type, in points
	small   = 7.5
	line    = 4.5 // heights of lines of these
	lineLow = 3.5
)

// The families of type.
const (
	sans = "sans"
	mono = "mono"
)

// colour is red, green and blue, 0 to 255.
type colour [3]int

var (
	ink     = colour{25, 28, 32}
	soft    = colour{86, 93, 104}
	ruled   = colour{214, 215, 210}
	sunk    = colour{240, 240, 236}
	barFill = colour{125, 146, 173}
)

func (t Tone) colour() colour {
	switch t {
	case ToneBad:
		return colour{168, 18, 60}
	case ToneWarn:
		return colour{117, 85, 0}
	case ToneGood:
		return colour{28, 107, 69}
	case ToneSoft:
		return soft
	}
	return ink
}

// sheet writes a document on paper.
type sheet struct {
	*fpdf.Fpdf
	known *glyphs
	y     float64
}

// PDF writes the document to w as a PDF on A4. Letters that its type does not hold (it
// holds Latin, Greek and Cyrillic) are written as \u escapes. It writes nothing when the
// PDF can't be made; an error of w is returned as it is.
func PDF(w io.Writer, d Document) error {
	known, err := loadGlyphs()
	if err != nil {
		return fmt.Errorf("read type of documents: %w", err)
	}
	p := fpdf.New("P", "mm", "A4", "")
	p.SetCatalogSort(true)
	p.SetCreationDate(d.Made.UTC())
	p.SetModificationDate(d.Made.UTC())
	p.SetTitle(known.safe(d.heading()), true)
	p.SetSubject(known.safe(d.Subject), true)
	p.SetAuthor("vigil", true)
	p.SetCreator("vigil", true)
	p.SetLang("en")
	p.SetAutoPageBreak(false, 0)
	p.SetMargins(margin, top, margin)
	p.AliasNbPages("{pages}")
	// The library writes into what it is given.
	p.AddUTF8FontFromBytes(sans, "", bytes.Clone(goregular.TTF))
	p.AddUTF8FontFromBytes(sans, "B", bytes.Clone(gobold.TTF))
	p.AddUTF8FontFromBytes(mono, "", bytes.Clone(gomono.TTF))
	s := &sheet{Fpdf: p, known: known}
	s.running(&d)
	s.newPage()
	s.head(&d)
	for i := range d.Sections {
		s.section(&d.Sections[i])
	}
	var b bytes.Buffer
	if err := p.Output(&b); err != nil {
		return fmt.Errorf("write document: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// running stands on every page.
func (s *sheet) running(d *Document) {
	s.SetHeaderFunc(func() {
		s.font(sans, "B", small, soft)
		s.at(margin, 11, s.known.safe(d.heading()))
		s.font(mono, "", small-0.5, soft)
		s.right(margin+width, 11, s.known.safe(d.Number))
		s.rule(14)
	})
	s.SetFooterFunc(func() {
		s.rule(297 - 13)
		s.font(sans, "", small-0.5, soft)
		s.at(margin, 297-9, "Made "+d.Made.UTC().Format("2 Jan 2006 15:04 UTC")+" · "+s.known.safe(d.Mark))
		// How wide the number of pages is can't be known before the last one.
		room := s.GetStringWidth(fmt.Sprintf("Page %d of 99", s.PageNo()))
		s.at(margin+width-room, 297-9, fmt.Sprintf("Page %d of {pages}", s.PageNo()))
	})
}

func (s *sheet) newPage() { s.AddPage(); s.y = top }

// room begins a new page when less than a height is left on this one.
func (s *sheet) room(height float64) {
	if s.y+height > lowest {
		s.newPage()
	}
}

func (s *sheet) font(family, style string, size float64, c colour) {
	s.SetFont(family, style, size)
	s.SetTextColor(c[0], c[1], c[2])
}

// at writes one line with its foot at y.
func (s *sheet) at(x, y float64, text string) { s.Text(x, y, text) }

func (s *sheet) right(x, y float64, text string) { s.Text(x-s.GetStringWidth(text), y, text) }

func (s *sheet) rule(y float64) {
	s.SetDrawColor(ruled[0], ruled[1], ruled[2])
	s.SetLineWidth(0.2)
	s.Line(margin, y, margin+width, y)
}

// paragraph writes text in lines of the whole width.
func (s *sheet) paragraph(text string, size, height float64, c colour) {
	s.font(sans, "", size, c)
	for _, l := range s.wrap(s.known.safe(text), width) {
		s.room(height)
		s.font(sans, "", size, c)
		s.at(margin, s.y+height*0.75, l)
		s.y += height
	}
}

// wrap breaks text into lines of a width in the current type: between words, and
// within one that is too long for a line.
func (s *sheet) wrap(text string, width float64) (lines []string) {
	now := ""
	for word := range strings.FieldsSeq(text) {
		next := word
		if now != "" {
			next = now + " " + word
		}
		if s.GetStringWidth(next) <= width {
			now = next
			continue
		}
		if now != "" {
			lines = append(lines, now)
		}
		for now = word; s.GetStringWidth(now) > width; {
			fits, rest := s.split(now, width)
			lines, now = append(lines, fits), rest
		}
	}
	if now != "" || len(lines) == 0 {
		lines = append(lines, now)
	}
	return lines
}

// split cuts a word where a line is full, by one letter at least.
func (s *sheet) split(word string, width float64) (fits, rest string) {
	letters := []rune(word)
	n := 1
	for n < len(letters) && s.GetStringWidth(string(letters[:n+1])) <= width {
		n++
	}
	return string(letters[:n]), string(letters[n:])
}

func (s *sheet) head(d *Document) {
	s.font(sans, "B", 20, ink)
	for _, l := range s.wrap(s.known.safe(d.heading()), width) {
		s.at(margin, s.y+7, l)
		s.y += 9
	}
	s.y += 2
	for _, f := range d.Facts {
		s.font(sans, "", body-1, soft)
		s.at(margin, s.y+3, f.Name)
		s.font(sans, "", body-1, ink)
		for _, l := range s.wrap(s.known.safe(f.Value), width-26) {
			s.at(margin+26, s.y+3, l)
			s.y += line
		}
	}
	s.y += 3
	for _, n := range d.Notes {
		s.paragraph(n, body, line, ToneWarn.colour())
		s.y++
	}
	s.boxes(d.Summary)
}

// boxes sets figures side by side, four in a row.
func (s *sheet) boxes(all []Figure) {
	const perRow, gap, height = 4, 3.0, 20.0
	each := (width - gap*(perRow-1)) / perRow
	for i, f := range all {
		if i%perRow == 0 {
			s.room(height + gap)
		}
		x := margin + float64(i%perRow)*(each+gap)
		s.SetFillColor(sunk[0], sunk[1], sunk[2])
		s.Rect(x, s.y, each, height, "F")
		s.font(sans, "B", 14, f.Tone.colour())
		s.at(x+3, s.y+7.5, s.known.safe(f.Value))
		s.font(sans, "", small, soft)
		lines := s.wrap(s.known.safe(f.Word), each-6)
		for j, l := range lines[:min(2, len(lines))] {
			s.at(x+3, s.y+12.5+float64(j)*lineLow, l)
		}
		if i%perRow == perRow-1 || i == len(all)-1 {
			s.y += height + gap
		}
	}
}

func (s *sheet) section(x *Section) {
	s.y += 5
	if s.room(38); s.y > top {
		s.rule(s.y)
		s.y += 3
	}
	s.Bookmark(s.known.safe(x.Heading), 0, s.y)
	s.font(sans, "B", 13, ink)
	s.at(margin, s.y+5, s.known.safe(x.Heading))
	s.y += 9
	for _, l := range x.Lead {
		if l != "" {
			s.paragraph(l, body, line, ink)
			s.y += 1.2
		}
	}
	s.figures(x.Figures)
	for i := range x.Tables {
		s.table(&x.Tables[i])
	}
}

// figures sets numbers and their words in rows.
func (s *sheet) figures(all []Figure) {
	if len(all) == 0 {
		return
	}
	s.y++
	s.room(2 * line)
	x := margin
	for _, f := range all {
		value, word := s.known.safe(f.Value), s.known.safe(f.Word)
		s.font(sans, "B", 11, ink)
		w := s.GetStringWidth(value) + 1.5
		s.font(sans, "", body-1, ink)
		w += s.GetStringWidth(word) + 6
		if x > margin && x+w-6 > margin+width {
			x, s.y = margin, s.y+6
			s.room(6)
		}
		s.font(sans, "B", 11, f.Tone.colour())
		s.at(x, s.y+4, value)
		at := x + s.GetStringWidth(value) + 1.5
		s.font(sans, "", body-1, soft)
		s.at(at, s.y+4, word)
		x += w
	}
	s.y += 7
}
