package spool

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"vigil"
	"vigil/collectors"
	"vigil/collectors/relay"
)

// pack makes the bodies of a batch's frames: one, or as many as it takes; none of an empty one.
// It fails for nothing that a source can bring: that source could never go on.
func pack(b collectors.Batch) ([][]byte, error) {
	return halve(onTime(b))
}

func halve(b collectors.Batch) ([][]byte, error) {
	n := b.Len()
	if n == 0 {
		return nil, nil
	}
	body, err := relay.Pack(&b)
	switch {
	case err == nil:
		return [][]byte{body}, nil
	case !errors.Is(err, relay.ErrTooLarge):
		return nil, err
	case n == 1 && len(b.Events) == 1:
		return halve(collectors.Batch{Quarantined: []vigil.Quarantined{aside(b.Events[0], "too-long", "the event is larger than what can be sent")}})
	case n == 1:
		return nil, err
	}
	first, second := b, b
	first.Events, second.Events, n = cut(b.Events, n/2)
	first.Quarantined, second.Quarantined, n = cut(b.Quarantined, n)
	first.Lapses, second.Lapses, _ = cut(b.Lapses, n)
	one, err := halve(first)
	if err != nil {
		return nil, err
	}
	two, err := halve(second)
	return append(one, two...), err
}

// cut parts a list after at most n, and says how many of n are left.
func cut[T any](all []T, n int) (first, second []T, left int) {
	at := min(n, len(all))
	return all[:at], all[at:], n - at
}

// maxText bounds the words of what is set aside and of lapses, which the ledger cuts
// shorter still.
const maxText = 64 << 10

// onTime sets aside events of times that can't be written down, and bounds the rest.
func onTime(b collectors.Batch) collectors.Batch {
	b.Quarantined, b.Lapses = slices.Clone(b.Quarantined), slices.Clone(b.Lapses)
	b.Events = slices.DeleteFunc(slices.Clone(b.Events), func(e *vigil.Event) bool {
		if e == nil || writable(e.Time) && writable(e.Received) {
			return e == nil
		}
		b.Quarantined = append(b.Quarantined, aside(e, "time", fmt.Sprintf("its time is in the year %d: set the source's clock, or the format of its times, right", e.Time.UTC().Year())))
		return true
	})
	for i := range b.Quarantined {
		q := &b.Quarantined[i]
		if !writable(q.Time) {
			q.Time = time.Time{}
		}
		q.File, q.Reason, q.Code = q.File[:min(len(q.File), maxText)], q.Reason[:min(len(q.Reason), maxText)], q.Code[:min(len(q.Code), maxText)]
	}
	for i := range b.Lapses {
		l := &b.Lapses[i]
		if !writable(l.Start) {
			l.Start = time.Time{}
		}
		if !writable(l.End) {
			l.End = time.Time{}
		}
		l.Text = l.Text[:min(len(l.Text), maxText)]
	}
	return b
}

// writable reports whether a time has the four digits of a year that RFC 3339 has room
// for; it is written in UTC.
func writable(t time.Time) bool { return t.IsZero() || t.UTC().Year() >= 1 && t.UTC().Year() < 9999 }

func aside(e *vigil.Event, code, reason string) vigil.Quarantined {
	return vigil.Quarantined{
		File: e.Origin.File, Line: e.Origin.Line, Offset: e.Origin.Offset, Time: e.Received, Code: code, Reason: reason, Hash: e.Origin.Hash,
	}
}
