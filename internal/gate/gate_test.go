package gate_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/gate"
)

// table is a small one for these tests.
func table() []access.Route {
	return []access.Route{
		{Method: "GET", Pattern: "/{$}", Kind: access.KindPage, Deed: access.DeedLook},
		{Method: "GET", Pattern: "/open", Kind: access.KindFile, Deed: access.DeedPublic},
		{Method: "POST", Pattern: "/sign-in", Kind: access.KindForm, Deed: access.DeedPublic},
		{Method: "POST", Pattern: "/judge", Kind: access.KindForm, Deed: access.DeedVerdict},
		{Method: "GET", Pattern: "/names", Kind: access.KindPage, Deed: access.DeedReaders, Fresh: true},
		{Method: "GET", Pattern: "/names.csv", Kind: access.KindFile, Deed: access.DeedReaders, Fresh: true},
		{Method: "POST", Pattern: "/api/judge", Kind: access.KindAPI, Deed: access.DeedVerdict},
	}
}

func now() time.Time { return time.Date(2026, 11, 3, 12, 0, 0, 0, time.UTC) }

func build(t *testing.T, cfg gate.Config, who api.Person, extra ...gate.Handlers) (*gate.Gate, error) {
	t.Helper()
	done := func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("done by " + api.PersonOf(r.Context()).By))
	}
	handlers := gate.Handlers{}
	for _, r := range table() {
		handlers[r.Name()] = done
	}
	cfg.Door, cfg.Now = gate.Open(who), now
	cfg.Fail = func(w http.ResponseWriter, _ *http.Request, p *api.Problem) { http.Error(w, p.Headline, p.Status) }
	return gate.New(cfg, table(), append(extra, handlers)...)
}

func ann(roles ...access.Role) api.Person {
	return api.Person{By: "actor-ann", Roles: roles, Way: api.WaySession, Signed: now(), Form: "secret"}
}

func TestGateLetsInWhoMay(t *testing.T) {
	t.Parallel()
	responder, stale := ann(access.RoleResponder), ann(access.RoleResponder)
	stale.Signed = now().Add(-gate.FreshFor - time.Second)
	for name, x := range map[string]struct {
		who          api.Person
		method, path string
		body         string
		head         []string
		code         int
	}{
		"a page":                      {who: responder, path: "/", code: 200},
		"nobody is led to sign in":    {path: "/?min=high", code: 303},
		"what is public":              {path: "/open", code: 200},
		"a form":                      {who: responder, method: "POST", path: "/judge", body: "form=secret", code: 200},
		"a form without its secret":   {who: responder, method: "POST", path: "/judge", body: "word=breach", code: 403},
		"a form of another session":   {who: responder, method: "POST", path: "/judge", body: "form=other", code: 403},
		"a form whose secret is seen": {who: responder, method: "POST", path: "/judge?form=secret", code: 403},
		"a form of another site":      {who: responder, method: "POST", path: "/judge", body: "form=secret", head: []string{"Origin", "https://evil.example"}, code: 403},
		"a form of our own site":      {who: responder, method: "POST", path: "/judge", body: "form=secret", head: []string{"Origin", "http://localhost:8080"}, code: 200},
		"a form sent across sites":    {who: responder, method: "POST", path: "/judge", body: "form=secret", head: []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "document"}, code: 403},
		"a role that may not":         {who: ann(access.RoleViewer), method: "POST", path: "/judge", body: "form=secret", code: 403},
		"a role that may not look":    {who: ann(access.RoleAdmin), path: "/names", code: 403},
		"a proof that is old":         {who: stale, path: "/names", code: 303},
		"a proof that is fresh":       {who: responder, path: "/names", code: 200},
		"a script's deed":             {who: responder, method: "POST", path: "/api/judge", body: "{}", head: []string{"Content-Type", "application/json", gate.FormHeader, "secret"}, code: 200},
		"a script without its secret": {who: responder, method: "POST", path: "/api/judge", body: "{}", head: []string{"Content-Type", "application/json"}, code: 403},
		"text that is JSON":           {who: responder, method: "POST", path: "/api/judge", body: "{}", head: []string{"Content-Type", "text/plain", gate.FormHeader, "secret"}, code: 415},
		"nobody's script":             {method: "POST", path: "/api/judge", body: "{}", head: []string{"Content-Type", "application/json"}, code: 401},
		"a method that is not taken":  {who: responder, method: "DELETE", path: "/judge", code: 405},
		"a page that is not there":    {who: responder, method: "POST", path: "/nothing", code: 404},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g, err := build(t, gate.Config{SignIn: "/sign-in"}, x.who)
			if err != nil {
				t.Fatal(err)
			}
			method := x.method
			if method == "" {
				method = http.MethodGet
			}
			r := httptest.NewRequestWithContext(t.Context(), method, x.path, strings.NewReader(x.body))
			r.Host, r.RemoteAddr = "localhost:8080", "127.0.0.1:999"
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			for i := 0; i+1 < len(x.head); i += 2 {
				if x.head[i] == "Peer" {
					r.RemoteAddr = x.head[i+1]
					continue
				}
				r.Header.Set(x.head[i], x.head[i+1])
			}
			w := httptest.NewRecorder()
			g.ServeHTTP(w, r)
			if w.Code != x.code {
				t.Errorf("status %d, want %d: %s", w.Code, x.code, w.Body)
			}
			if w.Code == 303 && !strings.HasPrefix(w.Header().Get("Location"), "/sign-in?") {
				t.Errorf("led to %q", w.Header().Get("Location"))
			}
			if w.Header().Get("Content-Security-Policy") == "" {
				t.Error("an answer without a policy")
			}
		})
	}
}

func TestGateRefusesWhatHasNoRow(t *testing.T) {
	t.Parallel()
	if _, err := build(t, gate.Config{}, ann(), gate.Handlers{"GET /secret": nil}); err == nil {
		t.Error("a handler without a row was taken")
	}
	if _, err := build(t, gate.Config{}, ann(), gate.Handlers{"GET /open": func(http.ResponseWriter, *http.Request) {}}); err == nil {
		t.Error("two handlers of one route were taken")
	}
}

func TestHosts(t *testing.T) {
	t.Parallel()
	g, err := build(t, gate.Config{Hosts: []string{"Vigil.Example"}}, ann())
	if err != nil {
		t.Fatal(err)
	}
	for host, code := range map[string]int{
		"localhost": 200, "localhost:1": 200, "LOCALHOST:8080": 200, "127.0.0.1:65535": 200, "[::1]:80": 200, "[::1]": 200, "vigil.example:443": 200,
		"": 421, "localhost.evil.example": 421, "evil.example": 421, "127.0.0.1.nip.io": 421, "127.0.0.2": 421, "0.0.0.0:80": 421, "localhost.": 421, "[::1%25lo]:80": 421,
		"localhost:80:80": 421,
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/open", nil)
		r.Host = host
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code != code {
			t.Errorf("host %q: status %d, want %d", host, w.Code, code)
		}
	}
	for _, bad := range []string{"", "https://x", "x:80", "a b"} {
		if _, err := build(t, gate.Config{Hosts: []string{bad}}, ann()); err == nil {
			t.Errorf("host %q was taken", bad)
		}
	}
}

func TestTooManyAtOnceAreToldToComeBack(t *testing.T) {
	t.Parallel()
	inside, release := make(chan struct{}), make(chan struct{})
	cfg := gate.Config{
		MaxInFlight: 1, Door: gate.Open(ann(access.RoleViewer)),
		Fail: func(w http.ResponseWriter, _ *http.Request, p *api.Problem) { http.Error(w, p.Headline, p.Status) },
	}
	g, err := gate.New(cfg, table(), gate.Handlers{"GET /open": func(http.ResponseWriter, *http.Request) {
		inside <- struct{}{}
		<-release
	}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/open", nil)
		r.Host = "localhost"
		g.ServeHTTP(w, r)
		return w
	}
	done := make(chan int)
	go func() { done <- ask().Code }()
	<-inside
	if got := ask(); got.Code != 503 || got.Header().Get("Retry-After") != "1" || g.Refused() != 1 {
		t.Errorf("status %d, retry after %q, refused %d", got.Code, got.Header().Get("Retry-After"), g.Refused())
	}
	close(release)
	if code := <-done; code != 200 {
		t.Errorf("the one inside: status %d", code)
	}
}

// Strangers who send forms as slowly as they can take up none of what others need.
func TestSlowStrangersKeepNobodyOut(t *testing.T) {
	t.Parallel()
	g, err := build(t, gate.Config{MaxInFlight: 2}, ann(access.RoleViewer))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path string, body io.Reader) int {
		r := httptest.NewRequestWithContext(t.Context(), method, path, body)
		r.Host = "localhost"
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		return w.Code
	}
	body, slow := io.Pipe()
	done := make(chan int)
	go func() { done <- ask(http.MethodPost, "/sign-in", body) }()
	if _, err := slow.Write([]byte("form=")); err != nil { // it is being read
		t.Fatal(err)
	}
	if code := ask(http.MethodPost, "/sign-in", strings.NewReader("form=secret")); code != http.StatusServiceUnavailable {
		t.Errorf("one more stranger: status %d", code)
	}
	if code := ask(http.MethodGet, "/", nil); code != http.StatusOK {
		t.Errorf("who is signed in: status %d", code)
	}
	_, _ = slow.Write([]byte("secret"))
	_ = slow.Close()
	if code := <-done; code != http.StatusOK {
		t.Errorf("the slow one in the end: status %d", code)
	}
}

func TestNextLeadsBack(t *testing.T) {
	t.Parallel()
	stale := ann(access.RoleResponder)
	stale.Signed = now().Add(-gate.FreshFor - time.Second)
	for path, who := range map[string]api.Person{"/names?case=c-1": {}, "/names.csv?case=c-1": stale} {
		g, err := build(t, gate.Config{SignIn: "/sign-in"}, who)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.Host = "localhost"
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		to, err := url.Parse(w.Header().Get("Location"))
		if err != nil || to.Query().Get("next") != path {
			t.Errorf("led to %q", w.Header().Get("Location"))
		}
	}
}
