package console

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/notice"
	"vigil/dashboards/phrase"
	"vigil/internal/access"
	"vigil/internal/api"
)

// noticePage is the notification of a case to the supervisory authority.
type noticePage struct {
	base
	Case, CaseURL, URL string
	Clock              noticeClock
	Concerns           []string
	Parts              []noticePart
	Sent               []noticeSent
	// Final says that no phase is left to send.
	Final bool
	// May says that who looks may write.
	May             bool
	Seen            int
	Key, Print, Now string
	Authority       string
	Phases          []noticePhase
	// Revised is by whom and when it was written last, empty for nobody.
	Revised, RevisedBy, RevisedISO string
	// Stale says that what stands in the parts was not kept, because somebody else had
	// written meanwhile.
	Stale bool
}

// noticeClock is how the 72 hours stand.
type noticeClock struct {
	Running, Over     bool
	Left              string
	By                string
	Since, SinceISO   string
	Due, DueISO       string
	InTime, Sent      bool
	Started, NoNotice bool
}

// noticePart is one part of a notification.
type noticePart struct {
	Key, Name, Law string
	Text           string
	// Was is a hash over Text as it was shown: what comes back as it was is no change.
	Was string
	// By and At say who wrote it and when, empty for what is proposed; Proposed is what
	// vigil says where somebody wrote something else.
	By, At, ISO string
	Proposed    string
	// Theirs is what somebody else has written meanwhile, where what was sent was not
	// kept.
	Theirs string
	Rows   int
}

// noticePhase is a phase that may be sent next.
type noticePhase struct {
	Word vigil.NoticePhase
	Name string
}

// noticeSent is a phase that was sent.
type noticeSent struct {
	N                    int
	Phase                string
	At, ISO              string
	By                   string
	Authority, Reference string
	Late                 bool
	Page, Sheet          string
}

func (h *Handler) notice(w http.ResponseWriter, r *http.Request) {
	v, ok := h.noticeOf(w, r)
	if !ok {
		return
	}
	h.showNotice(w, r, http.StatusOK, h.newNotice(r, v))
}

// noticeOf reads the notification that a request is about, and answers the request where
// it can't.
func (h *Handler) noticeOf(w http.ResponseWriter, r *http.Request) (*api.NoticeView, bool) {
	id := r.PathValue("id")
	if !validID(id) {
		h.fail(w, r, errNoCase)
		return nil, false
	}
	ctx, cancel := h.context(r)
	defer cancel()
	v, err := h.do.Notices.Notice(ctx, id)
	if err != nil {
		h.fail(w, r, h.caseError(r, "notification", err))
		return nil, false
	}
	h.trouble.Over()
	return &v, true
}

// caseError is readError for what belongs to a case.
func (h *Handler) caseError(r *http.Request, what string, err error) *api.Problem {
	if errors.Is(err, api.ErrNotFound) {
		return errNoCase
	}
	return h.readError(r, what, err)
}

func (h *Handler) showNotice(w http.ResponseWriter, r *http.Request, status int, p noticePage) {
	body, err := h.render("notice", p)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// newNotice makes the page of a notification for who looks.
func (h *Handler) newNotice(r *http.Request, v *api.NoticeView) noticePage {
	c, now := &v.Case, h.cfg.Now()
	who := api.PersonOf(r.Context())
	p := noticePage{
		base: h.base(r, "Notification", false), Case: phrase.Text(c.ID, 80), URL: "/cases/" + url.PathEscape(c.ID) + "/notice",
		CaseURL: h.caseURL(c.ID, c.Lead), Clock: newClock(v, now), Concerns: v.Concerns,
		May: who.May(access.DeedNotice), Seen: v.Notice.Revision, Print: v.Print,
		Key: keyOf(who.By, c.ID, v.Notice.Revision), Now: now.UTC().Format("2006-01-02T15:04"),
		Authority: phrase.Text(v.Organisation.Authority, 200), Phases: nextPhases(&v.Notice),
	}
	p.Final = len(p.Phases) == 0
	if n := &v.Notice; n.Revision > 0 {
		p.Revised, p.RevisedISO, p.RevisedBy = phrase.Moment(n.Time), phrase.ISO(n.Time), phrase.Text(n.By, 80)
	}
	for _, f := range vigil.NoticeFields() {
		p.Parts = append(p.Parts, newPart(v, f))
	}
	for i := range v.Notice.Sent {
		s := &v.Notice.Sent[i]
		at := p.URL + "/" + strconv.Itoa(i+1)
		p.Sent = append(p.Sent, noticeSent{
			N: i + 1, Phase: phrase.Text(string(s.Phase), 20), At: phrase.Moment(s.At), ISO: phrase.ISO(s.At), By: phrase.Text(s.By, 80),
			Authority: phrase.Text(s.Authority, 200), Reference: phrase.Text(s.Reference, 200), Late: s.Late, Page: at + ".html", Sheet: at + ".pdf",
		})
	}
	return p
}

// nextPhases are those that may be sent next.
func nextPhases(n *vigil.Notice) []noticePhase {
	final := noticePhase{vigil.PhaseFinal, "final: all is told"}
	if len(n.Sent) == 0 {
		return []noticePhase{{vigil.PhaseInitial, "initial: what is known so far, more will follow"}, final}
	}
	if n.Sent[len(n.Sent)-1].Phase == vigil.PhaseFinal {
		return nil
	}
	return []noticePhase{{vigil.PhaseFurther, "further: what became known since"}, final}
}

func newClock(v *api.NoticeView, now time.Time) noticeClock {
	c := &v.Case
	out := noticeClock{NoNotice: len(v.Notice.Sent) == 0}
	if c.Aware == nil {
		return out
	}
	out.Started, out.Sent = true, len(v.Notice.Sent) > 0
	out.By = phrase.Text(c.Aware.By, 80)
	out.Since, out.SinceISO = phrase.Moment(c.Aware.Time), phrase.ISO(c.Aware.Time)
	out.Due, out.DueISO = phrase.Moment(c.Due()), phrase.ISO(c.Due())
	left := c.Due().Sub(now)
	out.Over = left <= 0
	out.Left = hours(left.Abs())
	out.Running = !out.Sent && !out.Over
	out.InTime = out.Sent && !v.Notice.Sent[0].Late
	return out
}

// hours writes a time as the law counts it: "70 h 49 min".
func hours(d time.Duration) string {
	if d > 10*24*time.Hour {
		return phrase.Length(d)
	}
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}

func newPart(v *api.NoticeView, f vigil.NoticeField) noticePart {
	p := noticePart{Key: string(f), Text: shown(v.Text(f))}
	p.Name, p.Law = notice.Name(f)
	if w, ok := v.Notice.Written[f]; ok {
		p.By, p.At, p.ISO = phrase.Text(w.By, 80), phrase.Moment(w.Time), phrase.ISO(w.Time)
		p.Proposed = shown(v.Proposed[f])
	}
	p.Was = hashOf(p.Text)
	p.Rows = min(14, max(2, strings.Count(p.Text, "\n")+1+len(p.Text)/110))
	return p
}

// shown makes a text of several lines safe to look at.
func shown(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = phrase.Prose(lines[i], vigil.MaxNoticeText)
	}
	return strings.Join(lines, "\n")
}

// hashOf is the same for a text however a browser writes its ends of lines.
func hashOf(text string) string {
	return keyOf(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")))
}

func (h *Handler) writeNotice(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	seen, err := strconv.Atoi(r.PostForm.Get("seen"))
	if !validID(id) || err != nil {
		h.fail(w, r, badForm())
		return
	}
	ask := api.NoticeWriting{Case: id, Seen: seen, Texts: map[vigil.NoticeField]string{}}
	parts := []any{r.PostForm.Get("key")}
	for _, f := range vigil.NoticeFields() {
		text, there := r.PostForm[string(f)]
		if !there || hashOf(text[0]) == r.PostForm.Get("was-"+string(f)) {
			continue
		}
		ask.Texts[f] = text[0]
		parts = append(parts, f, text[0])
	}
	// Who goes back and writes something else means another deed.
	ask.Key = keyOf(parts...)
	ctx, cancel := h.context(r)
	defer cancel()
	err = h.do.Notices.WriteNotice(ctx, ask)
	if errors.Is(err, api.ErrStale) || errors.Is(err, api.ErrRefused) {
		h.unkept(w, r, &ask, err)
		return
	}
	if err != nil {
		h.fail(w, r, h.caseError(r, "notification", err))
		return
	}
	h.trouble.Over()
	leadOn(w, r, "/cases/"+url.PathEscape(id)+"/notice", "notice-kept")
}

// unkept shows a form again that was not kept, with what was written in it.
func (h *Handler) unkept(w http.ResponseWriter, r *http.Request, ask *api.NoticeWriting, why error) {
	v, ok := h.noticeOf(w, r)
	if !ok {
		return
	}
	p, status := h.newNotice(r, v), http.StatusConflict
	p.Stale = errors.Is(why, api.ErrStale)
	if !p.Stale {
		status = http.StatusUnprocessableEntity
		p.Said = "Not kept: " + phrase.Prose(strings.TrimPrefix(why.Error(), api.ErrRefused.Error()+": "), 300) + "."
	}
	for i := range p.Parts {
		part := &p.Parts[i]
		if text, there := ask.Texts[vigil.NoticeField(part.Key)]; there {
			if p.Stale && part.By != "" {
				part.Theirs = part.Text
			}
			part.Text = shown(strings.ReplaceAll(text, "\r\n", "\n"))
		}
	}
	h.showNotice(w, r, status, p)
}

func (h *Handler) sendNotice(w http.ResponseWriter, r *http.Request) {
	id, form := r.PathValue("id"), r.PostForm
	seen, err := strconv.Atoi(form.Get("seen"))
	if !validID(id) || err != nil {
		h.fail(w, r, badForm())
		return
	}
	at, err := time.Parse("2006-01-02T15:04", strings.TrimSpace(form.Get("at")))
	if err != nil {
		h.fail(w, r, api.NewProblem(http.StatusUnprocessableEntity, "That time can't be read", "Write when it was sent, in UTC, as 2026-11-02T15:04."))
		return
	}
	ctx, cancel := h.context(r)
	defer cancel()
	err = h.do.Notices.SendNotice(ctx, api.NoticeSending{
		Case: id, Key: keyOf("sent", form.Get("key"), form.Get("phase"), form.Get("at"), form.Get("authority"), form.Get("reference")), Seen: seen,
		Print: form.Get("print"), Phase: vigil.NoticePhase(form.Get("phase")), At: at, Authority: form.Get("authority"), Reference: form.Get("reference"),
	})
	if err != nil {
		h.fail(w, r, h.caseError(r, "notification", err))
		return
	}
	h.trouble.Over()
	leadOn(w, r, "/cases/"+url.PathEscape(id)+"/notice", "notice-sent")
}

func badForm() *api.Problem {
	return api.NewProblem(http.StatusBadRequest, "This form can't be read", "Nothing was done. Go back, reload the page, and send it again.")
}

var errNoPaper = api.NewProblem(http.StatusNotFound, "There is no such document", "The draft is draft.html or draft.pdf; what was sent is 1.html, 1.pdf and so on.")

// noticePaper hands a notification over as a document: the draft, or a phase as it was
// sent.
func (h *Handler) noticePaper(w http.ResponseWriter, r *http.Request) {
	base, ending, _ := strings.Cut(r.PathValue("name"), ".")
	n := 0
	if base != "draft" {
		var err error
		if n, err = strconv.Atoi(base); err != nil || n < 1 || strconv.Itoa(n) != base {
			h.fail(w, r, errNoPaper)
			return
		}
	}
	write, kind := notice.Page, "text/html; charset=utf-8"
	switch ending {
	case "html":
	case "pdf":
		write, kind = notice.Sheet, "application/pdf"
	default:
		h.fail(w, r, errNoPaper)
		return
	}
	v, ok := h.noticeOf(w, r)
	if !ok {
		return
	}
	var b bytes.Buffer
	if err := write(&b, v, n, h.cfg.Now()); err != nil {
		if errors.Is(err, api.ErrNotFound) {
			h.fail(w, r, errNoPaper)
			return
		}
		h.fail(w, r, h.readError(r, "document", err))
		return
	}
	w.Header().Set("Content-Type", kind)
	// It has a style of its own, which no page of the console may have: it is opened from
	// where it is kept.
	w.Header().Set("Content-Disposition", `attachment; filename="notification-`+v.Case.ID+"-"+base+"."+ending+`"`)
	_, _ = w.Write(b.Bytes())
}
