package privacy

import (
	"sync"

	"vigil"
)

// stepMemory bounds the actors whose last id is remembered, in each of two
// generations: an actor that was not heard of while so many others were begins
// anew, with an unknown step.
const stepMemory = 32_768

// Steps takes from ids what their order tells, before pseudonyms hide it: whether
// an actor walks through customers one after the other. It remembers one number
// an actor, and is safe for concurrent use. The zero value is ready.
type Steps struct {
	mu         sync.Mutex
	young, old map[stepper]numbered
}

type stepper struct{ tenant, actor string }

// numbered is an id cut into what stands before its last digits and their value.
type numbered struct {
	stem   string
	number uint64
}

// Event sets e.Step, unless the source has told it already.
func (s *Steps) Event(e *vigil.Event) {
	first, last := e.Conversation, e.Conversation
	if n := len(e.Subjects); n > 0 {
		first, last = e.Subjects[0], e.Subjects[n-1]
	}
	if first == "" || e.Step != vigil.StepUnknown {
		return
	}
	from, ok := number(first)
	if !ok {
		return
	}
	to := from
	if last != first {
		if to, ok = number(last); !ok {
			return
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	key := stepper{e.Actor.Tenant, e.Actor.ID}
	before, known := s.young[key]
	if !known {
		before, known = s.old[key]
	}
	if known && before.stem == from.stem {
		e.Step = stepBetween(before.number, from.number)
	}
	if s.young == nil || len(s.young) >= stepMemory {
		s.old, s.young = s.young, make(map[stepper]numbered)
	}
	s.young[key] = to
}

func stepBetween(before, now uint64) vigil.Step {
	switch {
	case now == before:
		return vigil.StepUnknown
	case now < before:
		return vigil.StepFell
	case now-before <= vigil.StepNear:
		return vigil.StepNext
	}
	return vigil.StepRose
}

// maxDigits is how many digits a number may have; longer ones are random ids.
const maxDigits = 18

// number finds the last run of digits in an id.
func number(id string) (n numbered, ok bool) {
	end := len(id)
	for end > 0 && !digit(id[end-1]) {
		end--
	}
	start := end
	for start > 0 && digit(id[start-1]) {
		start--
	}
	if start == end || end-start > maxDigits {
		return n, false
	}
	for _, c := range []byte(id[start:end]) {
		n.number = n.number*10 + uint64(c-'0')
	}
	n.stem = id[:start]
	return n, true
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
