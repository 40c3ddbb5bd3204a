package console_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
)

// plotSpan is how long the span is that a plot looks at.
func plotSpan(t *testing.T, p *browser.Page) time.Duration {
	t.Helper()
	from, to := browser.Eval[string](p, `document.getElementById("plot").dataset.from || ""`), browser.Eval[string](p, `document.getElementById("plot").dataset.to || ""`)
	a, err := time.Parse(time.RFC3339, from)
	if err != nil {
		t.Fatalf("from: %v", err)
	}
	b, err := time.Parse(time.RFC3339, to)
	if err != nil {
		t.Fatalf("to: %v", err)
	}
	return b.Sub(a)
}

const (
	plotReady   = `document.querySelector("#plot.is-live canvas") !== null && !document.getElementById("plot").hasAttribute("aria-busy")`
	plotChanged = `(document.getElementById("plot").dataset.from + document.getElementById("plot").dataset.to) !== window.before && ` + plotReady
)

// browserZoomsFromWeeksToSeconds goes into a finding's accesses by keys and by mouse, and
// back, and lists those of what is looked at.
func browserZoomsFromWeeksToSeconds(t *testing.T, b *browser.Browser) {
	vendor := sample.Vendor()
	p := b.Open(t, serve(t, sample.NewReader(sample.All()...))+"/findings/"+vendor.ID, browser.Look{})
	p.Wait(plotReady)
	act := func(do func()) {
		t.Helper()
		browser.Eval[string](p, `window.before = document.getElementById("plot").dataset.from + document.getElementById("plot").dataset.to`)
		do()
		p.Wait(plotChanged)
	}
	focus := func() { browser.Eval[bool](p, `(document.querySelector(".plot-box").focus(), true)`) }
	focus()
	act(func() { p.Press("0") })
	if span := plotSpan(t, p); span < 8*7*24*time.Hour {
		t.Errorf("all of it is %s, want weeks", span)
	}
	// By keys: later to its end, then closer until single accesses show.
	for range 4 {
		act(func() { focus(); p.Press("+") })
	}
	for plotSpan(t, p) > 10*time.Second {
		act(func() { focus(); p.Press("+") })
	}
	if span := plotSpan(t, p); span > 10*time.Second || span < time.Second {
		t.Errorf("the closest look is %s, want seconds", span)
	}
	act(func() { focus(); p.Press("0") })
	// The renewal of the page around it leaves the plot as it is.
	p.Wait(`document.getElementById("live-mark").textContent === "live"`)
	if !browser.Eval[bool](p, plotReady) {
		t.Error("the live page has put the still picture back")
	}
	// By mouse: from all of it into the last tenth, where the finding is.
	act(func() { p.Drag("#plot .u-over", 0.88, 0.995) })
	weeks := plotSpan(t, p)
	if weeks > 10*24*time.Hour || weeks < 24*time.Hour {
		t.Errorf("a drag over the last tenth looks at %s", weeks)
	}
	act(func() { p.Click(`#plot [data-plot-do="Zoom out"]`) })
	if plotSpan(t, p) <= weeks {
		t.Error("zoom out does not")
	}
	// Drill down: list what is looked at.
	p.Go(strings.Split(browser.Eval[string](p, `location.href`), "#")[0] + "?from=2026-11-02T14:00:00Z&to=2026-11-02T14:10:00Z")
	p.Wait(plotReady)
	if span := plotSpan(t, p); span != 10*time.Minute {
		t.Errorf("the plot looks at %s, the address at ten minutes", span)
	}
	p.Shoot("finding-singles")
	p.Click("#plot .plot-go")
	p.Wait(`location.hash === "#events" && document.readyState === "complete"`)
	if got := browser.Eval[string](p, `new URLSearchParams(location.search).get("from")`); got != "2026-11-02T14:00:00Z" {
		t.Errorf("the list is from %q", got)
	}
	if n := browser.Eval[int](p, `document.querySelectorAll(".events tbody tr").length`); n == 0 {
		t.Error("no access is listed")
	}
	p.Go(browser.Eval[string](p, `document.querySelector(".events td a").href`))
	if got := browser.Eval[string](p, `document.querySelector("input[name=resource]").value`); got == "" {
		t.Error("a resource of the list does not lead to its like")
	}
}

// browserReadsAnActor looks at an actor's page, come from a finding, with and without
// script.
func browserReadsAnActor(t *testing.T, b *browser.Browser) {
	vendor := sample.Vendor()
	home := serve(t, sample.NewReader(sample.All()...))
	address := "/actors/" + vendor.Actor + "?" + url.Values{"tenant": {vendor.Tenant}}.Encode()
	for _, x := range []struct {
		name string
		look browser.Look
	}{{"light", browser.Look{}}, {"dark", browser.Look{Dark: true}}, {"phone", browser.Look{Phone: true}}, {"noscript", browser.Look{NoScript: true}}} {
		p := b.Open(t, home+"/findings/"+vendor.ID, x.look)
		if x.look.NoScript {
			p.Go(home + address)
			if p.Text("#week") == "" || p.Text(".zoom") == "" || p.Text("#plot figcaption") == "" {
				t.Error("it does not read without script")
			}
		} else {
			p.Wait(plotReady)
			p.Shoot("explore-" + x.name)
			p.Click(`a[href^="/actors/"]`)
			p.Wait(`location.pathname.startsWith("/actors/") && ` + plotReady)
		}
		if got := p.Text("h1"); !strings.Contains(got, vendor.Actor) {
			t.Errorf("%s: it is headed %q", x.name, got)
		}
		p.Shoot("actor-" + x.name)
	}
}
