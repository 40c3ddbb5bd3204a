package salesforce_test

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
	"regexp"
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
	"vigil/collectors/rest/salesforce"
)

const header = `"EVENT_TYPE","TIMESTAMP","REQUEST_ID","ORGANIZATION_ID","USER_ID","RUN_TIME","URI","LOGIN_KEY","USER_TYPE","REQUEST_STATUS","CLIENT_NAME","METHOD_NAME","ENTITY_NAME","ROWS_PROCESSED","TIMESTAMP_DERIVED","CLIENT_IP","URI_ID_DERIVED"` + "\r\n"

// org is a server that speaks Salesforce's API as it is documented: tokens, SOQL with
// pages, downloads, its limit's header.
type org struct {
	srv *httptest.Server
	key *rsa.PublicKey

	mu    sync.Mutex
	files []file
	down  bool
	// tokens are those given; uses is how many requests one is good for, -1 for ever.
	tokens, uses int
	// per is how many files a page of the list has.
	per int
	// locators are the lists that go on; forget refuses that many of them.
	locators map[string][]file
	forget   int
	// instance is told as instance_url; empty is the server's own.
	instance string
	// cut ends that many downloads in the middle.
	cut int
	// refuse answers lists with this code, 400.
	refuse string
	queries,
	downloads int
	usage     string
	elsewhere string
}

type file struct {
	id, kind string
	sequence int
	created  time.Time
	text     string
	length   int
	gone     bool
}

func newOrg(t testing.TB) *org {
	o := &org{uses: -1, per: 3, locators: map[string][]file{}}
	o.srv = httptest.NewServer(o)
	t.Cleanup(o.srv.Close)
	return o
}

var soql = regexp.MustCompile(`^SELECT Id, EventType, LogDate, LogFileLength, Sequence, CreatedDate FROM EventLogFile WHERE Interval = '(Hourly|Daily)' AND CreatedDate >= (\S+Z)( AND EventType IN \('[A-Za-z', ]+'\))? ORDER BY CreatedDate ASC( LIMIT 1)?$`)

func (o *org) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.down {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	if r.URL.Path == "/services/oauth2/token" {
		o.token(w, r)
		return
	}
	refuse := func(status int, code string) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `[{"message":"Jane Doe","errorCode":%q}]`, code)
	}
	if r.Header.Get("Authorization") != "Bearer token-"+strconv.Itoa(o.tokens) || o.uses == 0 {
		refuse(http.StatusUnauthorized, "INVALID_SESSION_ID")
		return
	}
	if o.uses > 0 {
		o.uses--
	}
	w.Header().Set("Sforce-Limit-Info", "api-usage=18/5000")
	if o.usage != "" {
		w.Header().Set("Sforce-Limit-Info", o.usage)
	}
	const data = "/services/data/v60.0/"
	switch path := r.URL.Path; {
	case path == data+"query":
		o.queries++
		m := soql.FindStringSubmatch(r.URL.Query().Get("q"))
		if o.refuse != "" || m == nil {
			code := o.refuse
			if m == nil {
				code = "MALFORMED_QUERY"
			}
			status := http.StatusBadRequest
			if code == "REQUEST_LIMIT_EXCEEDED" {
				status = http.StatusForbidden
			}
			refuse(status, code)
			return
		}
		since, _ := time.Parse(time.RFC3339, m[2])
		var found []file
		for _, f := range o.files {
			if !f.created.Truncate(time.Second).Before(since) && (m[3] == "" || strings.Contains(m[3], "'"+f.kind+"'")) {
				found = append(found, f)
			}
		}
		o.list(w, found)
	case strings.HasPrefix(path, data+"query/"):
		rest, ok := o.locators[strings.TrimPrefix(path, data+"query/")]
		if !ok || o.forget > 0 {
			o.forget--
			refuse(http.StatusBadRequest, "INVALID_QUERY_LOCATOR")
			return
		}
		o.list(w, rest)
	case strings.HasPrefix(path, data+"sobjects/EventLogFile/") && strings.HasSuffix(path, "/LogFile"):
		o.download(w, strings.TrimSuffix(strings.TrimPrefix(path, data+"sobjects/EventLogFile/"), "/LogFile"))
	default:
		refuse(http.StatusNotFound, "NOT_FOUND")
	}
}

func (o *org) list(w http.ResponseWriter, files []file) {
	page := files[:min(len(files), o.per)]
	records := []map[string]any{}
	for _, f := range page {
		records = append(records, map[string]any{
			"attributes": map[string]any{"type": "EventLogFile", "url": "/services/data/v60.0/sobjects/EventLogFile/" + f.id},
			"Id":         f.id, "EventType": f.kind, "LogDate": f.created.Add(-3 * time.Hour).UTC().Format("2006-01-02T15:00:00.000+0000"),
			"LogFileLength": float64(f.length), "Sequence": f.sequence, "CreatedDate": f.created.UTC().Format("2006-01-02T15:04:05.000+0000"),
			"LogFile": "http://127.0.0.1:1/services/data/v60.0/sobjects/EventLogFile/" + f.id + "/LogFile",
		})
	}
	answer := map[string]any{"totalSize": len(files), "done": len(files) <= o.per, "records": records}
	if len(files) > o.per {
		locator := fmt.Sprintf("01g%d-%d", len(o.locators), o.per)
		o.locators[locator] = files[o.per:]
		answer["nextRecordsUrl"] = "/services/data/v60.0/query/" + locator
	}
	if o.elsewhere != "" {
		answer["done"], answer["nextRecordsUrl"] = false, o.elsewhere
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func (o *org) download(w http.ResponseWriter, id string) {
	o.downloads++
	for _, f := range o.files {
		if f.id != id {
			continue
		}
		if f.gone {
			break
		}
		w.Header().Set("Content-Type", "application/octetstream")
		if o.cut > 0 {
			o.cut--
			w.Header().Set("Content-Length", strconv.Itoa(len(f.text)))
			io.WriteString(w, f.text[:len(f.text)*2/3])
			panic(http.ErrAbortHandler)
		}
		io.WriteString(w, f.text)
		return
	}
	w.WriteHeader(http.StatusNotFound)
	io.WriteString(w, `[{"errorCode":"NOT_FOUND","message":"x"}]`)
}

func (o *org) token(w http.ResponseWriter, r *http.Request) {
	refuse := func(code string) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":%q,"error_description":"Jane Doe"}`, code)
	}
	switch r.PostFormValue("grant_type") {
	case "client_credentials":
		if r.PostFormValue("client_id") != "3MVG" || r.PostFormValue("client_secret") != "canary" {
			refuse("invalid_client")
			return
		}
	case "urn:ietf:params:oauth:grant-type:jwt-bearer":
		parts := strings.Split(r.PostFormValue("assertion"), ".")
		if o.key == nil || len(parts) != 3 {
			refuse("invalid_grant")
			return
		}
		sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
		sig, _ := base64.RawURLEncoding.DecodeString(parts[2])
		body, _ := base64.RawURLEncoding.DecodeString(parts[1])
		var claims struct {
			Iss, Sub, Aud string
			Exp           int64
		}
		now := time.Now().Unix()
		if rsa.VerifyPKCS1v15(o.key, crypto.SHA256, sum[:], sig) != nil || json.Unmarshal(body, &claims) != nil || claims.Iss != "3MVG" ||
			claims.Sub != "vigil@acme.example" || claims.Aud != "https://login.salesforce.com" || claims.Exp < now || claims.Exp > now+300 {
			refuse("invalid_grant")
			return
		}
	default:
		refuse("unsupported_grant_type")
		return
	}
	o.tokens++
	if o.uses == 0 {
		o.uses = 4
	}
	at := o.instance
	if at == "" {
		at = o.srv.URL
	}
	fmt.Fprintf(w, `{"access_token":"token-%d","signature":"x","instance_url":%q,"id":"https://login.salesforce.com/id/00D/005","token_type":"Bearer","issued_at":"1"}`, o.tokens, at)
}

// row is a record as a line: the read of an account. One that can't be read lacks values.
func row(r collectorstest.Record) string {
	if r.Poison {
		return fmt.Sprintf(`"API","20261102090000.000","poison-%d"`+"\r\n", r.N)
	}
	at := r.Time.UTC()
	return fmt.Sprintf(`"API","%s","req-%d","00D5j000000EXAM","0055j00000AT%03d","60","Api","lk","Standard","S","Client, with ""quotes"" and`+"\n"+`a line","query","Account","%d","%s","192.0.2.10","0015j%010d"`+"\r\n",
		at.Format("20060102150405.000"), r.N, r.N%7, r.N, at.Format("2006-01-02T15:04:05.000Z"), r.N)
}

// numberOf takes a record's number from the rows that it tells.
func numberOf(e *vigil.Event) int { return int(e.Rows) }

// add makes a file of rows.
func (o *org) add(kind string, sequence int, rows ...string) {
	text := header + strings.Join(rows, "")
	o.files = append(o.files, file{id: fmt.Sprintf("0AT%015d", len(o.files)), kind: kind, sequence: sequence, created: time.Now(), text: text, length: len(text)})
}

// Write makes a file of the records, and one that repeats the last of them, as files with
// a higher sequence number may.
func (o *org) Write(_ context.Context, rs ...collectorstest.Record) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var rows []string
	for _, r := range rs {
		rows = append(rows, row(r))
	}
	o.add("API", 1, rows...)
	if last := rs[len(rs)-1]; !last.Poison {
		o.add("API", 2, row(last))
	}
	return nil
}

func (o *org) Down(context.Context) error { return o.set(func() { o.down = true }) }

func (o *org) Up(context.Context) error { return o.set(func() { o.down = false }) }

func (o *org) set(f func()) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	f()
	return nil
}

func (o *org) config() salesforce.Config {
	return salesforce.Config{
		Decode: decode.Config{Source: "salesforce", Formats: catalog.All()}, URL: o.srv.URL, ClientID: "3MVG", ClientSecret: "canary", Poll: 10 * time.Millisecond,
	}
}

func (o *org) Collector() (collectors.Collector, error) {
	return salesforce.New(o.config(), salesforce.Options{})
}

func TestSuite(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: "salesforce", Number: numberOf, Peer: func(t *testing.T) collectorstest.Peer { return newOrg(t) }})
}

// TestSuiteLarge runs the suite with files of several batches and sessions that end.
func TestSuiteLarge(t *testing.T) {
	t.Parallel()
	collectorstest.Run(t, collectorstest.Way{Source: "salesforce", Number: numberOf, Records: 1100, Peer: func(t *testing.T) collectorstest.Peer {
		o := newOrg(t)
		o.uses = 0
		return o
	}})
}

func records(first, n int) []collectorstest.Record {
	out := make([]collectorstest.Record, n)
	for i := range out {
		out[i] = collectorstest.Record{N: first + i, Time: time.Now()}
	}
	return out
}

// start runs a collector from the oracle's position on.
func start(t *testing.T, cfg salesforce.Config, o *collectorstest.Oracle) (stop func()) {
	t.Helper()
	c, err := salesforce.New(cfg, salesforce.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx, o.Position(), o) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestBearer signs in by a key.
func TestBearer(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := newOrg(t)
	p.key = &key.PublicKey
	cfg := p.config()
	cfg.ClientSecret, cfg.Username = "", "vigil@acme.example"
	cfg.PrivateKey = rest.Secret(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	_ = p.Write(t.Context(), records(1, 10)...)
	o := collectorstest.NewOracle("salesforce", numberOf)
	stop := start(t, cfg, o)
	o.AwaitRecords(t, 10)
	stop()
	o.Check(t, 10)
}

// TestCutDownloads ends downloads in the middle: a restart goes on behind what was handed
// over.
func TestCutDownloads(t *testing.T) {
	t.Parallel()
	p := newOrg(t)
	_ = p.Write(t.Context(), records(1, 3000)...)
	p.cut = 1
	c, err := salesforce.New(p.config(), salesforce.Options{})
	if err != nil {
		t.Fatal(err)
	}
	o := collectorstest.NewOracle("salesforce", numberOf)
	if err := c.Run(t.Context(), nil, o); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Fatalf("%v, want that it is cut off", err)
	}
	before := len(idsOf(o, 3000))
	if before < 1000 || before > 2500 {
		t.Errorf("%d rows were handed over of two thirds of 3000", before)
	}
	// From there on, only the rest is handed over.
	again := 0
	ctx, cancel := context.WithCancel(t.Context())
	if c, err = salesforce.New(p.config(), salesforce.Options{}); err != nil {
		t.Fatal(err)
	}
	err = c.Run(ctx, o.Position(), collectors.SinkFunc(func(ctx context.Context, b collectors.Batch) error {
		again += len(b.Events)
		if err := o.Accept(ctx, b); err != nil {
			return err
		}
		if o.Event(3000) != nil {
			cancel()
		}
		return nil
	}))
	if err != nil {
		t.Error(err)
	}
	o.Check(t, 3000)
	if again != 3000-before {
		t.Errorf("%d rows were handed over again", again-(3000-before))
	}
}

func idsOf(o *collectorstest.Oracle, n int) (there []int) {
	for i := 1; i <= n; i++ {
		if o.Event(i) != nil {
			there = append(there, i)
		}
	}
	return there
}

// TestLateFiles has a file of an earlier hour that is created late, with a higher sequence
// number, one that grew, and others' types that are not asked for.
func TestLateFiles(t *testing.T) {
	t.Parallel()
	p := newOrg(t)
	cfg := p.config()
	cfg.Events = []string{"API", "Report"}
	o := collectorstest.NewOracle("salesforce", numberOf)
	stop := start(t, cfg, o)
	defer stop()
	rs := records(1, 40)
	for i := range rs {
		rs[i].Time = rs[i].Time.Add(-5 * time.Hour)
	}
	_ = p.Write(t.Context(), rs[:20]...)
	o.AwaitRecords(t, 20)
	_ = p.set(func() {
		p.add("URI", 1, row(collectorstest.Record{N: 99, Time: time.Now()}))
		p.add("API", 2, row(rs[19]), row(rs[20]))
		p.files[len(p.files)-1].created = time.Now().Add(-time.Hour)
	})
	o.AwaitRecords(t, 21)
	_ = p.set(func() {
		f := &p.files[len(p.files)-1]
		for _, r := range rs[21:] {
			f.text += row(r)
		}
		f.length = len(f.text)
	})
	o.AwaitRecords(t, 40)
	o.Check(t, 40)
}

// TestListAges refuses to go on with a list, once and always.
func TestListAges(t *testing.T) {
	t.Parallel()
	p := newOrg(t)
	for n := 1; n <= 20; n++ {
		p.add("API", 1, row(collectorstest.Record{N: n, Time: time.Now()}))
	}
	p.forget = 2
	o := collectorstest.NewOracle("salesforce", numberOf)
	stop := start(t, p.config(), o)
	o.AwaitRecords(t, 20)
	stop()
	o.Check(t, 20)
	_ = p.set(func() {
		if p.downloads != 20 {
			t.Errorf("%d downloads of 20 files", p.downloads)
		}
		p.forget = 1 << 20
	})
	c, err := salesforce.New(p.config(), salesforce.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Run(t.Context(), nil, o); err == nil || !strings.Contains(err.Error(), "INVALID_QUERY_LOCATOR") {
		t.Error(err)
	}
}

// TestOddFiles has a file that is gone, one that is no event log, one that is shorter than
// is said, an empty one and one with a huge line.
func TestOddFiles(t *testing.T) {
	t.Parallel()
	p := newOrg(t)
	p.add("API", 1, row(collectorstest.Record{N: 1, Time: time.Now()}))
	p.files[0].gone = true
	p.files = append(p.files, file{id: fmt.Sprintf("0AT%015d", 1), kind: "API", created: time.Now(), text: "<html>Sign in</html>\n<p>\n"})
	p.add("API", 1, row(collectorstest.Record{N: 1, Time: time.Now()}))
	p.files[2].length += 100
	p.add("API", 1)
	p.add("odd/kind?", 1, `"`+strings.Repeat("x", 17<<20)+`"`+"\n", row(collectorstest.Record{N: 2, Time: time.Now()}))
	o := collectorstest.NewOracle("salesforce", numberOf)
	stop := start(t, p.config(), o)
	o.AwaitRecords(t, 2)
	stop()
	o.Check(t, 2)
	kinds := map[vigil.LapseKind]int{}
	for _, l := range o.Lapses() {
		kinds[l.Kind]++
	}
	if kinds[vigil.LapseDropped] != 1 || kinds[vigil.LapseHole] != 1 || len(o.Quarantined()) != 2 {
		t.Errorf("lapses %+v, set aside %+v", o.Lapses(), o.Quarantined())
	}
}

// TestRefusals shows what is said of what is missing, and that nothing goes elsewhere.
func TestRefusals(t *testing.T) {
	t.Parallel()
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("another server was asked") }))
	t.Cleanup(inside.Close)
	for _, test := range []struct {
		want   string
		change func(*salesforce.Config, *org)
	}{
		{"check client_id and client_secret", func(c *salesforce.Config, _ *org) { c.ClientSecret = "canary-2" }},
		{"View Event Log Files", func(_ *salesforce.Config, p *org) { p.refuse = "INVALID_TYPE" }},
		{"API Enabled", func(_ *salesforce.Config, p *org) { p.refuse = "API_DISABLED_FOR_ORG" }},
		{"limit of requests", func(_ *salesforce.Config, p *org) { p.refuse = "REQUEST_LIMIT_EXCEEDED" }},
		{"limit of requests", func(_ *salesforce.Config, p *org) { p.usage = "api-usage=4990/5000" }},
		{"set url to it", func(_ *salesforce.Config, p *org) { p.instance = inside.URL }},
		{"set url to it", func(_ *salesforce.Config, p *org) { p.elsewhere = inside.URL + "/services/data/v60.0/query/01g" }},
	} {
		p := newOrg(t)
		p.add("API", 1, row(collectorstest.Record{N: 1, Time: time.Now()}))
		cfg := p.config()
		test.change(&cfg, p)
		c, err := salesforce.New(cfg, salesforce.Options{})
		if err != nil {
			t.Fatal(err)
		}
		err = c.Run(t.Context(), nil, collectorstest.NewOracle("salesforce", numberOf))
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "Doe") {
			t.Errorf("%v, want %q", err, test.want)
		}
	}
	p := newOrg(t)
	p.refuse = "INVALID_TYPE"
	c, err := salesforce.New(p.config(), salesforce.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "View Event Log Files") {
		t.Errorf("Check: %v", err)
	}
	_ = p.set(func() { p.refuse = "" })
	if err := c.Check(t.Context()); err != nil {
		t.Errorf("Check: %v", err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	good := newOrg(t).config()
	for name, change := range map[string]func(*salesforce.Config){
		"no url": func(c *salesforce.Config) { c.URL = "" }, "no id": func(c *salesforce.Config) { c.ClientID = "" },
		"no secret": func(c *salesforce.Config) { c.ClientSecret = "" }, "both": func(c *salesforce.Config) { c.PrivateKey = "x" },
		"no user":  func(c *salesforce.Config) { c.ClientSecret, c.PrivateKey = "", "canary" },
		"key":      func(c *salesforce.Config) { c.ClientSecret, c.PrivateKey, c.Username = "", "canary", "x" },
		"interval": func(c *salesforce.Config) { c.Interval = "weekly" }, "event": func(c *salesforce.Config) { c.Events = []string{"API' OR '1'='1"} },
		"negative": func(c *salesforce.Config) { c.Poll = -1 }, "source": func(c *salesforce.Config) { c.Decode.Source = "" },
	} {
		cfg := good
		change(&cfg)
		if _, err := salesforce.New(cfg, salesforce.Options{}); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if text := fmt.Sprintf("%+v %#v", good, good); strings.Contains(text, "canary") {
		t.Error(text)
	}
}

func BenchmarkSalesforce(b *testing.B) {
	p := newOrg(b)
	var rows strings.Builder
	for n := range b.N {
		rows.WriteString(row(collectorstest.Record{N: n, Time: time.Now()}))
	}
	p.add("API", 1, rows.String())
	c, err := salesforce.New(p.config(), salesforce.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	n := 0
	b.SetBytes(int64(rows.Len() / b.N))
	b.ResetTimer()
	err = c.Run(ctx, nil, collectors.SinkFunc(func(_ context.Context, batch collectors.Batch) error {
		if n += len(batch.Events); n >= b.N {
			cancel()
		}
		return nil
	}))
	if err != nil || n != b.N {
		b.Fatal(n, err)
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}
