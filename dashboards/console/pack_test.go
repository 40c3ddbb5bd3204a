package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"vigil/dashboards/console"
	"vigil/dashboards/internal/sample"
)

func TestPackIsHandedOver(t *testing.T) {
	t.Parallel()
	p := sample.NewPacks(sample.Vendor(), nil)
	h := serving(t, console.Config{}, console.Services{Reader: sample.NewReader(), Packs: p})
	path := "/cases/" + p.View.Case.ID + "/pack"
	page := get(t, h, path)
	for _, want := range []string{"1 finding of 4: the others are no longer kept", "12,000,000 accesses", "one pack holds 10,000,000", "every revision of the notification", p.View.Key[:20]} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	form := formOf(page.body)
	got := send(t, h, path, form)
	if got.code != 200 || got.body != "PK" || got.head.Get("Content-Type") != "application/zip" || !strings.Contains(got.head.Get("Content-Disposition"), p.View.Case.ID) {
		t.Errorf("%d %q %v", got.code, got.body, got.head)
	}
	if got := send(t, h, path, url.Values{}); got.code != http.StatusForbidden {
		t.Errorf("a form of elsewhere: status %d", got.code)
	}
	for _, path := range []string{"/cases/c-none/pack", "/cases/%3Cb%3E/pack"} {
		if got := send(t, h, path, form); got.code != 404 {
			t.Errorf("%s: status %d", path, got.code)
		}
	}
	// One that breaks off on the way must not look like a whole one.
	p.Broken = true
	s := httptest.NewServer(h)
	defer s.Close()
	resp, err := http.PostForm(s.URL+path, form)
	if err == nil {
		buf := make([]byte, 100)
		for err == nil {
			_, err = resp.Body.Read(buf)
		}
		resp.Body.Close()
		if err.Error() == "EOF" {
			t.Error("a pack that broke off looks whole")
		}
	}
}
