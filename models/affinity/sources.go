package affinity

// Sources judges where actors come from, event by event: how well the network,
// the actor and the two together are known, whether unknown networks come in a
// wave, and whether a network is turned away more than others.
//
// Only what was let in teaches it what is known, and once a day at most: who
// tries passwords all night is as unknown at the end as at the beginning, also
// where one of them fits. It needs no list of good addresses. One Sources should
// see all logins of a system, as a wave is only seen as a whole; its sketches are
// bounded like others, and a known network that had to go is unknown again.
type Sources struct {
	m *Model
	// known counts the days on which a network, an actor or a pair was let in.
	known *Sketch
	// denials counts a network's events, and as fresh ones those denied.
	denials *Sketch
	// wave has one key: events from networks that are not known.
	wave *Sketch
	all  everyone
}

// grades is into how many degrees it is put how well somebody is known.
const grades = 6

// grade turns a decayed number of days into a degree: never met, or so long ago
// that it is forgotten; then met on less than one, two, four, eight days; or more.
func grade(days float64) int {
	if days < 1./16 {
		return 0
	}
	g := 1
	for ; g < grades-1 && days >= 1; g++ {
		days /= 2
	}
	return g
}

// everyone is what Sources knows of all events together, in decayed sums.
type everyone struct {
	day int64
	// events and denied count the events from networks that are known, and those
	// of them that were denied.
	events, denied float64
	// accepted counts accepted events by how well their networks, actors and pairs
	// were known.
	accepted [3][grades]float64
}

// rarity is how rare it is, in nats, that one of a kind is met who is known no
// better than this: by rank among the accepted, one more counted in. Where nobody
// is known yet, nobody is rare.
func (e *everyone) rarity(kind, grade int) float64 {
	upTo, all := 1.0, 1.0
	for g, n := range e.accepted[kind] {
		all += n
		if g <= grade {
			upTo += n
		}
	}
	return max(ln(all/upTo), 0)
}

// Parts of the score of an event's source, in nats from zero.
type Parts struct {
	// Network, Actor and Pair say how rare it is that one so little known is met.
	Network, Actor, Pair float64
	// Wave says how many events from unknown networks there are, beside what is
	// usual; zero for a network that is known.
	Wave float64
	// Denied says how far the network's share of denials lies above everyone's.
	Denied float64
}

// Total is the raw score: the three kinds of newness say much the same, so the
// largest counts, and the others add to it.
func (p Parts) Total() float64 {
	return Combine(p.Network, p.Actor, p.Pair) + p.Wave + p.Denied
}

// Sources makes one that knows nothing yet.
func (m *Model) Sources() *Sources {
	return &Sources{m: m, known: m.days.Sketch(), denials: m.Sketch(), wave: m.Sketch()}
}

// Add judges one event and learns from it. The raw score is in nats, from zero.
// denied tells that the actor was not let in, for whatever reason. What was let in
// without a login counts as accepted.
func (s *Sources) Add(network, actor uint64, denied bool, tick int64) float64 {
	return s.Judge(network, actor, denied, tick).Total()
}

// Judge is Add, with the score's parts for an explanation.
func (s *Sources) Judge(network, actor uint64, denied bool, tick int64) (p Parts) {
	day := s.turn(tick)
	keys := [...]uint64{nodeKey(network), actorKey(actor), edgeKey(network, actor)}
	var known [len(keys)]int
	for i, key := range keys {
		known[i] = grade(s.known.days(key, day))
	}
	p.Network, p.Actor, p.Pair = s.all.rarity(0, known[0]), s.all.rarity(1, known[1]), s.all.rarity(2, known[2])
	if known[0] < 2 {
		c, _ := s.wave.count(0, tick, false)
		p.Wave = s.wave.strict(&c.all)
	}
	n, k := s.denials.share(network, tick, denied)
	p.Denied = excess(k, n, (s.all.denied+1)/(s.all.events+2))

	if known[0] >= 2 {
		s.all.events++
		if denied {
			s.all.denied++
		}
	}
	if denied {
		return p
	}
	for i, key := range keys {
		s.all.accepted[i][known[i]]++
		s.known.meet(key, day)
	}
	return p
}

// turn lets everyone's sums forget, and returns the tick's day.
func (s *Sources) turn(tick int64) int64 {
	day := dayOf(tick, s.m.cfg.Day)
	s.all.decay(s.m.days, day)
	return day
}

// decay goes to a later day. Yesterday's late events count as today's; a day
// before that is taken for a clock that was set right.
func (e *everyone) decay(days *Model, day int64) {
	if day > e.day {
		left := days.past.of(since(day, e.day))
		e.events *= left
		e.denied *= left
		for i := range e.accepted {
			for g := range e.accepted[i] {
				e.accepted[i][g] *= left
			}
		}
	}
	if day > e.day || since(e.day, day) > 1 {
		e.day = day
	}
}

func actorKey(a uint64) uint64 { return mix(a ^ 0x2545f4914f6cdd1d) }

// days is on how many days a key was met before this one, decayed.
func (s *Sketch) days(key uint64, day int64) float64 {
	i, found := s.find(s.hash(key))
	if !found {
		return 0
	}
	c := &s.cells[i]
	if day <= c.last {
		return float64(c.all.past)
	}
	return float64(c.all.past+min(c.all.tick, 1)) * s.m.past.of(since(day, c.last))
}

// meet counts a day on which a key was met, once.
func (s *Sketch) meet(key uint64, day int64) {
	if i, found := s.find(s.hash(key)); found && s.cells[i].last >= day && s.cells[i].all.tick > 0 {
		return
	}
	s.Add(key, day)
}

// share counts an event and returns the key's lately, and how many of them were
// denied.
func (s *Sketch) share(key uint64, tick int64, denied bool) (events, of float64) {
	c, _ := s.count(key, tick, denied)
	return float64(c.all.slow), float64(c.fresh.slow)
}

// excess is the one-sided log-likelihood ratio of k of n where a share of q was
// expected, the share shrunk toward q by one event.
func excess(k, n, q float64) float64 {
	r := (k + q) / (n + 1)
	if !(r > q) || !(r < 1) {
		return 0
	}
	return max(float64(k*ln(r/q))+float64(max(n-k, 0)*ln((1-r)/(1-q))), 0)
}
