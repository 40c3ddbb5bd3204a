package console

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// packLimit bounds the making of one evidence pack.
const packLimit = 30 * time.Minute

// packPage says what the evidence pack of a case would hold.
type packPage struct {
	base
	Case, CaseURL, URL     string
	Findings, Of, Events   string
	Missing, Bounded       bool
	Notice                 bool
	Key, MostEvents        string
	ShownFindings          []packFinding
	MoreFindings, NoticeAt string
}

type packFinding struct{ ID, URL, Sentence string }

const packFindings = 20 // listed on the page

func (h *Handler) pack(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoCase)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	v, err := h.do.Packs.PackPreview(ctx, id)
	if err != nil {
		h.fail(w, r, h.caseError(r, "evidence pack", err))
		return
	}
	h.trouble.Over()
	c := &v.Case
	p := packPage{
		base: h.base(r, "Evidence pack", false), Case: phrase.Text(c.ID, 80), URL: "/cases/" + url.PathEscape(c.ID) + "/pack",
		CaseURL: h.caseURL(c.ID, c.Lead), Findings: phrase.Plural(int64(len(v.Findings)), "finding", "findings"), Of: phrase.Count(int64(c.Total)),
		Missing: len(v.Findings) < c.Total, Events: phrase.Plural(v.Events, "access", "accesses"), Bounded: v.Events > v.MostEvents,
		MostEvents: phrase.Count(v.MostEvents), Notice: v.Notice, Key: phrase.Text(v.Key, 120),
	}
	for i := range v.Findings {
		if i == packFindings {
			p.MoreFindings = phrase.Count(int64(len(v.Findings) - packFindings))
			break
		}
		f := &v.Findings[i]
		p.ShownFindings = append(p.ShownFindings, packFinding{ID: phrase.Text(f.ID, 80), URL: "/findings/" + url.PathEscape(f.ID), Sentence: phrase.Prose(f.Sentence, 400)})
	}
	body, err := h.render("pack", p)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

// caseURL is the page of a case, that of its lead where cases have none.
func (h *Handler) caseURL(id, lead string) string {
	if h.has("GET /cases/{id}") {
		return "/cases/" + url.PathEscape(id)
	}
	return "/findings/" + url.PathEscape(lead)
}

// makePack makes the pack and hands it over as it is made.
func (h *Handler) makePack(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoCase)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), packLimit)
	defer cancel()
	name, write, err := h.do.Packs.Pack(ctx, id)
	if err != nil {
		h.fail(w, r, h.caseError(r, "evidence pack", err))
		return
	}
	begun, err := api.HandOver(ctx, w, "application/zip", name, packLimit, write)
	switch {
	case err == nil:
		h.trouble.Over()
	case begun:
		h.trouble.Say("evidence pack", err)
		panic(http.ErrAbortHandler)
	default:
		h.fail(w, r, h.caseError(r, "evidence pack", err))
	}
}
