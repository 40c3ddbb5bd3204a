package detector

import (
	"fmt"
	"strconv"

	"github.com/fxamacker/cbor/v2"

	"vigil"
	"vigil/detector/features"
	"vigil/detector/rules"
	"vigil/models/affinity"
	"vigil/models/calibrate"
	"vigil/models/peers"
	"vigil/models/sequence"
)

// stateVersion changes whenever the meaning of a part does; parts of another
// version are refused, and the log is replayed instead.
const stateVersion = 14

// The names of parts; a shard's is shardPart and its number.
const (
	sharedPart = "shared"
	orderPart  = "order"
	shardPart  = "shard/"
	targetPart = "targets/"
	bookPart   = "reasons/"
)

// codec encodes parts: the same state gives the same bytes.
type codec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newCodec() (codec, error) {
	opts := cbor.CoreDetEncOptions()
	opts.Time = cbor.TimeRFC3339Nano
	enc, err := opts.EncMode()
	if err != nil {
		return codec{}, fmt.Errorf("make state encoder: %w", err)
	}
	dec, err := cbor.DecOptions{MaxArrayElements: 1 << 24, MaxMapPairs: 1 << 24, MaxNestedLevels: 64,
		// Names in logs are in any encoding.
		UTF8: cbor.UTF8DecodeInvalid}.DecMode()
	if err != nil {
		return codec{}, fmt.Errorf("make state decoder: %w", err)
	}
	return codec{enc, dec}, nil
}

type sharedState struct {
	Version  int
	Everyone groupState
	Groups   []groupState
	Sources  map[string]uint32
	Merges   int64
	Started  int64
	Budget   budget
	Events   eventScores
	Ranks    [eventModels]calibrate.Sketch
	Surge    [2]surge
	Circle   circle
	Forests  forests
	Peers    *peers.Groups
	Networks affinity.SourcesState
	Due      [features.Lanes]bool
	Laws     laws
	Hour     int64
	Judged   int64
	Late     int64
	// Exceptions are those that hold.
	Exceptions []vigil.Exception
}

type groupState struct {
	Group group
	// Ranks are the sketches that the frozen tables were made of.
	Ranks [features.Lanes][terms]calibrate.Sketch
	// Profile is frozen as well.
	Profile [features.Lanes][168]float64
}

type orderState struct {
	Version   int
	Waiting   []*vigil.Event
	Sources   map[string]*sourceClock
	Ticks     int64
	Watermark int64
}

type shardState struct {
	Version       int
	Actors        []actorState
	Touched       [features.Lanes][]string
	Index         [features.Lanes]int64
	Opened        []string
	Rules         rules.State
	Rulings       []rulingState
	RulingsLooked int64
	Offices       []uint64
	Delta         deltaState
	Evicted       int64
	Edges         affinity.State
	Quotas        quotasState
	Cold          []coldState
	Marks         []byte
}

type actorState struct {
	Actor   *actor
	Session session
	Steps   sequence.Context
	Stepped int64
	Rare    [rareSteps]uint32
	Lanes   [features.Lanes]laneState
	Open    *incidentState
	Past    *incidentState
}

type laneState struct {
	Span                   features.SpanState
	Next                   [features.Kinds]float32
	RunSubjects, RunConvos features.DistinctState
	RunWithout             features.DistinctState
}

type incidentState struct {
	Incident    *incident
	Held, Since holdingState
}

type holdingState struct {
	Holding           holding
	Subjects, Convers features.DistinctState
	Without           features.DistinctState
}

// Snapshot returns the parts of the state that changed since the last call, or
// all of them. Restoring every part's latest version gives the same engine.
func (e *Engine) Snapshot(all bool) ([]Part, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	var parts []Part
	add := func(name string, state any) error {
		b, err := c.enc.Marshal(state)
		if err != nil {
			return fmt.Errorf("encode state %q: %w", name, err)
		}
		parts = append(parts, Part{Name: name, Data: b})
		return nil
	}
	common, err := e.sharedState()
	if err != nil {
		return nil, err
	}
	if err := add(sharedPart, common); err != nil {
		return nil, err
	}
	o := orderState{stateVersion, e.order.waiting, e.order.sources, e.order.ticks, e.order.watermark}
	if err := add(orderPart, o); err != nil {
		return nil, err
	}
	for i, sh := range e.shards {
		if !all && !sh.dirty {
			continue
		}
		st, err := sh.state()
		if err != nil {
			return nil, fmt.Errorf("encode shard %d: %w", i, err)
		}
		if err := add(shardPart+strconv.Itoa(i), st); err != nil {
			return nil, err
		}
	}
	for i, t := range e.targets {
		if !all && !t.dirty {
			continue
		}
		st, err := t.state()
		if err != nil {
			return nil, fmt.Errorf("encode targets %d: %w", i, err)
		}
		if err := add(targetPart+strconv.Itoa(i), st); err != nil {
			return nil, err
		}
	}
	book, err := e.shared.book.State(all)
	if err != nil {
		return nil, fmt.Errorf("encode reasons: %w", err)
	}
	for _, p := range book {
		parts = append(parts, Part{Name: bookPart + p.Name, Data: p.Data})
	}
	for i := range e.shards {
		e.shards[i].dirty, e.targets[i].dirty = false, false
	}
	return parts, nil
}

func (e *Engine) sharedState() (sharedState, error) {
	s := e.shared
	st := sharedState{
		Version: stateVersion, Everyone: s.everyone.state(), Sources: s.Sources, Merges: s.Merges, Started: s.Started,
		Budget: s.budget, Events: s.events, Surge: s.Surge, Due: s.Due, Forests: s.Forests, Peers: s.Peers, Laws: s.Laws, Hour: e.hour, Judged: e.events, Late: e.late,
		Exceptions: s.exceptions,
	}
	for _, key := range s.keys {
		st.Groups = append(st.Groups, s.groups[key].state())
	}
	for m, t := range s.events.table {
		st.Ranks[m] = calibrate.Sketch{Bins: t.Mass, N: t.N}
	}
	var err error
	st.Networks = e.sources.State()
	st.Circle, err = s.circle()
	return st, err
}

func (g *group) state() groupState {
	st := groupState{Group: *g}
	for l := range features.Lanes {
		st.Profile[l] = g.profile[l]
		for t := range terms {
			st.Ranks[l][t] = calibrate.Sketch{Bins: g.table[l][t].Mass, N: g.table[l][t].N}
		}
	}
	return st
}

func (st *groupState) restore() *group {
	g := st.Group
	for l := range features.Lanes {
		g.profile[l] = st.Profile[l]
		for t := range terms {
			st.Ranks[l][t].FreezeInto(&g.table[l][t])
		}
	}
	return &g
}

func (sh *shard) state() (shardState, error) {
	st := shardState{
		Version: stateVersion, Index: sh.index, Rules: sh.watch.State(), Evicted: sh.evicted,
		Edges: sh.edges.State(),
	}
	var err error
	if st.Quotas, err = sh.quotas.state(); err != nil {
		return st, err
	}
	if st.Delta, err = sh.delta.state(); err != nil {
		return st, err
	}
	for _, a := range sh.actors {
		as, err := a.state()
		if err != nil {
			return st, err
		}
		st.Actors = append(st.Actors, as)
	}
	for l := range sh.touched {
		for _, a := range sh.touched[l] {
			st.Touched[l] = append(st.Touched[l], a.Key)
		}
	}
	for _, a := range sh.opened {
		st.Opened = append(st.Opened, a.Key)
	}
	if err := sh.stateRules(&st); err != nil {
		return st, err
	}
	err = sh.stateTiers(&st)
	return st, err
}

func (a *actor) state() (actorState, error) {
	st := actorState{Actor: a, Session: a.session, Steps: a.steps, Stepped: a.stepped, Rare: a.rare}
	for l := range a.Lane {
		la, ls := &a.Lane[l], &st.Lanes[l]
		var err error
		if ls.Span, err = la.span.State(); err != nil {
			return st, err
		}
		if r := la.Run; r != nil {
			if ls.RunSubjects, err = r.subjects.State(); err != nil {
				return st, err
			}
			if ls.RunConvos, err = r.convers.State(); err != nil {
				return st, err
			}
			if ls.RunWithout, err = r.without.State(); err != nil {
				return st, err
			}
		}
		ls.Next = la.next
	}
	var err error
	if st.Open, err = a.open.state(); err != nil {
		return st, err
	}
	st.Past, err = a.past.state()
	return st, err
}

func (in *incident) state() (*incidentState, error) {
	if in == nil {
		return nil, nil
	}
	held, err := in.held.state()
	if err != nil {
		return nil, err
	}
	since, err := in.since.state()
	if err != nil {
		return nil, err
	}
	return &incidentState{in, held, since}, nil
}

func (st *incidentState) restore() (*incident, error) {
	if st == nil || st.Incident == nil {
		return nil, nil
	}
	in := st.Incident
	var err error
	if in.held, err = st.Held.restore(); err != nil {
		return nil, err
	}
	if in.since, err = st.Since.restore(); err != nil {
		return nil, err
	}
	if in.Terms == nil {
		in.Terms = map[int]trail{}
	}
	return in, nil
}

func (h *holding) state() (st holdingState, err error) {
	st.Holding = *h
	if st.Subjects, err = h.subjects.State(); err != nil {
		return st, err
	}
	if st.Without, err = h.without.State(); err != nil {
		return st, err
	}
	st.Convers, err = h.convers.State()
	return st, err
}

func (st *holdingState) restore() (holding, error) {
	h := st.Holding
	if h.Resources == nil {
		h.Resources = map[string]struct{}{}
	}
	if h.Networks == nil {
		h.Networks = map[string]struct{}{}
	}
	if h.Classes == nil {
		h.Classes = map[string]struct{}{}
	}
	if err := h.subjects.Restore(st.Subjects); err != nil {
		return h, err
	}
	if err := h.without.Restore(st.Without); err != nil {
		return h, err
	}
	return h, h.convers.Restore(st.Convers)
}

// Restore takes back the parts of a snapshot. It is called before any Fold. An
// error leaves the engine unusable: make a new one and replay the log.
func (e *Engine) Restore(parts []Part) error {
	c, err := newCodec()
	if err != nil {
		return err
	}
	byName := make(map[string][]byte, len(parts))
	for _, p := range parts {
		byName[p.Name] = p.Data
	}
	decode := func(name string, into any) error {
		data, ok := byName[name]
		if !ok {
			return fmt.Errorf("state %q is missing", name)
		}
		if err := c.dec.Unmarshal(data, into); err != nil {
			return fmt.Errorf("decode state %q: %w", name, err)
		}
		return nil
	}
	var st sharedState
	if err := decode(sharedPart, &st); err != nil {
		return err
	}
	if st.Version != stateVersion {
		return fmt.Errorf("the state is of version %d, this program's is %d", st.Version, stateVersion)
	}
	if err := e.restoreShared(&st); err != nil {
		return fmt.Errorf("restore state %q: %w", sharedPart, err)
	}
	book, err := restoreBook(parts)
	if err != nil {
		return err
	}
	e.shared.book = book
	var o orderState
	if err := decode(orderPart, &o); err != nil {
		return err
	}
	e.order = order{waiting: o.Waiting, fresh: len(o.Waiting), sources: o.Sources, ticks: o.Ticks, watermark: o.Watermark}
	for i, sh := range e.shards {
		var ss shardState
		if err := decode(shardPart+strconv.Itoa(i), &ss); err != nil {
			return err
		}
		if sh.edges, err = e.affinities.edges.Restore(ss.Edges); err != nil {
			return fmt.Errorf("restore shard %d: %w", i, err)
		}
		if err := sh.restore(&ss); err != nil {
			return fmt.Errorf("restore shard %d: %w", i, err)
		}
	}
	for i, t := range e.targets {
		var ts targetsState
		if err := decode(targetPart+strconv.Itoa(i), &ts); err != nil {
			return err
		}
		if t.arrivals, err = e.affinities.edges.Restore(ts.Arrivals); err != nil {
			return fmt.Errorf("restore targets %d: %w", i, err)
		}
		if err := t.restore(&ts); err != nil {
			return fmt.Errorf("restore targets %d: %w", i, err)
		}
	}
	return nil
}

func (e *Engine) restoreShared(st *sharedState) error {
	s := e.shared
	s.everyone = st.Everyone.restore()
	s.groups = make(map[string]*group, len(st.Groups))
	s.keys = nil
	for i := range st.Groups {
		g := st.Groups[i].restore()
		s.groups[g.Key] = g
		s.keys = append(s.keys, g.Key)
	}
	for _, g := range s.groups {
		g.within(s.groups[wider(g.Key)])
	}
	if s.Sources = st.Sources; s.Sources == nil {
		s.Sources = map[string]uint32{}
	}
	s.Merges, s.Started, s.Surge, s.Due = st.Merges, st.Started, st.Surge, st.Due
	asked := s.budget.Asked
	s.budget = st.Budget
	if !s.budget.Said {
		s.budget.Asked = asked
	}
	s.events = st.Events
	s.Forests, s.Peers = st.Forests, st.Peers
	s.Laws = st.Laws.ready()
	for l, f := range s.Forests.Grown {
		if f == nil {
			continue
		}
		if err := f.Check(); err != nil {
			return fmt.Errorf("forest of the %s lane: %w", features.Lane(l), err)
		}
	}
	for m := range s.events.table {
		s.events.table[m] = st.Ranks[m].Freeze()
	}
	e.hour, e.events, e.late = st.Hour, st.Judged, st.Late
	s.exceptions = st.Exceptions
	sources, err := e.affinities.sources.RestoreSources(st.Networks)
	if err != nil {
		return fmt.Errorf("networks: %w", err)
	}
	e.sources = sources
	s.addUp()
	s.share()
	return s.restoreCircle(&st.Circle)
}

func (sh *shard) restore(st *shardState) error {
	sh.index, sh.evicted = st.Index, st.Evicted
	if err := sh.restoreRules(st); err != nil {
		return err
	}
	var err error
	if sh.quotas, err = st.Quotas.restore(); err != nil {
		return fmt.Errorf("quotas: %w", err)
	}
	if sh.delta, err = st.Delta.restore(sh.shared); err != nil {
		return err
	}
	sh.actors, sh.byKey = nil, make(map[string]*actor, len(st.Actors))
	for i := range st.Actors {
		a, err := st.Actors[i].restore()
		if err != nil {
			return fmt.Errorf("actor %d: %w", i, err)
		}
		sh.settle(a)
		sh.actors = append(sh.actors, a)
		a.untaught = sh.shared.untaught[a.Key]
		sh.byKey[a.Key] = a
	}
	find := func(keys []string) ([]*actor, error) {
		var out []*actor
		for _, key := range keys {
			a := sh.byKey[key]
			if a == nil {
				return nil, fmt.Errorf("a listed actor is missing")
			}
			out = append(out, a)
		}
		return out, nil
	}
	for l := range st.Touched {
		if sh.touched[l], err = find(st.Touched[l]); err != nil {
			return err
		}
	}
	if sh.opened, err = find(st.Opened); err != nil {
		return err
	}
	return sh.restoreTiers(st)
}

func (st *actorState) restore() (*actor, error) {
	a := st.Actor
	if a == nil || a.Key == "" {
		return nil, fmt.Errorf("no actor")
	}
	a.session, a.steps, a.stepped, a.rare = st.Session, st.Steps, st.Stepped, st.Rare
	for l := range a.Lane {
		la, ls := &a.Lane[l], &st.Lanes[l]
		if err := la.span.Restore(ls.Span); err != nil {
			return nil, err
		}
		if r := la.Run; r != nil {
			if err := r.subjects.Restore(ls.RunSubjects); err != nil {
				return nil, err
			}
			if err := r.convers.Restore(ls.RunConvos); err != nil {
				return nil, err
			}
			if err := r.without.Restore(ls.RunWithout); err != nil {
				return nil, err
			}
		}
		la.next = ls.Next
	}
	var err error
	if a.open, err = st.Open.restore(); err != nil {
		return nil, err
	}
	a.past, err = st.Past.restore()
	return a, err
}
