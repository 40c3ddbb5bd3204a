package app

import "testing"

// The records of a case are those that name it, or a finding of it, in whatever sentence.
func TestRecordsOfACase(t *testing.T) {
	t.Parallel()
	about := map[string]bool{"c-1": true, "f-1": true, "c:2": true}
	for text, want := range map[string]bool{
		"case c-1": true, "c-1": true, "finding f-1": true, "exception x-1 out of finding f-1": true, "case c:2": true,
		"case c-1: subject-4711 (r-12): the customer asked for it": true, "case c:2: actor-1 (r-3)": true,
		"case c-11": false, "case c-11: subject-4711": false, "": false, "cases": false,
	} {
		if got := mentions(text, about); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}
