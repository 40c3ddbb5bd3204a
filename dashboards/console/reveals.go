package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"vigil/dashboards/phrase"
	"vigil/internal/access"
	"vigil/internal/api"
)

type revealsPage struct {
	base
	// Case is empty on the page of all.
	Case, CaseURL, Ask, Key string
	Rows                    []revealRow
	Minutes                 []int
}

type revealRow struct {
	ID, URL, Case, CaseURL, Pseudonym, State, Reason string
	By, Asked, AskedISO, Decider, Until, UntilISO    string
	Mine                                             bool
	Seen, Minutes                                    int
	// End is what who looks may do to end it, Approve whether they may approve; empty for neither.
	End     string
	Approve bool
	Open    bool
}

type revealPage struct {
	base
	Row       revealRow
	Name, Why string
}

func (h *Handler) revealRow(r *api.Reveal, who api.Person) revealRow {
	state := r.StateAt(h.cfg.Now())
	row := revealRow{
		ID: r.ID, URL: "/reveals/" + url.PathEscape(r.ID), Case: phrase.Text(r.Case, maxWord), CaseURL: "/cases/" + url.PathEscape(r.Case),
		Pseudonym: phrase.Text(r.Pseudonym, maxWord), State: string(state), Reason: phrase.Text(r.Reason, api.MaxRevealReason), By: phrase.Text(r.By, maxWord),
		Asked: phrase.Second(r.Asked), AskedISO: phrase.ISO(r.Asked), Decider: phrase.Text(r.Decider, maxWord),
		Mine: r.By == who.By, Seen: r.Revision, Minutes: int(r.For / 60), Open: state == api.RevealOpen,
	}
	if !r.Until.IsZero() {
		row.Until, row.UntilISO = phrase.Second(r.Until), phrase.ISO(r.Until)
	}
	second := who.May(access.DeedApprove)
	row.Approve = state == api.RevealOpen && second && !row.Mine
	switch {
	case state == api.RevealOpen && row.Mine:
		row.End = "Withdraw"
	case state == api.RevealOpen && second:
		row.End = "Refuse"
	case state == api.RevealGranted && (row.Mine || second):
		row.End = "End it now"
	}
	return row
}

func (h *Handler) reveals(w http.ResponseWriter, r *http.Request) { h.listReveals(w, r, "") }

func (h *Handler) caseReveals(w http.ResponseWriter, r *http.Request) {
	if id := r.PathValue("id"); validID(id) {
		h.listReveals(w, r, id)
		return
	}
	h.fail(w, r, errNoCase)
}

func (h *Handler) listReveals(w http.ResponseWriter, r *http.Request, id string) {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Revealer.Reveals(ctx, id)
	if err != nil {
		h.failCase(w, r, "reveals", err)
		return
	}
	h.trouble.Over()
	data := revealsPage{base: h.base(r, "Reveals", false), Case: phrase.Text(id, maxWord), Minutes: []int{30, 10, 60}}
	mine := 0
	for i := range all {
		row := h.revealRow(&all[i], data.Person)
		if row.Mine {
			mine++
		}
		data.Rows = append(data.Rows, row)
	}
	if id != "" {
		data.CaseURL = "/cases/" + url.PathEscape(id)
		data.Ask, data.Key = data.CaseURL+"/reveals", keyOf(data.Person.By, id, "reveal", mine)
	}
	h.page(w, r, "reveals", data)
}

func (h *Handler) askReveal(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	minutes, bad := readNumber(r.PostForm, "minutes", int(api.RevealFor.Minutes()), 1, int(api.RevealMost.Minutes()))
	if !validID(id) {
		bad = errNoCase
	}
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	got, err := h.do.Revealer.AskReveal(ctx, api.RevealAsk{
		Case: id, Pseudonym: r.PostForm.Get("pseudonym"), Reason: r.PostForm.Get("reason"), For: time.Duration(minutes) * time.Minute, Key: r.PostForm.Get("key"),
	})
	if err != nil {
		h.failCase(w, r, "reveal", err)
		return
	}
	h.trouble.Over()
	leadOn(w, r, "/reveals/"+url.PathEscape(got.ID), "reveal-asked")
}

var errNoReveal = api.NewProblem(http.StatusNotFound, "There is no such request for a name", "It goes with its case, when that is no longer kept.")

// failReveal answers with what went wrong with a reveal.
func (h *Handler) failReveal(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, api.ErrNotFound) {
		h.fail(w, r, errNoReveal)
		return
	}
	h.fail(w, r, h.readError(r, "reveal", err))
}

func (h *Handler) reveal(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoReveal)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	got, name, why, err := h.do.Revealer.Reveal(ctx, id)
	if err != nil {
		h.failReveal(w, r, err)
		return
	}
	h.trouble.Over()
	data := revealPage{base: h.base(r, "Reveal", false), Name: phrase.Text(name, 1000), Why: why}
	data.Row = h.revealRow(&got, data.Person)
	h.page(w, r, "reveal", data)
}

// decideReveal is the handler of what is done to a request.
func (h *Handler) decideReveal(approve bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		seen, err := strconv.Atoi(r.PostForm.Get("seen"))
		if !validID(id) {
			h.fail(w, r, errNoReveal)
			return
		}
		if err != nil {
			h.fail(w, r, badRequest("“seen” is no number: reload the page, and press again."))
			return
		}
		ctx, cancel := h.context(r)
		defer cancel()
		do, said := h.do.Revealer.EndReveal, "reveal-ended"
		if approve {
			do, said = h.do.Revealer.ApproveReveal, "reveal-approved"
		}
		if _, err := do(ctx, id, seen); err != nil {
			h.failReveal(w, r, err)
			return
		}
		h.trouble.Over()
		leadOn(w, r, "/reveals/"+url.PathEscape(id), said)
	}
}
