package native_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/native"
)

// What decodes must write and decode to the same event, and nothing panics.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(documented))
	f.Add([]byte(`{"time":1793610845.5,"actor":17,"action":"read","x":[[{}]]}`))
	f.Add([]byte(`{"\u0074ime":"2026-11-02T09:14:05Z","actor":"\ud83d\ude00","action":"other","subjects":["a","b"],"subject_count":1}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		native.Format().Detect(line)
		d := decoder(t, formats.Options{Source: "s", File: "f"})
		var events []*vigil.Event
		emit := func(e *vigil.Event, _ formats.Line) { events = append(events, e) }
		if err := d.Decode(formats.Line{Text: line, Number: 1}, emit); err != nil || len(events) == 0 {
			return
		}
		first := *events[0]
		if err := first.Validate(); err != nil {
			t.Fatal(err)
		}
		if err := d.Decode(formats.Line{Text: native.Append(nil, &first), Number: 1}, emit); err != nil {
			t.Fatal(err)
		}
		second := *events[1]
		first.Origin, second.Origin = vigil.Origin{}, vigil.Origin{}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Error(diff)
		}
	})
}
