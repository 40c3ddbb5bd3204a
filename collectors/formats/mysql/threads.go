package mysql

import "container/list"

// thread is who is on a connection.
type thread struct {
	User, Host, DB string
	// Refused says that the connection never was: its end is no logout.
	Refused bool
}

type savedThread struct {
	ID string
	thread
}

// threads are the connections, the last seen first.
type threads struct {
	order *list.List // of savedThread
	byID  map[string]*list.Element
}

func newThreads() threads { return threads{list.New(), make(map[string]*list.Element)} }

type entry struct {
	id string
	*thread
}

func (t *threads) get(id string) *thread {
	e, ok := t.byID[id]
	if !ok {
		return nil
	}
	t.order.MoveToFront(e)
	return e.Value.(entry).thread
}

func (t *threads) put(id string, who *thread) {
	t.forget(id)
	if t.order.Len() >= maxThreads {
		t.forget(t.order.Back().Value.(entry).id)
	}
	t.byID[id] = t.order.PushFront(entry{id, who})
}

func (t *threads) forget(id string) {
	if e, ok := t.byID[id]; ok {
		t.order.Remove(e)
		delete(t.byID, id)
	}
}

func (t *threads) list() []savedThread {
	out := make([]savedThread, 0, t.order.Len())
	for e := t.order.Front(); e != nil; e = e.Next() {
		v := e.Value.(entry)
		out = append(out, savedThread{v.id, *v.thread})
	}
	return out
}
