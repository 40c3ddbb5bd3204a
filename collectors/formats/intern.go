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
	// missed counts the strings that found another's in their slot, or none.
	missed int
}

// internFirst is how many slots there are at first: most logs have few names, and of
// sources that have nothing to say there may be many.
const internFirst = 128

// String returns b as a string.
func (n *Interner) String(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > internMax {
		return string(b)
	}
	n.grow()
	slot := &n.slots[maphash.Bytes(n.seed, b)&uint64(len(n.slots)-1)]
	if *slot != string(b) {
		n.missed++
		*slot = string(b)
	}
	return *slot
}

// Keep returns a string equal to s that does not keep alive what s is a part of.
func (n *Interner) Keep(s string) string {
	if s == "" || len(s) > internMax {
		return strings.Clone(s)
	}
	n.grow()
	slot := &n.slots[maphash.String(n.seed, s)&uint64(len(n.slots)-1)]
	if *slot != s {
		n.missed++
		*slot = strings.Clone(s)
	}
	return *slot
}

// grow makes the slots, and more of them where there are many strings.
func (n *Interner) grow() {
	switch {
	case n.slots == nil:
		n.seed, n.slots = maphash.MakeSeed(), make([]string, internFirst)
	case n.missed > 2*len(n.slots) && len(n.slots) < internSlots:
		n.slots, n.missed = make([]string, 4*len(n.slots)), 0
	}
}
