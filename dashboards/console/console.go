// Package console is the web page for those who answer findings: a queue, worst
// first, and a page for each finding that explains itself.
//
// The program mounts the handler on a server of its own, which sets the time-outs.
// The handler reads through api.Reader. What people say of findings it hands to an
// api.Decider, when it is asked from this machine and not by a page of another site
// (see local). It is safe for concurrent use and keeps no state between requests but the last error it
// logged. At most Config.MaxInFlight requests are served at once; one more is told
// to come back in a second, and counted (see Handler.Refused). Reading stops when
// the client goes away or after Config.Timeout. A page is written only when it is
// complete, so an error never shows half of one; a finding whose events or
// timeline can't be read is shown without them, and says so.
//
// Pages work without JavaScript. With it they renew themselves: htmx asks for the
// page's body with the tag of the one it has, and is answered 304 until something
// changed.
package console

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vigil/dashboards/theme"
	"vigil/dashboards/view"
	"vigil/internal/api"
)

// Config is what a console is made with. The zero value is usable.
type Config struct {
	// Brand stands at the head of each page. Empty means "vigil".
	Brand string
	// Hosts are the names under which the console answers besides localhost,
	// 127.0.0.1 and [::1], without a port. A request for any other name is refused:
	// or a page elsewhere could bind its own name to this address and read along.
	Hosts []string
	// Refresh is how often an open queue asks for news; a finding's page asks a
	// third as often. Zero means 2 seconds; the least is 100 milliseconds.
	Refresh time.Duration
	// Timeout bounds the reading for one request. Zero means 10 seconds.
	Timeout time.Duration
	// MaxInFlight bounds the requests served at once. Zero means 64.
	MaxInFlight int
	// Now tells the time; nil means the clock.
	Now func() time.Time
	// Logger gets what goes wrong, when it changes. Nil means none.
	Logger *slog.Logger
	// Decider takes verdicts and exceptions; nil takes none.
	Decider api.Decider
	// Silencer takes silences; nil takes none.
	Silencer api.Silencer
	// Reporter makes audit reports, beside a Decider; nil makes none.
	Reporter api.Reporter
}

// Handler serves the console.
type Handler struct {
	cfg     Config
	reader  api.Reader
	pages   *template.Template
	assets  map[string]asset
	names   assetNames
	hosts   map[string]bool
	serve   http.Handler
	slots   chan struct{}
	refused atomic.Int64

	mu       sync.Mutex
	lastFail string // guarded by mu: what was last logged, empty when all is well
}

//go:embed *.gohtml
var templateFiles embed.FS

//go:embed assets/htmx.min.js assets/app.js assets/console.css assets/icon.svg
var assetFiles embed.FS

type asset struct {
	contentType string
	body        []byte
}

// assetNames are the addresses of the assets: they hold a hash of the content, so
// that a browser may keep them for ever and never has the wrong one.
type assetNames struct{ CSS, HTMX, App, Icon string }

// New makes a console that reads through r.
func New(cfg Config, r api.Reader) (*Handler, error) {
	if r == nil {
		return nil, errors.New("console: a reader is needed")
	}
	if cfg.Brand == "" {
		cfg.Brand = "vigil"
	}
	if cfg.Refresh == 0 {
		cfg.Refresh = 2 * time.Second
	}
	if cfg.Refresh < 100*time.Millisecond {
		return nil, fmt.Errorf("console: refresh %s is shorter than 100ms", cfg.Refresh)
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.MaxInFlight <= 0 {
		cfg.MaxInFlight = 64
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{
		cfg: cfg, reader: r, slots: make(chan struct{}, cfg.MaxInFlight),
		hosts: map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true},
	}
	for _, name := range cfg.Hosts {
		if name == "" || strings.ContainsAny(name, "/ \t") {
			return nil, fmt.Errorf("console: host %q is no name; give it without scheme, port or path", name)
		}
		if _, _, err := net.SplitHostPort(name); err == nil {
			return nil, fmt.Errorf("console: host %q: give it without the port", name)
		}
		h.hosts[strings.ToLower(strings.Trim(name, "[]"))] = true
	}
	if err := h.load(); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	h.serve = h.guard(h.routes())
	return h, nil
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.serve.ServeHTTP(w, r) }

// Refused counts the requests that were turned away because too many were being
// served.
func (h *Handler) Refused() int64 { return h.refused.Load() }

// load reads the templates and assets.
func (h *Handler) load() error {
	set, err := view.Templates()
	if err != nil {
		return fmt.Errorf("read shared templates: %w", err)
	}
	if h.pages, err = set.ParseFS(templateFiles, "*.gohtml"); err != nil {
		return fmt.Errorf("read templates: %w", err)
	}
	h.assets = map[string]asset{}
	add := func(name, ext, contentType string, body []byte) string {
		sum := sha256.Sum256(body)
		file := name + "-" + hex.EncodeToString(sum[:6]) + ext
		h.assets[file] = asset{contentType: contentType, body: body}
		return "/assets/" + file
	}
	read := func(name string) (body []byte) {
		if err == nil {
			body, err = assetFiles.ReadFile("assets/" + name)
		}
		return body
	}
	css := append([]byte(theme.CSS()), read("console.css")...)
	h.names = assetNames{
		CSS:  add("console", ".css", "text/css; charset=utf-8", css),
		HTMX: add("htmx", ".js", "text/javascript; charset=utf-8", read("htmx.min.js")),
		App:  add("app", ".js", "text/javascript; charset=utf-8", read("app.js")),
		Icon: add("icon", ".svg", "image/svg+xml", read("icon.svg")),
	}
	return err
}

// routes lists every address of the console.
func (h *Handler) routes() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", h.queue)
	mux.HandleFunc("GET /live", h.queueLive)
	mux.HandleFunc("GET /findings/{id}", h.finding)
	mux.HandleFunc("GET /findings/{id}/live", h.findingLive)
	mux.HandleFunc("GET /sources", h.sources)
	mux.HandleFunc("GET /sources/live", h.sourcesLive)
	mux.HandleFunc("GET /api/v1/findings", h.apiFindings)
	mux.HandleFunc("GET /api/v1/findings/{id}", h.apiFinding)
	mux.HandleFunc("GET /api/v1/cases", h.apiCases)
	mux.HandleFunc("GET /api/v1/cases/{id}", h.apiCase)
	mux.HandleFunc("GET /api/v1/status", h.apiStatus)
	if h.cfg.Decider != nil {
		mux.HandleFunc("POST /v1/findings/{id}/verdict", h.decide)
		mux.HandleFunc("DELETE /v1/findings/{id}/verdict", h.takeBack)
		mux.HandleFunc("POST /v1/findings/{id}/exception", h.expect)
		mux.HandleFunc("GET /v1/exceptions", h.exceptions)
		mux.HandleFunc("DELETE /v1/exceptions/{id}", h.endException)
		mux.HandleFunc("GET /v1/verdicts", h.judged)
	}
	if h.cfg.Decider != nil && h.cfg.Silencer != nil {
		mux.HandleFunc("POST /v1/silences", h.silence)
		mux.HandleFunc("GET /v1/silences", h.silences)
		mux.HandleFunc("DELETE /v1/silences/{id}", h.endSilence)
	}
	if h.cfg.Decider != nil && h.cfg.Reporter != nil {
		mux.HandleFunc("GET /v1/reports", h.reports)
		mux.HandleFunc("POST /v1/reports", h.makeReport)
		mux.HandleFunc("GET /v1/reports/{id}", h.report)
	}
	mux.HandleFunc("GET /healthz", h.health)
	mux.HandleFunc("GET /assets/{name}", h.asset)
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) { h.fail(w, r, errNoPage) })
	return mux
}

func (h *Handler) asset(w http.ResponseWriter, r *http.Request) {
	a, ok := h.assets[r.PathValue("name")]
	if !ok {
		h.fail(w, r, errNoPage)
		return
	}
	// The name changes with the content, and the content holds nothing secret.
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	w.Header().Set("Content-Type", a.contentType)
	_, _ = w.Write(a.body)
}

func (h *Handler) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if _, err := h.reader.Status(ctx); err != nil {
		h.complain("health", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("the store does not answer\n"))
		return
	}
	h.content()
	_, _ = w.Write([]byte("ok\n"))
}
