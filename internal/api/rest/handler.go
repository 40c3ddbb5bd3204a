package rest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"vigil/internal/api"
	"vigil/internal/trouble"
)

// Config is what a handler is made with. The zero value is usable.
type Config struct {
	// Timeout bounds what is done for one request. Zero means 10 seconds.
	Timeout time.Duration
	// Logger gets what goes wrong, when it changes. Nil means none.
	Logger *slog.Logger
}

// Services are what the API reads and acts through. All but the Reader may be nil: what
// needs one that is not there is not answered.
type Services struct {
	api.Reader
	// Decider takes verdicts and exceptions.
	Decider api.Decider
	// Worker does what is done with cases.
	Worker api.CaseWorker
	// Silencer takes silences.
	Silencer api.Silencer
	// Reporter makes audit reports.
	Reporter api.Reporter
	// Once keeps what came of writes. Without it their keys are names of deeds alone.
	Once api.Once
	// Replayer tries settings on history.
	Replayer api.Replayer
	// Tuner shows and changes the setting.
	Tuner api.Tuner
	// Explorer lists the accesses of findings.
	Explorer api.FindingExplorer
	// Subjects lists the customers of cases, Readers who has read one.
	Subjects api.SubjectLister
	Readers  api.ReaderFinder
	// Notices keeps the notifications to the authority, Packs makes evidence packs.
	Notices api.Notices
	Packs   api.Packs
	// Auditor shows the audit log.
	Auditor api.Auditor
	// Driller stages breaches.
	Driller api.Driller
	// Keeper tells what could not be read.
	Keeper api.SourceKeeper
	// People is who works with vigil, Tokens are those for programs.
	People api.People
	Tokens api.Tokens
}

// Handler serves the API.
type Handler struct {
	cfg Config
	do  Services

	turns turns

	trouble trouble.Log
}

// New makes an API over services.
func New(cfg Config, services Services) (*Handler, error) {
	if services.Reader == nil {
		return nil, errors.New("api: a reader is needed")
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Handler{cfg: cfg, do: services, trouble: trouble.Log{Part: "api", Logger: cfg.Logger}, turns: turns{taken: map[string]chan struct{}{}}}, nil
}

// resources lists all that the API has, whether its service is there or not.
func (h *Handler) resources() []resource {
	return []resource{
		h.description(), h.status(), h.sources(), h.setAside(), h.findings(), h.findingEvents(), h.verdicts(), h.exceptions(),
		h.cases(), h.casework(), h.colleagues(), h.subjects(), h.notice(), h.packs(), h.readers(), h.silences(), h.reports(), h.audit(), h.drills(), h.replays(), h.tuning(),
		h.accounts(), h.tokens(),
	}
}

// Handlers are what the API answers, by the name of the route in access.Routes.
func (h *Handler) Handlers() map[string]http.HandlerFunc {
	out := map[string]http.HandlerFunc{}
	for _, r := range h.resources() {
		if !r.there {
			continue
		}
		for _, e := range r.endpoints {
			out[e.route] = h.handler(r, e)
		}
	}
	return out
}

// handler answers an endpoint.
func (h *Handler) handler(of resource, e endpoint) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, bad := readOnce(w, r)
		if bad != nil {
			h.Fail(w, r, bad)
			return
		}
		in, bad := e.read(w, r)
		if bad == errNoID {
			bad = notFound(of)
		}
		if bad != nil {
			h.Fail(w, r, bad)
			return
		}
		if e.hand != nil {
			h.handOver(w, r, of, e, in)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), h.cfg.Timeout)
		defer cancel()
		out, err := h.carryOut(ctx, e, in, key)
		if err != nil {
			h.Fail(w, r, h.problem(r, of, err))
			return
		}
		h.trouble.Over()
		h.send(w, r, out)
	}
}

// carryOut does what an endpoint does, once for each key.
func (h *Handler) carryOut(ctx context.Context, e endpoint, in any, key *once) (api.DoneOnce, error) {
	if key == nil {
		out, err := e.do(ctx, in)
		if err != nil {
			return api.DoneOnce{}, err
		}
		return done(out)
	}
	if e.fleeting {
		out, err := e.do(api.WithDeed(ctx, "api-"+key.key), in)
		if err != nil {
			return api.DoneOnce{}, err
		}
		return done(out)
	}
	over, err := h.turns.take(ctx, key.key)
	if err != nil {
		return api.DoneOnce{}, err
	}
	defer over()
	if h.do.Once != nil {
		was, ok, err := h.do.Once.Answered(ctx, key.key)
		switch {
		case err != nil:
			return was, err
		case ok && was.Print != key.print:
			return was, errReused
		case ok && !e.secret:
			return was, nil
		}
	}
	out, err := e.do(api.WithDeed(ctx, "api-"+key.key), in)
	if err != nil {
		return api.DoneOnce{}, err
	}
	d, err := done(out)
	if err != nil || h.do.Once == nil || len(d.Answer) > maxOnceAnswer {
		return d, err
	}
	kept := api.DoneOnce{Print: key.print}
	if !e.secret {
		kept.Answer, kept.Revision = d.Answer, d.Revision
	}
	if err := h.do.Once.KeepAnswer(ctx, key.key, kept); err != nil {
		h.trouble.Say("keep answer", err) // it is done, and who asked may know
	}
	return d, nil
}
