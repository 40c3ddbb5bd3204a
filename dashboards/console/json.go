package console

import (
	"encoding/json"
	"math"
	"net/http"
	"time"

	"vigil"
	"vigil/internal/api"
)

// maxListed bounds the findings in one JSON answer.
const maxListed = 500

type findingsJSON struct {
	Total    int             `json:"total"`
	Offset   int             `json:"offset"`
	Findings []vigil.Finding `json:"findings"`
}

type statusJSON struct {
	Events      int64        `json:"events"`
	Quarantined int64        `json:"quarantined"`
	Watermark   time.Time    `json:"watermark,omitzero"`
	Budget      float64      `json:"budget_per_day"`
	Note        string       `json:"note,omitempty"`
	Progress    *float64     `json:"progress,omitempty"`
	Lanes       []laneJSON   `json:"lanes"`
	Sources     []api.Source `json:"sources"`
	Rules       rulesJSON    `json:"rules"`
}

type rulesJSON struct {
	Running int           `json:"running"`
	Off     []ruleOffJSON `json:"off"`
}

type ruleOffJSON struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Builtin bool   `json:"builtin"`
	Why     string `json:"why"`
}

type laneJSON struct {
	Name        string  `json:"name"`
	Ready       bool    `json:"ready"`
	Why         string  `json:"why,omitempty"`
	Theory      float64 `json:"theory"`
	Threshold   float64 `json:"threshold"`
	ActorEpochs float64 `json:"actor_epochs_per_day"`
}

func (h *Handler) apiFindings(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	q, bad := readQuery(values)
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	limit, bad := readNumber(values, "limit", 100, 1, maxListed)
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	offset, bad := readNumber(values, "offset", 0, 0, maxOffset)
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	page, err := h.reader.Findings(ctx, api.FindingFilter{MinSeverity: q.min, State: q.state, Limit: limit, Offset: offset})
	if err != nil {
		h.fail(w, r, h.readError(r, "findings", err))
		return
	}
	h.content()
	out := findingsJSON{Total: page.Total, Offset: offset, Findings: make([]vigil.Finding, 0, len(page.Findings))}
	for _, f := range page.Findings {
		out.Findings = append(out.Findings, finite(f))
	}
	writeJSON(w, http.StatusOK, out)
}

func (h *Handler) apiFinding(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoFinding)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	f, err := h.reader.Finding(ctx, id)
	if err != nil {
		h.fail(w, r, h.readError(r, "finding", err))
		return
	}
	h.content()
	writeJSON(w, http.StatusOK, finite(f))
}

func (h *Handler) apiStatus(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	s, err := h.reader.Status(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "status", err))
		return
	}
	h.content()
	out := statusJSON{
		Events: s.Events, Quarantined: s.Quarantined, Watermark: s.Watermark, Budget: number(s.Budget), Note: s.Note,
		Lanes: []laneJSON{}, Sources: []api.Source{}, Rules: rulesJSON{Running: s.Rules, Off: []ruleOffJSON{}},
	}
	if s.Progress >= 0 && s.Progress <= 1 {
		out.Progress = &s.Progress
	}
	for _, l := range s.Lanes {
		out.Lanes = append(out.Lanes, laneJSON{l.Name, l.Ready, l.Why, number(l.Theory), number(l.Threshold), number(l.ActorEpochs)})
	}
	for _, x := range s.Sources {
		x.Usual = number(x.Usual)
		out.Sources = append(out.Sources, x)
	}
	for _, r := range s.RulesOff {
		out.Rules.Off = append(out.Rules.Off, ruleOffJSON(r))
	}
	writeJSON(w, http.StatusOK, out)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, body = http.StatusInternalServerError, []byte(`{"error":"Something went wrong here"}`)
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n'))
}

// finite returns the finding with every number that JSON can't hold replaced: the
// infinite by the largest, what is no number by zero.
func finite(f vigil.Finding) vigil.Finding {
	f.Evidence, f.Threshold, f.Harm = number(f.Evidence), number(f.Threshold), number(f.Harm)
	terms := make([]vigil.Contribution, len(f.Contributions))
	copy(terms, f.Contributions)
	for i := range terms {
		k := &terms[i]
		for _, p := range []*float64{&k.Seen, &k.Expected, &k.Low, &k.High, &k.P, &k.E, &k.Share} {
			*p = number(*p)
		}
	}
	f.Contributions = terms
	return f
}

func number(x float64) float64 {
	switch {
	case math.IsNaN(x):
		return 0
	case math.IsInf(x, 1):
		return math.MaxFloat64
	case math.IsInf(x, -1):
		return -math.MaxFloat64
	}
	return x
}
