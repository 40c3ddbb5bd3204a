package slack_test

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
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"vigil/alerts"
	"vigil/alerts/picture"
	"vigil/alerts/slack/preview"
)

// TestLooks draws the cards as people see them, in a real browser. With -update the
// pictures in testdata are made anew, for people to look at; else a few are made, and
// all that can be said of them without eyes is checked.
func TestLooks(t *testing.T) {
	t.Parallel()
	chart, ok := picture.Of(alerts.CardOf(message(vendor()), "").Bars, nil)
	if !ok {
		t.Fatal("no chart")
	}
	drawn, err := chart.PNG()
	if err != nil {
		t.Fatal(err)
	}
	b := startBrowser(t)
	all := samples()
	names := []string{"case-picture", "reply-reminder"}
	if *update {
		names = looked()
	}
	total := 0
	for _, name := range names {
		page := preview.HTML(blocksOf(t, all[name]), preview.Files{"F0PIC": drawn})
		for _, scheme := range []string{"light", "dark"} {
			shot := b.shoot(t, page, scheme)
			if shot.Bounds().Dy() < 80 {
				t.Errorf("%s-%s is empty: %v", name, scheme, shot.Bounds())
			}
			if *update {
				small := compact(t, shot)
				total += len(small)
				if err := os.WriteFile(filepath.Join("testdata", name+"-"+scheme+".png"), small, 0o644); err != nil {
					t.Fatal(err)
				}
				if name+"-"+scheme+".png" == documented {
					if err := os.WriteFile(documentation, small, 0o644); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	if total > 1_500_000 {
		t.Errorf("the pictures take %d bytes", total)
	}
}

// documented is the picture that the documentation shows, and where it stands there.
const (
	documented    = "case-picture-light.png"
	documentation = "../../docs/images/card.png"
)

// looked are the cards of which there are pictures: of each kind, and one that others
// wrote into.
func looked() []string {
	var out []string
	for name := range samples() {
		kind, _, _ := strings.Cut(name, "-")
		if hostile := strings.Contains(name, "hostile"); name == "case-hostile" || name == "vendor" || !hostile && slices.Contains([]string{"case", "reply", "notice", "digest"}, kind) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// TestEveryCardHasItsPictures keeps the pictures in step with the cards.
func TestEveryCardHasItsPictures(t *testing.T) {
	t.Parallel()
	want := map[string]bool{}
	for name := range samples() {
		want[name+".json"] = true
	}
	for _, name := range looked() {
		want[name+"-light.png"], want[name+"-dark.png"] = true, true
	}
	files, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !f.IsDir() && !want[f.Name()] {
			t.Errorf("testdata/%s is of no card: delete it", f.Name())
		}
		delete(want, f.Name())
	}
	for name := range want {
		t.Errorf("testdata/%s is missing: run with -update where there is a chromium", name)
	}
	ours, err := os.ReadFile(filepath.Join("testdata", documented))
	if err != nil {
		t.Fatal(err)
	}
	if theirs, err := os.ReadFile(documentation); err != nil || !bytes.Equal(ours, theirs) {
		t.Errorf("%s is not testdata/%s (%v): run with -update where there is a chromium", documentation, documented, err)
	}
}

// tab is a tab of a headless Chromium.
type tab struct{ ctx context.Context }

func startBrowser(t *testing.T) tab {
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
	return tab{ctx}
}

// shoot takes a picture of a page, which must fit into Slack's width.
func (b tab) shoot(t *testing.T, page []byte, scheme string) image.Image {
	t.Helper()
	err := chromedp.Do(b.ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	}), chromedp.Navigate("data:text/html;base64,"+base64.StdEncoding.EncodeToString(page)))
	if err != nil {
		t.Fatalf("open the page: %v", err)
	}
	over, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](`Math.max(...[...document.querySelectorAll("*")].map(e => e.scrollWidth - Math.max(e.clientWidth, document.documentElement.clientWidth)))`))
	if err != nil || over > 0 {
		t.Errorf("the card is %d pixels too wide (%v)", over, err)
	}
	raw, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatalf("take a picture: %v", err)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("read the picture: %v", err)
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
