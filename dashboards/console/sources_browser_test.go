package console_test

import (
	"testing"

	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
)

// browserShowsSources goes to the sources by keys, from there to a finding, and back.
func browserShowsSources(t *testing.T, b *browser.Browser) {
	url := serve(t, sample.NewReader(sample.Every()...))
	for _, x := range []struct {
		name string
		look browser.Look
	}{
		{"light", browser.Look{}}, {"dark", browser.Look{Dark: true}}, {"phone", browser.Look{Phone: true}},
	} {
		p := b.Open(t, url, x.look)
		p.Wait(`document.getElementById("live-mark").textContent === "live"`)
		p.Press("g")
		p.Press("s")
		p.Wait(`location.pathname === "/sources" && document.querySelectorAll(".source").length === 5`)
		p.Shoot("sources-" + x.name)
		if n := browser.Eval[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); n > 0 {
			t.Errorf("%s: the page is %d px wider than its window", x.name, n)
		}
		// What asks for somebody comes first.
		if got := browser.Eval[string](p, `Array.from(document.querySelectorAll(".source.bad th")).map(e => e.textContent).join(" ")`); got != "helpdesk-nginx crm-audit" {
			t.Errorf("%s: %q", x.name, got)
		}
		if got := browser.Eval[int](p, `document.querySelectorAll(".source:nth-of-type(1) .spark-bar").length`); got != 24 {
			t.Errorf("%s: %d bars", x.name, got)
		}
		if got := browser.Eval[string](p, `document.querySelector(".source .ails a").getAttribute("href")`); got != "/findings/f-51e2ce00d4a7b914" {
			t.Errorf("%s: %q", x.name, got)
		}
		p.Wait(`document.getElementById("live-mark").textContent === "live"`)
		p.Press("u")
		p.Wait(`location.pathname === "/"`)
	}
}
