package evidence_test

import (
	"fmt"
	"testing"

	"vigil/internal/evidence"
)

const segmentRows = 65_536

func BenchmarkWrite(b *testing.B) {
	s, _ := open(b)
	rows := traffic(segmentRows)
	n := 0
	for b.Loop() {
		n++
		seg, err := s.Write(b.Context(), fmt.Sprintf("%d.parquet", n), rows)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(seg.Size)/float64(seg.Rows), "B/event")
	}
	b.ReportMetric(segmentRows*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkQuery(b *testing.B) {
	s, _ := open(b)
	rows := traffic(segmentRows)
	subject := rows[5].Event.Subjects[0]
	seg, err := s.Write(b.Context(), "a.parquet", rows)
	if err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]evidence.Query{
		"actor": {Actor: "agent-07"}, "subject": {Subject: subject}, "absent": {Subject: "nobody"}, "all": {},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Find(b.Context(), seg, q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
