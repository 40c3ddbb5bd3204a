package detector

import (
	"maps"
	"math"
	"slices"
	"strings"

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
	// Stores are what it tells of, lately.
	Stores stores

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

// stores counts a source's events by store, sorted by its name. Of more than
// sourceStores the further ones are not counted.
type stores []storeCount

type storeCount struct {
	_     struct{} `cbor:",toarray"`
	Store string
	N     float64
}

// sourceStores bounds the stores of a source that are told apart: most tell of one.
const sourceStores = 32

func (s *stores) add(store string, n float64) {
	at, ok := slices.BinarySearchFunc(*s, store, func(c storeCount, store string) int { return strings.Compare(c.Store, store) })
	if !ok {
		if len(*s) >= sourceStores {
			return
		}
		*s = slices.Insert(*s, at, storeCount{Store: one(store)})
	}
	(*s)[at].N += n
}

// forget lets the counts fade, and leaves out what is not told of any more.
func (s *stores) forget(decay float64) {
	for i := range *s {
		(*s)[i].N *= decay
	}
	*s = slices.DeleteFunc(*s, func(c storeCount) bool { return c.N < 0.01 })
}

func (s *shared) takeTold(told *sourceDelta, hour int64) {
	source := told.name
	t := s.told[source]
	if t == nil {
		if len(s.told) >= maxSources {
			return
		}
		t = &teller{Name: source, Born: hour}
		s.told[source] = t
	}
	t.now += float64(told.events)
	for _, c := range told.stores {
		t.Stores.add(c.Store, c.N)
	}
}

// heardOf is the part of a time's events (Unix nanoseconds) that a source can be expected
// to tell, 0 to 1: less where a deploy or maintenance of its stores, or of a store that
// has the source's own name, is announced. t is what it tells of, nil where that is not
// known.
func (s *shared) heardOf(source string, t *teller, from, to int64) float64 {
	announced := s.book.Announced(source, from, to)
	if t == nil {
		return 1 - min(announced, 1)
	}
	var down, all float64
	for _, c := range t.Stores {
		all += c.N
		if c.Store != "" {
			down += float64(c.N * s.book.Announced(c.Store, from, to))
		}
	}
	if all > 0 {
		announced = max(announced, down/all)
	}
	return 1 - min(announced, 1)
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
		exposure := s.heardOf(name, t, hour*hourNanos, (hour+1)*hourNanos)
		rd := reading{Flow: flowSilence, Seen: seen, Expected: rate.Predict(silencePrior(), exposure)}
		rd.Raw = rd.Expected.Shortfall(seen)
		past := stream{Level: t.Level}
		rd.rank(m, &past, hashTie(features.Hash(name), uint64(hour)))
		if rd.Expected.Mean < 1 || seen > silent*rd.Expected.Mean {
			rd.P, rd.E = 1, calibrate.E(1) // a holiday is no silence
		}
		weight := exposure // what is announced is not to become the usual either
		if r := s.rhythms.known[name]; r != nil && (r.Odd || r.out != nil) {
			rd.P, rd.E, weight = 1, calibrate.E(1), 0 // it is told as a silence of its own
		}
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
		if exposure > 0 {
			rate.Observe(seen, silencePrior(), exposure, weight)
		}
		t.Stores.forget(math.Exp2(-1.0 / (24 * halfLifeDays)))
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
