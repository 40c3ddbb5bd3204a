package formats

import (
	"hash/maphash"
	"strings"
)

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
	slot := n.slot(b)
	if *slot != string(b) {
		*slot = string(b)
	}
	return *slot
}

// Keep returns a string equal to s that does not keep alive what s is a part of.
func (n *Interner) Keep(s string) string {
	if s == "" || len(s) > internMax {
		return strings.Clone(s)
	}
	if n.slots == nil {
		n.slot(nil)
	}
	slot := &n.slots[maphash.String(n.seed, s)&(internSlots-1)]
	if *slot != s {
		*slot = strings.Clone(s)
	}
	return *slot
}

func (n *Interner) slot(b []byte) *string {
	if n.slots == nil {
		n.seed, n.slots = maphash.MakeSeed(), make([]string, internSlots)
	}
	return &n.slots[maphash.Bytes(n.seed, b)&(internSlots-1)]
}
