package console

import (
	"html/template"
	"net/http"
	"net/url"

	"vigil/dashboards/phrase"
	"vigil/dashboards/view"
	"vigil/internal/api"
)

type sourcesBody struct {
	Note    string
	Sources []view.SourceHealth
	More    int
	Total   string
	// Bad is how many ask for somebody.
	Bad string
	Any bool
	// Well says that all of them are read, and none lags.
	Well bool
	// Aside are the newest records that were set aside; Meter and Sample say that there are
	// those pages.
	Aside         []setAside
	Meter, Sample bool
}

func (h *Handler) sources(w http.ResponseWriter, r *http.Request) {
	h.serveSources(w, r, "sources-page")
}

func (h *Handler) sourcesLive(w http.ResponseWriter, r *http.Request) {
	h.serveSources(w, r, "sources-live")
}

// serveSources shows how each source is.
func (h *Handler) serveSources(w http.ResponseWriter, r *http.Request, name string) {
	ctx, cancel := h.context(r)
	defer cancel()
	status, err := h.reader.Status(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "status", err))
		return
	}
	h.trouble.Over()
	data := sourcesBody{Note: view.NewStatus(status, h.now(status)).Note, Total: phrase.Count(int64(len(status.Sources)))}
	data.Sources, data.More = view.NewSources(status.Sources, h.now(status), func(id string) string { return "/findings/" + url.PathEscape(id) })
	bad := 0
	data.Well = len(data.Sources) > 0
	for i := range data.Sources {
		if data.Sources[i].Bad {
			bad++
		}
	}
	for i := range status.Sources {
		data.Well = data.Well && status.Sources[i].State == api.SourceReading
	}
	data.Bad, data.Any = phrase.Count(int64(bad)), bad > 0
	if data.Aside, err = h.setAsides(r); err != nil {
		h.fail(w, r, h.readError(r, "set-aside records", err))
		return
	}
	data.Meter, data.Sample = h.has("GET /sources/sight"), h.firstStep(r).Sample
	body, err := h.render("sources-body", data)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	h.sendLive(w, r, name, tagOf(body), livePage{base: h.base(r, "Sources", true), Poll: "/sources/live", Topics: "status",
		Every: milliseconds(3 * h.cfg.Refresh), Body: template.HTML(body)}) //nolint:gosec // html/template made it
}
