package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigil/dashboards/console"
	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
)

// post sends a form as the sample's person.
func post(t *testing.T, h http.Handler, path string, fields url.Values) answer {
	t.Helper()
	fields.Set("form", sample.Person().Form)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(fields.Encode()))
	r.Host = "localhost:8080"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{code: w.Code, head: w.Header(), body: w.Body.String()}
}

func TestDrillForms(t *testing.T) {
	t.Parallel()
	d := sample.NewDriller(nil)
	h := serving(t, console.Config{}, console.Services{Reader: sample.NewReader(), Driller: d})
	all := url.Values{"on": {"recorded"}, "intensity": {"0.5"}, "which": {"all"}, "scenario": {"T01"}, "key": {"k"}}
	if got := post(t, h, "/drills", all); got.code != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Another drill is running") {
		t.Errorf("beside one that runs: %d", got.code)
	}
	if got := post(t, h, "/drills/stop", url.Values{"id": {"r"}}); got.code != http.StatusSeeOther || got.head.Get("Location") != "/drills?said=drill-stopped" {
		t.Errorf("stop: %d", got.code)
	}
	for name, fields := range map[string]url.Values{
		"no number":     {"on": {"recorded"}, "intensity": {"much"}},
		"none chosen":   {"on": {"recorded"}, "intensity": {"1"}, "which": {"some"}},
		"nothing given": {},
	} {
		if got := post(t, h, "/drills", fields); got.code != http.StatusBadRequest && got.code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, got.code)
		}
	}
	if got := post(t, h, "/drills", all); got.code != http.StatusSeeOther {
		t.Errorf("start: %d", got.code)
	}
	if asks := d.Asked(); len(asks) != 1 || asks[0].Intensity != 0.5 || len(asks[0].Scenarios) != 0 || asks[0].Key != "k" {
		t.Errorf("%+v", asks)
	}
	if got := get(t, h, "/drills?run=none"); got.code != http.StatusNotFound {
		t.Errorf("one that is not kept: %d", got.code)
	}
}

// browserRunsADrill ends the drill that runs and begins another, as people do.
func browserRunsADrill(t *testing.T, b *browser.Browser) {
	d := sample.NewDriller(nil)
	s := httptest.NewServer(serving(t, console.Config{Refresh: 100 * time.Millisecond}, console.Services{Reader: sample.NewReader(), Driller: d}))
	t.Cleanup(s.Close)
	for name, look := range map[string]browser.Look{"light": {}, "dark": {Dark: true}, "phone": {Phone: true}} {
		b.Open(t, s.URL+"/drills", look).Shoot("drills-" + name)
	}
	p := b.Open(t, s.URL, browser.Look{})
	p.Wait(`document.getElementById("live-mark").textContent === "live"`)
	p.Press("g")
	p.Press("d")
	p.Wait(`location.pathname === "/drills" && document.getElementById("live-mark").textContent === "live"`)
	p.Click("#live form button")
	p.Wait(`document.querySelector(".said") !== null && document.getElementById("running") === null`)
	p.Click("input[value=some]")
	p.Click("#choices summary")
	p.Click("input[value=T07]")
	p.Press("d") // the key of the button
	p.Wait(`document.querySelector(".said")?.textContent.includes("has begun") && document.getElementById("running") !== null`)
	if asks := d.Asked(); len(asks) != 1 || len(asks[0].Scenarios) != 1 || asks[0].Scenarios[0] != "T07" || asks[0].Key == "" {
		t.Errorf("%+v", asks)
	}
}
