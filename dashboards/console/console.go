// Package console is the web page for those who answer findings: a queue, worst
// first, and a page for each finding that explains itself.
//
// internal/gate stands before it: it mounts the handlers under the table of routes, and
// lets in who may. The handlers read and act through Services, in the name of who asks
// (api.PersonOf); what somebody sees or does is recorded there. It is safe for concurrent use and
// keeps no state between requests but the last error it logged. Reading stops when the
// client goes away or after Config.Timeout. A page is written only when it is complete, so
// an error never shows half of one; a finding whose events or timeline can't be read is
// shown without them, and says so.
//
// Pages work without JavaScript. With it they renew themselves: htmx asks for the
// page's body with the tag of the one it has, and is answered 304 until something
// changed.
package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"time"

	"vigil/dashboards/theme"
	"vigil/dashboards/view"
	"vigil/internal/access"
	"vigil/internal/api"
	"vigil/internal/trouble"
)

// Config is what a console is made with. The zero value is usable.
type Config struct {
	// Brand stands at the head of each page. Empty means "vigil".
	Brand string
	// Refresh is how often an open queue asks for news; a finding's page asks a
	// third as often. Zero means 2 seconds; the least is 100 milliseconds.
	Refresh time.Duration
	// Beat is how often a stream says that it is still there. Zero means 15 seconds.
	Beat time.Duration
	// Timeout bounds the reading for one request. Zero means 10 seconds.
	Timeout time.Duration
	// Now tells the time; nil means the clock.
	Now func() time.Time
	// Logger gets what goes wrong, when it changes. Nil means none.
	Logger *slog.Logger
}

// Services are what the pages read and act through. All but the Reader may be nil: what
// needs one that is not there has no page, and nothing leads to it.
type Services struct {
	api.Reader
	// Watcher tells open pages what changes as it does.
	Watcher api.Watcher
	// Worker does what people do with cases.
	Worker api.CaseWorker
	// Keeper tells what those who keep sources ask for.
	Keeper api.SourceKeeper
	// Driller stages breaches.
	Driller api.Driller
	// Explorer goes into what is behind a finding, Actors tells of single actors.
	Explorer api.FindingExplorer
	Actors   api.ActorExplorer
	// Decider takes verdicts and exceptions.
	Decider api.Decider
	// Silencer takes silences.
	Silencer api.Silencer
	// Reporter makes audit reports.
	Reporter api.Reporter
	// Notices keeps the notifications to the authority.
	Notices api.Notices
	// Subjects tells whose data a case touched, Readers who has read a customer, Revealer
	// leads pseudonyms back to names.
	Subjects api.SubjectLister
	Readers  api.ReaderFinder
	Revealer api.Revealer
	// Packs makes evidence packs.
	Packs api.Packs
	// Auditor shows the audit log.
	Auditor api.Auditor
	// ReportFiles hands over what Reporter has made.
	ReportFiles api.ReportFiles
	// Accounts lets people sign in; Guises are those of a demonstration, to which nobody
	// does.
	Accounts api.Accounts
	Guises   api.Guises
	// Tuner changes what is found, Replayer tries it on history.
	Tuner    api.Tuner
	Replayer api.Replayer
}

// Handler serves the console.
type Handler struct {
	cfg    Config
	do     Services
	reader api.Reader
	pages  *template.Template
	assets map[string]asset
	names  assetNames
	routes map[string]http.HandlerFunc

	trouble trouble.Log
	halves  halves
}

//go:embed *.gohtml
var templateFiles embed.FS

//go:embed assets/htmx.min.js assets/app.js assets/console.css assets/icon.svg assets/uPlot.iife.min.js assets/uPlot.min.css assets/plot.js
var assetFiles embed.FS

type asset struct {
	contentType string
	body        []byte
	// packed is the body as gzip.
	packed []byte
}

// assetNames are the addresses of the assets: they hold a hash of the content, so
// that a browser may keep them for ever and never has the wrong one.
type assetNames struct{ CSS, HTMX, App, Icon, UPlot, PlotCSS, Plot string }

// New makes a console over services.
func New(cfg Config, services Services) (*Handler, error) {
	if services.Reader == nil {
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
	if cfg.Beat <= 0 {
		cfg.Beat = 15 * time.Second
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	h := &Handler{cfg: cfg, do: services, reader: services.Reader, trouble: trouble.Log{Part: "console", Logger: cfg.Logger}}
	if err := h.load(); err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	h.routes = h.handlers()
	return h, nil
}

// Handlers are what the console answers, by the name of the route in access.Routes.
func (h *Handler) Handlers() map[string]http.HandlerFunc { return h.routes }

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
		h.assets[file] = asset{contentType: contentType, body: body, packed: pack(body)}
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

		UPlot:   add("uPlot", ".js", "text/javascript; charset=utf-8", read("uPlot.iife.min.js")),
		PlotCSS: add("uPlot", ".css", "text/css; charset=utf-8", read("uPlot.min.css")),
		Plot:    add("plot", ".js", "text/javascript; charset=utf-8", read("plot.js")),
	}
	return err
}

// handlers lists every address of the console, by its row in access.Routes.
func (h *Handler) handlers() map[string]http.HandlerFunc {
	out := map[string]http.HandlerFunc{
		"GET /{$}":                h.queue,
		"GET /live":               h.queueLive,
		"GET /cases/{id}":         h.caseFile,
		"GET /cases/{id}/live":    h.caseLive,
		"GET /findings/{id}":      h.finding,
		"GET /findings/{id}/live": h.findingLive,
		"GET /sources":            h.sources,
		"GET /sources/live":       h.sourcesLive,
		"GET /healthz":            h.health,
		"GET /assets/{name}":      h.asset,
	}
	if h.do.Keeper != nil {
		maps.Copy(out, map[string]http.HandlerFunc{
			"GET /sources/sight":   h.sight,
			"GET /sources/sample":  h.sample,
			"POST /sources/sample": h.readSample,
		})
	}
	if h.do.Driller != nil {
		maps.Copy(out, map[string]http.HandlerFunc{
			"GET /drills":       h.drills,
			"GET /drills/live":  h.drillsLive,
			"POST /drills":      h.startDrill,
			"POST /drills/stop": h.stopDrill,
		})
	}
	h.tuningHandlers(out)
	if h.do.Watcher != nil {
		out["GET /live/events"] = h.events
	}
	if h.do.Auditor != nil {
		out["GET /audit"], out["GET /audit/export"] = h.audit, h.auditExport
	}
	if h.do.Reporter != nil && h.do.ReportFiles != nil {
		out["GET /reports"], out["POST /reports"], out["GET /reports/{id}/{name}"] = h.reports, h.makeReport, h.reportFile
	}
	if h.do.Packs != nil {
		maps.Copy(out, map[string]http.HandlerFunc{
			"GET /cases/{id}/pack":  h.pack,
			"POST /cases/{id}/pack": h.makePack,
		})
	}
	if h.do.Explorer != nil {
		out["GET /findings/{id}/timeline.json"] = h.findingPlot
	}
	if h.do.Actors != nil {
		out["GET /actors/{id}"] = h.actor
		out["GET /actors/{id}/timeline.json"] = h.actorPlot
	}
	if h.do.Subjects != nil {
		maps.Copy(out, map[string]http.HandlerFunc{
			"GET /cases/{id}/subjects":      h.subjects,
			"GET /cases/{id}/subjects.csv":  h.subjectsFile(formCSV),
			"GET /cases/{id}/subjects.json": h.subjectsFile(formJSON),
		})
	}
	if h.do.Readers != nil {
		maps.Copy(out, map[string]http.HandlerFunc{
			"GET /readers":                  h.askReaders,
			"POST /readers":                 h.findReaders,
			"GET /readers/{id}":             h.readers,
			"GET /readers/{id}/export.csv":  h.readersFile(formCSV),
			"GET /readers/{id}/export.json": h.readersFile(formJSON),
		})
	}
	if h.do.Revealer != nil {
		maps.Copy(out, map[string]http.HandlerFunc{
			"GET /reveals":               h.reveals,
			"GET /cases/{id}/reveals":    h.caseReveals,
			"POST /cases/{id}/reveals":   h.askReveal,
			"GET /reveals/{id}":          h.reveal,
			"POST /reveals/{id}/approve": h.decideReveal(true),
			"POST /reveals/{id}/end":     h.decideReveal(false),
		})
	}
	if h.do.Worker != nil {
		maps.Copy(out, map[string]http.HandlerFunc{
			"POST /cases/seen":             h.seeAll,
			"POST /cases/verdicts":         h.judgeAll,
			"POST /cases/{id}/acknowledge": h.work(access.DeedAcknowledge, plainly("acknowledged")),
			"POST /cases/{id}/assign":      h.work(access.DeedAssign, readAssign),
			"POST /cases/{id}/snooze":      h.work(access.DeedSnooze, readSnooze),
			"POST /cases/{id}/note":        h.work(access.DeedNote, plainly("noted")),
			"POST /cases/{id}/verdict":     h.work(access.DeedVerdict, readVerdict),
			"POST /cases/{id}/aware":       h.work(access.DeedAware, readAware),
			"POST /cases/{id}/exception":   h.expect,
			"POST /cases/{id}/ask":         h.ask,
		})
	}
	if h.do.Decider != nil {
		out["GET /exceptions"], out["POST /exceptions/{id}/end"] = h.exceptionsPage, h.endException
	}
	if h.do.Silencer != nil {
		maps.Copy(out, map[string]http.HandlerFunc{
			"GET /silences": h.silencesPage, "POST /silences": h.silence, "POST /silences/{id}/end": h.endSilence,
		})
	}
	if h.do.Notices != nil {
		maps.Copy(out, map[string]http.HandlerFunc{
			"GET /cases/{id}/notice":        h.notice,
			"POST /cases/{id}/notice":       h.writeNotice,
			"POST /cases/{id}/notice/sent":  h.sendNotice,
			"GET /cases/{id}/notice/{name}": h.noticePaper,
		})
	}
	if h.do.Accounts != nil {
		maps.Copy(out, map[string]http.HandlerFunc{
			"GET /sign-in":              h.signIn,
			"GET /sign-in/provider":     h.toProvider,
			"GET /sign-in/back":         h.fromProvider,
			"POST /sign-in":             h.takeSignIn,
			"POST /sign-out":            h.signOut,
			"GET /set-up":               h.setUp,
			"POST /set-up":              h.takeSetUp,
			"GET /account":              h.account,
			"POST /account/password":    h.changePassword,
			"POST /account/sessions":    h.endSession,
			"POST /account/tokens":      h.makeToken,
			"POST /account/tokens/{id}": h.revokeToken,
			"GET /people":               h.people,
			"POST /people":              h.invite,
			"POST /people/{id}/state":   h.disable,
			"POST /people/{id}/roles":   h.setRoles,
		})
	}
	if h.do.Guises != nil {
		out["POST /demo/guise"] = h.takeGuise
	}
	return out
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
	w.Header().Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(a.packed)
		return
	}
	_, _ = w.Write(a.body)
}

// pack compresses an asset. Pages are sent as they are: they hold a form's secret beside
// texts of elsewhere, and how well those compress together would tell of the secret.
func pack(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body) // to memory: neither can fail
	_ = z.Close()
	return b.Bytes()
}

func (h *Handler) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if _, err := h.reader.Status(ctx); err != nil {
		h.trouble.Say("health", err)
		w.WriteHeader(http.StatusServiceUnavailable)
		_, _ = w.Write([]byte("the store does not answer\n"))
		return
	}
	h.trouble.Over()
	_, _ = w.Write([]byte("ok\n"))
}
