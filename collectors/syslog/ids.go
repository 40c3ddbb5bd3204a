package syslog

import "vigil/collectors/formats"

// ordinals tells equal messages of one connection apart. It remembers the last size to
// twice size of them.
type ordinals struct {
	size       int
	young, old map[uint64]uint32
}

// next is how many equal messages came before this one.
func (o *ordinals) next(hash uint64) uint64 {
	n, ok := o.young[hash]
	if !ok {
		n = o.old[hash]
		if len(o.young) >= o.size {
			o.old, o.young = o.young, nil
		}
		if o.young == nil {
			o.young = map[uint64]uint32{}
		}
	}
	o.young[hash] = n + 1
	return uint64(n)
}

// place is the message's place in its sender's stream: its contents and its ordinal, in
// 43 bits, which is what decode has room for.
func place(hash, ordinal uint64) int64 {
	// The finaliser of SplitMix64 (Steele, Lea and Flood, Fast Splittable Pseudorandom
	// Number Generators, 2014).
	z := hash + ordinal*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return int64((z ^ z>>31) >> 21)
}

// hashOf is the hash of a message that is too long to be kept as well as of others.
func hashOf(f *frame) uint64 { return formats.RecordHash(f.text) }
