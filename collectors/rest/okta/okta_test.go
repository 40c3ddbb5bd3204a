package okta_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/collectorstest"
	"vigil/collectors/decode"
	"vigil/collectors/formats/catalog"
	"vigil/collectors/rest"
	"vigil/collectors/rest/okta"
)

// org is a server that speaks Okta's System Log API as it is documented: polling requests
// (no until), in the order of storing, with a next link on each page.
type org struct {
	srv *httptest.Server
	key *rsa.PublicKey

	mu     sync.Mutex
	events []event
	down   bool
	// epoch is in each cursor: one of another epoch is refused.
	epoch int
	// token is the good one; uses is how many requests it is good for, -1 for ever.
	tokens, uses int
	// limit is how many requests there are a minute, 0 for no limit.
	limit, asked int
	// jtis are those of assertions, which must differ.
	jtis map[string]bool
	// next, where not empty, is told as the next link.
	next string
	// denies is the code of a 403, dpop makes the token endpoint ask for a proof.
	denies string
	dpop   bool
}

type event struct {
	stored time.Time
	text   string
}

func newOrg(t testing.TB) *org {
	o := &org{uses: -1, jtis: map[string]bool{}}
	o.srv = httptest.NewServer(o)
	t.Cleanup(o.srv.Close)
	return o
}

func (o *org) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/oauth2/v1/token" {
		o.token(w, r)
		return
	}
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"errorCode":%q,"errorSummary":"Jane Doe","errorLink":%q,"errorId":"x","errorCauses":[]}`, code, code)
	}
	if auth := r.Header.Get("Authorization"); auth != "SSWS canary" && (o.uses == 0 || auth != "Bearer token-"+strconv.Itoa(o.tokens)) {
		refuse(http.StatusUnauthorized, "E0000011")
		return
	}
	if o.uses > 0 {
		o.uses--
	}
	if o.denies != "" {
		refuse(http.StatusForbidden, o.denies)
		return
	}
	o.asked++
	if o.limit > 0 {
		w.Header().Set("X-Rate-Limit-Limit", strconv.Itoa(o.limit))
		w.Header().Set("X-Rate-Limit-Remaining", strconv.Itoa(o.limit-1-o.asked%o.limit))
		w.Header().Set("X-Rate-Limit-Reset", strconv.FormatInt(time.Now().Unix()-1, 10))
		if o.asked%o.limit == 0 {
			refuse(http.StatusTooManyRequests, "E0000047")
			return
		}
	}
	q := r.URL.Query()
	limit, err := strconv.Atoi(q.Get("limit"))
	since, err2 := time.Parse(time.RFC3339, q.Get("since"))
	if r.URL.Path != "/api/v1/logs" || err != nil || err2 != nil || limit > 1000 || q.Get("until") != "" || q.Get("sortOrder") != "ASCENDING" {
		refuse(http.StatusBadRequest, "E0000001")
		return
	}
	behind := 0
	if after := q.Get("after"); after != "" {
		epoch, at, _ := strings.Cut(after, "_")
		if behind, err = strconv.Atoi(at); err != nil || epoch != strconv.Itoa(o.epoch) {
			refuse(http.StatusBadRequest, "E0000031")
			return
		}
	}
	var page []json.RawMessage
	for i, e := range o.events {
		if i < behind || e.stored.Before(since) {
			continue
		}
		if len(page) == limit {
			break
		}
		page, behind = append(page, json.RawMessage(e.text)), i+1
	}
	w.Header().Add("Link", fmt.Sprintf(`<%s%s>; rel="self"`, o.srv.URL, r.URL.RequestURI()))
	q.Set("after", strconv.Itoa(o.epoch)+"_"+strconv.Itoa(behind))
	next := o.srv.URL + r.URL.Path + "?" + q.Encode()
	if o.next != "" {
		next = o.next
	}
	w.Header().Add("Link", fmt.Sprintf(`<%s>; rel="next"`, next))
	if page == nil {
		page = []json.RawMessage{}
	}
	_ = json.NewEncoder(w).Encode(page)
}

// token checks an assertion as Okta does.
func (o *org) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(code string) {
		w.WriteHeader(http.StatusUnauthorized)
		fmt.Fprintf(w, `{"error":%q,"error_description":"Jane Doe"}`, code)
	}
	parts := strings.Split(r.PostFormValue("client_assertion"), ".")
	if o.key == nil || len(parts) != 3 || r.PostFormValue("grant_type") != "client_credentials" ||
		r.PostFormValue("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		refuse("invalid_client")
		return
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	sig, _ := base64.RawURLEncoding.DecodeString(parts[2])
	body, _ := base64.RawURLEncoding.DecodeString(parts[1])
	head, _ := base64.RawURLEncoding.DecodeString(parts[0])
	var claims struct {
		Iss, Sub, Aud, Jti string
		Iat, Exp           int64
	}
	switch now := time.Now().Unix(); {
	case rsa.VerifyPKCS1v15(o.key, crypto.SHA256, sum[:], sig) != nil, json.Unmarshal(body, &claims) != nil, claims.Iss != "0oa1", claims.Sub != "0oa1",
		claims.Aud != o.srv.URL+"/oauth2/v1/token", claims.Exp < now, claims.Exp > now+3600, claims.Iat > now+5, claims.Jti == "", o.jtis[claims.Jti],
		!strings.Contains(string(head), `"kid":"key-1"`):
		refuse("invalid_client")
		return
	case r.PostFormValue("scope") != "okta.logs.read":
		refuse("invalid_scope")
		return
	case o.dpop:
		refuse("invalid_dpop_proof")
		return
	}
	o.jtis[claims.Jti] = true
	o.tokens++
	if o.uses == 0 {
		o.uses = 4
	}
	fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3600,"access_token":"token-%d","scope":"okta.logs.read"}`, o.tokens)
}

func (o *org) Write(_ context.Context, rs ...collectorstest.Record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range rs {
		o.store(r, time.Now())
	}
	return nil
}

// store adds an event: the account of a customer is suspended.
func (o *org) store(r collectorstest.Record, stored time.Time) {
	published := r.Time.UTC().Format("2006-01-02T15:04:05.000Z")
	if r.Poison {
		published = "yesterday"
	}
	o.events = append(o.events, event{stored, fmt.Sprintf(
		`{"actor":{"id":"00u1","type":"User","alternateId":"agent-%d@example.com"},"client":{"ipAddress":"192.0.2.10"},"displayMessage":"x","eventType":"user.lifecycle.suspend","outcome":{"result":"SUCCESS"},"published":%q,"severity":"INFO","debugContext":{},"securityContext":{},"target":[{"id":"00u%d","type":"User","alternateId":"c%d"}],"uuid":"uuid-%d","version":"0"}`,
		r.N%7, published, r.N, r.N, r.N)})
}

func (o *org) Down(context.Context) error { return o.set(func() { o.down = true }) }

func (o *org) Up(context.Context) error { return o.set(func() { o.down = false }) }

func (o *org) set(f func()) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
	return nil
}

func (o *org) config() okta.Config {
	return okta.Config{Decode: decode.Config{Source: "okta", Formats: catalog.All()}, URL: o.srv.URL, Token: "canary", Poll: 5 * time.Millisecond}
}

func (o *org) Collector() (collectors.Collector, error) { return okta.New(o.config(), okta.Options{}) }

func TestSuite(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: "okta", Peer: func(t *testing.T) collectorstest.Peer { return newOrg(t) }})
}

// TestSuiteLimited runs the suite against an organisation with few requests a minute, whose
// windows end at once.
func TestSuiteLimited(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: "okta", Peer: func(t *testing.T) collectorstest.Peer {
		o := newOrg(t)
		o.limit = 3
		return o
	}})
}

func run(t *testing.T, cfg okta.Config, o *collectorstest.Oracle, until int) {
	t.Helper()
	c, err := okta.New(cfg, okta.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, o.Position(), o) }()
	o.AwaitRecords(t, until)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, p *org, first, n int) {
	t.Helper()
	for i := range n {
		if err := p.Write(t.Context(), collectorstest.Record{N: first + i, Time: time.Now()}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestServiceApp shows who asks by a signed assertion, with tokens that end soon.
func TestServiceApp(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := newOrg(t)
	p.key, p.uses = &key.PublicKey, 0
	cfg := p.config()
	cfg.Token, cfg.ClientID, cfg.KeyID = "", "0oa1", "key-1"
	cfg.PrivateKey = rest.Secret(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	write(t, p, 1, 8500)
	o := collectorstest.NewOracle("okta", nil)
	run(t, cfg, o, 8500)
	o.Check(t, 8500)
	_ = p.set(func() {
		if p.tokens < 2 {
			t.Errorf("%d tokens were got; they are good for four requests", p.tokens)
		}
	})
	for name, change := range map[string]func(){
		"proof of possession": func() { p.dpop = true },
		"check client_id":     func() { p.key = nil },
	} {
		_ = p.set(func() { p.uses = 0; change() })
		c, err := okta.New(cfg, okta.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(t.Context()); err == nil || !strings.Contains(strings.ToLower(err.Error()), name) || strings.Contains(err.Error(), "Doe") {
			t.Errorf("%v, want %q", err, name)
		}
	}
}

// TestStoredLate has events that were published long before they were stored: they come in
// the order of storing.
func TestStoredLate(t *testing.T) {
	t.Parallel()
	p := newOrg(t)
	o := collectorstest.NewOracle("okta", nil)
	write(t, p, 1, 5)
	run(t, p.config(), o, 5)
	_ = p.set(func() { p.store(collectorstest.Record{N: 6, Time: time.Now().Add(-26 * time.Hour)}, time.Now()) })
	run(t, p.config(), o, 6)
	o.Check(t, 6)
}

// TestCursorLost has a position whose cursor Okta no longer takes.
func TestCursorLost(t *testing.T) {
	t.Parallel()
	p := newOrg(t)
	o := collectorstest.NewOracle("okta", nil)
	write(t, p, 1, 1500)
	run(t, p.config(), o, 1500)
	_ = p.set(func() { p.epoch++ })
	write(t, p, 1501, 10)
	run(t, p.config(), o, 1510)
	o.Check(t, 1510)
	told := o.Lapses()
	if len(told) != 1 || told[0].Kind != vigil.LapseReset {
		t.Errorf("lapses %+v", told)
	}
}

// TestRefusals shows what is said of rights that are missing and of links elsewhere.
func TestRefusals(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("another server was asked, with %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(inside.Close)
	for _, test := range []struct {
		name, want string
		change     func(*okta.Config, *org)
	}{
		{"token", "30 days", func(c *okta.Config, _ *org) { c.Token = "canary-2" }},
		{"right", "okta.logs.read", func(_ *okta.Config, p *org) { p.denies = "E0000006" }},
		{"elsewhere", "set url to it", func(_ *okta.Config, p *org) { p.next = inside.URL + "/api/v1/logs?after=1" }},
	} {
		p := newOrg(t)
		cfg := p.config()
		test.change(&cfg, p)
		c, err := okta.New(cfg, okta.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = c.Run(t.Context(), nil, collectorstest.NewOracle("okta", nil))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "Doe") {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := newOrg(t).config()
	for name, change := range map[string]func(*okta.Config){
		"no url": func(c *okta.Config) { c.URL = "" }, "nobody": func(c *okta.Config) { c.Token = "" },
		"both":   func(c *okta.Config) { c.ClientID = "x" },
		"no key": func(c *okta.Config) { c.Token, c.ClientID = "", "x" },
		"key":    func(c *okta.Config) { c.Token, c.ClientID, c.PrivateKey = "", "x", "canary" },
		"source": func(c *okta.Config) { c.Decode.Source = "" },
	} {
		cfg := good
		change(&cfg)
		if _, err := okta.New(cfg, okta.Options{}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text := fmt.Sprintf("%+v %#v", good, good); strings.Contains(text, "canary") {
		t.Error(text)
	}
}

func BenchmarkOkta(b *testing.B) {
	const all = 1000
	var page strings.Builder
	p := &org{}
	for n := range all {
		p.store(collectorstest.Record{N: n, Time: time.Now()}, time.Now())
		if n > 0 {
			page.WriteByte(',')
		}
		page.WriteString(p.events[n].text)
	}
	asked := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("Link", fmt.Sprintf(`</api/v1/logs?after=%d>; rel="next"`, asked))
		io.WriteString(w, "["+strings.ReplaceAll(page.String(), `"uuid":"`, fmt.Sprintf(`"uuid":"%d-`, asked))+"]")
	}))
	b.Cleanup(s.Close)
	c, err := okta.New(okta.Config{Decode: decode.Config{Source: "okta", Formats: catalog.All()}, URL: s.URL, Token: "x"}, okta.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	n, want := 0, b.N
	b.ResetTimer()
	err = c.Run(ctx, nil, collectors.SinkFunc(func(_ context.Context, batch collectors.Batch) error {
		if n += len(batch.Events); n >= want {
			cancel()
		}
		return nil
	}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}
