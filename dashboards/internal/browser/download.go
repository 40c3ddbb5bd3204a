package browser

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// Download does what makes the page hand over a file, and returns where the file is.
func (p *Page) Download(press func()) (path string) {
	p.t.Helper()
	dir := p.t.TempDir()
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		own, err := chromedp.Call(ctx, target.GetTargetInfo, target.GetTargetInfoParams{})
		if err != nil {
			return err
		}
		_, err = chromedp.Call(ctx, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
			Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir, BrowserContextID: own.TargetInfo.BrowserContextID,
		})
		return err
	}))
	press()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		// What is not whole yet is called otherwise.
		files, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			p.t.Fatal(err)
		}
		if len(files) == 1 && filepath.Ext(files[0]) != ".crdownload" {
			if info, err := os.Stat(files[0]); err == nil && info.Size() > 0 {
				return files[0]
			}
		}
		select {
		case <-p.ctx.Done():
			p.t.Fatalf("wait for a download: %v, have %q", p.ctx.Err(), files)
		case <-tick.C:
		}
	}
}
