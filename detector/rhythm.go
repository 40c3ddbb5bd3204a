package detector

import (
	"math"
	"slices"

	"vigil"
	"vigil/models/calibrate"
	"vigil/models/elementary"
	"vigil/models/volume"
)

const (
	secondNanos = int64(1e9)
	// shortestSilence is the pause below which nothing is a silence: logs are rotated,
	// and shippers wait for a full buffer.
	shortestSilence = 120 * secondNanos
	// rhythmHours is how many hours of a source must be known before its pauses are
	// judged: each hour of the day twice. liveHours is how many of them time must have
	// been told by ticks before an open pause is: until then it is not known how late
	// the source's events come.
	rhythmHours, liveHours = 48, 24
	// weekendHours is how long a source must be known before a day's pause is judged.
	weekendHours = 14 * 24
	// liveTicks is how many ticks an hour has at least that was lived through, and not
	// read up afterwards.
	liveTicks = 2
	// goneAfter is after how long a silent source is taken for one that is no more.
	goneAfter = 30 * 24 * hourNanos
	// maxAbsences bounds the times in which nobody listened that are remembered.
	maxAbsences = 64
	// mostGrace bounds how long after such a time a source may take to come back: who
	// sends tries again after waits that double, so at the latest after as long as
	// nobody took anything, and most bound their waits by an hour.
	mostGrace = hourNanos
)

// rhythm is how long a source's pauses are. For each hour of the week it knows the longest
// pause that stood in that hour, wherever the pause began: a nightly export is three hours
// silent at five, and ten at noon; a busy bot two seconds at any time; what comes in
// batches has the pause between them. Hours of other working days stand behind a working
// day's, and likewise those of weekends.
type rhythm struct {
	Name string
	Born int64 // the first hour
	// Last is the event time of the newest event that is known.
	Last int64
	// Longest is the longest pause that ended in the present hour, Delayed how late at
	// most events came in it, both in nanoseconds.
	Longest, Delayed int64
	// Hours are the longest pauses, in seconds, by weekHour. Spread is how much their
	// logarithm varies from one week to the next (a variance), by all hours.
	Hours  [168]volume.Size
	Spread float64
	// Tail holds the past hours' longest pauses, each standardised by what was then
	// expected of it.
	Tail calibrate.Sketch
	// Week is, for each hour of the week, the longest pause that stood in it lately, in
	// seconds: who closes early on Fridays is told of once.
	Week [168]float32
	// Delay is how late the source's events come, in seconds: the most of each hour.
	Delay volume.Size
	// Learnt counts the hours that taught something, Live those of them with ticks.
	Learnt, Live int64
	// Odd says that a silence was told in the present hour.
	Odd bool

	out *outage // in which it is missed
}

// widest is the variance of the logarithm of the longest pause of an hour in which eight
// events come at random, the fewest for which minutes can be news: pi/sqrt(6) over
// ln 8 + 0.577 (Gumbel 1958, "Statistics of Extremes"). It is believed until hours
// have been seen twice.
const widest = 0.23

// delayPrior is what is believed of delays before any was seen.
func delayPrior() volume.SizePrior {
	return volume.SizePrior{Mean: 0, Kappa: 0.5, A: spreadShape, B: spreadShape * widest}
}

const (
	// spreadShape is how far an hour's own spread counts: as half as many observations
	// as this stand for the source's.
	spreadShape = 3.0
	// leastSpread is the variance below which it is clockwork: a tenth of the pause.
	leastSpread = 0.01
	// weekHalfLife is after how many weeks half of an hour of the week is forgotten.
	weekHalfLife = 4.0
	// spreadPrior is as how many observations widest counts.
	spreadPrior = 5.0
)

// expect is the distribution of the longest pause in an hour: its own past, shrunk toward
// that of the same hour on other days of its kind, or where there is none toward all
// hours, the more the less days (or hours) differ.
func (r *rhythm) expect(hour int64) volume.Sizes {
	h := weekHour(hour)
	days := [5]int{0, 1, 2, 3, 4}
	kind := days[:]
	if h >= 5*24 {
		days[0], days[1] = 5, 6
		kind = days[:2]
	}
	var m moments
	for _, d := range kind {
		m.add(&r.Hours[d*24+h%24])
	}
	if m.n == 0 {
		for i := range r.Hours {
			m.add(&r.Hours[i])
		}
	}
	mean, between := m.mean(r.Spread)
	prior := volume.SizePrior{Mean: mean, Kappa: r.Spread / between, A: spreadShape, B: spreadShape * r.Spread}
	return r.Hours[h].Predict(prior)
}

// moments are of the means of several hours.
type moments struct{ n, w, s1, s2 float64 }

func (m *moments) add(s *volume.Size) {
	if s.W < 0.5 {
		return // nearly forgotten
	}
	y := s.S1 / s.W
	m.n++
	m.w += s.W
	m.s1 += y
	m.s2 += y * y
}

// mean returns it, and how much the hours differ beyond what each varies by itself, of
// which the spread is given: a tenth of that at least.
func (m *moments) mean(spread float64) (mean, between float64) {
	switch m.n {
	case 0:
		return 6, 20 // from seconds to days
	case 1:
		return m.s1, widest
	}
	mean = m.s1 / m.n
	between = max(0, m.s2-float64(m.s1*mean))/(m.n-1) - float64(spread*m.n/m.w)
	return mean, max(between, spread/10)
}

// respread learns how much an hour's longest pause varies: the geometric mean over hours,
// since those in which work begins vary more than all others. Until an hour of the week
// has been seen twice, that of its kind of day must do; where working days differ, it is
// too large.
func (r *rhythm) respread() {
	var within, kinds spreads
	for h := range 24 {
		var work, weekend volume.Size
		for d := range 7 {
			s := &r.Hours[d*24+h]
			within.add(s)
			if d < 5 {
				work.Merge(*s)
			} else {
				weekend.Merge(*s)
			}
		}
		kinds.add(&work)
		kinds.add(&weekend)
	}
	r.Spread = max(min(within.variance(), kinds.variance()), leastSpread)
}

// spreads is the weighted sum of the logarithms of variances.
type spreads struct{ log, n float64 }

func (s *spreads) add(x *volume.Size) {
	dof := x.W - 1
	if dof < 0.5 {
		return
	}
	ss := max(0, x.S2-x.S1*x.S1/x.W)
	s.log += float64(dof * elementary.Log(max(ss/dof, leastSpread)))
	s.n += dof
}

func (s *spreads) variance() float64 {
	return elementary.Exp((s.log + float64(spreadPrior*math.Log(widest))) / (s.n + spreadPrior))
}

// rhythms are those of all sources, with what is missed of them.
type rhythms struct {
	known map[string]*rhythm
	names []string // sorted
	last  *rhythm  // of whom the last event was
	// Ticked is the event time of the newest tick, Ticks how many came in the newest
	// two hours that had any.
	ticked int64
	ticks  [2]hourTicks
	// absences are the times in which nobody listened, in order.
	absences []absence
	outages  []*outage
	// judged is how many sources were known well enough to be judged at the last full
	// hour.
	judged int
	// ending says that the input is over: that a source tells no more means nothing.
	ending bool
}

type hourTicks struct{ Hour, N int64 }

type absence struct{ From, To int64 }

func newRhythms() rhythms { return rhythms{known: map[string]*rhythm{}} }

// of is the source's rhythm, nil when there are too many sources.
func (rs *rhythms) of(name string) *rhythm {
	if r := rs.last; r != nil && r.Name == name {
		return r
	}
	r := rs.known[name]
	if r == nil {
		if len(rs.known) >= maxSources {
			return nil
		}
		r = &rhythm{Name: name, Spread: widest}
		rs.known[name] = r
		at, _ := slices.BinarySearch(rs.names, name)
		rs.names = slices.Insert(rs.names, at, name)
	}
	rs.last = r
	return r
}

func (rs *rhythms) forget(r *rhythm) {
	delete(rs.known, r.Name)
	if at, ok := slices.BinarySearch(rs.names, r.Name); ok {
		rs.names = slices.Delete(rs.names, at, at+1)
	}
	rs.last = nil
}

// tick notes that time was told.
func (rs *rhythms) tick(t int64) {
	rs.ticked = max(rs.ticked, t)
	h := t / hourNanos
	switch {
	case h > rs.ticks[1].Hour:
		rs.ticks[0], rs.ticks[1] = rs.ticks[1], hourTicks{h, 1}
	case h == rs.ticks[1].Hour:
		rs.ticks[1].N++
	}
}

// live says whether an hour was lived through with ticks.
func (rs *rhythms) live(hour int64) bool {
	for _, t := range rs.ticks {
		if t.Hour == hour {
			return t.N >= liveTicks
		}
	}
	return false
}

// absent notes that nobody listened for a time.
func (rs *rhythms) absent(from, to int64) {
	if n := len(rs.absences); n > 0 {
		last := &rs.absences[n-1]
		if from <= last.To {
			last.To = max(last.To, to)
			return
		}
	}
	if len(rs.absences) >= maxAbsences {
		rs.absences = slices.Delete(rs.absences, 0, 1)
	}
	rs.absences = append(rs.absences, absence{from, to})
}

// listened is how long somebody listened between two times.
func (rs *rhythms) listened(from, to int64) int64 {
	span := max(to-from, 0)
	for i := len(rs.absences) - 1; i >= 0 && rs.absences[i].To > from; i-- {
		a := &rs.absences[i]
		span -= max(min(a.To, to)-max(a.From, from), 0)
	}
	return max(span, 0)
}

// returning says that the source may still be on its way back from a time in which nobody
// listened.
func (rs *rhythms) returning(r *rhythm, now int64) bool {
	n := len(rs.absences)
	if n == 0 {
		return false
	}
	a := &rs.absences[n-1]
	return r.Last <= a.To && now-a.To < min(a.To-a.From, mostGrace)
}

// hear takes an event in the order of time, or a late one, as of the watermark.
func (s *shared) hear(e *vigil.Event, watermark int64) {
	r := s.rhythms.of(e.Source)
	if r == nil {
		return
	}
	t := e.Time.UnixNano()
	if r.Last == 0 {
		r.Last, r.Born = t, t/hourNanos
		return
	}
	if e.Late {
		s.fill(r.Name, t)
	}
	if t <= r.Last {
		return
	}
	missed := r.out != nil
	if missed {
		s.back(r, t, watermark, e.Late)
	} else if pause := t - r.Last; pause >= shortestSilence && !s.rhythms.returning(r, t) {
		if p, odd := s.judgePause(r, t, s.rhythms.listened(r.Last, t)); odd {
			s.miss(r, t, p)
			s.back(r, t, t, false)
			missed = true
		}
	}
	s.learnPause(r, t, missed)
	if e.Late && !r.Odd {
		r.Delayed = max(r.Delayed, s.rhythms.listened(t, watermark))
	}
	if pause := t - r.Last; pause > r.Longest {
		r.Longest = max(r.Longest, s.rhythms.listened(r.Last, t))
	}
	r.Last = t
}

// look judges the pauses that are open at a tick.
func (s *shared) look(now int64) {
	rs := &s.rhythms
	for _, name := range rs.names {
		r := rs.known[name]
		if r.out != nil {
			r.out.grow(now)
			continue
		}
		if now-r.Last < shortestSilence || r.Live < liveHours || rs.returning(r, now) {
			continue
		}
		if p, odd := s.judgePause(r, now, rs.listened(r.Last, now)-r.delay()); odd {
			s.miss(r, now, p)
		}
	}
	s.tellOutages()
}

// judgePause judges the source's pause as of now, of which so much was listened to (in
// nanoseconds). It reports how rare such an hour is, and whether it is a silence.
func (s *shared) judgePause(r *rhythm, now, pause int64) (p float64, odd bool) {
	if s.rhythms.ending || r.Learnt < rhythmHours || pause < shortestSilence {
		return 1, false
	}
	if pause = int64(float64(pause) * s.heardOf(r.Name, s.told[r.Name], r.Last, now)); pause < shortestSilence {
		return 1, false // a deploy or maintenance was announced
	}
	seconds := float64(pause) / float64(secondNanos)
	hour := (now - 1) / hourNanos
	if pause >= 24*hourNanos && hour-r.Born < weekendHours {
		return 1, false // who rests at weekends has not shown it twice
	}
	if r.known(seconds, hour) {
		return 1, false // as a week ago
	}
	p = r.rarity(r.standard(seconds, hour))
	return p, p <= s.rarest()
}

// weekHour is the index in Hours and Week of an hour since 1970.
func weekHour(hour int64) int { return int(((hour+3*24)%168 + 168) % 168) }

// standard is how many spreads the pause lies above what is usual in that hour, or in the
// one before or after it: what comes an hour early or late comes in time (a clock is
// changed twice a year, and an export that has more to write ends later).
func (r *rhythm) standard(seconds float64, hour int64) float64 {
	return min(r.own(seconds, hour-1), r.own(seconds, hour), r.own(seconds, hour+1))
}

// own is how many spreads the pause lies above what is usual in that very hour.
func (r *rhythm) own(seconds float64, hour int64) float64 {
	d := r.expect(hour)
	return (elementary.Log(1+seconds) - d.Loc) / d.Scale
}

// known says that as long a pause stood in that hour of the week lately.
func (r *rhythm) known(seconds float64, hour int64) bool {
	return seconds <= 1.25*float64(r.Week[weekHour(hour)])
}

// Where the tail of the longest pauses begins, and where a normal one's would; the scale
// that it has for pauses between independent events, sqrt(6)/pi spreads at most (a
// Gumbel distribution's), and as how many observations that counts.
const (
	pauseTail       = 0.95
	pauseTailNormal = 1.645
	pauseTailScale  = 0.78
	pauseTailPrior  = 5
)

// rarity is the part of all hours whose longest pause lies so many spreads above the
// usual: ranks, and above the 95th percentile an exponential tail, which is a Pareto
// tail of the pause itself (Hill, "A simple general approach to inference about the tail
// of a distribution", 1975). Pauses of independent events have a lighter one; those of
// bursts and batches may have this.
func (r *rhythm) rarity(z float64) float64 {
	u, n, mean := r.Tail.Excess(pauseTail)
	u = max(u, pauseTailNormal)
	if z <= u {
		return 1
	}
	scale := (float64(n*mean) + pauseTailScale*pauseTailPrior) / (n + pauseTailPrior)
	return max(calibrate.MinP, (1-pauseTail)*elementary.Exp(-(z-u)/scale))
}

// rarest is the p-value at which an hour of a source is told as a silence. A source's
// hour is one epoch, of which the longest pause counts: looking often at a pause that
// only grows is one look. So there are at most as many false silences as hours times it,
// whatever hours have to do with each other, and the budget's share for sources says how
// many there may be.
func (s *shared) rarest() float64 {
	return max(10*calibrate.MinP, s.budget.perDay()*laneShare[lineSource]/(24*float64(max(s.rhythms.judged, 1))))
}

// delay is how late the source's events come at most, as far as is known, in nanoseconds.
func (r *rhythm) delay() int64 {
	if r.Delay.W < 1 {
		return 0
	}
	d := r.Delay.Predict(delayPrior())
	return int64(math.Expm1(min(max(d.Loc+float64(2.33*d.Scale), 0), 20))) * secondNanos // 99 of 100
}

// patience is the pause, in seconds, from which on the source is missed at an hour.
func (s *shared) patience(r *rhythm, hour int64) float64 {
	line := s.rarest()
	lo, hi := 0.0, 30.0
	for range 50 {
		mid := (lo + hi) / 2
		if r.rarity(r.standard(math.Expm1(mid), hour)) <= line {
			hi = mid
		} else {
			lo = mid
		}
	}
	return max(math.Expm1(hi), 1.25*float64(r.Week[weekHour(hour)]), float64(shortestSilence/secondNanos))
}

// closeRhythms learns the longest pause of each source that told something in the hour that
// ended, and judges those that are open at its end, where it was lived through or is
// history.
func (s *shared) closeRhythms(hour int64) {
	rs := &s.rhythms
	end := (hour + 1) * hourNanos
	for _, name := range slices.Clone(rs.names) {
		r := rs.known[name]
		if hour > r.Born {
			s.closeRhythm(r, hour, end)
		}
		r.Longest, r.Delayed, r.Odd = 0, 0, r.out != nil
		if end-r.Last > goneAfter {
			s.gone(r, end)
			rs.forget(r)
		}
	}
	rs.judged = 0
	for _, r := range rs.known {
		if r.Learnt >= rhythmHours {
			rs.judged++
		}
	}
	s.settleOutages(end)
	s.tellOutages()
}

func (s *shared) closeRhythm(r *rhythm, hour, end int64) {
	rs := &s.rhythms
	live := rs.live(hour)
	open := rs.listened(r.Last, end)
	if live {
		open = max(open-r.delay(), 0)
		r.Live++
	}
	if r.out == nil && open >= shortestSilence && (rs.ticked == 0 || live && r.Live >= liveHours && end <= rs.ticked && !rs.returning(r, end)) {
		if p, odd := s.judgePause(r, end, open); odd {
			s.miss(r, end, p)
		}
	}
	if r.Last < hour*hourNanos {
		return // it is learnt once it has ended: what never ends is not to become the usual
	}
	weight := 1.0
	if r.Odd {
		weight = 0
	}
	s.learnHour(r, hour, max(r.Longest, open), weight)
	if live && r.Longest > 0 {
		r.Delay.Forget(math.Exp2(-1.0 / (24 * halfLifeDays)))
		r.Delay.Observe(float64(r.Delayed)/float64(secondNanos), delayPrior(), weight)
	}
}

// learnPause learns the hours that lie wholly within a pause which ends at t. One that
// was told of as a silence teaches only that it was.
func (s *shared) learnPause(r *rhythm, t int64, missed bool) {
	weight := 1.0
	if missed {
		weight = 0
	}
	for h := max(r.Last/hourNanos+1, s.heard-silentHours); h < min(t/hourNanos, s.heard); h++ {
		s.learnHour(r, h, s.rhythms.listened(r.Last, (h+1)*hourNanos), weight)
	}
}

// learnHour learns the longest pause that stood in an hour that is over.
func (s *shared) learnHour(r *rhythm, hour, longest int64, weight float64) {
	end := (hour + 1) * hourNanos
	span := max(longest, hourNanos)
	if hour <= r.Born || s.rhythms.listened(end-span, end) < span {
		return // nobody listened to all of it
	}
	seconds := float64(longest) / float64(secondNanos)
	y := elementary.Log(1 + seconds)
	if r.Learnt >= rhythmHours && !r.known(seconds, hour) && r.rarity(r.own(seconds, hour)) <= s.rarest() {
		weight = 0 // it was let pass since it would be usual an hour before or after
	}
	if s.heardOf(r.Name, s.told[r.Name], end-span, end) < 1 {
		weight = 0 // it was announced
	}
	if r.Learnt >= rhythmHours/2 {
		r.Tail.Forget(math.Exp2(-1.0 / (24 * halfLifeDays)))
		r.Tail.Add(r.standard(seconds, hour), weight)
	}
	slot := &r.Hours[weekHour(hour)]
	slot.Forget(math.Exp2(-1.0 / weekHalfLife))
	slot.Merge(volume.Size{W: weight, S1: float64(weight * y), S2: float64(weight * y * y)})
	week := &r.Week[weekHour(hour)]
	*week = max(float32(seconds), *week*math.Sqrt2/2) // a half-life of two weeks
	r.respread()
	if weight > 0 {
		r.Learnt++
	}
}
