package formats

import (
	"container/list"
	"iter"
)

// Bounded is a map of bounded size that forgets what was used least recently: for what
// decoders know of connections and requests. It is not safe for concurrent use.
type Bounded[K comparable, V any] struct {
	most  int
	order *list.List // of *entry, the last used first
	items map[K]*list.Element
}

type entry[K comparable, V any] struct {
	key   K
	value V
}

// NewBounded returns a map of at most so many entries, at least one.
func NewBounded[K comparable, V any](most int) *Bounded[K, V] {
	return &Bounded[K, V]{most: max(1, most), order: list.New(), items: make(map[K]*list.Element)}
}

// Get returns the value of a key, which counts as its use.
func (b *Bounded[K, V]) Get(key K) (V, bool) {
	if e, ok := b.items[key]; ok {
		b.order.MoveToFront(e)
		return e.Value.(*entry[K, V]).value, true
	}
	var none V
	return none, false
}

// Put sets the value of a key.
func (b *Bounded[K, V]) Put(key K, value V) {
	if e, ok := b.items[key]; ok {
		e.Value.(*entry[K, V]).value = value
		b.order.MoveToFront(e)
		return
	}
	if b.order.Len() >= b.most {
		b.Delete(b.order.Back().Value.(*entry[K, V]).key)
	}
	b.items[key] = b.order.PushFront(&entry[K, V]{key, value})
}

// Delete forgets a key.
func (b *Bounded[K, V]) Delete(key K) {
	if e, ok := b.items[key]; ok {
		b.order.Remove(e)
		delete(b.items, key)
	}
}

// Clear forgets all.
func (b *Bounded[K, V]) Clear() {
	b.order.Init()
	clear(b.items)
}

// Len is the number of entries.
func (b *Bounded[K, V]) Len() int { return b.order.Len() }

// All goes through the entries, the least recently used first: in the order in which
// Put makes the same map again.
func (b *Bounded[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) {
		for e := b.order.Back(); e != nil; e = e.Prev() {
			if i := e.Value.(*entry[K, V]); !yield(i.key, i.value) {
				return
			}
		}
	}
}
