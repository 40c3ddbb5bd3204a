package console_test

import (
	"bytes"
	"compress/gzip"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/dashboards/console"
	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
	"vigil/internal/access"
	"vigil/internal/news"
	"vigil/internal/reveal"
)

// world is a console with something on each of its pages: services of every kind, and the
// addresses to look at by the route of a page.
type world struct {
	services  console.Services
	addresses map[string][]string
}

// everything is a world of samples or, where texts are given, one in which every text is
// one of those.
//
// A new page has a line here, and a new service a sample: or TestWalk fails.
func everything(texts []string) world {
	w := world{addresses: map[string][]string{
		"GET /sign-in":        {"/sign-in", "/sign-in?again=ann&next=/sources"},
		"GET /set-up":         {"/set-up?token=first", "/set-up?token=other"},
		"GET /{$}":            {"/", "/?min=high&state=all&place=pg-eu&new=1"},
		"GET /sources":        {"/sources"},
		"GET /sources/sight":  {"/sources/sight"},
		"GET /sources/sample": {"/sources/sample"},
		"GET /drills":         {"/drills", "/drills?run=" + sample.Now().Add(-78*time.Hour).Format("20060102T150405.000Z")},
		"GET /account":        {"/account"},
		"GET /people":         {"/people"},
	}}
	finding := "GET /findings/{id}"
	if texts == nil {
		r := sample.NewReader(sample.Every()...)
		for _, f := range []vigil.Finding{sample.Vendor(), sample.Walk(), sample.Customer(), sample.Network(), sample.Team()} {
			w.addresses[finding] = append(w.addresses[finding], "/findings/"+f.ID)
		}
		vendor := sample.Vendor()
		r.SetCase(sample.Case(&vendor))
		w.services.Reader, w.services.Explorer, w.services.Actors = r, r, r
		w.addresses[finding] = append(w.addresses[finding], "/findings/"+vendor.ID+"?from=2026-11-02T14:00:00Z&to=2026-11-02T15:00:00Z&network=203.0.113.0%2F24")
		w.addresses["GET /actors/{id}"] = []string{"/actors/" + vendor.Actor + "?tenant=" + vendor.Tenant}
	} else {
		r := hostileReader(texts, len(texts))
		w.services.Reader, w.services.Explorer, w.services.Actors = r, r, r
		w.addresses["GET /actors/{id}"] = []string{"/actors/somebody?tenant=t"}
		w.addresses["GET /{$}"] = []string{"/", "/?state=all&after=c-hostile-049", "/?state=all&after=c-hostile-099", "/?state=all&after=c-hostile-149"}
		for _, n := range []string{"000", "007", "050", "077", "100", "150", "199"} {
			w.addresses[finding] = append(w.addresses[finding], "/findings/f-hostile-"+n, "/findings/f-hostile-"+n+"?skip=50")
		}
	}
	desk := sample.NewDesk(w.services.Reader.(*sample.Reader))
	for _, f := range w.addresses[finding] {
		if id := strings.TrimPrefix(f, "/findings/f-"); !strings.Contains(id, "?") {
			w.addresses["GET /cases/{id}"] = append(w.addresses["GET /cases/{id}"], "/cases/c-"+id)
		}
	}
	if texts != nil {
		desk.Hostilely(texts)
	}
	w.services.Worker, w.services.Decider, w.services.Silencer = desk, desk, desk
	w.addresses["GET /exceptions"], w.addresses["GET /silences"] = []string{"/exceptions"}, []string{"/silences"}
	notices := sample.NewNotices(sample.Vendor())
	if texts != nil {
		notices.Fill = sample.Hostilely(texts)
	}
	w.services.Notices = notices
	reports := &sample.Reports{Texts: texts}
	w.services.Auditor, w.services.Reporter, w.services.ReportFiles = sample.NewAuditor(texts), reports, reports
	w.addresses["GET /audit"] = []string{"/audit", "/audit?kind=settings", "/audit?before=100"}
	w.addresses["GET /reports"] = []string{"/reports"}
	packs := sample.NewPacks(sample.Vendor(), texts)
	w.services.Packs = packs
	w.addresses["GET /cases/{id}/pack"] = []string{"/cases/" + packs.View.Case.ID + "/pack"}
	w.addresses["GET /cases/{id}/notice"] = []string{"/cases/" + notices.Case() + "/notice"}
	vendor := sample.Vendor()
	whose := sample.NewWhose(&vendor, texts)
	w.services.Subjects, w.services.Readers = whose, whose
	w.services.Revealer = reveal.New(sample.NewWorld(whose.Case.ID, texts), sample.NewWorld("", nil), sample.Now)
	w.addresses["GET /cases/{id}/subjects"] = []string{"/cases/" + whose.Case.ID + "/subjects", "/cases/" + whose.Case.ID + "/subjects?touch=possible&class="}
	w.addresses["GET /readers"] = []string{"/readers"}
	w.addresses["GET /readers/{id}"] = []string{"/readers/subject-asked", "/readers/subject-other"}
	w.addresses["GET /reveals"] = []string{"/reveals"}
	w.addresses["GET /cases/{id}/reveals"] = []string{"/cases/" + whose.Case.ID + "/reveals"}
	w.addresses["GET /reveals/{id}"] = []string{"/reveals/r-0000000000000000", "/reveals/r-0000000000000001", "/reveals/r-0000000000000002"}
	tuner := sample.NewTuner()
	if texts != nil {
		tuner.Hostile(texts)
	}
	w.services.Tuner, w.services.Replayer = tuner, tuner
	w.addresses["GET /tuning"] = []string{"/tuning", "/tuning?per_day=3"}
	w.addresses["GET /tuning/versions"] = []string{"/tuning/versions", "/tuning/versions?from=4&to=3"}
	w.addresses["GET /tuning/replays"] = []string{"/tuning/replays"}
	w.addresses["GET /tuning/replays/{id}"] = []string{"/tuning/replays/r-3", "/tuning/replays/r-2", "/tuning/replays/r-1"}
	w.services.Watcher = news.New()
	w.services.Keeper = sample.Keeper{Texts: texts}
	w.services.Driller = sample.NewDriller(texts)
	w.services.Accounts = sample.Accounts{Text: text(texts, 0, "Company sign-in")}
	return w
}

// text is one of the texts, or what stands there usually.
func text(texts []string, i int, usual string) string {
	if texts == nil {
		return usual
	}
	return texts[i%len(texts)]
}

// pages lists the addresses of all pages of the table of routes. A page without a service
// or an address fails the test: nobody would look at it.
func (w world) pages(t *testing.T) (out []string) {
	t.Helper()
	h, err := console.New(console.Config{Now: sample.Now}, w.services)
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range access.Routes() {
		if route.Kind != access.KindPage {
			continue
		}
		if h.Handlers()[route.Name()] == nil {
			t.Errorf("the page %s is not answered: everything() lacks the service that it shows", route.Name())
		}
		if len(w.addresses[route.Name()]) == 0 {
			t.Errorf("the page %s has no address in everything(): it is not walked", route.Name())
		}
		out = append(out, w.addresses[route.Name()]...)
	}
	return out
}

func TestWalk(t *testing.T) {
	t.Parallel()
	w := everything(nil)
	h := serving(t, console.Config{}, w.services)
	for _, path := range w.pages(t) {
		got := get(t, h, path)
		if got.code != http.StatusOK {
			t.Errorf("%s: status %d", path, got.code)
		}
		if n := strings.Count(got.body, "<h1"); n != 1 {
			t.Errorf("%s: %d main headings, want one", path, n)
		}
	}
}

func TestHostileTextsStayText(t *testing.T) {
	t.Parallel()
	payloads := sample.Payloads()
	hostile, harmless := everything(payloads), everything(sample.Harmless(len(payloads)))
	bad, good := serving(t, console.Config{}, hostile.services), serving(t, console.Config{}, harmless.services)
	for _, path := range append(hostile.pages(t), "/live", "/findings/f-hostile-000/live", "/findings/f-hostile-150/live") {
		got, want := get(t, bad, path), get(t, good, path)
		if got.code != http.StatusOK || want.code != http.StatusOK {
			t.Errorf("%s: status %d, and %d of harmless texts", path, got.code, want.code)
			continue
		}
		if diff := cmp.Diff(shape(want.body), shape(got.body)); diff != "" {
			t.Errorf("%s: a text changed the markup (-harmless +hostile):\n%.2000s", path, diff)
		}
		if strings.ContainsAny(got.body, "\x00\u202e\u2066\u200b") {
			t.Errorf("%s: a character that does not show got through", path)
		}
	}
}

// inWindow opens a world's pages one after the other in one tab and has each looked at.
func inWindow(t *testing.T, b *browser.Browser, w world, look browser.Look, at func(p *browser.Page, path string)) {
	t.Helper()
	s := httptest.NewServer(serving(t, console.Config{}, w.services))
	t.Cleanup(func() { w.services.Watcher.(*news.Hub).End(); s.Close() })
	var p *browser.Page
	for _, path := range w.pages(t) {
		if p == nil {
			p = b.Open(t, s.URL+path, look)
		} else {
			p.Go(s.URL + path)
		}
		at(p, path)
	}
}

// browserKeepsNobodyOut has axe-core look at every page, in light and in dark, where only
// the colours differ.
func browserKeepsNobodyOut(t *testing.T, b *browser.Browser) {
	for name, x := range map[string]struct {
		look  browser.Look
		rules []string
	}{"light": {}, "dark": {look: browser.Look{Dark: true}, rules: []string{"color-contrast"}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inWindow(t, b, everything(nil), x.look, func(p *browser.Page, path string) {
				first, drawn := p.Drawn()
				t.Logf("%s: first byte after %.0f ms, drawn after %.0f ms (0: not told)", path, first, drawn)
				for _, bar := range p.Barriers(x.rules...) {
					for _, n := range bar.Nodes {
						t.Errorf("%s: %s (%s): %s\n\t%.300s\n\t%s", path, bar.Help, bar.ID, bar.Impact, n.HTML, n.FailureSummary)
					}
				}
				forEyes(p, path, name)
			})
		})
	}
}

// forEyes takes a picture of a page, if somebody wants to look at them.
func forEyes(p *browser.Page, path, look string) {
	if os.Getenv("VIGIL_SCREENSHOTS") != "" {
		p.Shoot("page" + strings.NewReplacer("/", "-", "?", "-", "%", "").Replace(path) + "-" + look)
	}
}

// browserSeesBarriers shows that the check above can fail.
func browserSeesBarriers(t *testing.T, b *browser.Browser) {
	p := b.Open(t, "data:text/html,<html><title>x</title><main><h1>x</h1><img src='data:,'><p style='color:%23ccc'>pale</p><input>", browser.Look{})
	var got []string
	for _, bar := range p.Barriers() {
		got = append(got, bar.ID)
	}
	for _, want := range []string{"color-contrast", "image-alt", "label", "html-has-lang"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not seen, only %q", want, got)
		}
	}
}

// brokenNames counts pseudonyms and times in tables that stand on more than one line: a
// table that is too wide scrolls instead.
const brokenNames = `Array.from(document.querySelectorAll(".scroll time, .scroll a > .id, .scroll th > .id"))
	.filter(e => !e.closest(".terms") && e.getClientRects().length > 1).length`

// browserFitsAPhone has every page fit into a narrow window, and read without script.
func browserFitsAPhone(t *testing.T, b *browser.Browser) {
	inWindow(t, b, everything(nil), browser.Look{Phone: true, NoScript: true}, func(p *browser.Page, path string) {
		if n := p.Wider(); n > 0 {
			t.Errorf("%s: %d px wider than a phone", path, n)
		}
		if strings.TrimSpace(p.Text("h1")) == "" || strings.TrimSpace(p.Text(".narrow summary")) != "Pages" {
			t.Errorf("%s: it does not read without script", path)
		}
		if n := browser.Eval[int](p, brokenNames); n > 0 {
			t.Errorf("%s: %d names or times in tables are broken over lines", path, n)
		}
		forEyes(p, path, "phone")
	})
}

// browserTakesHostileTextsAsText looks at pages of texts that would run if they could: a
// dialog, an error or a violation of the policy on any of them fails the test.
func browserTakesHostileTextsAsText(t *testing.T, b *browser.Browser) {
	inWindow(t, b, everything(sample.Payloads()), browser.Look{}, func(p *browser.Page, path string) {
		if n := p.Wider(); n > 0 {
			t.Errorf("%s: texts made the page %d px wider than its window", path, n)
		}
		for _, fault := range p.Faults() {
			t.Errorf("%s: %s", path, fault)
		}
	})
}

// maxFrontEnd bounds all that a browser loads for any page, compressed, in bytes.
const maxFrontEnd = 200_000

var assetLink = regexp.MustCompile(`"(/assets/[^"]+)"`)

func TestTheFrontEndIsSmall(t *testing.T) {
	t.Parallel()
	squeezed := func(body string) int {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		if _, err := z.Write([]byte(body)); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Len()
	}
	w := everything(nil)
	h := serving(t, console.Config{}, w.services)
	assets, page, heaviest := map[string]int{}, 0, ""
	for _, path := range w.pages(t) {
		body := get(t, h, path).body
		if n := squeezed(body); n > page {
			page, heaviest = n, path
		}
		for _, m := range assetLink.FindAllStringSubmatch(body, -1) {
			if _, have := assets[m[1]]; !have {
				assets[m[1]] = len(get(t, h, m[1], "Accept-Encoding", "gzip").body)
			}
		}
	}
	total := page
	for name, n := range assets {
		t.Logf("%s: %d bytes", name, n)
		total += n
	}
	t.Logf("%s, the heaviest page: %d bytes; together %d", heaviest, page, total)
	if len(assets) < 4 || total > maxFrontEnd {
		t.Errorf("%d assets and the heaviest page are %d bytes, at most %d", len(assets), total, maxFrontEnd)
	}
}

// TestNoRowIsForgotten sees that everything() names no page that there is not.
func TestNoRowIsForgotten(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, r := range access.Routes() {
		known[r.Name()] = r.Kind == access.KindPage
	}
	for _, name := range slices.Sorted(maps.Keys(everything(nil).addresses)) {
		if !known[name] {
			t.Errorf("%s is no page", name)
		}
	}
}
