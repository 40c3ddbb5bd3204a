package notice

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"vigil"
	"vigil/dashboards/document"
	"vigil/dashboards/phrase"
	"vigil/internal/api"
)

// Name is what a part is called, and which paragraph asks for it.
func Name(f vigil.NoticeField) (name, law string) {
	switch f {
	case vigil.NoticeNature:
		return "Nature of the breach", "Art. 33(3)(a)"
	case vigil.NoticePeople:
		return "Categories of people concerned", "Art. 33(3)(a)"
	case vigil.NoticePeopleCount:
		return "Approximate number of people", "Art. 33(3)(a)"
	case vigil.NoticeRecords:
		return "Categories of records", "Art. 33(3)(a)"
	case vigil.NoticeRecordCount:
		return "Approximate number of records", "Art. 33(3)(a)"
	case vigil.NoticeContact:
		return "Contact point", "Art. 33(3)(b)"
	case vigil.NoticeHarm:
		return "Likely consequences", "Art. 33(3)(c)"
	case vigil.NoticeMeasures:
		return "Measures taken or proposed", "Art. 33(3)(d)"
	case vigil.NoticeDelay:
		return "Reasons for the delay", "Art. 33(1)"
	case vigil.NoticeFacts:
		return "Documentation", "Art. 33(5)"
	}
	return string(f), ""
}

// Print is a hash over all texts of a notification as they stand.
func Print(v *api.NoticeView) string {
	h := sha256.New()
	for _, f := range vigil.NoticeFields() {
		fmt.Fprintf(h, "%s\x00%s\x00", f, v.Text(f))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Page writes a notification as one page of HTML, Sheet as a PDF: the draft as it stands
// for sent 0, else the sent-th phase as it was sent. made is when it is written.
func Page(w io.Writer, v *api.NoticeView, sent int, made time.Time) error {
	d, err := paper(v, sent, made)
	if err != nil {
		return err
	}
	return document.HTML(w, d)
}

// Sheet writes a notification as a PDF; see Page.
func Sheet(w io.Writer, v *api.NoticeView, sent int, made time.Time) error {
	d, err := paper(v, sent, made)
	if err != nil {
		return err
	}
	return document.PDF(w, d)
}

func paper(v *api.NoticeView, sent int, made time.Time) (document.Document, error) {
	if sent < 0 || sent > len(v.Notice.Sent) {
		return document.Document{}, fmt.Errorf("write notification of case %q: %w", v.Case.ID, api.ErrNotFound)
	}
	c := &v.Case
	d := document.Document{
		Kind: "Notification of a personal data breach", Subject: "Notification to the supervisory authority under article 33 of Regulation (EU) 2016/679",
		Number: phrase.Text(c.ID, maxName), Made: made.UTC(),
		Mark: fmt.Sprintf("draft, revision %d", v.Notice.Revision),
	}
	add := func(name, value string) {
		if value = phrase.Prose(value, maxSaid); value != "" {
			d.Facts = append(d.Facts, document.Fact{Name: name, Value: value})
		}
	}
	add("Controller", v.Organisation.Name)
	add("Case", c.ID)
	text := v.Text
	if sent == 0 {
		add("State", fmt.Sprintf("draft, revision %d; not sent", v.Notice.Revision))
		add("Authority", v.Organisation.Authority)
		d.Notes = append(d.Notes, "A draft: parts that nobody wrote are proposed by vigil from what the logs tell. Have them checked before they are sent.")
	} else {
		s := &v.Notice.Sent[sent-1]
		d.About, d.Made = string(s.Phase), s.Time.UTC()
		d.Mark = fmt.Sprintf("phase %d, %s", sent, s.Phase)
		add("Phase", fmt.Sprintf("%s, number %d", s.Phase, sent))
		add("Sent", phrase.Moment(s.At)+" to "+s.Authority)
		add("Reference", s.Reference)
		text = func(f vigil.NoticeField) string { return s.Texts[f] }
		if s.Late {
			d.Notes = append(d.Notes, "It was sent after the 72 hours of article 33(1); the reasons for the delay stand below.")
		}
	}
	if c.Aware != nil {
		add("Aware since", phrase.Moment(c.Aware.Time))
		add("Due until", phrase.Moment(c.Due()))
	}
	for _, f := range vigil.NoticeFields() {
		body := text(f)
		if f == vigil.NoticeDelay && body == "" {
			continue
		}
		name, law := Name(f)
		d.Sections = append(d.Sections, document.Section{Key: string(f), Heading: name + " (" + law + ")", Lead: lead(cmp.Or(body, "Not known yet."))})
	}
	if len(v.Notice.Sent) > 0 {
		t := document.Table{
			Title:   "What was sent",
			Columns: []document.Column{document.Left("Phase", 12), document.Left("Sent, UTC", 18), document.Left("Authority", 30), document.Left("Reference", 20), document.Left("In time", 20)},
		}
		for i := range v.Notice.Sent {
			s := &v.Notice.Sent[i]
			in := document.Cell{Text: "yes", Tone: document.ToneGood}
			if s.Late {
				in = document.Cell{Text: "after 72 hours", Tone: document.ToneWarn}
			} else if i > 0 {
				in = document.Cell{Text: "in phases, Art. 33(4)"}
			}
			t.Rows = append(t.Rows, []document.Cell{document.Text(string(s.Phase)), document.Moment(s.At), document.Text(s.Authority), document.Text(s.Reference), in})
		}
		d.Sections = append(d.Sections, document.Section{Key: "sent", Heading: "Phases", Tables: []document.Table{t}})
	}
	return d, nil
}

// lead are the paragraphs of a text.
func lead(text string) (out []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if line = phrase.Prose(line, vigil.MaxNoticeText); line != "" {
			out = append(out, line)
		}
	}
	return out
}
