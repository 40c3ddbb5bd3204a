package console_test

import (
	"net/http/httptest"
	"testing"

	"vigil"
	"vigil/dashboards/console"
	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
)

// browserWritesANotice writes a part of a notification, saves it, and says that it was
// sent; in between with hostile texts, that none of them runs.
func browserWritesANotice(t *testing.T, b *browser.Browser) {
	n := sample.NewNotices(sample.Vendor())
	s := httptest.NewServer(serving(t, console.Config{}, console.Services{Reader: sample.NewReader(sample.All()...), Notices: n}))
	t.Cleanup(s.Close)
	at := s.URL + "/cases/" + n.Case() + "/notice"
	p := b.Open(t, at, browser.Look{})
	p.Shoot("notice-light")
	browser.Eval[bool](p, `document.getElementById("p-nature").focus() || true`)
	p.Press(" The key was revoked.")
	p.Click("form.parts button")
	p.Wait(`location.search === "?said=notice-kept" && document.readyState === "complete"`)
	if v, err := n.Notice(t.Context(), n.Case()); err != nil || len(v.Notice.Written) != 1 || v.Notice.Written[vigil.NoticeNature].Text == "" {
		t.Errorf("%+v, %v", v.Notice, err)
	}
	p.Click(`form[action$="/sent"] button`)
	p.Wait(`location.search === "?said=notice-sent" && document.readyState === "complete"`)
	p.Shoot("notice-sent")
	for name, look := range map[string]browser.Look{"dark": {Dark: true}, "phone": {Phone: true}} {
		p := b.Open(t, at, look)
		p.Shoot("notice-" + name)
		if w := browser.Eval[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); w > 0 {
			t.Errorf("%s: the page is %d px wider than its window", name, w)
		}
	}
	n.Fill = sample.Hostilely(sample.Payloads())
	p.Go(at)
	if x := browser.Eval[int](p, `document.querySelectorAll("main script, main style, main img, main iframe, main link, main a[href^='javascript'], main a[href^='http']").length`); x != 0 {
		t.Errorf("%d elements came from texts", x)
	}
	if w := browser.Eval[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); w > 0 {
		t.Errorf("texts made the page %d px wider than its window", w)
	}
}
