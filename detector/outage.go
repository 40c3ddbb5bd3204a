package detector

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"vigil"
	"vigil/models/calibrate"
	"vigil/models/volume"
)

const (
	// maxOutages bounds the silences that are remembered. When there is one more, the
	// oldest that is over makes room, and where all go on the newest takes it in.
	maxOutages = 256
	// sameOutage is how soon a source that falls silent again does so within the same
	// finding.
	sameOutage = 24 * hourNanos
	// comesAndGoes is after how many silences a finding stays open until its sources
	// have told without a break for settledAfter.
	comesAndGoes = 3
	settledAfter = 6 * hourNanos
	// sourceList bounds the sources that a finding names, missedTerms those that it
	// explains.
	sourceList  = 50
	missedTerms = 5
	// holiday is for how long a quiet that began as on other evenings may be one.
	holiday = 48 * hourNanos
)

// outage is an open finding about one source, or several that fell silent together.
type outage struct {
	Finding vigil.Finding
	Members []missed // in the order in which they were missed
	// Gaps counts silences. ToldGaps, ToldFor and ToldLate are their number, the longest
	// silence in nanoseconds and the events that came afterwards when it last came out.
	Gaps, ToldGaps, ToldFor, ToldLate int64
	// Over is when the last came back, zero while one is missed.
	Over int64
	// Alone says that no other source of which it is known told anything meanwhile, and
	// of those there is one at least; Only that there is no other.
	Alone, Only bool
	// News says that it is to come out.
	News bool
}

// missed is one source's silence.
type missed struct {
	Name string
	// Since is its last event's time, Until when the next came, zero while none did;
	// Seen is up to when it is known to be silent.
	Since, Until, Seen int64
	// Expected, Var are of the events that would have come, Late is how many of that
	// time came afterwards.
	Expected, Var float64
	Late          int64
	// Usual and Patience are the pause that is usual at that hour and the one from
	// which on it is missed, in seconds.
	Usual, Patience, P float64
	// Habit says that it fell silent when it usually does, and did not begin again.
	Habit bool
}

func (m *missed) length() int64 {
	if m.Until != 0 {
		return m.Until - m.Since
	}
	return m.Seen - m.Since
}

// kept says that what the source had not told came afterwards, most of it at least.
func (m *missed) kept() bool { return m.Late > 0 && float64(m.Late) >= m.Expected/2 }

// miss opens a finding about a source that is silent now, or lets one grow.
func (s *shared) miss(r *rhythm, now int64, p float64) {
	hour := (now - 1) / hourNanos
	m := missed{Name: r.Name, Since: r.Last, Seen: now, P: p, Patience: s.patience(r, hour)}
	m.Usual = r.expect(hour).Median()
	m.Habit = now-r.Last > 6*hourNanos && r.expect(r.Last/hourNanos+1).Median() >= 1800
	m.Expected, m.Var = s.untold(r.Name, r.Last, now)
	r.Odd = true
	o := s.outageFor(r, now)
	o.Finding.Evidence = max(o.Finding.Evidence, math.Log10(calibrate.E(p)))
	if at := slices.IndexFunc(o.Members, func(x missed) bool { return x.Name == r.Name }); at >= 0 {
		o.Members[at] = m
	} else {
		o.Members = append(o.Members, m)
	}
	o.Gaps++
	o.Over, o.Finding.State = 0, vigil.StateOpen
	r.out = o
	s.company(o)
	o.News = o.News || o.Gaps <= comesAndGoes || grew(o.Gaps, o.ToldGaps)
}

// outageFor is the finding that the source's silence belongs to: its own of the last
// day, or one about others that it fell silent together with, which is before the first
// of them was missed.
func (s *shared) outageFor(r *rhythm, now int64) *outage {
	rs := &s.rhythms
	for _, o := range rs.outages {
		own := slices.ContainsFunc(o.Members, func(m missed) bool { return m.Name == r.Name })
		if own && (o.Over == 0 || r.Last-o.Over < sameOutage) || o.Over == 0 && r.Last <= o.Finding.Detected.UnixNano() && o.Finding.Start.UnixNano() <= now {
			return o
		}
	}
	if len(rs.outages) >= maxOutages {
		at := slices.IndexFunc(rs.outages, func(o *outage) bool { return o.Over != 0 })
		if at < 0 {
			return rs.outages[len(rs.outages)-1]
		}
		rs.outages = slices.Delete(rs.outages, at, at+1)
	}
	o := &outage{Finding: vigil.Finding{
		ID: findingID("source\x00"+r.Name, "silence", r.Last), State: vigil.StateOpen, About: vigil.AboutSource, Source: r.Name,
		Start: utc(r.Last), End: utc(now), Detected: utc(now), Lane: lineName(lineSource), Threshold: math.Log10(calibrate.E(s.rarest())),
		Subjects: vigil.Unknown, Rows: vigil.Unknown, Conversations: vigil.Unknown,
	}}
	rs.outages = append(rs.outages, o)
	return o
}

// untold is how many events the source would have told between two times.
func (s *shared) untold(name string, from, to int64) (mean, variance float64) {
	t := s.told[name]
	if t == nil {
		return 0, 0
	}
	for h := max(from/hourNanos, to/hourNanos-silentHours); h*hourNanos < to; h++ {
		part := float64(min(to, (h+1)*hourNanos)-max(from, h*hourNanos)) / float64(hourNanos)
		if rate := &t.Hours[hourOfWeek(h)]; part > 0 && rate.X > 0 {
			c := rate.Predict(silencePrior(), part)
			mean += c.Mean
			variance += c.Var
		}
	}
	return mean, variance
}

// company looks at whether the others went on.
func (s *shared) company(o *outage) {
	o.Alone, o.Only = true, true
	first := o.Members[0].Since
	for _, m := range o.Members {
		first = min(first, m.Since)
	}
	for _, r := range s.rhythms.known {
		if slices.ContainsFunc(o.Members, func(m missed) bool { return m.Name == r.Name }) || r.Learnt < rhythmHours {
			continue
		}
		o.Only = false
		if r.Last > first+shortestSilence {
			o.Alone = false
		}
	}
	if len(o.Members) > 1 {
		o.Only = false
	}
}

// grow notes that the source is still silent.
func (o *outage) grow(now int64) {
	for i := range o.Members {
		if m := &o.Members[i]; m.Until == 0 {
			m.Seen = max(m.Seen, now)
			if m.length() >= 2*max(o.ToldFor, shortestSilence) {
				o.News = true
			}
		}
	}
}

// back notes that a source tells again: of the time t, as of now. Of one that had kept
// what it could not send the first events come late.
func (s *shared) back(r *rhythm, t, now int64, late bool) {
	o := r.out
	r.out, r.Odd = nil, true
	open := false
	for i := range o.Members {
		m := &o.Members[i]
		if m.Name == r.Name && m.Until == 0 {
			m.Until, m.Seen = t, t
			if late && t < now {
				m.Until, m.Seen, m.Late = now, now, 1
			}
			m.Expected, m.Var = s.untold(m.Name, m.Since, m.Until)
			o.Finding.End = utc(max(m.Until, o.Finding.End.UnixNano()))
		}
		open = open || m.Until == 0
	}
	if open {
		return
	}
	o.Over = now
	if o.Gaps <= comesAndGoes {
		o.Finding.State, o.News = vigil.StateClosed, true
	}
}

// fill counts an event of a source's silence that came afterwards.
func (s *shared) fill(source string, t int64) {
	for _, o := range s.rhythms.outages {
		for i := range o.Members {
			m := &o.Members[i]
			if m.Name == source && t > m.Since && t < m.Until {
				m.Late++
			}
		}
	}
}

// settleOutages closes those that came and went and have been settled since, and forgets
// what is long over. What came of them afterwards is told.
func (s *shared) settleOutages(now int64) {
	s.rhythms.outages = slices.DeleteFunc(s.rhythms.outages, func(o *outage) bool {
		if o.Over == 0 {
			return false
		}
		late := int64(0)
		for i := range o.Members {
			late += o.Members[i].Late
		}
		o.News = o.News || grew(late, o.ToldLate)
		if o.Finding.State == vigil.StateOpen && now-o.Over >= settledAfter {
			o.Finding.State, o.News = vigil.StateClosed, true
		}
		if now-o.Over < sameOutage {
			return false
		}
		if o.News {
			o.complete()
			s.found = append(s.found, o.copy())
		}
		return true
	})
}

// gone ends the finding about a source that does not come back.
func (s *shared) gone(r *rhythm, now int64) {
	o := r.out
	if o == nil {
		return
	}
	r.out = nil
	o.News = true
	for i := range o.Members {
		if m := &o.Members[i]; m.Name == r.Name {
			m.Until = now
		}
	}
	if !slices.ContainsFunc(o.Members, func(m missed) bool { return m.Until == 0 }) {
		o.Over, o.Finding.State = now, vigil.StateClosed
	}
}

// tellOutages hands out the findings about silence that are new, grew or ended.
func (s *shared) tellOutages() {
	for _, o := range s.rhythms.outages {
		if o.News {
			o.complete()
			s.found = append(s.found, o.copy())
		}
	}
}

func (o *outage) copy() vigil.Finding {
	f := o.Finding
	f.Contributions, f.Sources = slices.Clone(f.Contributions), slices.Clone(f.Sources)
	return f
}

// complete writes what is known into the finding.
func (o *outage) complete() {
	f := &o.Finding
	longest, late := o.longest(), int64(0)
	f.Events = 0
	f.Sources = f.Sources[:0:0]
	for i := range o.Members {
		m := &o.Members[i]
		late += m.Late
		f.End = utc(max(f.End.UnixNano(), m.Seen))
		if at := utc(m.Since); at.Before(f.Start) {
			f.Start = at
		}
		f.Sources = append(f.Sources, m.Name)
	}
	f.Events = late
	slices.Sort(f.Sources)
	if f.Sources = f.Sources[:min(len(f.Sources), sourceList)]; len(o.Members) == 1 {
		f.Sources = nil
	}
	f.Contributions = f.Contributions[:0:0]
	for i := range o.Members[:min(len(o.Members), missedTerms)] {
		f.Contributions = append(f.Contributions, o.Members[i].contribution(float64(min(len(o.Members), missedTerms))))
	}
	f.Severity, f.Harm = o.severity()
	f.Sentence = o.sentence()
	first := &o.Members[0]
	f.Counterfactual = fmt.Sprintf("No finding if the source had told anything within %s of its last event.", lasting(first.Patience))
	if len(o.Members) > 1 {
		f.Counterfactual = fmt.Sprintf("No finding if the sources had gone on: %s within %s of its last event, each of the others in its own time.", first.Name, lasting(first.Patience))
	}
	f.Revision++
	o.ToldGaps, o.ToldFor, o.ToldLate, o.News = o.Gaps, longest.length(), late, false
}

func (o *outage) longest() *missed {
	best := &o.Members[0]
	for i := range o.Members {
		if o.Members[i].length() > best.length() {
			best = &o.Members[i]
		}
	}
	return best
}

func (m *missed) contribution(of float64) vigil.Contribution {
	c := vigil.Contribution{
		Model: "volume", Observation: "silence", Span: "pause", SpanStart: utc(m.Since), Frame: "self", Expected: m.Expected,
		P: m.P, E: calibrate.E(m.P), Share: 1 / of,
		Text: fmt.Sprintf("%s told nothing for %s; usual at that hour is %s at most, and it is missed after %s", m.Name,
			lasting(float64(m.length())/float64(secondNanos)), lasting(m.Usual), lasting(m.Patience)),
	}
	if m.Expected > 0 {
		d := volume.Counts{Mean: m.Expected, Var: max(m.Var, m.Expected*(1+1e-6))}
		c.Low, c.High = d.Quantile(0.01), d.Quantile(0.99)
	}
	return c
}

// severity is by how much may have been hidden. What came afterwards is hidden no more,
// and where everything fell silent as on other evenings it may be a holiday.
func (o *outage) severity() (vigil.Severity, float64) {
	expected, longest, kept, habit := 0.0, int64(0), true, true
	for i := range o.Members {
		m := &o.Members[i]
		expected += m.Expected
		longest = max(longest, m.length())
		kept = kept && m.kept()
		habit = habit && m.Habit
	}
	all := len(o.Members) > 1 && o.Alone
	switch {
	case kept, all && habit && longest < holiday:
		return vigil.SeverityLow, 1
	case len(o.Members) > 1 && habit && longest < holiday:
		return vigil.SeverityMedium, 5 // of people, while robots go on
	case expected >= muchMissing, longest >= 24*hourNanos, all && longest >= hourNanos:
		return vigil.SeverityHigh, 100
	case expected >= someMissing, all:
		return vigil.SeverityMedium, 5
	}
	return vigil.SeverityLow, 1
}

func (o *outage) sentence() string {
	m := o.longest()
	length := lasting(float64(m.length()) / float64(secondNanos))
	var b strings.Builder
	who := "Source " + m.Name + " told nothing"
	if n := len(o.Members); n > 1 {
		who = fmt.Sprintf("Nothing came from %d sources (%s)", n, listed(o.Finding.Sources))
		if o.Alone {
			who = fmt.Sprintf("Nothing came from any of the %d sources that should have told something by then (%s)", n, listed(o.Finding.Sources))
		}
	}
	if o.Over == 0 {
		fmt.Fprintf(&b, "%s since %s, for %s by now.", who, utc(m.Since).Format("2 Jan 15:04:05 UTC"), length)
	} else {
		fmt.Fprintf(&b, "%s between %s and %s, for %s.", who, utc(m.Since).Format("2 Jan 15:04:05"), utc(m.Since+m.length()).Format("2 Jan 15:04:05 UTC"), length)
	}
	if o.Gaps > int64(len(o.Members)) {
		fmt.Fprintf(&b, " It was the longest of %s in a row.", plural(o.Gaps, "silence", "silences"))
	}
	if len(o.Members) == 1 {
		fmt.Fprintf(&b, " Usual at that hour are pauses of at most %s.", lasting(m.Usual))
	}
	expected, late, kept, again := 0.0, int64(0), true, "It tells"
	for i := range o.Members {
		expected += o.Members[i].Expected
		late += o.Members[i].Late
		kept = kept && o.Members[i].kept()
	}
	if len(o.Members) > 1 {
		again = "They tell"
	}
	if expected >= 1 {
		fmt.Fprintf(&b, " Some %s would have come.", plural(int64(math.Round(expected)), "event", "events"))
	}
	rested := m.Habit && (len(o.Members) > 1 || o.Only)
	switch {
	case o.Over != 0 && kept:
		fmt.Fprintf(&b, " %s again, and what was kept meanwhile has been read: %s of that time. Nothing seems to be lost.", again, plural(late, "event", "events"))
	case o.Over != 0 && late > 0:
		fmt.Fprintf(&b, " %s again, and %s of that time came afterwards. Ask where the others are.", again, plural(late, "event", "events"))
	case o.Over != 0 && rested:
		fmt.Fprintf(&b, " %s again. Where it was no holiday, ask who switched the log off, and whether the system has kept one of its own.", again)
	case o.Over != 0:
		fmt.Fprintf(&b, " %s again. Nothing of that time has come: ask who stopped it, and whether the system has kept a log of its own.", again)
	case rested:
		b.WriteString(" It was quiet as on other days then, and nothing began again: a holiday, or a log that was switched off. See with vigil sources status.")
	case len(o.Members) > 1 && o.Alone:
		b.WriteString(" See first whether anything still reaches vigil: vigil sources status.")
	default:
		b.WriteString(" See whether its log is still written, and reaches vigil: vigil sources status.")
	}
	return b.String()
}

// listed names a few.
func listed(names []string) string {
	const few = 5
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

// lasting says in words how long so many seconds are.
func lasting(seconds float64) string {
	d := time.Duration(min(seconds, 1e9) * float64(time.Second))
	unit := func(one string, n time.Duration) string {
		v := math.Round(10*float64(d)/float64(n)) / 10
		if v >= 10 || v == math.Floor(v) {
			return plural(int64(math.Round(v)), one, one+"s")
		}
		return number(v) + " " + one + "s"
	}
	switch {
	case d < time.Second:
		return "a second"
	case d < 100*time.Second:
		return unit("second", time.Second)
	case d < 100*time.Minute:
		return unit("minute", time.Minute)
	case d < 48*time.Hour:
		return unit("hour", time.Hour)
	}
	return unit("day", 24*time.Hour)
}

// rhythmState is what is kept of rhythms and of what is missed.
type rhythmState struct {
	Known    []*rhythm
	Ticked   int64
	Ticks    [2]hourTicks
	Absences []absence
	Outages  []*outage
	Judged   int
}

func (rs *rhythms) state() rhythmState {
	st := rhythmState{Ticked: rs.ticked, Ticks: rs.ticks, Absences: rs.absences, Outages: rs.outages, Judged: rs.judged}
	for _, name := range rs.names {
		st.Known = append(st.Known, rs.known[name])
	}
	return st
}

func (st *rhythmState) restore() (rhythms, error) {
	rs := newRhythms()
	rs.ticked, rs.ticks, rs.absences, rs.outages, rs.judged = st.Ticked, st.Ticks, st.Absences, st.Outages, st.Judged
	for _, r := range st.Known {
		if r == nil {
			return rs, fmt.Errorf("a source's rhythm is missing")
		}
		rs.known[r.Name] = r
		rs.names = append(rs.names, r.Name)
	}
	slices.Sort(rs.names)
	for _, o := range rs.outages {
		if o == nil || len(o.Members) == 0 {
			return rs, fmt.Errorf("a silence is of nobody")
		}
		for _, m := range o.Members {
			if r := rs.known[m.Name]; r != nil && m.Until == 0 {
				r.out = o
			}
		}
	}
	return rs, nil
}
