package syslog

import (
	"encoding/json"
	"sync"

	"vigil/collectors/formats"
)

// The bounds of a position.
const (
	// maxKept is how many senders' states and originators' numbers it holds.
	maxKept = 64
	// maxState bounds one sender's state, in bytes; a longer one is not kept.
	maxState = 64 << 10
)

// position is what the ledger keeps for us: not where to read on, which the senders know,
// but what the messages to come are to be understood by.
type position struct {
	// States are those of the senders' decoders, the one used last at the end.
	States []senderState `json:"states,omitempty"`
	// Said are the last numbers of originators. They are there after a stop at leisure
	// only: those of a moment before a kill would make holes of what came after it.
	Said []saidLast `json:"said,omitempty"`
}

type senderState struct {
	Sender string          `json:"sender"`
	State  json.RawMessage `json:"state"`
}

type saidLast struct {
	Sender string           `json:"sender"`
	Host   string           `json:"host"`
	Last   int64            `json:"last"`
	Apps   map[string]int64 `json:"apps,omitempty"`
}

// sound says whether it is one that we wrote.
func (p *position) sound() bool { return len(p.States)+len(p.Said) > 0 }

// states are what decoders know, by sender, for their next connection. It is safe for
// concurrent use.
type states struct {
	mu      sync.Mutex // guards all below
	byName  *formats.Bounded[string, []byte]
	changed bool
}

func newStates(from []senderState) *states {
	s := &states{byName: formats.NewBounded[string, []byte](maxKept)}
	for _, one := range from {
		s.byName.Put(one.Sender, one.State)
	}
	return s
}

func (s *states) get(sender string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	state, _ := s.byName.Get(sender)
	return state
}

func (s *states) put(sender string, state []byte) {
	if len(state) == 0 || len(state) > maxState {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.byName.Get(sender); ok && string(old) == string(state) {
		return
	}
	s.byName.Put(sender, state)
	s.changed = true
}

// take is the list for a position; ok is false where nothing changed since the last one.
func (s *states) take() (list []senderState, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for sender, state := range s.byName.All() {
		list = append(list, senderState{sender, state})
	}
	ok, s.changed = s.changed, false
	return list, ok
}
