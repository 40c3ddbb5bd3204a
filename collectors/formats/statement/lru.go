package statement

import "container/list"

// lru is a map of bounded size that forgets what was used least recently. It is
// not safe for concurrent use.
type lru[V any] struct {
	cap   int
	order *list.List
	items map[uint64]*list.Element
}

type lruItem[V any] struct {
	key   uint64
	value V
}

func newLRU[V any](capacity int) *lru[V] {
	return &lru[V]{cap: max(1, capacity), order: list.New(), items: make(map[uint64]*list.Element)}
}

func (c *lru[V]) get(key uint64) (V, bool) {
	if e, ok := c.items[key]; ok {
		c.order.MoveToFront(e)
		return e.Value.(*lruItem[V]).value, true
	}
	var zero V
	return zero, false
}

func (c *lru[V]) put(key uint64, v V) {
	if e, ok := c.items[key]; ok {
		e.Value.(*lruItem[V]).value = v
		c.order.MoveToFront(e)
		return
	}
	if c.order.Len() >= c.cap {
		last := c.order.Back()
		c.order.Remove(last)
		delete(c.items, last.Value.(*lruItem[V]).key)
	}
	c.items[key] = c.order.PushFront(&lruItem[V]{key: key, value: v})
}
