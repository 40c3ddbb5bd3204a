package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strings"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"vigil/alerts"
)

// density is how many pixels there are to a unit, so that pictures are sharp on dense
// screens. All lengths below are in units.
const density = 2

// maxLetters is more than fits into a line.
const maxLetters = 200

// fonts are parsed once: they are read only afterwards.
var fonts = sync.OnceValues(func() (fs [2]*sfnt.Font, err error) {
	for i, ttf := range [][]byte{goregular.TTF, gomedium.TTF} {
		if fs[i], err = opentype.Parse(ttf); err != nil {
			return fs, fmt.Errorf("parse a font: %w", err)
		}
	}
	return fs, nil
})

// weight is how heavy letters are.
type weight int

const (
	regular weight = iota
	medium
)

// pen draws on one picture.
type pen struct {
	to    *image.RGBA
	fonts [2]*sfnt.Font
	faces map[style]font.Face
	buf   sfnt.Buffer
}

type style struct {
	weight weight
	size   float64
}

func newPen(width, height int, paper color.Color) (*pen, error) {
	fs, err := fonts()
	if err != nil {
		return nil, err
	}
	p := &pen{to: image.NewRGBA(image.Rect(0, 0, width*density, height*density)), fonts: fs, faces: map[style]font.Face{}}
	draw.Draw(p.to, p.to.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	return p, nil
}

func (p *pen) face(s style) (font.Face, error) {
	if f, ok := p.faces[s]; ok {
		return f, nil
	}
	f, err := opentype.NewFace(p.fonts[s.weight], &opentype.FaceOptions{Size: s.size * density, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		return nil, fmt.Errorf("make a font's face: %w", err)
	}
	p.faces[s] = f
	return f, nil
}

// legible shows what the font has no sign for by its code, so that nothing is drawn as
// an empty box that might be anything.
func (p *pen) legible(s string) string {
	s = alerts.Clean(s)
	var b strings.Builder
	for _, r := range s {
		if g, err := p.fonts[regular].GlyphIndex(&p.buf, r); err == nil && g != 0 {
			b.WriteRune(r)
		} else if r > 0xffff {
			fmt.Fprintf(&b, `\U%08x`, r)
		} else {
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// text writes at x, on the line at y, what fits into width, and returns where it ends.
func (p *pen) text(x, y, width float64, s string, st style, c color.Color) (float64, error) {
	face, err := p.face(st)
	if err != nil {
		return x, err
	}
	s = p.legible(alerts.Cut(s, maxLetters))
	for room := fixed26(width * density); font.MeasureString(face, s) > room; {
		// Foreign text may be long: it is halved until it nearly fits.
		n := len([]rune(s))
		if n <= 1 {
			return x, nil
		}
		if font.MeasureString(face, alerts.Cut(s, n/2)) > room {
			s = alerts.Cut(s, n/2)
		} else {
			s = alerts.Cut(s, n-1)
		}
	}
	d := font.Drawer{Dst: p.to, Src: image.NewUniform(c), Face: face, Dot: fixed.Point26_6{X: fixed26(x * density), Y: fixed26(y * density)}}
	d.DrawString(s)
	return float64(d.Dot.X) / 64 / density, nil
}

// textRight writes so that it ends at x.
func (p *pen) textRight(x, y, width float64, s string, st style, c color.Color) error {
	w, err := p.measure(s, st)
	if err != nil {
		return err
	}
	_, err = p.text(x-min(w, width), y, width+1, s, st, c)
	return err
}

func (p *pen) measure(s string, st style) (float64, error) {
	face, err := p.face(st)
	if err != nil {
		return 0, err
	}
	return float64(font.MeasureString(face, p.legible(alerts.Cut(s, maxLetters)))) / 64 / density, nil
}

func fixed26(v float64) fixed.Int26_6 { return fixed.Int26_6(v * 64) }

// box fills a rectangle whose corners are round.
func (p *pen) box(x, y, w, h, r float64, c color.Color) {
	r = min(r, w/2, h/2)
	// The share of a radius by which a cubic curve's handles stand off to look round.
	const k = 0.5523
	// Only the pixels around it are looked at.
	at := image.Rect(int(math.Floor(x*density)), int(math.Floor(y*density)), int(math.Ceil((x+w)*density))+1, int(math.Ceil((y+h)*density))+1)
	path := vector.NewRasterizer(at.Dx(), at.Dy())
	to := func(x, y float64) (float32, float32) {
		return float32(x*density - float64(at.Min.X)), float32(y*density - float64(at.Min.Y))
	}
	path.MoveTo(to(x+r, y))
	line := func(ax, ay float64) { x, y := to(ax, ay); path.LineTo(x, y) }
	curve := func(ax, ay, bx, by, cx, cy float64) {
		x1, y1 := to(ax, ay)
		x2, y2 := to(bx, by)
		x3, y3 := to(cx, cy)
		path.CubeTo(x1, y1, x2, y2, x3, y3)
	}
	line(x+w-r, y)
	curve(x+w-r+k*r, y, x+w, y+r-k*r, x+w, y+r)
	line(x+w, y+h-r)
	curve(x+w, y+h-r+k*r, x+w-r+k*r, y+h, x+w-r, y+h)
	line(x+r, y+h)
	curve(x+r-k*r, y+h, x, y+h-r+k*r, x, y+h-r)
	line(x, y+r)
	curve(x, y+r-k*r, x+r-k*r, y, x+r, y)
	path.ClosePath()
	path.Draw(p.to, at, image.NewUniform(c), image.Point{})
}

// dot fills a circle with a rim of another colour.
func (p *pen) dot(x, y, r float64, c, rim color.Color) {
	p.box(x-r-1.5, y-r-1.5, 2*r+3, 2*r+3, r+1.5, rim)
	p.box(x-r, y-r, 2*r, 2*r, r, c)
}

// encode packs the picture with the colours that it has, which are few, so that it
// stays small.
func (p *pen) encode() ([]byte, error) {
	var out bytes.Buffer
	var enc png.Encoder
	if err := enc.Encode(&out, fewer(p.to)); err != nil {
		return nil, fmt.Errorf("encode a picture: %w", err)
	}
	return out.Bytes(), nil
}

// fewer turns a picture into one with a table of its colours, in the finest steps of
// colour in which the table holds them all. There are never more in steps of 64.
func fewer(src *image.RGBA) image.Image {
	for step := 3; step < 6; step++ {
		if out := inSteps(src, step); out != nil {
			return out
		}
	}
	return inSteps(src, 6)
}

func inSteps(src *image.RGBA, bits int) *image.Paletted {
	index := map[color.RGBA]uint8{}
	var table color.Palette
	out := image.NewPaletted(src.Bounds(), nil)
	var before color.RGBA
	var at uint8
	for i := range out.Pix {
		exact := color.RGBA{src.Pix[4*i], src.Pix[4*i+1], src.Pix[4*i+2], 0xff}
		// Most points have their neighbour's colour.
		if exact != before {
			before = exact
			c := color.RGBA{exact.R >> bits, exact.G >> bits, exact.B >> bits, 0xff}
			found, ok := index[c]
			if !ok {
				if len(table) == 256 {
					return nil
				}
				found = uint8(len(table))
				index[c] = found
				table = append(table, exact)
			}
			at = found
		}
		out.Pix[i] = at
	}
	out.Palette = table
	return out
}
