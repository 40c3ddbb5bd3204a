package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
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
	// PlotFailed says that the timeline can't be read, LatelyFailed the last weeks.
	PlotFailed, LatelyFailed bool
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
	var lately *api.ActorLately
	if a.Last.IsZero() { // the model does not tell of them: the log has to
		l, err := h.do.Actors.ActorLately(ctx, q.tenant, id)
		if err == nil && l.Last.IsZero() && a.Known == api.ModelStranger && a.FindingsTotal == 0 {
			err = api.ErrNotFound
		}
		if err != nil {
			h.fail(w, r, h.actorError(r, "latest weeks", err))
			return
		}
		a.First, a.Last, lately = l.First, l.Last, &l
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
	page.Actor = view.NewActor(&a, func(id string) view.Options { return place(id, a.Now) })
	h.inTwo(w, r, "", "actor-page", "actor-rest", &page, func() bool { return h.readActor(ctx, r, &a, lately, q, at, &page) })
}

// readActor adds what the log tells of an actor, of the last weeks unless that is at hand, and
// reports whether all of it could be read.
func (h *Handler) readActor(ctx context.Context, r *http.Request, a *api.ActorView, lately *api.ActorLately, q spanQuery, at view.Place, page *actorPage) bool {
	tenant, id := a.Actor.Tenant, a.Actor.ID
	var activity api.Activity
	var latelyErr, activityErr error
	var reads sync.WaitGroup
	if lately == nil {
		lately = new(api.ActorLately)
		reads.Go(func() {
			latelyErr = safely(func() (err error) { *lately, err = h.do.Actors.ActorLately(ctx, tenant, id); return err })
		})
	}
	reads.Go(func() {
		activityErr = safely(func() (err error) {
			activity, err = h.do.Actors.ActorActivity(ctx, tenant, id, q.from, q.to)
			return err
		})
	})
	reads.Wait()
	if page.LatelyFailed = latelyErr != nil; page.LatelyFailed {
		_ = h.readError(r, "latest weeks", latelyErr) // for the log: the page itself is shown
	} else {
		page.Actor.Lately(a, lately, at.At)
	}
	if page.PlotFailed = activityErr != nil; page.PlotFailed {
		_ = h.readError(r, "timeline", activityErr) // likewise
	} else {
		page.Plot = plot{Activity: view.NewActivity(&activity, "actor", time.Time{}, time.Time{}, at, false), URL: at.Path + "/timeline.json" + encode(at.Keep)}
		if !q.from.IsZero() || !q.to.IsZero() {
			page.Plot.From, page.Plot.To = activity.From.Format(time.RFC3339), activity.To.Format(time.RFC3339)
		}
	}
	return latelyErr == nil && activityErr == nil
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
