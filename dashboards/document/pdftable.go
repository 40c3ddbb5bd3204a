package document

// The measures of a table, in millimetres.
const (
	pad     = 1.2 // on each side of a cell
	rowPad  = 1.1 // above and below a row
	barsTop = 5.0 // the height of bars in a cell
	// mostLines bounds the lines of a cell, so that a row always fits on a page.
	mostLines = 40
)

// placed is a cell in its lines.
type placed struct {
	Cell
	lines []string
	x, w  float64
	right bool
}

// table writes a table that goes on over pages, its head on each of them.
func (s *sheet) table(t *Table) {
	s.y += 2.5
	s.room(24)
	s.font(sans, "B", body, ink)
	s.at(margin, s.y+3.5, s.known.safe(t.Title))
	s.y += 6
	if len(t.Rows) == 0 {
		s.paragraph(or(t.Empty, "None."), body-1, line, soft)
		return
	}
	heads := make([]Cell, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = Cell{Text: c.Name, Tone: ToneSoft}
	}
	head, headHeight := s.place(heads, t.Columns)
	s.row(head, headHeight, true)
	for _, r := range t.Rows {
		cells, height := s.place(r, t.Columns)
		if s.y+height > lowest {
			s.rule(s.y)
			s.newPage()
			s.row(head, headHeight, true)
		}
		s.row(cells, height, false)
	}
	s.rule(s.y)
	s.y++
	if t.Note != "" {
		s.y += 0.8
		s.paragraph(t.Note, small, lineLow, soft)
	}
}

func or(s, instead string) string {
	if s == "" {
		return instead
	}
	return s
}

// place breaks the cells of a row into lines and tells the row's height.
func (s *sheet) place(cells []Cell, columns []Column) (out []placed, height float64) {
	var all float64
	for _, c := range columns {
		all += c.Weight
	}
	x := margin
	for i, c := range cells {
		w := width * columns[i].Weight / all
		p := placed{Cell: c, x: x, w: w, right: columns[i].right()}
		x += w
		h := barsTop
		if len(c.By) == 0 {
			s.cellFont(c)
			p.lines = s.wrap(s.known.safe(c.Text), w-2*pad)
			p.lines = p.lines[:min(mostLines, len(p.lines))]
			h = float64(len(p.lines)) * lineLow
		}
		height = max(height, h+2*rowPad)
		out = append(out, p)
	}
	return out, height
}

func (s *sheet) cellFont(c Cell) {
	if c.ID {
		s.font(mono, "", small-0.7, c.Tone.colour())
		return
	}
	s.font(sans, "", small, c.Tone.colour())
}

// row writes a row at the present place.
func (s *sheet) row(cells []placed, height float64, head bool) {
	if head {
		s.SetFillColor(sunk[0], sunk[1], sunk[2])
		s.Rect(margin, s.y, width, height, "F")
	} else {
		s.rule(s.y)
	}
	for _, p := range cells {
		if len(p.By) > 0 {
			s.bars(p.By, p.x+pad, s.y+rowPad, p.w-2*pad)
			continue
		}
		s.cellFont(p.Cell)
		for i, l := range p.lines {
			y := s.y + rowPad + (float64(i)+0.77)*lineLow
			if p.right {
				s.right(p.x+p.w-pad, y, l)
				continue
			}
			s.at(p.x+pad, y, l)
		}
	}
	s.y += height
}

// bars draws counts of days side by side.
func (s *sheet) bars(counts []int64, x, y, w float64) {
	most := int64(1)
	for _, n := range counts {
		most = max(most, n)
	}
	s.SetFillColor(barFill[0], barFill[1], barFill[2])
	step := w / float64(len(counts))
	for i, n := range counts {
		if n > 0 {
			h := max(0.3, barsTop*float64(n)/float64(most))
			s.Rect(x+float64(i)*step, y+barsTop-h, step*0.8, h, "F")
		}
	}
}
