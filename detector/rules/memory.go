package rules

import (
	"slices"
	"strings"

	"vigil"
)

// memoryClass is the resource class of what an agent remembers of one customer.
const memoryClass = "memory"

// memoryLimit bounds how many memories one shard knows the writer of.
const memoryLimit = 16_384

// memories remembers for which customer each memory of an agent was last written. A
// memory that is named by its resource has an id behind the last "/", ":" or "#"
// ("memory/4711"); one without is a whole collection, of many customers, and tells
// nothing.
type memories struct{ recent[memoryKey, string] }

type memoryKey struct{ tenant, store, resource string }

func newMemories() memories { return memories{newRecent[memoryKey, string](memoryLimit)} }

// add folds e and tells whether it reads for one customer what was written for, or
// belongs to, another.
func (m *memories) add(e *vigil.Event) bool {
	if e.ResourceClass != memoryClass {
		return false
	}
	served := e.Principal
	if served != "" && len(e.Subjects) > 0 && e.Action.Discloses() && !slices.Contains(e.Subjects, served) {
		return true
	}
	if served == "" {
		if len(e.Subjects) != 1 {
			return false
		}
		served = e.Subjects[0]
	}
	at := strings.LastIndexAny(e.Resource, "/:#")
	if at < 0 || at == len(e.Resource)-1 {
		return false
	}
	key := memoryKey{e.Actor.Tenant, e.Store, e.Resource}
	if e.Action == vigil.ActionWrite {
		key = memoryKey{strings.Clone(key.tenant), strings.Clone(key.store), strings.Clone(key.resource)}
		m.put(key, strings.Clone(served))
		return false
	}
	writer, known := m.get(key)
	return known && e.Action.Discloses() && writer != served
}

// MemoryState is one memory's writer in the form that is kept.
type MemoryState struct {
	_                               struct{} `cbor:",toarray"`
	Tenant, Store, Resource, Writer string
}

func (m *memories) state() []MemoryState {
	out := make([]MemoryState, 0, m.len())
	m.each(func(k memoryKey, writer string) {
		out = append(out, MemoryState{Tenant: k.tenant, Store: k.store, Resource: k.resource, Writer: writer})
	})
	return out
}

func (m *memories) restore(states []MemoryState) {
	*m = newMemories()
	for _, st := range states {
		m.put(memoryKey{st.Tenant, st.Store, st.Resource}, st.Writer)
	}
}
