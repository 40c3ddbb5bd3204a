package detector

import (
	"math"
	"sync/atomic"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/reasons"
	"vigil/models/affinity"
)

// What events reach (customers, networks) is keyed and judged in a stage of its
// own, with 256 shards like that of actors. It goes first: what it knows of a
// customer's earlier readers is part of the event when the actor is judged. So no
// shard waits for another, and how the log is cut into batches never shows.

// targetKind says what is reached.
type targetKind uint8

const (
	targetSubject targetKind = iota
	targetNetwork
	targetResource
)

// reach is one event reaching one thing.
type reach struct {
	hash uint64
	at   int32 // the event's index in the run
	kind targetKind
	// subject is the index of the subject in the event.
	subject int32
	// fresh says that the edge to it was never seen before.
	fresh bool
}

// trace is what the stage of targets leaves for the stage of actors. Several
// target shards may write to one event's trace at once; sums do not depend on
// their order.
type trace struct {
	strangers atomic.Int32
	burst     atomic.Uint32 // see raise
	// fresh tells the edges that were never seen before: bit 0 the resource, then the
	// subjects. Only the source's shard writes it, before the targets' read it.
	fresh uint8
	// source is the score of the network that the event came from, NaN for none.
	source float64
	// why is what is known for and against the access. The actor's shard writes it,
	// before all others read it.
	why reasons.Checked

	// Hashes of the event's actor, network, resource and first subjects, each made
	// once.
	actor, network, resource uint64
	subjects                 [edgeSubjects]uint64
}

func (t *trace) reset() {
	t.strangers.Store(0)
	t.burst.Store(0)
	t.fresh, t.source = 0, math.NaN()
}

// who an event's actor is to its targets: a hash of it, and of its team.
type reader struct {
	actor, team uint64
}

func readerOf(e *vigil.Event, tr *trace) reader {
	return reader{actor: tr.actor, team: teamHash(e.Actor.Kind, e.Actor.Role, e.Actor.Team)}
}

// teamHash names an actor's team to what it reaches, zero for none.
func teamHash(kind vigil.ActorKind, role, team string) uint64 {
	if kind == "" && role == "" && team == "" {
		return 0
	}
	return features.Hash(string(kind))*31*31 + features.Hash(role)*31 + features.Hash(team)
}

func actorHash(e *vigil.Event) uint64 {
	return features.Hash(e.Actor.Tenant)*31 + features.Hash(e.Actor.ID)
}

// reaches appends to each target shard's inbox what the event reaches.
func (e *Engine) reaches(at int, ev *vigil.Event) {
	tr := &e.traces[at]
	for i, s := range ev.Subjects {
		r := reach{at: int32(at), kind: targetSubject, subject: int32(i)}
		if i < edgeSubjects {
			r.hash, r.fresh = tr.subjects[i], tr.fresh>>(i+1)&1 != 0
		} else {
			r.hash = subjectSalt(ev) + features.Hash(s)
		}
		e.reach(r)
	}
	if tr.resource != 0 {
		e.reach(reach{hash: tr.resource, at: int32(at), kind: targetResource, fresh: tr.fresh&1 != 0})
	}
	if ev.Network != "" {
		e.reach(reach{hash: tr.network, at: int32(at), kind: targetNetwork})
	}
}

func (e *Engine) reach(r reach) {
	sh := (r.hash ^ r.hash>>32) % shardCount
	e.reached[sh] = append(e.reached[sh], r)
}

// targets owns the customers and networks that hash to it.
type targets struct {
	shared   *shared
	subjects subjects
	networks networks
	// arrivals counts how busy each end of edges is.
	arrivals *affinity.Sketch
	delta    targetDelta
	// journals are what the latest findings taught.
	journals []*affairJournal
	found    []vigil.Finding
	dirty    bool
}

// targetDelta is what a target shard learnt since the last merge.
type targetDelta struct {
	scores []flowScore
	// again were told before: they are taken out (W below zero) or put back.
	again  []notedFlow
	peaks  [lines][]float64
	epochs [lines]int
}

func (d *targetDelta) reset() {
	d.scores, d.again = d.scores[:0], emptied(d.again)
	for l := range d.peaks {
		d.peaks[l] = d.peaks[l][:0]
		d.epochs[l] = 0
	}
}

func (d *targetDelta) empty() bool {
	n := len(d.scores) + len(d.again)
	for l := range d.peaks {
		n += len(d.peaks[l]) + d.epochs[l]
	}
	return n == 0
}

func newTargets(s *shared, edges *affinity.Model, subjectLimit, networkLimit int) *targets {
	return &targets{shared: s, arrivals: edges.Sketch(), subjects: newSubjects(subjectLimit), networks: newNetworks(networkLimit)}
}

// apply folds one event's reach.
func (t *targets) apply(e *vigil.Event, r reach, out *trace) {
	t.dirty = true
	now := e.Time.UnixNano()
	t.advance(now)
	switch r.kind {
	case targetResource:
		t.arrive(e, r, out)
	case targetSubject:
		if r.subject < edgeSubjects {
			t.arrive(e, r, out)
		}
		t.subject(e, r, now, out)
	case targetNetwork:
		t.network(e, r, now, out)
	}
}

// arrive counts an edge at its other end.
func (t *targets) arrive(e *vigil.Event, r reach, out *trace) {
	score, _ := t.arrivals.AddFan(r.hash, minute(e.Time.UnixNano()), r.fresh)
	out.raise(score)
}

// advance closes what ended before now.
func (t *targets) advance(now int64) {
	if i := features.Day.Index(now); i > t.subjects.Day {
		t.closeSubjects()
		t.subjects.Day = i
	}
	if i := features.Quarter.Index(now); i > t.networks.Quarter {
		t.closeNetworks()
		t.networks.Quarter = i
	}
	t.expire(now)
}

// targetDeltaLimit bounds the scores a target shard learns between two merges.
const targetDeltaLimit = 1 << 14

func (t *targets) score(r *reading) {
	if len(t.delta.scores) < targetDeltaLimit {
		t.delta.scores = append(t.delta.scores, flowScore{r.Flow, r.Z})
	}
}
