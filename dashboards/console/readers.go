package console

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"vigil/dashboards/phrase"
	"vigil/dashboards/sheet"
	"vigil/internal/access"
	"vigil/internal/api"
)

// readersShown is how many readers stand on a page: the export has them all.
const readersShown = 500

// maxReaderIDs bounds the pseudonyms that an address of readers names.
const maxReaderIDs = 64

type readersPage struct {
	base
	// Asked is the pseudonym that the form begins with; Wrong says why it was not taken.
	Asked, Wrong string
	// Found says that there is an answer.
	Found                    bool
	Subjects                 []string
	Readers, Accesses, Since string
	SinceISO, More, Damaged  string
	Rows                     []readerRow
	// CSV and JSON have all of it.
	CSV, JSON string
}

type readerRow struct {
	Actor, URL, What, Shown, Refused, Other string
	First, FirstISO, Last, LastISO          string
	Stores, Reasons                         string
	Bare                                    bool
	Cases                                   []navLink
}

func (h *Handler) askReaders(w http.ResponseWriter, r *http.Request) {
	h.page(w, r, "readers", readersPage{base: h.base(r, "Who has read a customer", false)})
}

func (h *Handler) findReaders(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	ids, err := h.do.Readers.AskReaders(ctx, api.ReadersAsk{
		Customer: r.PostForm.Get("customer"), Tenant: r.PostForm.Get("tenant"), Purpose: r.PostForm.Get("purpose"),
	})
	if err != nil {
		h.fail(w, r, h.readError(r, "readers", err))
		return
	}
	h.trouble.Over()
	http.Redirect(w, r, "/readers/"+url.PathEscape(strings.Join(ids, "~")), http.StatusSeeOther)
}

// readerIDs reads the pseudonyms of an address.
func readerIDs(r *http.Request) ([]string, bool) {
	ids := strings.Split(r.PathValue("id"), "~")
	for _, id := range ids {
		if !validID(id) {
			return nil, false
		}
	}
	return ids, len(ids) <= maxReaderIDs
}

var errNoReaders = api.NewProblem(http.StatusNotFound, "That is no customer’s pseudonym", "Ask by the customer’s id, as the store has it, or by the pseudonym that vigil shows.")

func (h *Handler) readers(w http.ResponseWriter, r *http.Request) {
	ids, ok := readerIDs(r)
	if !ok {
		h.fail(w, r, errNoReaders)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	page, err := h.do.Readers.Readers(ctx, ids)
	data := readersPage{base: h.base(r, "Who has read a customer", false)}
	if errors.Is(err, api.ErrUnasked) {
		// Whoever followed a link here says first why they look.
		data.Asked = phrase.Text(ids[0], maxWord)
		h.page(w, r, "readers", data)
		return
	}
	if err != nil {
		h.fail(w, r, h.readError(r, "readers", err))
		return
	}
	h.trouble.Over()
	data.Found, data.CSV, data.JSON = true, r.URL.EscapedPath()+"/export.csv", r.URL.EscapedPath()+"/export.json"
	data.Readers, data.Accesses = phrase.Plural(int64(len(page.Readers)+page.More), "account", "accounts"), phrase.Plural(page.Accesses, "access", "accesses")
	if page.Damaged > 0 {
		data.Damaged = phrase.Plural(int64(page.Damaged), "part of the store", "parts of the store")
	}
	if !page.Since.IsZero() {
		data.Since, data.SinceISO = phrase.Moment(page.Since), phrase.ISO(page.Since)
	}
	for _, s := range page.Subjects {
		data.Subjects = append(data.Subjects, phrase.Text(s, maxWord))
	}
	shown := page.Readers[:min(len(page.Readers), readersShown)]
	for i := range shown {
		data.Rows = append(data.Rows, h.readerRow(&shown[i], data.Person))
	}
	data.More = plainCount(int64(len(page.Readers) - len(shown) + page.More))
	h.page(w, r, "readers", data)
}

func (h *Handler) readerRow(x *api.Reading, who api.Person) readerRow {
	row := readerRow{
		Actor: phrase.Text(x.Actor, maxWord), Shown: phrase.Count(x.Shown), Refused: phrase.Count(x.Refused), Other: phrase.Count(x.Other),
		First: phrase.Second(x.First), FirstISO: phrase.ISO(x.First), Last: phrase.Second(x.Last), LastISO: phrase.ISO(x.Last),
		Stores: phrase.Text(strings.Join(x.Stores, ", "), 200), Bare: x.Bare > 0,
	}
	row.URL = h.actorURL(who, x.Tenant, x.Actor)
	var what []string
	for _, s := range []string{phrase.Kind(x.Kind), x.Role, x.Team, x.Tenant} {
		if s != "" && !slices.Contains(what, s) {
			what = append(what, phrase.Text(s, maxWord))
		}
	}
	row.What = strings.Join(what, ", ")
	var reasons []string
	if x.Tickets > 0 {
		reasons = append(reasons, phrase.Count(x.Tickets)+" with a ticket")
	}
	for _, p := range x.Purposes {
		reasons = append(reasons, "purpose "+phrase.Text(p, maxWord))
	}
	if x.Bare > 0 {
		reasons = append(reasons, phrase.Count(x.Bare)+" with no reason told")
	}
	row.Reasons = strings.Join(reasons, "; ")
	for _, id := range x.Cases {
		link := navLink{Name: phrase.Text(id, maxWord)}
		if h.has("GET /cases/{id}") && who.May(access.DeedLook) && validID(id) {
			link.URL = "/cases/" + url.PathEscape(id)
		}
		row.Cases = append(row.Cases, link)
	}
	return row
}

func digits(n int64) string { return strconv.FormatInt(n, 10) }

// readersFile answers with all who have read a customer, as a table or as JSON.
func (h *Handler) readersFile(form string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ids, ok := readerIDs(r)
		if !ok {
			h.fail(w, r, errNoReaders)
			return
		}
		ctx, cancel := h.context(r)
		defer cancel()
		page, err := h.do.Readers.ExportReaders(ctx, ids, form)
		if errors.Is(err, api.ErrUnasked) {
			http.Redirect(w, r, "/readers/"+url.PathEscape(r.PathValue("id")), http.StatusSeeOther)
			return
		}
		if err != nil {
			h.fail(w, r, h.readError(r, "readers", err))
			return
		}
		h.trouble.Over()
		if form == formJSON {
			attach(w, "application/json", "readers.json")
			page.Readers = append([]api.Reading{}, page.Readers...) // a list, also of nobody
			err = json.NewEncoder(w).Encode(page)
		} else {
			attach(w, "text/csv; charset=utf-8", "readers.csv")
			err = writeReaders(w, page.Readers)
		}
		if err != nil {
			h.trouble.Say("export", err) // the client is gone, most likely
		}
	}
}

func writeReaders(w io.Writer, list []api.Reading) error {
	s := sheet.New(w, "actor", "actor_kind", "role", "team", "tenant", "accesses_shown", "accesses_refused", "accesses_other", "first", "last", "stores", "accesses_with_ticket", "purposes", "accesses_without_reason", "cases")
	for i := range list {
		x := &list[i]
		s.Row(x.Actor, string(x.Kind), x.Role, x.Team, x.Tenant, digits(x.Shown), digits(x.Refused), digits(x.Other), phrase.ISO(x.First), phrase.ISO(x.Last),
			strings.Join(x.Stores, " "), digits(x.Tickets), strings.Join(x.Purposes, " "), digits(x.Bare), strings.Join(x.Cases, " "))
	}
	return s.Err()
}
