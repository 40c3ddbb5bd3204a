package detector

import (
	"math"
	"slices"

	"vigil/models/calibrate"
	"vigil/models/volume"
)

// What a customer's or a network's days teach while a finding about it is open is noted
// as an actor's is: see journal.go.

const (
	// affairJournals bounds the findings of one shard that can be taken out; the latest
	// stay.
	affairJournals = 16
	// journalFlows bounds the ranks that one of them notes, journalNames the actors.
	journalFlows = 128
	journalNames = regularLimit
)

// affairJournal is what a finding about a customer or a network taught.
type affairJournal struct {
	Finding string
	Key     uint64
	Network bool // else a customer
	// Until is the event time of its end, zero while it goes on.
	Until int64
	Out   bool // then the sums are what was taken

	// Streams are a customer's past, or a network's newcomers and refused, forgotten up
	// to Seen, as the thing's own are.
	Streams [2]stream
	Seen    int64
	// Scores are the ranks, forgotten up to Day.
	Scores []notedFlow
	Day    int64
	// Names are the actors who became regulars of the network in that time, or readers of
	// the customer, with the day they last came.
	Names map[uint64]int32
}

type notedFlow struct {
	_    struct{} `cbor:",toarray"`
	Flow flow
	Bin  calibrate.Bin
	W    float64
}

// opened begins the journal of a finding that opens at now.
func (t *targets) opened(a *affair, network bool, now int64) {
	t.journals = slices.DeleteFunc(t.journals, func(j *affairJournal) bool { return j.Until != 0 && now-j.Until > keptFor })
	t.journals = append(t.journals, &affairJournal{Finding: a.Finding.ID, Key: a.Key, Network: network})
	t.journals = slices.Delete(t.journals, 0, max(0, len(t.journals)-affairJournals))
}

// journal is that of a finding, nil when none is kept.
func (t *targets) journal(finding string) *affairJournal {
	for _, j := range t.journals {
		if j.Finding == finding {
			return j
		}
	}
	return nil
}

// plus is s and f times o, and no sum below zero.
func (s stream) plus(o *stream, f float32) stream {
	s.Rate = volume.Rate{
		N: max(0, s.Rate.N+f*o.Rate.N), X: max(0, s.Rate.X+f*o.Rate.X),
		R: max(0, s.Rate.R+f*o.Rate.R), W: max(0, s.Rate.W+f*o.Rate.W),
	}
	s.Level = calibrate.Level{
		W: max(0, s.Level.W+f*o.Level.W), S1: max(0, s.Level.S1+f*o.Level.S1), S2: max(0, s.Level.S2+f*o.Level.S2),
	}
	return s
}

// age forgets as much as the thing has, which was last seen in the epoch seen (a day or
// a quarter of an hour), and the ranks up to day.
func (j *affairJournal) age(seen, day int64) {
	if j.Seen != 0 && seen > j.Seen {
		days := float64(seen - j.Seen)
		if j.Network {
			days /= 96
		}
		for i := range j.Streams {
			j.Streams[i].forget(days)
		}
	}
	j.Seen = max(j.Seen, seen)
	if j.Day != 0 && day > j.Day {
		keep := math.Exp2(-float64(day-j.Day) / halfLifeDays)
		for i := range j.Scores {
			j.Scores[i].W *= keep
		}
	}
	j.Day = max(j.Day, day)
}

// score notes a rank.
func (j *affairJournal) score(r *reading) {
	bin, ok := calibrate.BinOf(r.Z)
	if !ok {
		return
	}
	for i := range j.Scores {
		if s := &j.Scores[i]; s.Flow == r.Flow && s.Bin == bin {
			s.W++
			return
		}
	}
	if len(j.Scores) < journalFlows {
		j.Scores = append(j.Scores, notedFlow{Flow: r.Flow, Bin: bin, W: 1})
	}
}

// name notes an actor.
func (j *affairJournal) name(hash uint64, day int64) {
	if j.Names == nil {
		j.Names = map[uint64]int32{}
	}
	if _, ok := j.Names[hash]; ok || len(j.Names) < journalNames {
		j.Names[hash] = int32(day)
	}
}

// enter adds what a closed span taught to the journal of the open finding about it: was
// is what the streams were before. Where a breach is confirmed that still goes on it is
// taken out at once.
func (t *targets) enter(a *affair, seen int64, was [2]stream, now [2]*stream, rds []reading, names names, day int64) {
	j := t.journal(a.Finding.ID)
	if j == nil {
		return
	}
	part := &affairJournal{Key: j.Key, Network: j.Network, Seen: seen, Day: t.shared.heard / 24}
	for i := range now {
		if now[i] != nil {
			part.Streams[i] = now[i].plus(&was[i], -1)
		}
	}
	for i := range rds {
		part.score(&rds[i])
	}
	for i := range names {
		part.name(names[i].Hash, day)
	}
	if j.Out {
		t.post(part, -1)
	}
	j.age(part.Seen, part.Day)
	for i := range j.Streams {
		j.Streams[i] = j.Streams[i].plus(&part.Streams[i], 1)
	}
	for _, s := range part.Scores {
		at := slices.IndexFunc(j.Scores, func(o notedFlow) bool { return o.Flow == s.Flow && o.Bin == s.Bin })
		switch {
		case at >= 0:
			j.Scores[at].W += s.W
		case len(j.Scores) < journalFlows:
			j.Scores = append(j.Scores, s)
		}
	}
	for _, h := range sortedKeys(part.Names) {
		j.name(h, day)
	}
}

// post adds f times what is noted, to what is known of the thing and to the ranks of
// all. Of f -1 the journal keeps what was there to be taken.
func (t *targets) post(j *affairJournal, f float64) {
	for i, s := range t.streams(j) {
		if s == nil {
			continue
		}
		before := *s
		*s = before.plus(&j.Streams[i], float32(f))
		if f == -1 {
			j.Streams[i] = before.plus(s, -1)
		}
	}
	for _, s := range j.Scores {
		s.W *= f
		t.delta.again = append(t.delta.again, s)
	}
	for _, h := range sortedKeys(j.Names) {
		switch s, n := t.subjects.known[j.Key], t.networks.known[j.Key]; {
		case j.Network && n != nil && f < 0:
			delete(n.Regulars, h)
		case j.Network && n != nil:
			n.regular(h, max(int64(j.Names[h]), int64(n.Regulars[h])))
		case !j.Network && s != nil && f < 0:
			pull(s.Readers[:], h)
		case !j.Network && s != nil:
			putLast(s.Readers[:], h)
		}
	}
	t.dirty = true
}

// streams are those of the thing that a journal is about, as far as it is known.
func (t *targets) streams(j *affairJournal) (out [2]*stream) {
	if j.Network {
		if n := t.networks.known[j.Key]; n != nil {
			out = [2]*stream{&n.Newcomers, &n.Refused}
		}
	} else if s := t.subjects.known[j.Key]; s != nil {
		out[0] = &s.Past
	}
	return out
}

// pull takes id out of recent, and putLast puts it behind what is there, if there is
// room.
func pull(recent []uint64, id uint64) bool {
	at := slices.Index(recent, id)
	if id == 0 || at < 0 {
		return false
	}
	copy(recent[at:], recent[at+1:])
	recent[len(recent)-1] = 0
	return true
}

func putLast(recent []uint64, id uint64) {
	if at := slices.Index(recent, 0); at >= 0 && !slices.Contains(recent, id) {
		recent[at] = id
	}
}

// takeOut takes a finding about a customer or a network out of what is known, or puts
// it back. It reports whether the shard holds what the finding taught.
func (t *targets) takeOut(finding string, out bool) bool {
	j := t.journal(finding)
	if j == nil || j.Out == out {
		return j != nil
	}
	seen := j.Seen
	if j.Network {
		if n := t.networks.known[j.Key]; n != nil {
			seen = n.Seen
		}
	} else if s := t.subjects.known[j.Key]; s != nil {
		seen = int64(s.Seen)
	}
	j.age(seen, t.shared.heard/24)
	if out {
		t.post(j, -1)
	} else {
		t.post(j, 1)
	}
	j.Out = out
	return true
}
