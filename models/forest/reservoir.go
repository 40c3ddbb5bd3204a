package forest

import (
	"cmp"
	"math"
	"slices"
)

// MaxValue is the largest value of a feature, in decades: what is rarer than one
// in a million is not told apart.
const MaxValue = 6

// floor is the value, in decades, up to which a feature is as usual: what happens
// one time in three is nothing to see.
const floor = 0.5

// MaxWidth is the most features that a vector may have.
const MaxWidth = 32

// DefaultRows is how many vectors a reservoir keeps unless told otherwise.
const DefaultRows = 4096

// Item is one vector that was kept.
type Item struct {
	// Priority decides who stays: the smallest do.
	Priority float64
	Key      uint64
	Owner    uint64
	Values   []float32
}

// Reservoir is a sample of vectors with forgetting: of a vector that is as many
// epochs older as the half-life, half as many are kept. Each vector gets a
// priority from a keyed hash (weighted sampling without replacement: Efraimidis
// and Spirakis, "Weighted random sampling with a reservoir", 2006; the weights
// grow with the epoch as in Cormode et al., "Forward decay", 2009), and the Rows
// smallest stay, of one owner at most PerOwner. Which ones those are depends only
// on the vectors, so parts may be merged in any grouping and order.
//
// Fields up to PerOwner are settings, the same for all parts that are merged.
type Reservoir struct {
	// Seed keys the hash.
	Seed uint64
	// Width is how many features a vector has, 1 to 32.
	Width int
	// Rows is how many vectors are kept; zero means 4,096.
	Rows int
	// HalfLife is in epochs; zero means that nothing is forgotten.
	HalfLife float64
	// PerOwner is how many vectors of one owner (an actor) are kept at most, so that
	// nobody can teach the forest its own oddness; zero means a 64th of Rows.
	PerOwner int

	// Items are what is kept, by priority.
	Items []Item
	// Refused counts values that were no numbers and became zero; vectors of the
	// wrong width are refused whole and count once.
	Refused int64

	// owned counts each owner's items, counted of them in all; it is made anew when
	// Items has another length: loaded, or cut by its owner.
	owned   map[uint64]int
	counted int
}

// Add offers a vector: key names it (the same key in the same epoch is the same
// vector, and kept once), owner whose it is, epoch when. The values are copied.
// NaN becomes 0, "nothing to see", and is counted; all else is clipped to
// [0, 6], and what lies below .5 (a p-value above .3) is zero as well.
func (r *Reservoir) Add(key, owner uint64, epoch int64, values []float32) {
	if len(values) != r.Width || r.Width < 1 || r.Width > MaxWidth {
		r.Refused++
		return
	}
	for _, v := range values {
		if v != v {
			r.Refused++
		}
	}
	it := Item{Priority: r.priority(key, epoch), Key: key, Owner: owner}
	at, ok := r.place(it)
	if !ok {
		return
	}
	it.Values = make([]float32, len(values))
	for i, v := range values {
		it.Values[i] = clean(v)
	}
	r.insert(at, it)
}

// Wants says whether a vector of that key and epoch might stay, if it were offered:
// most are far behind what a full reservoir keeps, and need not be made.
func (r *Reservoir) Wants(key uint64, epoch int64) bool {
	n := len(r.Items)
	return n < r.rows() || r.priority(key, epoch) <= r.Items[n-1].Priority
}

// Merge offers all that o kept. o keeps its own.
func (r *Reservoir) Merge(o *Reservoir) {
	r.Refused += o.Refused
	for _, it := range o.Items {
		if len(it.Values) != r.Width {
			r.Refused++
		} else if at, ok := r.place(it); ok {
			r.insert(at, it)
		}
	}
}

// Reset empties the reservoir and keeps its settings and its memory.
func (r *Reservoir) Reset() {
	clear(r.Items)
	r.Items = r.Items[:0]
	r.Refused = 0
	clear(r.owned)
	r.counted = 0
}

// Forget drops an owner's vectors: those of one that was confirmed as breach.
func (r *Reservoir) Forget(owner uint64) {
	r.Items = slices.DeleteFunc(r.Items, func(it Item) bool { return it.Owner == owner })
	r.owned = nil
}

// Take takes out the owner's vectors of which the key fits and returns them, in order
// of their priority. Offer gives them back.
func (r *Reservoir) Take(owner uint64, fits func(key uint64) bool) (taken []Item) {
	r.Items = slices.DeleteFunc(r.Items, func(it Item) bool {
		if it.Owner != owner || !fits(it.Key) {
			return false
		}
		taken = append(taken, it)
		return true
	})
	if len(taken) > 0 {
		r.owned = nil
	}
	return taken
}

// Offer offers vectors that were taken out, or kept elsewhere.
func (r *Reservoir) Offer(items []Item) { r.Merge(&Reservoir{Items: items}) }

// place finds where the item belongs, and makes room for it; it reports false when
// the item is not among those that stay. Letting go of the worst of an owner that
// has too many, else of the worst of all, is the greedy algorithm on a truncated
// partition matroid, and so gives the same set in every order.
func (r *Reservoir) place(it Item) (at int, ok bool) {
	at, same := slices.BinarySearchFunc(r.Items, it, compareItems)
	if same {
		return 0, false
	}
	if r.owned == nil || r.counted != len(r.Items) {
		r.owned, r.counted = make(map[uint64]int), len(r.Items)
		for i := range r.Items {
			r.owned[r.Items[i].Owner]++
		}
	}
	worst := len(r.Items)
	switch {
	case r.owned[it.Owner] >= r.perOwner():
		for worst--; worst > 0 && r.Items[worst].Owner != it.Owner; {
			worst--
		}
	case len(r.Items) >= r.rows():
		worst--
	default:
		return at, true
	}
	if at > worst {
		return 0, false
	}
	r.drop(worst)
	return at, true
}

func (r *Reservoir) insert(at int, it Item) {
	r.Items = slices.Insert(r.Items, at, it)
	r.owned[it.Owner]++
	r.counted++
}

func (r *Reservoir) drop(at int) {
	owner := r.Items[at].Owner
	if r.owned[owner]--; r.owned[owner] <= 0 {
		delete(r.owned, owner)
	}
	r.Items = slices.Delete(r.Items, at, at+1)
	r.counted--
}

func (r *Reservoir) rows() int {
	if r.Rows > 0 {
		return r.Rows
	}
	return DefaultRows
}

func (r *Reservoir) perOwner() int {
	if r.PerOwner > 0 {
		return r.PerOwner
	}
	return max(1, r.rows()/64)
}

// priority is the logarithm of an exponential waiting time whose rate doubles
// with each half-life.
func (r *Reservoir) priority(key uint64, epoch int64) float64 {
	h := mix(mix(r.Seed^0x6a09e667f3bcc909, uint64(epoch)), key)
	u := (float64(h>>11) + 0.5) / (1 << 53)
	p := math.Log(-math.Log(u))
	if r.HalfLife > 0 {
		p -= float64(float64(epoch) / r.HalfLife * math.Ln2)
	}
	return p
}

// compareItems orders by priority; keys break ties.
func compareItems(a, b Item) int {
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(a.Key, b.Key))
}

// mix hashes x under a key (the finaliser of SplitMix64: Steele, Lea and Flood
// 2014).
func mix(key, x uint64) uint64 {
	z := x + key + 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// clean is the value that is stored and compared, 0 to 5.5. Without the floor the
// origin would be a corner, and a session with nothing to see at all would stand
// more alone than most.
func clean(v float32) float32 {
	if !(v > floor) { // so is NaN
		return 0
	}
	return min(v, MaxValue) - floor
}
