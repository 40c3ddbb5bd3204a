package console

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/dashboards/view"
	"vigil/internal/access"
	"vigil/internal/api"
)

// silencesPage lists the silences, and makes one from its preview.
type silencesPage struct {
	base
	holding[silenceRow]
	May bool
	// Ask is what was asked, Preview what it would have kept back; nil before.
	Ask     silenceAsk
	Preview *silencePreview
}

type silenceRow struct {
	ID, URL, Says, Note, By string
	Made, Until             view.Moment
	EndedBy                 string
}

// silenceAsk is what the form says.
type silenceAsk struct {
	Stores, Sources, Scenarios, Roles, Teams, Actors string
	Max                                              []option
	MaxWord                                          string
	Hours, Note, Key                                 string
	For                                              []option
}

type silencePreview struct {
	Says, Since, Count, Breaches, Until string
	Findings                            []caseLink
	Untold                              bool
}

func (h *Handler) silencesPage(w http.ResponseWriter, r *http.Request) {
	h.showSilences(w, r, newSilenceAsk(r), nil)
}

func newSilenceAsk(r *http.Request) silenceAsk {
	f := r.PostForm
	a := silenceAsk{
		Stores: f.Get("stores"), Sources: f.Get("sources"), Scenarios: f.Get("scenarios"), Roles: f.Get("roles"), Teams: f.Get("teams"), Actors: f.Get("actors"),
		Key: f.Get("key"), MaxWord: f.Get("max"), Hours: f.Get("for"), Note: strings.TrimSpace(f.Get("note")),
	}
	if a.Hours == "" {
		a.Hours = "24"
	}
	for _, c := range []option{{Word: "any but critical"}, {Value: "high", Word: "high and below"}, {Value: "medium", Word: "medium and below"}, {Value: "low", Word: "low"}} {
		c.Current = c.Value == a.MaxWord
		a.Max = append(a.Max, c)
	}
	for _, c := range []option{{Value: "1", Word: "an hour"}, {Value: "4", Word: "4 hours"}, {Value: "24", Word: "a day"}, {Value: "168", Word: "a week"}, {Value: "720", Word: "30 days"}} {
		c.Current = c.Value == a.Hours
		a.For = append(a.For, c)
	}
	return a
}

// ask reads the form into what a Silencer takes.
func (a *silenceAsk) ask(by string) (s api.Silencing, bad *api.Problem) {
	hours, err := strconv.Atoi(a.Hours)
	if err != nil || hours < 1 || time.Duration(hours)*time.Hour > vigil.MaxSilence {
		return s, refused("A silence holds for 1 to " + strconv.Itoa(int(vigil.MaxSilence/time.Hour)) + " hours.")
	}
	s = api.Silencing{By: by, Note: a.Note, For: (time.Duration(hours) * time.Hour).Seconds()}
	s.Match = vigil.Match{
		MaxSeverity: vigil.Severity(a.MaxWord), Stores: names(a.Stores), Sources: names(a.Sources), Scenarios: names(a.Scenarios),
		Roles: names(a.Roles), Teams: names(a.Teams), Actors: names(a.Actors),
	}
	return s, nil
}

// deed is the same for the same form, and another for who goes back and asks for
// something else.
func (a *silenceAsk) deed(by string) string {
	return keyOf("silence", a.Key, by, a.Stores, a.Sources, a.Scenarios, a.Roles, a.Teams, a.Actors, a.MaxWord, a.Hours, a.Note)
}

// names reads a list whose parts are parted by commas or lines.
func names(text string) (out []string) {
	for _, n := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == '\n' || r == '\r' }) {
		if n = strings.TrimSpace(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

// silence previews a silence or, once its preview was seen, makes it.
func (h *Handler) silence(w http.ResponseWriter, r *http.Request) {
	form := newSilenceAsk(r)
	ask, bad := form.ask(nameOf(r))
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	making := r.PostForm.Get("do") == "make"
	ask.Preview = !making || ask.Note == ""
	ctx, cancel := h.context(r)
	defer cancel()
	got, err := h.do.Silencer.Silence(api.WithDeed(ctx, form.deed(ask.By)), ask)
	if err != nil {
		h.fail(w, r, h.readError(r, "silence", err))
		return
	}
	h.trouble.Over()
	if !ask.Preview {
		leadOn(w, r, "/silences", "silenced")
		return
	}
	p := &silencePreview{
		Says: phrase.Prose(got.Says, 400), Since: phrase.Moment(got.Since), Until: phrase.Moment(got.Silence.To), Untold: making,
		Count: phrase.Plural(int64(got.Total), "finding", "findings"),
	}
	if got.Breaches > 0 {
		p.Breaches = phrase.Plural(int64(got.Breaches), "of them was judged a breach or misuse", "of them were judged breaches or misuse")
	}
	for _, id := range got.Findings {
		p.Findings = append(p.Findings, caseLink{Path: findingPath(id), ID: phrase.Text(id, 80)})
	}
	h.showSilences(w, r, form, p)
}

func (h *Handler) showSilences(w http.ResponseWriter, r *http.Request, ask silenceAsk, preview *silencePreview) {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Silencer.Silences(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "silences", err))
		return
	}
	h.trouble.Over()
	page := silencesPage{base: h.base(r, "Silences", false), May: api.PersonOf(r.Context()).May(access.DeedSilence), Ask: ask, Preview: preview}
	page.Ask.Key = keyOf(page.Person.By, len(all))
	if len(all) > 0 {
		page.Ask.Key = keyOf(page.Person.By, len(all), all[0].ID)
	}
	for i := range all {
		s := &all[i]
		page.add(s.Holds(h.cfg.Now()), silenceRow{
			ID: phrase.Text(s.ID, 80), URL: "/silences/" + s.ID, Says: silenceSays(&s.Match), Note: phrase.Prose(s.Note, vigil.MaxNote), By: phrase.Text(s.By, 80),
			Made: view.At(s.Time), Until: view.At(s.To), EndedBy: phrase.Text(s.EndedBy, 80),
		})
	}
	h.show(w, r, http.StatusOK, "silences", page)
}

// silenceSays says of what a silence keeps back.
func silenceSays(m *vigil.Match) string {
	parts := []string{"findings"}
	if m.MinSeverity != "" {
		parts[0] += " from " + string(m.MinSeverity)
	}
	if m.MaxSeverity != "" {
		parts[0] += " up to " + string(m.MaxSeverity)
	}
	for _, a := range m.About {
		parts = append(parts, "about a "+phrase.Text(string(a), 40))
	}
	for _, l := range []struct {
		word  string
		names []string
	}{{"store", m.Stores}, {"source", m.Sources}, {"scenario", m.Scenarios}, {"tenant", m.Tenants}, {"team", m.Teams}, {"role", m.Roles}, {"account", m.Actors}} {
		if len(l.names) > 0 {
			parts = append(parts, "of "+l.word+" "+phrase.Text(strings.Join(l.names, " or "), 200))
		}
	}
	return strings.Join(parts, ", ")
}

func (h *Handler) endSilence(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	h.end(w, r, "/silences", "silence-ended", errNoSilence, func(id, by string) (ended bool, err error) {
		s, err := h.do.Silencer.EndSilence(ctx, id, by)
		return !s.Holds(h.cfg.Now()), err
	})
}
