package alertstest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// Picture writes a page's picture as a PNG, as wide and high as said in pixels, in the
// light or the dark scheme, by headless Chromium. It is for people who judge a form by
// eye, and called where a test's golden files are written anew. It skips loudly where
// there is no Chromium.
func Picture(tb testing.TB, page []byte, file string, width, height int, dark bool) {
	tb.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			program = p
			break
		}
	}
	if program == "" {
		tb.Skip("SKIPPED: no chromium on this machine: the picture is not drawn (Debian: apt-get install chromium)")
	}
	dir := tb.TempDir()
	src := filepath.Join(dir, "page.html")
	if err := os.WriteFile(src, page, 0o600); err != nil {
		tb.Fatal(err)
	}
	file, err := filepath.Abs(file)
	if err != nil {
		tb.Fatal(err)
	}
	scheme := "1"
	if dark {
		scheme = "0"
	}
	ctx, cancel := context.WithTimeout(tb.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--user-data-dir="+dir,
		"--blink-settings=preferredColorScheme="+scheme, "--window-size="+strconv.Itoa(width)+","+strconv.Itoa(height), "--screenshot="+file, "file://"+src).CombinedOutput()
	if err != nil {
		tb.Fatalf("draw %s: %v\n%s", file, err, out)
	}
}
