// Package sequence learns in which order a group of peers does things, and looks
// for the order in which scripts do: one step follows another as it never does
// (Model), ids rise one after the other (Order), gaps are steady (Rhythm), a
// range of ids is read without a hole (Walk).
//
// The detector calls it. Everything is a plain value without clock or I/O:
// deterministic, NaN refused, bounded. A Model may be read by any number of
// readers while nobody writes; the other types belong to one actor.
//
// When a Model is full, the lightest eighth makes room: of its contexts, the
// longer ones first where weights are equal; of one context's symbols, those
// with the largest number last. The empty context always stays.
package sequence

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// Depth is how many symbols back a prediction looks.
const Depth = 3

const (
	// DefaultContexts is how many contexts a model holds unless told otherwise.
	DefaultContexts = 4096
	// perContext and perRoot are the most symbols that follow one context, and the
	// empty context.
	perContext = 64
	perRoot    = 1024
	// entriesPerContext bounds the symbols of all contexts together: this times
	// the most contexts, and perRoot.
	entriesPerContext = 4
	// unseen is the probability of one particular symbol that nobody ever used:
	// as if there were as many symbols as a model can hold.
	unseen = 1.0 / perRoot
	// weightless is the weight below which something counts as forgotten.
	weightless = 1e-3
)

// Context is the last symbols of one run, the latest first. The zero Context is
// the start of a run.
type Context struct {
	Last [Depth]uint32
	// N is how many of Last are there, 0 to Depth.
	N uint8
}

// Push appends the symbol and lets go of the oldest. Symbols are hashes or small
// numbers; of a hash both halves count.
func (c *Context) Push(symbol uint64) {
	c.Last[2], c.Last[1], c.Last[0] = c.Last[1], c.Last[0], fold(symbol)
	if c.N < Depth {
		c.N++
	}
}

func fold(symbol uint64) uint32 { return uint32(symbol) ^ uint32(symbol>>32) }

// extend is the key of a context made longer by one older symbol; the empty
// context's key is rootKey (the finaliser of MurmurHash3, Appleby 2011).
func extend(key uint64, symbol uint32) uint64 {
	x := (key + uint64(symbol) + 1) * 0x9e3779b97f4a7c15
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

const rootKey = 0

// Model is a variable-order Markov model of one group: prediction by partial
// matching with full blending (Cleary and Witten, "Data compression using
// adaptive coding and partial string matching", 1984), each order giving way to
// the next shorter one by escape method C (Moffat, "Implementing the PPM data
// compression scheme", 1990). With blending no symbols need be excluded, and the
// probabilities of all symbols sum to at most one.
//
// Counts are weights that may be fractions after forgetting: a symbol adds at
// most its weight, and at most one, to what method C counts as distinct.
//
// The zero Model is empty and ready for use.
type Model struct {
	// Contexts holds what followed each context, by the context's key.
	Contexts map[uint64]*Node
	// Limit is how many contexts are held at most, at least 8; zero means
	// DefaultContexts. Symbols are held at most four times as many, and 1,024 for
	// the empty context: with the default about 1 MB.
	Limit int
	// Entries counts the symbols of all contexts.
	Entries int
	// Evicted counts the contexts and symbols that made room for others.
	Evicted int64

	// spare are nodes of contexts that made room, for those that come.
	spare []*Node
}

// Node is what followed one context.
type Node struct {
	// Order is the context's length.
	Order uint8
	// Total is the weight of all that followed, Distinct how many different
	// symbols that were, those with a weight below one counting as much as that.
	Total, Distinct float64
	// Symbols ascend; Weights are theirs.
	Symbols []uint32
	Weights []float64

	// few is room for the first of both, next to all else: most contexts are followed
	// by no more, and to fetch memory is what a prediction costs.
	few struct {
		symbols [4]uint32
		weights [4]float64
	}
}

func newNode() *Node {
	n := &Node{}
	n.Symbols, n.Weights = n.few.symbols[:0], n.few.weights[:0]
	return n
}

// Predict gives the probability, above 0 and at most 1, that symbol follows the
// context. It does not write and does not allocate.
func (m *Model) Predict(ctx Context, symbol uint64) float64 {
	s := fold(symbol)
	p := unseen
	key := uint64(rootKey)
	for k := 0; ; k++ {
		n := m.Contexts[key]
		if n == nil {
			break
		}
		if all := n.Total + n.Distinct; all > 0 {
			c := 0.0
			if i, ok := place(n.Symbols, s); ok {
				c = n.Weights[i]
			}
			p = (c + float64(n.Distinct*p)) / all
		}
		if k >= int(min(ctx.N, Depth)) {
			break
		}
		key = extend(key, ctx.Last[k])
	}
	return math.Max(math.SmallestNonzeroFloat64, math.Min(p, 1))
}

// Learn counts symbol after the context, with weight w: 1, or less for an actor
// that has had its share. A w that is not a positive number is refused.
func (m *Model) Learn(ctx Context, symbol uint64, w float64) {
	if !(w > 0) || math.IsInf(w, 1) {
		return
	}
	s := fold(symbol)
	key := uint64(rootKey)
	for k := 0; ; k++ {
		m.add(m.node(key, uint8(k)), s, w)
		if k >= int(min(ctx.N, Depth)) {
			return
		}
		key = extend(key, ctx.Last[k])
	}
}

// Unlearn takes a step that was learnt out again, as far as it is there; of what made
// room for others meanwhile nothing is.
func (m *Model) Unlearn(s Step) {
	if !(s.Weight > 0) || math.IsInf(s.Weight, 1) {
		return
	}
	key := uint64(rootKey)
	for k := 0; ; k++ {
		if n := m.Contexts[key]; n != nil {
			if i, ok := place(n.Symbols, s.Symbol); ok {
				m.take(key, n, i, s.Weight)
			}
		}
		if k >= int(min(s.Context.N, Depth)) {
			return
		}
		key = extend(key, s.Context.Last[k])
	}
}

// take takes the weight w from a context's i-th symbol, and lets go of what weighs
// next to nothing after that.
func (m *Model) take(key uint64, n *Node, i int, w float64) {
	was := n.Weights[i]
	left := was - w
	if left < weightless {
		left = 0
	}
	n.Weights[i] = left
	n.Distinct = max(0, n.Distinct+math.Min(left, 1)-math.Min(was, 1))
	n.Total = max(0, n.Total+left-was)
	if left > 0 {
		return
	}
	n.Symbols, n.Weights = slices.Delete(n.Symbols, i, i+1), slices.Delete(n.Weights, i, i+1)
	if m.Entries--; len(n.Symbols) == 0 {
		delete(m.Contexts, key)
	}
}

// Merge adds what o has learnt. Merging parts gives what one model would have
// learnt from all, up to rounding, while neither is full.
func (m *Model) Merge(o *Model) {
	for _, key := range slices.Sorted(maps.Keys(o.Contexts)) {
		from := o.Contexts[key]
		n := m.node(key, from.Order)
		for i, s := range from.Symbols {
			m.add(n, s, from.Weights[i])
		}
	}
}

// Forget keeps the share keep (0 to 1) of what was learnt, and lets go of what
// weighs next to nothing. It is called at each epoch.
func (m *Model) Forget(keep float64) {
	if !(keep >= 0 && keep < 1) {
		return
	}
	m.Entries = 0
	for key, n := range m.Contexts {
		at := 0
		n.Total, n.Distinct = 0, 0
		for i, w := range n.Weights {
			if w *= keep; w < weightless {
				continue
			}
			n.Symbols[at], n.Weights[at] = n.Symbols[i], w
			n.Total += w
			n.Distinct += math.Min(w, 1)
			at++
		}
		n.Symbols, n.Weights = n.Symbols[:at], n.Weights[:at]
		if at == 0 {
			delete(m.Contexts, key)
		}
		m.Entries += at
	}
}

// node returns the context's node, making it when there is none.
func (m *Model) node(key uint64, order uint8) *Node {
	limit := m.limit()
	if m.Entries >= perRoot+entriesPerContext*limit {
		m.evict(limit / 8)
	}
	if n := m.Contexts[key]; n != nil {
		return n
	}
	if m.Contexts == nil {
		m.Contexts = make(map[uint64]*Node)
	}
	if len(m.Contexts) >= limit {
		m.evict(limit / 8)
	}
	var n *Node
	if k := len(m.spare); k > 0 {
		n, m.spare = m.spare[k-1], m.spare[:k-1]
	} else {
		n = newNode()
	}
	n.Order, n.Total, n.Distinct = order, 0, 0
	n.Symbols, n.Weights = n.Symbols[:0], n.Weights[:0]
	m.Contexts[key] = n
	return n
}

func (m *Model) limit() int {
	if m.Limit > 0 {
		return max(m.Limit, 8)
	}
	return DefaultContexts
}

// evict lets go of the k lightest contexts.
func (m *Model) evict(k int) {
	m.spare = m.spare[:0] // those of the last time that nobody needed
	rows := make([]weighed, 0, len(m.Contexts))
	for key, n := range m.Contexts {
		if key != rootKey {
			rows = append(rows, weighed{n.Total, n.Order, key})
		}
	}
	k = min(k, len(rows))
	lightest(rows, k)
	for _, r := range rows[:k] {
		n := m.Contexts[r.key]
		m.Entries -= len(n.Symbols)
		m.spare = append(m.spare, n)
		delete(m.Contexts, r.key)
		m.Evicted++
	}
}

// weighed is a context that may have to go.
type weighed struct {
	w     float64
	order uint8
	key   uint64
}

func (a weighed) before(b weighed) bool {
	if a.w != b.w {
		return a.w < b.w
	}
	if a.order != b.order {
		return a.order > b.order
	}
	return a.key < b.key
}

// lightest brings the k lightest rows to the front (Hoare, "Algorithm 65: find",
// 1961). No two rows are equal, so which those are does not depend on the order
// in which a map gave them.
func lightest(rows []weighed, k int) {
	for lo, hi := 0, len(rows)-1; lo < hi; {
		pivot := rows[lo+(hi-lo)/2]
		i, j := lo, hi
		for i <= j {
			for rows[i].before(pivot) {
				i++
			}
			for pivot.before(rows[j]) {
				j--
			}
			if i <= j {
				rows[i], rows[j] = rows[j], rows[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return
		}
	}
}

// place is where s is, or would stand, among the symbols: by halving without a branch
// to foretell.
func place(symbols []uint32, s uint32) (at int, ok bool) {
	n := len(symbols)
	if n == 0 {
		return 0, false
	}
	for n > 1 {
		half := n / 2
		if symbols[at+half] <= s {
			at += half
		}
		n -= half
	}
	if symbols[at] < s {
		return at + 1, false
	}
	return at, symbols[at] == s
}

// add gives symbol s the weight w.
func (m *Model) add(n *Node, s uint32, w float64) {
	i, ok := place(n.Symbols, s)
	if ok {
		was := n.Weights[i]
		n.Weights[i] = was + w
		n.Distinct += math.Min(was+w, 1) - math.Min(was, 1)
		n.Total += w
		return
	}
	most := perContext
	if n.Order == 0 {
		most = perRoot
	}
	if len(n.Symbols) >= most {
		gone := n.evict(most / 8)
		m.Entries -= gone
		m.Evicted += int64(gone)
		i, _ = place(n.Symbols, s)
	}
	n.Symbols = slices.Insert(n.Symbols, i, s)
	n.Weights = slices.Insert(n.Weights, i, w)
	n.Total += w
	n.Distinct += math.Min(w, 1)
	m.Entries++
}

// evict lets go of the k lightest symbols.
func (n *Node) evict(k int) int {
	rows := make([]int, len(n.Symbols))
	for i := range rows {
		rows[i] = i
	}
	slices.SortFunc(rows, func(a, b int) int {
		return cmp.Or(cmp.Compare(n.Weights[a], n.Weights[b]), cmp.Compare(a, b))
	})
	for _, i := range rows[:k] {
		n.Weights[i] = 0
	}
	at := 0
	n.Total, n.Distinct = 0, 0
	for i, w := range n.Weights {
		if w == 0 {
			continue
		}
		n.Symbols[at], n.Weights[at] = n.Symbols[i], w
		n.Total += w
		n.Distinct += math.Min(w, 1)
		at++
	}
	n.Symbols, n.Weights = n.Symbols[:at], n.Weights[:at]
	return k
}

// plenty is how many steps of one actor in one epoch count in full.
const plenty = 64

// Weight is the weight with which to learn an actor's n-th step (from 1) of an
// epoch: 1 at first, then falling as 64/n, so that ten thousand steps weigh no
// more than 390 and a script does not become what its group does.
func Weight(n uint32) float64 {
	return plenty / math.Max(plenty, float64(n))
}
