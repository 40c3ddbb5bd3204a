package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"vigil/dashboards/console"
	"vigil/dashboards/internal/browser"
	"vigil/dashboards/internal/sample"
	"vigil/internal/api"
)

func TestASampleIsReadAndShownToWhoPastedIt(t *testing.T) {
	t.Parallel()
	h := serving(t, console.Config{}, console.Services{Reader: sample.NewReader(), Keeper: sample.Keeper{}})
	got := post(t, h, "/sources/sample", url.Values{"text": {`{"a":"<script>"}`}, "format": {"native"}})
	if got.code != http.StatusOK || !strings.Contains(got.body, "98") || !strings.Contains(got.body, "user.name") || strings.Contains(got.body, "<script>\"") {
		t.Errorf("%d %.300s", got.code, got.body)
	}
	got = post(t, h, "/sources/sample", url.Values{"text": {"nothing"}})
	if got.code != http.StatusOK || !strings.Contains(got.body, "No format fits") || !strings.Contains(got.body, ">nothing</textarea>") {
		t.Errorf("what can't be read: %d", got.code)
	}
	if got = post(t, h, "/sources/sample", url.Values{"text": {strings.Repeat("x", 300<<10)}}); got.code != http.StatusRequestEntityTooLarge {
		t.Errorf("too long: %d", got.code)
	}
}

// browserTakesTheFirstSteps begins where nothing is yet, and has a sample read.
func browserTakesTheFirstSteps(t *testing.T, b *browser.Browser) {
	empty := sample.NewReader()
	empty.SetStatus(api.Status{Progress: -1})
	s := httptest.NewServer(serving(t, console.Config{}, console.Services{Reader: empty, Keeper: sample.Keeper{}, Driller: sample.NewDriller(nil)}))
	t.Cleanup(s.Close)
	p := b.Open(t, s.URL, browser.Look{})
	p.Shoot("empty-first")
	p.Click(".steps-first a[href='/sources/sample']")
	p.Wait(`document.querySelector("textarea.log") !== null`)
	browser.Eval[bool](p, `document.querySelector("textarea.log").value = "{}", true`)
	p.Click("form.act button")
	p.Wait(`document.getElementById("read") !== null`)
	p.Shoot("sample-read")
	p.Go(s.URL + "/sources/sight")
	p.Shoot("sight")
	p.Press("u")
	p.Wait(`location.pathname === "/sources" && document.getElementById("aside") !== null`)
	p.Shoot("sources-aside")
}
