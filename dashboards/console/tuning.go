package console

import (
	"cmp"
	"context"
	"html/template"
	"math"
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
	Proposal           *settingProposal
	Rules              rulesStanding
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
	// Previews says when the preview is made by itself, and Left why it was not.
	Previews, Left string
	Lanes          []tuningLane
	// Models are how well each is calibrated by the newest preview.
	Models   []view.Calibrated
	Words    []wordTable
	Triage   triageStanding
	Versions []settingVersion
	More     int
	// Exceptions is how many hold, ExceptionsURL where they are, empty where no page has them.
	Exceptions, ExceptionsURL string
}

// settingProposal is a proposal that waits.
type settingProposal struct {
	ID, URL, By, Why string
	// What says what changes, one part each; Compare leads to what differs, empty for none.
	What    []string
	Compare string
	At      view.Moment
	// Mine says that who looks made it.
	Mine bool
	// Tried is what it would have told, nil where it was not tried; TriedURL leads there.
	Tried    *view.ReplayReport
	TriedURL string
}

// rulesStanding is which rules judge.
type rulesStanding struct {
	N, Off             string
	Own                bool
	Since              view.Moment
	By, Confirmed, Why string
	// Files says how the configuration's differ, empty where they don't; Unkept why they
	// judge although two people agreed on others, empty where that is not so.
	Files, Unkept string
}

// budgetStep is one budget of a preview. URL leads to where it is proposed, empty for the one
// in force.
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
	Stale      bool
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
	// URL leads to what differs from it to the one in force; empty for that.
	URL string
}

// tuningHandlers adds the pages by which analysts tune, where there are any.
func (h *Handler) tuningHandlers(out map[string]http.HandlerFunc) {
	if h.do.Tuner != nil {
		out["GET /tuning"], out["GET /tuning/versions"] = h.tuning, h.versions
		out["POST /tuning/proposals"], out["POST /tuning/proposals/{id}"] = h.propose, h.answerProposal
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
		if err := h.preview(r, &p, v.Budget); err != nil {
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
		Why: phrase.Prose(v.Since.Why, vigil.MaxNote), Seen: v.Revision, Key: keyOf(who.By, "setting", v.Revision), Exceptions: phrase.Count(int64(v.Exceptions)),
		CanReplay: h.do.Replayer != nil,
	}
	if h.has("GET /exceptions") {
		p.ExceptionsURL = "/exceptions"
	}
	p.wanted(r.URL.Query())
	if v.Proposal != nil {
		p.Proposal = newProposal(v.Proposal, who, now)
	}
	p.Rules = newRulesStanding(&v.Rules, now)
	p.Previews, p.Left = previewWords(v.Previews), phrase.Prose(v.Left, 300)
	for _, l := range v.Lanes {
		p.Lanes = append(p.Lanes, newTuningLane(&l))
	}
	p.Words, p.Triage = wordTables(v.Words), newTriageStanding(&v.Triage)
	for i := range v.Versions[:min(len(v.Versions), listedVersions)] {
		p.Versions = append(p.Versions, newSettingVersion(&v.Versions[i], v.Versions[0].N, now))
	}
	p.More = len(v.Versions) - len(p.Versions)
	p.Factors = strings.Join(factorsOf(v.Budget), " ")
	return p
}

// factorsOf are the budgets that a preview tries.
func factorsOf(budget float64) (out []string) {
	steps := api.PreviewFactors()
	slices.Sort(steps)
	for _, f := range steps {
		out = append(out, strconv.FormatFloat(min(budget*f, vigil.MaxBudget), 'g', 3, 64))
	}
	return slices.Compact(out)
}

// previewWords says when previews are made by themselves.
func previewWords(spec string) string {
	if spec == "" || spec == "off" {
		return ""
	}
	return phrase.Text(spec, 60)
}

func newRulesStanding(r *api.RulesStanding, now time.Time) rulesStanding {
	v := rulesStanding{N: phrase.Plural(int64(r.N), "rule", "rules"), Off: phrase.Count(int64(r.Off)), Own: r.Own, Unkept: phrase.Prose(r.Unkept, 300)}
	if !r.Own {
		return v
	}
	v.Since, v.By, v.Confirmed, v.Why = view.NewMoment(r.Since, now), phrase.Text(r.By, 80), phrase.Text(r.Confirmed, 80), phrase.Prose(r.Why, vigil.MaxNote)
	if r.Files != nil {
		v.Files = rulesWords(r.Files)
	}
	return v
}

// wanted fills in the form that proposes by the address: a step of the preview.
func (p *tuningPage) wanted(q url.Values) {
	if n, err := strconv.ParseFloat(q.Get("per_day"), 64); err == nil && n >= 0 && n <= vigil.MaxBudget {
		p.Wanted = strconv.FormatFloat(n, 'g', -1, 64)
	}
}

func newProposal(p *api.Proposal, who api.Person, now time.Time) *settingProposal {
	v := &settingProposal{
		ID: p.ID, URL: "/tuning/proposals/" + url.PathEscape(p.ID), By: phrase.Text(p.By, 80), Why: phrase.Prose(p.Why, vigil.MaxNote),
		At: view.NewMoment(p.Time, now), Mine: p.By == who.By,
	}
	if b := p.Budget; b != nil {
		words := view.BudgetWords(b.PerDay)
		if !b.Own {
			words = "what the configuration says, " + words
		}
		v.What = append(v.What, words)
	}
	if p.Rules != nil {
		words := rulesWords(p.Rules)
		if !p.Rules.Own {
			words = "the configuration's rules" + colon(words)
		}
		v.What = append(v.What, words)
	}
	if p.Version > 0 {
		v.What = append(v.What, "back to version "+strconv.Itoa(p.Version))
		v.Compare = versionsURL(0, p.Version)
	}
	if p.Replay != "" {
		v.What, v.Compare = append(v.What, "as a back-test tried it"), "/tuning/replays/"+url.PathEscape(p.Replay)
	}
	return v
}

func colon(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

// rulesWords says how rules differ.
func rulesWords(r *api.ProposedRules) string {
	var parts []string
	for _, x := range []struct {
		ids  []string
		what string
	}{{r.Added, "added"}, {r.Changed, "changed"}, {r.Removed, "removed"}} {
		if n := len(x.ids); n > 0 {
			parts = append(parts, phrase.Plural(int64(n), "rule", "rules")+" "+x.what+" ("+phrase.Text(strings.Join(x.ids, ", "), 200)+")")
		}
	}
	return strings.Join(parts, ", ")
}

// preview fills in the newest preview of several budgets, and what runs.
func (h *Handler) preview(r *http.Request, p *tuningPage, inForce float64) error {
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
	if err := h.tried(ctx, all, p); err != nil {
		return err
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
		step := budgetStep{N: i + 1, Name: v.Budget, PerDay: perDay(report.Budget), Report: v}
		if step.PerDay != perDay(inForce) {
			step.URL = "/tuning?per_day=" + step.PerDay + "#propose"
		}
		p.Steps = append(p.Steps, step)
		if closer(report, &x.Reports[nearest], inForce) {
			nearest = i
		}
	}
	if len(p.Steps) > 0 {
		p.Steps[nearest].Current = true
		p.Models = p.Steps[nearest].Report.Models
	}
	return nil
}

// perDay is a budget as the form that proposes it takes it.
func perDay(budget float64) string { return strconv.FormatFloat(budget, 'g', 3, 64) }

// closer tells whether a differs less from what was live than b or, where both differ as
// much, lies nearer to the budget in force.
func closer(a, b *api.ReplayReport, inForce float64) bool {
	far := func(x *api.ReplayReport) float64 { return math.Abs(math.Log(x.Budget / inForce)) }
	return cmp.Or(cmp.Compare(a.All.Differ(), b.All.Differ()), cmp.Compare(far(a), far(b))) < 0
}

// tried fills in what the proposal that waits would have told, where it was tried.
func (h *Handler) tried(ctx context.Context, all []api.Replay, p *tuningPage) error {
	if p.Proposal == nil {
		return nil
	}
	at := slices.IndexFunc(all, func(x api.Replay) bool { return x.State == api.ReplayDone && x.Ask.Proposal == p.Proposal.ID })
	if at < 0 {
		return nil
	}
	x, err := h.do.Replayer.Replay(ctx, all[at].ID)
	if err != nil || len(x.Reports) == 0 {
		return err
	}
	v := view.NewReplayReport(&x.Reports[0], 0, h.cfg.Now())
	p.Proposal.Tried, p.Proposal.TriedURL = &v, "/tuning/replays/"+url.PathEscape(x.ID)
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
	v := triageStanding{Known: t.Known, Stale: t.Stale, Why: phrase.Prose(t.Why, 300)}
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

func newSettingVersion(s *api.SettingVersion, newest int, now time.Time) settingVersion {
	v := settingVersion{N: s.N, At: view.NewMoment(s.Time, now), From: phrase.Count(int64(s.From))}
	if s.N != newest {
		v.URL = versionsURL(0, s.N)
	}
	if s.BudgetChanged {
		what := "budget: " + view.BudgetWords(s.Budget.PerDay)
		if !s.Budget.Own {
			what += ", by the configuration"
		}
		v.What = append(v.What, what)
		v.By, v.Confirmed, v.Why = phrase.Text(s.Budget.By, 80), phrase.Text(s.Budget.Confirmed, 80), phrase.Prose(s.Budget.Why, vigil.MaxNote)
	}
	if c := s.Changed; c != nil && c.By != "" {
		v.By, v.Confirmed, v.Why = phrase.Text(c.By, 80), phrase.Text(c.Confirmed, 80), phrase.Prose(c.Why, vigil.MaxNote)
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
		if c.ID != "" && !c.Own {
			v.What = append(v.What, "the configuration's rules again")
		}
	}
	return v
}

func (h *Handler) propose(w http.ResponseWriter, r *http.Request) {
	form := r.PostForm
	seen, err := strconv.Atoi(form.Get("seen"))
	if err != nil {
		h.fail(w, r, badForm())
		return
	}
	ask := api.Proposing{Configuration: form.Get("configuration") == "yes", Replay: form.Get("replay"), Only: api.Part(form.Get("only")), Why: form.Get("why"), Seen: seen}
	for _, x := range []struct {
		field string
		into  *int
	}{{"version", &ask.Version}, {"report", &ask.Report}} {
		if s := form.Get(x.field); s != "" {
			if *x.into, err = strconv.Atoi(s); err != nil {
				h.fail(w, r, badForm())
				return
			}
		}
	}
	if form.Has("per_day") && !ask.Configuration {
		n, err := readBudget(form.Get("per_day"))
		if err != nil {
			h.fail(w, r, errNoBudget)
			return
		}
		ask.PerDay = &n
	}
	ask.Key = keyOf(form.Get("key"), form.Get("per_day"), ask.Configuration, ask.Version, ask.Replay, ask.Report, ask.Only, ask.Why)
	ctx, cancel := h.context(r)
	defer cancel()
	if _, err := h.do.Tuner.Propose(ctx, ask); err != nil {
		h.fail(w, r, h.settingError(r, err))
		return
	}
	h.trouble.Over()
	leadOn(w, r, "/tuning", "setting-proposed")
}

var errNoVersion = api.NewProblem(http.StatusNotFound, "There is no such version", "The page of tuning lists those that are known.")

// settingError is readError for settings.
func (h *Handler) settingError(r *http.Request, err error) *api.Problem {
	if p := h.readError(r, "setting", err); p != errNoFinding {
		return p
	}
	return errNoVersion
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

func (h *Handler) answerProposal(w http.ResponseWriter, r *http.Request) {
	id, word := r.PathValue("id"), r.PostForm.Get("answer")
	if !validID(id) || word != "confirm" && word != "withdraw" {
		h.fail(w, r, badForm())
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	if err := h.do.Tuner.Answer(ctx, api.Answering{ID: id, Confirm: word == "confirm"}); err != nil {
		h.fail(w, r, h.settingError(r, err))
		return
	}
	h.trouble.Over()
	leadOn(w, r, "/tuning", "setting-"+word)
}
