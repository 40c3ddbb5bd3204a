package console

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/dashboards/view"
	"vigil/internal/access"
	"vigil/internal/api"
)

type caseBody struct {
	Finding view.Finding
	Case    view.Case
	// Findings are those of the case; More counts those left out.
	Findings []caseFinding
	More     string
	Related  []caseLink
	Links    []navLink
	Do       caseDeeds
	// Changed says who changed the case since the page was opened, and when: what stands
	// on it to press is of before.
	ChangedBy string
	ChangedAt view.Moment
	Path      string
}

// caseFinding is a finding of a case.
type caseFinding struct {
	Path, Headline, When, Class string
	Severity, Verdict           string
	Lead                        bool
}

// caseLink leads to another case.
type caseLink struct {
	Path, ID, Text, Class string
	Hands                 view.Hands
	When                  string
}

// caseDeeds are what who looks may press on a case.
type caseDeeds struct {
	Path, Form string
	Seen       int
	// Take says that nobody has taken note of it, Claim that somebody else has it, Resolved
	// that a verdict is in force, Aware that its clock runs.
	Take, Claim, Resolved, Aware bool
	// May is by the deed.
	May map[string]bool
	// Colleagues are those who could have it.
	Colleagues []option
	Expect     *expectForm
	// Ask says that there is a person who could be asked, Asked that they were before.
	Ask, Asked bool
	Any        bool
}

// maxColleagues bounds the people that a form offers.
const maxColleagues = 200

func (h *Handler) caseFile(w http.ResponseWriter, r *http.Request) { h.serveCase(w, r, "case-page") }

func (h *Handler) caseLive(w http.ResponseWriter, r *http.Request) { h.serveCase(w, r, "case-live") }

func (h *Handler) serveCase(w http.ResponseWriter, r *http.Request, name string) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoCase)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	file, err := h.reader.CaseFile(ctx, id)
	if err != nil {
		h.fail(w, r, h.caseError(r, "case", err))
		return
	}
	shown, bad := readNumber(r.URL.Query(), "shown", file.Case.Revision, 0, 1<<31-1)
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	status, err := h.reader.Status(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "status", err))
		return
	}
	h.trouble.Over()
	data := h.caseBody(r, &file, h.now(status), shown)
	if h.do.Worker != nil && data.Do.May[string(access.DeedAssign)] {
		who, err := h.do.Worker.Colleagues(ctx)
		if err != nil {
			h.fail(w, r, h.readError(r, "colleagues", err))
			return
		}
		data.Do.Colleagues = colleagues(who)
	}
	body, err := h.render("case-body", data)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	h.sendLive(w, r, name, tagOf(body), livePage{base: h.base(r, phrase.Severity(file.Case.Severity)+": "+data.Finding.Who, true),
		Poll: data.Path + "/live?shown=" + strconv.Itoa(shown), Every: milliseconds(3 * h.cfg.Refresh),
		Topics: string(api.CaseTopic(id)), Body: template.HTML(body)}) //nolint:gosec // html/template made it
}

// caseBody makes what the page of a case shows to who looks at it.
func (h *Handler) caseBody(r *http.Request, file *api.CaseFile, now time.Time, shown int) caseBody {
	c, who := &file.Case, api.PersonOf(r.Context())
	data := caseBody{
		Finding: view.NewFinding(&file.Lead, place(file.Lead.ID, now)), Path: casePath(c.ID),
		Case: view.NewCase(&file.CaseView, c.Lead, h.cfg.Now(), findingPath),
	}
	data.Case.Others, data.Case.More = nil, "" // they are listed below
	for i := range file.Findings {
		f := &file.Findings[i]
		v := view.NewFinding(f, place(f.ID, now))
		data.Findings = append(data.Findings, caseFinding{
			Path: findingPath(f.ID), Headline: v.Headline, When: v.When, Class: v.Class, Severity: v.Severity, Verdict: v.Verdict, Lead: f.ID == c.Lead,
		})
	}
	if left := c.Total - len(file.Findings); left > 0 {
		data.More = phrase.Count(int64(left))
	}
	for i := range file.Related {
		x := &file.Related[i]
		data.Related = append(data.Related, caseLink{
			Path: casePath(x.ID), ID: phrase.Text(x.ID, 80), Text: about(x), Class: view.Class(x.Severity), Hands: view.NewHands(x), When: phrase.Range(x.Start, x.End),
		})
	}
	data.Links = h.caseLinks(who, c)
	data.Do = h.caseDeeds(who, file)
	data.Do.Seen = min(shown, c.Revision)
	if t := c.Touched; t != nil && t.Revision > shown {
		data.ChangedBy, data.ChangedAt = phrase.Text(t.By, 80), view.At(t.Time)
	}
	return data
}

func findingPath(id string) string { return "/findings/" + url.PathEscape(id) }

// about says in a word what a case is about, and its name.
func about(c *vigil.Case) string {
	names := map[vigil.About]string{
		vigil.AboutActor: c.Actor, vigil.AboutSubject: "customer " + c.Subject, vigil.AboutNetwork: "network " + c.Network,
		vigil.AboutTeam: "team " + c.Team, vigil.AboutSource: "source " + c.Source,
	}
	return phrase.Text(names[c.About], 120)
}

// caseLinks lead to the other pages of a case, those that there are.
func (h *Handler) caseLinks(who api.Person, c *vigil.Case) (out []navLink) {
	path := casePath(c.ID)
	out = append(out, navLink{Name: "Why it was found", URL: findingPath(c.Lead), Key: "w"})
	for _, l := range []struct{ name, key, route, url string }{
		{"Whose data", "d", "GET /cases/{id}/subjects", path + "/subjects"},
		{"72 hours", "h", "GET /cases/{id}/notice", path + "/notice"},
		{"Evidence pack", "e", "GET /cases/{id}/pack", path + "/pack"},
		{"Who this is, over time", "t", "GET /actors/{id}", h.actorURL(who, c.Tenant, c.Actor)},
		{"Reveal a name", "r", "GET /cases/{id}/reveals", path + "/reveals"},
	} {
		if !h.has(l.route) || !who.May(deedOf(l.route)) || l.url == "" {
			continue
		}
		out = append(out, navLink{Name: l.name, URL: l.url, Key: l.key})
	}
	return out
}

// deedOf is what the roles of who asks for a route must allow, nothing that anybody may for
// one that is not there.
func deedOf(route string) access.Deed {
	for _, r := range access.Routes() {
		if r.Name() == route {
			return r.Deed
		}
	}
	return ""
}

// caseDeeds are what somebody may press on a case.
func (h *Handler) caseDeeds(who api.Person, file *api.CaseFile) caseDeeds {
	c := &file.Case
	d := caseDeeds{
		Path: casePath(c.ID), Form: who.Form, May: map[string]bool{},
		Take: c.Acknowledged == nil && c.State == vigil.CaseNew, Claim: c.Owner != who.By, Resolved: c.State == vigil.CaseResolved, Aware: c.Aware != nil,
		Ask: c.OfPerson(), Asked: c.Asked != nil,
	}
	if h.do.Worker == nil {
		return d
	}
	for _, deed := range []access.Deed{access.DeedAcknowledge, access.DeedAssign, access.DeedSnooze, access.DeedNote, access.DeedAware, access.DeedVerdict, access.DeedExpect, access.DeedAsk} {
		d.May[string(deed)] = who.May(deed)
		d.Any = d.Any || who.May(deed)
	}
	if who.May(access.DeedExpect) {
		d.Expect = newExpectForm(&file.Lead)
	}
	return d
}

func colleagues(all []api.Colleague) (out []option) {
	for i := range all {
		if i == maxColleagues {
			break
		}
		roles := make([]string, len(all[i].Roles))
		for j, r := range all[i].Roles {
			roles[j] = strings.ReplaceAll(string(r), "_", " ")
		}
		out = append(out, option{Value: all[i].By, Word: phrase.Text(all[i].By, 80) + " (" + strings.Join(roles, ", ") + ")"})
	}
	return out
}
