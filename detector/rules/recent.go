package rules

import "container/list"

// recent remembers what was heard of lately: of more than limit keys the one that was
// not heard of for longest is forgotten.
type recent[K comparable, V any] struct {
	limit int
	at    map[K]*list.Element
	order *list.List // front is the most recent
}

type remembered[K comparable, V any] struct {
	key   K
	value V
}

func newRecent[K comparable, V any](limit int) recent[K, V] {
	return recent[K, V]{limit: limit, at: map[K]*list.Element{}, order: list.New()}
}

func (r *recent[K, V]) len() int { return r.order.Len() }

// get finds a key and makes it the most recent.
func (r *recent[K, V]) get(k K) (v V, ok bool) {
	el := r.at[k]
	if el == nil {
		return v, false
	}
	r.order.MoveToFront(el)
	return el.Value.(*remembered[K, V]).value, true
}

// put sets a key's value and makes it the most recent.
func (r *recent[K, V]) put(k K, v V) {
	if el := r.at[k]; el != nil {
		el.Value.(*remembered[K, V]).value = v
		r.order.MoveToFront(el)
		return
	}
	r.at[k] = r.order.PushFront(&remembered[K, V]{k, v})
	if r.order.Len() > r.limit {
		last := r.order.Remove(r.order.Back()).(*remembered[K, V])
		delete(r.at, last.key)
	}
}

// each visits all, the longest unheard first.
func (r *recent[K, V]) each(visit func(K, V)) {
	for el := r.order.Back(); el != nil; el = el.Prev() {
		m := el.Value.(*remembered[K, V])
		visit(m.key, m.value)
	}
}
