package columnar_test

import (
	"fmt"
	"testing"

	"vigil/internal/evidence/columnar"
)

func BenchmarkEncode(b *testing.B) {
	c := newCodec(b)
	for _, n := range []int{100, 1_000, 10_000} {
		events := sample(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			size := 0
			for b.Loop() {
				data, err := c.Encode(events)
				if err != nil {
					b.Fatal(err)
				}
				size = len(data)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "events/s")
			b.ReportMetric(float64(size)/float64(n), "B/event")
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	c := newCodec(b)
	for name, cols := range map[string]columnar.Columns{"all": columnar.All, "identity": columnar.Identity, "who": columnar.Who} {
		data, err := c.Encode(sample(10_000))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := c.Decode(data, cols); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
