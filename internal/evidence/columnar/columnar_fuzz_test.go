package columnar

import (
	"errors"
	"testing"
	"time"

	"vigil"
)

func fuzzEvents() []*vigil.Event {
	a, b := vigil.NewEvent(), vigil.NewEvent()
	a.ID, a.Time, a.Actor.ID, a.Subjects = "1", time.Unix(1_700_000_000, 5).UTC(), "maria", []string{"x", "y"}
	b.ID, b.Actor.ID, b.Fields, b.Destination = "2", "jo", []string{"email"}, &vigil.Destination{Kind: "webhook"}
	return []*vigil.Event{a, b}
}

// FuzzDecode gives the decoder bytes that passed no checksum: the inner form
// must hold by itself.
func FuzzDecode(f *testing.F) {
	f.Add(encodeRaw(nil))
	f.Add(encodeRaw(fuzzEvents()))
	f.Add([]byte{1, 255, 255, 3})
	f.Fuzz(func(t *testing.T, raw []byte) {
		events, err := decodeRaw(raw, All)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("error %v is not ErrCorrupt", err)
			}
			return
		}
		again, err := decodeRaw(encodeRaw(events), All)
		if err != nil || len(again) != len(events) {
			t.Fatalf("what was decoded does not encode again: %d of %d events, %v", len(again), len(events), err)
		}
	})
}

// FuzzUnframe gives whole frames.
func FuzzUnframe(f *testing.F) {
	c, err := New()
	if err != nil {
		f.Fatal(err)
	}
	data, err := c.Encode(fuzzEvents())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("VGC1\xff\xff\xff\x1f0000"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := c.Decode(data, All); err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatalf("error %v is not ErrCorrupt", err)
		}
	})
}
