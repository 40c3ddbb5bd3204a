package console

import (
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"strings"

	"vigil/dashboards/phrase"
	"vigil/internal/access"
	"vigil/internal/api"
)

// setAsideShown is how many records that were set aside are shown.
const setAsideShown = 20

// setAside is a record that could not be read: where it stands, and why.
type setAside struct{ Source, Where, When, ISO, Why, Size, Hash string }

// setAsides reads the newest records that could not be read, none where nobody tells.
func (h *Handler) setAsides(r *http.Request) (out []setAside, err error) {
	if h.do.Keeper == nil {
		return nil, nil
	}
	all, err := h.do.Keeper.SetAside(r.Context(), setAsideShown)
	if err != nil {
		return nil, err
	}
	for i := range all {
		q := &all[i]
		x := setAside{Source: phrase.Text(q.Source, maxMe), Why: phrase.Prose(q.Reason, 300), Where: phrase.Text(q.File, 200), Size: phrase.Count(q.Size)}
		if q.Line > 0 {
			x.Where += ", line " + phrase.Count(q.Line)
		}
		if !q.Time.IsZero() {
			x.When, x.ISO = phrase.Second(q.Time), phrase.ISO(q.Time)
		}
		x.Hash = hex.EncodeToString(binary.BigEndian.AppendUint64(nil, q.Hash))
		out = append(out, x)
	}
	return out, nil
}

// sightPage tells what could be seen.
type sightPage struct {
	base
	Looked, Held string
	Feeds        []string
	Counts       [3]string
	Rows         []sightRow
}

type sightRow struct{ ID, Name, Word, Class, By, Mend, Lacks string }

func (h *Handler) sight(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := h.context(r)
	defer cancel()
	s, err := h.do.Keeper.Sight(ctx)
	if err != nil {
		h.fail(w, r, h.readError(r, "blind spots", err))
		return
	}
	page := sightPage{base: h.base(r, "Blind spots", false), Looked: phrase.Count(s.Looked), Held: phrase.Count(s.Held)}
	for _, k := range s.Feeds {
		page.Feeds = append(page.Feeds, phrase.Text(string(k), maxMe))
	}
	var counts [3]int64
	for at, seen := range [...]string{"blind", "partly", "seen"} {
		for i := range s.Rows {
			x := &s.Rows[i]
			if sightOf(x.Seen) != at {
				continue
			}
			counts[at]++
			row := sightRow{ID: phrase.Text(x.ID, 20), Name: phrase.Text(x.Name, 120), By: phrase.Prose(x.By, 300), Mend: phrase.Prose(x.Mend, 400), Word: seen, Class: [...]string{"bad", "warn", "good"}[at]}
			var lacks []string
			for _, l := range x.Lacks[:min(len(x.Lacks), 20)] {
				lacks = append(lacks, phrase.Text(l, 80))
			}
			row.Lacks = strings.Join(lacks, ", ")
			page.Rows = append(page.Rows, row)
		}
		page.Counts[at] = phrase.Count(counts[at])
	}
	h.sendWhole(w, r, "sight", page)
}

// sightOf orders how well something is seen: the blind first.
func sightOf(seen string) int {
	switch seen {
	case "seen":
		return 2
	case "partly":
		return 1
	}
	return 0
}

// samplePage reads what is pasted into it.
type samplePage struct {
	base
	Text, Format string
	Read         *api.SampleReading
	Sure, Next   string
	Failed       string
	Max          int
}

func (h *Handler) sample(w http.ResponseWriter, r *http.Request) {
	h.sendWhole(w, r, "sample", samplePage{base: h.base(r, "Read a sample", false), Max: api.MaxSample})
}

// readSample answers with the page itself: what was pasted is nowhere kept to lead back to.
func (h *Handler) readSample(w http.ResponseWriter, r *http.Request) {
	page := samplePage{base: h.base(r, "Read a sample", false), Max: api.MaxSample, Text: r.PostForm.Get("text"), Format: r.PostForm.Get("format")}
	ctx, cancel := h.context(r)
	defer cancel()
	x, err := h.do.Keeper.ReadSample(ctx, strings.TrimSpace(page.Format), []byte(page.Text))
	if err != nil {
		bad := h.readError(r, "sample", err)
		if bad.Status >= http.StatusInternalServerError {
			h.fail(w, r, bad)
			return
		}
		page.Failed = phrase.Prose(bad.Remedy, 600)
		h.sendWhole(w, r, "sample", page)
		return
	}
	x.Format = phrase.Text(x.Format, 60)
	for i := range x.Events {
		for j := range x.Events[i].Fields {
			f := &x.Events[i].Fields[j]
			f.Name, f.Value, f.Meaning, f.From = phrase.Text(f.Name, 60), phrase.Text(f.Value, 300), phrase.Text(f.Meaning, 120), phrase.Text(f.From, 120)
		}
	}
	for i, p := range x.Problems {
		x.Problems[i] = phrase.Prose(p, 400)
	}
	page.Read, page.Sure = &x, phrase.Percent(x.Sure)
	if x.Next != "" {
		page.Next = phrase.Text(x.Next, 60) + " (" + phrase.Percent(x.NextSure) + ")"
	}
	h.sendWhole(w, r, "sample", page)
}

// sendWhole sends a page that does not renew itself.
func (h *Handler) sendWhole(w http.ResponseWriter, r *http.Request, name string, page any) {
	body, err := h.render(name, page)
	if err != nil {
		h.fail(w, r, h.readError(r, "page", err))
		return
	}
	h.trouble.Over()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(body)
}

// next is what somebody can do to whom nothing is shown yet.
type firstStep struct{ Sample, Drill, Sources bool }

func (h *Handler) firstStep(r *http.Request) firstStep {
	who := api.PersonOf(r.Context())
	return firstStep{
		Sample: h.has("GET /sources/sample") && who.May(access.DeedSample), Drill: h.has("GET /drills"), Sources: who.May(access.DeedStatus),
	}
}
