package detector

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"vigil"
	"vigil/detector/features"
)

// affair is an open finding about something other than an actor.
type affair struct {
	Key          uint64
	Finding      vigil.Finding
	LastEvidence int64
	// Before is what closed spans held, Told the events when it last came out.
	Before affairSums
	Told   int64
	// Best holds, for each flow, the most telling reading, and Sum the summed
	// log10 of its e-values.
	Best map[flow]affairTerm

	actors   map[string]struct{}
	subjects features.Distinct
}

type affairSums struct{ Events, Rows int64 }

type affairTerm struct {
	Reading reading
	Lane    features.Lane
	Epoch   int64
	Sum     float64
}

// affairQuiet is how long after its last evidence such a finding closes.
const affairQuiet = 3 * 24 * hourNanos

func newAffair(about vigil.About, key uint64, line int, start, now int64, r, threshold float64) *affair {
	a := &affair{Key: key, LastEvidence: now, Best: map[flow]affairTerm{}, actors: map[string]struct{}{}}
	a.Finding = vigil.Finding{
		ID: findingID(fmt.Sprintf("%016x", key), lineName(line), start), State: vigil.StateOpen, About: about,
		Start: utc(start), Detected: utc(now), Lane: lineName(line), Evidence: r, Threshold: threshold,
		Subjects: vigil.Unknown, Rows: vigil.Unknown, Conversations: vigil.Unknown,
	}
	return a
}

// take counts a reading as evidence.
func (a *affair) take(rd *reading, l features.Lane, epoch int64, r float64, now int64) {
	if rd.E <= 1 {
		return
	}
	a.LastEvidence = max(a.LastEvidence, now)
	a.Finding.Evidence = max(a.Finding.Evidence, r)
	t, ok := a.Best[rd.Flow]
	if !ok || rd.E > t.Reading.E || rd.E == t.Reading.E && rd.Seen > t.Reading.Seen {
		t.Reading, t.Lane, t.Epoch = *rd, l, epoch
	}
	t.Sum = max(t.Sum, math.Log10(rd.E))
	a.Best[rd.Flow] = t
}

// actor names one who took part.
func (a *affair) actor(id string) {
	if len(a.actors) < vigil.MaxSubjects {
		a.actors[id] = struct{}{}
	}
}

// complete writes what is known into the finding.
func (a *affair) complete() {
	f := &a.Finding
	f.Actors = slices.Sorted(maps.Keys(a.actors))
	f.Actors = f.Actors[:min(len(f.Actors), actorList)]
	total := 0.0
	for _, t := range a.Best {
		total += t.Sum
	}
	f.Contributions = f.Contributions[:0:0]
	for _, k := range slices.Sorted(maps.Keys(a.Best)) {
		t := a.Best[k]
		c := flowContribution(&t)
		c.Share = t.Sum / max(total, 1e-9)
		f.Contributions = append(f.Contributions, c)
	}
	slices.SortStableFunc(f.Contributions, func(x, y vigil.Contribution) int { return cmp.Compare(y.Share, x.Share) })
	f.Severity, f.Harm = a.harm()
	f.Counterfactual = a.counterfactual()
	f.Sentence = a.sentence()
	f.Revision++
	a.Told = f.Events
}

// harm is the people whose data is at stake. A customer whom many read counts as
// so many looks at one person. Most of whom a team read it reads as on any day: its
// members count.
func (a *affair) harm() (vigil.Severity, float64) {
	f := &a.Finding
	n := max(float64(f.Subjects), 1)
	if f.About == vigil.AboutTeam {
		n = 1
	}
	if f.About != vigil.AboutSource {
		n = max(n, float64(len(a.actors)))
	}
	over := math.Pow(10, f.Evidence-f.Threshold)
	harm := n * over / (1 + over)
	switch {
	case n >= 1000:
		return vigil.SeverityCritical, harm
	case n >= 100:
		return vigil.SeverityHigh, harm
	case n >= 5:
		return vigil.SeverityMedium, harm
	}
	return vigil.SeverityLow, harm
}

var flowWords = [flows]struct{ one, many, span string }{
	flowReaders:   {"reader without a stated reason", "readers without a stated reason", "a day"},
	flowNewcomers: {"account that never came from there before", "accounts that never came from there before", "a quarter of an hour"},
	flowRefused:   {"account refused that never got in from there", "accounts refused that never got in from there", "a quarter of an hour"},
	flowTeam:      {"reading by its members together", "readings by its members together", "a day"},
	flowSilence:   {"event", "events", "an hour"},
}

func flowContribution(t *affairTerm) vigil.Contribution {
	rd := &t.Reading
	w := flowWords[rd.Flow]
	c := vigil.Contribution{
		Model: "volume", Observation: rd.Flow.String(), Span: t.Lane.String(), SpanStart: utc(t.Lane.Start(t.Epoch)), Frame: "self",
		Seen: rd.Seen, Expected: rd.Expected.Mean, Low: rd.Expected.Quantile(0.01), High: rd.Expected.Quantile(0.99),
		P: rd.P, E: rd.E,
	}
	if rd.Flow == flowSilence {
		c.Span, c.SpanStart = "hour", utc(t.Epoch*hourNanos)
		c.Text = fmt.Sprintf("%s within %s; usual at that hour are about %s, at least %s in 99 of 100",
			plural(int64(rd.Seen), w.one, w.many), w.span, number(c.Expected), number(c.Low))
		return c
	}
	c.Text = fmt.Sprintf("%s within %s; usual is %s", plural(int64(c.Seen), w.one, w.many), w.span, usualRange(&c))
	return c
}

func (a *affair) counterfactual() string {
	for _, k := range slices.Sorted(maps.Keys(a.Best)) {
		t := a.Best[k]
		high := t.Reading.Expected.Quantile(0.99)
		switch k {
		case flowReaders:
			return fmt.Sprintf("No finding with at most %s in a day, or if their reads had named a ticket or purpose.",
				plural(int64(high), "such reader", "such readers"))
		case flowNewcomers, flowRefused:
			return fmt.Sprintf("No finding with at most %s within %s.", plural(int64(high), flowWords[k].one, flowWords[k].many), flowWords[k].span)
		case flowTeam:
			return fmt.Sprintf("No finding with at most %s within a day.", plural(int64(high), "reading by the team", "readings by the team"))
		case flowSilence:
			return "No finding if the source had gone on telling as it does at that hour."
		}
	}
	return ""
}

func (a *affair) sentence() string {
	f := &a.Finding
	when := fmt.Sprintf("between %s and %s", f.Start.Format("2 Jan 15:04"), f.End.Format("2 Jan 15:04 UTC"))
	var what string
	n := int64(len(a.actors))
	switch f.About {
	case vigil.AboutSubject:
		what = fmt.Sprintf("Customer %s was read by %s %s, in %s", f.Subject, plural(n, "actor", "actors"), when, plural(f.Events, "access", "accesses"))
	case vigil.AboutNetwork:
		what = fmt.Sprintf("From network %s came %s %s", f.Network, plural(n, "account", "accounts"), when)
		if f.Subjects > 0 {
			what += ", and read data of " + plural(f.Subjects, "customer", "customers")
		}
	case vigil.AboutTeam:
		what = fmt.Sprintf("Team %s read more than its members usually do, together, %s", f.Team, when)
		if f.Subjects > 0 {
			what += ": data of " + plural(f.Subjects, "customer", "customers")
		}
	default:
		what = fmt.Sprintf("Source %s told less than usual %s", f.Source, when)
	}
	for i := range f.Contributions {
		if i == 0 {
			what += ". Unusual: "
		} else {
			what += "; "
		}
		what += f.Contributions[i].Text
	}
	return what + "."
}

// tell hands the finding out when it is new or grew by a quarter.
func (t *targets) tell(a *affair, always bool) {
	if !always && a.Told > 0 && !grew(a.Finding.Events, a.Told) {
		return
	}
	a.complete()
	t.found = append(t.found, a.copy())
}

func (a *affair) copy() vigil.Finding {
	f := a.Finding
	f.Contributions = slices.Clone(f.Contributions)
	f.Actors = slices.Clone(f.Actors)
	f.Networks = slices.Clone(f.Networks)
	f.SubjectIDs = slices.Clone(f.SubjectIDs)
	return f
}

// expire closes findings that have been quiet, and starts their evidence afresh.
func (t *targets) expire(now int64) {
	t.subjects.open = t.settle(t.subjects.open, now, func(key uint64) {
		if s := t.subjects.known[key]; s != nil {
			s.Detector.R = 0
		}
		if c := t.subjects.crowds[key]; c != nil {
			c.affair = nil
		}
	})
	t.networks.open = t.settle(t.networks.open, now, func(key uint64) {
		if n := t.networks.known[key]; n != nil {
			n.Detector.R = 0
		}
	})
}

func (t *targets) settle(open []*affair, now int64, done func(key uint64)) []*affair {
	if len(open) == 0 {
		return open
	}
	kept := open[:0]
	for _, a := range open {
		if now-a.LastEvidence < affairQuiet {
			kept = append(kept, a)
			continue
		}
		a.Finding.State = vigil.StateClosed
		if j := t.journal(a.Finding.ID); j != nil {
			j.Until = max(a.LastEvidence, 1)
		}
		t.tell(a, true)
		done(a.Key)
		t.dirty = true
	}
	clear(open[len(kept):])
	return kept
}

// finish tells all open findings a last time.
func (t *targets) finish() {
	for _, open := range [...][]*affair{t.subjects.open, t.networks.open} {
		for _, a := range open {
			t.tell(a, true)
		}
	}
}

func sortedKeys[V any](m map[uint64]V) []uint64 {
	return slices.Sorted(maps.Keys(m))
}

// evidenceDecay is what is left at epoch i of evidence that stood at judged.
func evidenceDecay(l features.Lane, judged, i int64) float64 {
	return fade(evidenceHalfLife[l], judged, i)
}

// fade is what is left after i-judged epochs of a half-life.
func fade(halfLife float64, judged, i int64) float64 {
	if judged == 0 || i <= judged {
		return 1
	}
	return math.Exp2(-float64(i-judged) / halfLife)
}

// hashTie is the conformal rank's U of a flow.
func hashTie(key, epoch uint64) float64 {
	h := key ^ (epoch+0x9e3779b97f4a7c15)*0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 29
	return (float64(h>>11) + 0.5) / (1 << 53)
}
