package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"vigil/dashboards/phrase"
	"vigil/dashboards/sheet"
	"vigil/internal/access"
	"vigil/internal/api"
)

// subjectSize is how many customers stand on a page.
const subjectSize = 100

// maxWord bounds a foreign word in a table.
const maxWord = 80

type subjectsPage struct {
	base
	Case, CaseURL, URL            string
	Confirmed, Possible, Accesses string
	Beyond, Unnamed, Untold       string
	Damaged, AsOf, AsOfISO        string
	None                          bool
	Filters                       []filterLink
	Classes                       []classRow
	Rows                          []subjectRow
	Total, Next, First            string
	Reveal                        string
}

type classRow struct {
	Name, URL, Confirmed, Possible string
	Current                        bool
}

type subjectRow struct {
	Subject, Touch, Classes, Shown, Unsure string
	First, FirstISO, Last, LastISO         string
	Sure                                   bool
	Readers                                string
}

// className is a class of data as it is shown.
func className(class string) string {
	if class == "" {
		return "no class told"
	}
	return phrase.Text(class, maxWord)
}

// plainCount is a number, empty for none.
func plainCount(n int64) string {
	if n == 0 {
		return ""
	}
	return phrase.Count(n)
}

func (h *Handler) subjects(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	f, bad := readTouchFilter(r.URL.Query())
	if !validID(id) {
		bad = errNoCase
	}
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	page, err := h.do.Subjects.CaseSubjects(ctx, id, f)
	if err != nil {
		h.failCase(w, r, "customers of a case", err)
		return
	}
	h.trouble.Over()
	path := "/cases/" + url.PathEscape(id)
	sum := &page.Sum
	data := subjectsPage{
		base: h.base(r, "Whose data", false), Case: id, CaseURL: path, URL: path + "/subjects",
		Confirmed: phrase.Count(int64(sum.Confirmed)), Possible: phrase.Count(int64(sum.Possible)), Accesses: phrase.Count(sum.Events),
		Beyond: plainCount(sum.Beyond), Unnamed: plainCount(sum.Unnamed), Untold: plainCount(sum.Untold), Damaged: plainCount(int64(sum.Damaged)),
		AsOf: phrase.Second(sum.AsOf), AsOfISO: phrase.ISO(sum.AsOf), None: sum.Events == 0, Total: phrase.Count(int64(page.Total)),
	}
	if h.has("GET /cases/{id}/reveals") && data.Person.May(access.DeedReveal) {
		data.Reveal = path + "/reveals"
	}
	link := func(f api.TouchFilter) string { return data.URL + touchQuery(f) }
	for _, x := range []struct {
		word  string
		touch api.Touch
	}{{"all", ""}, {"confirmed", api.TouchConfirmed}, {"possible", api.TouchPossible}} {
		data.Filters = append(data.Filters, filterLink{Word: x.word, URL: link(api.TouchFilter{Touch: x.touch, Class: f.Class}), Current: f.Touch == x.touch})
	}
	for i := range sum.Classes {
		c := &sum.Classes[i]
		data.Classes = append(data.Classes, classRow{
			Name: className(c.Class), URL: link(api.TouchFilter{Touch: f.Touch, Class: &c.Class}),
			Confirmed: phrase.Count(int64(c.Confirmed)), Possible: phrase.Count(int64(c.Possible)), Current: f.Class != nil && *f.Class == c.Class,
		})
	}
	for i := range page.List {
		data.Rows = append(data.Rows, h.subjectRow(&page.List[i]))
	}
	if page.Next != "" {
		data.Next = link(api.TouchFilter{Touch: f.Touch, Class: f.Class, After: page.Next})
	}
	if f.After != "" {
		data.First = link(api.TouchFilter{Touch: f.Touch, Class: f.Class})
	}
	h.page(w, r, "subjects", data)
}

func (h *Handler) subjectRow(x *api.Touched) subjectRow {
	row := subjectRow{
		Subject: phrase.Text(x.Subject, maxWord), Touch: phrase.Text(string(x.Touch), maxWord), Sure: x.Touch == api.TouchConfirmed,
		Shown: phrase.Count(x.Shown), Unsure: phrase.Count(x.Unsure),
		First: phrase.Second(x.First), FirstISO: phrase.ISO(x.First), Last: phrase.Second(x.Last), LastISO: phrase.ISO(x.Last),
	}
	var classes []string
	for _, c := range x.Classes {
		classes = append(classes, className(c))
	}
	row.Classes = strings.Join(classes, ", ")
	if h.has("GET /readers/{id}") && validID(x.Subject) {
		row.Readers = "/readers/" + url.PathEscape(x.Subject)
	}
	return row
}

func readTouchFilter(values url.Values) (f api.TouchFilter, bad *api.Problem) {
	f.Touch, f.After, f.Limit = api.Touch(values.Get("touch")), values.Get("after"), subjectSize
	if f.Touch != "" && f.Touch != api.TouchConfirmed && f.Touch != api.TouchPossible {
		return f, badRequest("“touch” is not confirmed or possible.")
	}
	if f.After != "" && !validID(f.After) {
		return f, badRequest("“after” is no pseudonym.")
	}
	if values.Has("class") {
		class := values.Get("class")
		f.Class = &class
	}
	return f, nil
}

func touchQuery(f api.TouchFilter) string {
	v := url.Values{}
	if f.Touch != "" {
		v.Set("touch", string(f.Touch))
	}
	if f.Class != nil {
		v.Set("class", *f.Class)
	}
	if f.After != "" {
		v.Set("after", f.After)
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

// failCase answers with what went wrong with a case.
func (h *Handler) failCase(w http.ResponseWriter, r *http.Request, what string, err error) {
	if errors.Is(err, api.ErrNotFound) {
		h.fail(w, r, errNoCase)
		return
	}
	h.fail(w, r, h.readError(r, what, err))
}

// page sends a page that does not renew itself.
func (h *Handler) page(w http.ResponseWriter, r *http.Request, name string, data any) {
	body, err := h.render(name, data)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

// attach says that a file of a name follows.
func attach(w http.ResponseWriter, contentType, name string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
}

// The forms in which lists are exported.
const (
	formCSV  = "csv"
	formJSON = "json"
)

func (h *Handler) subjectsFile(form string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		id := r.PathValue("id")
		if !validID(id) {
			h.fail(w, r, errNoCase)
			return
		}
		ctx, cancel := h.context(r)
		defer cancel()
		_, sum, list, err := h.do.Subjects.ExportSubjects(ctx, id, form)
		if err != nil {
			h.failCase(w, r, "customers of a case", err)
			return
		}
		h.trouble.Over()
		if form == formJSON {
			attach(w, "application/json", "subjects-"+id+".json")
			if list == nil {
				list = []api.Touched{}
			}
			err = json.NewEncoder(w).Encode(struct {
				Case     string        `json:"case"`
				Sum      api.TouchSum  `json:"sum"`
				Subjects []api.Touched `json:"subjects"`
			}{id, sum, list})
		} else {
			attach(w, "text/csv; charset=utf-8", "subjects-"+id+".csv")
			err = writeSubjects(w, list)
		}
		if err != nil {
			h.trouble.Say("export", err) // the client is gone, most likely
		}
	}
}

// writeSubjects writes the list as a table, with a column of names where there is one.
func writeSubjects(w http.ResponseWriter, list []api.Touched) error {
	named := false
	for i := range list {
		named = named || list[i].Name != ""
	}
	headings := []string{"subject", "touch", "classes", "accesses_shown", "accesses_unsure", "first", "last"}
	if named {
		headings = append(headings, "name")
	}
	s := sheet.New(w, headings...)
	for i := range list {
		x := &list[i]
		row := []string{x.Subject, string(x.Touch), strings.Join(x.Classes, " "), digits(x.Shown), digits(x.Unsure), phrase.ISO(x.First), phrase.ISO(x.Last)}
		if named {
			row = append(row, x.Name)
		}
		s.Row(row...)
	}
	return s.Err()
}
