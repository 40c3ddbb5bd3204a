package console_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"crypto/sha256"
	"encoding/hex"

	"vigil"
	"vigil/dashboards/console"
	"vigil/dashboards/internal/sample"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/gate"
)

type answer struct {
	code int
	head http.Header
	body string
}

// handler is a console behind a gate that lets everybody in as one person with every role.
func handler(t testing.TB, cfg console.Config, r api.Reader) http.Handler {
	t.Helper()
	s := console.Services{Reader: r}
	s.Explorer, _ = r.(api.FindingExplorer)
	s.Actors, _ = r.(api.ActorExplorer)
	return serving(t, cfg, s)
}

func serving(t testing.TB, cfg console.Config, s console.Services) http.Handler {
	t.Helper()
	return servingAs(t, cfg, sample.Person(), s)
}

// servingAs lets everybody in as who.
func servingAs(t testing.TB, cfg console.Config, who api.Person, s console.Services) http.Handler {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = sample.Now
	}
	h, err := console.New(cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gate.New(gate.Config{Door: gate.Open(who), Fail: h.Fail, Logger: cfg.Logger}, access.Routes(), h.Handlers())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// get asks h for a path; head holds pairs of header names and values, of which
// "Host" and "Method" are special.
func get(t *testing.T, h http.Handler, path string, head ...string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Host = "localhost:8080"
	for i := 0; i+1 < len(head); i += 2 {
		switch head[i] {
		case "Host":
			r.Host = head[i+1]
		case "Method":
			r.Method = head[i+1]
		default:
			r.Header.Set(head[i], head[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{code: w.Code, head: w.Header(), body: w.Body.String()}
}

func assetPath(t *testing.T, h http.Handler, ext string) string {
	t.Helper()
	for _, part := range strings.Split(get(t, h, "/").body, `"`) {
		if strings.HasPrefix(part, "/assets/") && strings.HasSuffix(part, ext) {
			return part
		}
	}
	t.Fatalf("no asset %s on the page", ext)
	return ""
}

func TestEveryAnswerCarriesTheHeaders(t *testing.T) {
	t.Parallel()
	h := handler(t, console.Config{}, sample.NewReader(sample.All()...))
	id := sample.Vendor().ID
	asset := assetPath(t, h, ".js")
	for _, x := range []struct {
		path string
		code int
		head []string
	}{
		{"/", 200, nil}, {"/", 200, []string{"Method", "HEAD"}}, {"/live", 200, nil},
		{"/findings/" + id, 200, nil}, {"/findings/" + id + "/live", 200, nil},
		{"/healthz", 200, nil}, {asset, 200, nil},
		{"/nothing", 404, nil}, {"/findings/none", 404, nil}, {"/findings/%3Cscript%3E", 404, nil}, {"/findings/a%2Fb", 404, nil},
		{"/findings/" + strings.Repeat("a", 129), 404, nil}, {"/assets/none.js", 404, nil},
		{"/?min=worst", 400, nil}, {"/?state=ajar", 400, nil}, {"/?owner=ann", 400, nil}, {"/?about=people", 400, nil}, {"/?new=yes", 400, nil},
		{"/?from=yesterday", 400, nil}, {"/?from=9999-01-01", 400, nil}, {"/?to=0001-01-01", 400, nil}, {"/?from=2026-11-02&to=2026-11-01", 400, nil}, {"/?place=" + strings.Repeat("a", 500), 400, nil}, {"/cases/none", 404, nil}, {"/cases/%3Cx%3E", 404, nil},
		{"/findings/" + id + "?skip=-1", 400, nil},
		{"/", 405, []string{"Method", "POST"}}, {"/", 405, []string{"Method", "OPTIONS"}}, {"/findings/" + id, 405, []string{"Method", "DELETE"}},
		{"/", 421, []string{"Host", "evil.example"}}, {"/live", 421, []string{"Host", "evil.example:80"}},
		{"/", 403, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors", "Sec-Fetch-Dest", "script"}},
		{"/findings/" + id, 403, []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors"}},
		{"/", 403, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe"}},
		{"/", 200, []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}},
		{"/live", 200, []string{"Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "cors"}},
	} {
		got := get(t, h, x.path, x.head...)
		if got.code != x.code {
			t.Errorf("%s %v: status %d, want %d", x.path, x.head, got.code, x.code)
		}
		want := map[string]string{
			"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'; require-trusted-types-for 'script'; trusted-types vigil",
			"X-Content-Type-Options":  "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store",
		}
		if x.path == asset {
			want["Cache-Control"] = "public, max-age=31536000, immutable"
		}
		for name, value := range want {
			if got.head.Get(name) != value {
				t.Errorf("%s %v: %s is %q, want %q", x.path, x.head, name, got.head.Get(name), value)
			}
		}
		if got.head.Get("Content-Type") == "" {
			t.Errorf("%s %v: no content type", x.path, x.head)
		}
	}
}

func TestRulesThatDoNotRunAreOnThePage(t *testing.T) {
	t.Parallel()
	h := handler(t, console.Config{}, sample.NewReader(sample.All()...))
	if page := get(t, h, "/").body; !strings.Contains(page, "Rule that doesn’t run") || !strings.Contains(page, "own-circle") {
		t.Error("the rule that does not run is not on the page")
	}
}

func TestQueueRenewsOnlyWhenSomethingChanged(t *testing.T) {
	t.Parallel()
	r := sample.NewReader(sample.Export())
	h := handler(t, console.Config{}, r)
	first := get(t, h, "/live")
	tag := first.head.Get("ETag")
	if page := get(t, h, "/"); page.head.Get("ETag") != tag || !strings.Contains(page.body, first.body) {
		t.Error("the page and its renewing part differ")
	}
	if !strings.Contains(first.body, `hx-headers="{&#34;If-None-Match&#34;:&#34;\&#34;`) {
		t.Errorf("the part does not carry its tag: %.300s", first.body)
	}
	if again := get(t, h, "/live", "If-None-Match", tag); again.code != 304 || again.body != "" {
		t.Errorf("unchanged: status %d, %d bytes", again.code, len(again.body))
	}
	if page := get(t, h, "/", "If-None-Match", tag); page.code != 200 {
		t.Errorf("a whole page was answered with %d", page.code)
	}
	r.Add(sample.Vendor())
	if changed := get(t, h, "/live", "If-None-Match", tag); changed.code != 200 || !strings.Contains(changed.body, sample.Vendor().ID[2:]) {
		t.Errorf("changed: status %d", changed.code)
	}
}

func TestUnchangedFindingReadsNoEvents(t *testing.T) {
	t.Parallel()
	r := sample.NewReader(sample.Vendor())
	h := handler(t, console.Config{}, r)
	path := "/findings/" + sample.Vendor().ID
	tag := get(t, h, path).head.Get("ETag")
	reads := func() (n int) {
		for _, method := range []string{"FindingAccesses", "FindingActivity", "FindingNetworks", "FindingRelated"} {
			n += r.Calls(method)
		}
		return n
	}
	before := reads()
	if before != 4 {
		t.Errorf("for the page %d things were read, want four", before)
	}
	if got := get(t, h, path+"/live", "If-None-Match", tag); got.code != 304 {
		t.Errorf("status %d, want 304", got.code)
	}
	if n := reads() - before; n != 0 {
		t.Errorf("what is behind it was read %d times", n)
	}
	if got := get(t, h, path+"/live?skip=50", "If-None-Match", tag); got.code != 200 {
		t.Errorf("another page of events: status %d, want 200", got.code)
	}
	grown := sample.Vendor()
	grown.Revision++
	r.Add(grown)
	if got := get(t, h, path+"/live", "If-None-Match", tag); got.code != 200 {
		t.Errorf("grown: status %d, want 200", got.code)
	}
}

func TestEventsArePaged(t *testing.T) {
	t.Parallel()
	h := handler(t, console.Config{}, sample.NewReader(sample.Vendor()))
	path := "/findings/" + sample.Vendor().ID
	first, last := get(t, h, path).body, get(t, h, path+"?skip=100").body
	for _, want := range []string{"1 to 50 of 120", `rel="next" href="` + path + `?skip=50#events"`, "p_c00000", "41,200"} {
		if !strings.Contains(first, want) {
			t.Errorf("first page lacks %q", want)
		}
	}
	for _, want := range []string{"101 to 120 of 120", `rel="prev" href="` + path + `?skip=50#events"`, "p_c00119"} {
		if !strings.Contains(last, want) {
			t.Errorf("last page lacks %q", want)
		}
	}
	if strings.Contains(last, `rel="next"`) {
		t.Error("the last page leads on")
	}
}

func TestQueueIsPagedAndFiltered(t *testing.T) {
	t.Parallel()
	var many []vigil.Finding
	for i := range 60 {
		bot := sample.Bot()
		bot.ID = fmt.Sprintf("f-%016x", i)
		many = append(many, bot)
	}
	h := handler(t, console.Config{}, sample.NewReader(append(many, sample.All()...)...))
	first := get(t, h, "/").body
	if n := strings.Count(first, "<article"); n != 50 {
		t.Errorf("%d cases on the first page, want 50", n)
	}
	if !strings.Contains(first, `rel="next" href="/?after=`) {
		t.Error("the first page does not lead on")
	}
	high := get(t, h, "/?min=high&state=all").body
	if n := strings.Count(high, "<article"); n != 2 {
		t.Errorf("%d cases of high severity, want 2", n)
	}
	if !strings.Contains(high, `hx-get="/live?min=high&amp;state=all"`) {
		t.Error("the filtered queue renews as another")
	}
	for path, want := range map[string]int{"/?about=network": 0, "/?owner=me": 0, "/?owner=nobody&min=high": 2, "/?from=2026-11-03": 0, "/?state=resolved": 0, "/?place=nowhere": 0} {
		if n := strings.Count(get(t, h, path).body, "<article"); n != want {
			t.Errorf("%s: %d cases, want %d", path, n, want)
		}
	}
}

func TestEmptyConsoleSaysWhatToDo(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		change func(*api.Status)
		want   string
	}{
		"nothing arrived": {func(s *api.Status) { *s = api.Status{Progress: -1} }, "http://localhost:8080/v1/events"},
		"replaying":       {func(s *api.Status) { s.Progress = 0.4; s.Note = "A demo is running" }, "History is being replayed"},
		"learning":        {func(*api.Status) {}, "still learning what is usual"},
		"quiet":           {func(s *api.Status) { s.Lanes = s.Lanes[:2] }, "This page stays live"},
	} {
		r := sample.NewReader()
		s := sample.Status()
		x.change(&s)
		r.SetStatus(s)
		if got := get(t, handler(t, console.Config{}, r), "/").body; !strings.Contains(got, x.want) {
			t.Errorf("%s: the page lacks %q", name, x.want)
		}
	}
}

func TestErrorsTellNothingOfTheInsideAndAreLoggedOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	r := sample.NewReader(sample.All()...)
	h := handler(t, console.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, r)
	r.Fail(errors.New("open /secret/path: canary\nlevel=ERROR forged"))
	paths := []string{"/", "/live", "/findings/x"}
	for _, path := range paths {
		got := get(t, h, path)
		if got.code != 500 || strings.Contains(got.body, "canary") {
			t.Errorf("%s: status %d, body tells the inside: %v", path, got.code, strings.Contains(got.body, "canary"))
		}
	}
	if got := get(t, h, "/healthz"); got.code != 503 {
		t.Errorf("healthz: status %d, want 503", got.code)
	}
	log.Reset()
	for range 20 {
		get(t, h, "/live")
	}
	if n := strings.Count(log.String(), "canary"); n != 1 {
		t.Errorf("a repeating error was logged %d times:\n%s", n, log.String())
	}
	if strings.Contains(log.String(), "\nlevel=ERROR forged") {
		t.Error("a line of the log was forged")
	}
	r.Fail(context.DeadlineExceeded)
	if got := get(t, h, "/"); got.code != 504 {
		t.Errorf("slow store: status %d, want 504", got.code)
	}
	r.Fail(fmt.Errorf("%w: disk full", api.ErrUnrecorded))
	if got := get(t, h, "/"); got.code != 503 || !strings.Contains(got.body, "Is the disk full?") {
		t.Errorf("a look that can't be recorded: status %d", got.code)
	}
	r.Fail(nil)
	if got := get(t, h, "/"); got.code != 200 {
		t.Errorf("recovered: status %d", got.code)
	}
	if !strings.Contains(log.String(), "works again") {
		t.Error("the log does not tell that reading works again")
	}
}

// partly answers as its Reader does, save for what its fields replace.
type partly struct {
	*sample.Reader
	events func() (api.EventPage, error)
	status func() (api.Status, error)
}

func (p partly) FindingAccesses(ctx context.Context, id string, x api.EventFilter) (api.EventPage, error) {
	if p.events != nil {
		return p.events()
	}
	return p.Reader.FindingAccesses(ctx, id, x)
}

func (p partly) Status(ctx context.Context) (api.Status, error) {
	if p.status != nil {
		return p.status()
	}
	return p.Reader.Status(ctx)
}

func TestFindingIsShownWithoutItsEvents(t *testing.T) {
	t.Parallel()
	for name, events := range map[string]func() (api.EventPage, error){
		"error": func() (api.EventPage, error) { return api.EventPage{}, errors.New("segment is gone") },
		"panic": func() (api.EventPage, error) { panic("canary") },
	} {
		h := handler(t, console.Config{}, partly{Reader: sample.NewReader(sample.All()...), events: events})
		got := get(t, h, "/findings/"+sample.Vendor().ID)
		if got.code != 200 || !strings.Contains(got.body, "could not be read just now") || !strings.Contains(got.body, "What would have kept it quiet") {
			t.Errorf("%s: status %d", name, got.code)
		}
		if again := get(t, h, "/findings/"+sample.Vendor().ID+"/live", "If-None-Match", got.head.Get("ETag")); again.code != 200 {
			t.Errorf("%s: asked again, half a page is answered %d: it would stay", name, again.code)
		}
		if strings.Contains(got.body, "canary") {
			t.Errorf("%s: the page tells the inside", name)
		}
	}
}

func TestPanicGivesAPage(t *testing.T) {
	t.Parallel()
	h := handler(t, console.Config{}, partly{Reader: sample.NewReader(), status: func() (api.Status, error) { panic("canary") }})
	if got := get(t, h, "/"); got.code != 500 || !strings.Contains(got.body, "Something went wrong here") || strings.Contains(got.body, "canary") {
		t.Errorf("status %d", got.code)
	}
}

func TestAgoCountsFromTheLogWhenItIsReplayed(t *testing.T) {
	t.Parallel()
	later := func() time.Time { return sample.Now().AddDate(1, 0, 0) }
	h := handler(t, console.Config{Now: later}, sample.NewReader(sample.Vendor()))
	if got := get(t, h, "/").body; !strings.Contains(got, ">2 h ago<") {
		t.Error("“ago” does not count from the time up to which the log is judged")
	}
}

func TestEmbeddedLibrariesAreThoseWeName(t *testing.T) {
	t.Parallel()
	notice, err := os.ReadFile("assets/NOTICE")
	if err != nil {
		t.Fatal(err)
	}
	id := sample.Vendor().ID
	page := get(t, handler(t, console.Config{}, sample.NewReader(sample.Vendor())), "/findings/"+id).body
	for _, prefix := range []string{"/assets/htmx-", "/assets/uPlot-"} {
		found := 0
		for _, part := range strings.Split(page, `"`) {
			if !strings.HasPrefix(part, prefix) {
				continue
			}
			found++
			sum := sha256.Sum256([]byte(get(t, handler(t, console.Config{}, sample.NewReader()), part).body))
			if !strings.Contains(string(notice), hex.EncodeToString(sum[:])) {
				t.Errorf("assets/NOTICE does not name the sum %x of %s", sum, part)
			}
		}
		if found == 0 {
			t.Errorf("the page loads nothing of %s", prefix)
		}
	}
}

func TestServedOverRealHTTP(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(handler(t, console.Config{}, sample.NewReader(sample.All()...)))
	t.Cleanup(s.Close)
	r, err := s.Client().Get(s.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != 200 || !strings.Contains(string(body), sample.Vendor().Sentence) {
		t.Errorf("status %d, %v", r.StatusCode, err)
	}
}
