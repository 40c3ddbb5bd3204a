// Package gate stands before everything that the program answers over HTTP: it builds
// the one router from the table of routes in internal/access and the handlers of the
// console and the API, and lets nobody through who may not.
//
// Each request passes in this order: the headers that every answer carries, errors too;
// the name under which it was asked; whether another site asks; how many are being
// served; who asks; whether their roles allow it; whether their proof of that is fresh
// enough; whether a form was sent by a page of ours. Only then its handler runs, with
// the person in its context (api.PersonOf). A handler without a row in the table can't
// be reached: New refuses it.
//
// A Gate is safe for concurrent use. At most Config.MaxInFlight requests are served at
// once, and one more is told to come back in a second; streams count apart, at most
// Config.MaxStreams, and so do the ways in that are open to anybody, at most half of
// Config.MaxInFlight: however slowly strangers send their forms, or the sign-in provider
// answers, who is signed in goes on. Bodies are bounded by the kind of route, those of forms also by formTime.
package gate

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"vigil/internal/access"
	"vigil/internal/api"
)

// Door tells who asks.
type Door interface {
	// Who returns who asks, the zero Person for nobody. An error is that of reading
	// where sessions and tokens are kept: nobody is let in then.
	Who(r *http.Request) (api.Person, error)
}

// Open is a door through which everybody comes as the same person, without signing in.
type Open api.Person

// Who implements Door.
func (o Open) Who(*http.Request) (api.Person, error) { return api.Person(o), nil }

// Handlers are by the name of their route, such as "GET /cases/{id}".
type Handlers = map[string]http.HandlerFunc

// FreshFor is how long a proof of who somebody is counts as fresh.
const FreshFor = 15 * time.Minute

// The bounds of bodies.
const (
	maxForm = 256 << 10
	maxJSON = 1 << 20
	// formTime is how long a form may take to arrive.
	formTime = 30 * time.Second
)

// Config is what a gate is made with.
type Config struct {
	// Hosts are the names under which it answers besides localhost, 127.0.0.1 and
	// [::1], without a port. A request for any other name is refused: or a page
	// elsewhere could bind its own name to this address and read along.
	Hosts []string
	// MaxInFlight bounds the requests served at once. Zero means 64.
	MaxInFlight int
	// MaxStreams bounds the streams that are open. Zero means 256.
	MaxStreams int
	// Door tells who asks. Required.
	Door Door
	// Fail answers with a problem. Required.
	Fail func(w http.ResponseWriter, r *http.Request, p *api.Problem)
	// Recheck is how often it is asked again, while a stream is open, whether who opened it
	// still may. Zero means 20 seconds.
	Recheck time.Duration
	// SignIn is the page that lets people in; who is nobody is led there from a page.
	// Empty answers with a problem instead.
	SignIn string
	// Secure tells whether a request came by https: its answer tells the browser to come
	// by nothing else for a year. Nil means never.
	Secure func(r *http.Request) bool
	// Now tells the time; nil means the clock.
	Now func() time.Time
	// Logger gets panics of handlers and failures of the door. Nil means none.
	Logger *slog.Logger
}

// Gate lets in who may.
type Gate struct {
	cfg     Config
	hosts   map[string]bool
	routes  map[string]access.Route
	mux     *http.ServeMux
	slots   chan struct{} // of requests
	streams chan struct{}
	open    chan struct{} // of ways in
	refused atomic.Int64
}

// New builds the router of all handlers. The error names a handler that has no row in
// the table, and one that is given twice. Rows without a handler are not answered.
func New(cfg Config, table []access.Route, handlers ...Handlers) (*Gate, error) {
	if cfg.Door == nil || cfg.Fail == nil {
		return nil, errors.New("gate: a door, and an answer to problems, are needed")
	}
	if cfg.MaxInFlight <= 0 {
		cfg.MaxInFlight = 64
	}
	if cfg.MaxStreams <= 0 {
		cfg.MaxStreams = 256
	}
	if cfg.Recheck <= 0 {
		cfg.Recheck = 20 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	g := &Gate{
		cfg: cfg, hosts: map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}, routes: map[string]access.Route{},
		mux: http.NewServeMux(), slots: make(chan struct{}, cfg.MaxInFlight), streams: make(chan struct{}, cfg.MaxStreams),
		open: make(chan struct{}, (cfg.MaxInFlight+1)/2),
	}
	for _, name := range cfg.Hosts {
		if name == "" || strings.ContainsAny(name, "/ \t") {
			return nil, fmt.Errorf("gate: host %q is no name; give it without scheme, port or path", name)
		}
		if _, _, err := net.SplitHostPort(name); err == nil {
			return nil, fmt.Errorf("gate: host %q: give it without the port", name)
		}
		g.hosts[strings.ToLower(strings.Trim(name, "[]"))] = true
	}
	rows := map[string]access.Route{}
	for _, r := range table {
		if r.Deed == "" || r.Kind == "" {
			return nil, fmt.Errorf("gate: the route %s does not say who may, or what it is", r.Name())
		}
		rows[r.Name()] = r
	}
	for _, set := range handlers {
		for name, h := range set {
			row, ok := rows[name]
			if !ok {
				return nil, fmt.Errorf("gate: %s has no row in the table of routes", name)
			}
			if _, twice := g.routes[name]; twice {
				return nil, fmt.Errorf("gate: %s has two handlers", name)
			}
			g.routes[name] = row
			g.mux.Handle(name, g.admit(row, h))
		}
	}
	return g, nil
}

// Refused counts the requests that were turned away because too many were being
// served.
func (g *Gate) Refused() int64 { return g.refused.Load() }
