package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/dashboards/view"
	"vigil/internal/api"
)

const (
	// maxChosen bounds the versions of which one is chosen on the page; older ones have an
	// address.
	maxChosen = 200
	// maxDiffLine bounds a line of a rule's text on the page.
	maxDiffLine = 300
)

// versionsPage is what differs between two versions of the setting.
type versionsPage struct {
	base
	From, To settingVersion
	// Chosen are the versions of which two are compared, the newest first.
	Chosen []int
	Newest int
	// Before and After are the budgets, the same where they don't differ.
	Before, After string
	Same          bool
	Rules         []ruleDifference
	// Waits says that something is proposed already. Back is the version that can be brought
	// back, 0 for none, and Only the part of it, empty for all that differs.
	Waits    bool
	Back     int
	Only     api.Part
	NoBudget string
	NoRules  string
	Seen     int
	Key      string
}

type ruleDifference struct {
	ID, Step      string
	Before, After string
	Lines         []diffLine
	Unkept        bool
}

// diffLine is a line of a rule's text, with the sign of what became of it before it.
type diffLine struct {
	Text      string
	New, Gone bool
}

// versionsURL leads to what differs from one version to another; 0 is the one in force.
func versionsURL(from, to int) string {
	q := url.Values{"to": {strconv.Itoa(to)}}
	if from > 0 {
		q.Set("from", strconv.Itoa(from))
	}
	return "/tuning/versions?" + q.Encode()
}

func (h *Handler) versions(w http.ResponseWriter, r *http.Request) {
	from, ok1 := versionIn(r, "from")
	to, ok2 := versionIn(r, "to")
	if !ok1 || !ok2 {
		h.fail(w, r, errNoVersion)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	d, err := h.do.Tuner.Difference(ctx, from, to)
	if err != nil {
		h.fail(w, r, h.settingError(r, err))
		return
	}
	h.trouble.Over()
	h.show(w, r, http.StatusOK, "versions", h.newVersions(r, &d))
}

// versionIn reads a version from the address, 0 for none.
func versionIn(r *http.Request, name string) (n int, ok bool) {
	s := r.URL.Query().Get(name)
	if s == "" {
		return 0, true
	}
	n, err := strconv.Atoi(s)
	return n, err == nil && n > 0
}

func (h *Handler) newVersions(r *http.Request, d *api.VersionDifference) versionsPage {
	now := h.cfg.Now()
	p := versionsPage{
		base: h.base(r, "Versions", false), From: newSettingVersion(&d.From, d.Newest, now), To: newSettingVersion(&d.To, d.Newest, now), Newest: d.Newest,
		Before: budgetOf(&d.From.Budget), After: budgetOf(&d.To.Budget), Same: !d.Budget && len(d.Rules) == 0, Waits: d.Proposal != nil,
		NoBudget: phrase.Prose(d.NoBudget, 300), NoRules: phrase.Prose(d.NoRules, 300), Seen: d.Revision, Key: keyOf(api.PersonOf(r.Context()).By, "version", d.Revision),
	}
	for n := d.Newest; n > 0 && len(p.Chosen) < maxChosen; n-- {
		p.Chosen = append(p.Chosen, n)
	}
	for i := range d.Rules {
		p.Rules = append(p.Rules, newRuleDifference(&d.Rules[i]))
	}
	switch {
	case d.To.N == d.Newest || d.NoBudget != "" && d.NoRules != "":
	case d.NoRules != "":
		p.Back, p.Only = d.To.N, api.PartBudget
	case d.NoBudget != "":
		p.Back, p.Only = d.To.N, api.PartRules
	default:
		p.Back = d.To.N
	}
	return p
}

func budgetOf(b *vigil.BudgetChange) string {
	if !b.Own {
		return view.BudgetWords(b.PerDay) + ", by the configuration"
	}
	return view.BudgetWords(b.PerDay)
}

func newRuleDifference(d *api.RuleDifference) ruleDifference {
	v := ruleDifference{ID: phrase.Text(d.ID, 80), Step: phrase.Text(string(d.Step), 20), Before: digestWords(d.Before), After: digestWords(d.After), Unkept: d.Unkept}
	for _, s := range d.Lines {
		v.Lines = append(v.Lines, diffLine{Text: phrase.Text(s, maxDiffLine), New: strings.HasPrefix(s, "+"), Gone: strings.HasPrefix(s, "-")})
	}
	return v
}

// digestWords is the beginning of a text's digest, as the audit log has it.
func digestWords(m *vigil.RuleMark) string {
	if m == nil {
		return "none"
	}
	s := phrase.Text(m.Digest, 13)
	if m.Off {
		s += ", off"
	}
	return s
}
