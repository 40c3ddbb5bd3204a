package native_test

import (
	"fmt"
	"testing"
	"time"

	"vigil"
	"vigil/collectors/formats"
	"vigil/collectors/formats/native"
)

// lines are some 350 bytes each, with the repetition of real traffic.
func lines(n int) [][]byte {
	out := make([][]byte, n)
	start := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	for i := range out {
		e := vigil.NewEvent()
		e.Time = start.Add(time.Duration(i) * 370 * time.Millisecond)
		e.Actor = vigil.Actor{ID: fmt.Sprintf("agent-%d", i%300), Kind: vigil.KindHuman, Role: "agent", Team: "emea"}
		e.Session, e.Conversation = fmt.Sprintf("s-%d", i/40), fmt.Sprintf("c-%d", i/3)
		e.Action, e.Store, e.Resource = vigil.ActionRead, "helpdesk", "messages"
		e.Subjects, e.SubjectCount, e.Rows, e.Bytes = []string{fmt.Sprintf("cust-%d", i/3)}, 1, 12, int64(3000+i%900)
		e.IP, e.UserAgent, e.Shape, e.Outcome = fmt.Sprintf("198.51.100.%d", i%200), "Mozilla/5.0 (X11; Linux x86_64)", "select messages#a1b2c3", vigil.OutcomeSuccess
		out[i] = native.Append(nil, e)
	}
	return out
}

func BenchmarkDecode(b *testing.B) {
	in := lines(20_000)
	d := decoder(b, formats.Options{Source: "s", File: "f"})
	var size int64
	for _, l := range in {
		size += int64(len(l))
	}
	b.SetBytes(size / int64(len(in)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := d.Decode(formats.Line{Text: in[i%len(in)], Offset: int64(i)}, func(*vigil.Event, formats.Line) {}); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func BenchmarkAppend(b *testing.B) {
	d := decoder(b, formats.Options{})
	e, err := decode(b, d, documented)
	if err != nil {
		b.Fatal(err)
	}
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = native.Append(dst[:0], e)
	}
}
