package formats

import "hash/maphash"

// The bounds of an interner: at most internSlots strings of internMax bytes.
const (
	internSlots = 1 << 13
	internMax   = 128
)

// Interner gives one string for equal bytes, so that the values a log repeats
// (actors, stores, addresses) are allocated once. It is bounded: a new value
// takes the slot of an old one, and long values are not kept. The zero Interner
// is ready; it is not safe for concurrent use.
type Interner struct {
	seed  maphash.Seed
	slots []string
}

// String returns b as a string.
func (n *Interner) String(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > internMax {
		return string(b)
	}
	if n.slots == nil {
		n.seed, n.slots = maphash.MakeSeed(), make([]string, internSlots)
	}
	slot := &n.slots[maphash.Bytes(n.seed, b)&(internSlots-1)]
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}
