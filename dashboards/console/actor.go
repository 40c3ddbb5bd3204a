package console

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"vigil/dashboards/view"
	"vigil/internal/api"
)

var (
	errNoActor  = api.NewProblem(http.StatusNotFound, "Nothing is known of this actor", "What they did may have been removed when its time to be kept was over.")
	errOwnActor = api.NewProblem(http.StatusForbidden, "This page is about yourself", "Nobody looks into what vigil knows of themselves here; ask the privacy officer for what is kept of you.").With(api.CodeOwnCase)
)

type actorPage struct {
	base
	Actor view.Actor
	Plot  plot
	// PlotFailed says that the timeline can't be read.
	PlotFailed bool
}

// actorError is readError for an actor.
func (h *Handler) actorError(r *http.Request, what string, err error) *api.Problem {
	switch {
	case errors.Is(err, api.ErrNotFound):
		return errNoActor
	case errors.Is(err, api.ErrOwnCase):
		return errOwnActor
	}
	return h.readError(r, what, err)
}

func (h *Handler) actor(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	q, bad := readSpan(r.URL.Query())
	if bad == nil && (id == "" || len(id) > maxAsked) {
		bad = errNoActor
	}
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	a, err := h.do.Actors.Actor(ctx, q.tenant, id)
	if err != nil {
		h.fail(w, r, h.actorError(r, "actor", err))
		return
	}
	h.trouble.Over()
	path := "/actors/" + url.PathEscape(id)
	page := actorPage{base: h.base(r, "Actor", false)}
	page.Plots = true
	keep := url.Values{}
	if q.tenant != "" {
		keep.Set("tenant", q.tenant)
	}
	at := view.Place{Path: path, Hash: "time", Keep: keep}
	page.Actor = view.NewActor(&a, func(id string) view.Options { return place(id, a.Now) }, at.At)
	activity, err := h.do.Actors.ActorActivity(ctx, q.tenant, id, q.from, q.to)
	if err != nil {
		_ = h.readError(r, "timeline", err) // for the log: the page itself is shown
		page.PlotFailed = true
	} else {
		page.Plot = plot{Activity: view.NewActivity(&activity, "actor", time.Time{}, time.Time{}, at, false), URL: path + "/timeline.json" + encode(keep)}
		if !q.from.IsZero() || !q.to.IsZero() {
			page.Plot.From, page.Plot.To = activity.From.Format(time.RFC3339), activity.To.Format(time.RFC3339)
		}
	}
	body, err := h.render("actor-page", page)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

// actorPlot answers with the numbers of a span of an actor's accesses.
func (h *Handler) actorPlot(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	q, bad := readSpan(r.URL.Query())
	if bad == nil && (id == "" || len(id) > maxAsked) {
		bad = errNoActor
	}
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	a, err := h.do.Actors.ActorActivity(ctx, q.tenant, id, q.from, q.to)
	if err != nil {
		h.fail(w, r, h.actorError(r, "timeline", err))
		return
	}
	h.trouble.Over()
	h.sendPlot(w, r, view.ActivityPlot(&a, "Accesses over time", time.Time{}, time.Time{}))
}
