// Package browser opens pages in a real headless Chromium, for the tests of what
// people see. Only tests import it. A machine without Chromium skips those tests,
// loudly. One browser serves a test; each Page is a tab of its own.
package browser

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// Browser is a running Chromium.
type Browser struct{ ctx context.Context }

// Start starts a browser that ends with the test.
func Start(t *testing.T) *Browser {
	t.Helper()
	path := find()
	if path == "" {
		t.Skip("SKIPPED: no chromium on this machine: what people see is NOT tested here (Debian: apt-get install chromium)")
	}
	ctx, cancel := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Headless)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		cancel()
	})
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start chromium: %v", err)
	}
	return &Browser{ctx: ctx}
}

func find() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "headless-shell"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Look is how a page is looked at.
type Look struct {
	Dark, NoScript, Phone bool
	// Apart has the tab its own cookies, as the browser of somebody else has.
	Apart bool
}

// Page is a tab.
type Page struct {
	t   *testing.T
	ctx context.Context

	mu     sync.Mutex
	faults []string // guarded by mu
}

// Open opens a tab at url. Whatever the page complains of, or any dialog that it
// opens, fails the test at its end unless Faults took it.
func (b *Browser) Open(t *testing.T, url string, look Look) *Page {
	t.Helper()
	var apart []chromedp.ContextOption
	if look.Apart {
		apart = append(apart, chromedp.WithNewBrowserContext())
	}
	ctx, cancel := chromedp.NewContext(b.ctx, apart...)
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(stop)
	p := &Page{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	t.Cleanup(func() {
		for _, fault := range p.Faults() {
			t.Errorf("the page complained: %s", fault)
		}
	})
	scheme := "light"
	if look.Dark {
		scheme = "dark"
	}
	p.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		if err != nil || !look.NoScript {
			return err
		}
		_, err = chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	}))
	if look.Phone {
		p.do(chromedp.EmulateViewport(360, 780, chromedp.EmulateScale(2), chromedp.EmulateMobile))
	} else {
		p.do(chromedp.EmulateViewport(1180, 900))
	}
	p.Go(url)
	return p
}

func (p *Page) hear(ev any) {
	var fault any
	switch ev := ev.(type) {
	case *page.EventJavascriptDialogOpening:
		fault = map[string]any{"dialog": ev.Message}
	case *runtime.EventExceptionThrown:
		fault = ev
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning {
			fault = ev
		}
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError || ev.Entry.Level == log.EntryLevelWarning {
			fault = ev.Entry
		}
	}
	if fault == nil {
		return
	}
	text, err := json.Marshal(fault)
	if err != nil {
		text = []byte(err.Error())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.faults = append(p.faults, string(text))
}

// Faults takes what the page has complained of so far.
func (p *Page) Faults() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.faults
	p.faults = nil
	return out
}

// patience is how long something that one does with a page may take.
const patience = 20 * time.Second

func (p *Page) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("browser: %v", err)
	}
}

// For has what goes wrong from now on fail a part of the test that opened the tab.
func (p *Page) For(t *testing.T) {
	t.Helper()
	p.t = t
}

// Go opens another address in the tab.
func (p *Page) Go(url string) {
	p.t.Helper()
	p.do(chromedp.Navigate(url))
}

// Wait waits until an expression is true in the page, across navigations.
func (p *Page) Wait(expression string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 3*patience) // a drill on a busy machine
	defer cancel()
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expression))
		if ok && err == nil {
			return
		}
		// While a page is left for the next, nothing can be evaluated.
		select {
		case <-ctx.Done():
			p.t.Fatalf("wait for %s: %v, last %v", expression, ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// Eval returns the value of an expression in the page.
func Eval[T any](p *Page, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("evaluate %s: %v", expression, err)
	}
	return v
}

// Text returns the text of the first element that a selector names. It needs no
// script in the page.
func (p *Page) Text(selector string) string {
	p.t.Helper()
	s, err := chromedp.Run(p.ctx, chromedp.TextContent(chromedp.CSS(selector)))
	if err != nil {
		p.t.Fatalf("text of %s: %v", selector, err)
	}
	return s
}

// Click clicks the first element that a selector names.
func (p *Page) Click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// Fill types a text into the first field that a selector names, in place of what stood there.
func (p *Page) Fill(selector, text string) {
	p.t.Helper()
	Eval[bool](p, `(e => { e.value = ""; return true; })(document.querySelector(`+strconv.Quote(selector)+`))`)
	p.do(chromedp.SendKeys(chromedp.CSS(selector), text))
}

// Drag presses the mouse within the first element that a selector names, and lets go of it
// further along: from and to are parts of the element's width, its middle the height.
func (p *Page) Drag(selector string, from, to float64) {
	p.t.Helper()
	box := Eval[[]float64](p, `(e => { e.scrollIntoView({ block: "center", behavior: "instant" }); const b = e.getBoundingClientRect(); return [b.left, b.top + b.height / 2, b.width]; })(document.querySelector(`+strconv.Quote(selector)+`))`)
	p.do(chromedp.DragAndDropXY(box[0]+from*box[2], box[1], box[0]+to*box[2], box[1]))
}

// Press presses keys.
func (p *Page) Press(keys string) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys))
}

// Shoot writes a picture: of the whole page to $VIGIL_SCREENSHOTS when it is set,
// else, to be quick, of what the window shows to a temporary directory.
func (p *Page) Shoot(name string) {
	p.t.Helper()
	dir, shot := os.Getenv("VIGIL_SCREENSHOTS"), chromedp.FullScreenshot(100)
	if dir == "" {
		dir, shot = p.t.TempDir(), chromedp.CaptureScreenshot()
	}
	png, err := chromedp.Run(p.ctx, shot)
	if err != nil {
		p.t.Fatalf("screenshot %s: %v", name, err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600); err != nil {
		p.t.Fatal(err)
	}
	p.t.Logf("screenshot %s: %d bytes", name, len(png))
}
