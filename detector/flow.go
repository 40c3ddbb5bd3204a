package detector

import (
	"math"

	"vigil/models/calibrate"
	"vigil/models/volume"
)

// A flow is one count about something other than an actor: how many read a
// customer in a day, how many came from a network in a quarter of an hour. It is
// judged like an actor's counts, against its own past, shrunk toward all others of
// its kind.
type flow int

const (
	flowReaders   flow = iota // of a subject, within a day
	flowNewcomers             // actors that never came from a network before, within a quarter of an hour
	flowRefused               // actors refused from a network, within a quarter
	flowTeam                  // what a team's members did together, within a day
	flowSilence               // what a source left out, within an hour
	flows         int  = iota
)

var flowNames = [flows]string{"readers", "newcomers", "refused", "team", "silence"}

func (f flow) String() string { return flowNames[f] }

// flowModel is what all flows of a kind share, frozen between merges.
type flowModel struct {
	Prior  volume.Prior
	Spread calibrate.Spread
	Sketch calibrate.Sketch

	table *calibrate.Table
}

func newFlowModel() flowModel {
	return flowModel{Prior: volume.DefaultPrior(), Spread: calibrate.DefaultSpread(), table: &calibrate.Table{}}
}

func (m *flowModel) freeze() {
	if m.Sketch.N > 0 {
		m.Sketch.FreezeInto(m.table)
	}
}

// stream is one flow of one thing: what its past has taught.
type stream struct {
	Rate  volume.Rate
	Level calibrate.Level
}

// reading is a flow's judgement.
type reading struct {
	Flow         flow
	Seen         float64
	Expected     volume.Counts
	Raw, Z, P, E float64
}

// judge asks how unusual a count is over an exposure, which is 1 but where more
// than usual is to be expected. tie is the conformal rank's U.
func (m *flowModel) judge(f flow, s *stream, seen, exposure, tie float64) reading {
	r := reading{Flow: f, Seen: seen, Expected: s.Rate.Predict(m.Prior, exposure)}
	r.Raw = r.Expected.Surprise(seen)
	r.rank(m, s, tie)
	if seen == 0 {
		r.P, r.E = 1, calibrate.E(1)
	}
	return r
}

// rank calibrates the raw score.
func (r *reading) rank(m *flowModel, s *stream, tie float64) {
	r.Z = s.Level.Standard(r.Raw, m.Spread)
	r.P = m.table.P(r.Z, tie)
	if r.P <= topRanks/(m.table.N+1) {
		r.P = beyond(r.P, r.Raw, flowReach)
	}
	if r.Raw < 1 {
		r.P = math.Max(r.P, math.Pow(10, -r.Raw)) // what is expected is no news, whatever its rank
	}
	r.E = calibrate.E(r.P)
}

// learn teaches a closed span's count over its exposure, with weight w.
func (s *stream) learn(m *flowModel, r *reading, exposure, w float64) {
	s.Level.Observe(r.Raw, m.Spread, w)
	s.Rate.Observe(r.Seen, m.Prior, exposure, w)
}

// forget ages the stream by so many days.
func (s *stream) forget(days float64) {
	if days <= 0 {
		return
	}
	keep := math.Exp2(-days / halfLifeDays)
	s.Rate.Forget(keep)
	s.Level.Forget(keep)
}

// nextLook is the count at which an open span is first worth judging.
func (m *flowModel) nextLook(s *stream) float64 {
	d := s.Rate.Predict(m.Prior, 1)
	return math.Max(3, math.Ceil(d.Mean+4*d.SD()))
}

// flowScore is what a shard tells of a closed span.
type flowScore struct {
	Flow flow
	Z    float64
}
