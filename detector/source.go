package detector

import (
	"maps"
	"math"
	"slices"

	"vigil"
	"vigil/detector/features"
	"vigil/models/calibrate"
	"vigil/models/volume"
)

// teller is one source's rhythm: how much it tells in each hour of working days
// and of weekends. A source that falls silent, or tells much less, is news: its
// log may have been switched off.
type teller struct {
	Name string
	// Hours are the 24 hours of a working day, then those of a weekend's.
	Hours    [48]volume.Rate
	Level    calibrate.Level
	Detector calibrate.Detector
	Born     int64 // the first hour

	now    float64
	affair *affair
}

// silentHours bounds the hours that are judged one by one after a gap in time.
const silentHours = 31 * 24

// hourOfWeek is the index in Hours of an hour since 1970.
func hourOfWeek(hour int64) int {
	day := ((hour/24+3)%7 + 7) % 7
	i := int(hour % 24)
	if day >= 5 {
		i += 24
	}
	return i
}

func (s *shared) takeTold(source string, n int, hour int64) {
	t := s.told[source]
	if t == nil {
		if len(s.told) >= maxSources {
			return
		}
		t = &teller{Name: source, Born: hour}
		s.told[source] = t
	}
	t.now += float64(n)
}

// silent is the share of the usual below which a source counts as silent.
const silent = 0.2

// silenceHalfLife is how fast a source's evidence of silence fades, in hours.
const silenceHalfLife = 24

// closeHour judges what each source told in the hour that ended, at the lower tail
// of what it tells at such an hour. Until a source has been heard for two weeks it
// is only learnt.
func (s *shared) closeHour(hour int64) {
	m := &s.Flows[flowSilence]
	for _, name := range slices.Sorted(maps.Keys(s.told)) {
		t := s.told[name]
		seen := t.now
		t.now = 0
		if hour == t.Born {
			continue // heard for a part of it only
		}
		rate := &t.Hours[hourOfWeek(hour)]
		rd := reading{Flow: flowSilence, Seen: seen, Expected: rate.Predict(silencePrior(), 1)}
		rd.Raw = rd.Expected.Shortfall(seen)
		past := stream{Level: t.Level}
		rd.rank(m, &past, hashTie(features.Hash(name), uint64(hour)))
		if rd.Expected.Mean < 1 || seen > silent*rd.Expected.Mean {
			rd.P, rd.E = 1, calibrate.E(1) // a holiday is no silence
		}
		weight := 1.0
		s.budget.Epochs[lineSource]++
		if s.budget.Ready[lineSource] && hour-t.Born >= 14*24 {
			decay := math.Exp2(-1.0 / silenceHalfLife)
			r := log10(t.Detector.Peek(decay, rd.E))
			s.weighSource(t, &rd, r, hour)
			if r > 0 && t.affair == nil {
				s.budget.observe(lineSource, r)
			}
			t.Detector.Step(decay, rd.E)
		}
		if t.affair != nil {
			weight = 0 // silence is not to become the usual
		}
		m.Sketch.Add(rd.Z, weight)
		t.Level.Forget(math.Exp2(-1.0 / (24 * halfLifeDays)))
		t.Level.Observe(rd.Raw, m.Spread, weight)
		rate.Forget(math.Exp2(-1 / (halfLifeDays * 24 / 12)))
		rate.Observe(seen, silencePrior(), 1, weight)
	}
}

// silencePrior is weak: each source's own rhythm is what counts.
func silencePrior() volume.Prior { return volume.Prior{Alpha: 0.1, Beta: 0.05, Phi: 4} }

func (s *shared) weighSource(t *teller, rd *reading, r float64, hour int64) {
	line := s.budget.Line[lineSource]
	end := (hour + 1) * hourNanos
	switch {
	case t.affair != nil && rd.E <= 1 && end-t.affair.LastEvidence > 6*hourNanos:
		t.affair.Finding.State = vigil.StateClosed
		t.affair.complete()
		s.found = append(s.found, t.affair.copy())
		t.affair, t.Detector.R = nil, 0
		return
	case t.affair != nil && rd.E < telling, t.affair == nil && (r < line || rd.E <= 1):
		return
	case t.affair == nil:
		t.affair = newAffair(vigil.AboutSource, features.Hash(t.Name), lineSource, hour*hourNanos, end, r, line)
		t.affair.Finding.Source = t.Name
	}
	a := t.affair
	first := len(a.Best) == 0
	a.take(rd, features.Quarter, hour, r, end)
	a.Finding.End = utc(end)
	a.Finding.Events += int64(rd.Seen)
	if first {
		a.complete()
		s.found = append(s.found, a.copy())
	}
}

// finish tells what is open about teams and sources a last time.
func (s *shared) finish() {
	for _, key := range slices.Sorted(maps.Keys(s.teams)) {
		if a := s.teams[key].affair; a != nil {
			a.complete()
			s.found = append(s.found, a.copy())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.told)) {
		if a := s.told[name].affair; a != nil {
			a.complete()
			s.found = append(s.found, a.copy())
		}
	}
}
