package ocsf

import (
	"math"
	"time"

	"vigil"
	"vigil/alerts"
)

// detection maps a message that is told.
func (e *Encoder) detection(m *alerts.Message, b *bound) *detection {
	card := alerts.CardOf(*m, e.opts.Console)
	d := &detection{
		CategoryUID: categoryUID, CategoryName: "Findings", ClassUID: classUID, ClassName: "Detection Finding",
		Metadata: metadata{
			Version: SchemaVersion, UID: ident(m.ID), Profiles: []string{"incident"},
			Product: product{Name: "vigil", VendorName: "vigil", Version: b.label(e.opts.Version)},
		},
	}
	d.SrcURL = b.link(card.Link)
	d.FindingInfo.SrcURL = d.SrcURL
	d.FindingInfo.Title = b.words(card.Title)
	severity, created := vigil.Severity(""), time.Time{}
	if c := m.Case; c != nil {
		severity, created = c.Severity, c.Opened
		d.ofCase(c, b)
	}
	if f := m.Finding; f != nil {
		severity, created = f.Severity, first(f.Detected, f.End, f.Start, created)
		d.ofFinding(f, m.Case, b)
	}
	if n := m.Notice; n != nil && m.Kind == alerts.KindNotice {
		severity = n.Severity
		d.ofNotice(n, b)
	}
	if r := m.Reply; r != nil && m.Kind == alerts.KindReply {
		d.Message = b.words(r.Text)
		d.Comment = d.Message
		d.FindingInfo.Title = d.Message
		d.at = latest(d.at, r.Time)
		d.Unmapped.Vigil.Reply = &toldReply{Kind: b.label(string(r.Kind)), Time: moment(r.Time), By: b.label(r.By)}
	}
	created = first(created, d.at)
	if created.IsZero() {
		created = e.opts.Now()
	}
	d.at = latest(d.at, created)
	d.Time = created.UnixMilli()
	d.FindingInfo.CreatedTime, d.FindingInfo.ModifiedTime = d.Time, d.at.UnixMilli()

	d.SeverityID, d.Severity, d.RiskLevelID, d.RiskLevel = grade(severity)
	d.judge(word(m))
	d.stand(m)
	if d.Metadata.UID == "" {
		// Only of messages that were made by hand.
		d.Metadata.UID = ident(key(m) + "-" + itoa(d.Metadata.Sequence))
	}
	if d.FindingInfo.UID == "" {
		d.FindingInfo.UID = d.Metadata.UID
	}
	if d.FindingInfo.Title == "" {
		d.FindingInfo.Title = d.ClassName
	}
	d.Unmapped.Vigil.Kind = b.label(m.Kind)
	d.Unmapped.Vigil.Cut = b.cut
	return d
}

// ofNotice maps what is told about no single case.
func (d *detection) ofNotice(n *alerts.Notice, b *bound) {
	d.FindingInfo.Title = b.words(n.Title)
	d.Message = b.words(n.Sentence)
	d.FindingInfo.Desc = d.Message
	d.FindingInfo.Types = []string{"notice"}
	d.Unmapped.Vigil.Lines = b.labels("lines", n.Lines)
}

// grade is a severity as the schema numbers it, and the level of risk that goes with it:
// vigil's severity is the harm that a finding may stand for.
func grade(s vigil.Severity) (severity int, name string, risk int, level string) {
	rank := s.Rank()
	if rank == 0 {
		return severityInformational, "Informational", 0, "Info"
	}
	name = [...]string{"Low", "Medium", "High", "Critical"}[rank-1]
	return rank + 1, name, rank, name
}

// judge maps the verdict in force.
func (d *detection) judge(w vigil.Word) {
	breach := func(is bool) { d.IsSuspectedBreach = &is }
	switch w {
	case vigil.WordBreach:
		d.VerdictID, d.Verdict = 2, "True Positive"
		breach(true)
	case vigil.WordMisuse:
		d.VerdictID, d.Verdict = 2, "True Positive"
		breach(false)
	case vigil.WordExpected:
		d.VerdictID, d.Verdict = 5, "Benign"
		breach(false)
	case vigil.WordUnknown:
		d.VerdictID, d.Verdict = 7, "Insufficient Data"
	}
}

// stand maps what became of it: the activity, the status, whether it is an alert.
func (d *detection) stand(m *alerts.Message) {
	w := word(m)
	resolved := m.Case == nil && w != ""
	held := false
	d.StatusID = statusNew
	if c := m.Case; c != nil {
		held, resolved = c.Held != "", c.State == vigil.CaseResolved
		if c.State == vigil.CaseAcknowledged {
			d.StatusID = statusInProgress
		}
	}
	// Which revision comes first is known by the receipt alone: earlier ones may have
	// been replaced before they were sent.
	d.ActivityID = activityUpdate
	if m.Receipt == "" && m.Kind != alerts.KindReply {
		d.ActivityID = activityCreate
	}
	if resolved {
		if d.StatusID = statusResolved; w == vigil.WordExpected {
			d.StatusID = statusSuppressed
		}
		if m.Kind != alerts.KindReply {
			d.ActivityID = activityClose
		}
	}
	d.IsAlert = d.StatusID == statusNew && !held && m.Kind != alerts.KindReply
	d.ActivityName = [...]string{activityCreate: "Create", activityUpdate: "Update", activityClose: "Close"}[d.ActivityID]
	d.Status = [...]string{statusNew: "New", statusInProgress: "In Progress", statusSuppressed: "Suppressed", statusResolved: "Resolved"}[d.StatusID]
	d.TypeUID = classUID*100 + d.ActivityID
	d.TypeName = d.ClassName + ": " + d.ActivityName
}

// word is the verdict in force, empty for none.
func word(m *alerts.Message) vigil.Word {
	if m.Case != nil {
		return m.Case.Word
	}
	if m.Finding != nil && m.Finding.Verdict != nil {
		return m.Finding.Verdict.Word
	}
	return ""
}

// link is a link that fits and that names no customer.
func (b *bound) link(s string) string {
	if len(s) > max(b.text, 200) || b.hide != nil && b.hide.Replace(s) != s {
		return ""
	}
	return s
}

// first is the first time that is known.
func first(times ...time.Time) time.Time {
	for _, t := range times {
		if !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// millis is a time as the schema counts it, zero for none.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// moment is a time as people and machines read it, empty for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// number is a number that JSON has; nil for the others.
func number(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// count is a count that the source told, nil for an unknown one.
func count(n int64) *int64 {
	if n == vigil.Unknown {
		return nil
	}
	return &n
}
