package console_test

import (
	"errors"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"vigil/dashboards/console"
	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
	"vigil/internal/api"
)

func serve(t *testing.T, r *sample.Reader) string {
	t.Helper()
	h := handler(t, console.Config{Refresh: 100 * time.Millisecond}, r)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// TestBrowser looks at the console as people do, in tabs of one real browser.
func TestBrowser(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	for name, test := range map[string]func(*testing.T, *browser.Browser){
		"shows queue and finding":     browserShowsQueueAndFinding,
		"live update and keys":        browserLiveUpdateAndKeys,
		"shows sources":               browserShowsSources,
		"works a case":                browserWorksACase,
		"shows the case":              browserShowsCase,
		"finding grows live":          browserFindingGrowsLive,
		"reads without script":        browserReadsWithoutScript,
		"writes a notification":       browserWritesANotice,
		"takes hostile texts as text": browserTakesHostileTextsAsText,
		"zooms from weeks to seconds": browserZoomsFromWeeksToSeconds,
		"reads an actor":              browserReadsAnActor,
		"states":                      browserStates,
		"keeps nobody out":            browserKeepsNobodyOut,
		"sees barriers":               browserSeesBarriers,
		"runs a drill":                browserRunsADrill,
		"takes the first steps":       browserTakesTheFirstSteps,
		"fits a phone":                browserFitsAPhone,
		"is told of changes":          browserIsToldOfChanges,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, b)
		})
	}
}

func browserShowsQueueAndFinding(t *testing.T, b *browser.Browser) {
	url := serve(t, sample.NewReader(sample.Every()...))
	vendor := sample.Vendor()
	for _, x := range []struct {
		name string
		look browser.Look
	}{
		{"light", browser.Look{}}, {"dark", browser.Look{Dark: true}}, {"phone", browser.Look{Phone: true}},
	} {
		p := b.Open(t, url, x.look)
		p.Wait(`document.getElementById("live-mark").textContent === "live"`)
		p.Shoot("queue-" + x.name)
		p.Go(url + "/findings/" + vendor.ID)
		p.Shoot("finding-" + x.name)
		if n := browser.Eval[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); n > 0 {
			t.Errorf("%s: the page is %d px wider than its window", x.name, n)
		}
		if os.Getenv("VIGIL_SCREENSHOTS") == "" {
			continue // the others are for looking at
		}
		for _, f := range sample.Every() {
			p.Go(url + "/findings/" + f.ID)
			p.Shoot("finding-" + f.ID[2:6] + "-" + f.Lane + "-" + x.name)
		}
		p.Go(url)
		p.Click("#standing summary")
		p.Shoot("standing-" + x.name)
	}
}

func browserLiveUpdateAndKeys(t *testing.T, b *browser.Browser) {
	r := sample.NewReader(sample.Export(), sample.Scrape(), sample.Bot())
	url := serve(t, r)
	p := b.Open(t, url, browser.Look{})
	p.Wait(`document.getElementById("live-mark").textContent === "live"`)
	browser.Eval[bool](p, `window.untouched = true`)
	p.Click("#standing summary")
	p.Press("j")
	p.Press("j")
	if got := browser.Eval[string](p, `document.activeElement.closest(".card").dataset.id`); got != "c-"+sample.Scrape().ID[2:] {
		t.Errorf("after j j the focus is on %q", got)
	}

	vendor := sample.Vendor()
	r.Add(vendor)
	p.Wait(`document.querySelectorAll(".card").length === 4`)
	if got := p.Text(".card:first-child h2"); got != vendor.Sentence {
		t.Errorf("the new finding is not at the head: %q", got)
	}
	p.Wait(`document.getElementById("say").textContent.startsWith("New finding: A vendor token")`)
	if !browser.Eval[bool](p, `window.untouched === true`) {
		t.Error("the page was loaded anew")
	}
	if !browser.Eval[bool](p, `document.getElementById("standing").open`) {
		t.Error("the update closed what the reader had opened")
	}
	if got := browser.Eval[string](p, `document.activeElement.closest(".card")?.dataset.id ?? "nothing"`); got != "c-"+sample.Scrape().ID[2:] {
		t.Errorf("the update moved the focus to %q", got)
	}

	p.Press("?")
	p.Wait(`document.getElementById("help").open`)
	p.Press("?")
	p.Wait(`!document.getElementById("help").open`)
	p.Press("k")
	p.Press("k")
	p.Press("\r")
	p.Wait(`location.pathname === "/cases/c-` + vendor.ID[2:] + `" && document.readyState === "complete"`)
	p.Press("u")
	p.Wait(`location.pathname === "/" && document.readyState === "complete"`)

	// What fails must not wipe out what is on the page, and must be seen.
	p.Wait(`document.getElementById("live-mark").textContent === "live"`)
	r.Fail(errors.New("the store is away"))
	p.Wait(`document.getElementById("live-mark").textContent.startsWith("no fresh data")`)
	if n := browser.Eval[int](p, `document.querySelectorAll(".card").length`); n != 4 {
		t.Errorf("an error left %d findings on the page, want 4", n)
	}
	r.Fail(nil)
	p.Wait(`document.getElementById("live-mark").textContent === "live"`)
	for _, fault := range p.Faults() {
		if !strings.Contains(fault, "status of 500") { // the browser's own note of the failure above
			t.Errorf("the page complained: %s", fault)
		}
	}
}

func browserFindingGrowsLive(t *testing.T, b *browser.Browser) {
	vendor := sample.Vendor()
	r := sample.NewReader(vendor)
	p := b.Open(t, serve(t, r)+"/findings/"+vendor.ID, browser.Look{})
	p.Wait(`document.getElementById("live-mark").textContent === "live"`)
	vendor.Revision, vendor.Subjects = 4, 2391
	r.Add(vendor)
	p.Wait(`document.querySelector("article").dataset.revision === "4"`)
	if got := p.Text(".panel .figures"); !strings.Contains(got, "2,391") {
		t.Errorf("the counts did not grow: %q", got)
	}
}

func browserReadsWithoutScript(t *testing.T, b *browser.Browser) {
	vendor := sample.Vendor()
	url := serve(t, sample.NewReader(sample.All()...))
	p := b.Open(t, url, browser.Look{NoScript: true})
	if got := p.Text(".card h2"); got != vendor.Sentence {
		t.Errorf("queue: %q", got)
	}
	p.Go(url + "/findings/" + vendor.ID)
	if got := p.Text("h1"); got != vendor.Sentence {
		t.Errorf("finding: %q", got)
	}
	if got := p.Text(".events tbody"); !strings.Contains(got, "2026-11-02 14:03:12") {
		t.Errorf("no events: %.200q", got)
	}
	p.Shoot("finding-noscript")
}

func browserStates(t *testing.T, b *browser.Browser) {
	empty := sample.NewReader()
	empty.SetStatus(api.Status{Progress: -1})
	b.Open(t, serve(t, empty), browser.Look{}).Shoot("empty")

	demo := sample.NewReader(sample.Bot())
	s := sample.Status()
	s.Note, s.Progress = "A demo is running: weeks of a recorded help desk in seconds, then a day with three breaches.", 0.42
	demo.SetStatus(s)
	p := b.Open(t, serve(t, demo), browser.Look{})
	p.Click("#standing summary")
	p.Shoot("demo")
	p.Go(serve(t, demo) + "/findings/none")
	p.Faults() // the browser's own note that the answer is 404
	p.Shoot("not-found")
}
