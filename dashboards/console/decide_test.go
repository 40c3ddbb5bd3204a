package console_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"vigil"
	"vigil/dashboards/console"
	"vigil/dashboards/internal/sample"
	"vigil/internal/api"
	"vigil/internal/gate"
)

// clerk remembers what was said to it.
type clerk struct {
	api.Decider
	said []api.Saying
}

func (c *clerk) Decide(_ context.Context, s api.Saying) (vigil.Verdict, error) {
	switch s.Finding {
	case "gone":
		return vigil.Verdict{}, fmt.Errorf("finding: %w", api.ErrNotFound)
	case "settled":
		return vigil.Verdict{}, fmt.Errorf("%w: nothing to take back", api.ErrRefused)
	}
	c.said = append(c.said, s)
	return vigil.Verdict{Finding: s.Finding, Word: s.Word, By: "actor-x"}, nil
}

// What people say is taken from this machine, as JSON, and from nowhere else.
func TestVerdictsAreTakenFromThisMachineOnly(t *testing.T) {
	t.Parallel()
	c := &clerk{}
	h := serving(t, console.Config{}, console.Services{Reader: sample.NewReader(sample.Vendor()), Decider: c})
	const word = `{"word":"breach","by":"ann","note":"sure"}`
	for name, x := range map[string]struct {
		method, path, body string
		head               []string
		code, said         int
	}{
		"a verdict":          {"POST", "/v1/findings/f-1/verdict", word, nil, 200, 1},
		"taken back":         {"DELETE", "/v1/findings/f-1/verdict", `{"by":"ann"}`, nil, 200, 1},
		"a finding gone":     {"POST", "/v1/findings/gone/verdict", word, nil, 404, 0},
		"nothing to undo":    {"DELETE", "/v1/findings/settled/verdict", `{"by":"ann"}`, nil, 422, 0},
		"no such word":       {"POST", "/v1/findings/f-1/verdict", `{"word":"guilty","by":"ann"}`, nil, 422, 0},
		"no word":            {"POST", "/v1/findings/f-1/verdict", `{"by":"ann"}`, nil, 422, 0},
		"an unknown key":     {"POST", "/v1/findings/f-1/verdict", `{"word":"breach","who":"ann"}`, nil, 400, 0},
		"two bodies":         {"POST", "/v1/findings/f-1/verdict", word + word, nil, 400, 0},
		"too long":           {"POST", "/v1/findings/f-1/verdict", `{"note":"` + strings.Repeat("a", 1<<16) + `"}`, nil, 400, 0},
		"a form":             {"POST", "/v1/findings/f-1/verdict", word, []string{"Content-Type", "text/plain"}, 415, 0},
		"a form undone":      {"DELETE", "/v1/findings/f-1/verdict", `{"by":"ann"}`, []string{"Content-Type", ""}, 415, 0},
		"from afar":          {"POST", "/v1/findings/f-1/verdict", word, []string{"Peer", "192.0.2.7:99"}, 403, 0},
		"through a proxy":    {"POST", "/v1/findings/f-1/verdict", word, []string{"X-Forwarded-For", "192.0.2.7"}, 403, 0},
		"by a public name":   {"POST", "/v1/findings/f-1/verdict", word, []string{"Host", "vigil.example"}, 421, 0},
		"by a foreign name":  {"POST", "/v1/findings/f-1/verdict", word, []string{"Host", "evil.example"}, 421, 0},
		"by another site":    {"POST", "/v1/findings/f-1/verdict", word, []string{"Sec-Fetch-Site", "cross-site"}, 403, 0},
		"by another origin":  {"POST", "/v1/findings/f-1/verdict", word, []string{"Origin", "http://evil.example"}, 403, 0},
		"listed from afar":   {"GET", "/v1/verdicts", "", []string{"Peer", "192.0.2.7:99"}, 403, 0},
		"elsewhere":          {"POST", "/findings/f-1", word, nil, 405, 0},
		"no id":              {"POST", "/v1/findings/%2e%2e/verdict", word, nil, 404, 0},
		"from here, over v6": {"POST", "/v1/findings/f-1/verdict", word, []string{"Peer", "[::1]:99", "Host", "[::1]:80"}, 200, 1},
	} {
		c.said = nil
		r := httptest.NewRequestWithContext(t.Context(), x.method, x.path, strings.NewReader(x.body))
		r.Host, r.RemoteAddr = "localhost:8080", "127.0.0.1:4711"
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(gate.FormHeader, sample.Person().Form)
		for i := 0; i < len(x.head); i += 2 {
			switch x.head[i] {
			case "Host":
				r.Host = x.head[i+1]
			case "Peer":
				r.RemoteAddr = x.head[i+1]
			default:
				r.Header.Set(x.head[i], x.head[i+1])
			}
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != x.code || len(c.said) != x.said {
			t.Errorf("%s: %d with %d said, not %d with %d: %s", name, w.Code, len(c.said), x.code, x.said, w.Body)
		}
	}
	// Without somebody to take them, the console only shows.
	if a := get(t, handler(t, console.Config{}, sample.NewReader()), "/v1/findings/f-1/verdict", "Method", http.MethodPost); a.code != http.StatusNotFound {
		t.Errorf("got %d without a decider", a.code)
	}
}

func TestVerdictAndTriageAreShown(t *testing.T) {
	t.Parallel()
	f := sample.Vendor()
	f.Verdict = &vigil.Verdict{Finding: f.ID, Word: vigil.WordBreach, By: "actor-7", Note: "seen by <two>", Time: sample.Now()}
	f.Triage = &vigil.Triage{Known: true, P: .87, Why: "for it: a new network"}
	h := handler(t, console.Config{}, sample.NewReader(f))
	page := get(t, h, "/findings/"+f.ID).body
	for _, want := range []string{"<strong>Verdict</strong>a breach", "actor-7", "seen by &lt;two&gt;", "for it: a new network", "87"} {
		if !strings.Contains(page, want) {
			t.Errorf("the finding's page lacks %q", want)
		}
	}
	if list := get(t, h, "/").body; !strings.Contains(list, "verdict: a breach") || !strings.Contains(list, "with a chance of 87") {
		t.Error("the queue does not tell of the verdict or how likely it is")
	}
}
