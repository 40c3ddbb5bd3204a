package record_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tidwall/gjson"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/formatstest"
	"vigil/collectors/formats/record"
)

// pairs holds each record that has a mate until the mate comes.
type pairs struct{ held []*vigil.Event }

func (p *pairs) Read(r *record.Record, emit func(*vigil.Event)) error {
	e := r.Event()
	e.ID, e.Actor.ID, e.Action = r.Get("id"), r.Get("who"), vigil.ActionRead
	e.Time = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, h := range p.held {
		if h.ID == r.Get("mate") {
			p.held = append(p.held[:i], p.held[i+1:]...)
			h.Rows = 7
			emit(h)
			return nil
		}
	}
	if r.Get("wait") == "" {
		emit(e)
	} else if r.Hold(e) {
		p.held = append(p.held, e)
	}
	return nil
}

func (p *pairs) Flush(emit func(*vigil.Event)) {
	for _, h := range p.held {
		emit(h)
	}
	p.held = nil
}

func (p *pairs) Held() (int64, bool) {
	if len(p.held) == 0 {
		return 0, false
	}
	return p.held[0].Origin.Offset, true
}

var holder = record.New(record.Spec{
	Name: "pairs",
	JSON: func(v gjson.Result) float64 { return map[bool]float64{true: 0.9}[v.Get("who").Exists()] },
	New:  func(formats.Options) (record.Reader, error) { return &pairs{}, nil },
})

const pairLines = `{"who":"a","id":"1"}
{"who":"b","id":"2","wait":1}
{"who":"c","id":"3"}
{"who":"d","id":"4","mate":"2"}
{"who":"e","id":"5","wait":1}
{"who":"e","id":"5","wait":1}
`

type told struct {
	ID        string
	Line, Num int64
}

func TestHeldEventsComeOutLaterAtTheirPlace(t *testing.T) {
	t.Parallel()
	events, errs := formatstest.Decode(t, holder, formats.Options{Source: "s", File: "f"}, pairLines)
	var got []told
	for _, e := range events {
		got = append(got, told{e.ID, e.Origin.Line, e.Rows})
	}
	want := []told{{"1", 1, -1}, {"3", 3, -1}, {"2", 2, 7}, {"5", 5, -1}}
	if diff := cmp.Diff(want, got); diff != "" || len(errs) > 0 {
		t.Error(diff, errs)
	}
}

// A restart reads again from where the first held record stands, and loses and doubles
// nothing.
func TestWhatIsHeldIsReadAgainAfterARestart(t *testing.T) {
	t.Parallel()
	dec, err := holder.New(formats.Options{Source: "s", File: "f"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	emit := func(e *vigil.Event, _ formats.Line) { got = append(got, e.ID) }
	n := 0
	var lines []formats.Line
	formatstest.Lines(dec, pairLines, func(l formats.Line) { lines = append(lines, l) })
	for ; n < 3; n++ {
		if err := dec.Decode(lines[n], emit); err != nil {
			t.Fatal(err)
		}
	}
	at, held := dec.Pending()
	if !held || at != lines[1].Offset {
		t.Fatalf("pending %d %t, want %d", at, held, lines[1].Offset)
	}
	state, err := dec.State()
	if err != nil {
		t.Fatal(err)
	}
	fresh, _ := holder.New(formats.Options{Source: "s", File: "f"})
	if err := fresh.Restore(state); err != nil {
		t.Fatal(err)
	}
	for _, l := range lines[1:] {
		if err := fresh.Decode(l, emit); err != nil {
			t.Fatal(err)
		}
	}
	if err := fresh.Flush(emit); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1", "3", "2", "5"}, got); diff != "" {
		t.Error(diff)
	}
}
