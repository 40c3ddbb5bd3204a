package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"vigil/dashboards/phrase"
	"vigil/dashboards/view"
	"vigil/internal/access"
	"vigil/internal/api"
)

// maxReplayWords bounds what of each kind a form may ask for.
const maxReplayWords = 20

// replaysPage lists back-tests, and begins one.
type replaysPage struct {
	base
	Replays []view.Replay
	Running *view.Replay
	Key     string
	// Rule is the text of a rule that can't be tried, and Wrong says why.
	Rule  string
	Wrong []string
}

// replayPage is one back-test and what came of it.
type replayPage struct {
	base
	Replay  view.Replay
	Reports []view.ReplayReport
	StopURL string
	// Promote says that what was tried can be proposed.
	Promote bool
	// Preview is what a rule would have told, nil where none was tried.
	Preview *view.RulePreview
}

func (h *Handler) replays(w http.ResponseWriter, r *http.Request) {
	h.showReplays(w, r, http.StatusOK, "", nil)
}

// showReplays shows the list, and the text of a rule that can't be tried with why.
func (h *Handler) showReplays(w http.ResponseWriter, r *http.Request, status int, rule string, wrong []string) {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Replayer.Replays(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "back-tests", err))
		return
	}
	h.trouble.Over()
	last := ""
	p := replaysPage{base: h.base(r, "Back-tests", false), Rule: rule, Wrong: wrong}
	for i := range all {
		v := view.NewReplay(&all[i], h.cfg.Now())
		if v.Running && p.Running == nil {
			p.Running = &v
		}
		p.Replays = append(p.Replays, v)
		last = max(last, all[i].ID)
	}
	p.Key = keyOf(api.PersonOf(r.Context()).By, "replays", last)
	h.show(w, r, status, "replays", p)
}

var errNoReplay = api.NewProblem(http.StatusNotFound, "There is no such back-test", "Only the latest are kept. The list shows which.")

// replayError is readError for back-tests.
func (h *Handler) replayError(r *http.Request, err error) *api.Problem {
	if p := h.readError(r, "back-test", err); p != errNoFinding {
		return p
	}
	return errNoReplay
}

func (h *Handler) replay(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoReplay)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	x, err := h.do.Replayer.Replay(ctx, id)
	if err != nil {
		h.fail(w, r, h.replayError(r, err))
		return
	}
	h.trouble.Over()
	now := h.cfg.Now()
	p := replayPage{base: h.base(r, "Back-test", false), Replay: view.NewReplay(&x, now), StopURL: "/tuning/replays/" + url.PathEscape(id) + "/stop", Preview: view.NewRulePreview(x.Preview, now)}
	p.Promote = h.do.Tuner != nil && x.State == api.ReplayDone && x.Ask.Proposal == "" && (len(x.Ask.Budgets)+len(x.Ask.Without) > 0 || x.Ask.Rule != "")
	looks := api.PersonOf(r.Context()).May(access.DeedLook)
	for i := range x.Reports {
		v := view.NewReplayReport(&x.Reports[i], i, now)
		for j := range v.Differences {
			if !looks {
				v.Differences[j].Path = ""
			}
		}
		p.Reports = append(p.Reports, v)
	}
	h.show(w, r, http.StatusOK, "replay", p)
}

func (h *Handler) startReplay(w http.ResponseWriter, r *http.Request) {
	form := r.PostForm
	ask := api.ReplayAsk{Without: words(form.Get("without")), Proposal: form.Get("proposal"), Rule: strings.ReplaceAll(form.Get("rule"), "\r\n", "\n")}
	for _, s := range words(form.Get("budgets")) {
		n, err := readBudget(s)
		if err != nil {
			h.fail(w, r, errNoBudget)
			return
		}
		ask.Budgets = append(ask.Budgets, n)
	}
	for _, t := range []struct {
		field string
		into  *time.Time
	}{{"from", &ask.From}, {"to", &ask.To}} {
		s := strings.TrimSpace(form.Get(t.field))
		if s == "" {
			continue
		}
		day, ok := readDay(s)
		if !ok {
			h.fail(w, r, api.NewProblem(http.StatusUnprocessableEntity, "That day can't be read", "Write it as 2026-11-02. Nothing was done."))
			return
		}
		*t.into = day
	}
	ask.Key = keyOf(form.Get("key"), ask.From, ask.To, ask.Budgets, ask.Without, ask.Rule, ask.Proposal)
	ctx, cancel := h.context(r)
	defer cancel()
	x, err := h.do.Replayer.StartReplay(ctx, ask)
	if ask.Rule != "" && errors.Is(err, api.ErrRefused) {
		h.showReplays(w, r, http.StatusUnprocessableEntity, ask.Rule, wrongWith(err))
		return
	}
	if err != nil {
		h.fail(w, r, h.replayError(r, err))
		return
	}
	h.trouble.Over()
	leadOn(w, r, "/tuning/replays/"+url.PathEscape(x.ID), "replay-begun")
}

// maxWrong bounds the problems of a rule that are shown at once.
const maxWrong = 20

// wrongWith is what is wrong with a rule, one problem each.
func wrongWith(err error) (out []string) {
	for line := range strings.Lines(api.Reason(err)) {
		if len(out) < maxWrong {
			out = append(out, phrase.Prose(line, 400))
		}
	}
	return out
}

// words reads what people list with spaces or semicolons between, the first of each alone.
func words(s string) (out []string) {
	for _, w := range strings.FieldsFunc(s, func(c rune) bool { return c == ';' || c == ' ' || c == '\n' || c == '\r' || c == '\t' }) {
		if !slices.Contains(out, w) && len(out) < maxReplayWords {
			out = append(out, phrase.Shorten(w, 100))
		}
	}
	return out
}

func (h *Handler) stopReplay(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoReplay)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	if err := h.do.Replayer.StopReplay(ctx, id); err != nil {
		h.fail(w, r, h.replayError(r, err))
		return
	}
	h.trouble.Over()
	leadOn(w, r, "/tuning/replays/"+url.PathEscape(id), "replay-stopped")
}
