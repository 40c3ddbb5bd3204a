package document

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
)

// glyphs knows which letters the type of the PDF holds.
type glyphs struct {
	fonts []*sfnt.Font
	has   map[rune]bool
	buf   sfnt.Buffer
}

func loadGlyphs() (*glyphs, error) {
	g := &glyphs{has: map[rune]bool{}}
	for _, ttf := range [][]byte{goregular.TTF, gomono.TTF} {
		f, err := sfnt.Parse(ttf)
		if err != nil {
			return nil, err
		}
		g.fonts = append(g.fonts, f)
	}
	return g, nil
}

// safe is text in letters that the type holds: others are escaped, spaces are spaces.
func (g *glyphs) safe(s string) string {
	var b strings.Builder
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case g.holds(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	return b.String()
}

// holds reports whether all fonts hold a letter. Beyond the basic plane none is taken.
func (g *glyphs) holds(r rune) bool {
	have, known := g.has[r]
	if known {
		return have
	}
	have = r >= ' ' && r <= 0xffff
	for _, f := range g.fonts {
		i, err := f.GlyphIndex(&g.buf, r)
		have = have && err == nil && i != 0
	}
	g.has[r] = have
	return have
}
