package detector

import (
	"math"

	"vigil"
	"vigil/detector/features"
	"vigil/models/affinity"
)

// The edges of an event are what its actor reads: the resource, and the first of
// its subjects. Whether an edge bursts is known to the shard of its source, the
// actor; whether its other end does, to that end's shard. So edges are counted in
// two steps before the actor is judged, and the larger score of all is the
// event's.

const (
	// edgeSubjects bounds the subjects of one event that are edges of their own.
	edgeSubjects = 4
	// edgeSlots bounds the slots of 96 bytes of one shard's sketch.
	edgeSlots = 1024
	// sourceSlots bounds those of the one sketch of networks and actors.
	sourceSlots = 1 << 17
	minuteNanos = int64(60e9)
)

// affinities are the models that all sketches share.
type affinities struct {
	edges, sources *affinity.Model
}

func newAffinities() (affinities, error) {
	edges, err := affinity.New(affinity.Config{Limit: edgeSlots})
	if err != nil {
		return affinities{}, err
	}
	sources, err := affinity.New(affinity.Config{Limit: sourceSlots})
	return affinities{edges, sources}, err
}

// minute is the tick of an event time in Unix nanoseconds.
func minute(t int64) int64 {
	m := t / minuteNanos
	if t%minuteNanos < 0 {
		m--
	}
	return m
}

// resourceHash names what an event touched within its store; zero for nothing.
func resourceHash(e *vigil.Event) uint64 {
	if e.Resource == "" {
		return 0
	}
	return features.Hash(e.Store)*31 + features.Hash(e.Resource)
}

func subjectSalt(e *vigil.Event) uint64 {
	tenant := e.ResourceTenant
	if tenant == "" {
		tenant = e.Actor.Tenant
	}
	return features.Hash(tenant) * 31
}

// depart counts an event's edges at their source and leaves in the trace their
// score, which of them were never seen before, and the hashes of their other ends.
func depart(s *affinity.Sketch, e *vigil.Event, tr *trace) {
	tick := minute(e.Time.UnixNano())
	add := func(to uint64, bit uint8) {
		score, fresh := s.AddSource(tr.actor, to, tick)
		tr.raise(score)
		if fresh {
			tr.fresh |= 1 << bit
		}
	}
	if tr.resource = resourceHash(e); tr.resource != 0 {
		add(tr.resource, 0)
	}
	salt := subjectSalt(e)
	for i, id := range e.Subjects[:min(len(e.Subjects), edgeSubjects)] {
		tr.subjects[i] = salt + features.Hash(id)
		add(tr.subjects[i], uint8(i+1))
	}
}

// raise lifts the event's score to at least this one. Several shards may do so at
// once: the largest of all does not depend on who came first.
func (t *trace) raise(score float64) {
	if !(score > 0) {
		score = 0
	}
	// Bits of numbers that are not negative compare as the numbers do; one more tells
	// a score of zero from none.
	bits := math.Float32bits(float32(min(score, math.MaxFloat32/2))) + 1
	for {
		old := t.burst.Load()
		if old >= bits || t.burst.CompareAndSwap(old, bits) {
			return
		}
	}
}

// score is the event's largest burst, and whether it has an edge at all.
func (t *trace) score() (score float64, ok bool) {
	bits := t.burst.Load()
	if bits == 0 {
		return 0, false
	}
	return float64(math.Float32frombits(bits - 1)), true
}
