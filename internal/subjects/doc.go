// Package subjects counts whose data was touched, and by whom: [Touched] the customers that
// the accesses of a case name, [Readers] the actors who read one customer. internal/app feeds
// them the events, in any order, and shows what comes out: the same events give the same result in
// whatever order they come. Nothing here is safe for concurrent use.
package subjects

import (
	"slices"

	"vigil"
)

// maxWords bounds the stores, purposes and cases that are kept of one reader.
const maxWords = 8

// shows reports whether an event surely showed the data of whom it names.
func shows(e *vigil.Event) bool { return e.Action.Discloses() && e.Outcome == vigil.OutcomeSuccess }

// failed reports whether an event showed nothing.
func failed(e *vigil.Event) bool {
	return e.Outcome == vigil.OutcomeDenied || e.Outcome == vigil.OutcomeError
}

// add puts a word among the least few, sorted: which these are does not depend on the order
// in which they come.
func add(words []string, word string) []string {
	at, has := slices.BinarySearch(words, word)
	if word == "" || has || at == maxWords {
		return words
	}
	words = slices.Insert(words, at, word)
	return words[:min(len(words), maxWords)]
}
