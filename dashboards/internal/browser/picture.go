package browser

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/png"
	"os"
	"slices"

	"github.com/chromedp/chromedp"
)

// Picture writes what the window shows to a file, small enough to stand in the
// documentation: of its colours the 256 commonest are kept, which of a page is nearly all.
func (p *Page) Picture(path string) {
	p.t.Helper()
	shot, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatalf("picture %s: %v", path, err)
	}
	whole, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		p.t.Fatalf("picture %s: %v", path, err)
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, fewer(whole)); err != nil {
		p.t.Fatalf("picture %s: %v", path, err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		p.t.Fatal(err)
	}
	p.t.Logf("picture %s: %d bytes", path, b.Len())
}

// fewer is a picture of its 256 commonest colours; each other becomes the nearest of them.
func fewer(whole image.Image) *image.Paletted {
	counts := map[color.RGBA]int{}
	at := func(x, y int) color.RGBA { return color.RGBAModel.Convert(whole.At(x, y)).(color.RGBA) }
	size := whole.Bounds()
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			counts[at(x, y)]++
		}
	}
	common := make([]color.RGBA, 0, len(counts))
	for c := range counts {
		common = append(common, c)
	}
	slices.SortFunc(common, func(a, b color.RGBA) int {
		return cmp.Or(counts[b]-counts[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	palette := make(color.Palette, 0, 256)
	for _, c := range common[:min(len(common), 256)] {
		palette = append(palette, c)
	}
	out, index := image.NewPaletted(size, palette), map[color.RGBA]uint8{}
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			c := at(x, y)
			i, known := index[c]
			if !known {
				i = uint8(palette.Index(c))
				index[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}
