package rest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/api/rest"
	"vigil/internal/gate"
)

// serving is the API behind a gate that lets everybody in as one person with every role.
func serving(t testing.TB, cfg rest.Config, s *store) http.Handler {
	t.Helper()
	return behindGate(t, cfg, rest.Services{Reader: s, Decider: s, Silencer: s, Reporter: s, Once: s})
}

func servingWith(t testing.TB, s rest.Services) http.Handler {
	t.Helper()
	return behindGate(t, rest.Config{}, s)
}

func behindGate(t testing.TB, cfg rest.Config, s rest.Services) http.Handler {
	t.Helper()
	h, err := rest.New(cfg, s)
	if err != nil {
		t.Fatal(err)
	}
	who := gate.Open{By: "actor-7", Roles: access.Roles(), Way: api.WayToken}
	g, err := gate.New(gate.Config{Door: who, Fail: h.Fail}, access.Routes(), h.Handlers())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

type answer struct {
	code int
	head http.Header
	body string
}

// ask sends a request from this machine; head holds pairs of header names and values, of
// which "Host" and "Peer" are special.
func ask(t testing.TB, h http.Handler, method, path, body string, head ...string) answer {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Host, r.RemoteAddr = "localhost:8080", "127.0.0.1:4711"
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(head); i += 2 {
		switch head[i] {
		case "Host":
			r.Host = head[i+1]
		case "Peer":
			r.RemoteAddr = head[i+1]
		default:
			r.Header.Set(head[i], head[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return answer{code: w.Code, head: w.Header(), body: w.Body.String()}
}

func (a answer) into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("decode %.200s: %v", a.body, err)
	}
}

func (a answer) problem(t testing.TB) api.Problem {
	t.Helper()
	var p api.Problem
	a.into(t, &p)
	if got := a.head.Get("Content-Type"); got != "application/problem+json" || p.Status != a.code || p.Headline == "" || p.Remedy == "" {
		t.Errorf("%d is no problem detail: %s %s", a.code, got, a.body)
	}
	return p
}

func TestWhatIsSentIsReadStrictly(t *testing.T) {
	t.Parallel()
	const word = `{"word":"breach","note":"sure"}`
	for name, x := range map[string]struct {
		method, path, body string
		head               []string
		code, said         int
		kind               api.Code
	}{
		"a verdict":         {"PUT", "/api/v1/findings/f-1/verdict", word, nil, 200, 1, ""},
		"taken back":        {"DELETE", "/api/v1/findings/f-1/verdict", `{"note":"was wrong"}`, nil, 200, 1, ""},
		"without a body":    {"DELETE", "/api/v1/findings/f-1/verdict", ``, nil, 200, 1, ""},
		"a finding gone":    {"PUT", "/api/v1/findings/gone/verdict", word, nil, 404, 0, api.CodeNotFound},
		"nothing to undo":   {"DELETE", "/api/v1/findings/settled/verdict", ``, nil, 422, 0, api.CodeRefused},
		"about oneself":     {"PUT", "/api/v1/findings/own/verdict", word, nil, 403, 0, api.CodeOwnCase},
		"somebody was here": {"PUT", "/api/v1/findings/taken/verdict", word, nil, 409, 0, api.CodeStale},
		"no such word":      {"PUT", "/api/v1/findings/f-1/verdict", `{"word":"guilty"}`, nil, 422, 0, api.CodeRefused},
		"no word":           {"PUT", "/api/v1/findings/f-1/verdict", `{}`, nil, 422, 0, api.CodeRefused},
		"no body":           {"PUT", "/api/v1/findings/f-1/verdict", ``, nil, 400, 0, api.CodeBadRequest},
		"an unknown key":    {"PUT", "/api/v1/findings/f-1/verdict", `{"word":"breach","who":"ann"}`, nil, 400, 0, api.CodeBadRequest},
		"in capitals":       {"PUT", "/api/v1/findings/f-1/verdict", `{"Word":"breach"}`, nil, 400, 0, api.CodeBadRequest},
		"a key twice":       {"PUT", "/api/v1/findings/f-1/verdict", `{"word":"breach","word":"expected"}`, nil, 400, 0, api.CodeBadRequest},
		"two bodies":        {"PUT", "/api/v1/findings/f-1/verdict", word + word, nil, 400, 0, api.CodeBadRequest},
		"of another type":   {"PUT", "/api/v1/findings/f-1/verdict", `{"word":1}`, nil, 400, 0, api.CodeBadRequest},
		"a list":            {"PUT", "/api/v1/findings/f-1/verdict", `[` + word + `]`, nil, 400, 0, api.CodeBadRequest},
		"too long":          {"PUT", "/api/v1/findings/f-1/verdict", `{"note":"` + strings.Repeat("a", 1<<16) + `"}`, nil, 413, 0, api.CodeTooLarge},
		"a form":            {"PUT", "/api/v1/findings/f-1/verdict", word, []string{"Content-Type", "text/plain"}, 415, 0, api.CodeWrongContent},
		"a form undone":     {"DELETE", "/api/v1/findings/f-1/verdict", ``, []string{"Content-Type", ""}, 415, 0, api.CodeWrongContent},
		"by a foreign name": {"PUT", "/api/v1/findings/f-1/verdict", word, []string{"Host", "evil.example"}, 421, 0, api.CodeForbidden},
		"by another site":   {"PUT", "/api/v1/findings/f-1/verdict", word, []string{"Sec-Fetch-Site", "cross-site"}, 403, 0, api.CodeForbidden},
		"by another origin": {"PUT", "/api/v1/findings/f-1/verdict", word, []string{"Origin", "http://evil.example"}, 403, 0, api.CodeForbidden},
		"no id":             {"PUT", "/api/v1/findings/%2e%2e/verdict", word, nil, 404, 0, api.CodeNotFound},
		"the wrong method":  {"POST", "/api/v1/findings/f-1/verdict", word, nil, 405, 0, api.CodeWrongMethod},
		"nowhere":           {"GET", "/api/v1/none", "", nil, 404, 0, api.CodeNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(2)
			got := ask(t, serving(t, rest.Config{}, s), x.method, x.path, x.body, x.head...)
			if got.code != x.code || len(s.said) != x.said {
				t.Errorf("%d with %d said, not %d with %d: %s", got.code, len(s.said), x.code, x.said, got.body)
			}
			if x.kind != "" {
				if p := got.problem(t); p.Code != x.kind {
					t.Errorf("code %q, want %q", p.Code, x.kind)
				}
			}
		})
	}
}

func TestParametersAreReadStrictly(t *testing.T) {
	t.Parallel()
	h := serving(t, rest.Config{}, newStore(3))
	for path, code := range map[string]int{
		"/api/v1/findings": 200, "/api/v1/findings?min=high&state=open&limit=1": 200, "/api/v1/findings?detected_from=2026-10-01T00:00:00Z": 200,
		"/api/v1/findings?min=worst": 400, "/api/v1/findings?state=ajar": 400, "/api/v1/findings?limit=0": 400, "/api/v1/findings?limit=501": 400,
		"/api/v1/findings?limit=x": 400, "/api/v1/findings?offset=1": 400, "/api/v1/findings?min=low&min=high": 400, "/api/v1/findings?detected_from=yesterday": 400,
		"/api/v1/findings?limit=1;min=low": 400, "/api/v1/status?x=1": 400, "/api/v1/cases?state=ajar": 400, "/api/v1/cases?state=unresolved": 200,
		"/api/v1/findings/f-001": 200, "/api/v1/findings/none": 404, "/api/v1/findings/%3Cx%3E": 404, "/api/v1/findings/" + strings.Repeat("a", 129): 404,
		"/api/v1/cases/none": 404,
	} {
		got := ask(t, h, "GET", path, "")
		if got.code != code {
			t.Errorf("%s: status %d, want %d: %s", path, got.code, code, got.body)
		}
		if code >= 400 {
			got.problem(t)
		}
	}
	if got := ask(t, h, "GET", "/api/v1/findings?limit=0", "").problem(t); !strings.Contains(got.Remedy, "from 1 to 500") {
		t.Errorf("the remedy does not say what is taken: %s", got.Remedy)
	}
}

func TestListIsPagedByCursor(t *testing.T) {
	t.Parallel()
	s := newStore(25)
	h := serving(t, rest.Config{}, s)
	var got []string
	cursor, asked := "", 0
	for {
		var list rest.FindingList
		ask(t, h, "GET", "/api/v1/findings?limit=10&cursor="+cursor, "").into(t, &list)
		for _, f := range list.Findings {
			got = append(got, f.ID)
		}
		if asked++; asked == 1 {
			// What comes in front meanwhile makes nothing come twice.
			s.mu.Lock()
			s.findings = slices.Insert(s.findings, 0, vigil.Finding{ID: "f-new", Harm: 1000})
			s.mu.Unlock()
		}
		if cursor = list.Next; cursor == "" {
			break
		}
	}
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprintf("f-%03d", i))
	}
	if diff := cmp.Diff(want, got); diff != "" || asked != 3 {
		t.Errorf("%d pages (-want +got):\n%s", asked, diff)
	}
}

func TestForeignCursorIsRefused(t *testing.T) {
	t.Parallel()
	h := serving(t, rest.Config{}, newStore(25))
	var list rest.FindingList
	ask(t, h, "GET", "/api/v1/findings?limit=10", "").into(t, &list)
	mangled := []byte(list.Next)
	mangled[len(mangled)/2] ^= 1
	for name, path := range map[string]string{
		"of another list": "/api/v1/cases?cursor=" + list.Next, "of another filter": "/api/v1/findings?min=high&cursor=" + list.Next,
		"cut": "/api/v1/findings?cursor=" + list.Next[:len(list.Next)-3], "mangled": "/api/v1/findings?cursor=" + string(mangled),
		"made up": "/api/v1/findings?cursor=AQ", "no base64": "/api/v1/findings?cursor=%25", "of a later version": "/api/v1/findings?cursor=Ag" + list.Next[2:],
	} {
		got := ask(t, h, "GET", path, "")
		if p := got.problem(t); got.code != 400 || !strings.Contains(p.Remedy, "cursor") {
			t.Errorf("%s: status %d: %s", name, got.code, got.body)
		}
	}
	if got := ask(t, h, "GET", "/api/v1/findings?limit=3&cursor="+list.Next, ""); got.code != 200 {
		t.Errorf("another limit: status %d", got.code)
	}
}

func TestAnswerIsJSONWhateverItHolds(t *testing.T) {
	t.Parallel()
	s := newStore(1)
	s.findings[0].Sentence, s.findings[0].Harm, s.findings[0].Evidence, s.findings[0].Threshold = "<script>\xff\u2028", math.Inf(1), math.NaN(), math.Inf(-1)
	h := serving(t, rest.Config{}, s)
	got := ask(t, h, "GET", "/api/v1/findings/f-000", "")
	var f vigil.Finding
	got.into(t, &f)
	if f.Harm != math.MaxFloat64 || f.Evidence != 0 || f.Threshold != -math.MaxFloat64 {
		t.Errorf("numbers: %v %v %v", f.Harm, f.Evidence, f.Threshold)
	}
	if strings.ContainsAny(got.body, "<>") || !strings.Contains(got.body, `"contributions":[]`) || got.head.Get("Content-Type") != "application/json; charset=utf-8" {
		t.Errorf("%s: %s", got.head.Get("Content-Type"), got.body)
	}
	if got := ask(t, h, "GET", "/api/v1/cases?state=resolved", ""); !strings.Contains(got.body, `"cases":[]`) {
		t.Errorf("an empty list: %s", got.body)
	}
}

func TestCaseHasARevision(t *testing.T) {
	t.Parallel()
	h := serving(t, rest.Config{}, newStore(1))
	got := ask(t, h, "GET", "/api/v1/cases/c-1", "")
	if tag := got.head.Get("ETag"); tag != `"7"` || !strings.Contains(got.body, `"events":[]`) {
		t.Errorf("tag %s: %s", tag, got.body)
	}
	if again := ask(t, h, "GET", "/api/v1/cases/c-1", "", "If-None-Match", `"7"`); again.code != 304 || again.body != "" {
		t.Errorf("unchanged: %d %q", again.code, again.body)
	}
	if other := ask(t, h, "GET", "/api/v1/cases/c-1", "", "If-None-Match", `"6"`); other.code != 200 {
		t.Errorf("changed: %d", other.code)
	}
}

func TestErrorsTellNothingOfTheInsideAndAreLoggedOnce(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := newStore(1)
	h := serving(t, rest.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}, s)
	s.err = errors.New("open /secret/path: canary\nlevel=ERROR forged")
	for _, path := range []string{"/api/v1/findings", "/api/v1/findings/f-000", "/api/v1/status", "/api/v1/cases", "/api/v1/cases/c-1"} {
		got := ask(t, h, "GET", path, "")
		if got.code != 500 || strings.Contains(got.body, "canary") || got.problem(t).Code != api.CodeInside {
			t.Errorf("%s: %d %s", path, got.code, got.body)
		}
	}
	log.Reset()
	for range 5 {
		ask(t, h, "GET", "/api/v1/status", "")
	}
	if n := strings.Count(log.String(), "canary"); n != 1 {
		t.Errorf("a repeating error was logged %d times", n)
	}
	if strings.Contains(log.String(), "\nlevel=ERROR forged") {
		t.Error("a line of the log was forged")
	}
	s.err = fmt.Errorf("%w: disk full", api.ErrUnrecorded)
	if got := ask(t, h, "GET", "/api/v1/findings", ""); got.code != 503 || got.problem(t).Code != api.CodeUnrecorded || got.head.Get("Retry-After") != "1" {
		t.Errorf("a look that can't be recorded: %d %s", got.code, got.body)
	}
	s.err = context.DeadlineExceeded
	if got := ask(t, h, "GET", "/api/v1/findings", ""); got.code != 504 || got.problem(t).Code != api.CodeSlow {
		t.Errorf("slow: %d", got.code)
	}
	s.err = nil
	if got := ask(t, h, "GET", "/api/v1/findings", ""); got.code != 200 || !strings.Contains(log.String(), "all works again") {
		t.Errorf("recovered: %d", got.code)
	}
}

// A service that is not there has no address.
func TestWhatIsNotThereIsNotAnswered(t *testing.T) {
	t.Parallel()
	h, err := rest.New(rest.Config{}, rest.Services{Reader: newStore(0)})
	if err != nil {
		t.Fatal(err)
	}
	all := h.Handlers()
	if all["GET /api/v1/findings"] == nil || all["PUT /api/v1/findings/{id}/verdict"] != nil || all["GET /api/v1/reports"] != nil {
		t.Errorf("%d handlers", len(all))
	}
	if _, err := rest.New(rest.Config{}, rest.Services{}); err == nil {
		t.Error("an API over nothing was made")
	}
}
