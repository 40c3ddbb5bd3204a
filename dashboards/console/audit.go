package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

const (
	auditPageSize = 100
	// maxAuditExport bounds the records of one export, maxAuditText each text that is
	// looked for.
	maxAuditExport = 1_000_000
	maxAuditText   = 200
)

// auditPage is the audit log.
type auditPage struct {
	base
	Standing     auditStanding
	Kinds        []auditKind
	Who, Object  string
	From, To     string
	Filtered     bool
	Records      []auditRecord
	Newer, Older string
	Export       string
}

type auditKind struct {
	Word, Name string
	Chosen     bool
}

// auditStanding is how the audit log stands, in words.
type auditStanding struct {
	Records, Head                    string
	Class, Says                      string
	At, AtISO                        string
	Whole, WholeISO                  string
	Broken, Fault                    string
	Checkpoints                      bool
	Kept, KeptAt, KeptISO, Waiting   string
	NeverVerified, NeverKept, Behind bool
}

type auditRecord struct {
	N, At, ISO, Who, What, Object, Hash string
	WhoURL                              string
}

// auditQuery reads the address of the audit page.
func auditQuery(values url.Values) (f api.AuditFilter, bad *api.Problem) {
	f.Kind, f.Limit = api.AuditKind(values.Get("kind")), auditPageSize
	f.Who, f.Object = strings.TrimSpace(values.Get("who")), strings.TrimSpace(values.Get("of"))
	if len(f.Who) > maxAuditText || len(f.Object) > maxAuditText {
		return f, badRequest("What is looked for is longer than %d letters.", maxAuditText)
	}
	known := f.Kind == ""
	for _, k := range api.AuditKinds() {
		known = known || f.Kind == k
	}
	if !known {
		return f, badRequest("“kind” is no kind of record.")
	}
	for _, d := range []struct {
		name string
		into *time.Time
		add  time.Duration
	}{{"from", &f.From, 0}, {"to", &f.To, 24 * time.Hour}} {
		text := values.Get(d.name)
		if text == "" {
			continue
		}
		t, ok := readDay(text)
		if !ok {
			return f, badRequest("“%s” is no day: write it as 2026-11-02.", d.name)
		}
		*d.into = t.Add(d.add) // the last day is meant as a whole
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.To.After(f.From) {
		return f, badRequest("The time ends before it begins.")
	}
	for _, c := range []struct {
		name string
		into *uint64
	}{{"before", &f.Before}, {"after", &f.After}} {
		text := values.Get(c.name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return f, badRequest("“%s” is no number of a record.", c.name)
		}
		*c.into = n
	}
	f.Oldest = f.After > 0 && f.Before == 0 // those that follow a page
	return f, nil
}

func (h *Handler) audit(w http.ResponseWriter, r *http.Request) {
	values := r.URL.Query()
	f, bad := auditQuery(values)
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	page, err := h.do.Auditor.Audit(ctx, f)
	if err != nil {
		h.fail(w, r, h.readError(r, "audit log", err))
		return
	}
	standing, err := h.do.Auditor.AuditStanding(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "audit log", err))
		return
	}
	h.trouble.Over()
	records := page.Records
	upwards := f.Oldest
	if upwards { // shown the newest first all the same
		for i, j := 0, len(records)-1; i < j; i, j = i+1, j-1 {
			records[i], records[j] = records[j], records[i]
		}
	}
	for _, cursor := range []string{"before", "after", "said"} {
		values.Del(cursor)
	}
	link := func(cursor string, n uint64) string {
		v := url.Values{}
		for name, all := range values {
			v[name] = all
		}
		v.Set(cursor, strconv.FormatUint(n, 10))
		return "/audit?" + v.Encode()
	}
	p := auditPage{
		base: h.base(r, "Audit log", false), Standing: newAuditStanding(&standing, h.cfg.Now()), Who: phrase.Text(f.Who, maxAuditText), Object: phrase.Text(f.Object, maxAuditText),
		From: values.Get("from"), To: values.Get("to"), Filtered: f.Kind != "" || f.Who != "" || f.Object != "" || !f.From.IsZero() || !f.To.IsZero(),
		Export: "/audit/export?" + values.Encode(),
	}
	for _, k := range append([]api.AuditKind{""}, api.AuditKinds()...) {
		name := string(k)
		if k == "" {
			name = "all"
		}
		p.Kinds = append(p.Kinds, auditKind{Word: string(k), Name: name, Chosen: k == f.Kind})
	}
	for _, x := range records {
		p.Records = append(p.Records, auditRecord{
			N: phrase.Count(int64(x.N)), At: phrase.Second(x.Time), ISO: phrase.ISO(x.Time), Who: phrase.Text(x.Who, 80), What: phrase.Text(x.What, 200),
			Object: phrase.Text(x.Object, 300), Hash: phrase.Text(x.Hash[:min(len(x.Hash), 16)], 16), WhoURL: "/audit?who=" + url.QueryEscape(x.Who),
		})
	}
	if n := len(records); n > 0 {
		if page.More || upwards {
			p.Older = link("before", records[n-1].N)
		}
		if f.Before > 0 || upwards && page.More {
			p.Newer = link("after", records[0].N)
		}
	}
	body, err := h.render("audit", p)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

func newAuditStanding(s *api.AuditStanding, now time.Time) auditStanding {
	out := auditStanding{
		Records: phrase.Plural(int64(s.Records), "record", "records"), Head: phrase.Text(s.Head, 64), Broken: phrase.Prose(s.Broken, 400), Fault: phrase.Prose(s.Fault, 400),
		Checkpoints: s.Checkpoints != "", NeverVerified: s.At.IsZero(), NeverKept: s.KeptAt.IsZero(),
	}
	if !s.At.IsZero() {
		out.At, out.AtISO = phrase.Ago(s.At, now), phrase.ISO(s.At)
	}
	if !s.Whole.IsZero() {
		out.Whole, out.WholeISO = phrase.Ago(s.Whole, now), phrase.ISO(s.Whole)
	}
	if !s.KeptAt.IsZero() {
		out.Kept, out.KeptAt, out.KeptISO = phrase.Count(int64(s.Kept)), phrase.Ago(s.KeptAt, now), phrase.ISO(s.KeptAt)
	}
	switch {
	case s.Broken != "":
		out.Class, out.Says = "bad", "The chain does not hold."
	case s.At.IsZero():
		out.Says = "The chain is being verified."
	default:
		out.Class, out.Says = "good", "The chain holds."
		if left := int64(s.Records) - int64(s.Verified); left > 0 {
			out.Waiting = phrase.Plural(left, "newer record is", "newer records are")
		}
	}
	return out
}

// auditExport hands the records over that a page shows, all of them, the oldest first, a
// line of JSON each.
func (h *Handler) auditExport(w http.ResponseWriter, r *http.Request) {
	f, bad := auditQuery(r.URL.Query())
	if bad != nil {
		h.fail(w, r, bad)
		return
	}
	f.Before, f.After, f.Oldest, f.Limit, f.Export = 0, 0, true, 1_000, true
	out := json.NewEncoder(w)
	for sent := 0; sent < maxAuditExport; {
		ctx, cancel := h.context(r)
		page, err := h.do.Auditor.Audit(ctx, f)
		cancel()
		if err != nil {
			if sent == 0 {
				h.fail(w, r, h.readError(r, "audit log", err))
				return
			}
			h.trouble.Say("audit log", err)
			panic(http.ErrAbortHandler) // half an export must not look whole
		}
		if sent == 0 {
			w.Header().Set("Content-Type", "application/x-ndjson")
			w.Header().Set("Content-Disposition", `attachment; filename="vigil-audit.ndjson"`)
		}
		for i := range page.Records {
			if err := out.Encode(&page.Records[i]); err != nil {
				return // the client is gone
			}
			f.After = page.Records[i].N
		}
		sent += max(1, len(page.Records))
		if !page.More {
			break
		}
	}
	h.trouble.Over()
}

// reportsPage lists the audit reports.
type reportsPage struct {
	base
	Reports []keptReport
	From    string
	To      string
	Key     string
}

type keptReport struct {
	ID, Period, Made, ISO string
	Revision              int
	Files                 []reportLink
}

type reportLink struct{ Name, URL string }

func (h *Handler) reports(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	all, err := h.do.Reporter.Reports(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "reports", err))
		return
	}
	h.trouble.Over()
	now := h.cfg.Now().UTC()
	first := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	p := reportsPage{base: h.base(r, "Audit reports", false), From: first.AddDate(0, -1, 0).Format(time.DateOnly), To: first.AddDate(0, 0, -1).Format(time.DateOnly)}
	for i := range all {
		k := &all[i]
		out := keptReport{ID: phrase.Text(k.ID, 80), Period: phrase.Range(k.From, k.To), Made: phrase.Moment(k.Made), ISO: phrase.ISO(k.Made), Revision: k.Revision}
		for _, name := range k.Files {
			word := map[string]string{".html": "page", ".pdf": "PDF", ".json": "manifest", ".sig": "signature"}[path.Ext(name)]
			if word == "" {
				continue
			}
			out.Files = append(out.Files, reportLink{Name: word, URL: "/reports/" + url.PathEscape(k.ID) + "/" + url.PathEscape(name)})
		}
		p.Reports = append(p.Reports, out)
	}
	body, err := h.render("reports", p)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

func (h *Handler) makeReport(w http.ResponseWriter, r *http.Request) {
	from, ok := readDay(r.PostForm.Get("from"))
	to, too := readDay(r.PostForm.Get("to"))
	if !ok || !too {
		h.fail(w, r, api.NewProblem(http.StatusUnprocessableEntity, "Those days can't be read", "Write both as 2026-11-02."))
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	// The last day is meant as a whole.
	if _, err := h.do.Reporter.BeginReport(ctx, api.ReportAsk{From: from, To: to.AddDate(0, 0, 1)}); err != nil {
		h.fail(w, r, h.readError(r, "report", err))
		return
	}
	h.trouble.Over()
	leadOn(w, r, "/reports", "report-begun")
}

var errNoReport = api.NewProblem(http.StatusNotFound, "There is no such report", "The page of the reports lists those that are kept.")

func (h *Handler) reportFile(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if !validID(r.PathValue("id")) || !validID(name) {
		h.fail(w, r, errNoReport)
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	data, err := h.do.ReportFiles.ReportFile(ctx, r.PathValue("id"), name)
	if errors.Is(err, api.ErrNotFound) {
		err = errNoReport
	}
	if err != nil {
		h.fail(w, r, h.readError(r, "report", err))
		return
	}
	h.trouble.Over()
	w.Header().Set("Content-Type", "application/octet-stream")
	// It has a style of its own, which no page of the console may have.
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = w.Write(data) //nolint:gosec // a report that vigil made, handed over as a file and never shown
}
