// Package looks takes pictures of what Slack shows, in a real headless Chromium and
// in light and dark, for people to look at. Only tests import it. A machine without
// Chromium skips them, loudly. A Camera is for one test and one page at a time.
package looks

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"vigil/alerts/slack/preview"
)

// Most is how many bytes the pictures of one package may take together.
const Most = 1_500_000

// schemes are the looks that Slack has.
var schemes = []string{"light", "dark"}

// Names are the files of a picture's looks.
func Names(name string) []string {
	var out []string
	for _, s := range schemes {
		out = append(out, name+"-"+s+".png")
	}
	return out
}

// Camera is a running Chromium that takes pictures.
type Camera struct {
	ctx  context.Context
	kept int
}

// Start starts one that ends with the test.
func Start(t *testing.T) *Camera {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Skip("SKIPPED: no chromium on this machine: what cards look like is NOT tested here (Debian: apt-get install chromium)")
	}
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Headless)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		cancel()
	})
	ctx, stop := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(608, 120)); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return &Camera{ctx: ctx}
}

// Take takes pictures of what Slack takes as JSON: a message's blocks or a view. They
// must show something and fit into Slack's width. With keep they are written into
// testdata under the name.
func (c *Camera) Take(t *testing.T, name string, raw []byte, files preview.Files, keep bool) {
	t.Helper()
	page := preview.HTML(raw, files)
	for i, file := range Names(name) {
		shot := c.shoot(t, name, page, schemes[i])
		if shot.Bounds().Dy() < 80 {
			t.Errorf("%s is empty: %v", file, shot.Bounds())
		}
		if !keep {
			continue
		}
		small := compact(t, shot)
		if c.kept += len(small); c.kept > Most {
			t.Errorf("with %s the pictures take %d bytes, at most %d may be", file, c.kept, Most)
		}
		if err := os.WriteFile(filepath.Join("testdata", file), small, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// shoot takes a picture of a page, which must fit into Slack's width.
func (c *Camera) shoot(t *testing.T, name string, page []byte, scheme string) image.Image {
	t.Helper()
	err := chromedp.Do(c.ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}), chromedp.Navigate("data:text/html;base64,"+base64.StdEncoding.EncodeToString(page)))
	if err != nil {
		t.Fatalf("open the page of %s: %v", name, err)
	}
	over, err := chromedp.Run(c.ctx, chromedp.Evaluate[int](`Math.max(...[...document.querySelectorAll("*")].map(e => e.scrollWidth - Math.max(e.clientWidth, document.documentElement.clientWidth)))`))
	if err != nil || over > 0 {
		t.Errorf("%s is %d pixels too wide (%v)", name, over, err)
	}
	raw, err := chromedp.Run(c.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatalf("take a picture of %s: %v", name, err)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("read the picture of %s: %v", name, err)
	}
	return img
}

// compact packs a picture with few colours.
func compact(t *testing.T, img image.Image) []byte {
	t.Helper()
	b := img.Bounds()
	for bits := 4; ; bits++ {
		index := map[color.RGBA]uint8{}
		var table color.Palette
		out := image.NewPaletted(b, nil)
		for i, at := 0, b.Min; i < len(out.Pix) && len(table) <= 256; i++ {
			at.X, at.Y = b.Min.X+i%b.Dx(), b.Min.Y+i/b.Dx()
			r, g, bl, _ := img.At(at.X, at.Y).RGBA()
			exact := color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8), 0xff}
			c := color.RGBA{exact.R >> bits, exact.G >> bits, exact.B >> bits, 0xff}
			n, ok := index[c]
			if !ok {
				n = uint8(len(table))
				index[c] = n
				table = append(table, exact)
			}
			out.Pix[i] = n
		}
		if len(table) > 256 {
			continue
		}
		out.Palette = table
		var buf bytes.Buffer
		enc := png.Encoder{CompressionLevel: png.BestCompression}
		if err := enc.Encode(&buf, out); err != nil {
			t.Fatal(fmt.Errorf("encode a picture: %w", err))
		}
		return buf.Bytes()
	}
}

// Complete holds what is in testdata against what should be, so that no picture and no
// golden file is left of what is no more: golden are the names of the JSON files, drawn
// those that have pictures.
func Complete(t *testing.T, golden, drawn []string) {
	t.Helper()
	want := map[string]bool{}
	for _, name := range golden {
		want[name+".json"] = true
	}
	for _, name := range drawn {
		for _, file := range Names(name) {
			want[file] = true
		}
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !f.IsDir() && !want[f.Name()] {
			t.Errorf("testdata/%s is of nothing that is shown: delete it", f.Name())
		}
		delete(want, f.Name())
	}
	for name := range want {
		t.Errorf("testdata/%s is missing: run with -update where there is a chromium", name)
	}
}
