package console

import (
	"html/template"
	"net/http"
	"net/url"
	"strconv"

	"vigil"
	"vigil/dashboards/phrase"
	"vigil/dashboards/view"
	"vigil/internal/access"
	"vigil/internal/api"
)

// pageSize is how many cases stand on a page of the queue.
const pageSize = 50

type queueBody struct {
	Status     view.Status
	Cards      []view.QueueCard
	Total      string
	Filters    []filterLink
	Query      queueQuery
	More       queueChoices
	Filtered   bool
	NoEvents   bool
	Prev, Next string
	Host       string
	First      firstStep
	// News says how many of the cases listed hold news, empty for none; NewsURL lists them. SeeAll says
	// that all can be marked as seen, Judge that cases can be picked.
	News, NewsURL string
	SeeAll, Judge bool
	Form          string
	Spent         view.Spent
	// Count are the budgets by which it is counted what stayed below the line, empty for who
	// may not; CountKey names that deed.
	Count, CountKey string
	Tuning          string
	Exceptions      string
	Silences        string
}

type filterLink struct {
	Word, URL      string
	Current, Split bool
}

// queuePage is the queue, and the form by which several cases are judged at once: it
// stands beside the part that renews itself.
type queuePage struct {
	livePage
	Judge bool
	// Back is the address of the queue as it is shown.
	Back string
}

func (h *Handler) queue(w http.ResponseWriter, r *http.Request) { h.serveQueue(w, r, "queue") }

func (h *Handler) queueLive(w http.ResponseWriter, r *http.Request) {
	h.serveQueue(w, r, "queue-live")
}

func (h *Handler) serveQueue(w http.ResponseWriter, r *http.Request, name string) {
	q, bad := readQueue(r.URL.Query())
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	status, err := h.reader.Status(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "status", err))
		return
	}
	who := api.PersonOf(r.Context())
	page, err := h.reader.Queue(ctx, q.filter(who.By))
	if err != nil {
		h.fail(w, r, h.readError(r, "queue", err))
		return
	}
	h.trouble.Over()
	now := h.now(status)
	data := queueBody{
		Status: view.NewStatus(status, now), Filters: q.links(), Query: q, More: q.choices(), Filtered: q != queueQuery{}, NoEvents: status.Events == 0, Host: r.Host, First: h.firstStep(r),
		SeeAll: h.has("POST /cases/seen"), Judge: h.judges(who), Form: who.Form, Spent: view.NewSpent(&page.Spent, status.Budget),
	}
	if page.Total != vigil.Unknown {
		data.Total = phrase.Count(page.Total)
	}
	if page.News > 0 {
		data.News, data.NewsURL = newsWords(page.News, q), "/"+q.onlyNew().String()
	}
	for to, p := range map[*string]headPage{&data.Tuning: {url: "/tuning", deed: access.DeedTune}, &data.Exceptions: {url: "/exceptions", deed: access.DeedLook}, &data.Silences: {url: "/silences", deed: access.DeedLook}} {
		if h.has("GET "+p.url) && who.May(p.deed) {
			*to = p.url
		}
	}
	if twice := 2 * status.Budget; h.has("POST /tuning/replays") && who.May(access.DeedTune) && twice > 0 && twice <= vigil.MaxBudget {
		data.Count = strconv.FormatFloat(twice, 'g', -1, 64)
		data.CountKey = keyOf(who.By, "count", page.Spent.Below)
	}
	for i := range page.Items {
		data.Cards = append(data.Cards, view.NewQueueCard(&page.Items[i], now, h.cfg.Now(), casePath))
	}
	if q.After != "" {
		data.Prev = "/" + q.after("").String()
	}
	if page.Next != "" {
		data.Next = "/" + q.after(page.Next).String()
	}
	body, err := h.render("queue-body", data)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	whole := &queuePage{Judge: data.Judge, Back: "/" + q.String()}
	whole.livePage = livePage{base: h.base(r, "Queue", true), Poll: "/live" + q.String(),
		Every: milliseconds(h.cfg.Refresh), Topics: string(api.TopicQueue) + " " + string(api.TopicStatus), Body: template.HTML(body)} //nolint:gosec // html/template made it
	h.sendPage(w, r, name, tagOf(body), &whole.livePage, whole)
}

// newsWords says how many of the cases that a query lists hold news.
func newsWords(n int, q queueQuery) string {
	one, many := "case holds", "cases hold"
	if q.onlyNew() != (queueQuery{New: true}) {
		one, many = "case of this kind holds", "cases of this kind hold"
	}
	if n >= api.MaxNews {
		return phrase.Count(api.MaxNews) + " " + many + " something that you have not seen, or more"
	}
	return phrase.Plural(int64(n), one, many) + " something that you have not seen"
}

// judges reports whether somebody may judge cases here.
func (h *Handler) judges(who api.Person) bool {
	return h.has("POST /cases/verdicts") && who.May(access.DeedVerdict)
}

// casePath is the address of a case.
func casePath(id string) string { return "/cases/" + url.PathEscape(id) }

// The words of an address for states that a case has not by itself.
const (
	stateAll  = "all"
	ownerMe   = "me"
	ownerNone = "nobody"
)

// queueQuery is what an address asks of the queue. The zero one lists all cases that are
// not resolved.
type queueQuery struct {
	Min   vigil.Severity
	State string
	Owner string
	About vigil.About
	Place string
	// From and To are days, both included.
	From, To string
	New      bool
	After    string
}

// maxPlace bounds the name of a store, and a place in the list.
const maxPlace = 400

func readQueue(values url.Values) (q queueQuery, bad *api.Problem) {
	q = queueQuery{
		Min: vigil.Severity(values.Get("min")), State: values.Get("state"), Owner: values.Get("owner"), About: vigil.About(values.Get("about")),
		Place: values.Get("place"), From: values.Get("from"), To: values.Get("to"), New: values.Get("new") == "1", After: values.Get("after"),
	}
	if q.Min != "" && q.Min.Rank() == 0 {
		return q, badRequest("“min” is not low, medium, high or critical.")
	}
	switch q.State {
	case "", stateAll, string(vigil.CaseNew), string(vigil.CaseAcknowledged), string(vigil.CaseResolved):
	default:
		return q, badRequest("“state” is not new, acknowledged, resolved or all.")
	}
	switch q.Owner {
	case "", ownerMe, ownerNone:
	default:
		return q, badRequest("“owner” is not me or nobody.")
	}
	switch q.About {
	case "", vigil.AboutActor, vigil.AboutSubject, vigil.AboutNetwork, vigil.AboutTeam, vigil.AboutSource:
	default:
		return q, badRequest("“about” is not actor, subject, network, team or source.")
	}
	for name, day := range map[string]string{"from": q.From, "to": q.To} {
		if _, ok := readDay(day); day != "" && !ok {
			return q, badRequest("“%s” is no day: write it as 2026-11-02.", name)
		}
	}
	if q.From != "" && q.To != "" && q.To < q.From {
		return q, badRequest("“to” lies before “from”.")
	}
	if v := values.Get("new"); v != "" && v != "1" {
		return q, badRequest("“new” is not 1.")
	}
	if len(q.Place) > maxPlace || len(q.After) > maxPlace {
		return q, badRequest("It is longer than any that this console gives out.")
	}
	return q, nil
}

// filter is the query of somebody as the reader takes it.
func (q queueQuery) filter(me string) api.QueueFilter {
	f := api.QueueFilter{
		MinSeverity: q.Min, About: q.About, Place: q.Place, New: q.New, After: q.After, Limit: pageSize,
		Unresolved: q.State == "", Unowned: q.Owner == ownerNone,
	}
	if q.State != stateAll {
		f.State = vigil.CaseState(q.State)
	}
	if q.Owner == ownerMe {
		f.Owner = me
	}
	f.OpenedFrom, _ = readDay(q.From) // readQueue has looked at both
	if to, ok := readDay(q.To); ok {
		f.OpenedTo = to.AddDate(0, 0, 1)
	}
	return f
}

// String writes the query string, empty for the zero query.
func (q queueQuery) String() string {
	v := url.Values{}
	set := func(name, value string) {
		if value != "" {
			v.Set(name, value)
		}
	}
	set("min", string(q.Min))
	set("state", q.State)
	set("owner", q.Owner)
	set("about", string(q.About))
	set("place", q.Place)
	set("from", q.From)
	set("to", q.To)
	if q.New {
		set("new", "1")
	}
	set("after", q.After)
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

// after is the query for what comes after a place.
func (q queueQuery) after(place string) queueQuery {
	q.After = place
	return q
}

// onlyNew is the query for those of its cases that hold news.
func (q queueQuery) onlyNew() queueQuery {
	q.New, q.After = true, ""
	return q
}

// links are the filters that are pressed most.
func (q queueQuery) links() (out []filterLink) {
	add := func(word string, change func(q *queueQuery), current bool) {
		next := q.after("")
		change(&next)
		out = append(out, filterLink{Word: word, URL: "/" + next.String(), Current: current})
	}
	for _, s := range []struct{ state, word string }{
		{"", "to do"}, {string(vigil.CaseNew), "new"}, {string(vigil.CaseAcknowledged), "acknowledged"}, {string(vigil.CaseResolved), "resolved"}, {stateAll, "all"},
	} {
		add(s.word, func(q *queueQuery) { q.State = s.state }, q.State == s.state)
	}
	out = append(out, filterLink{Split: true})
	for _, o := range []struct{ owner, word string }{{"", "anybody’s"}, {ownerMe, "mine"}, {ownerNone, "nobody’s"}} {
		add(o.word, func(q *queueQuery) { q.Owner = o.owner }, q.Owner == o.owner)
	}
	return out
}

// option is something that can be chosen in a form.
type option struct {
	Value, Word string
	Current     bool
}

// queueChoices are what the form of the filters offers.
type queueChoices struct {
	Min, About []option
	// Open says that one of them is in force.
	Open bool
}

func (q queueQuery) choices() (c queueChoices) {
	for _, s := range []option{{Word: "any"}, {Value: string(vigil.SeverityMedium), Word: "medium and up"}, {Value: string(vigil.SeverityHigh), Word: "high and up"}, {Value: string(vigil.SeverityCritical), Word: "critical"}} {
		s.Current = string(q.Min) == s.Value
		c.Min = append(c.Min, s)
	}
	for _, a := range []option{{Word: "anything"}, {Value: string(vigil.AboutActor), Word: "a person or program"}, {Value: string(vigil.AboutSubject), Word: "a customer"}, {Value: string(vigil.AboutNetwork), Word: "a network"}, {Value: string(vigil.AboutTeam), Word: "a team"}, {Value: string(vigil.AboutSource), Word: "a source"}} {
		a.Current = string(q.About) == a.Value
		c.About = append(c.About, a)
	}
	c.Open = q.Min != "" || q.About != "" || q.Place != "" || q.From != "" || q.To != "" || q.New
	return c
}
