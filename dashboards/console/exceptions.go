package console

import (
	"cmp"
	"errors"
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

// expectForm offers an exception out of a finding. Refused says why none can be made.
type expectForm struct {
	Scopes  []option
	Role    string
	Days    []option
	Refused string
}

// newExpectForm offers what can be expected of a finding.
func newExpectForm(f *vigil.Finding) *expectForm {
	out := &expectForm{Role: phrase.Text(f.Role, 80)}
	if _, err := vigil.NewException(f, "", false); err != nil {
		out.Refused = "It comes from a rule, is about no person, or rests on nothing that can be expected."
		return out
	}
	out.Scopes = []option{{Word: "what explains most of it"}}
	for _, s := range []struct {
		scope vigil.Scope
		word  string
	}{{vigil.ScopeNetwork, "from these networks"}, {vigil.ScopeResource, "in these tables and resources"}, {vigil.ScopeAmount, "this much of it"}} {
		if _, err := vigil.NewException(f, s.scope, false); err == nil {
			out.Scopes = append(out.Scopes, option{Value: string(s.scope), Word: s.word})
		}
	}
	out.Days = exceptionDays()
	return out
}

func exceptionDays() []option {
	return []option{{Value: "1", Word: "a day"}, {Value: "7", Word: "a week"}, {Value: "30", Word: "30 days", Current: true}, {Value: "90", Word: "90 days"}, {Value: "365", Word: "a year"}}
}

// expectPage shows what an exception would cover before it is made.
type expectPage struct {
	base
	Case, CaseURL string
	Seen          int
	// Scope, Role, Days and Note are what was chosen.
	Scope, Role, Days, Note string
	Says, Until, Since      string
	Events                  string
	Wholly, Partly          []caseLink
	MoreWholly, MorePartly  string
	WhollyCount             string
	PartlyCount             string
	Breaches                string
	// Untold says that the reason is missing.
	Untold bool
}

// expect previews an exception out of a case or, once its preview was seen, makes it.
func (h *Handler) expect(w http.ResponseWriter, r *http.Request) {
	a, bad := caseAct(r, access.DeedExpect)
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	a.Scope, a.ForRole = vigil.Scope(r.PostForm.Get("scope")), r.PostForm.Get("role") == "1"
	days, err := strconv.Atoi(r.PostForm.Get("for"))
	if err != nil || days < 1 || time.Duration(days)*24*time.Hour > vigil.MaxException {
		h.fail(w, r, refused("An exception holds for 1 to "+strconv.Itoa(int(vigil.MaxException/(24*time.Hour)))+" days."))
		return
	}
	a.For = time.Duration(days) * 24 * time.Hour
	making := r.PostForm.Get("do") == "make"
	a.Preview = !making || a.Note == ""
	ctx, cancel := h.context(r)
	defer cancel()
	done, err := h.do.Worker.Work(ctx, a)
	if err == nil && a.Preview && done.Covered == nil {
		err = errors.New("a preview shows nothing")
	}
	if err != nil {
		h.fail(w, r, h.caseError(r, "exception", err))
		return
	}
	h.trouble.Over()
	if !a.Preview {
		leadOn(w, r, casePath(a.Case), "expected")
		return
	}
	c := done.Covered
	page := expectPage{
		base: h.base(r, "Exception", false), Case: phrase.Text(a.Case, 80), CaseURL: casePath(a.Case), Seen: a.Seen,
		Scope: string(a.Scope), Days: strconv.Itoa(days), Note: phrase.Prose(a.Note, vigil.MaxNote), Untold: making,
		Says: c.Says, Until: phrase.Length(a.For), Since: phrase.Moment(c.Since),
		Events:      phrase.Count(int64(c.Events)) + " of " + phrase.Plural(int64(c.Of), "access", "accesses"),
		WhollyCount: phrase.Plural(int64(c.WhollyTotal), "finding", "findings"), PartlyCount: phrase.Plural(int64(c.PartlyTotal), "finding", "findings"),
	}
	if a.ForRole {
		page.Role = "1"
	}
	if c.Breaches > 0 {
		page.Breaches = phrase.Plural(int64(c.Breaches), "of them was judged a breach or misuse", "of them were judged breaches or misuse")
	}
	page.Wholly, page.MoreWholly = coveredLinks(c.Wholly, c.WhollyTotal)
	page.Partly, page.MorePartly = coveredLinks(c.Partly, c.PartlyTotal)
	h.show(w, r, http.StatusOK, "expect", page)
}

func coveredLinks(all []vigil.Finding, total int) (out []caseLink, more string) {
	for i := range all {
		f := view.NewFinding(&all[i], view.Options{})
		out = append(out, caseLink{Path: findingPath(all[i].ID), ID: f.ID, Text: f.Headline, Class: f.Class, When: f.When})
	}
	if left := total - len(all); left > 0 {
		more = phrase.Count(int64(left))
	}
	return out, more
}

// exceptionsPage lists the exceptions.
type exceptionsPage struct {
	base
	holding[exceptionRow]
	May bool
}

type exceptionRow struct {
	ID, URL, Says, Note, By string
	Made, Until             view.Moment
	Finding, FindingURL     string
	EndedBy                 string
}

// maxRows bounds the rows of a list of exceptions or silences that are over.
const maxRows = 100

// holding are rows that hold and rows that are over, the latest of these.
type holding[T any] struct {
	Holding, Over []T
	left          int64
}

func (l *holding[T]) add(holds bool, row T) {
	switch {
	case holds:
		l.Holding = append(l.Holding, row)
	case len(l.Over) < maxRows:
		l.Over = append(l.Over, row)
	default:
		l.left++
	}
}

// More counts those that are over and not listed, empty for none.
func (l holding[T]) More() string { return plainCount(l.left) }

func (h *Handler) exceptionsPage(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Decider.Exceptions(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "exceptions", err))
		return
	}
	status, err := h.reader.Status(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "status", err))
		return
	}
	h.trouble.Over()
	page := exceptionsPage{base: h.base(r, "Exceptions", false), May: api.PersonOf(r.Context()).May(access.DeedExpect)}
	now := h.now(status)
	for i := range all {
		x := &all[i]
		page.add(!x.Over(now), exceptionRow{
			ID: phrase.Text(x.ID, 80), URL: "/exceptions/" + x.ID, Says: exceptionSays(x), Note: phrase.Prose(x.Note, vigil.MaxNote), By: phrase.Text(x.By, 80),
			Made: view.At(x.Time), Until: view.At(x.To), Finding: phrase.Text(x.Finding, 80), FindingURL: findingPath(x.Finding), EndedBy: phrase.Text(x.EndedBy, 80),
		})
	}
	h.show(w, r, http.StatusOK, "exceptions", page)
}

// exceptionSays says for whom an exception holds, and what it expects.
func exceptionSays(x *vigil.Exception) string {
	who := phrase.Text(x.Who.Actor, 80)
	if x.Who.Actor == "" {
		who = "everybody of the role " + phrase.Text(x.Who.Role, 80)
	}
	if x.Scope != vigil.ScopeAmount {
		word := " from "
		if x.Scope == vigil.ScopeResource {
			word = " in "
		}
		return who + word + phrase.Text(strings.Join(x.Values, ", "), 200)
	}
	bounds := make([]string, 0, len(x.Bounds))
	for _, b := range x.Bounds {
		bounds = append(bounds, "up to "+phrase.Number(b.Most)+" "+phrase.Text(b.Observation, 40)+" in a "+phrase.Text(b.Span, 40))
	}
	return who + ": " + phrase.Text(strings.Join(bounds, ", "), 300)
}

func (h *Handler) endException(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	h.end(w, r, "/exceptions", "exception-ended", errNoException, func(id, by string) (ended bool, err error) {
		x, err := h.do.Decider.EndException(ctx, id, by)
		return x.Ended, err
	})
}

var (
	errNoException = api.NewProblem(http.StatusNotFound, "There is no such exception", "Look at the list of exceptions: it may be over.")
	errNoSilence   = api.NewProblem(http.StatusNotFound, "There is no such silence", "Look at the list of silences: it may be over.")
)

// end ends an exception or a silence in the name of who asks, and leads back to the list.
// One that has ended already is no error: it may have been pressed twice.
func (h *Handler) end(w http.ResponseWriter, r *http.Request, list, said string, none *api.Problem, do func(id, by string) (ended bool, err error)) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, none)
		return
	}
	ended, err := do(id, nameOf(r))
	switch {
	case errors.Is(err, api.ErrNotFound):
		err = none
	case errors.Is(err, api.ErrRefused) && ended:
		err = nil
	}
	if err != nil {
		h.fail(w, r, h.readError(r, "end", err))
		return
	}
	h.trouble.Over()
	leadOn(w, r, list, said)
}

// nameOf is under which name somebody acts who is asked for one.
func nameOf(r *http.Request) string {
	who := api.PersonOf(r.Context())
	return cmp.Or(who.Name, who.By)
}
