package console

import (
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/chart"
	"vigil/dashboards/phrase"
	"vigil/dashboards/view"
	"vigil/internal/api"
)

// budgetFactors are the steps of the budget that a preview tries, as parts of the budget in
// force.
func budgetFactors() []float64 { return []float64{0.25, 0.5, 1, 2, 4, 10} }

// listedVersions bounds the versions on the page; the newest are shown.
const listedVersions = 20

// tuningPage is what analysts tune by.
type tuningPage struct {
	base
	Budget, Asked, File string
	// Own says that people set the budget; Since when it holds, By and Confirmed by whom.
	Own                bool
	Since              view.Moment
	By, Confirmed, Why string
	Proposal           *budgetProposal
	Seen               int
	Key                string
	// Wanted and WhyWanted fill in the form that proposes.
	Wanted, WhyWanted string
	// Steps are the budgets of the newest preview; Previewed when it was made, of which
	// time. Running is the back-test that runs, nil for none.
	Steps     []budgetStep
	Previewed view.Moment
	Range     string
	Running   *view.Replay
	CanReplay bool
	Factors   string
	Lanes     []tuningLane
	// Models are how well each is calibrated by the newest preview.
	Models   []view.Calibrated
	Words    []wordTable
	Triage   triageStanding
	Versions []settingVersion
	More     int
	// Exceptions is how many hold, ExceptionsURL where they are, empty where no page has them.
	Exceptions, ExceptionsURL string
}

// budgetProposal is a proposal that waits.
type budgetProposal struct {
	ID, URL, What, By, Why string
	At                     view.Moment
	// Mine says that who looks made it.
	Mine bool
}

// budgetStep is one budget of a preview.
type budgetStep struct {
	N       int
	Name    string
	PerDay  string
	Current bool
	Report  view.ReplayReport
	URL     string
}

type tuningLane struct {
	Name, Asks          string
	Ready               bool
	Why                 string
	Line, Guide, PerDay string
}

type wordTable struct {
	Name string
	Rows []wordRow
}

type wordRow struct{ Name, Bad, Expected, Unknown string }

type triageStanding struct {
	Known      bool
	Why        string
	AUC, Brier string
	Picture    template.HTML
}

type settingVersion struct {
	N                  int
	At                 view.Moment
	From               string
	What               []string
	By, Confirmed, Why string
	// URL leads to the form with this version's budget; empty for the one in force.
	URL string
}

// tuningHandlers adds the pages by which analysts tune, where there are any.
func (h *Handler) tuningHandlers(out map[string]http.HandlerFunc) {
	if h.do.Tuner != nil {
		out["GET /tuning"], out["POST /tuning/budget"], out["POST /tuning/budget/{id}"] = h.tuning, h.proposeBudget, h.answerBudget
	}
	if h.do.Replayer != nil {
		out["GET /tuning/replays"], out["POST /tuning/replays"] = h.replays, h.startReplay
		out["GET /tuning/replays/{id}"], out["POST /tuning/replays/{id}/stop"] = h.replay, h.stopReplay
	}
}

func (h *Handler) tuning(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	v, err := h.do.Tuner.Tuning(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "tuning", err))
		return
	}
	p := h.newTuning(r, &v)
	if h.do.Replayer != nil {
		if err := h.preview(r, &p); err != nil {
			h.fail(w, r, h.readError(r, "back-tests", err))
			return
		}
	}
	h.trouble.Over()
	h.show(w, r, http.StatusOK, "tuning", p)
}

func (h *Handler) newTuning(r *http.Request, v *api.TuningView) tuningPage {
	who, now := api.PersonOf(r.Context()), h.cfg.Now()
	p := tuningPage{
		base: h.base(r, "Tuning", false), Budget: phrase.Number(v.Budget), Asked: view.BudgetWords(v.Asked), File: view.BudgetWords(v.File),
		Own: v.Since.Own, Since: view.NewMoment(v.Since.Time, now), By: phrase.Text(v.Since.By, 80), Confirmed: phrase.Text(v.Since.Confirmed, 80),
		Why: phrase.Prose(v.Since.Why, vigil.MaxNote), Seen: v.Revision, Key: keyOf(who.By, "budget", v.Revision), Exceptions: phrase.Count(int64(v.Exceptions)),
		CanReplay: h.do.Replayer != nil,
	}
	if h.has("GET /exceptions") {
		p.ExceptionsURL = "/exceptions"
	}
	p.wanted(r.URL.Query())
	if b := v.Proposal; b != nil {
		p.Proposal = &budgetProposal{
			ID: b.ID, URL: "/tuning/budget/" + url.PathEscape(b.ID), What: proposalWords(b), By: phrase.Text(b.By, 80), Why: phrase.Prose(b.Why, vigil.MaxNote),
			At: view.NewMoment(b.Time, now), Mine: b.By == who.By,
		}
	}
	for _, l := range v.Lanes {
		p.Lanes = append(p.Lanes, newTuningLane(&l))
	}
	p.Words, p.Triage = wordTables(v.Words), newTriageStanding(&v.Triage)
	for i := range v.Versions[:min(len(v.Versions), listedVersions)] {
		p.Versions = append(p.Versions, newSettingVersion(&v.Versions[i], v.Since.ID, now))
	}
	p.More = len(v.Versions) - len(p.Versions)
	var factors []string
	for _, f := range budgetFactors() {
		factors = append(factors, strconv.FormatFloat(v.Budget*f, 'g', 3, 64))
	}
	p.Factors = strings.Join(factors, " ")
	return p
}

// wanted fills in the form that proposes by the address: a step of the preview, or an
// older version.
func (p *tuningPage) wanted(q url.Values) {
	if n, err := strconv.ParseFloat(q.Get("per_day"), 64); err == nil && n >= 0 && n <= vigil.MaxBudget {
		p.Wanted = strconv.FormatFloat(n, 'g', -1, 64)
	}
	if n, err := strconv.Atoi(q.Get("version")); err == nil && n > 0 {
		p.WhyWanted = "Back to version " + strconv.Itoa(n) + ": "
	}
}

func proposalWords(b *api.BudgetProposal) string {
	if !b.Own {
		return "what the configuration says, " + view.BudgetWords(b.PerDay)
	}
	return view.BudgetWords(b.PerDay)
}

// preview fills in the newest preview of several budgets, and what runs.
func (h *Handler) preview(r *http.Request, p *tuningPage) error {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Replayer.Replays(ctx)
	if err != nil {
		return err
	}
	now := h.cfg.Now()
	for i := range all {
		if all[i].State == api.ReplayRunning && p.Running == nil {
			running := view.NewReplay(&all[i], now)
			p.Running = &running
		}
	}
	at := slices.IndexFunc(all, func(x api.Replay) bool {
		return x.State == api.ReplayDone && len(x.Ask.Budgets) > 1 && len(x.Ask.Without) == 0
	})
	if at < 0 {
		return nil
	}
	x, err := h.do.Replayer.Replay(ctx, all[at].ID)
	if err != nil {
		return err
	}
	p.Previewed = view.NewMoment(x.Ended, now)
	nearest := 0
	for i := range x.Reports {
		report := &x.Reports[i]
		v := view.NewReplayReport(report, i, now)
		v.Differences = v.Differences[:min(len(v.Differences), 10)]
		p.Range = v.Range
		perDay := strconv.FormatFloat(report.Budget, 'g', 3, 64)
		p.Steps = append(p.Steps, budgetStep{N: i + 1, Name: v.Budget, PerDay: perDay, Report: v, URL: "/tuning?per_day=" + perDay + "#propose"})
		if report.All.Differ() < x.Reports[nearest].All.Differ() {
			nearest = i
		}
	}
	if len(p.Steps) > 0 {
		p.Steps[nearest].Current = true
		p.Models = p.Steps[nearest].Report.Models
	}
	return nil
}

func newTuningLane(l *api.Lane) tuningLane {
	v := tuningLane{Name: phrase.Lane(l.Name), Asks: phrase.LaneAsks(l.Name), Ready: l.Ready, PerDay: phrase.Number(l.ActorEpochs)}
	v.Line, v.Guide = view.OneIn(l.Threshold), view.OneIn(l.Theory)
	if !l.Ready {
		v.Why, _ = phrase.Learning(l.Why)
	}
	return v
}

func wordTables(counts []api.WordCount) (out []wordTable) {
	for _, t := range []struct{ by, name string }{{"lane", "By what found it"}, {"model", "By what told most"}, {"month", "By month"}} {
		table := wordTable{Name: t.name}
		for _, c := range counts {
			if c.By != t.by {
				continue
			}
			name := phrase.Text(c.Name, 40)
			if t.by == "lane" {
				name = phrase.Lane(c.Name)
			}
			n := func(i int) string { return phrase.Count(int64(i)) }
			table.Rows = append(table.Rows, wordRow{name, n(c.Bad), n(c.Expected), n(c.Unknown)})
		}
		if len(table.Rows) > 0 {
			out = append(out, table)
		}
	}
	return out
}

func newTriageStanding(t *api.TriageStanding) triageStanding {
	v := triageStanding{Known: t.Known, Why: phrase.Prose(t.Why, 300)}
	if !t.Known {
		return v
	}
	v.AUC, v.Brier = phrase.Percent(t.AUC), phrase.Number(t.Brier)
	var points []chart.Reliable
	for _, b := range t.Parts {
		points = append(points, chart.Reliable{Said: b.Said, Was: b.Was, N: b.N})
	}
	v.Picture = chart.Reliability(points)
	return v
}

func newSettingVersion(s *api.SettingVersion, inForce string, now time.Time) settingVersion {
	v := settingVersion{
		N: s.N, At: view.NewMoment(s.Time, now), From: phrase.Count(int64(s.From)), By: phrase.Text(s.Budget.By, 80), Confirmed: phrase.Text(s.Budget.Confirmed, 80),
		Why: phrase.Prose(s.Budget.Why, vigil.MaxNote),
	}
	if s.BudgetChanged {
		what := "budget: " + view.BudgetWords(s.Budget.PerDay)
		if !s.Budget.Own {
			what += ", by the configuration"
		}
		v.What = append(v.What, what)
		if s.Budget.Own && s.Budget.ID != inForce {
			v.URL = "/tuning?per_day=" + strconv.FormatFloat(s.Budget.PerDay, 'g', -1, 64) + "&version=" + strconv.Itoa(s.N) + "#propose"
		}
	} else {
		v.By, v.Confirmed, v.Why = "", "", ""
	}
	if c := s.Changed; c != nil {
		for _, x := range []struct {
			n    int
			what string
		}{{len(c.Added), "added"}, {len(c.Changed), "changed"}, {len(c.Removed), "removed"}} {
			if x.n > 0 {
				v.What = append(v.What, phrase.Plural(int64(x.n), "rule", "rules")+" "+x.what)
			}
		}
	}
	return v
}

func (h *Handler) proposeBudget(w http.ResponseWriter, r *http.Request) {
	seen, err := strconv.Atoi(r.PostForm.Get("seen"))
	if err != nil {
		h.fail(w, r, badForm())
		return
	}
	ask := api.BudgetProposing{File: r.PostForm.Get("file") == "yes", Why: r.PostForm.Get("why"), Seen: seen}
	if !ask.File {
		if ask.PerDay, err = readBudget(r.PostForm.Get("per_day")); err != nil {
			h.fail(w, r, errNoBudget)
			return
		}
	}
	ask.Key = keyOf(r.PostForm.Get("key"), ask.PerDay, ask.File, ask.Why)
	ctx, cancel := h.context(r)
	defer cancel()
	if err := h.do.Tuner.ProposeBudget(ctx, ask); err != nil {
		h.fail(w, r, h.readError(r, "budget", err))
		return
	}
	h.trouble.Over()
	leadOn(w, r, "/tuning", "budget-proposed")
}

var errNoBudget = api.NewProblem(http.StatusUnprocessableEntity, "That budget can't be read",
	"Write how many false findings a day people accept, such as 5 or 0.2; 0 is the default. Nothing was done.")

// readBudget reads a budget as people write it, with a comma or a point.
func readBudget(s string) (float64, error) {
	n, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(s), ",", ".", 1), 64)
	if err == nil && !(n >= 0 && n <= vigil.MaxBudget) {
		err = strconv.ErrRange
	}
	return n, err
}

func (h *Handler) answerBudget(w http.ResponseWriter, r *http.Request) {
	id, word := r.PathValue("id"), r.PostForm.Get("answer")
	if !validID(id) || word != "confirm" && word != "withdraw" {
		h.fail(w, r, badForm())
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	if err := h.do.Tuner.AnswerBudget(ctx, api.BudgetAnswering{ID: id, Confirm: word == "confirm"}); err != nil {
		h.fail(w, r, h.readError(r, "budget", err))
		return
	}
	h.trouble.Over()
	leadOn(w, r, "/tuning", "budget-"+word)
}
