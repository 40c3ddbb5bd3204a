package picture_test

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/alerts"
	"vigil/alerts/picture"
)

var update = flag.Bool("update", false, "rewrite the expected pictures in testdata")

func amount(observation, span, frame string, seen, expected, low, high, share float64) vigil.Contribution {
	return vigil.Contribution{Model: "volume", Observation: observation, Span: span, Frame: frame, Seen: seen, Expected: expected, Low: low, High: high, Share: share}
}

// finding are the amounts of a finding's card.
func finding(terms ...vigil.Contribution) []alerts.Bar {
	return alerts.CardOf(alerts.Message{Kind: alerts.KindFinding, Finding: &vigil.Finding{ID: "f-1", Contributions: terms}}, "").Bars
}

// night is a quiet day with a steep night.
func night() *picture.Timeline {
	t := &picture.Timeline{Label: "Customers in a quarter-hour", From: time.Date(2026, 11, 3, 0, 0, 0, 0, time.UTC), Span: 15 * time.Minute, High: 19}
	for i := range 56 {
		n := float64(i*7%13) + 2
		if i > 43 && i < 53 {
			n = 180 + float64(i*53%240)
		}
		t.Counts = append(t.Counts, n)
	}
	return t
}

func charts(t testing.TB) map[string]picture.Chart {
	t.Helper()
	out := map[string]picture.Chart{}
	for name, c := range map[string]struct {
		bars     []alerts.Bar
		timeline *picture.Timeline
	}{
		"far": {finding(amount("subjects", "day", "self", 2113, 40, 5, 110, .6), amount("rows", "day", "peers", 18220, 900, 300, 2400, .2),
			amount("subjects", "quarter", "self", 412, 6, 0, 19, .1), vigil.Contribution{Model: "novelty", Observation: "network", SeenLabel: "x", Share: .9}), nil},
		"near":     {finding(amount("conversations", "day", "peers", 388, 47, 21, 96, .8)), nil},
		"less":     {finding(amount("silence", "hour", "self", 4, 912, 640, 1210, 1)), nil},
		"timeline": {finding(amount("subjects", "quarter", "self", 412, 6.2, 0, 19, 1)), night()},
		"only":     {nil, night()},
		"hostile": {finding(amount("<!channel> \u202e日本 \U0001F480", "day", "self", 12, 0, 0, 0, 1),
			amount("a very long name of what is counted that goes on and on and never ends", "week", "peers", 3, .4, 0, 2, .5)), nil},
		"odd": {[]alerts.Bar{{Label: "accesses in a day", Seen: 1e300, Expected: math.NaN(), Low: math.Inf(-1), High: math.Inf(1)},
			{Label: "bytes in a day", Seen: -5, Expected: -7, Low: -9, High: -1}, {Label: "rows in an hour", Seen: 1e12, Expected: 1e-300, High: 1e-12}}, nil},
	} {
		ch, ok := picture.Of(c.bars, c.timeline)
		if !ok {
			t.Fatalf("%s: nothing to draw", name)
		}
		out[name] = ch
	}
	return out
}

func TestPictures(t *testing.T) {
	t.Parallel()
	for name, c := range charts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := c.PNG()
			if err != nil {
				t.Fatal(err)
			}
			if len(got) > 60_000 {
				t.Errorf("%d bytes", len(got))
			}
			again, err := c.PNG()
			if err != nil || !bytes.Equal(got, again) {
				t.Errorf("drawn twice, the bytes differ (%v)", err)
			}
			file := filepath.Join("testdata", name+".png")
			alt := filepath.Join("testdata", name+".txt")
			if *update {
				for f, b := range map[string][]byte{file: got, alt: []byte(c.Alt() + "\n")} {
					if err := os.WriteFile(f, b, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
			same(t, file, got)
			want, err := os.ReadFile(alt)
			if err != nil {
				t.Fatal(err)
			}
			if c.Alt()+"\n" != string(want) {
				t.Errorf("alt text %q\nwant %q", c.Alt(), want)
			}
		})
	}
}

// same compares pictures by what is seen: other processors round edges otherwise.
func same(t *testing.T, file string, got []byte) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	decode := func(b []byte) *image.Paletted {
		img, err := png.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		return img.(*image.Paletted)
	}
	w, g := decode(b), decode(got)
	if w.Bounds() != g.Bounds() {
		t.Fatalf("size %v, want %v", g.Bounds(), w.Bounds())
	}
	off := 0
	for i := range w.Pix {
		a, b := w.Palette[w.Pix[i]].(color.RGBA), g.Palette[g.Pix[i]].(color.RGBA)
		if a != b && (far(a.R, b.R) || far(a.G, b.G) || far(a.B, b.B)) {
			off++
		}
	}
	if off > 0 {
		t.Errorf("%s: %d pixels differ; look at it and run with -update", file, off)
	}
}

func far(a, b uint8) bool { return max(a, b)-min(a, b) > 16 }

func TestNothingToDraw(t *testing.T) {
	t.Parallel()
	for name, f := range map[string][]alerts.Bar{
		"nil": nil, "bare": {}, "value": finding(vigil.Contribution{Model: "novelty", Observation: "network", SeenLabel: "x"}),
		"pattern": finding(vigil.Contribution{Model: "sequence", Observation: "order", Seen: 4}), "no number": {{Seen: math.NaN()}, {Seen: math.Inf(1)}},
	} {
		for _, tl := range []*picture.Timeline{nil, {}, {Span: time.Hour}, {Span: time.Hour, Counts: []float64{math.NaN()}}, {Counts: []float64{1}}} {
			if c, ok := picture.Of(f, tl); ok {
				t.Errorf("%s: %+v", name, c)
			}
		}
	}
}

// TestMark: a picture is drawn anew when it would look otherwise, and only then.
func TestMark(t *testing.T) {
	t.Parallel()
	mark := func(seen, high float64, tl *picture.Timeline) string {
		c, _ := picture.Of(finding(amount("subjects", "day", "self", seen, 40, 5, high, 1)), tl)
		return c.Mark()
	}
	base := mark(2113, 110, nil)
	for _, same := range []string{mark(2113, 110, nil), mark(2120, 110, nil), mark(2113, 110.2, nil)} {
		if same != base {
			t.Error("a change that nobody sees makes another picture")
		}
	}
	longer := night()
	longer.Counts[50] = 2000
	marks := map[string]bool{base: true, mark(4000, 110, nil): true, mark(2113, 220, nil): true, mark(2113, 110, night()): true, mark(2113, 110, longer): true, mark(-1, 110, nil): true}
	if len(marks) != 6 {
		t.Errorf("charts that look different have the same mark: %v", marks)
	}
	if len(base) != 8 || strings.Trim(base, "0123456789abcdef") != "" {
		t.Errorf("mark %q", base)
	}
}

func FuzzChart(f *testing.F) {
	f.Add("subjects", "day", 1.5, 40., 5., 110., int64(900e9), uint16(40))
	f.Add("\u202e<b>", "", math.Inf(1), math.NaN(), math.Inf(-1), 1e300, int64(-5), uint16(9999))
	f.Add("drift", "x", 1e-300, 5e-324, 0., 1e-320, int64(1), uint16(1))
	f.Fuzz(func(t *testing.T, name, span string, seen, expected, low, high float64, width int64, n uint16) {
		tl := &picture.Timeline{Label: name, From: time.Unix(width%1e10, 0), Span: time.Duration(width), Low: low, High: high}
		for i := range min(int(n), 300) {
			tl.Counts = append(tl.Counts, []float64{seen, expected, float64(i)}[i%3])
		}
		c, ok := picture.Of([]alerts.Bar{{Label: name + span, Seen: seen, Expected: expected, Low: low, High: high}, {Label: span, Seen: low}}, tl)
		if !ok {
			return
		}
		b, err := c.PNG()
		if err != nil {
			t.Fatal(err)
		}
		if len(b) > 60_000 {
			t.Errorf("%d bytes", len(b))
		}
		if a := c.Alt(); len([]rune(a)) > 1500 || strings.ContainsAny(a, "\n\r\x1b\u202e") {
			t.Errorf("alt text %q", a)
		}
	})
}

func BenchmarkPNG(b *testing.B) {
	c := charts(b)["timeline"]
	for b.Loop() {
		if _, err := c.PNG(); err != nil {
			b.Fatal(err)
		}
	}
}
