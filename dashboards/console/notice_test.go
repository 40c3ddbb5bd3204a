package console_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"vigil"
	"vigil/dashboards/console"
	"vigil/dashboards/internal/sample"
)

// send sends a form as a browser would.
func send(t *testing.T, h http.Handler, path string, form url.Values) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(form.Encode()))
	r.Host = "localhost:8080"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{code: w.Code, head: w.Header(), body: w.Body.String()}
}

var (
	hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)
	textArea    = regexp.MustCompile(`(?s)<textarea [^>]*name="([^"]+)"[^>]*>\n(.*?)</textarea>`)
)

// formOf reads what a page's forms would send.
func formOf(body string) url.Values {
	form := url.Values{}
	for _, m := range hiddenField.FindAllStringSubmatch(body, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	for _, m := range textArea.FindAllStringSubmatch(body, -1) {
		form.Set(m[1], strings.ReplaceAll(html.UnescapeString(m[2]), "\n", "\r\n"))
	}
	return form
}

func TestNoticePage(t *testing.T) {
	t.Parallel()
	n := sample.NewNotices(sample.Vendor())
	h := serving(t, console.Config{}, console.Services{Reader: sample.NewReader(sample.All()...), Notices: n})
	path := "/cases/" + n.Case() + "/notice"
	page := get(t, h, path)
	for _, want := range []string{"70 h 49 min left", "Proposed by vigil", "Dr. Dara Quinn", "Art. 33(3)(c)", "Must the people themselves be told?", "draft.pdf", "Nobody has written anything yet"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	form := formOf(page.body)
	form.Set("nature", "A vendor's token was stolen.\r\nIt is revoked.")
	for range 2 { // a double click is one deed
		if got := send(t, h, path, form); got.code != http.StatusSeeOther || got.head.Get("Location") != path+"?said=notice-kept" {
			t.Fatalf("status %d to %q", got.code, got.head.Get("Location"))
		}
	}
	page = get(t, h, path+"?said=notice-kept")
	v, err := n.Notice(t.Context(), n.Case())
	if err != nil || v.Notice.Revision != 1 || len(v.Notice.Written) != 1 || v.Text(vigil.NoticeNature) != "A vendor's token was stolen.\nIt is revoked." {
		t.Fatalf("%+v, %v", v.Notice, err)
	}
	if !strings.Contains(page.body, "What you wrote is kept") || !strings.Contains(page.body, "Written by") || !strings.Contains(page.body, "What vigil proposes") {
		t.Error("the page does not tell what was written")
	}

	// Who wrote on what was there before is told, and loses nothing.
	form.Set("nature", "Another story")
	got := send(t, h, path, form)
	if got.code != http.StatusConflict || !strings.Contains(got.body, "Another story") || !strings.Contains(got.body, "A vendor&#39;s token was stolen.") || !strings.Contains(got.body, "actor-ann") {
		t.Errorf("status %d", got.code)
	}
	merged := formOf(got.body)
	merged.Set("nature", "Both stories")
	if got := send(t, h, path, merged); got.code != http.StatusSeeOther {
		t.Errorf("put together: status %d", got.code)
	}

	form = formOf(get(t, h, path).body)
	form.Set("phase", "initial")
	form.Set("at", "2026-11-02T16:19")
	form.Set("authority", "Data Protection Commission")
	form.Set("reference", "DPC-1")
	for range 2 {
		if got := send(t, h, path+"/sent", form); got.code != http.StatusSeeOther {
			t.Fatalf("sent: status %d %s", got.code, got.body)
		}
	}
	page = get(t, h, path)
	for _, want := range []string{"Notified in time.", "DPC-1", path + "/1.pdf", "further: what became known since"} {
		if !strings.Contains(page.body, want) {
			t.Errorf("after the initial phase the page lacks %q", want)
		}
	}
	for _, bad := range []struct {
		what string
		form url.Values
		code int
	}{
		{"no number of a revision", url.Values{"form": {"form-of-ann"}}, 400},
		{"no time", url.Values{"form": {"form-of-ann"}, "seen": {"3"}, "at": {"yesterday"}}, 422},
		{"another session's form", url.Values{"form": {"x"}, "seen": {"3"}, "at": {"2026-11-02T16:19"}}, 403},
		{"a form of before", func() url.Values {
			f := formOf(page.body)
			f.Set("seen", "1")
			f.Set("at", "2026-11-02T16:19")
			return f
		}(), 409},
	} {
		if got := send(t, h, path+"/sent", bad.form); got.code != bad.code {
			t.Errorf("%s: status %d", bad.what, got.code)
		}
	}
	for name, kind := range map[string]string{"draft.html": "text/html", "draft.pdf": "application/pdf", "1.html": "text/html", "1.pdf": "application/pdf"} {
		got := get(t, h, path+"/"+name)
		if got.code != 200 || !strings.HasPrefix(got.head.Get("Content-Type"), kind) || !strings.HasPrefix(got.head.Get("Content-Disposition"), "attachment") || len(got.body) < 2_000 {
			t.Errorf("%s: status %d, %q, %d bytes", name, got.code, got.head.Get("Content-Type"), len(got.body))
		}
	}
	for _, name := range []string{"2.pdf", "0.pdf", "01.pdf", "draft.exe", "draft", "-1.html", "999999999999999999999.pdf"} {
		if got := get(t, h, path+"/"+name); got.code != 404 {
			t.Errorf("%s: status %d", name, got.code)
		}
	}
	for path, code := range map[string]int{"/cases/c-none/notice": 404, "/cases/%3Cscript%3E/notice": 404} {
		if got := get(t, h, path); got.code != code || !strings.Contains(got.body, "There is no such case") {
			t.Errorf("%s: status %d", path, got.code)
		}
	}
}

// The walk sees to the page; the documents are seen to here.
func TestNoticePapersTakeHostileTextsAsText(t *testing.T) {
	t.Parallel()
	n := sample.NewNotices(sample.Vendor())
	n.Fill = sample.Hostilely(sample.Payloads())
	h := serving(t, console.Config{}, console.Services{Reader: sample.NewReader(), Notices: n})
	for _, name := range []string{"draft.html", "draft.pdf", "1.html", "2.pdf"} {
		got := get(t, h, "/cases/"+n.Case()+"/notice/"+name)
		if got.code != 200 || strings.Contains(got.body, "<script") || strings.HasSuffix(name, "html") && strings.ContainsAny(got.body, "\x00\u202e\u2066\u200b") {
			t.Errorf("%s: status %d", name, got.code)
		}
	}
}
