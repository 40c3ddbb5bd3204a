package detector

import (
	"cmp"
	"slices"
)

// names is a set of actors, each by its hash and with its id, ordered by hash. Most
// sets hold a few, and none more than crowdLimit.
type names []name

type name struct {
	_    struct{} `cbor:",toarray"`
	Hash uint64
	ID   string
}

func (n names) find(hash uint64) (at int, ok bool) {
	return slices.BinarySearchFunc(n, hash, func(n name, hash uint64) int { return cmp.Compare(n.Hash, hash) })
}

func (n names) has(hash uint64) bool {
	_, ok := n.find(hash)
	return ok
}

// add puts the actor in and reports whether it was not there.
func (n *names) add(hash uint64, id string) bool {
	at, ok := n.find(hash)
	if !ok {
		*n = slices.Insert(*n, at, name{Hash: hash, ID: id})
	}
	return !ok
}

// remove takes the actor out and reports whether it was there.
func (n *names) remove(hash uint64) bool {
	at, ok := n.find(hash)
	if ok {
		*n = slices.Delete(*n, at, at+1)
	}
	return ok
}

// reset empties the set, which keeps its memory when that is small.
func (n *names) reset() {
	const kept = 16
	clear(*n)
	if *n = (*n)[:0]; cap(*n) > kept {
		*n = nil
	}
}
