package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/dashboards/view"
	"vigil/internal/access"
	"vigil/internal/api"
)

// findingPage is a finding's page, of which the body renews itself.
type findingPage struct {
	livePage
	Finding findingBody
	// Whole says that it is a page by itself, and not its body for one that is shown.
	Whole bool
}

// findingBody is the part of a finding's page that renews itself.
type findingBody struct {
	Finding        view.Finding
	ActorURL       string
	Case           *view.Case
	CaseFailed     bool
	TimelineFailed bool
	// Activity and Plot are nil and empty without an explorer, as is all below.
	Activity       *view.Activity
	Plot           plot
	Networks       *view.Networks
	NetworksFailed bool
	Related        []view.Related
	RelatedLeft    string
	RelatedFailed  bool

	Filter       *accessFilter
	Filtered     bool
	Events       []accessRow
	EventsFailed bool
	EventTotal   string
	EventRange   string
	Unread       string
	Prev, Next   string
}

// plot is a span's accesses and where their numbers are.
type plot struct {
	Activity            view.Activity
	URL, Go, Hash, Word string
	From, To            string
}

// accessFilter is the form that narrows the accesses.
type accessFilter struct {
	From, To, Resource, Network, Conversation string
	Outcomes                                  []choice
	Resources, Networks                       []string
}

type choice struct {
	Value, Word string
	Chosen      bool
}

// accessRow is an access, of which some values lead to their like.
type accessRow struct {
	view.Event
	ResourceCell, NetworkCell, ConversationCell cell
}

// cell is a value, and where its like stand: empty for nowhere.
type cell struct{ Text, URL string }

func (h *Handler) finding(w http.ResponseWriter, r *http.Request) {
	h.serveFinding(w, r, true)
}

func (h *Handler) findingLive(w http.ResponseWriter, r *http.Request) {
	h.serveFinding(w, r, false)
}

// serveFinding sends what the finding says, and then what had to be read of the log: that
// takes as long as there is of it.
func (h *Handler) serveFinding(w http.ResponseWriter, r *http.Request, whole bool) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoFinding)
		return
	}
	q, bad := readSpan(r.URL.Query())
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	f, err := h.reader.Finding(ctx, id)
	if err != nil {
		h.fail(w, r, h.readError(r, "finding", err))
		return
	}
	status, err := h.reader.Status(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "status", err))
		return
	}
	h.trouble.Over()
	now := h.now(status)
	v := view.NewFinding(&f, place(f.ID, now))
	data := findingBody{Finding: v}
	if f.About == vigil.AboutActor && f.Actor != "" {
		data.ActorURL = h.actorURL(api.PersonOf(r.Context()), f.Tenant, f.Actor)
	}
	data.Case, data.CaseFailed = h.caseOf(ctx, r, id)
	// The tag covers what the finding and its case say: while that stands, the events
	// and the timeline need not be read again.
	said, err := json.Marshal(struct {
		Finding vigil.Finding
		Case    *view.Case
	}{finite(f), data.Case})
	if err != nil {
		h.fail(w, r, h.readError(r, "finding", err))
		return
	}
	tag := tagOf(said, []byte(v.Start.Ago+"|"+v.Detected.Ago+"|"+q.encode()))
	if data.CaseFailed {
		tag = ""
	}
	if !whole && tag != "" && r.Header.Get("If-None-Match") == tag && !h.halves.has(tag) {
		notModified(w, tag)
		return
	}
	data.Finding.Draw(&f)
	page := findingPage{livePage: livePage{base: h.base(r, phrase.Severity(f.Severity)+": "+v.Who, true), Poll: v.Path + "/live" + q.encode(),
		Topics: string(api.FindingTopic(id)), Every: milliseconds(3 * h.cfg.Refresh)}, Finding: data, Whole: whole}
	page.Plots = h.do.Explorer != nil
	h.tagged(&page.livePage, tag)
	h.inTwo(w, r, tag, "finding-page", "finding-rest", &page, func() bool { return h.readBehind(ctx, r, &f, q, now, &page.Finding) })
}

// behind is what is read about a finding, all at once. Each has an error of its own: the
// page is shown without what can't be read.
type behind struct {
	timeline api.Timeline
	activity api.Activity
	events   api.EventPage
	networks api.Networks
	related  []api.Related
	left     int

	timeErr, eventErr, networkErr, relatedErr error
}

func (h *Handler) readAll(ctx context.Context, id string, q spanQuery) (b behind) {
	var reads sync.WaitGroup
	read := func(err *error, do func() error) {
		reads.Go(func() { *err = safely(do) })
	}
	x := h.do.Explorer
	if x == nil {
		read(&b.timeErr, func() (err error) { b.timeline, err = h.reader.FindingTimeline(ctx, id); return err })
		read(&b.eventErr, func() (err error) { b.events, err = h.reader.FindingEvents(ctx, id, q.skip, eventSize); return err })
		reads.Wait()
		return b
	}
	read(&b.timeErr, func() (err error) { b.activity, err = x.FindingActivity(ctx, id, q.from, q.to); return err })
	read(&b.eventErr, func() (err error) {
		b.events, err = x.FindingAccesses(ctx, id, api.EventFilter{
			From: q.from, To: q.to, Resource: q.resource, Network: q.network, Conversation: q.conversation, Outcome: q.outcome, Offset: q.skip, Limit: eventSize,
		})
		return err
	})
	read(&b.networkErr, func() (err error) { b.networks, err = x.FindingNetworks(ctx, id); return err })
	read(&b.relatedErr, func() (err error) { b.related, b.left, err = x.FindingRelated(ctx, id); return err })
	reads.Wait()
	return b
}

// readBehind adds what is behind a finding, and reports whether all of it could be read.
func (h *Handler) readBehind(ctx context.Context, r *http.Request, f *vigil.Finding, q spanQuery, now time.Time, data *findingBody) bool {
	b := h.readAll(ctx, f.ID, q)
	whole := true
	failed := func(what string, err error) bool {
		if err == nil || errors.Is(err, api.ErrNotFound) {
			return false
		}
		_ = h.readError(r, what, err) // for the log: the page itself is shown
		whole = false
		return true
	}
	data.TimelineFailed = failed("timeline", b.timeErr)
	data.EventsFailed = failed("events", b.eventErr)
	data.NetworksFailed = failed("networks", b.networkErr)
	data.RelatedFailed = failed("related findings", b.relatedErr)
	data.Finding.DrawTimeline(f, b.timeline)
	if h.do.Explorer != nil {
		h.explored(&b, f, q, now, data)
	}
	h.pageEvents(data, b.events, q)
	return whole
}

// explored adds what an explorer told.
func (h *Handler) explored(b *behind, f *vigil.Finding, q spanQuery, now time.Time, data *findingBody) {
	path := data.Finding.Path
	if b.activity.To.After(b.activity.From) {
		a := view.NewActivity(&b.activity, data.Finding.Key, f.Start, f.End, view.Place{Path: path, Hash: "time", Keep: q.kept()}, !q.from.IsZero() || !q.to.IsZero())
		data.Activity = &a
		data.Plot = plot{Activity: a, URL: path + "/timeline.json", Go: path + q.without("from", "to", "skip"), Hash: "events", Word: "List the accesses of this span"}
		if !q.from.IsZero() || !q.to.IsZero() {
			data.Plot.From, data.Plot.To = phrase.ISO(b.activity.From), phrase.ISO(b.activity.To)
		}
	}
	n := view.NewNetworks(&b.networks, data.Finding.Key, func(network string) string {
		return path + "?" + url.Values{"network": {network}}.Encode() + "#events"
	})
	data.Networks = &n
	data.Related = view.NewRelated(b.related, func(id string) view.Options { return place(id, now) })
	if b.left > 0 {
		data.RelatedLeft = phrase.Count(int64(b.left))
	}
	data.Filter, data.Filtered = q.form(f), q.filtered()
	if n := b.events.Damaged; n > 0 {
		data.Unread = phrase.Plural(int64(n), "part of the log", "parts of the log")
	}
}

// pageEvents fills in which events are shown, and the links to the others.
func (h *Handler) pageEvents(data *findingBody, events api.EventPage, q spanQuery) {
	data.Events = h.accessRows(events.Events, data.Finding.Path, q)
	n, from := len(events.Events), q.skip
	if events.Total > 0 {
		data.EventTotal = phrase.Count(int64(events.Total))
	}
	if n > 0 {
		data.EventRange = phrase.Count(int64(from+1)) + " to " + phrase.Count(int64(from+n))
		if data.EventTotal != "" {
			data.EventRange += " of " + data.EventTotal
		}
	}
	link := func(at int) string {
		next := q
		next.skip = max(at, 0)
		return data.Finding.Path + next.encode() + "#events"
	}
	if from > 0 {
		data.Prev = link(from - eventSize)
	}
	if (events.More || from+n < events.Total) && n > 0 && from+n <= maxOffset {
		data.Next = link(from + n)
	}
}

// accessRows makes events ready to print; with an explorer what they name leads to its
// like.
func (h *Handler) accessRows(events []*vigil.Event, path string, q spanQuery) (out []accessRow) {
	for _, e := range events {
		for _, v := range view.NewEvents([]*vigil.Event{e}) {
			row := accessRow{Event: v, ResourceCell: cell{Text: v.Resource}, NetworkCell: cell{Text: v.Network}, ConversationCell: cell{Text: v.Conversation}}
			if h.do.Explorer != nil {
				like := func(name, value string) string {
					if value == "" || len(value) > maxAsked {
						return ""
					}
					return path + q.with(name, value) + "#events"
				}
				row.ResourceCell.URL, row.NetworkCell.URL, row.ConversationCell.URL = like("resource", e.Resource), like("network", e.Network), like("conversation", e.Conversation)
			}
			out = append(out, row)
		}
	}
	return out
}

// findingPlot answers with the numbers of a span of a finding's accesses.
func (h *Handler) findingPlot(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoFinding)
		return
	}
	q, bad := readSpan(r.URL.Query())
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	f, err := h.reader.Finding(ctx, id)
	if err != nil {
		h.fail(w, r, h.readError(r, "finding", err))
		return
	}
	a, err := h.do.Explorer.FindingActivity(ctx, id, q.from, q.to)
	if err != nil {
		h.fail(w, r, h.readError(r, "timeline", err))
		return
	}
	h.trouble.Over()
	h.sendPlot(w, r, view.ActivityPlot(&a, "Accesses over time", f.Start, f.End))
}

// sendPlot sends the numbers of a plot.
func (h *Handler) sendPlot(w http.ResponseWriter, r *http.Request, p view.Plot) {
	body, err := json.Marshal(p)
	if err != nil {
		h.fail(w, r, h.readError(r, "plot", err))
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(body)
}

// actorURL is where an actor's page stands; empty where there is none, or who looks may
// not see it.
func (h *Handler) actorURL(who api.Person, tenant, id string) string {
	if !h.has("GET /actors/{id}") || !who.May(access.DeedActor) || strings.Trim(id, ".") == "" {
		return ""
	}
	out := "/actors/" + url.PathEscape(id)
	if tenant != "" {
		out += "?" + url.Values{"tenant": {tenant}}.Encode()
	}
	return out
}

// spanQuery is what an address asks of the accesses behind a finding or an actor.
type spanQuery struct {
	from, to                        time.Time
	resource, network, conversation string
	outcome                         vigil.Outcome
	tenant                          string
	skip                            int
}

// maxAsked bounds a text that an address asks for.
const maxAsked = 512

func readSpan(values url.Values) (q spanQuery, bad *api.Problem) {
	for name, to := range map[string]*string{"resource": &q.resource, "network": &q.network, "conversation": &q.conversation, "tenant": &q.tenant} {
		if *to = values.Get(name); len(*to) > maxAsked {
			return q, badRequest("“%s” is longer than %d bytes.", name, maxAsked)
		}
	}
	for name, to := range map[string]*time.Time{"from": &q.from, "to": &q.to} {
		if *to, bad = readTime(values.Get(name), name); bad != nil {
			return q, bad
		}
	}
	if !q.from.IsZero() && !q.to.IsZero() && !q.to.After(q.from) {
		return q, badRequest("“to” is not after “from”.")
	}
	q.outcome = vigil.Outcome(values.Get("outcome"))
	if !q.outcome.Valid() {
		return q, badRequest("“outcome” is not success, denied or error.")
	}
	q.skip, bad = readNumber(values, "skip", 0, 0, maxOffset)
	return q, bad
}

// ofOurTime reports whether something can have happened then. Times that are far off can't be
// told in nanoseconds, and would be others.
func ofOurTime(t time.Time) bool { return t.Year() >= 1990 && t.Year() < 2100 }

// readDay reads a day; ok is false for what is none.
func readDay(s string) (day time.Time, ok bool) {
	day, err := time.Parse(time.DateOnly, s)
	return day, err == nil && ofOurTime(day)
}

// readTime reads a time as an address or a form writes it, in UTC where no zone is told.
func readTime(s, name string) (time.Time, *api.Problem) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		t, err := time.Parse(layout, s)
		if err == nil && ofOurTime(t) {
			return t.UTC(), nil
		}
	}
	return time.Time{}, badRequest("“%s” is not a time between 1990 and 2100, such as 2026-11-02T14:00:00Z.", name)
}

func (q spanQuery) values() url.Values {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("from", phrase.ISO(q.from))
	set("to", phrase.ISO(q.to))
	set("resource", q.resource)
	set("network", q.network)
	set("conversation", q.conversation)
	set("outcome", string(q.outcome))
	set("tenant", q.tenant)
	if q.skip > 0 {
		v.Set("skip", strconv.Itoa(q.skip))
	}
	return v
}

func encode(v url.Values) string {
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

func (q spanQuery) encode() string { return encode(q.values()) }

// with is the same question with one more, from its beginning.
func (q spanQuery) with(name, value string) string {
	v := q.values()
	v.Del("skip")
	v.Set(name, value)
	return encode(v)
}

func (q spanQuery) without(names ...string) string {
	v := q.values()
	for _, n := range names {
		v.Del(n)
	}
	return encode(v)
}

// kept is what stays when another span is looked at.
func (q spanQuery) kept() url.Values {
	v := q.values()
	for _, n := range []string{"from", "to", "skip"} {
		v.Del(n)
	}
	return v
}

// filtered reports whether others than the finding's own accesses are asked for.
func (q spanQuery) filtered() bool {
	q.skip, q.tenant = 0, ""
	return q != spanQuery{}
}

// form is the form that asks it.
func (q spanQuery) form(f *vigil.Finding) *accessFilter {
	const most = 20
	field := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.Format("2006-01-02T15:04:05")
	}
	out := &accessFilter{
		From: field(q.from), To: field(q.to), Resource: phrase.Text(q.resource, maxAsked), Network: phrase.Text(q.network, maxAsked), Conversation: phrase.Text(q.conversation, maxAsked),
	}
	for _, o := range []struct {
		value vigil.Outcome
		word  string
	}{{"", "any"}, {vigil.OutcomeSuccess, "let through"}, {vigil.OutcomeDenied, "refused"}, {vigil.OutcomeError, "failed"}} {
		out.Outcomes = append(out.Outcomes, choice{string(o.value), o.word, o.value == q.outcome})
	}
	for _, s := range f.Resources[:min(len(f.Resources), most)] {
		out.Resources = append(out.Resources, phrase.Text(s, maxAsked))
	}
	for _, s := range f.Networks[:min(len(f.Networks), most)] {
		out.Networks = append(out.Networks, phrase.Text(s, maxAsked))
	}
	return out
}
