package console_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"vigil"
	"vigil/dashboards/console"
	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
	"vigil/internal/api"
)

// withCase holds the sample findings, one of them with a case.
func withCase(change func(*api.CaseView)) (*sample.Reader, string) {
	r, vendor := sample.NewReader(sample.All()...), sample.Vendor()
	c := sample.Case(&vendor)
	if change != nil {
		change(&c)
	}
	r.SetCase(c)
	return r, "/findings/" + vendor.ID
}

func TestFindingShowsItsCase(t *testing.T) {
	t.Parallel()
	r, path := withCase(nil)
	now := func() time.Time { return sample.Now().Add(24 * time.Hour) }
	body := get(t, handler(t, console.Config{Now: now}, r), path).body
	for _, want := range []string{
		"actor-3x9qv7r0ann1k", "took note of it", "1 day 22 h left, until", "Thu 5 Nov 2026, 15:09 UTC", "says it was not them", "“I was at lunch",
		"Told in</dt><dd>mail, slack", `<a href="/findings/f-20d4be81f3aa9c17">`, "and 2 more", "3 more came before", "Graver than before", "The key is revoked.",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(body, `<a href="`+path+`"><bdi`) {
		t.Error("the finding is among the others of its case")
	}
	for name, x := range map[string]struct {
		change func(*api.CaseView)
		want   string
	}{
		"nobody":  {func(v *api.CaseView) { v.Case.State, v.Case.Owner, v.Case.Acknowledged = vigil.CaseNew, "", nil }, "nobody has taken note of it yet"},
		"held":    {func(v *api.CaseView) { v.Case.Told, v.Case.Held = nil, vigil.HeldFlood }, "too many came at once"},
		"snoozed": {func(v *api.CaseView) { v.Case.Snoozed = sample.Now().Add(72 * time.Hour) }, "Snoozed</dt><dd>until"},
		"asked":   {func(v *api.CaseView) { v.Case.Asked.Answered = time.Time{} }, "was asked, no answer yet"},
		"theirs":  {func(v *api.CaseView) { v.Case.Asked.Mine = true }, "says it was them"},
		"over":    {func(v *api.CaseView) { v.Case.Aware.Time = sample.Now().AddDate(0, -1, 0) }, "over since"},
		"judged":  {func(v *api.CaseView) { v.Case.State, v.Case.Word = vigil.CaseResolved, vigil.WordBreach }, "Verdict</dt><dd>a breach"},
	} {
		r, path := withCase(x.change)
		if body := get(t, handler(t, console.Config{Now: now}, r), path).body; !strings.Contains(body, x.want) {
			t.Errorf("%s: the page lacks %q", name, x.want)
		}
	}
	if body := get(t, handler(t, console.Config{}, r), "/findings/"+sample.Bot().ID).body; strings.Contains(body, "What happened with the case") || strings.Contains(body, `class="failed"`) {
		t.Error("a finding without a case shows one")
	}
}

func TestQueueShowsWhoHasACase(t *testing.T) {
	t.Parallel()
	r, _ := withCase(nil)
	body := get(t, handler(t, console.Config{}, r), "/").body
	if n := strings.Count(body, "case acknowledged"); n != 1 || strings.Count(body, `with <bdi class="id">actor-3x9qv7r0ann1k</bdi>`) != 1 || !strings.Contains(body, "4 findings") {
		t.Errorf("%d cases of the queue are said to be acknowledged, want 1 of 4 findings", n)
	}
}

// What somebody does with the case is seen on a page that is open.
func TestPageRenewsWithItsCase(t *testing.T) {
	t.Parallel()
	r, path := withCase(nil)
	h := handler(t, console.Config{}, r)
	tag := get(t, h, path).head.Get("ETag")
	if got := get(t, h, path+"/live", "If-None-Match", tag); got.code != 304 {
		t.Errorf("unchanged: status %d", got.code)
	}
	vendor := sample.Vendor()
	c := sample.Case(&vendor)
	c.Case.State, c.Case.Word = vigil.CaseResolved, vigil.WordBreach
	r.SetCase(c)
	if got := get(t, h, path+"/live", "If-None-Match", tag); got.code != 200 || !strings.Contains(got.body, "resolved") {
		t.Errorf("resolved: status %d", got.code)
	}
}

// noCases can't read the case of a finding.
type noCases struct{ *sample.Reader }

func (noCases) FindingCase(context.Context, string) (api.CaseView, error) {
	return api.CaseView{}, errors.New("the case is damaged: canary")
}

func TestFindingIsShownWithoutItsCase(t *testing.T) {
	t.Parallel()
	h := handler(t, console.Config{}, noCases{sample.NewReader(sample.All()...)})
	path := "/findings/" + sample.Vendor().ID
	got := get(t, h, path)
	if got.code != 200 || !strings.Contains(got.body, "The case could not be read just now") || !strings.Contains(got.body, "What would have kept it quiet") || strings.Contains(got.body, "canary") {
		t.Errorf("status %d", got.code)
	}
	if got.head.Get("ETag") != "" || get(t, h, path+"/live", "If-None-Match", "").code != 200 {
		t.Error("half a page has a tag: it would stay")
	}
}

func browserShowsCase(t *testing.T, b *browser.Browser) {
	r, path := withCase(nil)
	url := serve(t, r)
	for _, x := range []struct {
		name string
		look browser.Look
	}{
		{"light", browser.Look{}}, {"dark", browser.Look{Dark: true}}, {"phone", browser.Look{Phone: true}},
	} {
		p := b.Open(t, url+path, x.look)
		p.Wait(`document.getElementById("live-mark").textContent === "live"`)
		p.Shoot("case-" + x.name)
		if n := browser.Eval[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); n > 0 {
			t.Errorf("%s: the page is %d px wider than its window", x.name, n)
		}
		if got := browser.Eval[int](p, `document.querySelectorAll(".story li").length`); got != 7 {
			t.Errorf("%s: %d lines of the case's timeline", x.name, got)
		}
		// What stands beside a chart's bars is lighter than what it is about.
		if got := browser.Eval[string](p, `getComputedStyle(document.querySelector(".chart .note")).fontWeight`); got != "400" {
			t.Errorf("%s: notes of a chart have weight %s", x.name, got)
		}
		if x.name != "light" {
			continue
		}
		// Somebody resolves it elsewhere: the open page says so.
		vendor := sample.Vendor()
		c := sample.Case(&vendor)
		c.Case.State, c.Case.Word = vigil.CaseResolved, vigil.WordBreach
		r.SetCase(c)
		p.Wait(`document.querySelector(".panel.case.resolved") !== null`)
		p.Go(url + "/?state=resolved")
		p.Wait(`document.querySelector(".card .hands.resolved") !== null`)
		p.Shoot("case-queue")
		r.SetCase(sample.Case(&vendor))
	}
}
