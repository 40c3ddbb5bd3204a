package console

import (
	"crypto/rand"
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"vigil/dashboards/phrase"
	"vigil/dashboards/view"
	"vigil/internal/access"
	"vigil/internal/api"
)

// drillsPage is the board, which renews itself, and the form, which does not.
type drillsPage struct {
	livePage
	May     bool
	Key     string
	Choices []api.DrillChoice
}

type drillsBody struct {
	Running *drillRunning
	Shown   *view.Drill
	Kept    []view.Drill
	Trend   template.HTML
	May     bool
	Form    string
}

type drillRunning struct {
	ID, By, Traffic, Progress string
	Done, Total               int
}

func (h *Handler) drills(w http.ResponseWriter, r *http.Request) { h.serveDrills(w, r, "drills-page") }

func (h *Handler) drillsLive(w http.ResponseWriter, r *http.Request) {
	h.serveDrills(w, r, "drills-live")
}

// serveDrills shows the board of one drill, the newest with a result unless the address
// names another, and how it was over time.
func (h *Handler) serveDrills(w http.ResponseWriter, r *http.Request, name string) {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Driller.Drills(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "drills", err))
		return
	}
	h.trouble.Over()
	who := api.PersonOf(r.Context())
	data := drillsBody{May: who.May(access.DeedDrill), Form: who.Form}
	if x := all.Running; x != nil {
		data.Running = &drillRunning{ID: x.ID, By: phrase.Text(x.By, maxMe), Traffic: string(x.On), Done: x.Done, Total: max(x.Total, 1)}
		data.Running.Progress = phrase.Percent(float64(x.Done) / float64(data.Running.Total))
	}
	asked := r.URL.Query().Get("run")
	path := func(id string) string { return "/drills?run=" + url.QueryEscape(id) }
	for i := range all.Kept {
		d := view.NewDrill(&all.Kept[i], h.cfg.Now(), path)
		if asked == all.Kept[i].ID || asked == "" && data.Shown == nil && d.HasOutcomes {
			d.Current = true
			data.Shown = &d
		}
		data.Kept = append(data.Kept, d)
	}
	if asked != "" && data.Shown == nil {
		h.fail(w, r, errNoDrill)
		return
	}
	data.Trend = view.DrillTrend(data.Kept)
	body, err := h.render("drills-body", data)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	poll := "/drills/live"
	if asked != "" {
		poll += "?run=" + url.QueryEscape(asked)
	}
	page := drillsPage{May: data.May, Choices: all.Choices, Key: rand.Text()}
	page.livePage = livePage{base: h.base(r, "Drills", true), Poll: poll, Topics: string(api.TopicDrills), Every: milliseconds(3 * h.cfg.Refresh),
		Body: template.HTML(body)} //nolint:gosec // html/template made it
	h.sendPage(w, r, name, tagOf(body), &page.livePage, &page)
}

// errNoDrill is for the address of a drill that is not kept.
var errNoDrill = api.NewProblem(http.StatusNotFound, "There is no such drill", "The thirty newest are kept. Open the board: it shows the newest.")

func (h *Handler) startDrill(w http.ResponseWriter, r *http.Request) {
	intensity, err := strconv.ParseFloat(r.PostForm.Get("intensity"), 64)
	if err != nil {
		h.fail(w, r, api.NewProblem(http.StatusBadRequest, "That form can't be read", "“intensity” is not a number. Go back and choose one."))
		return
	}
	ask := api.DrillAsk{On: api.DrillTraffic(r.PostForm.Get("on")), Intensity: intensity, Key: r.PostForm.Get("key")}
	if r.PostForm.Get("which") == "some" {
		if ask.Scenarios = r.PostForm["scenario"]; len(ask.Scenarios) == 0 {
			h.fail(w, r, api.NewProblem(http.StatusUnprocessableEntity, "No breach was chosen", "Nothing was started. Go back and choose some, or all."))
			return
		}
	}
	ctx, cancel := h.context(r)
	defer cancel()
	if err := h.do.Driller.StartDrill(ctx, ask); err != nil {
		h.fail(w, r, h.readError(r, "drill", err))
		return
	}
	http.Redirect(w, r, "/drills?said=drill-begun", http.StatusSeeOther)
}

func (h *Handler) stopDrill(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	if err := h.do.Driller.StopDrill(ctx, r.PostForm.Get("id")); err != nil {
		h.fail(w, r, h.readError(r, "drill", err))
		return
	}
	http.Redirect(w, r, "/drills?said=drill-stopped", http.StatusSeeOther)
}
