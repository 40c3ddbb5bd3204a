package console_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"vigil/dashboards/console"
	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
)

func serve(t *testing.T, r *sample.Reader) string {
	t.Helper()
	h, err := console.New(console.Config{Refresh: 100 * time.Millisecond, Now: sample.Now}, r)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestBrowserShowsQueueAndFinding(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	url := serve(t, sample.NewReader(sample.All()...))
	vendor, scrape, bot := sample.Vendor(), sample.Scrape(), sample.Bot()
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
		p.Go(url + "/findings/" + scrape.ID)
		p.Shoot("scrape-" + x.name)
		p.Go(url + "/findings/" + bot.ID)
		p.Shoot("rule-" + x.name)
		if n := browser.Eval[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); n > 0 {
			t.Errorf("%s: the page is %d px wider than its window", x.name, n)
		}
	}
}
